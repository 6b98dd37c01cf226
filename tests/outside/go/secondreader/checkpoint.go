package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	decimal  = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)
	hexKeyID = regexp.MustCompile(`^[0-9a-f]{8}$`)
)

// unbase64 takes standard base64 in its one spelling.
func unbase64(text string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(data) != text {
		return nil, errors.New("not base64 in its one spelling")
	}
	return data, nil
}

func goodName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r == '+' || r < 0x20 || unicode.IsSpace(r) })
}

// logKey is a vkey's name, key id and Ed25519 key.
type logKey struct {
	name   string
	id     []byte
	public ed25519.PublicKey
}

func parseVkey(text string) (logKey, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || !goodName(parts[0]) || !hexKeyID.MatchString(parts[1]) {
		return logKey{}, errors.New("not a vkey")
	}
	data, err := unbase64(parts[2])
	if err != nil || len(data) != 33 || data[0] != 1 {
		return logKey{}, errors.New("not an Ed25519 vkey")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	if hex.EncodeToString(sum[:4]) != parts[1] {
		return logKey{}, errors.New("the vkey's id is not its key's")
	}
	return logKey{parts[0], sum[:4], ed25519.PublicKey(data[1:])}, nil
}

type tree struct {
	origin string
	size   uint64
	root   []byte
}

// openCheckpoint verifies a checkpoint's note under the log's key and reads its three lines.
func openCheckpoint(note string, key logKey) (tree, error) {
	text, lines, err := splitNote(note)
	if err != nil {
		return tree{}, err
	}
	verified := false
	for _, line := range lines {
		name, payload, err := signatureLine(line)
		if err != nil {
			return tree{}, err
		}
		if name != key.name || !bytes.Equal(payload[:4], key.id) {
			continue
		}
		if len(payload) != 68 || !ed25519.Verify(key.public, []byte(text), payload[4:]) {
			return tree{}, errors.New("a line of the log's key does not verify")
		}
		verified = true
	}
	if !verified {
		return tree{}, errors.New("no line of the log's key")
	}
	return parseCheckpoint(text, key.name)
}

func splitNote(note string) (string, []string, error) {
	end := strings.LastIndex(note, "\n\n")
	if len(note) > 1_000_000 || !utf8.ValidString(note) || end < 0 || !strings.HasSuffix(note, "\n") {
		return "", nil, errors.New("not a note")
	}
	text, tail := note[:end+1], strings.TrimSuffix(note[end+2:], "\n")
	if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 && r != '\n' }) {
		return "", nil, errors.New("a control character in a note")
	}
	lines := strings.Split(tail, "\n")
	if len(lines) > 100 {
		return "", nil, errors.New("more than 100 signature lines")
	}
	return text, lines, nil
}

func signatureLine(line string) (string, []byte, error) {
	rest, ok := strings.CutPrefix(line, "— ")
	name, encoded, both := strings.Cut(rest, " ")
	if !ok || !both || !goodName(name) {
		return "", nil, errors.New("not a signature line")
	}
	payload, err := unbase64(encoded)
	if err != nil || len(payload) < 5 {
		return "", nil, errors.New("not a signature line")
	}
	return name, payload, nil
}

func parseCheckpoint(text, origin string) (tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != origin || !decimal.MatchString(lines[1]) {
		return tree{}, errors.New("not a checkpoint of this origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tree{}, err
	}
	root, err := unbase64(lines[2])
	if err != nil || len(root) != 32 {
		return tree{}, errors.New("a root is 32 bytes")
	}
	if empty := sha256.Sum256(nil); size == 0 && !bytes.Equal(root, empty[:]) {
		return tree{}, errors.New("an empty log has the root of no leaf")
	}
	return tree{origin, uint64(size), root}, nil
}

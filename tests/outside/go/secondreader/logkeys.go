package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
)

// logKeyPeriod is a key of the log and the tree sizes that it signs.
type logKeyPeriod struct {
	public      []byte
	from, until uint64 // until 0: no end
}

func (p logKeyPeriod) signs(size uint64) bool {
	return p.from <= size && (p.until == 0 || size < p.until)
}

// logKey folds an entry about the key that signs checkpoints ("Log keys" in docs/formats.md).
func (k *keyring) logKey(index uint64, s statement, content map[string]any) error {
	if k.root == nil || s.iss != k.operator {
		return errors.New("an entry about the log key that is not the operator's")
	}
	if err := s.verify(k.root); err != nil {
		return err
	}
	if content["origin"] != k.origin {
		return errors.New("an entry about the key of another log")
	}
	if s.kind == "log-key-retired" {
		return k.retire(index, content)
	}
	return k.follow(index, content)
}

func (k *keyring) follow(index uint64, content map[string]any) error {
	public, err := publicKey(content["public"])
	if err != nil {
		return err
	}
	old, err := publicKey(content["replacesPublic"])
	if err != nil {
		return err
	}
	overlap, ok := content["overlap"].(bool)
	if !ok || content["kid"] != hex.EncodeToString(keyID(public)) || content["replaces"] != hex.EncodeToString(keyID(old)) {
		return errors.New("a log-key entry gives the keys' own ids, and says whether both sign")
	}
	kid := string(keyID(public))
	if bytes.Equal(public, k.root) || k.registrars[kid] != nil || k.keys[kid] != nil {
		return errors.New("a key that signs statements")
	}
	keys := slices.Clone(k.logKeys)
	if len(keys) == 0 {
		keys = append(keys, logKeyPeriod{public: old})
	}
	signing := signingAt(keys, index)
	if slices.ContainsFunc(keys, func(p logKeyPeriod) bool { return bytes.Equal(p.public, public) }) {
		return errors.New("a key that is or was the log's")
	}
	if len(signing) == 0 || !bytes.Equal(keys[signing[len(signing)-1]].public, old) || overlap && len(signing) > 1 {
		return errors.New("not the newest key of the log, or another is being replaced")
	}
	for i := range keys {
		if !overlap && keys[i].until == 0 {
			keys[i].until = index + 1
		}
	}
	k.logKeys = append(keys, logKeyPeriod{public: public, from: index + 1})
	return nil
}

func (k *keyring) retire(index uint64, content map[string]any) error {
	signing := signingAt(k.logKeys, index+1)
	if len(signing) != 2 || content["kid"] != hex.EncodeToString(keyID(k.logKeys[signing[0]].public)) {
		return errors.New("not the older of two keys that sign")
	}
	k.logKeys[signing[0]].until = index + 1
	return nil
}

func signingAt(keys []logKeyPeriod, size uint64) []int {
	var found []int
	for i, key := range keys {
		if key.signs(size) {
			found = append(found, i)
		}
	}
	return found
}

package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"filippo.io/edwards25519"
)

var (
	privateKinds = []string{"event", "master-data", "alert-transition", "recall-step", "telemetry", "read-receipts"}
	keyKinds     = []string{"genesis", "key-registered", "key-rotated", "key-revoked", "log-key", "log-key-retired"}
	publicKinds  = append(slices.Clone(keyKinds), "policy", "contract", "recall-notice", "monitor-report")
)

// statement is one log entry.
type statement struct {
	kind, iss string
	kid       []byte
	iat       int64
	payload   []byte
	signed    []byte // the Sig_structure
	signature []byte
}

// cbor reads deterministic CBOR from front to back; what it does not expect is an error.
type cbor struct {
	data []byte
	bad  bool
}

func (c *cbor) head(major byte) uint64 {
	if c.bad || len(c.data) == 0 || c.data[0]>>5 != major || c.data[0]&31 > 27 {
		c.bad = true
		return 0
	}
	short := uint64(c.data[0] & 31)
	if short < 24 {
		c.data = c.data[1:]
		return short
	}
	width := 1 << (short - 24)
	if len(c.data) < 1+width {
		c.bad = true
		return 0
	}
	value := uint64(0)
	for _, b := range c.data[1 : 1+width] {
		value = value<<8 | uint64(b)
	}
	least := []uint64{24, 1 << 8, 1 << 16, 1 << 32}[short-24] // below it a shorter spelling exists
	if value < least {
		c.bad = true
	}
	c.data = c.data[1+width:]
	return value
}

func (c *cbor) expect(major byte, value uint64) {
	if c.head(major) != value {
		c.bad = true
	}
}

func (c *cbor) string(major byte) []byte {
	length := c.head(major)
	if c.bad || uint64(len(c.data)) < length {
		c.bad = true
		return nil
	}
	value := c.data[:length]
	c.data = c.data[length:]
	return value
}

func byteString(data []byte) []byte {
	n := len(data)
	switch {
	case n < 24:
		return append([]byte{0x40 | byte(n)}, data...)
	case n < 1<<8:
		return append([]byte{0x58, byte(n)}, data...)
	default:
		return append([]byte{0x59, byte(n >> 8), byte(n)}, data...)
	}
}

func parseStatement(data []byte) (statement, error) {
	if len(data) > 65535 {
		return statement{}, errors.New("a statement has at most 65,535 bytes")
	}
	whole := &cbor{data: data}
	whole.expect(6, 18)
	whole.expect(4, 4)
	protected := whole.string(2)
	whole.expect(5, 0)
	payload := whole.string(2)
	signature := whole.string(2)
	if whole.bad || len(whole.data) != 0 || len(signature) != 64 {
		return statement{}, errors.New("not a tagged COSE_Sign1 in deterministic CBOR")
	}
	found, contentType, err := parseHeader(protected)
	if err != nil {
		return statement{}, err
	}
	found.payload, found.signature = payload, signature
	found.signed = slices.Concat([]byte{0x84, 0x6a}, []byte("Signature1"), byteString(protected), []byte{0x40}, byteString(payload))
	switch {
	case slices.Contains(privateKinds, found.kind):
		if contentType != "application/vnd.dosetrail.claims-root" || len(payload) != 32 {
			return statement{}, errors.New("a private statement holds a claims root")
		}
	case slices.Contains(publicKinds, found.kind):
		if contentType != "application/vnd.dosetrail."+found.kind+"+json" {
			return statement{}, errors.New("another content type")
		}
		if _, err := canonicalJSON(payload); err != nil {
			return statement{}, err
		}
	default:
		return statement{}, errors.New("unknown kind")
	}
	return found, nil
}

func parseHeader(protected []byte) (statement, string, error) {
	header := &cbor{data: protected}
	header.expect(5, 4)
	header.expect(0, 1)
	header.expect(1, 7) // -8
	header.expect(0, 3)
	contentType := header.string(3)
	header.expect(0, 4)
	kid := header.string(2)
	header.expect(0, 15)
	header.expect(5, 3)
	header.expect(0, 1)
	iss := header.string(3)
	header.expect(0, 2)
	sub := header.string(3)
	header.expect(0, 6)
	iat := header.head(0)
	kind, ok := strings.CutPrefix(string(sub), "dosetrail:")
	if header.bad || len(header.data) != 0 || len(kid) != 32 || iat > 1<<40 || !ok || !utf8.Valid(contentType) {
		return statement{}, "", errors.New("not the protected header")
	}
	if n := utf8.RuneCount(iss); !utf8.Valid(iss) || n < 1 || n > 256 || strings.ContainsFunc(string(iss), unprintable) {
		return statement{}, "", errors.New("iss is 1 to 256 printable characters")
	}
	return statement{kind: kind, iss: string(iss), kid: kid, iat: int64(iat)}, string(contentType), nil
}

func unprintable(r rune) bool {
	return r != ' ' && !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S)
}

func keyID(public []byte) []byte {
	sum := sha256.Sum256(append([]byte("\xa3\x01\x01\x20\x06\x21\x58\x20"), public...))
	return sum[:]
}

// primeOrder refuses what is not a point of the prime-order group.
func primeOrder(public []byte) error {
	point, err := new(edwards25519.Point).SetBytes(public)
	if err != nil || !bytes.Equal(point.Bytes(), public) {
		return errors.New("not a point")
	}
	identity := edwards25519.NewIdentityPoint()
	// l·P is the identity: (l-1)·P + P, since scalars are taken modulo l.
	minusOne := edwards25519.NewScalar().Negate(one())
	sum := new(edwards25519.Point).Add(new(edwards25519.Point).ScalarMult(minusOne, point), point)
	if point.Equal(identity) == 1 || sum.Equal(identity) != 1 {
		return errors.New("not a point of the prime-order group")
	}
	return nil
}

func one() *edwards25519.Scalar {
	scalar, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		panic(err)
	}
	return scalar
}

func (s statement) verify(public []byte) error {
	if err := primeOrder(public); err != nil {
		return err
	}
	if !bytes.Equal(keyID(public), s.kid) || !ed25519.Verify(public, s.signed, s.signature) {
		return errors.New("the statement's signature does not verify")
	}
	return nil
}

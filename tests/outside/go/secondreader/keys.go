package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
)

var hexKid = regexp.MustCompile(`^[0-9a-f]{64}$`)

// partyKey is all that the log says about a key: from when it must not be believed counts wherever it was said.
type partyKey struct {
	party      string
	public     []byte
	registered uint64
	revoked    *uint64 // the entry that revoked it
	badSince   *int64
}

// keyring is the fold over the entries about keys.
type keyring struct {
	origin, operator string
	root             []byte
	registrars       map[string][]byte // by kid
	logKeys          []logKeyPeriod    // oldest first
	keys             map[string]*partyKey
}

func (k *keyring) add(index uint64, s statement) error {
	value, err := canonicalJSON(s.payload)
	if err != nil {
		return err
	}
	content, ok := value.(map[string]any)
	if !ok {
		return errors.New("the content of an entry about keys is an object")
	}
	if s.kind == "genesis" {
		return k.genesis(index, s, content)
	}
	if aboutLogKeys(s.kind) {
		return k.logKey(index, s, content)
	}
	public, known := k.registrars[string(s.kid)]
	if !known || s.iss != k.operator {
		return errors.New("an entry about keys that no registrar signed")
	}
	if err := s.verify(public); err != nil {
		return err
	}
	switch s.kind {
	case "key-registered":
		return k.register(index, content)
	case "key-revoked":
		return k.withdraw(index, content, "kid", true)
	default:
		// All of it takes effect, or nothing.
		if _, err := k.named(content, "replaces"); err != nil {
			return err
		}
		if _, err := badSince(content); err != nil {
			return err
		}
		if err := k.register(index, content); err != nil {
			return err
		}
		return k.withdraw(index, content, "replaces", false)
	}
}

func (k *keyring) genesis(index uint64, s statement, content map[string]any) error {
	registrars, ok := content["registrars"].([]any)
	if index != 0 || k.registrars != nil || content["format"] != "dosetrail.genesis/1" || !ok {
		return errors.New("not a genesis at entry 0")
	}
	root, err := publicKey(content["root"])
	if err != nil {
		return err
	}
	if err := s.verify(root); err != nil {
		return err
	}
	found := map[string][]byte{}
	for _, item := range registrars {
		public, err := publicKey(item)
		if err != nil {
			return err
		}
		found[string(keyID(public))] = public
	}
	k.root = root
	k.registrars, k.keys, k.operator = found, map[string]*partyKey{}, s.iss
	k.origin, _ = content["origin"].(string)
	return nil
}

func (k *keyring) register(index uint64, content map[string]any) error {
	public, err := publicKey(content["public"])
	if err != nil {
		return err
	}
	party, _ := content["party"].(string)
	kid := keyID(public)
	if party == "" || content["kid"] != hex.EncodeToString(kid) {
		return errors.New("a registration names a party and the key's own id")
	}
	if k.keys[string(kid)] != nil {
		return errors.New("a key is registered once")
	}
	k.keys[string(kid)] = &partyKey{party: party, public: public, registered: index}
	return nil
}

func (k *keyring) withdraw(index uint64, content map[string]any, member string, revoke bool) error {
	key, err := k.named(content, member)
	if err != nil {
		return err
	}
	since, err := badSince(content)
	if err != nil {
		return err
	}
	if revoke && key.revoked == nil {
		key.revoked = &index
	}
	if key.badSince == nil || since < *key.badSince {
		key.badSince = &since
	}
	return nil
}

func (k *keyring) named(content map[string]any, member string) (*partyKey, error) {
	text, _ := content[member].(string)
	if !hexKid.MatchString(text) {
		return nil, errors.New("a key id is 64 hex digits")
	}
	kid, err := hex.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if key := k.keys[string(kid)]; key != nil {
		return key, nil
	}
	return nil, errors.New("an entry about a key that is not registered")
}

// counts says whether a statement at an index is one of the key that it names.
func (k *keyring) counts(index uint64, s statement) (*partyKey, error) {
	key := k.keys[string(s.kid)]
	switch {
	case key == nil || key.registered >= index:
		return nil, errors.New("the key is not registered before the entry")
	case key.party != s.iss:
		return nil, errors.New("the key is another party's")
	case key.revoked != nil && *key.revoked < index:
		return nil, errors.New("the key was revoked before the entry")
	case key.badSince != nil && s.iat*1000 >= *key.badSince:
		return nil, errors.New("the key is not believed at that time")
	}
	return key, nil
}

func publicKey(value any) ([]byte, error) {
	text, _ := value.(string)
	public, err := unbase64(text)
	if err != nil {
		return nil, err
	}
	if len(public) != 32 {
		return nil, errors.New("a public key is 32 bytes")
	}
	return public, primeOrder(public)
}

func badSince(content map[string]any) (int64, error) {
	number, ok := content["badSince"].(json.Number)
	if !ok || !wholeNumber.MatchString(number.String()) {
		return 0, errors.New("badSince is a time in ms")
	}
	value, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || value < 0 || value > maxInteger {
		return 0, errors.New("badSince is a time in ms")
	}
	return value, nil
}

func aboutLogKeys(kind string) bool { return kind == "log-key" || kind == "log-key-retired" }

func aboutKeys(kind string) bool { return slices.Contains(keyKinds, kind) }

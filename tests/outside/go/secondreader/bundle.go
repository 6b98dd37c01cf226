package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

var lists = []string{
	"epcList", "childEPCs", "inputEPCList", "outputEPCList", "quantityList", "childQuantityList", "inputQuantityList",
	"outputQuantityList", "bizTransactionList", "sourceList", "destinationList", "sensorElementList",
}

// CheckBundle refuses a bundle unless rules 1 to 6 of docs/formats.md hold.
func CheckBundle(text []byte, vkey string) error {
	key, err := parseVkey(vkey)
	if err != nil {
		return err
	}
	value, err := strictJSON(text)
	if err != nil {
		return err
	}
	bundle, ok := value.(map[string]any)
	if !ok || bundle["format"] != "dosetrail.evidence/1" {
		return errors.New("not a bundle")
	}
	note, _ := bundle["checkpoint"].(string)
	tree, err := openCheckpoint(note, key)
	if err != nil {
		return err
	}
	if bundle["origin"] != tree.origin {
		return errors.New("another origin")
	}
	keys, err := readKeys(bundle["keys"], tree)
	if err != nil {
		return err
	}
	if value, shown := bundle["logKeys"]; shown {
		if err := readLogKeys(value, tree, keys); err != nil {
			return err
		}
	}
	entries, ok := bundle["entries"].([]any)
	if !ok || len(entries) == 0 {
		return errors.New("no entries")
	}
	seen := map[uint64]bool{}
	for _, item := range entries {
		index, err := checkEntry(item, tree, keys)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if seen[index] {
			return errors.New("an index twice")
		}
		seen[index] = true
	}
	return nil
}

func readKeys(value any, tree tree) (*keyring, error) {
	items, ok := value.([]any)
	if !ok || len(items) == 0 {
		return nil, errors.New("no entries about keys")
	}
	keys := &keyring{}
	for place, item := range items {
		index, s, err := readEntry(item, tree)
		if err != nil {
			return nil, err
		}
		if place > 0 {
			before, _, _ := readEntry(items[place-1], tree)
			if index <= before {
				return nil, errors.New("entries about keys out of order")
			}
		}
		if !aboutKeys(s.kind) || aboutLogKeys(s.kind) || (place == 0) != (s.kind == "genesis") {
			return nil, errors.New("not an entry about keys, or the genesis is not the first")
		}
		if err := keys.add(index, s); err != nil {
			return nil, err
		}
	}
	if keys.origin != tree.origin {
		return nil, errors.New("the genesis of another log")
	}
	return keys, nil
}

func readLogKeys(value any, tree tree, keys *keyring) error {
	items, ok := value.([]any)
	if !ok {
		return errors.New("logKeys is a list")
	}
	var last *uint64
	for _, item := range items {
		index, s, err := readEntry(item, tree)
		if err != nil {
			return err
		}
		if last != nil && index <= *last || !aboutLogKeys(s.kind) {
			return errors.New("entries about log keys out of order, or others among them")
		}
		last = &index
		if err := keys.add(index, s); err != nil {
			return err
		}
	}
	return nil
}

// readEntry is an ENTRY's index and statement, found to be in the tree.
func readEntry(item any, tree tree) (uint64, statement, error) {
	entry, ok := item.(map[string]any)
	if !ok {
		return 0, statement{}, errors.New("an entry is an object")
	}
	index, err := indexOf(entry)
	if err != nil {
		return 0, statement{}, err
	}
	encoded, _ := entry["statement"].(string)
	data, err := unbase64(encoded)
	if err != nil {
		return index, statement{}, err
	}
	path, err := hashes(entry["inclusion"])
	if err != nil {
		return index, statement{}, err
	}
	if err := included(index, tree.size, leafHash(data), path, tree.root); err != nil {
		return index, statement{}, err
	}
	s, err := parseStatement(data)
	return index, s, err
}

func checkEntry(item any, tree tree, keys *keyring) (uint64, error) {
	index, s, err := readEntry(item, tree)
	if err != nil {
		return index, err
	}
	key, err := keys.counts(index, s)
	if err != nil {
		return index, err
	}
	if err := s.verify(key.public); err != nil {
		return index, err
	}
	if !slices.Contains(privateKinds, s.kind) {
		return index, errors.New("an entry without claims")
	}
	claims, ok := item.(map[string]any)["claims"].([]any)
	if !ok {
		return index, errors.New("no claims")
	}
	return index, checkClaims(claims, s)
}

func checkClaims(claims []any, s statement) error {
	shown := map[string]any{}
	places := map[uint64]bool{}
	depth := -1
	for _, item := range claims {
		claim, ok := item.(map[string]any)
		if !ok {
			return errors.New("a claim is an object")
		}
		name, value, place, length, err := provedClaim(claim, s.payload)
		if err != nil {
			return err
		}
		_, known := shown[name]
		if places[place] || depth >= 0 && depth != length || known && !slices.Contains(lists, name) {
			return errors.New("a place or name twice, or paths of different length")
		}
		places[place], depth, shown[name] = true, length, value
	}
	return checkShape(shown, s)
}

func provedClaim(claim map[string]any, root []byte) (string, any, uint64, int, error) {
	place, err := indexOf(claim)
	if err != nil {
		return "", nil, 0, 0, err
	}
	text, _ := claim["claim"].(string)
	value, err := canonicalJSON([]byte(text))
	if err != nil {
		return "", nil, 0, 0, err
	}
	path, err := hashes(claim["path"])
	if err != nil || len(path) > 32 {
		return "", nil, 0, 0, errors.New("not a path")
	}
	parts, _ := value.([]any)
	if len(parts) != 3 {
		return "", nil, 0, 0, errors.New("a claim has three parts")
	}
	_, salted := parts[0].(string)
	name, named := parts[1].(string)
	if !salted || !named {
		return "", nil, 0, 0, errors.New("a claim is salt, name and value")
	}
	err = included(place, 1<<len(path), leafHash([]byte(text)), path, root)
	return name, parts[2], place, len(path), err
}

func checkShape(shown map[string]any, s statement) error {
	members, ok := shown["#members"].([]any)
	if !ok || shown["#party"] != s.iss {
		return errors.New("#members or #party is not shown as it must be")
	}
	if s.kind != "event" {
		return nil
	}
	has := func(name string) bool { _, found := shown[name]; return found }
	switch {
	case !has("type"):
		return errors.New("type is not shown")
	case !has("action") && shown["type"] != "TransformationEvent":
		return errors.New("action is not shown")
	case !has("#day") && !(has("eventTime") && has("eventTimeZoneOffset")):
		return errors.New("neither day nor time is shown")
	case slices.Contains(members, any("bizStep")) && !has("bizStep"):
		return errors.New("bizStep is not shown")
	}
	return nil
}

func indexOf(entry map[string]any) (uint64, error) {
	number, ok := entry["index"].(json.Number)
	if !ok {
		return 0, errors.New("an index is a number")
	}
	return strconv.ParseUint(number.String(), 10, 63)
}

func hashes(value any) ([][]byte, error) {
	items, ok := value.([]any)
	if !ok {
		return nil, errors.New("a path is a list")
	}
	found := make([][]byte, len(items))
	for i, item := range items {
		text, _ := item.(string)
		data, err := unbase64(text)
		if err != nil || len(data) != 32 {
			return nil, errors.New("a hash is 32 bytes")
		}
		found[i] = data
	}
	return found, nil
}

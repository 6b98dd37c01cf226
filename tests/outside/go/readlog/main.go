// Readlog checks a log with nothing but golang.org/x/mod: sumdb/note for the checkpoint's signature, sumdb/tlog for
// tiles, tree hash, inclusion and consistency proofs. Only paths and bundles (https://c2sp.org/tlog-tiles) are its own.
//
//	readlog URL VKEY [OLD-CHECKPOINT ...]
//
// Every entry bundle is hashed and compared with its tile; a proof is made and checked for entries all over the log,
// and a consistency proof from each old checkpoint (files).
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile: 256 hashes

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: readlog URL VKEY [OLD-CHECKPOINT ...]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func run(url, vkey string, olds []string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	signed, err := get(url + "/checkpoint")
	if err != nil {
		return err
	}
	tree, err := open(signed, verifier)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, &tiles{url, map[tlog.Tile][]byte{}})
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles lead to %v, the checkpoint says %v", root, tree.Hash)
	}
	if err := bundles(url, tree, reader); err != nil {
		return err
	}
	proved, err := inclusion(tree, reader)
	if err != nil {
		return err
	}
	for _, path := range olds {
		if err := consistency(path, verifier, tree, reader); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	fmt.Printf("%d entries, %d inclusion proofs, %d consistency proofs\n", tree.N, proved, len(olds))
	return nil
}

// open verifies a checkpoint's note and reads its three lines.
func open(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this origin without extension lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("size %q", lines[1])
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("root %q", lines[2])
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(hash)}, nil
}

// bundles compares the hash of every entry with the one that the tree has in its place.
func bundles(url string, tree tlog.Tree, reader tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += 1 << height {
		width := min(tree.N-first, 1<<height)
		data, err := get(url + "/tile/entries/" + number(first>>height) + partial(int(width)))
		if err != nil {
			return err
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, hash := range hashes {
			if len(data) < 2 || len(data) < 2+(int(data[0])<<8|int(data[1])) {
				return fmt.Errorf("bundle %d is cut short", first>>height)
			}
			end := 2 + (int(data[0])<<8 | int(data[1]))
			if tlog.RecordHash(data[2:end]) != hash {
				return fmt.Errorf("entry %d is not the one in the tree", first+int64(i))
			}
			data = data[end:]
		}
		if len(data) != 0 {
			return fmt.Errorf("bundle %d is too long", first>>height)
		}
	}
	return nil
}

// inclusion makes and checks proofs for the first and last entries, those around tile borders, and some between.
func inclusion(tree tlog.Tree, reader tlog.HashReader) (int, error) {
	chosen := map[int64]bool{}
	for _, near := range []int64{0, 255, 256, 65535, 65536, tree.N / 2, tree.N - 1} {
		for index := near - 1; index <= near+1; index++ {
			if index >= 0 && index < tree.N {
				chosen[index] = true
			}
		}
	}
	for index := int64(0); index < tree.N; index += 1 + tree.N/50 {
		chosen[index] = true
	}
	for index := range chosen {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return 0, err
		}
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return 0, fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return len(chosen), nil
}

// consistency checks that the tree begins with the one of an older checkpoint.
func consistency(path string, verifier note.Verifier, tree tlog.Tree, reader tlog.HashReader) error {
	signed, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	old, err := open(signed, verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// tiles implements tlog.TileReader over C2SP paths. It keeps those above level 0, which are asked for again and again.
type tiles struct {
	url  string
	kept map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return height }

// SaveTiles is called with tiles that were found to belong to the tree.
func (t *tiles) SaveTiles(checked []tlog.Tile, data [][]byte) {
	for i, tile := range checked {
		if tile.L > 0 || tile.W < 1<<height {
			t.kept[tile] = data[i]
		}
	}
}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(wanted))
	for i, tile := range wanted {
		if data, ok := t.kept[tile]; ok {
			found[i] = data
			continue
		}
		path := fmt.Sprintf("%s/tile/%d/%s%s", t.url, tile.L, number(tile.N), partial(tile.W))
		data, err := get(path)
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func number(n int64) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	return text
}

func partial(width int) string {
	if width == 1<<height {
		return ""
	}
	return fmt.Sprintf(".p/%d", width)
}

func get(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, 1<<25))
}

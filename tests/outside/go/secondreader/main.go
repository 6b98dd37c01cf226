// Secondreader checks evidence bundles, checkpoints and statements. It follows docs/formats.md, to show that the page suffices:
// where it had to guess, the page was mended. It shares no code with Dosetrail.
//
//	secondreader < lines     prints "ok" or "no: why" for each line, which is one of
//	                         {"vkey": …, "bundle": base64 of the file}  {"vkey": …, "note": …}
//	                         {"public": hex, "statement": base64}
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if refusal := judge(line); refusal != nil {
				fmt.Fprintln(out, "no:", refusal)
			} else {
				fmt.Fprintln(out, "ok")
			}
		}
		if err == io.EOF {
			return
		}
	}
}

func judge(line []byte) error {
	var asked struct {
		Vkey      string  `json:"vkey"`
		Bundle    *string `json:"bundle"`
		Note      string  `json:"note"`
		Public    string  `json:"public"`
		Statement string  `json:"statement"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return err
	}
	if asked.Bundle != nil {
		text, err := unbase64(*asked.Bundle)
		if err != nil {
			return err
		}
		return CheckBundle(text, asked.Vkey)
	}
	if asked.Vkey != "" {
		key, err := parseVkey(asked.Vkey)
		if err != nil {
			return err
		}
		_, err = openCheckpoint(asked.Note, key)
		return err
	}
	public, err := hex.DecodeString(asked.Public)
	if err != nil {
		return err
	}
	data, err := unbase64(asked.Statement)
	if err != nil {
		return err
	}
	found, err := parseStatement(data)
	if err != nil {
		return err
	}
	return found.verify(public)
}

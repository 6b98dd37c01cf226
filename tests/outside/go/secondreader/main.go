// Secondreader checks evidence bundles. It was written from docs/formats.md alone, to show that the page suffices:
// where it had to guess, the page was mended. It shares no code with Dosetrail.
//
//	secondreader < lines     each line {"vkey": …, "bundle": …}; prints "ok" or "no: why" for each
package main

import (
	"bufio"
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
		Vkey   string          `json:"vkey"`
		Bundle json.RawMessage `json:"bundle"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return err
	}
	return CheckBundle(asked.Bundle, asked.Vkey)
}

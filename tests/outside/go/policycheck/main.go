// Policycheck judges a checkpoint, or an entry's tlog-proof, by a policy, all three as torchwood reads them.
//
//	policycheck POLICY CHECKPOINT
//	policycheck POLICY PROOF ENTRY
package main

import (
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: policycheck POLICY CHECKPOINT | policycheck POLICY PROOF ENTRY")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func run(paths []string) error {
	files := make([][]byte, len(paths))
	for i, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[i] = data
	}
	policy, err := torchwood.ParsePolicy(files[0])
	if err != nil {
		return err
	}
	if len(files) == 3 {
		return torchwood.VerifyProof(policy, tlog.RecordHash(files[2]), files[1])
	}
	checked, _, err := torchwood.VerifyCheckpoint(files[1], policy)
	if err == nil {
		fmt.Printf("%s, %d entries\n", checked.Origin, checked.N)
	}
	return err
}

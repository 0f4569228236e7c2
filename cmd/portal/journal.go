package main

import (
	"context"
	"fmt"
	"os"

	"commissionportal/internal/app"
	"commissionportal/internal/journal"
)

type journalCommand struct {
	Verify journalVerifyCommand `cmd:"" help:"Prove the chain of every commission, every organization and the portal. Changes nothing; ends with 1 if one is broken."`
	Key    journalKeyCommand    `cmd:"" help:"Make the key that signs the heads of the journal, if there is none in the file, and print its public part."`
}

type journalVerifyCommand struct {
	Heads []string `type:"existingfile" help:"Copy of /journal/heads.json that was kept: each end in it has to be in its chain still. May be given several times."`
	Key   string   `type:"existingfile" help:"Public key, in PEM, that the copies have to be signed with. Without it any copy that fits the key in it is taken, and the key is named."`
}

// Run verifies.
func (c journalVerifyCommand) Run(ctx context.Context) error {
	kept, err := c.copies()
	if err != nil {
		return err
	}
	return offline(func(a *app.App) error {
		faults := 0
		report := func(f journal.Fault) {
			faults++
			fmt.Println(f)
		}
		n, err := journal.Verify(ctx, a.DB, report)
		if err != nil {
			return err
		}
		for i, h := range kept {
			before := faults
			if err := journal.CheckHeads(ctx, a.DB, h.List, func(f journal.Fault) {
				f.What += " (" + c.Heads[i] + ", " + h.Day + ")"
				report(f)
			}); err != nil {
				return err
			}
			fmt.Printf("%s: of %s, %d of %d heads stand in their chains; signed with %s\n", c.Heads[i], h.Day, len(h.List)-faults+before, len(h.List), journal.Fingerprint(h.Key))
		}
		if faults > 0 {
			return fmt.Errorf("the journal is not whole: %d faults in %d entries of %d chains", faults, n.Entries, n.Chains)
		}
		fmt.Printf("The journal is whole: %d entries in %d chains.\n", n.Entries, n.Chains)
		return nil
	})
}

// copies reads the heads that were kept, before the database is asked anything.
func (c journalVerifyCommand) copies() ([]journal.Heads, error) {
	var want string
	if c.Key != "" {
		text, err := os.ReadFile(c.Key)
		if err != nil {
			return nil, err
		}
		key, err := journal.ParseKey(text)
		if err != nil {
			return nil, err
		}
		want = journal.Fingerprint(key)
	}
	var list []journal.Heads
	for _, name := range c.Heads {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		h, err := journal.ReadHeads(f)
		_ = f.Close() // it was only read
		if err != nil {
			return nil, fmt.Errorf("%s: %s", name, sentence(err))
		}
		if got := journal.Fingerprint(h.Key); want != "" && got != want {
			return nil, fmt.Errorf("%s is signed with another key: %s, not %s", name, got, want)
		}
		list = append(list, h)
	}
	return list, nil
}

type journalKeyCommand struct {
	File string `arg:"" help:"Where the key is kept: JOURNAL_KEY names it."`
}

// Run makes the key and prints its public part.
func (c journalKeyCommand) Run() error {
	if err := journal.MakeKey(c.File); err != nil {
		return err
	}
	public, err := journal.PublicKey(c.File)
	if err == nil {
		fmt.Print(public)
	}
	return err
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

// TestJournalVerify keeps a copy of the heads, cuts the journal off, and has the
// command say so.
func TestJournalVerify(t *testing.T) {
	key := filepath.Join(t.TempDir(), "new", "key.pem")
	public := printed(t, func() error { return journalKeyCommand{key}.Run() }, nil)
	if again := printed(t, func() error { return journalKeyCommand{key}.Run() }, nil); again != public || !strings.HasPrefix(public, "-----BEGIN PUBLIC KEY-----\n") {
		t.Errorf("the key was made twice, or is none: %s", again)
	}
	if f, err := os.Stat(key); err != nil || f.Mode().Perm() != 0o600 {
		t.Errorf("others can read the key: %v, %v", f, err)
	}
	p := apptest.New(t, func(c *app.Config) { c.JournalKey = key })
	t.Setenv("DATABASE_URL", p.DatabaseURL)
	for range 2 {
		if err := journal.Change(t.Context(), p.DB, access.System("test", access.Portal, "sector", "edit"), func(tx *journal.Tx) error {
			return tx.Record(uuid.New(), journal.Say("x"))
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Notary.Publish(journal.WithNow(t.Context(), p.Now().AddDate(1, 0, 0))); err != nil {
		t.Fatal(err)
	}
	kept, pinned := filepath.Join(t.TempDir(), "heads.json"), filepath.Join(t.TempDir(), "public.pem")
	for name, text := range map[string]string{kept: p.Visitor().Get("/journal/heads.json").Want(200).Body, pinned: public} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := journalVerifyCommand{Heads: []string{kept}, Key: pinned}
	run := func(c journalVerifyCommand) func() error { return func() error { return c.Run(t.Context()) } }
	if said := printed(t, run(verify), nil); !strings.Contains(said, "1 of 1 heads stand in their chains") || !strings.Contains(said, "The journal is whole: 2 entries in 1 chains.") {
		t.Errorf("all is well: %s", said)
	}
	p.Exec(`ALTER TABLE journal_entry DISABLE TRIGGER USER; ALTER TABLE journal_head DISABLE TRIGGER USER; DELETE FROM journal_entry WHERE number = 2;
		UPDATE journal_head h SET number = 1, hash = e.hash FROM journal_entry e WHERE e.scope_id = h.scope_id`)
	printed(t, run(journalVerifyCommand{}), nil) // the chain alone does not show it
	broken := errors.New("the journal is not whole: 1 faults in 1 entries of 1 chains")
	if said := printed(t, run(verify), broken); !strings.Contains(said, "entry 2: missing: it was there when the heads were published") || !strings.Contains(said, "0 of 1 heads") {
		t.Errorf("the end is cut off: %s", said)
	}
	p.Exec(`UPDATE journal_entry SET action = 'close'`)
	if said := printed(t, run(journalVerifyCommand{}), broken); !strings.Contains(said, "portal chain 00000000-0000-0000-0000-000000000000, entry 1: altered") {
		t.Errorf("an entry is altered: %s", said)
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(pinned, []byte(printed(t, func() error { return journalKeyCommand{other}.Run() }, nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := verify.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "is signed with another key") {
		t.Errorf("a copy by another key: %v", err)
	}
}

// printed is what a command prints that ends with that error.
func printed(t *testing.T, command func() error, want error) string {
	t.Helper()
	said, err := output(t, command)
	if (err == nil) != (want == nil) || err != nil && err.Error() != want.Error() {
		t.Errorf("it ends with %v, want %v", err, want)
	}
	return said
}

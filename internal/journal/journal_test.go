package journal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

func system() access.Permit { return access.System("test", access.Portal, "sector", "edit") }

// rename is a change that can be seen.
func rename(ctx context.Context, tx *journal.Tx, name string) error {
	_, err := tx.Exec(ctx, `UPDATE sector SET about = $1 WHERE slug = 'energy'`, name)
	return err
}

func about(p *apptest.Portal) string {
	return apptest.Value[string](p, `SELECT about FROM sector WHERE slug = 'energy'`)
}

func TestChange(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ctx := context.Background()
	before := about(p)
	for _, tt := range []struct {
		name   string
		permit access.Permit
		fn     func(*journal.Tx) error
		ok     bool
	}{
		{"nothing recorded", system(), func(tx *journal.Tx) error { return rename(ctx, tx, "silent") }, false},
		{"refused on the way", system(), func(tx *journal.Tx) error {
			return errors.Join(rename(ctx, tx, "half"), tx.Record(uuid.New(), journal.Say("x")), errors.New("no"))
		}, false},
		{"a permit nobody gave", access.Permit{}, func(tx *journal.Tx) error {
			return errors.Join(rename(ctx, tx, "forged"), tx.Record(uuid.New(), journal.Say("x")))
		}, false},
	} {
		if err := journal.Change(ctx, p.DB, tt.permit, tt.fn); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := about(p); got != before {
			t.Errorf("%s: it was written: %q", tt.name, got)
		}
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM journal_entry`); n != 0 {
		t.Errorf("%d entries of what never happened", n)
	}
}

// TestRightLost takes the right away between question and change.
func TestRightLost(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ctx := context.Background()
	sam := p.Secretariat()
	who, err := p.Policy.ByPerson(ctx, p.DB, sam.ID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	permit, err := p.Policy.Require(ctx, who, access.Portal, "sector", "edit")
	if err != nil {
		t.Fatal(err)
	}
	write := func(tx *journal.Tx) error {
		return errors.Join(rename(ctx, tx, "changed"), tx.Record(uuid.New(), journal.Say("x")))
	}
	if err := journal.Change(ctx, p.DB, permit, write); err != nil {
		t.Fatalf("while the right is there: %v", err)
	}
	p.Exec(`DELETE FROM portal_role WHERE person_id = $1`, sam.ID)
	if err := journal.Change(ctx, p.DB, permit, write); !problem.Of(err, problem.Forbidden) {
		t.Errorf("after it is gone: %v, want Forbidden", err)
	}
}

// TestChain appends from many sides at once, and computes the chain again in Go.
func TestChain(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ctx := context.Background()
	const writers, each = 8, 5
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := journal.Change(ctx, p.DB, system(), func(tx *journal.Tx) error {
					return errors.Join(tx.Record(uuid.New(), journal.Say("Writer %s wrote %s", w, i)),
						tx.RecordAs("sector", "close", uuid.New(), journal.Say("è 中 \"quoted\"").Changed(map[string]int{"a": 1}, nil)))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	type row struct {
		Number   int64     `db:"number"`
		Scope    uuid.UUID `db:"scope_id"`
		At       time.Time `db:"at"`
		Object   string    `db:"object"`
		Action   string    `db:"action"`
		ID       uuid.UUID `db:"object_id"`
		Note     string    `db:"note"`
		Sealed   bool      `db:"sealed"`
		Request  string    `db:"request_id"`
		Previous []byte    `db:"previous"`
		Hash     []byte    `db:"hash"`
	}
	var rows []row
	if err := p.DB.Select(ctx, &rows, `SELECT number, scope_id, at, object, action, object_id, encode(sealed, 'hex') AS note, sealed = sha256(salt || convert_to(note::text, 'UTF8')) AS sealed, request_id, previous, hash FROM journal_entry ORDER BY number`); err != nil {
		t.Fatal(err)
	}
	if len(rows) != writers*each*2 {
		t.Fatalf("%d entries, want %d", len(rows), writers*each*2)
	}
	var previous []byte
	for i, r := range rows {
		text := fmt.Sprintf("%s\x1f%d\x1f%d\x1f\x1f\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s", r.Scope, r.Number, r.At.UnixMicro(), r.Object, r.Action, r.ID, r.Request, r.Note)
		hash := sha256.Sum256(append(bytes.Clone(previous), text...))
		if r.Number != int64(i+1) || !r.Sealed || !bytes.Equal(r.Previous, previous) || !bytes.Equal(r.Hash, hash[:]) {
			t.Fatalf("entry %d does not follow: %+v", i+1, r)
		}
		previous = r.Hash
	}
}

// TestDeadlock makes two changes lock two rows in opposite order: one is tried
// again, and both happen.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ctx := context.Background()
	var ready, wg sync.WaitGroup
	ready.Add(2)
	for _, order := range [][2]string{{"energy", "ai"}, {"ai", "energy"}} {
		wg.Go(func() {
			first := true
			err := journal.Change(ctx, p.DB, system(), func(tx *journal.Tx) error {
				for i, slug := range order {
					if _, err := tx.Exec(ctx, `UPDATE sector SET position = position + 1 WHERE slug = $1`, slug); err != nil {
						return err
					}
					if i == 0 && first {
						first = false
						ready.Done()
						ready.Wait()
					}
				}
				return tx.Record(uuid.New(), journal.Say("moved"))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := apptest.Value[int](p, `SELECT sum(position) FROM sector WHERE slug IN ('energy', 'ai')`); got != 3+4+4 {
		t.Errorf("positions sum to %d, want 11", got)
	}
}

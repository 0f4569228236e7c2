package web_test

import (
	"sync"
	"testing"

	"commissionportal/internal/app/apptest"
)

func proposal(acronym string) map[string]any {
	return map[string]any{"name": "Name of " + acronym, "acronym": acronym, "kind": "commission", "sector": "energy",
		"purpose": "Something that takes twenty characters.", "charter": "Something that takes twenty characters."}
}

// TestOnce sends one request many times at the same moment, and a form twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	var wg sync.WaitGroup
	statuses := make([]int, 12)
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = ada.API("POST", "/commissions", proposal("ONCE"), "Idempotency-Key", "same").Status
		})
	}
	wg.Wait()
	created := 0
	for _, s := range statuses {
		switch s {
		case 201: // the first, or a repetition after it
			created++
		case 409: // while the first was under way
		default:
			t.Errorf("status %d", s)
		}
	}
	if created == 0 {
		t.Errorf("nobody was answered: %v", statuses)
	}
	form := []string{"name", "Sent Twice", "acronym", "TWICE", "kind", "commission", "sector", "energy",
		"purpose", "Something that takes twenty characters.", "charter", "Something that takes twenty characters.", "_key", "k-form"}
	first := ada.Post("/commissions", form...).Want(303)
	if again := ada.Post("/commissions", form...).Want(303); again.Location() != first.Location() {
		t.Errorf("led to %s, then to %s", first.Location(), again.Location())
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM commission`); n != 2 {
		t.Errorf("%d commissions, want 2", n)
	}
	// A refusal is not kept: the corrected form goes through with the same key.
	bad := proposal("FIX")
	bad["purpose"] = "short"
	ada.API("POST", "/commissions", bad, "Idempotency-Key", "fix").Want(422)
	ada.API("POST", "/commissions", proposal("FIX"), "Idempotency-Key", "fix").Want(201)
	// A key is one person's own.
	p.Person("Bob Babbage").API("POST", "/commissions", proposal("OTHER"), "Idempotency-Key", "same").Want(201)
}

// TestLostAnswer repeats a request whose first sender died after the commit and
// before the answer was kept.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	ada.API("POST", "/commissions", proposal("LOST"), "Idempotency-Key", "lost").Want(201)
	p.Exec(`UPDATE idempotency SET state = 'committed', status = NULL, header = NULL, body = NULL`)
	ada.API("POST", "/commissions", proposal("LOST"), "Idempotency-Key", "lost").Want(409, "carried out already")
	p.Exec(`UPDATE idempotency SET state = 'started'`)
	ada.API("POST", "/commissions", proposal("LOST"), "Idempotency-Key", "lost").Want(409, "right now")
	p.Exec(`UPDATE idempotency SET created_at = now() - interval '2 minutes'`)
	ada.API("POST", "/commissions", proposal("LOST"), "Idempotency-Key", "lost").Want(422, "is there already")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	page := p.Visitor().Get("/commissions", "Accept-Encoding", "br").Want(200)
	for name, want := range map[string]string{
		"Content-Encoding": "br", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, no-cache",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if own := p.Person("Ada Lovelace").Get("/commissions").Header.Get("Cache-Control"); own != "private, no-store" {
		t.Errorf("a signed-in page may be cached: %q", own)
	}
}

package app_test

import (
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/postgres"
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
	statuses := make([]int, 20)
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
	ada.API("POST", "/commissions", proposal("ELSE"), "Idempotency-Key", "same").Want(422, "another request")
	// A refusal is not kept: the corrected form goes through with the same key.
	bad := proposal("FIX")
	bad["purpose"] = "short"
	ada.API("POST", "/commissions", bad, "Idempotency-Key", "fix").Want(422)
	ada.API("POST", "/commissions", proposal("FIX"), "Idempotency-Key", "fix").Want(201)
	// A key is one person's own.
	p.Person("Bob Babbage").API("POST", "/commissions", proposal("OTHER"), "Idempotency-Key", "same").Want(201)
}

// TestOnceForVisitors repeats what a mailed link lets its holder do without an
// account; the key is one of that address alone.
func TestOnceForVisitors(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) VALUES ('grid', 'GRID', 'Grid', 'commission', 'active')`)
	p.Exec(`INSERT INTO invitation (commission_id, email, role, hash, invited_by, expires_at)
		SELECT id, s || '@example.org', 'observer', sha256(s::bytea), $1, now() + interval '1 day' FROM commission, unnest(ARRAY['first', 'second']) s`, ada.ID)
	decline := func(token string) apptest.Reply {
		return p.Visitor().API("POST", "/invitations/"+token+"/decline", nil, "Idempotency-Key", "k")
	}
	first := decline("first")
	again := decline("first").Want(first.Status)
	if first.Status >= 300 || again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("answered %d, then %d %v", first.Status, again.Status, again.Header)
	}
	if other := decline("second").Want(first.Status); other.Header.Get("Idempotent-Replayed") != "" {
		t.Error("the key of one link was taken for that of another")
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM invitation WHERE state = 'declined'`); n != 2 {
		t.Errorf("%d invitations are declined, want 2", n)
	}
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
	p.Exec(`UPDATE idempotency SET created_at = now() - interval '11 seconds'`)
	ada.API("POST", "/commissions", proposal("LOST"), "Idempotency-Key", "lost").Want(422, "is there already")
}

// TestOnceLost loses the database while a request is carried out. As soon as it is back a
// repetition is carried out, and not told to wait for the first.
func TestOnceLost(t *testing.T) {
	t.Parallel()
	wire, direct := apptest.NewWire(t), ""
	p := apptest.New(t, func(c *app.Config) {
		direct, c.DatabaseURL = c.DatabaseURL, wire.To(c.DatabaseURL)
	})
	ada := p.Person("Ada Lovelace")
	db, err := postgres.Open(t.Context(), postgres.Config{URL: direct})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	waits := func(n int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			got, err := postgres.One[int](t.Context(), db, nil, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
			if err != nil || time.Now().After(end) {
				t.Fatalf("%d wait, not %d: %v", got, n, err)
			}
			if got == n {
				return
			}
		}
	}
	held, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Exec(t.Context(), `LOCK TABLE journal_head`); err != nil {
		t.Fatal(err)
	}
	answered := make(chan int)
	go func() {
		answered <- ada.API("POST", "/commissions", proposal("LOST"), "Idempotency-Key", "lost").Status
	}()
	waits(1)
	wire.Cut()
	if got := <-answered; got != 503 {
		t.Errorf("without a database: %d", got)
	}
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	waits(0)
	wire.Mend()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got := ada.API("POST", "/commissions", proposal("LOST"), "Idempotency-Key", "lost")
		if got.Status == 201 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is back, and a repetition is answered %d %s", got.Status, got.Body)
		}
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM commission WHERE acronym = 'LOST'`); n != 1 {
		t.Errorf("it was carried out %d times", n)
	}
}

// TestOnceTakenOver: a request that is carried out says so and keeps its key; one that has
// not said so for a while is taken over, and can then commit nothing.
func TestOnceTakenOver(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	held, err := p.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Exec(t.Context(), `LOCK TABLE journal_head`); err != nil {
		t.Fatal(err)
	}
	send := func() chan apptest.Reply {
		answered := make(chan apptest.Reply, 1)
		go func() { answered <- ada.API("POST", "/commissions", proposal("TAKEN"), "Idempotency-Key", "taken") }()
		return answered
	}
	until := func(query string, want int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); apptest.Value[int](p, query) != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s is not %d", query, want)
			}
		}
	}
	const waiting = `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	first := send()
	until(waiting, 1)
	p.Exec(`UPDATE idempotency SET created_at = now() - interval '9 seconds'`)
	until(`SELECT count(*)::int FROM idempotency WHERE created_at > now() - interval '5 seconds'`, 1)
	(<-send()).Want(409, "right now")
	p.Exec(`UPDATE idempotency SET created_at = now() - interval '11 seconds'`)
	again := send()
	until(waiting, 2)
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	(<-first).Want(409, "sent again meanwhile")
	location := (<-again).Want(201).Header.Get("Location")
	if replayed := (<-send()).Want(201).Header.Get("Location"); replayed != location {
		t.Errorf("led to %s, then to %s", location, replayed)
	}
	if n := apptest.Value[int](p, `SELECT count(*)::int FROM commission WHERE acronym = 'TAKEN'`); n != 1 {
		t.Errorf("it was carried out %d times", n)
	}
}

// TestOncePanics: a request that has panicked lives no longer, and its key is not held by it.
func TestOncePanics(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.Web.App.Post("/api/v1/panics", func(*fiber.Ctx) error { panic("on purpose") })
	p.Person("Ada Lovelace").API("POST", "/panics", nil, "Idempotency-Key", "k").Want(500)
	p.Exec(`UPDATE idempotency SET created_at = now() - interval '1 hour'`)
	time.Sleep(4 * time.Second) // it would have said by now that it lives
	if n := apptest.Value[int](p, `SELECT count(*)::int FROM idempotency WHERE created_at > now() - interval '1 minute'`); n != 0 {
		t.Error("it is still carried out")
	}
}

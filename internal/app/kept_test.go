package app_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// eventually waits for what is to be right a moment after a change, and no later than
// a second.
func eventually(t *testing.T, what string, right func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Second); !right(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%s: still not so after a second", what)
			return
		}
	}
}

// TestKept looks at pages that visitors are shown again: they are made once, until
// something changes, on whatever server; and nobody else is shown them.
func TestKept(t *testing.T) {
	t.Parallel()
	keep := func(c *app.Config) { c.PublicAge = 300 * time.Millisecond }
	p := apptest.New(t, keep)
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id) SELECT 'grid', 'GRID', 'Grid Storage', 'commission', 'active', id FROM sector WHERE slug = 'energy'`)
	sam, visitor := p.Secretariat(), p.Visitor()
	const path = "/commissions/grid"
	shows := func(words string) func() bool {
		return func() bool { return strings.Contains(visitor.Get(path).Want(200).Body, words) }
	}
	first := visitor.Get(path, "Accept-Encoding", "br").Want(200)
	if first.Header.Get("Content-Encoding") != "br" {
		t.Error("it is not compressed")
	}
	if n := p.Queries(func() {
		again := visitor.Get(path, "Accept-Encoding", "br").Want(200)
		for _, name := range []string{"ETag", "Vary", "Cache-Control", "Content-Type", "Content-Encoding", "Content-Security-Policy"} {
			if again.Header.Get(name) != first.Header.Get(name) {
				t.Errorf("%s is %q, was %q", name, again.Header.Get(name), first.Header.Get(name))
			}
		}
		if again.Body != first.Body {
			t.Error("it is not the same")
		}
		if again.Header.Get("X-Request-Id") == first.Header.Get("X-Request-Id") {
			t.Error("two requests have one id")
		}
		visitor.Get(path, "Accept-Encoding", "br", "If-None-Match", first.Header.Get("ETag")).Want(304)
	}); n != 0 {
		t.Errorf("shown again, it costs %d statements", n)
	}
	time.Sleep(400 * time.Millisecond)
	if n := p.Queries(func() { visitor.Get(path, "Accept-Encoding", "br").Want(200) }); n > 4 {
		t.Errorf("looked at again, it costs %d statements", n)
	}
	// Each has what is theirs.
	visitor.Get(path).Want(200, "Grid Storage", "Sign in")
	visitor.Get(path, "Accept-Language", "de").Want(200)
	visitor.Get(path, "HX-Request", "true").Want(200)
	sam.Get(path).Want(200, "Sam Secretariat")
	visitor.Get(path).Want(200, "Sign in").Lacks("Sam Secretariat")
	visitor.Get(path, "Cookie", "theme=dark").Want(200, `data-bs-theme="dark"`)
	visitor.Get(path).Want(200).Lacks(`data-bs-theme="dark"`)
	visitor.Get("/commissions/new").Want(303)
	visitor.Get("/commissions/none").Want(404)

	visitor.Get(path)
	// Whoever changes something: here it is nobody that the portal knows of.
	p.Exec(`UPDATE commission SET name = 'Storage in Grids', version = version + 1`)
	eventually(t, "a change", shows("Storage in Grids"))

	// One that is made while a change is under way does not outlive it.
	tx, err := p.DB.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing once it is committed
	if _, err := tx.ExecContext(context.Background(), `UPDATE commission SET name = 'Grids and Storage'`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(350 * time.Millisecond)
	visitor.Get(path).Want(200, "Storage in Grids")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a change that was under way", shows("Grids and Storage"))

	// However many ask for a page that is not there yet, it is made once.
	if n := p.Queries(func() {
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() { p.Visitor().Get(path + "/milestones").Want(200) })
		}
		all.Wait()
	}); n > 6 {
		t.Errorf("forty visitors at once cost %d statements", n)
	}

	// What is no longer for visitors goes like any other change.
	max := p.Person("Max Member")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 day', NULL), c.id, $1, $2, 'observer', 'chair' FROM commission c`, max.ID, max.Name)
	visitor.Get(path+"/roster").Want(200, "Max Member")
	visitor.Get(path + "/roster").Want(200)
	p.Exec(`UPDATE commission SET roster_visibility = 'commission'`)
	eventually(t, "a roster that is closed", func() bool { return !strings.Contains(visitor.Get(path+"/roster").Body, "Max Member") })
}

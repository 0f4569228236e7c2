package app_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
	keeping "commissionportal/internal/kept"
	"commissionportal/internal/postgres"
)

// TestKeptCount has each table that a visitor's page is made of count its changes, and each
// number that is kept say which tables it is made of, or they would go on being shown after
// a change.
func TestKeptCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.Exec(`WITH p AS (INSERT INTO person (email, name) SELECT 'many' || i || '@example.org', 'Many ' || i FROM generate_series(1, 201) i RETURNING id, name)
		INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now() - interval '1 day', NULL), c.id, p.id, p.name, 'observer', 'secretariat'
		FROM p, commission c WHERE c.slug = 'grid-storage'`) // a large commission, whose membership is kept
	visitor := w.Visitor()
	counted := apptest.Value[pq.StringArray](w.Portal, `SELECT array_agg(DISTINCT event_object_table::text) FROM information_schema.triggers WHERE trigger_name = 'count_change'`)
	numbers := 0
	for _, r := range w.Web.Routes() {
		if !r.Kept {
			continue
		}
		counter := postgres.Counter{Of: journal.InRequest} // jobs run when they like
		w.DB.CountInto(&counter)
		visitor.Get(w.path(t, r)).Want(200)
		w.DB.CountInto(nil)
		for _, s := range counter.Statements() {
			madeOf := keeping.MadeOf(s.Context)
			for _, table := range reads(t, w.Portal, s) {
				if !slices.Contains(counted, table) && uncounted[table] == "" {
					t.Errorf("%s reads %s, which does not count its changes", r.Path, table)
				}
				if madeOf != nil && table != "change_count" && !slices.Contains(madeOf, table) {
					t.Errorf("%s keeps what is made of %s, and says %v", r.Path, table, madeOf)
				}
			}
			if madeOf != nil {
				numbers++
			}
		}
	}
	if numbers < 6 {
		t.Errorf("%d statements were for what is kept", numbers)
	}
}

// uncounted are tables that a visitor's page is asked of, and why nothing of them is shown.
var uncounted = map[string]string{
	"application":  "whether the person who asks has applied",
	"change_count": "what is asked is whether there are more",
}

// reads are the tables that a statement reads.
func reads(t *testing.T, p *apptest.Portal, s postgres.Statement) (tables []string) {
	t.Helper()
	var plan string
	if err := p.DB.DB.Get(&plan, "EXPLAIN (FORMAT JSON) "+s.Query, s.Args...); err != nil {
		t.Fatalf("%v: %s", err, s.Query)
	}
	for _, found := range regexp.MustCompile(`"Relation Name": "([^"]+)"`).FindAllStringSubmatch(plan, -1) {
		tables = append(tables, found[1])
	}
	return tables
}

// TestKept looks at pages that visitors are shown again: they are made once, until
// something changes, on whatever server; and nobody else is shown them. The portal's clock
// stands still, and is put on by hand: how long a step takes is not what is looked at.
func TestKept(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, func(c *app.Config) { c.PublicAge = 300 * time.Millisecond })
	p.At(p.Now())
	later := func(d time.Duration) { p.At(p.Now().Add(d)) }
	inTime := func(what string, right func() bool) {
		t.Helper()
		if later(time.Second); !right() {
			t.Errorf("%s: still not so after a second", what)
		}
	}
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
	later(400 * time.Millisecond)
	if n := p.Queries(func() { visitor.Get(path, "Accept-Encoding", "br").Want(200) }); n != 1 {
		t.Errorf("looked at again, it costs %d statements", n)
	}
	// What visitors are shown nothing of changes nothing for them; nor does the sweep.
	p.Exec(`INSERT INTO application (commission_id, person_id, role) SELECT id, $1, 'invited_expert' FROM commission`, sam.ID)
	if err := postgres.SweepChanges(p.DB.DB.DB)(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM change_count WHERE backend <> 0`); n != 0 {
		t.Errorf("%d connections are not swept", n)
	}
	later(400 * time.Millisecond)
	if n := p.Queries(func() { visitor.Get(path, "Accept-Encoding", "br").Want(200) }); n != 1 {
		t.Errorf("after an application, it costs %d statements", n)
	}
	// Half a minute old, it is made anew by one; until then it is shown as long as it is right.
	later(31 * time.Second)
	visitor.Get(path, "Accept-Encoding", "br").Want(200)
	later(29800 * time.Millisecond)
	visitor.Get(path, "Accept-Encoding", "br").Want(200)
	later(250 * time.Millisecond)
	if n := p.Queries(func() { visitor.Get(path, "Accept-Encoding", "br").Want(200) }); n != 0 {
		t.Errorf("half a minute old and just found to be right, it costs %d statements", n)
	}
	later(250 * time.Millisecond)
	if n := p.Queries(func() { visitor.Get(path, "Accept-Encoding", "br").Want(200) }); n < 2 {
		t.Errorf("older than half a minute, it costs %d statements", n)
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
	inTime("a change", shows("Storage in Grids"))

	// One that is made while a change is under way does not outlive it.
	tx, err := p.DB.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing once it is committed
	if _, err := tx.ExecContext(context.Background(), `UPDATE commission SET name = 'Grids and Storage'`); err != nil {
		t.Fatal(err)
	}
	later(350 * time.Millisecond)
	visitor.Get(path).Want(200, "Storage in Grids")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	inTime("a change that was under way", shows("Grids and Storage"))

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

	// Nor is it made by each if it takes long to find out that it is still right.
	later(700 * time.Millisecond)
	tx, err = p.DB.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(context.Background(), `LOCK TABLE change_count`); err != nil {
		t.Fatal(err)
	}
	if n := p.Queries(func() {
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { p.Visitor().Get(path + "/milestones").Want(200) })
		}
		time.Sleep(700 * time.Millisecond)
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
		all.Wait()
	}); n != 1 {
		t.Errorf("ten visitors who waited cost %d statements", n)
	}

	// A page that was made anew while a number on it was not yet is not kept for that.
	number := regexp.MustCompile(`(?s)Energy.*?Tourism`)
	sectors := func() string { return number.FindString(visitor.Get("/sectors").Want(200).Body) }
	before := sectors()
	later(350 * time.Millisecond) // the page is looked at by now, and numbers are not
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id) SELECT 'wind', 'WIND', 'Wind', 'commission', 'active', sector_id FROM commission`)
	sectors()
	// Unless it was dear: then it has its price, but the page is not what keeps it.
	for range 20 {
		if later(time.Second); sectors() != before {
			break
		}
	}
	if sectors() == before {
		t.Error("a number is still shown as it was")
	}

	// What is no longer for visitors goes like any other change.
	max := p.Person("Max Member")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 day', NULL), c.id, $1, $2, 'observer', 'chair' FROM commission c`, max.ID, max.Name)
	visitor.Get(path+"/roster").Want(200, "Max Member")
	visitor.Get(path + "/roster").Want(200)
	p.Exec(`UPDATE commission SET roster_visibility = 'commission'`)
	inTime("a roster that is closed", func() bool { return !strings.Contains(visitor.Get(path+"/roster").Body, "Max Member") })
}

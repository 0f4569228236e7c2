package commissionweb_test

import (
	"fmt"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// Each page costs so many statements at most. A signed-in reader's session is
// one of them.
func TestCost(t *testing.T) {
	w := newWorld(t)
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id) SELECT 'c' || i, 'C' || i, 'Commission ' || i, 'commission', 'active', (SELECT id FROM sector WHERE slug = 'energy') FROM generate_series(1, 120) i`)
	w.Exec(`INSERT INTO milestone (commission_id, title, due_on) SELECT $1, 'Report ' || i, '2027-01-01' FROM generate_series(1, 50) i`, w.id)
	w.organization("Acme", "acme", "DE", w.ada)
	m := apptest.Value[string](w.Portal, `SELECT id FROM milestone LIMIT 1`)
	visitor := w.Visitor()
	const page, api = "/commissions/grid-storage", "/api/v1/commissions/grid-storage"
	w.At(w.Now()) // what is counted now stays right
	visitor.Get("/sectors")
	visitor.Get("/sectors/energy")
	for _, tt := range []struct {
		who  *apptest.Client
		path string
		most int
	}{
		{visitor, "/commissions", 2}, {visitor, "/commissions?q=comm&sector=energy&state=active", 2}, {w.ada, "/commissions", 3}, {visitor, "/sectors", 1}, {visitor, "/sectors/energy", 2},
		{visitor, "/commissions/options?parent=c", 1}, {w.ada, "/commissions/new", 3},
		{visitor, page, 2}, {w.ada, page, 4}, {w.ada, page + "/call", 3}, {w.ada, page + "/settings", 3}, {w.ada, page + "/history", 3},
		{visitor, page + "/supporters", 2}, {visitor, page + "/charter", 2}, {visitor, page + "/charter/revisions", 2}, {visitor, page + "/charter/revisions/1", 4},
		{visitor, page + "/charter/diff?from=1&to=1", 3}, {w.ada, page + "/charter/edit", 3}, {visitor, page + "/milestones", 2}, {w.ada, page + "/milestones/" + m, 3},
		{w.staff, "/settings/founding", 2},
		{visitor, "/api/v1/commissions", 1}, {visitor, api, 1}, {visitor, api + "/about", 2}, {visitor, api + "/charter", 2}, {visitor, api + "/charter/revisions", 2}, {visitor, api + "/milestones", 2},
		{visitor, api + "/supporters", 2}, {w.ada, api + "/history", 3}, {visitor, "/api/v1/sectors", 1}, {visitor, "/api/v1/sectors/energy", 2},
	} {
		n := w.Queries(func() { tt.who.Get(tt.path).Want(200) })
		if n > tt.most {
			t.Errorf("%s costs %d statements, want at most %d", tt.path, n, tt.most)
		}
	}
}

func TestListPages(t *testing.T) {
	w := newWorld(t)
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) SELECT 'c' || i, 'C' || i, 'Commission ' || lpad(i::text, 3, '0'), 'commission', 'active' FROM generate_series(1, 75) i`)
	visitor := w.Visitor()
	type list struct {
		Items []struct{ Slug string }
		Next  string
	}
	seen, cursor := map[string]bool{}, ""
	for range 20 {
		page := apptest.JSON[list](visitor.API("GET", fmt.Sprintf("/commissions?limit=10&cursor=%s", cursor), nil).Want(200))
		for _, c := range page.Items {
			if seen[c.Slug] {
				t.Errorf("%s comes twice", c.Slug)
			}
			seen[c.Slug] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 76 {
		t.Errorf("%d commissions, want 76", len(seen))
	}
	visitor.Get("/commissions?sector=energy&kind=commission").Want(200, "Grid Storage", "Remove this filter").Lacks("Commission 001")
	for _, path := range []string{"/commissions?kind=nonsense", "/commissions?state=%00"} {
		visitor.Get(path).Lacks("Something went wrong")
	}
}

// TestLargeMembership: up to 200 seats are counted each time, more for all who look in the
// same moment; and one who looks a second after a change sees it.
func TestLargeMembership(t *testing.T) {
	w := newWorld(t)
	w.At(w.Now())
	w.found()
	acme := w.organization("Acme", "acme", "DE", w.staff)
	w.Exec(`INSERT INTO participation (organization_id, commission_id, level, period) VALUES ($1, $2, 'P', tstzrange(now() - interval '1 day', NULL))`, acme, w.id)
	sit := func(from, to int) {
		t.Helper()
		w.Exec(`WITH p AS (INSERT INTO person (email, name) SELECT 'p' || i || '@example.org', 'Person ' || i FROM generate_series($2::int, $3) i RETURNING id, name)
			INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now() - interval '1 day', NULL), $1, id, name, 'observer', 'secretariat' FROM p`, w.id, from, to)
	}
	type about struct {
		Seats         int
		Levels, Kinds map[string]int
		Countries     map[string]int
		Organizations []struct{ Name string }
		Growth        []struct{ N int }
	}
	looks := func(seats int, statements int) {
		t.Helper()
		var a about
		if n := w.Queries(func() {
			a = apptest.JSON[about](w.Visitor().API("GET", "/commissions/grid-storage/about", nil).Want(200))
		}); n != statements {
			t.Errorf("%d statements, want %d", n, statements)
		}
		if a.Seats != seats || len(a.Growth) == 0 || a.Growth[len(a.Growth)-1].N != seats || a.Levels["P"] != 1 || a.Kinds["company"] != 1 || a.Countries["DE"] != 1 || len(a.Organizations) != 1 {
			t.Errorf("%+v, want %d seats of Acme, a company of Germany", a, seats)
		}
	}
	have := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE commission_id = $1`, w.id)
	sit(have+1, 199)
	looks(199, 2)
	sit(200, 200)
	looks(200, 2)
	sit(201, 201)
	looks(201, 4) // whether something changed, and what it is
	looks(201, 2)
	sit(202, 202)
	looks(201, 2) // in the same moment
	w.At(w.Now().Add(time.Second))
	looks(202, 4)
}

package commissionweb_test

import (
	"fmt"
	"testing"

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

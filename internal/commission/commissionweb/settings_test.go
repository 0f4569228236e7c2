package commissionweb_test

import (
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/commission"
)

func TestSettings(t *testing.T) {
	w := newWorld(t)
	const page = "/commissions/grid-storage"
	ben, visitor := w.Person("Ben Bell"), w.Visitor()
	ben.Get(page + "/settings").Want(403)
	visitor.Get(page + "/settings").Want(303)
	version := hidden(w.ada.Get(page+"/settings").Want(200, `value="Grid Storage"`).Lacks(`name="parent"`), "version")
	form := func(pairs ...string) []string {
		return append([]string{"version", version, "name", "Grid Storage", "acronym", "GRID", "purpose", draft["purpose"].(string), "sector", "energy", "join_mode", "application", "roster_visibility", "public"}, pairs...)
	}
	w.ada.Post(page+"/settings", form("term_months", "x", "seats_per_organization", "0")...).Want(422, "Give a whole number from 1 to 240.", "Give a whole number from 1 to 1,000.", `value="x"`)
	w.ada.Post(page+"/settings", append(form(), "name", "")...).Want(303) // the first value counts
	version = hidden(w.ada.Get(page+"/settings"), "version")
	renamed := form("term_months", "24", "seats_per_organization", "2")
	renamed[3] = "Storage at Sea"
	w.ada.Post(page+"/settings", renamed...).Want(303)
	w.ada.Post("/commissions/storage-at-sea/settings", renamed...).Want(412, "Somebody changed these settings meanwhile")

	if r := visitor.Get(page + "/charter?x=1").Want(308); r.Location() != "/commissions/storage-at-sea/charter?x=1" {
		t.Errorf("the old address leads to %s", r.Location())
	}
	if r := visitor.API("GET", page, nil).Want(308); r.Location() != "/api/v1/commissions/storage-at-sea" {
		t.Errorf("the old address leads to %s", r.Location())
	}
	c := apptest.JSON[commission.Commission](visitor.API("GET", "/commissions/storage-at-sea", nil).Want(200))
	if c.TermMonths == nil || *c.TermMonths != 24 || c.SeatsPerOrganization == nil || *c.SeatsPerOrganization != 2 {
		t.Errorf("got %+v", c)
	}
	// Whoever takes the old name takes the address.
	again := map[string]any{}
	for k, v := range draft {
		again[k] = v
	}
	again["acronym"] = "GRID2"
	ben.API("POST", "/commissions", again).Want(201, `"slug":"grid-storage"`)
	visitor.Get(page).Want(200, "GRID2")
}

func TestSettingsAPI(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/grid-storage"
	ben := w.Person("Ben Bell")
	edit := func(who *apptest.Client, etag string, body map[string]any) apptest.Reply {
		return who.API("PATCH", path, body, "If-Match", etag)
	}
	w.ada.API("PATCH", path, map[string]any{"join_mode": "open"}).Want(428)
	edit(ben, `"v1"`, map[string]any{"join_mode": "open"}).Want(403)
	edit(w.ada, `"v1"`, map[string]any{"join_mode": "nonsense"}).Want(422, `"join_mode"`)
	edit(w.ada, `"v1"`, map[string]any{"term_months": 241, "seats_per_organization": -1, "acronym": "no good", "purpose": "short", "name": "New"}).
		Want(422, `"term_months"`, `"seats_per_organization"`, `"acronym"`, `"purpose"`, `"name"`)
	edit(w.ada, `"v1"`, map[string]any{"sector": "nowhere"}).Want(422, `"sector"`)
	edit(w.ada, `"v1"`, map[string]any{"join_mode": "open", "term_months": 12}).Want(200, `"join_mode":"open"`, `"term_months":12`, `"version":2`)
	edit(w.ada, `"v1"`, map[string]any{"join_mode": "closed"}).Want(412)
	edit(w.ada, `"v2"`, map[string]any{"term_months": 0}).Want(200).Lacks(`"term_months"`)
	w.Exec(`UPDATE sector SET closed = true WHERE slug IN ('energy', 'finance')`)
	edit(w.ada, `"v3"`, map[string]any{"sector": "finance"}).Want(422, `"sector":"Choose a sector that is open."`)
	edit(w.ada, `"v3"`, map[string]any{"sector": "energy", "purpose": "It may stay in the sector that was closed."}).Want(200)
	edit(w.ada, `"v4"`, map[string]any{"purpose": strings.Repeat("x", 2001)}).Want(422, `"purpose"`)
	w.state("abandoned")
	edit(w.staff, `"v4"`, map[string]any{"join_mode": "closed"}).Want(409, "nothing of it can be changed")
	w.staff.API("GET", path+"/history", nil).Want(200, "Changed the settings of Grid Storage", `"join_mode":"open"`)
}

func TestMove(t *testing.T) {
	w := newWorld(t)
	propose := func(name, acronym, kind, parent string) apptest.Reply {
		return w.ada.API("POST", "/commissions", map[string]any{"name": name, "acronym": acronym, "kind": kind, "parent": parent, "sector": "energy",
			"purpose": "Batteries in public grids.", "charter": "Batteries in public grids, their safety and their cost."})
	}
	propose("Sea", "SEA", "commission", "grid-storage").Want(422, `"parent":"A commission sits under no other.`)
	propose("Sea", "SEA", "subcommission", "").Want(422, `"parent":"Choose the commission`)
	propose("Sea", "SEA", "subcommission", "nothing").Want(422, `"parent":"No commission is called nothing.`)
	propose("Sea", "SEA", "subcommission", "grid").Want(201, `"parent":"grid-storage"`) // its acronym
	propose("Waves", "WAVES", "working_group", "Sea (SEA)").Want(201, `"parent":"sea"`) // as suggested
	propose("Task", "TASK", "task_force", "waves").Want(201)
	propose("Deeper", "DEEP", "working_group", "task").Want(422, `"parent":"It cannot sit under a body of that kind."`)

	move := func(who *apptest.Client, parent, version string) apptest.Reply {
		return who.API("PATCH", "/commissions/waves", map[string]any{"parent": parent}, "If-Match", version)
	}
	move(w.ada, "sea", `"v1"`).Want(200)          // where it is
	move(w.ada, "grid-storage", `"v2"`).Want(403) // the secretariat's
	w.ada.Get("/commissions/waves/settings").Want(200).Lacks(`name="parent"`)
	move(w.staff, "task", `"v2"`).Want(422, `"parent"`)
	move(w.staff, "grid-storage", `"v2"`).Want(200, `"parent":"grid-storage"`)
	move(w.staff, "", `"v3"`).Want(200).Lacks(`"parent"`)
	w.Exec(`UPDATE commission SET state = 'concluded' WHERE slug = 'sea'`)
	move(w.staff, "sea", `"v4"`).Want(422, "That commission has ended.")
	w.staff.Get("/commissions/waves/settings").Want(200, `name="parent"`, `<datalist id="places">`, "Grid Storage (GRID)").Lacks("Sea (SEA)")
	w.Visitor().Get("/commissions/options?parent=gri").Want(200, `value="Grid Storage (GRID)"`).Lacks("<html")
	w.Visitor().API("GET", "/commissions?parent=waves", nil).Want(200, `"slug":"task"`).Lacks(`"slug":"waves"`)
}

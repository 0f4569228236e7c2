package organizationweb_test

import (
	"sync"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

func TestSuspend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const page = "/organizations/nordwind"
	w.participate(w.nord, w.grid, "P", "1 year")
	w.sit(w.grid, w.rita, "voting_representative", &w.nord)
	w.rita.Get(page + "/suspend").Want(403)
	w.Person("Bob").Get(page + "/leave").Want(403)
	w.sam.Get(page+"/suspend").Want(200, "Its place in Commission GRID (Participating)", "1 seat in Commission GRID")
	w.sam.Post(page+"/suspend", "reason", "").Want(422, "Fill this in")
	w.sam.Post(page+"/suspend", "reason", "Fees are not paid.").Want(303)
	w.sam.Post(page+"/suspend", "reason", "Again.").Want(409, "suspended")
	for what, query := range map[string]string{
		"participations": `SELECT count(*) FROM participation WHERE upper(period) IS NULL`,
		"seats":          `SELECT count(*) FROM seat WHERE organization_id IS NOT NULL AND period @> now()`,
	} {
		if n := apptest.Value[int](w.Portal, query); n != 0 {
			t.Errorf("%d %s are left", n, what)
		}
	}
	w.Visitor().Get(page).Want(200, "is suspended since").Lacks("Fees are not paid")
	w.Visitor().Get("/organizations").Want(200).Lacks("Nordwind")
	w.rita.Get(page + "/edit").Want(403)
	w.rita.Post("/commissions/grid-storage/participation-requests", "organization", "nordwind", "level", "P").Want(409, "This organization is suspended.")
	w.chair.API("PUT", "/commissions/grid-storage/participations/nordwind", map[string]any{"level": "P"}).Want(409, "This organization is suspended.")
	w.Person("Ada").Post(page+"/affiliations", "title", "").Want(409, "suspended")
	if n := w.mails("organization.suspended"); n != 1 {
		t.Errorf("%d letters, want 1", n)
	}
	if told := apptest.Value[string](w.Portal, `SELECT string_agg(person_id || ' ' || (text LIKE '%Fees%'), ',') FROM mail WHERE kind = 'participation.lost'`); told != w.chair.ID.String()+" false" {
		t.Errorf("of the commission's officers heard, with the reason or without: %q", told)
	}
	w.chair.API("GET", "/commissions/grid-storage/participations?as_of="+time.Now().AddDate(0, 0, -1).Format(time.DateOnly), nil).Want(200, "Nordwind AG")
	w.chair.API("GET", "/commissions/grid-storage/participations", nil).Want(200, `"items":[]`)
	w.sam.Get(page+"/reinstate").Want(200, "Reinstate Nordwind AG?")
	w.sam.API("POST", page+"/reinstate", nil).Want(200, `"state":"member"`)
	w.sam.API("POST", page+"/reinstate", nil).Want(409)
	w.rita.Get(page+"/leave").Want(200, "Does Nordwind AG leave the convention?")
	w.rita.Post(page+"/leave", "reason", "Moved on.").Want(303)
	w.Visitor().Get(page).Want(200, "left the convention on")
	w.sam.Get(page+"/history").Want(200, "Suspended Nordwind AG: Fees are not paid.", "Reinstated Nordwind AG", "Nordwind AG left the convention", "Nordwind AG no longer takes part in Commission GRID")
	w.sam.API("GET", page+"/history?limit=2", nil).Want(200, `"next":`, "left the convention")
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.Person("Ada Lovelace")
	ada.API("POST", "/organizations", map[string]any{"name": "Solar Works", "kind": "association"}).Want(201)
	ada.Get("/organizations/solar-works/leave").Want(200, "Withdraw the registration of Solar Works?")
	ada.API("POST", "/organizations/solar-works/leave", map[string]any{}).Want(200, `"state":"declined"`)
	w.Visitor().Get("/organizations/solar-works").Want(404)
}

// TestSuspendWhilePlaced suspends an organization while its participation is
// being set: never is it suspended and takes part.
func TestSuspendWhilePlaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 6 {
		var wg sync.WaitGroup
		wg.Go(func() {
			w.chair.API("PUT", "/commissions/grid-storage/participations/nordwind", map[string]any{"level": "P"})
		})
		wg.Go(func() { w.sam.API("POST", "/organizations/nordwind/suspend", map[string]any{"reason": "Test."}) })
		wg.Wait()
		if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM participation t JOIN organization o ON o.id = t.organization_id WHERE o.state <> 'member' AND t.period @> now()`); n != 0 {
			t.Fatal("it is suspended and takes part")
		}
		w.sam.API("POST", "/organizations/nordwind/reinstate", nil).Want(200)
		w.chair.API("DELETE", "/commissions/grid-storage/participations/nordwind", nil)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twin := w.member("nordwind-gmbh", "Nordwind GmbH", "nordwind.com")
	tina := w.Person("Tina Twin")
	w.affiliate(tina, twin, true)
	w.affiliate(w.rita, twin, false)
	both := w.commission("both", "BOTH", "open")
	w.participate(w.nord, both, "O", "1 year")
	w.participate(twin, both, "P", "2 years")
	w.participate(twin, w.grid, "L", "3 years")
	w.sit(w.grid, tina, "liaison_officer", &twin)
	const page = "/organizations/nordwind-gmbh"
	w.rita.Get(page + "/merge").Want(403)
	w.sam.Get(page+"/merge").Want(200, "Nordwind AG", "Merge into this one")
	w.sam.Get(page+"/merge?into=nowhere").Want(422, "There is no such organization")
	w.sam.Get(page+"/merge?into=nordwind-gmbh").Want(422, "Choose another organization")
	w.sam.Get(page+"/merge?into=nordwind").Want(200, "2 people who act for it", "1 of them as its primary representative", "2 participations", "1 seat")
	w.sam.API("POST", page+"/merge", map[string]any{"into": "nordwind-gmbh"}).Want(422, `"into"`)
	w.sam.Post(page+"/merge", "into", "nordwind").Want(303)
	w.sam.API("POST", page+"/merge", map[string]any{"into": "nordwind"}).Want(308)
	if to := w.Visitor().Get(page).Want(308).Location(); to != "/organizations/nordwind" {
		t.Errorf("leads to %s", to)
	}
	w.Visitor().API("GET", page, nil).Want(308)
	w.Visitor().Get("/organizations").Want(200).Lacks("Nordwind GmbH")
	w.Visitor().Get("/organizations/nordwind").Want(200, "Former names", "Nordwind GmbH", "Commission BOTH", "Commission GRID")
	w.Visitor().API("GET", "/commissions/both/participations/nordwind", nil).Want(200, `"level":"P"`)
	w.Visitor().API("GET", "/commissions/grid-storage/participations/nordwind", nil).Want(200, `"level":"L"`)
	if days := apptest.Value[int](w.Portal, `SELECT extract(day FROM now() - min(lower(period)))::int FROM participation WHERE organization_id = $1 AND commission_id = $2`, w.nord, both); days < 729 {
		t.Errorf("the union began %d days ago, want two years", days)
	}
	tina.Get("/organizations/nordwind/edit").Want(200) // a representative of the one is one of the other
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM affiliation WHERE organization_id = $1 AND period @> now()`, w.nord); n != 2 {
		t.Errorf("%d people act for it, want 2", n)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE organization_id = $1 AND period @> now()`, w.nord); n != 1 {
		t.Errorf("%d seats moved, want 1", n)
	}
	w.sam.Get("/organizations/nordwind/history").Want(200, "Merged Nordwind GmbH into Nordwind AG", "Nordwind GmbH became part of Nordwind AG")
	if n := w.mails("organization.merged"); n != 2 {
		t.Errorf("%d letters, want 2", n)
	}
	// Merged on: the oldest address leads to the last one.
	w.member("north", "North Holding", "north.example")
	w.sam.API("POST", "/organizations/nordwind/merge", map[string]any{"into": "north"}).Want(200, `"slug":"north"`)
	if to := w.Visitor().Get(page + "/history").Want(308).Location(); to != "/organizations/north/history" {
		t.Errorf("leads to %s", to)
	}
}

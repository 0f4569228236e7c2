package organizationweb_test

import (
	"strings"
	"sync"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/organization"
)

func TestParticipation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const page, api = "/commissions/grid-storage/organizations", "/commissions/grid-storage/participations/nordwind"
	w.Visitor().Get(page).Want(200, "No organization takes part").Lacks("Give an organization a place")
	w.chair.Get(page).Want(200, "Give an organization a place")
	bob := w.Person("Bob Bystander")
	bob.Post(page, "organization", "nordwind", "level", "P").Want(403)
	bob.API("PUT", api, map[string]any{"level": "P"}).Want(403)
	w.chair.Post(page, "organization", "nowhere", "level", "P").Want(422, "There is no such organization", `value="nowhere"`)
	w.chair.Post(page, "organization", "nordwind", "level", "X").Want(422, "Choose one of")
	w.chair.Post(page, "organization", "nordwind", "level", "O").Want(303)
	w.Visitor().Get(page).Want(200, "Nordwind AG", "Observing", `class="world"`)
	w.Visitor().Get("/organizations/nordwind").Want(200, "Commission GRID", "Observing")
	w.chair.API("PUT", api, map[string]any{"level": "P"}).Want(428, "takes part already")
	observing := w.Visitor().API("GET", api, nil).Want(200, `"level":"O"`).Header.Get("ETag")
	participating := w.chair.API("PUT", api, map[string]any{"level": "P"}, "If-Match", observing).Want(200, `"level":"P"`).Header.Get("ETag")
	if participating == observing || !strings.HasPrefix(w.Visitor().API("GET", api, nil).Header.Get("ETag"), strings.TrimSuffix(participating, `"`)+".") {
		t.Errorf("ETag %s, was %s", participating, observing)
	}
	w.chair.API("PUT", api, map[string]any{"level": "L"}, "If-Match", observing).Want(412, "meanwhile")
	w.chair.API("PUT", api, map[string]any{"level": "L"}, "If-Match", `"v1"`).Want(412)
	w.chair.API("PUT", api, map[string]any{"level": "P"}, "If-Match", participating).Want(409, "this level already")
	w.chair.API("PUT", api, map[string]any{"level": "Z"}, "If-Match", participating).Want(422)
	w.Visitor().API("GET", "/commissions/grid-storage/participations?level=P", nil).Want(200, "nordwind")
	w.Visitor().API("GET", "/commissions/grid-storage/participations?level=O", nil).Want(200, `"items":[]`)
	w.Visitor().API("GET", "/commissions/grid-storage/participations?as_of=2999-01-01", nil).Want(422, `"as_of"`)
	w.Visitor().Get(page+"?as_of=2001-01-01").Want(200, "No organization takes part", "As it was when 1\u00a0Jan\u00a02001 was over")
	w.Visitor().Get("/commissions/nowhere/organizations").Want(404)
	w.rita.Get(page+"/nordwind/end").Want(200, "no longer takes part in Commission GRID?")
	bob.Get(page + "/nordwind/end").Want(403)
	w.rita.Post(page + "/nordwind/end").Want(303)
	w.rita.Post(page + "/nordwind/end").Want(404)
	w.Visitor().API("GET", api, nil).Want(404, "does not take part")
	w.chair.API("PUT", api, map[string]any{"level": "O"}, "If-Match", participating).Want(412)
	w.chair.API("PUT", api, map[string]any{"level": "O"}).Want(200)
	w.Exec(`INSERT INTO access_rules (commission_id) VALUES ($1)`, w.grid)
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) VALUES ($1, 'officer', 'seat', 'edit', 'deny')`, w.grid)
	w.chair.Post(page+"/nordwind/end", "seats", "true").Want(403) // who may not end seats
	w.chair.API("DELETE", api, nil).Want(204)
	w.chair.API("DELETE", api, nil).Want(404)
	for kind, n := range map[string]int{"participation.set": 3, "participation.left": 1, "participation.ended": 1} {
		if got := w.mails(kind); got != n {
			t.Errorf("%d letters %s, want %d", got, kind, n)
		}
	}
	w.rita.Get("/organizations/nordwind/history").Want(200, "takes part in Commission GRID as O", "as P and no longer as O", "no longer takes part in Commission GRID")
}

func TestRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const page, api = "/commissions/grid-storage/organizations", "/commissions/grid-storage/participation-requests"
	w.rita.Get(page).Want(200, "Ask for your organization", "Nordwind AG")
	w.Person("Bob").API("POST", api, map[string]any{"organization": "nordwind", "level": "P"}).Want(404)
	w.rita.Post(api, "organization", "nordwind", "level", "P", "message", "We build turbines.").Want(303)
	w.rita.Post(api, "organization", "nordwind", "level", "P").Want(409, "has asked already")
	w.Visitor().Get(page).Want(200).Lacks("We build turbines.")
	w.chair.Get(page).Want(200, "We build turbines.", "Grant")
	w.rita.Get("/organizations/nordwind").Want(200, "Asked for", "Take back")
	if n := w.mails("participation.requested"); n != 1 {
		t.Errorf("%d letters to the officers, want 1", n)
	}
	request := func() string {
		return apptest.JSON[struct{ Items []organization.Request }](w.chair.API("GET", api, nil).Want(200)).Items[0].ID.String()
	}
	first := request()
	w.rita.API("POST", api+"/"+first+"/grant", nil).Want(403)
	w.chair.Get(api+"/"+first+"/decline").Want(200, "Decline that Nordwind AG takes part?")
	w.chair.Post(api+"/"+first+"/decline", "reason", "").Want(422, "Fill this in")
	w.chair.Post(api+"/"+first+"/decline", "reason", "No room at present.").Want(303)
	w.chair.API("POST", api+"/"+first+"/grant", nil).Want(409)
	w.rita.Get("/organizations/nordwind").Want(200, "No room at present.")
	w.rita.API("POST", api, map[string]any{"organization": "nordwind", "level": "O"}).Want(201, `"state":"pending"`)
	w.rita.API("POST", api+"/"+request()+"/withdraw", nil).Want(200, `"state":"withdrawn"`)
	w.rita.API("POST", api, map[string]any{"organization": "nordwind", "level": "O"}).Want(201)

	// Two officers at once: granted and declined never both.
	id := request()
	secretary := w.Person("Sue Secretary")
	w.sit(w.grid, secretary, "secretary", nil)
	var wg sync.WaitGroup
	var grant, decline apptest.Reply
	wg.Go(func() { grant = w.chair.API("POST", api+"/"+id+"/grant", nil) })
	wg.Go(func() { decline = secretary.API("POST", api+"/"+id+"/decline", map[string]any{"reason": "No room."}) })
	wg.Wait()
	if (grant.Status == 200) == (decline.Status == 200) {
		t.Errorf("granted: %d, declined: %d", grant.Status, decline.Status)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM participation`); (n == 1) != (grant.Status == 200) {
		t.Errorf("%d participations, granted: %d", n, grant.Status)
	}
}

func TestRequestOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commission("everybody", "OPEN", "open")
	w.commission("nobody", "SHUT", "closed")
	w.rita.API("POST", "/commissions/everybody/participation-requests", map[string]any{"organization": "nordwind", "level": "P"}).Want(201, `"state":"granted"`)
	w.Visitor().API("GET", "/commissions/everybody/participations/nordwind", nil).Want(200, `"level":"P"`)
	if n := w.mails("participation.joined"); n != 1 { // to the secretariat: it has no officers
		t.Errorf("%d letters, want 1", n)
	}
	w.rita.Post("/commissions/nobody/participation-requests", "organization", "nordwind", "level", "P").Want(409, "takes no new organizations")
}

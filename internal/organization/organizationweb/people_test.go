package organizationweb_test

import (
	"strings"
	"sync"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/organization"
)

func TestClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const page = "/organizations/nordwind"
	ada, eve := w.Person("Ada Lovelace"), w.Person("Eve Employee")
	w.Exec(`UPDATE person SET email = 'eve@mail.nordwind.de' WHERE id = $1`, eve.ID)
	ada.Get(page).Want(200, "I act for it", "Rita Representative")
	w.Visitor().Get(page).Want(200).Lacks("Rita Representative")
	ada.Get(page+"/join").Want(200, "told and confirm you")
	eve.Get(page+"/join").Want(200, "confirmed at once")
	w.Visitor().Get(page + "/join").Want(303)
	ada.Post(page+"/affiliations", "title", strings.Repeat("x", 300)).Want(422, "at most 200")
	ada.Post(page+"/affiliations", "title", "Engineer").Want(303)
	ada.Post(page+"/affiliations", "title", "Engineer").Want(409, "already")
	if n := w.mails("affiliation.claimed"); n != 1 {
		t.Errorf("%d letters to representatives, want 1", n)
	}
	eve.API("POST", page+"/affiliations", nil).Want(201, `"state":"confirmed"`)
	ada.Get("/profile/affiliations").Want(200, "Nordwind AG", "To be confirmed")
	eve.API("GET", "/persons/me/affiliations", nil).Want(200, `"organization":"nordwind"`)
	ada.Get(page + "/people").Want(404) // not yet of its people
	eve.Get(page+"/people").Want(200, "Ada Lovelace", "Rita Representative").Lacks("Make representative")
	w.rita.Get(page+"/people").Want(200, "Ada Lovelace", "Confirm", "Make representative")
	id := apptest.Value[string](w.Portal, `SELECT id FROM affiliation WHERE person_id = $1`, ada.ID)
	ada.Post(page + "/affiliations/" + id + "/confirm").Want(404)
	eve.Post(page + "/affiliations/" + id + "/confirm").Want(403)
	w.rita.Post(page + "/affiliations/not-an-id/confirm").Want(404)
	w.rita.Get(page+"/affiliations/"+id+"/decline").Want(200, "Ada Lovelace does not act for Nordwind AG?")
	w.rita.Post(page+"/affiliations/"+id+"/decline", "reason", "Never heard of her.").Want(303)
	w.rita.Post(page + "/affiliations/" + id + "/confirm").Want(409)
	ada.Get("/profile/affiliations").Want(200, "Declined", "Never heard of her.")
	again := apptest.JSON[organization.Affiliation](ada.API("POST", page+"/affiliations", map[string]any{"title": "Engineer"}).Want(201, `"state":"claimed"`))
	path := page + "/affiliations/" + again.ID.String()
	w.rita.API("PATCH", path, map[string]any{"state": "confirmed", "title": "Boss"}).Want(422, "one of")
	w.rita.API("PATCH", path, map[string]any{"title": "Boss"}).Want(404) // not her own
	w.rita.API("PATCH", path, map[string]any{"state": "confirmed"}).Want(200, `"state":"confirmed"`)
	w.rita.API("PATCH", path, map[string]any{"state": "confirmed"}).Want(409)
	ada.API("PATCH", path, map[string]any{"title": "Chief engineer"}).Want(200, "Chief engineer")
	ada.Post(path+"/title", "title", "Head").Want(303)
	eve.API("GET", page+"/affiliations?q=head", nil).Want(200, "Ada Lovelace").Lacks("Rita")
	for kind, n := range map[string]int{"affiliation.confirmed": 1, "affiliation.declined": 1} {
		if got := w.mails(kind); got != n {
			t.Errorf("%d letters %s, want %d", got, kind, n)
		}
	}
}

func TestRepresentatives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const page = "/organizations/nordwind/affiliations/"
	ada := w.Person("Ada Lovelace")
	hers := page + w.affiliate(ada, w.nord, false).String()
	ritas := page + apptest.Value[string](w.Portal, `SELECT id FROM affiliation WHERE person_id = $1`, w.rita.ID)
	w.rita.Post(ritas+"/dismiss").Want(409, "would be without a primary representative")
	w.rita.Post(ritas + "/end").Want(409)
	w.rita.API("DELETE", ritas, nil).Want(409)
	w.rita.Post(hers + "/appoint").Want(303)
	ada.Get("/organizations/nordwind/edit").Want(200)
	w.rita.Post(ritas + "/dismiss").Want(303)
	w.rita.Get("/organizations/nordwind/edit").Want(403)
	w.sam.API("PATCH", hers, map[string]any{"representative": false}).Want(200) // the secretariat may
	w.sam.API("PATCH", hers, map[string]any{"representative": true}).Want(200)
	w.sit(w.grid, w.rita, "voting_representative", &w.nord)
	w.rita.Get(ritas+"/end").Want(200, "1 seat held for it")
	w.rita.Post(ritas + "/end").Want(303)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE person_id = $1 AND period @> now()`, w.rita.ID); n != 0 {
		t.Errorf("%d seats are left to one who no longer acts for the organization", n)
	}
	w.rita.Get("/organizations/nordwind/people").Want(404)
}

// TestLastTwo lets two representatives dismiss each other at once: one stays.
func TestLastTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.Person("Ada Lovelace")
	hers := w.affiliate(ada, w.nord, true).String()
	ritas := apptest.Value[string](w.Portal, `SELECT id FROM affiliation WHERE person_id = $1`, w.rita.ID)
	var wg sync.WaitGroup
	for c, id := range map[*apptest.Client]string{ada: ritas, w.rita: hers} {
		wg.Go(func() { c.Post("/organizations/nordwind/affiliations/" + id + "/dismiss") })
	}
	wg.Wait()
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM affiliation WHERE organization_id = $1 AND representative`, w.nord); n != 1 {
		t.Errorf("%d representatives are left, want 1", n)
	}
}

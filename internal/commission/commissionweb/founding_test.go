package commissionweb_test

import (
	"net/http"
	"sync"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/commission"
)

func TestSupport(t *testing.T) {
	w := newWorld(t)
	ben, page := w.Person("Ben Bell"), "/commissions/grid-storage"
	acme := w.organization("Acme", "acme", "DE", ben)
	w.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state) VALUES ('foreign', 'Foreign', 'foreign', 'company', 'member')`)

	w.Visitor().Get(page).Want(200, "0 organizations from 0 countries, 3 to go", "Sign in to support", "1 of 5").Lacks("What comes next")
	ben.Get(page).Want(200, "On behalf of", `value="acme"`, "Myself, in person").Lacks("Take my support back")
	for _, tt := range []struct {
		name   string
		who    *apptest.Client
		form   []string
		status int
		want   string
	}{
		{"a visitor is asked to sign in", w.Visitor(), nil, 401, "Sign in"},
		{"for an organization that is not theirs", ben, []string{"organization", "foreign"}, 422, ""},
		{"for one of theirs", ben, []string{"organization", "acme"}, 303, ""},
		{"twice", ben, []string{"organization", ""}, 409, "You support this already."},
	} {
		t.Log(tt.name)
		tt.who.Post(page+"/support", tt.form...).Want(tt.status, tt.want)
	}
	ben.Get(page).Want(200, "1 organization from 1 country, 2 to go", "Take my support back", "Ben Bell")
	w.Visitor().Get(page+"/supporters").Want(200, "Ben Bell", "Acme", "Ada Lovelace", "in person")
	w.Visitor().API("GET", "/commissions/grid-storage/supporters", nil).Want(200, `"organization":"acme"`, `"country":"DE"`)

	w.Exec(`UPDATE organization SET state = 'suspended' WHERE id = $1`, acme)
	ben.Get(page).Want(200, "0 organizations from 0 countries")
	ben.Post(page + "/support/withdraw").Want(303)
	ben.Post(page+"/support/withdraw").Want(409, "You do not support this.")
	ben.API("POST", "/commissions/grid-storage/supporters", map[string]any{"organization": "acme"}).Want(422, `"organization"`)
	ben.API("POST", "/commissions/grid-storage/supporters", map[string]any{}).Want(201)
	ben.API("DELETE", "/commissions/grid-storage/supporters/me", nil).Want(204)

	w.state("forming")
	ben.Post(page+"/support").Want(409, "no longer collects support")
	w.Visitor().API("POST", "/commissions/grid-storage/supporters", map[string]any{}).Want(401)
}

func TestCountriesOfSupport(t *testing.T) {
	w := newWorld(t)
	ben, eve := w.Person("Ben Bell"), w.Person("Eve Ecker")
	w.organization("Acme", "acme", "DE", ben)
	// For an organization its country counts, whatever the person's own is.
	w.Exec(`UPDATE person SET country = 'JP' WHERE id = ANY(ARRAY[$1, $2]::uuid[])`, ben.ID, eve.ID)
	ben.API("POST", "/commissions/grid-storage/supporters", map[string]any{"organization": "acme"}).Want(201)
	w.Visitor().Get("/commissions/grid-storage").Want(200, "1 organization from 1 country")
	eve.API("POST", "/commissions/grid-storage/supporters", map[string]any{}).Want(201)
	w.Visitor().Get("/commissions/grid-storage").Want(200, "1 organization from 2 countries")
}

func TestEnoughSupportTellsTheConvener(t *testing.T) {
	w := newWorld(t)
	w.found()
	w.wantMails("commission.supported", w.ada, 1)
	w.Visitor().Get("/commissions/grid-storage").Want(200, "3 organizations from 2 countries: enough to be founded")
	more := w.Person("Max More")
	more.API("POST", "/commissions/grid-storage/supporters", map[string]any{}).Want(201)
	w.wantMails("commission.supported", w.ada, 1) // said once
	w.wantMails("commission.proposed", w.staff, 1)
}

// Whoever signs on at the moment of the call is counted and told, or refused.
func TestSupportWhileTheCallGoesOut(t *testing.T) {
	w := newWorld(t)
	w.found()
	late := w.Person("Late Larry")
	var signed, called apptest.Reply
	var both sync.WaitGroup
	both.Go(func() {
		signed = late.API("POST", "/commissions/grid-storage/supporters", map[string]any{})
	})
	both.Go(func() {
		called = w.ada.API("POST", "/commissions/grid-storage/transitions", map[string]any{"to": "forming"})
	})
	both.Wait()
	called.Want(200, `"state":"forming"`)
	letters := w.mails("commission.call", late)
	switch signed.Status {
	case http.StatusCreated:
		if letters != 1 {
			t.Errorf("signed on and got %d letters", letters)
		}
	case http.StatusConflict:
		if letters != 0 {
			t.Errorf("was refused and got %d letters", letters)
		}
	default:
		t.Errorf("status %d: %s", signed.Status, signed.Body)
	}
}

func TestThreshold(t *testing.T) {
	w := newWorld(t)
	w.ada.Get("/settings/founding").Want(403)
	page := w.staff.Get("/settings/founding").Want(200, `value="5"`, `value="3"`, `value="2"`)
	version := hidden(page, "version")
	w.staff.Post("/settings/founding", "version", version, "persons", "many", "organizations", "0", "countries", "-1").Want(422, `value="many"`, "Give a whole number from 1 to 1,000.", "from 0 to 200")
	w.staff.Post("/settings/founding", "version", version, "persons", "1", "organizations", "0", "countries", "0").Want(303)
	w.staff.Post("/settings/founding", "version", version, "persons", "9", "organizations", "0", "countries", "0").Want(412, `value="9"`, "Somebody changed this meanwhile")
	w.Visitor().Get("/commissions/grid-storage").Want(200, "1 supporter from 0 countries: enough to be founded")

	now := w.Visitor().API("GET", "/settings/founding", nil).Want(200, `"persons":1`)
	w.staff.API("PATCH", "/settings/founding", map[string]any{"persons": 2}).Want(428)
	w.staff.API("PATCH", "/settings/founding", map[string]any{"persons": 0}, "If-Match", now.Header.Get("ETag")).Want(422, `"persons"`)
	got := apptest.JSON[commission.Threshold](w.staff.API("PATCH", "/settings/founding", map[string]any{"persons": 2}, "If-Match", now.Header.Get("ETag")).Want(200))
	if got.Persons != 2 || got.Organizations != 0 {
		t.Errorf("got %+v", got)
	}
	w.staff.API("PATCH", "/settings/founding", map[string]any{"persons": 3}, "If-Match", now.Header.Get("ETag")).Want(412)
	w.ada.API("PATCH", "/settings/founding", map[string]any{"persons": 2}, "If-Match", `"v1"`).Want(403)
}

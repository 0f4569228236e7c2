package membershipweb_test

import (
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// The journey of a seat, in a real browser: applied for, approved, on the roster,
// and replaced by the organization; the roster of yesterday shows the old holder.
func TestJourney(t *testing.T) {
	w := newWorld(t)
	w.Exec(`UPDATE commission SET term_months = 24`)
	w.takesPart("P")
	old := uuid.Must(uuid.NewV7())
	w.sit(old, w.ben, "voting_representative", &w.acme)

	ada := w.ada.Browser()
	ada.Open("/commissions/energy/apply")
	ada.Choose("For which organization?", "Acme")
	ada.Click("Alternate representative")
	ada.Fill("What do you bring? optional", "Twelve years of grid storage.\nAnd two of wind.")
	ada.Click("Apply")
	ada.See("The officers of Energy decide")

	chair := w.chair.Browser()
	chair.Open("/commissions/energy/applications")
	chair.Click("Ada Lovelace")
	chair.See("Twelve years of grid storage. And two of wind.")
	w.chair.Get("/commissions/energy/applications/"+apptest.Value[string](w.Portal, `SELECT id FROM application WHERE person_id = $1`, w.ada.ID)).
		Want(200, `class="written">Twelve years of grid storage.`+"\nAnd two of wind.<") // two lines, as they were typed
	chair.Click("Approve")
	chair.See("Ada Lovelace has a seat now.")
	chair.Open("/commissions/energy/roster")
	chair.See("Ada Lovelace")

	rep := w.rep.Browser()
	rep.Open("/organizations/acme/seats/" + old.String() + "/replace")
	rep.Choose("Who follows?", "Rosa Represents")
	rep.Click("Replace")
	rep.See("Rosa Represents has the seat now.")
	chair.Open("/commissions/energy/roster")
	chair.Key("\t")
	if got := chair.Text(":focus"); got != "Skip to content" {
		t.Errorf("the first Tab goes to %q", got)
	}
	chair.Fill("as_of", yesterday(w))
	chair.See("Ben Stone")
	chair.Text("a[href='/commissions/energy/roster.csv?as_of=" + yesterday(w) + "']") // what is saved is what is shown
	chair.SeeNot("Who sits in Energy today")
	chair.Open("/commissions/energy/roster?as_of=" + yesterday(w))
	chair.See("Ben Stone")
	chair.Open("/commissions/energy/roster")
	chair.SeeNot("Ben Stone")

	// An organization is suggested by its name while it is typed.
	chair.Open("/commissions/energy/seats/new")
	chair.Fill("For the organization optional", "acm")
	chair.Text(`#organization-names option[value="Acme"]`)
	// Also what was typed before the script for it had come.
	quick := w.chair.Browser()
	quick.Open("/commissions/energy/seats/new")
	release := quick.Hold("/static/htmx")
	quick.Fill("For the organization optional", "acm")
	release()
	quick.Text(`#organization-names option[value="Acme"]`)
}

// Every page is looked at in both themes, wide and narrow.
func TestPagesAreSound(t *testing.T) {
	w := newWorld(t, func(c *app.Config) { c.TimeZone = "Europe/Paris" }) // not the readers': a form says the zone
	w.Exec(`UPDATE commission SET term_months = 24`)
	w.takesPart("P")
	seat := uuid.Must(uuid.NewV7())
	w.sit(seat, w.ben, "voting_representative", &w.acme)
	id := w.apply(w.ada, "alternate_representative", "acme")
	w.chair.Post("/commissions/energy/invitations", "role", "observer", "addresses", w.nobody.Email, "message", "Come and help us.").Want(303)
	w.chair.API("PATCH", "/commissions/energy/seats/"+seat.String(), map[string]any{"suspended": true, "reason": "Absent"}, "If-Match", `"v1"`).Want(200)
	chair, rep, ada, nora := w.chair.Browser(), w.rep.Browser(), w.ada.Browser(), w.nobody.Browser()
	for _, p := range []struct {
		name, path string
	}{
		{"roster", "/commissions/energy/roster"}, {"unknown", "/commissions/energy/roster?as_of=2026-02-31"}, {"ending", "/commissions/energy/organizations/acme/end"}, {"seat", seatPath(seat)}, {"edit", seatPath(seat) + "/edit"}, {"end", seatPath(seat) + "/end"}, {"appoint", "/commissions/energy/seats/new"},
		{"queue", "/commissions/energy/applications"}, {"application", "/commissions/energy/applications/" + id}, {"invitations", "/commissions/energy/invitations"},
		{"invite", "/commissions/energy/invitations/new"}, {"holdings", "/organizations/acme/seats"}, {"nominate", "/organizations/acme/seats/new"},
		{"replace", "/organizations/acme/seats/" + seat.String() + "/replace"}, {"apply", "/commissions/energy/apply"}, {"invitation", "/invitations/" + w.token(w.nobody.Email)},
	} {
		tab := chair
		switch p.name {
		case "unknown":
			tab.Expect(422)
		case "holdings", "nominate", "replace":
			tab = rep
		case "apply":
			tab = ada
		case "invitation":
			tab = nora
		}
		tab.Open(p.path)
		tab.Look("membership-" + p.name)
	}
}

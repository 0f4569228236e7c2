package commissionweb_test

import (
	"os"
	"testing"

	"commissionportal/internal/app/apptest"
)

// The password "quiet harbor lantern", as the portal keeps it.
const passwordHash = "$argon2id$v=19$m=65536,t=2,p=1$4CoLuYX0vRoWScwNKPtXIw$Te1OZsbiBNLAsq2ZN3Vs7mWqTopYp66CD1UUJWvgvUY"

// looker checks a page for everybody's eyes, in both themes and on a phone; with
// LOOK set it also takes pictures.
func looker(t *testing.T, tab *apptest.Tab) func(name string) {
	return func(name string) {
		t.Helper()
		for _, dark := range []bool{false, true} {
			tab.SetDark(dark)
			if found := tab.Axe(); found != "" {
				t.Errorf("%s (dark %v): %s", name, dark, found)
			}
		}
		tab.SetDark(false)
		tab.SetWidth(360)
		if tab.Overflows() {
			t.Errorf("%s is wider than a phone", name)
		}
		tab.SetWidth(1280)
		if os.Getenv("LOOK") != "" {
			tab.Screenshot("commission-"+name, 1280, false)
			tab.Screenshot("commission-"+name+"-360-dark", 360, true)
			tab.SetWidth(1280)
			tab.SetDark(false)
		}
	}
}

// The secretariat founds a body under another and brings it to work.
func TestJourneyOfAFounding(t *testing.T) {
	w := newWorld(t)
	w.Exec(`UPDATE person SET password_hash = $2 WHERE id = $1`, w.staff.ID, passwordHash)
	w.Exec(`UPDATE commission SET state = 'active' WHERE id = $1`, w.id)
	w.Exec(`UPDATE founding_threshold SET persons = 2, organizations = 1, countries = 1`)
	w.organization("Acme", "acme", "DE", w.staff)
	tab := apptest.Browser(t, w.URL)
	look := looker(t, tab)

	tab.Open("/commissions")
	look("list")
	tab.Open("/sectors")
	look("sectors")
	tab.Click("Energy")
	look("sector")
	tab.Open("/commissions/grid-storage")
	look("active")

	tab.Open("/sign-in?next=/commissions/new")
	tab.Fill("E-mail", w.staff.Email)
	tab.Fill("Password", "quiet harbor lantern")
	tab.Click("main .btn-primary")
	tab.See("Propose a commission")
	look("propose")
	tab.Expect(422)
	tab.Fill("Name", "Grid Batteries")
	tab.Fill("Acronym", "GRID-B")
	tab.Choose("Kind", "Working group")
	tab.Fill("parent", "Grid St")
	tab.Choose("Sector", "Energy")
	tab.Fill("Purpose", "Batteries in public grids, safe and sound.")
	tab.Fill("Draft of the charter", first)
	tab.Click("main .btn-primary")
	tab.See("No commission is called Grid St.")
	look("refused")
	tab.Fill("parent", "Grid Storage (GRID)")
	tab.Click("main .btn-primary")
	tab.See("Now collect support")
	look("proposed")
	tab.Click("Take my support back")
	tab.See("Support this commission")
	tab.Click("Support this commission")
	tab.See("You support this")
	w.ada.API("POST", "/commissions/grid-batteries/supporters", map[string]any{}).Want(201)
	tab.Click("Send out the call")
	look("call")
	tab.Click("main .btn-primary")
	tab.See("The call for participation is out.")
	tab.See("It needs a chair.")
	look("forming")

	tab.Click("Charter")
	tab.Click("Write a revision")
	tab.Fill("Text", second)
	tab.Click("Preview")
	tab.See("Two meetings a year.")
	look("preview")
	tab.Fill("summary", "The sea")
	tab.Click("Save the revision")
	tab.See("Saved as a draft.")
	tab.Click("Adopt revision 2")
	tab.See("It holds from now on.")
	look("adopt")
	tab.Click("dialog .btn-primary")
	tab.See("Revision 2 holds from now on.")
	look("charter")
	tab.Click("All revisions")
	look("revisions")
	tab.Click("What changed in revision 2")
	tab.See("From revision 1 to revision 2")
	look("difference")

	tab.Click("Milestones")
	tab.Fill("What will be done", "First report")
	tab.Fill("Due on", "2031-05-06")
	tab.Click("main .btn-primary")
	tab.See("6 May 2031")
	look("milestones")
	tab.Click("Settings")
	look("settings")
	tab.Click("History")
	tab.See("Adopted revision 2 of the charter")
	look("history")
	tab.Open("/commissions/grid-batteries/supporters")
	look("supporters")
	tab.Open("/commissions/grid-batteries/abandon")
	look("abandon")
	tab.Fill("Reason", "It was a rehearsal.")
	tab.Click("main .btn-danger")
	tab.See("The founding has been given up.")
	tab.Open("/settings/founding")
	look("threshold")
	tab.Open("/sectors/energy/edit")
	look("sector-edit")
}

package commissionweb_test

import (
	"fmt"
	"os"
	"testing"

	"commissionportal/internal/app/apptest"
)

// The password "quiet harbor lantern", as the portal keeps it.
const passwordHash = "$argon2id$v=19$m=65536,t=2,p=1$4CoLuYX0vRoWScwNKPtXIw$Te1OZsbiBNLAsq2ZN3Vs7mWqTopYp66CD1UUJWvgvUY"

// looker checks a page for everybody's eyes: in light colors and wide, in dark
// ones on a phone. With LOOK set it also takes pictures. Looking is most of what
// the journey costs, so it leaves out the pages without a parameter, which the
// tour in internal/app looks at.
func looker(t *testing.T, tab *apptest.Tab) func(name string) {
	return func(name string) {
		t.Helper()
		for _, as := range []struct {
			width int
			dark  bool
		}{{360, true}, {1280, false}} { // back to wide and light, as the journey goes on
			tab.SetDark(as.dark)
			tab.SetWidth(as.width)
			if found := tab.Axe(); found != "" {
				t.Errorf("%s, %d wide, dark %v: %s", name, as.width, as.dark, found)
			}
			if tab.Overflows() {
				t.Errorf("%s is wider than %d", name, as.width)
			}
			if os.Getenv("LOOK") != "" {
				tab.Screenshot(fmt.Sprintf("commission-%s-%d", name, as.width), as.width, as.dark)
			}
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

	tab.Open("/sectors")
	tab.Click("Energy")
	tab.See("Grid Storage")
	look("sector")

	tab.Open("/sign-in?next=/commissions/new")
	tab.Fill("E-mail", w.staff.Email)
	tab.Fill("Password", "quiet harbor lantern")
	tab.Click("main .btn-primary")
	tab.See("Propose a commission")
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
}

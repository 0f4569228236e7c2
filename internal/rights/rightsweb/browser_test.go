package rightsweb_test

import "testing"

// TestJourney: a chair takes documents from observers, sees what it will do, asks
// why for one of them, and takes the change back.
func TestJourney(t *testing.T) {
	w := newWorld(t)
	chair := w.chair.Browser()
	chair.Open("/commissions/energy")
	chair.Click("Access")
	chair.See("Who may do what")
	chair.Look("rights-matrix")
	chair.Click("See documents for members")
	chair.Choose("Observers", "Deny")
	chair.Fill("Reason optional", "Not before the vote.")
	chair.Look("rights-row")
	chair.Click("Show what it does")
	chair.See("1 person (Observers) can no longer read 2 documents.")
	chair.Look("rights-plan")
	chair.Click("Change the rules")
	chair.See("Saved. It holds from the next request of everybody on.")
	w.observer.API("GET", "/documents/ENERGY-N0001", nil).Want(404)
	chair.Click("Ask why")
	chair.Fill("About whom optional", w.observer.Email)
	chair.Click("Ask")
	chair.See("Oda Observer may not do this")
	chair.See("observer, document, read:commission, deny")
	chair.Look("rights-why")
	chair.Open("/commissions/energy/access/changes")
	chair.See("Not before the vote.")
	chair.Look("rights-changes")
	chair.Click("Take back")
	chair.Click("Take the change back")
	chair.See("Taken back.")
	w.observer.API("GET", "/documents/ENERGY-N0001", nil).Want(200)
}

package app_test

import (
	"testing"
	"time"
)

// TestJourneyBrowser is the journey of TestJourneyAPI as people make it, each in
// a browser of their own, from the pages' own links and buttons.
func TestJourneyBrowser(t *testing.T) {
	t.Parallel()
	p, sam, chair, rep, first, second := arrange(t)

	renata := rep.Browser()
	renata.Open("/organizations/new")
	renata.Fill("name", "Nordwind AG")
	renata.Choose("kind", "Company")
	renata.Choose("country", "Germany")
	renata.Fill("website", "https://nordwind.example")
	renata.Click("Register")
	renata.See("Nordwind AG")

	staff := sam.Browser()
	staff.Open("/desk")
	staff.Click("Nordwind AG asks to be a member")
	staff.Choose("category", "Full member")
	staff.Click("Accept as a member")
	staff.See("Full member")

	clara := chair.Browser()
	clara.Open("/commissions/grid-storage/organizations")
	clara.In("Give an organization a place").Fill("organization", "nordwind-ag")
	clara.In("Give an organization a place").Choose("level", "Participating")
	clara.Click("Give this place")
	clara.See("Nordwind AG")

	felix := first.Browser()
	felix.Open("/organizations/nordwind-ag")
	felix.Click("I act for it")
	felix.Click("I act for this organization")
	sonia := second.Browser()
	sonia.Open("/organizations/nordwind-ag/join")
	sonia.Click("I act for this organization")
	for range 2 {
		renata.Open("/organizations/nordwind-ag/people")
		renata.Click("Confirm")
		renata.See("Act for it")
	}

	felix.Open("/commissions/grid-storage")
	felix.Click("Take part")
	felix.Choose("organization", "Nordwind AG")
	felix.Click("Voting representative")
	felix.Fill("statement", "Ten years of batteries.")
	felix.Click("Apply")
	felix.See("The officers of Grid Storage decide")

	clara.Open("/desk")
	clara.Click("Felix First applies for a seat")
	clara.See("Ten years of batteries.")
	clara.Click("Approve")
	clara.See("Felix First has a seat now.")

	approved := p.Now()
	p.At(approved.Add(3 * 24 * time.Hour))
	renata.Open("/organizations/nordwind-ag/seats")
	renata.Click("Replace")
	renata.Choose("person", "Sonia Second")
	renata.Click("Replace")
	renata.See("Sonia Second has the seat now.")

	p.At(approved.Add(4 * 24 * time.Hour))
	anybody := p.Visitor().Browser()
	anybody.Open("/commissions/grid-storage/roster")
	anybody.See("Sonia Second")
	anybody.SeeNot("Felix First")
	anybody.Open("/commissions/grid-storage/roster?as_of=" + approved.Add(2*24*time.Hour).Format(time.DateOnly))
	anybody.See("Felix First")
	anybody.SeeNot("Sonia Second")
}

package sample

import (
	"slices"
	"strconv"
	"time"

	"commissionportal/internal/commission"
	"commissionportal/internal/journal"
	"commissionportal/internal/organization"
)

// tidy finishes what depends on everything else, and brings the journal into the
// order of time.
func (w *world) tidy() error {
	for i := range w.revisions {
		r := &w.revisions[i]
		if r.Number == 1 {
			continue
		}
		r.Author = r.Body.leader(r.At)
		number := strconv.Itoa(r.Number)
		w.record(r.Body.scope(), r.At, r.Author, "charter", "edit", r.Body.ID, journal.Say("Wrote revision %s of the charter: %s", number, r.Summary))
	}
	for _, r := range w.revisions {
		if r.Adopted != nil {
			w.record(r.Body.scope(), *r.Adopted, r.Body.leader(*r.Adopted), "charter", "adopt", r.Body.ID, journal.Say("Adopted revision %s of the charter", strconv.Itoa(r.Number)))
		}
	}
	for _, m := range w.milestones {
		at := later(m.Body.Proposed.Add(day), w.working(m.Due.AddDate(0, -9, 0)))
		w.record(m.Body.scope(), at, m.Body.leader(at), "milestone", "edit", m.Body.ID, journal.Say("Added the milestone %s, due %s", m.Title, m.Due.Format(time.DateOnly)))
		if m.Done != nil {
			w.record(m.Body.scope(), *m.Done, m.Body.leader(*m.Done), "milestone", "edit", m.Body.ID, journal.Say("Reached the milestone %s", m.Title))
		}
	}
	for _, p := range w.participations {
		if p.Body.State == commission.Concluded && (p.Until == nil || p.Until.After(p.Body.StateAt)) {
			p.Until = &p.Body.StateAt
		}
		before := slices.IndexFunc(w.participations, func(x *participation) bool {
			return x.Body == p.Body && x.Org == p.Org && x.Until != nil && x.Until.Equal(p.From)
		})
		note := journal.Say("%s takes part in %s as %s", p.Org.Name, p.Body.Name, p.Level)
		if before >= 0 {
			note = journal.Say("%s takes part in %s as %s and no longer as %s", p.Org.Name, p.Body.Name, p.Level, w.participations[before].Level)
		}
		w.record(p.Body.scope(), p.From, p.Body.leader(p.From), "participation", "set", p.Org.ID, note)
		if p.Until != nil && !w.takesPart(p.Org, p.Body, p.Until.Add(time.Second)) {
			w.record(p.Body.scope(), *p.Until, p.Body.leader(*p.Until), "participation", "end", p.Org.ID, journal.Say("%s no longer takes part in %s", p.Org.Name, p.Body.Name))
		}
	}
	w.warned = w.notices()
	slices.SortStableFunc(w.events, func(a, b event) int { return a.at.Compare(b.at) })
	return nil
}

// summary counts what is there.
func (w *world) summary() Summary {
	s := Summary{Persons: len(w.people), Documents: len(w.papers)}
	sectors, countries := map[string]bool{}, map[string]bool{}
	for _, b := range w.bodies {
		if b.State != commission.Concluded && b.State != commission.Abandoned {
			s.Commissions++
			sectors[b.Sector] = true
		}
	}
	for _, o := range w.organizations {
		if o.State == organization.Member {
			s.Organizations++
			countries[o.Country] = true
		}
	}
	s.Sectors, s.Countries = len(sectors), len(countries)
	for _, x := range w.seats {
		if l := x.last(); !l.From.After(w.now) && (l.Until == nil || l.Until.After(w.now)) {
			s.Seats++
		}
	}
	return s
}

package sample

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/journal"
	"commissionportal/internal/membership"
	"commissionportal/internal/organization"
)

// seat is a seat with all its rows.
type seat struct {
	ID      uuid.UUID
	Body    *body
	Person  *person
	Follows *uuid.UUID
	Rows    []row
}

// row is what held of a seat during a time.
type row struct {
	Org       *org
	Role      string
	Voting    bool
	Suspended bool
	By        string
	From      time.Time
	Until     *time.Time
	Ended     string
	Reason    string
}

func (s *seat) last() *row { return &s.Rows[len(s.Rows)-1] }

// open reports whether it goes on, as far as is known yet.
func (s *seat) open() bool { return s.last().Until == nil }

// close ends it.
func (s *seat) close(at time.Time, why, reason string) {
	l := s.last()
	l.Until, l.Ended, l.Reason = &at, why, reason
}

// change ends its row and lets the next begin.
func (s *seat) change(at time.Time, reason string, change func(*row)) {
	next := *s.last()
	s.close(at, membership.Changed, reason)
	next.From, next.Reason = at, reason
	change(&next)
	s.Rows = append(s.Rows, next)
}

// sit gives a person a seat.
func (w *world) sit(b *body, p *person, o *org, role, by string, at time.Time) *seat {
	s := &seat{ID: w.id(at), Body: b, Person: p, Rows: []row{{Org: o, Role: role, By: by, From: at,
		Voting: role == membership.Chair || role == membership.ViceChair || role == membership.VotingRepresentative}}}
	b.taken[p] = true
	p.Seats += 3
	w.seats = append(w.seats, s)
	if role == membership.Chair {
		b.chairs = append(b.chairs, lead{at, p})
	}
	return s
}

// appoint is sit with its record.
func (w *world) appoint(b *body, p *person, o *org, role, by string, at time.Time, who *person) *seat {
	s := w.sit(b, p, o, role, by, at)
	w.record(b.scope(), at, who, "seat", "appoint", s.ID, journal.Say("Appointed %s as %s", p.Name, membership.Word(role)))
	return s
}

// reassign changes the role of a seat.
func (w *world) reassign(s *seat, role string, at time.Time, who *person) {
	was := s.last().Role
	s.change(at, "", func(r *row) {
		r.Role = role
		r.Voting = role == membership.Chair || role == membership.VotingRepresentative
	})
	if role == membership.Chair {
		s.Body.chairs = append(s.Body.chairs, lead{at, s.Person})
	}
	w.record(s.Body.scope(), at, who, "seat", "edit", s.ID, journal.Say("Changed the seat of %s from %s to %s", s.Person.Name, membership.Word(was), membership.Word(role)))
}

// seat fills the commissions.
func (w *world) seat() error {
	for _, b := range w.bodies {
		if b.Called.IsZero() {
			continue
		}
		held := map[*org]int{} // seats of an organization, replacements not counted
		if !b.Active.IsZero() {
			if err := w.lead(b, held); err != nil {
				return err
			}
		}
		w.play(b, held)
		var mine []*participation
		for _, p := range w.participations {
			if p.Body == b {
				mine = append(mine, p)
			}
		}
		for _, p := range mine {
			w.represent(p, held)
		}
		if b.Parent == nil && !b.Active.IsZero() && b.State == commission.Active {
			w.advise(b)
		}
	}
	return nil
}

// lead makes chair, vice chair and secretary, now and before.
func (w *world) lead(b *body, held map[*org]int) error {
	var from []*org
	for _, p := range w.participations {
		if p.Body == b && p.founding && p.Level == "P" && p.Org != b.For {
			from = append(from, p.Org)
		}
	}
	at := w.between(b.Active.Add(-16*day), b.Active.Add(-13*day))
	clerk := w.clerk(at)
	chair := w.appoint(b, b.Convener, b.For, membership.Chair, membership.ByElection, at, clerk)
	held[b.For]++
	next := func(role, by string, at time.Time, who *person) *seat {
		for i, o := range from {
			if p := w.pick(o, at, b.taken); p != nil && (b.Limit == 0 || held[o] < b.Limit) {
				from = append(slices.Delete(from, i, i+1), o)
				held[o]++
				return w.appoint(b, p, o, role, by, at, who)
			}
		}
		return nil
	}
	var vice *seat
	at = at.Add(20 * time.Minute)
	switch {
	case b.Slug == "energy-storage":
		held[w.chair.Home]++
		vice = w.appoint(b, w.chair, w.chair.Home, membership.ViceChair, membership.ByElection, at, clerk)
		from = slices.DeleteFunc(from, func(o *org) bool { return o == w.chair.Home })
	case b.Kind == commission.Standing || b.Kind == commission.Subcommission:
		vice = next(membership.ViceChair, membership.ByElection, at, clerk)
	}
	secretary := next(membership.Secretary, membership.ByChair, at.Add(20*time.Minute), clerk)
	if secretary == nil {
		return fmt.Errorf("sample: nobody is secretary of %s", b.Slug)
	}
	end := b.end(w.now)
	months := end.Sub(b.Active) / month
	if vice != nil && (months >= 26 && w.chance(0.65) || vice.Person == w.chair) {
		at := w.part(b.Active.Add(11*month), b.Active.Add(end.Sub(b.Active)*4/5), 0.3)
		who := w.clerk(at)
		w.reassign(vice, membership.Chair, at, who)
		w.changes++
		switch w.changes % 3 {
		case 0:
			w.reassign(chair, membership.Emeritus, at, who)
		case 1:
			w.reassign(chair, membership.VotingRepresentative, at, who)
		default:
			chair.close(at, membership.Left, "")
			w.record(b.scope(), at, chair.Person, "seat", "leave", chair.ID, journal.Say("%s left the seat of %s", chair.Person.Name, membership.Word(membership.Chair)))
		}
		next(membership.ViceChair, membership.ByElection, at.Add(time.Hour), who)
	}
	if months >= 15 && w.chance(0.45) {
		at := w.part(b.Active.Add(8*month), end, 0.3)
		if s := next(membership.Secretary, membership.ByChair, at, b.leader(at)); s != nil {
			secretary.close(at.Add(time.Minute), membership.Left, "")
			w.record(b.scope(), at.Add(time.Minute), secretary.Person, "seat", "leave", secretary.ID,
				journal.Say("%s left the seat of %s", secretary.Person.Name, membership.Word(membership.Secretary)))
			secretary = s
		}
	}
	// In some the secretary also speaks for the organization that lends the time.
	if o := secretary.last().Org; b.Parent == nil && w.chance(0.5) && !w.votes(o, b) && (b.Limit == 0 || held[o] < b.Limit) {
		held[o]++
		s := w.sit(b, secretary.Person, o, membership.VotingRepresentative, membership.ByChair, w.between(secretary.last().From, secretary.last().From.Add(40*day)))
		w.record(b.scope(), s.last().From, b.leader(s.last().From), "seat", "appoint", s.ID, journal.Say("Appointed %s as %s", s.Person.Name, membership.Word(membership.VotingRepresentative)))
	}
	return nil
}

// play gives the sample's own persons their seats.
func (w *world) play(b *body, held map[*org]int) {
	give := func(p *person, role string, at time.Time) {
		held[p.Home]++
		s := w.sit(b, p, p.Home, role, membership.ByChair, at)
		w.applied(s)
	}
	switch b.Slug {
	case "energy-storage": // its term ends in six days
		give(w.guest, membership.VotingRepresentative, w.now.AddDate(0, -b.Term, 7))
	case "island-and-mini-grids":
		give(w.guest, membership.AlternateRepresentative, later(w.ago(11), b.Active.Add(10*day)))
	case "hydrogen-and-synthetic-fuels":
		role := membership.VotingRepresentative
		if w.votes(w.chair.Home, b) {
			role = membership.AlternateRepresentative
		}
		give(w.chair, role, w.ago(14))
	}
}

// votes reports whether a seat of the organization has its vote in the commission.
func (w *world) votes(o *org, b *body) bool {
	return slices.ContainsFunc(w.seats, func(s *seat) bool {
		l := s.last()
		return s.Body == b && l.Org == o && l.Voting && s.open()
	})
}

// represent fills the seats of an organization.
func (w *world) represent(p *participation, held map[*org]int) {
	var roles []string
	switch p.Level {
	case "O":
		roles = []string{membership.Observer}
		if w.chance(0.2) {
			roles = append(roles, membership.Observer)
		}
	case "L":
		roles = []string{membership.LiaisonOfficer}
	default:
		if !w.votes(p.Org, p.Body) {
			roles = []string{membership.VotingRepresentative}
		}
		if w.chance(0.55) {
			roles = append(roles, membership.AlternateRepresentative)
		}
		if w.chance(0.12) {
			roles = append(roles, membership.AlternateRepresentative)
		}
	}
	for i, role := range roles {
		if p.Body.Limit > 0 && held[p.Org] >= p.Body.Limit {
			return
		}
		end := p.Body.end(w.now)
		if p.Until != nil {
			end = *p.Until
		}
		start := w.between(p.From.Add(time.Minute), p.From.Add(14*day))
		if i > 0 {
			start = w.part(start, start.Add(12*month), w.random.Float64()*0.5)
		}
		if p.founding && i == 0 {
			start = p.From.Add(time.Minute)
		}
		if start.After(end.Add(-6*time.Hour)) || start.After(w.now.Add(-6*time.Hour)) {
			continue
		}
		owner := w.owner(p, start)
		who := w.pick(owner, start, p.Body.taken)
		if who == nil {
			continue
		}
		held[p.Org]++
		s := w.sit(p.Body, who, owner, role, membership.ByChair, start)
		w.applied(s)
		w.lives(s, p, end)
	}
}

// owner is for whom the seats were at that time, of a place that two
// organizations brought together.
func (w *world) owner(p *participation, at time.Time) *org {
	for _, o := range w.organizations {
		if o.Into == p.Org && slices.Contains(always[p.Body.Slug], o.Name) && at.Before(o.Since) {
			return o
		}
	}
	return p.Org
}

// lives is what becomes of a seat until end: the organization sends others, an
// alternate moves up, it moves with a merged organization, it ends.
func (w *world) lives(s *seat, p *participation, end time.Time) {
	for share := 0.42; end.Sub(s.last().From) > 8*month && w.chance(share); share = 0.3 {
		at := w.part(s.last().From.Add(3*month), end.Add(-month), 0.25)
		who := w.pick(s.last().Org, at, s.Body.taken)
		by := s.last().Org.rep()
		if who == nil || by == nil || s.last().Org.Into != nil {
			break
		}
		s.close(at, membership.Replaced, "")
		was := s
		s = w.sit(s.Body, who, s.last().Org, s.last().Role, membership.ByOrganization, at)
		s.Follows = &was.ID
		role := membership.Word(s.last().Role)
		w.record(s.last().Org.scope(), at, by, "seat", "replace", was.ID, journal.Say("Replaced %s by %s as %s in %s", was.Person.Name, who.Name, role, s.Body.Name))
		w.record(s.last().Org.scope(), at, by, "seat", "give", s.ID, journal.Say("%s followed %s as %s in %s", who.Name, was.Person.Name, role, s.Body.Name))
	}
	rest := end.Sub(s.last().From)
	if s.last().Role == membership.AlternateRepresentative && rest > 7*month && !w.votes(s.last().Org, s.Body) && w.chance(0.4) {
		at := w.part(s.last().From.Add(4*month), end.Add(-month), 0.3)
		w.reassign(s, membership.VotingRepresentative, at, s.Body.leader(at))
		rest = end.Sub(at)
	}
	if o := s.last().Org; o.Into != nil && s.open() {
		s.change(o.Since, "", func(r *row) { r.Org = o.Into })
		w.record(o.scope(), o.Since, w.staff[0], "seat", "move", s.ID, journal.Say("Moved the seat of %s in %s with the organization", s.Person.Name, s.Body.Name))
		return
	}
	w.ends(s, p, end, rest)
}

// ends is how a seat ends until end, if it does; rest is how long it has been as
// it is.
func (w *world) ends(s *seat, p *participation, end time.Time, rest time.Duration) {
	word := membership.Word(s.last().Role)
	switch {
	case p.Org.State == organization.Suspended:
		s.close(end, membership.Organization, suspension)
		w.record(p.Org.scope(), end, w.staff[0], "seat", "end", s.ID, journal.Say("Ended the seat of %s as %s in %s", s.Person.Name, word, s.Body.Name))
		return
	case s.Body.State == commission.Concluded && p.Until == nil:
		s.close(end, membership.Concluded, "")
		w.record(s.Body.scope(), end, w.clerk(end), "seat", "end", s.ID, journal.Say("Ended the seat of %s as %s in %s", s.Person.Name, word, s.Body.Name))
		return
	case p.Until == nil && (rest < 9*month || !w.chance(0.11)):
		return
	}
	// It ends before the participation does, by whom it may be.
	at := end.Add(-time.Minute)
	if p.Until == nil {
		at = w.part(s.last().From.Add(5*month), end, 0.2)
	}
	by := s.last().Org.rep()
	switch n := w.random.IntN(4); {
	case p.Level == "O" && p.Until != nil && w.takesPart(p.Org, p.Body, end.Add(time.Second)): // now they vote
		role := membership.VotingRepresentative
		if w.votes(p.Org, p.Body) {
			role = membership.AlternateRepresentative
		}
		w.reassign(s, role, end, s.Body.leader(end))
		return
	case (n == 0 || p.Until != nil) && by != nil:
		s.close(at, membership.Recalled, "")
		w.record(s.last().Org.scope(), at, by, "seat", "recall", s.ID, journal.Say("Recalled %s as %s from %s", s.Person.Name, word, s.Body.Name))
	case n == 1:
		s.close(at, membership.Removed, w.text("removed"))
		w.record(s.Body.scope(), at, s.Body.leader(at), "seat", "edit", s.ID, journal.Say("Ended the seat of %s as %s", s.Person.Name, word))
	case n == 2 && s.Body.Term > 0 && p.Until == nil: // the term ran out
		at = at.Truncate(day)
		s.last().Until = &at
		w.record(access.Portal, at, nil, "seat", "warn", s.ID, journal.Say("The term of %s as %s has ended", s.Person.Name, word))
	default:
		s.close(at, membership.Left, "")
		w.record(s.Body.scope(), at, s.Person, "seat", "leave", s.ID, journal.Say("%s left the seat of %s", s.Person.Name, word))
	}
}

// advise gives seats to experts who stand for nobody but themselves.
func (w *world) advise(b *body) {
	n := w.random.IntN(4)
	for _, p := range shuffled(w, w.people) {
		if n == 0 {
			return
		}
		at := w.part(later(b.Active.Add(20*day), p.Created.Add(2*day)), w.now, w.random.Float64()*0.8)
		if p.Home != nil || p.Seats > 3 || b.taken[p] || at.After(w.now.Add(-10*day)) {
			continue
		}
		w.invited(w.sit(b, p, nil, membership.InvitedExpert, membership.ByChair, at))
		n--
	}
}

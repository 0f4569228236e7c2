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

// participation is an organization's place in a commission.
type participation struct {
	ID    uuid.UUID
	Org   *org
	Body  *body
	Level string
	From  time.Time
	Until *time.Time

	founding bool
}

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

// Who has a fixed place: for the sample's own persons, and for what was merged
// or suspended.
var (
	always = map[string][]string{
		"energy-storage":                      {"Nordwind Energie", "Savannah Grid Company"},
		"power-grids-and-interconnection":     {"Savannah Grid Company"},
		"island-and-mini-grids":               {"Savannah Grid Company"},
		"hydrogen-and-synthetic-fuels":        {"Nordwind Energie"},
		"soil-and-water":                      {"Nile Delta University of Research"},
		"health-data-exchange":                {"Nile Delta University of Research"},
		"container-and-port-documents":        {"Levant Cargo Brokers"},
		"cold-chains":                         {"Levant Cargo Brokers"},
		"destinations-under-pressure":         {"Aegean Tourism Board"},
		"machine-safety-and-interoperability": {"Kaze Heavy Machinery"},
	}
	never = map[string][]string{
		"soil-and-water":               {"Nile Delta Research University"},
		"health-data-exchange":         {"Nile Delta Research University"},
		"hydrogen-and-synthetic-fuels": {"Savannah Grid Company"},
	}
)

// takesPart reports whether the organization has a vote in the commission at
// that time.
func (w *world) takesPart(o *org, b *body, at time.Time) bool {
	return slices.ContainsFunc(w.participations, func(p *participation) bool {
		return p.Body == b && p.Org == o && p.Level == "P" && p.From.Before(at) && (p.Until == nil || p.Until.After(at))
	})
}

// level is at which an organization takes part.
func (w *world) level(o *org) string {
	switch {
	case o.Category == "liaison":
		return "L"
	case o.Category == "observer", (o.Kind == "academia" || o.Kind == "association") && w.chance(0.25), w.chance(0.1):
		return "O"
	case (o.Kind == "standards_body" || o.Kind == "intergovernmental") && w.chance(0.35):
		return "L"
	}
	return "P"
}

// takePart makes the participations of a commission: a few from the founding on,
// the convener's first, the others over time.
func (w *world) takePart(b *body) error {
	if b.Called.IsZero() {
		return nil
	}
	var list []*org
	for _, o := range w.organizations {
		if slices.Contains(always[b.Slug], o.Name) {
			list = append(list, o)
		}
	}
	fixed := len(list)
	if !slices.Contains(list, b.For) {
		list = append(list, b.For)
	}
	affine, other := 0.8, 0.035
	if b.Parent != nil {
		affine, other = 0.45, 0.3
	}
	founders := 0
	for _, o := range w.near(b, w.now) {
		p := other
		if slices.Contains(o.Sectors, b.Sector) {
			p = affine
		}
		early := founders < 4 && o.Accepted.Before(b.Called) && (slices.Contains(o.Sectors, b.Sector) || founders < 3)
		if b.Parent != nil {
			early = founders < 4 && w.takesPart(o, b.Parent, b.Called)
		}
		if slices.Contains(list, o) || slices.Contains(never[b.Slug], o.Name) || !early && !w.chance(p) {
			continue
		}
		if early && o.Category != "liaison" && o.Category != "observer" {
			founders++
		} else if early && !w.chance(p) {
			continue
		}
		list = append(list, o)
	}
	founders = 0
	for i, o := range list {
		p := &participation{Org: o.heir(), Body: b, Level: w.level(o)}
		since := o.Accepted
		if b.Parent != nil {
			i := slices.IndexFunc(w.participations, func(x *participation) bool { return x.Body == b.Parent && x.Org == o.heir() })
			if i < 0 {
				continue
			}
			since = w.participations[i].From
		}
		until := w.now
		if b.State != commission.Active && b.State != commission.Forming {
			until = b.StateAt
		}
		atFounding := since.Before(b.Called)
		if atFounding && founders >= 4 && i > fixed {
			atFounding = w.chance(0.35)
		}
		switch {
		case o.State != organization.Member:
			p.Level, p.From = "P", o.Accepted.Add(20*day)
			if p.From.Before(b.Active) {
				p.From = b.Active.Add(60 * day)
			}
			if o.State == organization.Suspended {
				p.Until = &o.Since
			}
		case atFounding && !b.Active.IsZero():
			p.founding, p.From = true, w.between(b.Called.Add(day), b.Active.Add(-17*day))
			if founders < 5 && o.Category != "liaison" && o.Category != "observer" || o == b.For || i < fixed {
				p.Level = "P"
				founders++
			}
		case b.Active.IsZero():
			if i > 4 {
				continue
			}
			p.Level, p.From = "P", w.between(later(b.Called, since), w.now)
		default:
			p.From = w.part(later(b.Active.Add(10*day), since.Add(5*day)), until, w.random.Float64()*w.random.Float64())
			if p.From.After(until.Add(-20 * day)) {
				continue
			}
		}
		p.ID = w.id(p.From)
		w.participations = append(w.participations, p)
		// Some begin by observing, and a few have had enough.
		rest := until.Sub(p.From)
		switch {
		case o.State != organization.Member || p.founding || i < fixed || rest < 10*month:
		case p.Level == "P" && w.chance(0.14):
			then := w.part(p.From.Add(4*month), until, 0.4)
			p.Level, p.Until = "O", &then
			w.participations = append(w.participations, &participation{ID: w.id(then), Org: p.Org, Body: b, Level: "P", From: then})
		case w.chance(0.09):
			then := w.part(p.From.Add(6*month), until, 0.3)
			p.Until = &then
		}
	}
	if !b.Active.IsZero() && founders < 3 {
		return fmt.Errorf("sample: %s has %d founders", b.Slug, founders)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
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
		r.Voting = role != membership.Emeritus
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
		held := map[*org]int{} // seats of an organization, of those that go on
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
		switch {
		case w.chance(0.3):
			w.reassign(chair, membership.Emeritus, at, who)
		case w.chance(0.7):
			w.reassign(chair, membership.VotingRepresentative, at, who)
		default:
			chair.close(at, membership.Left, "")
			held[b.For]--
			w.record(b.scope(), at, chair.Person, "seat", "leave", chair.ID, journal.Say("%s left the seat of %s", chair.Person.Name, membership.Word(membership.Chair)))
		}
		next(membership.ViceChair, membership.ByElection, at.Add(time.Hour), who)
	}
	if months >= 15 && w.chance(0.45) {
		at := w.part(b.Active.Add(8*month), end, 0.3)
		if s := next(membership.Secretary, membership.ByChair, at, b.leader(at)); s != nil {
			secretary.close(at.Add(time.Minute), membership.Left, "")
			held[secretary.last().Org]--
			w.record(b.scope(), at.Add(time.Minute), secretary.Person, "seat", "leave", secretary.ID,
				journal.Say("%s left the seat of %s", secretary.Person.Name, membership.Word(membership.Secretary)))
			secretary = s
		}
	}
	// In some the secretary also speaks for the organization that lends the time.
	if o := secretary.last().Org; b.Parent == nil && w.chance(0.4) && (b.Limit == 0 || held[o] < b.Limit) {
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
		give(w.guest, membership.VotingRepresentative, w.now.Add(6*day+10*time.Hour-b.term()))
	case "island-and-mini-grids":
		give(w.guest, membership.AlternateRepresentative, later(w.ago(11), b.Active.Add(10*day)))
	case "hydrogen-and-synthetic-fuels":
		give(w.chair, membership.VotingRepresentative, w.ago(14))
	}
}

// represent fills the seats of an organization.
func (w *world) represent(p *participation, held map[*org]int) {
	var roles []string
	switch {
	case p.Level == "O":
		roles = []string{membership.Observer}
		if w.chance(0.2) {
			roles = append(roles, membership.Observer)
		}
	case p.Level == "L":
		roles = []string{membership.LiaisonOfficer}
	default:
		if held[p.Org] == 0 || w.chance(0.4) {
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
		if !w.lives(s, p, end) {
			held[p.Org]--
		}
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

// lives is what becomes of a seat until end: replacements, other roles, its own
// end. It reports whether the organization still holds it.
func (w *world) lives(s *seat, p *participation, end time.Time) bool {
	for share := 0.42; end.Sub(s.last().From) > 8*month && w.chance(share); share = 0.3 {
		at := w.part(s.last().From.Add(3*month), end, 0.25)
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
	role := s.last().Role
	if role == membership.AlternateRepresentative && rest > 7*month && w.chance(0.2) {
		at := w.part(s.last().From.Add(4*month), end, 0.3)
		w.reassign(s, membership.VotingRepresentative, at, s.Body.leader(at))
	}
	if o := s.last().Org; o.Into != nil && s.open() {
		s.change(o.Since, "", func(r *row) { r.Org = o.Into })
		w.record(o.scope(), o.Since, w.staff[0], "seat", "move", s.ID, journal.Say("Moved the seat of %s in %s with the organization", s.Person.Name, s.Body.Name))
		return true
	}
	word := membership.Word(s.last().Role)
	switch {
	case p.Org.State == organization.Suspended:
		s.close(end, membership.Organization, suspension)
		w.record(p.Org.scope(), end, w.staff[0], "seat", "end", s.ID, journal.Say("Ended the seat of %s as %s in %s", s.Person.Name, word, s.Body.Name))
		return false
	case s.Body.State == commission.Concluded && p.Until == nil:
		s.close(end, membership.Concluded, "")
		w.record(s.Body.scope(), end, w.clerk(end), "seat", "end", s.ID, journal.Say("Ended the seat of %s as %s in %s", s.Person.Name, word, s.Body.Name))
		return false
	case p.Until == nil && (rest < 9*month || !w.chance(0.11)):
		return true
	}
	// It ends before the participation does, by whom it may be.
	at := end.Add(-time.Minute)
	if p.Until == nil {
		at = w.part(s.last().From.Add(5*month), end, 0.2)
	}
	by := s.last().Org.rep()
	switch n := w.random.IntN(4); {
	case p.Level == "O" && p.Until != nil && w.takesPart(p.Org, p.Body, end.Add(time.Second)): // now they vote
		s.change(end, "", func(r *row) { r.Role, r.Voting = membership.VotingRepresentative, true })
		w.record(s.Body.scope(), end, s.Body.leader(end), "seat", "edit", s.ID, journal.Say("Changed the seat of %s from %s to %s",
			s.Person.Name, membership.Word(membership.Observer), membership.Word(membership.VotingRepresentative)))
		return true
	case (n == 0 || p.Until != nil) && by != nil:
		s.close(at, membership.Recalled, "")
		w.record(s.last().Org.scope(), at, by, "seat", "recall", s.ID, journal.Say("Recalled %s as %s from %s", s.Person.Name, word, s.Body.Name))
	case n == 1:
		s.close(at, membership.Removed, w.text("removed"))
		w.record(s.Body.scope(), at, s.Body.leader(at), "seat", "edit", s.ID, journal.Say("Ended the seat of %s as %s", s.Person.Name, word))
	case n == 2 && s.Body.Term > 0 && p.Until == nil: // the term ran out
		s.last().Until = &at
		w.record(access.Portal, at, nil, "seat", "warn", s.ID, journal.Say("The term of %s as %s has ended", s.Person.Name, word))
	default:
		s.close(at, membership.Left, "")
		w.record(s.Body.scope(), at, s.Person, "seat", "leave", s.ID, journal.Say("%s left the seat of %s", s.Person.Name, word))
	}
	return false
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

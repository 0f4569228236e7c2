package membership

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Acts on many at once.
const (
	BulkRole    = "role"    // give all a role
	BulkTerm    = "term"    // end all terms on a day
	BulkEnd     = "end"     // end the seats now
	BulkApprove = "approve" // approve the applications
)

// MostBulk is how many seats or applications can be chosen at once.
const MostBulk = 200

// Bulk is an act on many seats or applications of a commission. IDs are keys,
// each perhaps with the version that was seen: "uuid" or "uuid:3".
type Bulk struct {
	Act    string
	IDs    []string
	Role   string
	Until  string // last day, YYYY-MM-DD; empty: without end
	Reason string
}

// Planned is what a bulk act does to one.
type Planned struct {
	ID      uuid.UUID `json:"id"`
	Version int       `json:"version,omitempty"`
	Name    string    `json:"name"`
	Before  Edit      `json:"-"`
	After   *Edit     `json:"-"` // nil: it ends
	For     string    `json:"organization,omitempty"`
	Skipped *problem.Error
	step    Step
	seat    *Seat // of an approved application
	app     *Application
}

// Plan is what a bulk act would do, person by person.
type Plan struct {
	Home
	Bulk
	Lines []Planned
	Done  int // how many it is carried out for
}

type chosen struct {
	id      uuid.UUID
	version int // 0: any
}

func (b *Bulk) check(acts ...string) ([]chosen, error) {
	var f problem.Fields
	if !slices.Contains(acts, b.Act) {
		f.Add("act", "Choose what to do.")
	}
	if b.Act == BulkRole && !slices.Contains(Roles, b.Role) {
		f.Add("role", "Choose a role.")
	}
	var all []chosen
	for _, text := range b.IDs {
		key, version, _ := strings.Cut(text, ":")
		id, err := uuid.Parse(key)
		if err != nil || version != "" && !digits(version) {
			f.Add("ids", "Choose seats from the list.")
			break
		}
		if !slices.ContainsFunc(all, func(c chosen) bool { return c.id == id }) {
			all = append(all, chosen{id, atoi(version)})
		}
	}
	switch {
	case len(all) == 0:
		f.Add("ids", "Choose at least one person from the list.")
	case len(all) > MostBulk:
		f.Add("ids", "Choose at most %d at a time.", MostBulk)
	}
	if err := checkReason(&b.Reason, false); err != nil {
		f.Add("reason", "Use at most %d characters.", 2000)
	}
	return all, f.Err()
}

func digits(s string) bool {
	return len(s) <= 9 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func atoi(s string) (n int) {
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}

func idsOf(all []chosen) []uuid.UUID {
	ids := make([]uuid.UUID, len(all))
	for i, c := range all {
		ids[i] = c.id
	}
	return ids
}

// PlanSeats says what Bulk would do to seats; it changes nothing.
func (s *Service) PlanSeats(ctx context.Context, who access.Actor, slug string, b Bulk) (Plan, error) {
	h, _, all, err := s.askBulk(ctx, who, slug, "seat", "edit", &b, BulkRole, BulkTerm, BulkEnd)
	if err != nil {
		return Plan{Home: h, Bulk: b}, err
	}
	return s.planSeats(ctx, s.db, who, h, b, all, journal.Now(ctx))
}

func (s *Service) askBulk(ctx context.Context, who access.Actor, slug, object, action string, b *Bulk, acts ...string) (Home, access.Permit, []chosen, error) {
	h, permit, err := s.ask(ctx, who, slug, object, action)
	if err != nil {
		return h, permit, nil, err
	}
	all, err := b.check(acts...)
	return h, permit, all, err
}

// CarrySeats carries the plan out for everybody who is not skipped, in one
// change. Who changed since the plan was seen is skipped.
func (s *Service) CarrySeats(ctx context.Context, who access.Actor, slug string, b Bulk) (Plan, error) {
	h, permit, all, err := s.askBulk(ctx, who, slug, "seat", "edit", &b, BulkRole, BulkTerm, BulkEnd)
	if err != nil {
		return Plan{Home: h, Bulk: b}, err
	}
	var plan Plan
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if plan, err = s.planSeats(ctx, tx, who, home, b, all, tx.Now); err != nil {
			return err
		}
		var steps []Step
		var were []Seat // what the seats were
		by := map[uuid.UUID][]Step{}
		var people []uuid.UUID
		for _, l := range plan.Lines {
			if l.Skipped != nil {
				continue
			}
			steps, were = append(steps, l.step), append(were, *l.step.Was)
			people = append(people, l.step.Was.PersonID)
			by[l.step.Was.PersonID] = append(by[l.step.Was.PersonID], l.step)
			note := journal.Say("Ended the seat of %s as %s", journal.Person(l.step.Was.PersonID), Word(l.step.Was.Role))
			if l.step.Next != nil {
				note = noteOf(*l.step.Was, *l.step.Next)
			}
			if err := tx.Record(l.ID, note); err != nil {
				return err
			}
		}
		if len(steps) == 0 {
			return errNobody
		}
		if err := carry(ctx, tx, steps); err != nil {
			return err
		}
		kind := "seat.changed"
		if b.Act == BulkEnd {
			kind = "seat.ended"
		}
		if err := letters.each(ctx, tx, people, kind, home.Path(), func(ctx context.Context, to uuid.UUID) mail.Note {
			n := mail.Note{}
			for i, st := range by[to] { // a person with several seats gets one letter
				one := ended(ctx, home, *st.Was, Removed, b.Reason)
				if st.Next != nil {
					one = changed(ctx, home, *st.Was, *st.Next)
				}
				if i == 0 {
					n = one
				} else {
					n.Paragraphs = append(n.Paragraphs, one.Paragraphs...)
				}
			}
			return n
		}); err != nil {
			return err
		}
		if b.Act == BulkEnd {
			if err := letters.representatives(ctx, tx, home, were, "seat.lost", lost); err != nil {
				return err
			}
		}
		return letters.send(ctx, tx)
	})
	return plan, constraint(err)
}

var errNobody = problem.New(problem.Conflict, "Nothing is left to do: everybody is skipped for the reason beside the name.")

// errDouble is the answer to a seat that a person holds already: in the same role,
// for the same organization, at the same time.
var errDouble = problem.New(problem.Conflict, "This person holds a seat in this role already.")

// errOverlap is the answer to a term that runs into another one.
var errOverlap = problem.New(problem.Conflict, "The term overlaps with that of another seat of this person in this role.")

// seatsOf reads the last rows of the seats that persons hold, or will hold.
func seatsOf(ctx context.Context, q postgres.Q, commission uuid.UUID, people []uuid.UUID, at time.Time) ([]Seat, error) {
	return postgres.All[Seat](ctx, q, `SELECT `+seatColumns+` FROM seat s
		WHERE s.commission_id = $1 AND s.person_id = ANY($2::uuid[]) AND coalesce(upper(s.period), 'infinity') > $3`, commission, postgres.IDs(people), at)
}

// meets reports whether both are held by one person in one role for one
// organization at one time, which the schema forbids.
func (s Seat) meets(o Seat) bool {
	return s.ID != o.ID && s.PersonID == o.PersonID && s.Role == o.Role && sameID(s.OrganizationID, o.OrganizationID) &&
		(s.Until == nil || o.Since.Before(*s.Until)) && (o.Until == nil || s.Since.Before(*o.Until))
}

// planSeats reads the seats (locked in a transaction) and decides on each.
func (s *Service) planSeats(ctx context.Context, q postgres.Q, who access.Actor, h Home, b Bulk, all []chosen, now time.Time) (Plan, error) {
	plan := Plan{Home: h, Bulk: b}
	var f problem.Fields
	until := (*time.Time)(nil)
	if b.Act == BulkTerm {
		until = lastDay(&f, b.Until, now, calendar.Zone(ctx))
	}
	if err := f.Err(); err != nil {
		return plan, err
	}
	seats, err := lockSeats(ctx, q, h.ID, idsOf(all))
	if err != nil {
		return plan, err
	}
	people := make([]uuid.UUID, len(seats))
	var organizations []uuid.UUID
	for i, seat := range seats {
		people[i] = seat.PersonID
		if seat.OrganizationID != nil {
			organizations = append(organizations, *seat.OrganizationID)
		}
	}
	standings, err := lockStandings(ctx, q, h.ID, now, organizations)
	if err != nil {
		return plan, err
	}
	held, err := seatsOf(ctx, q, h.ID, people, now)
	if err != nil {
		return plan, err
	}
	others, err := otherChairs(ctx, q, h.ID, now, idsOf(all))
	if err != nil {
		return plan, err
	}
	appoint := s.access.May(who, h.Scope(), "seat", "appoint")
	kept := others
	for _, seat := range seats {
		l := Planned{ID: seat.ID, Version: seat.Version, Name: seat.Name, Before: Of(seat)}
		if seat.OrganizationID != nil {
			l.For = standings[*seat.OrganizationID].Name
		}
		err := seat.planned(&l, b, until, now)
		seen := all[slices.IndexFunc(all, func(c chosen) bool { return c.id == seat.ID })].version
		switch {
		case seen != 0 && seen != seat.Version:
			err = errMoved
		case err != nil:
		case (Officer(seat.Role) || b.Act == BulkRole && Officer(b.Role)) && !appoint:
			err = problem.New(problem.Forbidden, "Only a chair or the secretariat changes the seats of officers.")
		case b.Act == BulkRole && seat.OrganizationID != nil:
			o := standings[*seat.OrganizationID]
			o.Seats--
			err = h.Admits(o, b.Role)
		}
		if err == nil && l.step.Next != nil && slices.ContainsFunc(held, l.step.Next.meets) {
			err = errDouble
			if b.Act == BulkTerm {
				err = errOverlap
			}
		}
		if err == nil {
			err = h.KeepsChair([]Step{l.step}, kept+leading(seats, seat, now), now)
		}
		if err != nil {
			p := problem.As(err)
			if p == nil {
				return plan, err
			}
			l.Skipped, l.After = p, nil
		} else {
			plan.Done++
			if l.step.Next != nil { // those after it meet it as it will be
				held = append(held, *l.step.Next)
			}
			if l.step.Next == nil || l.step.Next.Role != Chair { // it no longer leads: those after it count on it no more
				seats[slices.IndexFunc(seats, func(x Seat) bool { return x.ID == seat.ID })].Role = ""
			}
		}
		plan.Lines = append(plan.Lines, l)
	}
	return plan, nil
}

// leading counts the chairs among the chosen that still lead, besides one.
func leading(seats []Seat, besides Seat, now time.Time) int {
	n := 0
	for _, s := range seats {
		if s.ID != besides.ID && s.Leads(now) {
			n++
		}
	}
	return n
}

func sameID(a, b *uuid.UUID) bool { return a == b || a != nil && b != nil && *a == *b }

// planned decides what the act makes of one seat.
func (s Seat) planned(l *Planned, b Bulk, until *time.Time, now time.Time) (err error) {
	if b.Act == BulkEnd {
		l.step, err = s.End(Removed, b.Reason, now)
		return err
	}
	e := Of(s)
	e.Reason = b.Reason
	if b.Act == BulkTerm {
		e.Until = until
	} else {
		e.Role = b.Role // with the vote that is usual in it, or the one there was
		e.Voting = b.Role == VotingRepresentative || e.Voting && MayVote(b.Role)
	}
	if s.Same(e) {
		return problem.New(problem.Conflict, "It is so already.")
	}
	l.After = &e
	l.step, err = s.Edit(e, now)
	return err
}

// PlanApprovals says what approving many would do; it changes nothing.
func (s *Service) PlanApprovals(ctx context.Context, who access.Actor, slug string, b Bulk) (Plan, error) {
	b.Act = BulkApprove
	h, _, all, err := s.askBulk(ctx, who, slug, "application", "decide", &b, BulkApprove)
	if err != nil {
		return Plan{Home: h, Bulk: b}, err
	}
	return planApprovals(ctx, s.db, who, h, b, all, journal.Now(ctx))
}

// planApprovals reads the applications (locked in a transaction) and decides on each.
func planApprovals(ctx context.Context, q postgres.Q, who access.Actor, h Home, b Bulk, all []chosen, now time.Time) (Plan, error) {
	plan := Plan{Home: h, Bulk: b}
	if err := h.Takes(); err != nil {
		return plan, err
	}
	apps, err := lockApplications(ctx, q, h.ID, idsOf(all), now)
	if err != nil {
		return plan, err
	}
	people := make([]uuid.UUID, len(apps))
	var organizations []uuid.UUID
	for i, a := range apps {
		people[i] = a.PersonID
		if a.OrganizationID != nil {
			organizations = append(organizations, *a.OrganizationID)
		}
	}
	standings, err := lockStandings(ctx, q, h.ID, now, organizations)
	if err != nil {
		return plan, err
	}
	held, err := seatsOf(ctx, q, h.ID, people, now)
	if err != nil {
		return plan, err
	}
	for _, a := range apps {
		l := Planned{ID: a.ID, Name: a.Person, app: &a}
		if a.OrganizationName != nil {
			l.For = *a.OrganizationName
		}
		seat, err := a.approve(Approval{}, Term{now, Usual(now, h.TermMonths, calendar.Zone(ctx))}, who)
		if err == nil && a.OrganizationID != nil {
			o := standings[*a.OrganizationID]
			err = h.Admits(o, a.Role)
		}
		if err == nil && slices.ContainsFunc(held, seat.meets) {
			err = errDouble
		}
		if err != nil {
			p := problem.As(err)
			if p == nil {
				return plan, err
			}
			l.Skipped = p
		} else {
			e := Of(seat)
			l.After, l.seat = &e, &seat
			plan.Done++
			if a.OrganizationID != nil { // those after it meet the organization as it will stand
				standings[*a.OrganizationID] = standings[*a.OrganizationID].with(a.Role)
			}
		}
		plan.Lines = append(plan.Lines, l)
	}
	return plan, nil
}

// CarryApprovals approves everybody in the plan who is not skipped, in one change.
func (s *Service) CarryApprovals(ctx context.Context, who access.Actor, slug string, b Bulk) (Plan, error) {
	b.Act = BulkApprove
	h, permit, all, err := s.askBulk(ctx, who, slug, "application", "decide", &b, BulkApprove)
	if err != nil {
		return Plan{Home: h, Bulk: b}, err
	}
	var plan Plan
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if plan, err = planApprovals(ctx, tx, who, home, b, all, tx.Now); err != nil {
			return err
		}
		var seats []Seat
		var closed []decided
		var people []uuid.UUID
		by := map[uuid.UUID][]Planned{} // what each of those concerned hears of
		for _, l := range plan.Lines {
			if l.Skipped != nil {
				continue
			}
			seats = append(seats, *l.seat)
			closed = append(closed, decided{ID: l.ID, State: Approved, By: &who.ID, At: tx.Now, Seat: &l.seat.ID})
			for _, id := range l.app.concerned() {
				people = append(people, id)
				by[id] = append(by[id], l)
			}
			if err := tx.Record(l.ID, journal.Say("Approved the application of %s as %s", journal.Person(l.seat.PersonID), Word(l.seat.Role))); err != nil {
				return err
			}
			if err := tx.RecordAs("seat", "give", l.seat.ID, journal.Say("%s took a seat as %s", journal.Person(l.seat.PersonID), Word(l.seat.Role))); err != nil {
				return err
			}
		}
		if len(seats) == 0 {
			return errNobody
		}
		if err := s.give(ctx, tx, &letters, home, seats); err != nil {
			return err
		}
		if err := setDecided(ctx, tx, closed); err != nil {
			return err
		}
		if err := letters.each(ctx, tx, people, "application.approved", home.Path(), func(ctx context.Context, to uuid.UUID) mail.Note {
			var n mail.Note
			for i, l := range by[to] { // several make one letter
				one := approved(ctx, home, *l.app, *l.seat, to == l.app.PersonID)
				if i == 0 {
					n = one
				} else {
					n.Paragraphs = append(n.Paragraphs, one.Paragraphs...)
				}
			}
			return n
		}); err != nil {
			return err
		}
		return letters.send(ctx, tx)
	})
	return plan, constraint(err)
}

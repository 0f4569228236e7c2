package membership

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Applying is what the form to apply shows.
type Applying struct {
	Home
	Organizations []Standing // that the actor can stand for
	Awaited       []Awaited  // and those that they cannot yet
}

// Awaited is an organization that the actor says to act for, and cannot stand for:
// it is no member yet, or has not confirmed them.
type Awaited struct {
	Slug, Name string
	Member     bool
}

// Roles are those that the actor can ask for: some only for an organization whose
// participation goes with them.
func (a Applying) Roles() []string {
	return slices.DeleteFunc(slices.Clone(Asked), func(role string) bool {
		return represents[role] != "" && !slices.ContainsFunc(a.Organizations, func(o Standing) bool { return !problem.Of(a.Admits(o, role), problem.Invalid) })
	})
}

// Applying reads what one can apply for; who has not signed in is asked to.
func (s *Service) Applying(ctx context.Context, who access.Actor, slug string) (Applying, error) {
	h, err := s.home(ctx, who, slug, "application", "submit")
	if err != nil {
		return Applying{}, err
	}
	a := Applying{Home: h}
	list, err := choices(ctx, s.db, h.ID, who.ID, journal.Now(ctx))
	for _, c := range list {
		if c.Confirmed && c.State == "member" {
			a.Organizations = append(a.Organizations, c.Standing)
		} else {
			a.Awaited = append(a.Awaited, Awaited{c.Slug, c.Name, c.State == "member"})
		}
	}
	return a, err
}

// Outcome is what came of asking for a seat: the seat, or an application that
// waits.
type Outcome struct {
	Seat        *Seat
	Application *Application
}

// Apply asks for a seat for the actor. In an open commission it is given at once.
func (s *Service) Apply(ctx context.Context, who access.Actor, slug string, r Request) (Outcome, error) {
	h, permit, err := s.ask(ctx, who, slug, "application", "submit")
	if err != nil {
		return Outcome{}, err
	}
	if err := r.Check(); err != nil {
		return Outcome{}, err
	}
	now := journal.Now(ctx)
	a := Application{ID: uuid.Must(uuid.NewV7()), CommissionID: h.ID, PersonID: who.ID, Person: who.Name, Role: r.Role, Statement: r.Statement, State: Pending, CreatedAt: now}
	if r.Organization != "" {
		o, err := standing(ctx, s.db, h.ID, now, r.Organization)
		if err != nil {
			return Outcome{}, err
		}
		a.OrganizationID, a.Organization, a.OrganizationName = &o.ID, &o.Slug, &o.Name
	}
	return s.submit(ctx, permit, h, a, BySelf)
}

// submit puts an application in the queue, or in an open commission gives the
// seat. by says who asked, for the seat.
func (s *Service) submit(ctx context.Context, permit access.Permit, h Home, a Application, by string) (Outcome, error) {
	var out Outcome
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if out, err = s.submitIn(ctx, tx, &letters, home, a, by); err != nil {
			return err
		}
		return letters.send(ctx, tx)
	})
	return out, constraint(err)
}

// submitIn is submit inside a change that has locked the commission.
func (s *Service) submitIn(ctx context.Context, tx *journal.Tx, letters *letters, h Home, a Application, by string) (Outcome, error) {
	if err := h.join(); err != nil {
		return Outcome{}, err
	}
	if a.OrganizationID != nil {
		ok, err := affiliated(ctx, tx, a.PersonID, *a.OrganizationID, tx.Now)
		if err != nil {
			return Outcome{}, err
		}
		if !ok {
			return Outcome{}, problem.Field("organization", "%s does not act for this organization, or it has not confirmed that yet.", a.Person)
		}
		standings, err := lockStandings(ctx, tx, h.ID, tx.Now, []uuid.UUID{*a.OrganizationID})
		if err != nil {
			return Outcome{}, err
		}
		if err := h.Admits(standings[*a.OrganizationID], a.Role); err != nil {
			return Outcome{}, err
		}
		tx.For = uuid.NullUUID{UUID: *a.OrganizationID, Valid: true}
	}
	held, err := sits(ctx, tx, h.ID, a.PersonID, a.OrganizationID, a.Role, tx.Now)
	if err != nil {
		return Outcome{}, err
	}
	if held {
		return Outcome{}, problem.New(problem.Conflict, "%s holds this seat already.", a.Person)
	}
	if h.JoinMode == "open" {
		return s.takeOpen(ctx, tx, letters, h, a, by)
	}
	if err := insertApplication(ctx, tx, a); err != nil {
		return Outcome{}, err
	}
	if err := letters.officers(ctx, tx, h, "application.received", applicationPath(h, a.ID), func(ctx context.Context) mail.Note { return received(ctx, h, a) }); err != nil {
		return Outcome{}, err
	}
	if a.NominatedBy != nil {
		if err := letters.each(ctx, tx, []uuid.UUID{a.PersonID}, "seat.nominated", applicationPath(h, a.ID), func(ctx context.Context, _ uuid.UUID) mail.Note {
			return nominated(ctx, h, a)
		}); err != nil {
			return Outcome{}, err
		}
		return Outcome{Application: &a}, tx.RecordAs("application", "submit", a.ID, journal.Say("Nominated %s as %s", journal.Person(a.PersonID), Word(a.Role)))
	}
	return Outcome{Application: &a}, tx.RecordAs("application", "submit", a.ID, journal.Say("%s applied for a seat as %s", journal.Person(a.PersonID), Word(a.Role)))
}

// takeOpen gives the seat of an open commission.
func (s *Service) takeOpen(ctx context.Context, tx *journal.Tx, letters *letters, h Home, a Application, by string) (Outcome, error) {
	seat, err := a.seat(Approval{}, Term{tx.Now, Usual(tx.Now, h.TermMonths, calendar.Zone(ctx))}, by)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.give(ctx, tx, letters, h, []Seat{seat}); err != nil {
		return Outcome{}, err
	}
	if err := letters.each(ctx, tx, []uuid.UUID{seat.PersonID}, "seat.given", h.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note { return given(ctx, h, seat) }); err != nil {
		return Outcome{}, err
	}
	if err := letters.officers(ctx, tx, h, "seat.taken", h.Path(), func(ctx context.Context) mail.Note { return taken(ctx, h, seat) }); err != nil {
		return Outcome{}, err
	}
	return Outcome{Seat: &seat}, tx.RecordAs("seat", "take", seat.ID, journal.Say("%s took a seat as %s", journal.Person(a.PersonID), Word(a.Role)))
}

// Applications are those of a commission for its officers: pending ones the
// oldest first, or those decided the newest first.
func (s *Service) Applications(ctx context.Context, who access.Actor, slug string, pending bool, page keyset.Page) (Home, []Application, string, error) {
	h, err := s.home(ctx, who, slug, "application", "read")
	if err != nil {
		return h, nil, "", err
	}
	rows, err := listApplications(ctx, s.db, h.ID, pending, journal.Now(ctx), page)
	if err != nil {
		return h, nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(a Application) []string { return []string{a.CreatedAt.Format(time.RFC3339Nano), a.ID.String()} })
	return h, rows, next, nil
}

// Application reads one: for its applicant, who nominated them, and the officers.
func (s *Service) Application(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Home, Application, error) {
	h, err := homeBySlug(ctx, s.db, slug)
	if err != nil {
		return h, Application{}, err
	}
	a, err := applicationByID(ctx, s.db, h.ID, id, journal.Now(ctx))
	if who.SignedIn() && err == nil && a.PersonID != who.ID && (a.NominatedBy == nil || *a.NominatedBy != who.ID) {
		// For the officers: the page explains itself by what is asked first.
		if _, err := s.access.Require(ctx, who, h.Scope(), "application", "read"); err != nil {
			return h, Application{}, access.ErrNotFound
		}
		return h, a, nil
	}
	if _, err := s.access.Require(ctx, who, h.Scope(), "application", "submit"); err != nil { // signed in, whether it is there or not
		return h, Application{}, err
	}
	return h, a, err
}

// Known reports whether the actor may see the page of an application's person: it is
// theirs, or there is a seat of the person's on a roster that they may see.
func (s *Service) Known(ctx context.Context, who access.Actor, a Application) (bool, error) {
	if a.PersonID == who.ID || s.access.May(who, access.Portal, "person", "list") {
		return true, nil
	}
	sight := access.See(ctx, who)
	var w postgres.Where
	w.And("t.person_id = ? AND t.period @> ?::timestamptz AND p.state = 'active'", a.PersonID, journal.Now(ctx))
	w.And(sight.Roster(&w, "c.roster_visibility", "c.id"))
	rows, err := postgres.All[int](ctx, s.db, `SELECT 1 FROM seat t JOIN commission c ON c.id = t.commission_id JOIN person p ON p.id = t.person_id WHERE `+w.SQL()+` LIMIT 1`, w.Args()...)
	return len(rows) > 0, err
}

// Withdraw takes back one's own application, or that of a person one nominated.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Application, error) {
	h, permit, err := s.ask(ctx, who, slug, "application", "withdraw")
	if err != nil {
		return Application{}, err
	}
	a, err := applicationByID(ctx, s.db, h.ID, id, journal.Now(ctx))
	if err != nil {
		return a, err
	}
	if a.PersonID != who.ID && (a.NominatedBy == nil || *a.NominatedBy != who.ID) {
		return Application{}, access.ErrNotFound
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		if _, err := lockHome(ctx, tx, h.ID); err != nil {
			return err
		}
		if a, err = lockApplication(ctx, tx, h.ID, id, tx.Now); err != nil {
			return err
		}
		if err := a.Decidable(); err != nil {
			return err
		}
		if err := setDecided(ctx, tx, []decided{{ID: id, State: Withdrawn, By: &who.ID, At: tx.Now}}); err != nil {
			return err
		}
		a.State, a.DecidedAt = Withdrawn, &tx.Now
		if err := letters.officers(ctx, tx, h, "application.withdrawn", applicationPath(h, id), func(ctx context.Context) mail.Note { return withdrawn(ctx, h, a) }); err != nil {
			return err
		}
		others := slices.DeleteFunc(a.concerned(), func(id uuid.UUID) bool { return id == who.ID })
		if err := letters.each(ctx, tx, others, "application.withdrawn", applicationPath(h, id), func(ctx context.Context, to uuid.UUID) mail.Note {
			return undone(ctx, h, a, to == a.PersonID)
		}); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		if a.OrganizationID != nil {
			tx.For = uuid.NullUUID{UUID: *a.OrganizationID, Valid: true}
		}
		return tx.Record(id, journal.Say("%s withdrew the application as %s", journal.Person(a.PersonID), Word(a.Role)))
	})
	return a, err
}

// Approve gives the applicant a seat. Of two officers who decide at once exactly
// one succeeds; the other is told who was first.
func (s *Service) Approve(ctx context.Context, who access.Actor, slug string, id uuid.UUID, with Approval) (Seat, error) {
	h, permit, err := s.ask(ctx, who, slug, "application", "decide")
	if err != nil {
		return Seat{}, err
	}
	if Officer(with.Role) {
		if _, err := s.access.Require(ctx, who, h.Scope(), "seat", "appoint"); err != nil {
			return Seat{}, err
		}
	}
	var f problem.Fields
	term := with.Term(&f, journal.Now(ctx), calendar.Zone(ctx), h.TermMonths)
	if err := f.Err(); err != nil {
		return Seat{}, err
	}
	var seat Seat
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		a, err := lockApplication(ctx, tx, h.ID, id, tx.Now)
		if err != nil {
			return err
		}
		if seat, err = a.approve(with, term, who); err != nil {
			return err
		}
		if err := s.give(ctx, tx, &letters, home, []Seat{seat}); err != nil {
			return err
		}
		if err := setDecided(ctx, tx, []decided{{ID: id, State: Approved, By: &who.ID, At: tx.Now, Seat: &seat.ID}}); err != nil {
			return err
		}
		if err := letters.each(ctx, tx, a.concerned(), "application.approved", applicationPath(h, id), func(ctx context.Context, to uuid.UUID) mail.Note {
			return approved(ctx, home, a, seat, to == a.PersonID)
		}); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		if err := tx.Record(id, journal.Say("Approved the application of %s as %s", journal.Person(a.PersonID), Word(seat.Role))); err != nil {
			return err
		}
		return tx.RecordAs("seat", "give", seat.ID, journal.Say("%s took a seat as %s", journal.Person(a.PersonID), Word(seat.Role)).Changed(nil, kept(seat)))
	})
	return seat, constraint(err)
}

// approve checks a and makes its seat.
func (a Application) approve(with Approval, term Term, who access.Actor) (Seat, error) {
	if err := a.Approvable(); err != nil {
		return Seat{}, err
	}
	by := appointer(who)
	if a.NominatedBy != nil {
		by = ByOrganization
	}
	return a.seat(with, term, by)
}

// concerned are who hears of a decision: the applicant, and who nominated them.
func (a Application) concerned() []uuid.UUID {
	ids := []uuid.UUID{a.PersonID}
	if a.NominatedBy != nil {
		ids = append(ids, *a.NominatedBy)
	}
	return ids
}

// Reject refuses an application for a reason that the applicant reads.
func (s *Service) Reject(ctx context.Context, who access.Actor, slug string, id uuid.UUID, reason string) (Application, error) {
	h, permit, err := s.ask(ctx, who, slug, "application", "decide")
	if err != nil {
		return Application{}, err
	}
	if err := checkReason(&reason, true); err != nil {
		return Application{}, err
	}
	var a Application
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		if _, err := lockHome(ctx, tx, h.ID); err != nil {
			return err
		}
		if a, err = lockApplication(ctx, tx, h.ID, id, tx.Now); err != nil {
			return err
		}
		if err := a.Decidable(); err != nil {
			return err
		}
		if err := setDecided(ctx, tx, []decided{{ID: id, State: Rejected, By: &who.ID, At: tx.Now, Reason: reason}}); err != nil {
			return err
		}
		a.State, a.Reason, a.DecidedAt, a.Decider = Rejected, reason, &tx.Now, &who.Name
		if err := letters.each(ctx, tx, a.concerned(), "application.rejected", applicationPath(h, id), func(ctx context.Context, to uuid.UUID) mail.Note {
			return rejected(ctx, h, a, to == a.PersonID)
		}); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.Record(id, journal.Say("Rejected the application of %s as %s", journal.Person(a.PersonID), Word(a.Role)))
	})
	return a, err
}

func applicationPath(h Home, id uuid.UUID) string { return h.Path() + "/applications/" + id.String() }

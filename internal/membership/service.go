package membership

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Service has the operations on seats: all that the doors may call.
type Service struct {
	db     *postgres.DB
	access *access.Policy
	post   *mail.Post
	// Participate, if set, begins an organization's participation at a level when
	// the first of its people takes a seat that needs it.
	Participate func(ctx context.Context, tx *journal.Tx, organization, commission uuid.UUID, level string) error
	// Affiliate, if set, makes a person act for an organization: one who accepts the
	// invitation of its primary representative.
	Affiliate func(ctx context.Context, tx *journal.Tx, person, organization uuid.UUID) error
}

// New makes the service.
func New(db *postgres.DB, policy *access.Policy, post *mail.Post) *Service {
	return &Service{db: db, access: policy, post: post}
}

// Home reads a commission that the actor may see, for the pages of membership.
func (s *Service) Home(ctx context.Context, who access.Actor, slug string) (Home, error) {
	return s.home(ctx, who, slug, "commission", "read")
}

// home reads a commission and asks for a right in it.
func (s *Service) home(ctx context.Context, who access.Actor, slug, object, action string) (Home, error) {
	h, _, err := s.ask(ctx, who, slug, object, action)
	return h, err
}

func (s *Service) ask(ctx context.Context, who access.Actor, slug, object, action string) (Home, access.Permit, error) {
	h, err := homeBySlug(ctx, s.db, slug)
	if err != nil {
		return h, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, h.Scope(), object, action)
	return h, permit, err
}

// Placing is an appointment: a person, by id or by e-mail address, into a seat.
type Placing struct {
	Person       string // uuid or e-mail address
	Organization string // slug, or "" in a personal capacity
	Role         string
	Voting       *bool
	Election     bool // appointed by an election of the commission, not by its chair
	Terms
}

// candidate is somebody who can be appointed.
type candidate struct {
	ID   uuid.UUID `db:"id"`
	Name string    `db:"name"`
}

// errCandidate is the same for one who has no account: who convenes or leads a
// commission does not learn who has.
var errCandidate = problem.Field("person", "Appoint someone who holds a seat here, has supported this commission or convenes it. Invite others: they get a letter and take the seat themselves.")

// Appoint gives a person a seat. It is for those who belong to the commission
// already (holders of a seat, supporters, the convener), who thereby agreed to be
// in it; the secretariat may appoint anybody. Officers' roles need the right to
// appoint.
func (s *Service) Appoint(ctx context.Context, who access.Actor, slug string, p Placing) (Seat, error) {
	action := "edit"
	if Officer(p.Role) {
		action = "appoint"
	}
	h, permit, err := s.ask(ctx, who, slug, "seat", action)
	if err != nil {
		return Seat{}, err
	}
	now, zone := journal.Now(ctx), calendar.Zone(ctx)
	var f problem.Fields
	term := p.Term(&f, now, zone, h.TermMonths)
	if p.Person == "" {
		f.Add("person", "Say who: the e-mail address of the person.")
	}
	if !slices.Contains(Roles, p.Role) {
		f.Add("role", "Choose a role.")
	}
	if err := f.Err(); err != nil {
		return Seat{}, err
	}
	seat := Seat{ID: uuid.Must(uuid.NewV7()), CommissionID: h.ID, Role: p.Role, Since: term.From, Until: term.Until,
		Voting: p.Role == VotingRepresentative, AppointedBy: appointer(who), Version: 1}
	if p.Voting != nil {
		seat.Voting = *p.Voting
	}
	if p.Election {
		seat.AppointedBy = ByElection
	}
	person, err := candidateBy(ctx, s.db, h.ID, p.Person, who.Secretariat(), now)
	if err != nil {
		return Seat{}, err
	}
	seat.PersonID, seat.Name = person.ID, person.Name
	if p.Organization != "" {
		o, err := standing(ctx, s.db, h.ID, now, p.Organization)
		if err != nil {
			return Seat{}, err
		}
		seat.OrganizationID = &o.ID
	}
	if err := seat.check(); err != nil {
		return Seat{}, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if seat.OrganizationID != nil {
			ok, err := affiliated(ctx, tx, seat.PersonID, *seat.OrganizationID, tx.Now)
			if err != nil {
				return err
			}
			if !ok {
				return problem.Field("organization", "%s does not act for this organization, or it has not confirmed that yet.", seat.Name)
			}
		}
		if err := s.give(ctx, tx, &letters, home, []Seat{seat}); err != nil {
			return err
		}
		if err := letters.each(ctx, tx, []uuid.UUID{seat.PersonID}, "seat.given", home.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note {
			return given(ctx, home, seat)
		}); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.Record(seat.ID, journal.Say("Appointed %s as %s", journal.Person(seat.PersonID), Word(seat.Role)).Changed(nil, kept(seat)))
	})
	return seat, constraint(err)
}

// appointer is as what the actor gives a seat: of the secretariat, or an officer of
// the commission.
func appointer(who access.Actor) string {
	if who.Secretariat() {
		return BySecretariat
	}
	return ByChair
}

func candidateBy(ctx context.Context, q postgres.Q, commission uuid.UUID, person string, anybody bool, now time.Time) (candidate, error) {
	id, err := uuid.Parse(person)
	if err != nil {
		id = uuid.Nil
	}
	return postgres.One[candidate](ctx, q, errCandidate, `SELECT p.id, p.name FROM person p
		WHERE (p.id = $2 OR p.email = lower($3)) AND p.state = 'active' AND p.confirmed_at IS NOT NULL AND ($4
			OR EXISTS (SELECT FROM seat WHERE person_id = p.id AND commission_id = $1 AND period @> $5::timestamptz)
			OR EXISTS (SELECT FROM support WHERE person_id = p.id AND commission_id = $1)
			OR EXISTS (SELECT FROM commission WHERE id = $1 AND convener_id = p.id))`, commission, id, person, anybody, now)
}

// give writes new seats into a locked commission: organizations are members, at
// the right level and within their limit; one that takes part for the first time
// begins its participation. The organization's primary representatives hear of it.
func (s *Service) give(ctx context.Context, tx *journal.Tx, letters *letters, h Home, seats []Seat) error {
	if err := h.Takes(); err != nil {
		return err
	}
	var ids []uuid.UUID
	for _, seat := range seats {
		if seat.OrganizationID != nil && !slices.Contains(ids, *seat.OrganizationID) {
			ids = append(ids, *seat.OrganizationID)
		}
	}
	standings, err := lockStandings(ctx, tx, h.ID, tx.Now, ids)
	if err != nil {
		return err
	}
	steps := make([]Step, len(seats))
	begin := map[uuid.UUID]string{} // level of a first participation
	for i := range seats {
		seat := seats[i]
		if seat.OrganizationID != nil {
			o := standings[*seat.OrganizationID]
			if err := h.Admits(o, seat.Role); err != nil {
				return err
			}
			if next := o.with(seat.Role); o.Level == nil && next.Level != nil {
				begin[o.ID] = *next.Level
			}
			standings[o.ID] = o.with(seat.Role)
		}
		steps[i] = Step{Next: &seat}
	}
	if s.Participate != nil {
		for id, l := range begin {
			if err := s.Participate(ctx, tx, id, h.ID, l); err != nil {
				return err
			}
		}
	}
	if err := carry(ctx, tx, steps); err != nil {
		return err
	}
	return letters.representatives(ctx, tx, h, seats, "seat.gained", gained)
}

// Change edits a seat from the version that was seen. Officers' roles, given or
// taken away, need the right to appoint. change gets the seat as it stands.
func (s *Service) Change(ctx context.Context, who access.Actor, slug string, id uuid.UUID, version int, change func(Seat, Home) (Edit, error)) (Seat, error) {
	h, was, permit, err := s.askSeat(ctx, who, slug, id)
	if err != nil {
		return Seat{}, err
	}
	if was.Version != version {
		return Seat{}, errMoved
	}
	e, err := change(was, h)
	if err != nil {
		return Seat{}, err
	}
	if err := checkReason(&e.Reason, e.Suspended && !was.Suspended); err != nil {
		return Seat{}, err
	}
	if Officer(e.Role) && !Officer(was.Role) {
		if permit, err = s.access.Require(ctx, who, h.Scope(), "seat", "appoint"); err != nil {
			return Seat{}, err
		}
	}
	if was.Same(e) {
		return was, nil
	}
	var next Seat
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		was, err := lockSeat(ctx, tx, h.ID, id)
		if err != nil {
			return err
		}
		if was.Version != version {
			return errMoved
		}
		step, err := was.Edit(e, tx.Now)
		if err != nil {
			return err
		}
		if err := s.fits(ctx, tx, home, was, *step.Next); err != nil {
			return err
		}
		if err := keepsChair(ctx, tx, home, []Step{step}, tx.Now); err != nil {
			return err
		}
		if err := carry(ctx, tx, []Step{step}); err != nil {
			return err
		}
		next = *step.Next
		if err := letters.each(ctx, tx, []uuid.UUID{next.PersonID}, "seat.changed", home.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note {
			return changed(ctx, home, was, next)
		}); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.Record(id, noteOf(was, next))
	})
	if postgres.Constraint(err) == "seat_no_double" && e.Role == was.Role {
		err = &problem.Error{Kind: problem.Conflict, Fields: []problem.FieldError{{Field: "until", Format: errOverlap.Format}}}
	}
	return next, constraint(err)
}

// fits asks again for the organization's level when the role changes.
func (s *Service) fits(ctx context.Context, tx *journal.Tx, h Home, was, next Seat) error {
	if next.OrganizationID == nil || next.Role == was.Role {
		return nil
	}
	standings, err := lockStandings(ctx, tx, h.ID, tx.Now, []uuid.UUID{*next.OrganizationID})
	if err != nil {
		return err
	}
	o := standings[*next.OrganizationID]
	o.Seats-- // this very seat
	return h.Admits(o, next.Role)
}

// noteOf is what the journal says of a change.
func noteOf(was, next Seat) journal.Note {
	var n journal.Note
	who := journal.Person(was.PersonID)
	switch {
	case next.Suspended && !was.Suspended:
		n = journal.Say("Suspended the seat of %s", who)
	case was.Suspended && !next.Suspended:
		n = journal.Say("Lifted the suspension of the seat of %s", who)
	case next.Role != was.Role:
		n = journal.Say("Changed the seat of %s from %s to %s", who, Word(was.Role), Word(next.Role))
	case next.Voting != was.Voting && next.Voting:
		n = journal.Say("Gave the seat of %s a vote", who)
	case next.Voting != was.Voting:
		n = journal.Say("Took the vote from the seat of %s", who)
	default:
		n = journal.Say("Changed the term of %s", who)
	}
	return n.Changed(kept(was), kept(next))
}

// kept is what the journal keeps of a seat.
func kept(s Seat) map[string]any {
	return map[string]any{"role": s.Role, "voting": s.Voting, "suspended": s.Suspended, "until": s.Until}
}

// askSeat reads a seat and asks for the right to change it: an officer's seat is
// for who appoints officers.
func (s *Service) askSeat(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Home, Seat, access.Permit, error) {
	h, permit, err := s.ask(ctx, who, slug, "seat", "edit")
	if err != nil {
		return h, Seat{}, permit, err
	}
	seat, err := seatByID(ctx, s.db, h.ID, id)
	if err == nil && Officer(seat.Role) {
		permit, err = s.access.Require(ctx, who, h.Scope(), "seat", "appoint")
	}
	return h, seat, permit, err
}

// keepsChair counts the chairs that are not in the steps and asks Home.KeepsChair.
func keepsChair(ctx context.Context, q postgres.Q, h Home, steps []Step, now time.Time) error {
	var ids []uuid.UUID
	leads := false
	for _, st := range steps {
		if st.Was != nil {
			ids = append(ids, st.Was.ID)
			leads = leads || st.Was.Leads(now)
		}
	}
	if !leads || h.State != "active" {
		return nil
	}
	others, err := otherChairs(ctx, q, h.ID, now, ids)
	if err != nil {
		return err
	}
	return h.KeepsChair(steps, others, now)
}

// End ends a seat that somebody else holds, from the version that was seen.
func (s *Service) End(ctx context.Context, who access.Actor, slug string, id uuid.UUID, version int, reason string) error {
	h, seat, permit, err := s.askSeat(ctx, who, slug, id)
	if err != nil {
		return err
	}
	if version != seat.Version {
		return errMoved
	}
	if err := checkReason(&reason, false); err != nil {
		return err
	}
	return s.end(ctx, permit, h, id, version, Removed, reason, "Ended the seat of %s as %s")
}

// Leave ends one's own seat.
func (s *Service) Leave(ctx context.Context, who access.Actor, slug string, id uuid.UUID) error {
	h, permit, err := s.ask(ctx, who, slug, "seat", "leave")
	if err != nil {
		return err
	}
	seat, err := seatByID(ctx, s.db, h.ID, id)
	if err != nil {
		return err
	}
	if seat.PersonID != who.ID {
		return access.ErrNotFound
	}
	return s.end(ctx, permit, h, id, seat.Version, Left, "", "%s left the seat of %s")
}

// end ends a seat and tells whom it concerns: the holder, or for a seat that was
// left the officers; and the organization that it was held for.
func (s *Service) end(ctx context.Context, permit access.Permit, h Home, id uuid.UUID, version int, why, reason, note string) error {
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		was, err := lockSeat(ctx, tx, h.ID, id)
		if err != nil {
			return err
		}
		step, err := was.End(why, reason, tx.Now)
		if err != nil {
			return err
		}
		if was.Version != version {
			return errMoved
		}
		if err := keepsChair(ctx, tx, home, []Step{step}, tx.Now); err != nil {
			return err
		}
		if err := carry(ctx, tx, []Step{step}); err != nil {
			return err
		}
		if why == Left {
			tx.Represents(was.OrganizationID)
			err = letters.officers(ctx, tx, home, "seat.left", home.Path()+"/roster", func(ctx context.Context) mail.Note { return left(ctx, home, was) })
		} else {
			err = letters.each(ctx, tx, []uuid.UUID{was.PersonID}, "seat.ended", home.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note {
				return ended(ctx, home, was, why, reason)
			})
		}
		if err == nil {
			err = letters.representatives(ctx, tx, home, []Seat{was}, "seat.lost", lost)
		}
		if err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.Record(id, journal.Say(note, journal.Person(was.PersonID), Word(was.Role)))
	})
}

// NameIn is the name of a person who holds a seat in the commission; "" for
// anybody else. It is for those who appoint, whom the form asks before.
func (s *Service) NameIn(ctx context.Context, h Home, person uuid.UUID) (string, error) {
	names, err := postgres.All[string](ctx, s.db, `SELECT sort_name FROM seat WHERE commission_id = $1 AND person_id = $2 AND period @> $3::timestamptz LIMIT 1`, h.ID, person, journal.Now(ctx))
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[0], nil
}

func itoa(n int) string { return strconv.Itoa(n) }

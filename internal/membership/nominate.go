package membership

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Party is an organization as its seats need it.
type Party struct {
	ID    uuid.UUID `db:"id"`
	Slug  string    `db:"slug"`
	Name  string    `db:"name"`
	State string    `db:"state"`
}

// Path is the address of its page.
func (p Party) Path() string { return "/organizations/" + p.Slug }

// Scope is the scope that access decides about the organization in.
func (p Party) Scope() access.Scope { return access.Organization(p.ID) }

func (s *Service) askParty(ctx context.Context, who access.Actor, slug, action string) (Party, access.Permit, error) {
	p, err := postgres.One[Party](ctx, s.db, access.ErrNotFound, `SELECT id, slug, name, state FROM organization WHERE slug = $1 AND state <> 'merged'`, slug)
	if err != nil {
		return p, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, p.Scope(), "seat", action)
	return p, permit, err
}

// Held is a seat of an organization, in whichever commission.
type Held struct {
	ID             uuid.UUID  `db:"id" json:"id"`
	Commission     string     `db:"commission_slug" json:"commission"`
	CommissionName string     `db:"commission_name" json:"commission_name"`
	PersonID       uuid.UUID  `db:"person_id" json:"person_id"`
	Name           string     `db:"sort_name" json:"name"`
	Role           string     `db:"role" json:"role"`
	Voting         bool       `db:"voting" json:"voting"`
	Suspended      bool       `db:"suspended" json:"suspended"`
	Since          time.Time  `db:"since" json:"since"`
	Until          *time.Time `db:"until" json:"until,omitempty"`
	Version        int        `db:"version" json:"version"`
	Rank           int        `db:"rank" json:"-"`
}

// Holdings are a page of an organization's seats as of an instant, by
// commission, role and name: for its primary representatives.
func (s *Service) Holdings(ctx context.Context, who access.Actor, slug string, at time.Time, page keyset.Page) (Party, []Held, string, error) {
	p, _, err := s.askParty(ctx, who, slug, "nominate")
	if err != nil {
		return p, nil, "", err
	}
	var w postgres.Where
	w.And("s.organization_id = ?", p.ID)
	w.And("s.period @> ?::timestamptz", at)
	w.If(page.After != nil, `(c.name, s.rank, s.sort_name, s.id) > (? COLLATE "und-x-icu", ?::smallint, ? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1), page.Key(2), page.Key(3))
	rows, err := postgres.All[Held](ctx, s.db, `SELECT s.id, c.slug AS commission_slug, c.name AS commission_name, s.person_id, s.sort_name, s.role, s.rank, s.voting,
			s.suspended, s.since, upper(s.period) AS until, s.version
		FROM seat s JOIN commission c ON c.id = s.commission_id
		WHERE `+w.SQL()+` ORDER BY c.name, s.rank, s.sort_name, s.id LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	if err != nil {
		return p, nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(h Held) []string { return []string{h.CommissionName, itoa(h.Rank), h.Name, h.ID.String()} })
	return p, rows, next, nil
}

// Place is a commission that an organization takes part in.
type Place struct {
	Slug     string `db:"slug"`
	Name     string `db:"name"`
	Level    string `db:"level"`
	JoinMode string `db:"join_mode"`
}

// Nominating is what the form to nominate, or to replace, shows.
type Nominating struct {
	Party
	Places []Place
	People []candidate
	Held   *Held // the seat whose holder is to be replaced or recalled
}

// Nominating reads whom an organization can send, and where to.
func (s *Service) Nominating(ctx context.Context, who access.Actor, slug string) (Nominating, error) {
	p, _, err := s.askParty(ctx, who, slug, "nominate")
	if err != nil {
		return Nominating{}, err
	}
	n, now := Nominating{Party: p}, journal.Now(ctx)
	n.Places, err = postgres.All[Place](ctx, s.db, `SELECT c.slug, c.name, p.level, c.join_mode FROM participation p JOIN commission c ON c.id = p.commission_id
		WHERE p.organization_id = $1 AND p.period @> $2::timestamptz AND c.state IN ('forming', 'active') ORDER BY c.name LIMIT 500`, p.ID, now)
	if err == nil {
		n.People, err = people(ctx, s.db, p.ID, now)
	}
	return n, err
}

func people(ctx context.Context, q postgres.Q, organization uuid.UUID, at time.Time) ([]candidate, error) {
	return postgres.All[candidate](ctx, q, `SELECT p.id, p.name FROM affiliation a JOIN person p ON p.id = a.person_id
		WHERE a.organization_id = $1 AND a.state = 'confirmed' AND a.period @> $2::timestamptz AND p.state = 'active' ORDER BY p.name LIMIT 1000`, organization, at)
}

// Nomination sends a person of an organization into a commission: one who acts
// for it, by id, or anybody by e-mail address, who is then invited for it.
type Nomination struct {
	Commission string // slug
	Person     string // uuid
	Email      string
	Role       string
	Statement  string
}

// Nominate gives the seat in an open commission and asks for it in one where
// officers decide on applications. The organization must take part, at the level
// that the role is for.
func (s *Service) Nominate(ctx context.Context, who access.Actor, slug string, n Nomination) (Outcome, *Invitation, error) {
	p, permit, err := s.askParty(ctx, who, slug, "nominate")
	if err != nil {
		return Outcome{}, nil, err
	}
	now := journal.Now(ctx)
	var f problem.Fields
	check.OneOf(&f, "role", n.Role, VotingRepresentative, AlternateRepresentative, Observer, LiaisonOfficer)
	check.Text(&f, "statement", &n.Statement, 0, 2000)
	h, err := homeBySlug(ctx, s.db, n.Commission)
	if problem.Of(err, problem.NotFound) {
		f.Add("commission", "Choose a commission that %s takes part in.", p.Name)
	} else if err != nil {
		return Outcome{}, nil, err
	}
	if n.Email != "" {
		check.Email(&f, "email", &n.Email)
	} else if n.Person == "" {
		f.Add("person", "Choose a person, or give an e-mail address.")
	}
	if err := f.Err(); err != nil {
		return Outcome{}, nil, err
	}
	o, err := standing(ctx, s.db, h.ID, now, slug)
	switch {
	case err != nil:
		return Outcome{}, nil, err
	case o.Level == nil:
		return Outcome{}, nil, problem.Field("commission", "%s does not take part in %s yet. Ask for participation first.", p.Name, h.Name)
	case *o.Level != level(n.Role):
		return Outcome{}, nil, problem.Field("role", "%s takes part in this commission as %s, which does not go with this role.", p.Name, levelWords[*o.Level])
	}
	if err := h.join(); err != nil {
		return Outcome{}, nil, err
	}
	person, err := s.affiliate(ctx, p, n.Person, n.Email, now)
	if err != nil {
		return Outcome{}, nil, err
	}
	if person == nil {
		i, err := s.inviteFor(ctx, permit, who, h, p, n, now)
		return Outcome{}, i, err
	}
	a := Application{ID: uuid.Must(uuid.NewV7()), CommissionID: h.ID, PersonID: person.ID, Person: person.Name, OrganizationID: &p.ID, Organization: &p.Slug, OrganizationName: &p.Name,
		NominatedBy: &who.ID, Role: n.Role, Statement: n.Statement, State: Pending, CreatedAt: now}
	out, err := s.submit(ctx, permit, h, a, ByOrganization)
	return out, nil, err
}

// affiliate finds who acts for an organization, by id or address; nil if nobody
// with that address does, Invalid if nobody with that id does.
func (s *Service) affiliate(ctx context.Context, p Party, id, email string, now time.Time) (*candidate, error) {
	key, err := uuid.Parse(id)
	if err != nil {
		key = uuid.Nil
	}
	rows, err := postgres.All[candidate](ctx, s.db, `SELECT p.id, p.name FROM person p JOIN affiliation a ON a.person_id = p.id
		WHERE (p.id = $1 OR p.email = $2) AND a.organization_id = $3 AND a.state = 'confirmed' AND a.period @> $4::timestamptz AND p.state = 'active' LIMIT 1`, key, email, p.ID, now)
	switch {
	case err != nil:
		return nil, err
	case len(rows) > 0:
		return &rows[0], nil
	case email == "":
		return nil, problem.Field("person", "Choose somebody who acts for %s.", p.Name)
	}
	return nil, nil
}

func (s *Service) inviteFor(ctx context.Context, permit access.Permit, who access.Actor, h Home, p Party, n Nomination, now time.Time) (*Invitation, error) {
	known, err := knownAddresses(ctx, s.db, h.ID, []string{n.Email}, n.Role, &p.ID, now)
	if err != nil {
		return nil, err
	}
	if known[n.Email].Invited {
		return nil, problem.Field("email", "This person has an invitation to %s already, which is still good.", h.Name)
	}
	i := Invitation{CommissionID: h.ID, Email: n.Email, Role: n.Role, Organization: &p.Slug, OrganizationID: &p.ID, OrganizationName: &p.Name, Message: n.Statement, State: Pending,
		InvitedBy: who.ID, Inviter: who.Name, AppointedBy: ByOrganization, CreatedAt: now, ExpiresAt: now.AddDate(0, 0, InvitedDays)}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := lockHome(ctx, tx, h.ID); err != nil {
			return err
		}
		tx.For = uuid.NullUUID{UUID: p.ID, Valid: true}
		return s.offer(ctx, tx, h, i, []string{n.Email})
	})
	return &i, constraint(err)
}

// Holding reads one seat of an organization, to be replaced or recalled.
func (s *Service) Holding(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Nominating, error) {
	p, _, err := s.askParty(ctx, who, slug, "replace")
	if err != nil {
		return Nominating{}, err
	}
	now := journal.Now(ctx)
	held, err := postgres.One[Held](ctx, s.db, access.ErrNotFound, `SELECT s.id, c.slug AS commission_slug, c.name AS commission_name, s.person_id, s.sort_name, s.role, s.rank, s.voting,
			s.suspended, s.since, upper(s.period) AS until, s.version
		FROM seat s JOIN commission c ON c.id = s.commission_id
		WHERE s.id = $1 AND s.organization_id = $2 AND coalesce(upper(s.period), 'infinity') > $3 ORDER BY s.since DESC LIMIT 1`, id, p.ID, now)
	if err != nil {
		return Nominating{}, err
	}
	n := Nominating{Party: p, Held: &held}
	n.People, err = people(ctx, s.db, p.ID, now)
	return n, err
}

// errNotTheirs is the answer where an organization would change an officer.
var errNotTheirs = problem.New(problem.Conflict, "The commission appoints its officers; an organization replaces and recalls its representatives, observers and liaison officers.")

// Replace sends another person of the organization to a seat: it ends and a new
// one that follows it begins at the same instant with its role, vote and term.
// The seat was approved, so replacing needs nobody's approval (ISO/IEC practice).
func (s *Service) Replace(ctx context.Context, who access.Actor, slug string, id uuid.UUID, person string) (Seat, error) {
	p, permit, err := s.askParty(ctx, who, slug, "replace")
	if err != nil {
		return Seat{}, err
	}
	next, err := s.affiliate(ctx, p, person, "", journal.Now(ctx))
	if err != nil {
		return Seat{}, err
	}
	var seat Seat
	err = s.withOwn(ctx, permit, p, id, func(tx *journal.Tx, letters *letters, h Home, was Seat) error {
		acts, err := affiliated(ctx, tx, next.ID, p.ID, tx.Now)
		if err == nil && !acts {
			err = problem.Field("person", "Choose somebody who acts for %s.", p.Name)
		}
		if err != nil {
			return err
		}
		standings, err := lockStandings(ctx, tx, h.ID, tx.Now, []uuid.UUID{p.ID})
		if err != nil {
			return err
		}
		if o := standings[p.ID]; o.State != "member" {
			return h.Admits(o, was.Role)
		}
		steps, err := was.Replace(next.ID, next.Name, tx.Now)
		if err != nil {
			return err
		}
		if err := carry(ctx, tx, steps); err != nil {
			return err
		}
		seat = *steps[1].Next
		if err := letters.each(ctx, tx, []uuid.UUID{was.PersonID, next.ID}, "seat.replaced", h.Path(), func(ctx context.Context, to uuid.UUID) mail.Note {
			return replaced(ctx, h, was, seat, to == was.PersonID)
		}); err != nil {
			return err
		}
		if err := letters.officers(ctx, tx, h, "seat.replaced", h.Path(), func(ctx context.Context) mail.Note { return successor(ctx, h, p, was, seat) }); err != nil {
			return err
		}
		if err := tx.RecordAs("seat", "replace", was.ID, journal.Say("Replaced %s by %s as %s in %s", journal.Person(was.PersonID), journal.Person(seat.PersonID), Word(was.Role), h.Name)); err != nil {
			return err
		}
		return tx.RecordAs("seat", "give", seat.ID, journal.Say("%s followed %s as %s in %s", journal.Person(seat.PersonID), journal.Person(was.PersonID), Word(was.Role), h.Name))
	})
	return seat, constraint(err)
}

// Recall ends a seat of the organization without a successor.
func (s *Service) Recall(ctx context.Context, who access.Actor, slug string, id uuid.UUID) error {
	p, permit, err := s.askParty(ctx, who, slug, "recall")
	if err != nil {
		return err
	}
	return s.withOwn(ctx, permit, p, id, func(tx *journal.Tx, letters *letters, h Home, was Seat) error {
		step, err := was.End(Recalled, "", tx.Now)
		if err != nil {
			return err
		}
		if err := carry(ctx, tx, []Step{step}); err != nil {
			return err
		}
		if err := letters.each(ctx, tx, []uuid.UUID{was.PersonID}, "seat.recalled", h.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note { return ended(ctx, h, was, Recalled, "") }); err != nil {
			return err
		}
		if err := letters.officers(ctx, tx, h, "seat.recalled", h.Path(), func(ctx context.Context) mail.Note { return recalled(ctx, h, p, was) }); err != nil {
			return err
		}
		return tx.RecordAs("seat", "recall", id, journal.Say("Recalled %s as %s from %s", journal.Person(was.PersonID), Word(was.Role), h.Name))
	})
}

// withOwn runs fn on a seat of the organization, with its commission and itself
// locked.
func (s *Service) withOwn(ctx context.Context, permit access.Permit, p Party, id uuid.UUID, fn func(*journal.Tx, *letters, Home, Seat) error) error {
	commission, err := postgres.One[uuid.UUID](ctx, s.db, access.ErrNotFound, `SELECT commission_id FROM seat WHERE id = $1 AND organization_id = $2 LIMIT 1`, id, p.ID)
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		tx.For = uuid.NullUUID{UUID: p.ID, Valid: true}
		h, err := lockHome(ctx, tx, commission)
		if err != nil {
			return err
		}
		was, err := lockSeat(ctx, tx, commission, id)
		if err != nil {
			return err
		}
		if was.OrganizationID == nil || *was.OrganizationID != p.ID {
			return access.ErrNotFound
		}
		if Officer(was.Role) {
			return errNotTheirs
		}
		if err := fn(tx, &letters, h, was); err != nil {
			return err
		}
		return letters.send(ctx, tx)
	})
}

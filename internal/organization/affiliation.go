package organization

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// States of an affiliation.
const (
	Claimed       = "claimed"   // said by the person, not confirmed yet
	Confirmed     = "confirmed" // the person acts for the organization
	DeclinedClaim = "declined"
)

// Affiliation says that a person acts for an organization, and since when.
type Affiliation struct {
	ID               uuid.UUID  `db:"id" json:"id"`
	PersonID         uuid.UUID  `db:"person_id" json:"person_id"`
	Name             string     `db:"person_name" json:"name"`
	Email            string     `db:"email" json:"email"`
	OrganizationID   uuid.UUID  `db:"organization_id" json:"-"`
	Organization     string     `db:"organization_slug" json:"organization" doc:"Slug."`
	OrganizationName string     `db:"organization_name" json:"organization_name"`
	Title            string     `db:"title" json:"title"`
	State            string     `db:"state" json:"state" enum:"claimed,confirmed,declined"`
	Representative   bool       `db:"representative" json:"representative" doc:"Primary representative: edits the profile, fills the seats, confirms people."`
	Since            time.Time  `db:"since" json:"since"`
	Until            *time.Time `db:"until" json:"until,omitempty" doc:"When it ended; absent while it holds."`
	Reason           string     `db:"reason" json:"reason,omitempty"`
	Version          int        `db:"version" json:"version"`
}

// Live reports whether it holds at that moment.
func (a Affiliation) Live(now time.Time) bool {
	return a.State != DeclinedClaim && (a.Until == nil || a.Until.After(now))
}

const affiliationColumns = `a.id, a.person_id, p.name AS person_name, p.email, a.organization_id, o.slug AS organization_slug, o.name AS organization_name,
	a.title, a.state, a.representative, lower(a.period) AS since, upper(a.period) AS until, a.reason, a.version`

const affiliationFrom = ` FROM affiliation a JOIN person p ON p.id = a.person_id JOIN organization o ON o.id = a.organization_id `

// affiliationByID reads one of the organization's; access.ErrNotFound otherwise.
func affiliationByID(ctx context.Context, q postgres.Q, organization, id uuid.UUID) (Affiliation, error) {
	return postgres.One[Affiliation](ctx, q, access.ErrNotFound, `SELECT `+affiliationColumns+affiliationFrom+`WHERE a.organization_id = $1 AND a.id = $2`, organization, id)
}

func insertAffiliation(ctx context.Context, q postgres.Q, a Affiliation, now time.Time) error {
	_, err := q.Exec(ctx, `
		INSERT INTO affiliation (id, person_id, organization_id, title, state, representative, period)
		VALUES ($1, $2, $3, $4, $5, $6, tstzrange($7, NULL))`, a.ID, a.PersonID, a.OrganizationID, a.Title, a.State, a.Representative, now)
	if postgres.Constraint(err) == "affiliation_once" {
		return problem.New(problem.Conflict, "You act for this organization already, or have said so.")
	}
	return err
}

// Claim says that the actor acts for the organization. It is confirmed at once
// if the actor's e-mail address is of the organization's domain, else by a
// primary representative or the secretariat, who are told.
func (s *Service) Claim(ctx context.Context, who access.Actor, slug, title string) (Affiliation, error) {
	o, permit, err := s.require(ctx, who, slug, "affiliation", "claim")
	if err != nil {
		return Affiliation{}, err
	}
	var f problem.Fields
	check.Line(&f, "title", &title, 0, 200)
	if err := f.Err(); err != nil {
		return Affiliation{}, err
	}
	a := Affiliation{ID: uuid.Must(uuid.NewV7()), PersonID: who.ID, OrganizationID: o.ID, Title: title, State: Claimed}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		o, err := LockMember(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		// The domain of the organization at this moment, and the address that the
		// person has confirmed by now.
		email, err := postgres.One[string](ctx, tx, access.ErrNotFound, `SELECT email FROM person WHERE id = $1 AND confirmed_at IS NOT NULL`, who.ID)
		if err != nil {
			return err
		}
		a.State = Claimed
		if d := Domain(email); d != "" && d == o.Domain {
			a.State = Confirmed
		}
		if err := insertAffiliation(ctx, tx, a, tx.Now); err != nil {
			return err
		}
		if a.State == Confirmed {
			return tx.Record(a.ID, journal.Say("%s acts for %s, as the e-mail address shows", journal.Person(who.ID), o.Name))
		}
		if err := tx.Record(a.ID, journal.Say("%s says to act for %s", journal.Person(who.ID), o.Name)); err != nil {
			return err
		}
		to, err := representatives(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, to, "affiliation.claimed", o, claimedNote(o, who.Name, title))
	})
	if err != nil {
		return a, err
	}
	return affiliationByID(ctx, s.db, o.ID, a.ID)
}

// decideOn runs fn on an affiliation of the organization, both locked, in a
// change under permit; what it records is told to the person as what.
func (s *Service) decideOn(ctx context.Context, permit access.Permit, o Organization, id uuid.UUID, what, reason string, fn func(*journal.Tx, Affiliation) error) (Affiliation, error) {
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := lock(ctx, tx, o.ID); err != nil { // who represents it is decided one at a time
			return err
		}
		a, err := affiliationByID(ctx, tx, o.ID, id)
		if err != nil {
			return err
		}
		if err := fn(tx, a); err != nil {
			return err
		}
		if a.PersonID == permit.Actor().ID {
			return nil
		}
		to, err := person(ctx, tx, &a.PersonID)
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, to, "affiliation."+what, o, affiliationNote(o, what, reason))
	})
	if err != nil {
		return Affiliation{}, err
	}
	return affiliationByID(ctx, s.db, o.ID, id)
}

var errDecided = problem.New(problem.Conflict, "Somebody has decided on this meanwhile. Look at it again.")

// ConfirmClaim lets a person who has said so act for the organization.
func (s *Service) ConfirmClaim(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Affiliation, error) {
	o, permit, err := s.require(ctx, who, slug, "affiliation", "edit")
	if err != nil {
		return Affiliation{}, err
	}
	return s.decideOn(ctx, permit, o, id, Confirmed, "", func(tx *journal.Tx, a Affiliation) error {
		if err := postgres.ExecOne(ctx, tx, errDecided, `
			UPDATE affiliation SET state = 'confirmed', period = tstzrange(greatest(lower(period), $2), upper(period)), version = version + 1
			WHERE id = $1 AND state = 'claimed' AND period @> $2::timestamptz`, a.ID, tx.Now); err != nil {
			return err
		}
		return tx.RecordAs("affiliation", "confirm", a.ID, journal.Say("Confirmed that %s acts for %s", journal.Person(a.PersonID), o.Name))
	})
}

// DeclineClaim refuses it, for a reason that the person reads ("" for none).
func (s *Service) DeclineClaim(ctx context.Context, who access.Actor, slug string, id uuid.UUID, reason string) (Affiliation, error) {
	o, permit, err := s.require(ctx, who, slug, "affiliation", "edit")
	if err != nil {
		return Affiliation{}, err
	}
	if err := checkReason(&reason, 0); err != nil {
		return Affiliation{}, err
	}
	return s.decideOn(ctx, permit, o, id, DeclinedClaim, reason, func(tx *journal.Tx, a Affiliation) error {
		if err := postgres.ExecOne(ctx, tx, errDecided, `
			UPDATE affiliation SET state = 'declined', reason = $2, version = version + 1 WHERE id = $1 AND state = 'claimed' AND period @> $3::timestamptz`,
			a.ID, reason, tx.Now); err != nil {
			return err
		}
		return tx.RecordAs("affiliation", "decline", a.ID, journal.Say("Declined that %s acts for %s", journal.Person(a.PersonID), o.Name))
	})
}

// EndAffiliation ends it, or takes a claim back: by the person, a primary
// representative or the secretariat. Seats held for the organization end with
// it. The last primary representative cannot go, unless the secretariat does it.
func (s *Service) EndAffiliation(ctx context.Context, who access.Actor, slug string, id uuid.UUID, reason string) (Affiliation, error) {
	o, a, permit, err := s.ending(ctx, who, slug, id)
	if err != nil {
		return a, err
	}
	if err := checkReason(&reason, 0); err != nil {
		return a, err
	}
	return s.decideOn(ctx, permit, o, id, "ended", reason, func(tx *journal.Tx, a Affiliation) error {
		if a.Representative {
			if err := s.another(ctx, tx, o, a); err != nil {
				return err
			}
		}
		if err := postgres.ExecOne(ctx, tx, errDecided, `
			UPDATE affiliation SET period = tstzrange(lower(period), greatest($2, lower(period) + interval '1 microsecond')), representative = false, reason = $3, version = version + 1
			WHERE id = $1 AND state <> 'declined' AND period @> $2::timestamptz`, a.ID, tx.Now, reason); err != nil {
			return err
		}
		if err := tx.RecordAs("affiliation", "end", a.ID, journal.Say("Ended the affiliation of %s with %s", journal.Person(a.PersonID), o.Name)); err != nil {
			return err
		}
		if a.State == Confirmed && s.OnUnaffiliated != nil {
			return s.OnUnaffiliated(ctx, tx, o.ID, a.PersonID, tx.Now)
		}
		return nil
	})
}

// ending reads an affiliation that the actor may end.
func (s *Service) ending(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Organization, Affiliation, access.Permit, error) {
	o, permit, err := s.require(ctx, who, slug, "affiliation", "leave")
	if err != nil {
		return o, Affiliation{}, permit, err
	}
	a, err := affiliationByID(ctx, s.db, o.ID, id)
	if err == nil && a.PersonID != who.ID {
		permit, err = s.access.Require(ctx, who, o.Scope(), "affiliation", "edit")
	}
	return o, a, permit, err
}

// Ending reads an affiliation that the actor may end, and how many seats the
// person holds for the organization.
func (s *Service) Ending(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Affiliation, int, error) {
	o, a, _, err := s.ending(ctx, who, slug, id)
	if err != nil {
		return a, 0, err
	}
	n, err := postgres.One[int](ctx, s.db, nil, `SELECT count(DISTINCT id) FROM seat WHERE organization_id = $1 AND person_id = $2 AND period @> $3::timestamptz`,
		o.ID, a.PersonID, journal.Now(ctx))
	return a, n, err
}

// another asks for a primary representative besides a; the secretariat may
// leave an organization without one. The organization is locked.
func (s *Service) another(ctx context.Context, tx *journal.Tx, o Organization, a Affiliation) error {
	if who := tx.Permit().Actor(); who.SystemName() != "" || s.access.May(who, o.Scope(), "affiliation", "vacate") {
		return nil
	}
	n, err := postgres.One[int](ctx, tx, nil, `
		SELECT count(*) FROM affiliation WHERE organization_id = $1 AND id <> $2 AND representative AND period @> $3::timestamptz`, o.ID, a.ID, tx.Now)
	if err == nil && n == 0 {
		err = problem.New(problem.Conflict, "%s would be without a primary representative. Make somebody else one first.", o.Name)
	}
	return err
}

// Represent makes a person who acts for the organization a primary
// representative, or one no more; one always remains, unless the secretariat
// does it.
func (s *Service) Represent(ctx context.Context, who access.Actor, slug string, id uuid.UUID, on bool) (Affiliation, error) {
	o, permit, err := s.require(ctx, who, slug, "affiliation", "edit")
	if err != nil {
		return Affiliation{}, err
	}
	what, action, note := "representative", "appoint", "Made %s a primary representative of %s"
	if !on {
		what, action, note = "dismissed", "dismiss", "%s is no longer a primary representative of %s"
	}
	return s.decideOn(ctx, permit, o, id, what, "", func(tx *journal.Tx, a Affiliation) error {
		if !on {
			if err := s.another(ctx, tx, o, a); err != nil {
				return err
			}
		}
		if err := postgres.ExecOne(ctx, tx, errDecided, `
			UPDATE affiliation SET representative = $2, version = version + 1
			WHERE id = $1 AND state = 'confirmed' AND representative <> $2 AND period @> $3::timestamptz`, a.ID, on, tx.Now); err != nil {
			return err
		}
		return tx.RecordAs("affiliation", action, a.ID, journal.Say(note, journal.Person(a.PersonID), o.Name))
	})
}

// Retitle changes what the actor is at the organization.
func (s *Service) Retitle(ctx context.Context, who access.Actor, slug string, id uuid.UUID, title string) (Affiliation, error) {
	o, permit, err := s.require(ctx, who, slug, "affiliation", "claim")
	if err != nil {
		return Affiliation{}, err
	}
	var f problem.Fields
	check.Line(&f, "title", &title, 0, 200)
	if err := f.Err(); err != nil {
		return Affiliation{}, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := postgres.ExecOne(ctx, tx, access.ErrNotFound, `
			UPDATE affiliation SET title = $4, version = version + 1
			WHERE id = $1 AND organization_id = $2 AND person_id = $3 AND state <> 'declined' AND period @> $5::timestamptz`, id, o.ID, who.ID, title, tx.Now); err != nil {
			return err
		}
		return tx.RecordAs("affiliation", "retitle", id, journal.Say("%s is now %s at %s", journal.Person(who.ID), title, o.Name))
	})
	if err != nil {
		return Affiliation{}, err
	}
	return affiliationByID(ctx, s.db, o.ID, id)
}

// Affiliations are a page of those who act for the organization, by name, or of
// those who say so (state claimed): for its people and the secretariat.
func (s *Service) Affiliations(ctx context.Context, who access.Actor, slug, state, query string, page keyset.Page) (Organization, []Affiliation, string, error) {
	o, _, err := s.require(ctx, who, slug, "affiliation", "read")
	if err != nil {
		return o, nil, "", err
	}
	if state == "" {
		state = Confirmed
	}
	var f problem.Fields
	check.OneOf(&f, "state", state, Claimed, Confirmed, DeclinedClaim)
	check.Line(&f, "q", &query, 0, 200)
	if err := f.Err(); err != nil {
		return o, nil, "", err
	}
	rows, next, err := affiliations(ctx, s.db, o, state, query, journal.Now(ctx), page)
	return o, rows, next, err
}

// Claims are the first of those who say to act for an organization that
// Affiliations gave, and whether there are more.
func (s *Service) Claims(ctx context.Context, o Organization) ([]Affiliation, bool, error) {
	rows, next, err := affiliations(ctx, s.db, o, Claimed, "", journal.Now(ctx), keyset.First)
	return rows, next != "", err
}

func affiliations(ctx context.Context, q postgres.Q, o Organization, state, query string, now time.Time, page keyset.Page) ([]Affiliation, string, error) {
	var w postgres.Where
	w.And("a.organization_id = ? AND a.state = ?", o.ID, state)
	w.If(state != DeclinedClaim, "a.period @> ?::timestamptz", now)
	w.And("(" + w.Named("p.name", query) + " OR " + w.Named("a.title", query) + ")")
	w.If(page.After != nil, `(p.name, a.id) > (? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1))
	rows, err := postgres.All[Affiliation](ctx, q, `SELECT `+affiliationColumns+affiliationFrom+`WHERE `+w.SQL()+` ORDER BY p.name, a.id LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(a Affiliation) []string { return []string{a.Name, a.ID.String()} })
	return rows, next, nil
}

// Mine are the actor's affiliations, those that hold first; at most a hundred.
func (s *Service) Mine(ctx context.Context, who access.Actor) ([]Affiliation, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "affiliation", "claim"); err != nil {
		return nil, err
	}
	return postgres.All[Affiliation](ctx, s.db, `SELECT `+affiliationColumns+affiliationFrom+`WHERE a.person_id = $1
		ORDER BY (a.state <> 'declined' AND a.period @> $2::timestamptz) DESC, (a.state = 'confirmed') DESC, lower(a.period) DESC, a.id LIMIT 100`, who.ID, journal.Now(ctx))
}

// Representative is a person who speaks for the organization, as its page shows.
type Representative struct {
	Name  string `db:"name"`
	Title string `db:"title"`
}

// Representatives are the primary representatives: for whoever is signed in.
func (s *Service) Representatives(ctx context.Context, who access.Actor, o Organization) ([]Representative, error) {
	if !s.access.May(who, o.Scope(), "affiliation", "claim") {
		return nil, nil
	}
	return postgres.All[Representative](ctx, s.db, `
		SELECT p.name, a.title FROM affiliation a JOIN person p ON p.id = a.person_id
		WHERE a.organization_id = $1 AND a.representative AND a.period @> $2::timestamptz ORDER BY p.name, p.id LIMIT 20`, o.ID, journal.Now(ctx))
}

// Affiliation reads one that the actor may decide on.
func (s *Service) Affiliation(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Organization, Affiliation, error) {
	o, _, err := s.require(ctx, who, slug, "affiliation", "edit")
	if err != nil {
		return o, Affiliation{}, err
	}
	a, err := affiliationByID(ctx, s.db, o.ID, id)
	return o, a, err
}

// Affiliate sees that a person acts for an organization, in a change by which
// its primary representative has asked the person to.
func (s *Service) Affiliate(ctx context.Context, tx *journal.Tx, person, organization uuid.UUID) error {
	o, err := LockMember(ctx, tx, organization)
	if err != nil {
		return err
	}
	held, err := postgres.All[Affiliation](ctx, tx, `SELECT `+affiliationColumns+affiliationFrom+`
		WHERE a.person_id = $1 AND a.organization_id = $2 AND a.state <> 'declined' AND a.period @> $3::timestamptz`, person, organization, tx.Now)
	if err != nil || len(held) > 0 && held[0].State == Confirmed {
		return err
	}
	a := Affiliation{ID: uuid.Must(uuid.NewV7()), PersonID: person, OrganizationID: organization, State: Confirmed}
	if len(held) > 0 {
		a.ID = held[0].ID
		_, err = tx.Exec(ctx, `UPDATE affiliation SET state = 'confirmed', period = tstzrange(greatest(lower(period), $2), upper(period)), version = version + 1 WHERE id = $1`, a.ID, tx.Now)
	} else {
		err = insertAffiliation(ctx, tx, a, tx.Now)
	}
	if err != nil {
		return err
	}
	return tx.RecordAs("affiliation", "confirm", o.ID, journal.Say("An invited person acts for %s now", o.Name))
}

package commission

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Threshold is the support that a proposed commission needs before its call for
// participation.
type Threshold struct {
	Support
	Version int `db:"version" json:"version"`
}

// Check reports every number that is out of bounds.
func (t Threshold) Check() error {
	var f problem.Fields
	for _, n := range []struct {
		field              string
		value, least, most int
	}{{"persons", t.Persons, 1, 1000}, {"organizations", t.Organizations, 0, 1000}, {"countries", t.Countries, 0, 200}} {
		if n.value < n.least || n.value > n.most {
			f.Add(n.field, "Give a whole number from %d to %d.", n.least, n.most)
		}
	}
	return f.Err()
}

// Threshold reads the support that a founding needs.
func (s *Service) Threshold(ctx context.Context, who access.Actor) (Threshold, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "threshold", "read"); err != nil {
		return Threshold{}, err
	}
	return postgres.One[Threshold](ctx, s.db, nil, `SELECT persons, organizations, countries, version FROM founding_threshold`)
}

// SetThreshold changes it; it holds for the proposals that are there, too.
func (s *Service) SetThreshold(ctx context.Context, who access.Actor, t Threshold) (Threshold, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "threshold", "edit")
	if err != nil {
		return t, err
	}
	if err := t.Check(); err != nil {
		return t, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		before, err := postgres.One[Threshold](ctx, tx, nil, `SELECT persons, organizations, countries, version FROM founding_threshold FOR UPDATE`)
		if err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `
			UPDATE founding_threshold SET persons = $2, organizations = $3, countries = $4, version = version + 1 WHERE version = $1`,
			t.Version, t.Persons, t.Organizations, t.Countries); err != nil {
			return err
		}
		return tx.Record(uuid.Nil, journal.Say("Set the support a founding needs: persons %d, organizations %d, countries %d", t.Persons, t.Organizations, t.Countries).
			Changed(before.Support, t.Support))
	})
	if err == nil {
		t.Version++
	}
	return t, err
}

// Supporter is somebody who signed on to a proposed commission.
type Supporter struct {
	PersonID     uuid.UUID `db:"person_id" json:"-"`
	Name         string    `db:"name" json:"name"`
	Organization *string   `db:"organization_slug" json:"organization,omitempty" doc:"Slug; absent for who supports in person."`
	For          *string   `db:"organization_name" json:"-"`
	Country      *string   `db:"country" json:"country,omitempty"`
	At           time.Time `db:"created_at" json:"at"`
}

// Supporters is a page of those who signed on, the first first.
func (s *Service) Supporters(ctx context.Context, who access.Actor, slug string, page keyset.Page) (Commission, []Supporter, string, error) {
	c, _, err := s.require(ctx, who, slug, "support", "read")
	if err != nil {
		return c, nil, "", err
	}
	var w postgres.Where
	w.And("commission_id = ?", c.ID)
	w.If(page.After != nil, "(created_at, person_id) > (?::timestamptz, ?::uuid)", page.Key(0), page.Key(1))
	rows, err := postgres.All[Supporter](ctx, s.db, `
		SELECT u.person_id, p.name, o.slug AS organization_slug, o.name AS organization_name,
		       CASE WHEN u.organization_id IS NULL THEN p.country ELSE o.country END AS country, u.created_at
		FROM (SELECT person_id, organization_id, created_at FROM support WHERE `+w.SQL()+` ORDER BY created_at, person_id LIMIT `+w.Arg(page.Fetch())+`) u
		JOIN person p ON p.id = u.person_id LEFT JOIN organization o ON o.id = u.organization_id
		ORDER BY u.created_at, u.person_id`, w.Args()...)
	if err != nil {
		return c, nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(r Supporter) []string { return []string{r.At.Format(time.RFC3339Nano), r.PersonID.String()} })
	return c, rows, next, nil
}

// Mine is an organization that the actor may support for.
type Mine struct {
	Slug string `db:"slug"`
	Name string `db:"name"`
}

// Signing are the organizations that the actor may support a proposal for.
func (s *Service) Signing(ctx context.Context, who access.Actor, c Commission) ([]Mine, error) {
	ids := who.Organizations()
	if c.State != Proposed || len(ids) == 0 {
		return nil, nil
	}
	return postgres.All[Mine](ctx, s.db, `SELECT slug, name FROM organization WHERE id = ANY($1::uuid[]) AND state = 'member' ORDER BY name, id LIMIT 200`, postgres.IDs(ids))
}

// Sign makes the actor a supporter of a proposed commission, for an organization
// they act for or, if organization is "", in person.
func (s *Service) Sign(ctx context.Context, who access.Actor, slug, organization string) (Commission, error) {
	c, permit, err := s.require(ctx, who, slug, "support", "sign")
	if err != nil {
		return c, err
	}
	id := c.ID // of its own: what is read may be read again
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if c, err = lockProposed(ctx, tx, id); err != nil {
			return err
		}
		var id *uuid.UUID
		note := journal.Say("Supported %s in person", c.Name)
		if organization != "" {
			o, err := signs(ctx, tx, who.ID, organization)
			if err != nil {
				return err
			}
			id, note = &o.ID, journal.Say("Supported %s for %s", c.Name, o.Name)
			tx.For = uuid.NullUUID{UUID: o.ID, Valid: true}
		}
		before, err := factsOf(ctx, tx, c.ID, tx.Now)
		if err != nil {
			return err
		}
		if err := insertSupport(ctx, tx, c.ID, who.ID, id, tx.Now); err != nil {
			return err
		}
		after, err := factsOf(ctx, tx, c.ID, tx.Now)
		if err != nil {
			return err
		}
		if after.Support.Reaches(after.Threshold) && !before.Support.Reaches(before.Threshold) {
			if err := s.tellReached(ctx, tx, c); err != nil {
				return err
			}
		}
		return tx.Record(c.ID, note)
	})
	return c, constraint(err)
}

// Unsign takes the actor's support back.
func (s *Service) Unsign(ctx context.Context, who access.Actor, slug string) (Commission, error) {
	c, permit, err := s.require(ctx, who, slug, "support", "withdraw")
	if err != nil {
		return c, err
	}
	id := c.ID // of its own: what is read may be read again
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if c, err = lockProposed(ctx, tx, id); err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, problem.New(problem.Conflict, "You do not support this."), `
			DELETE FROM support WHERE commission_id = $1 AND person_id = $2`, c.ID, who.ID); err != nil {
			return err
		}
		return tx.Record(c.ID, journal.Say("Took back the support of %s", c.Name))
	})
	return c, err
}

func lockProposed(ctx context.Context, tx *journal.Tx, id uuid.UUID) (Commission, error) {
	c, err := lock(ctx, tx, id)
	if err == nil && c.State != Proposed {
		err = problem.New(problem.Conflict, "It no longer collects support: it is %s now.", i18n.Key(c.State))
	}
	return c, err
}

type signing struct {
	ID   uuid.UUID `db:"id"`
	Name string    `db:"name"`
}

// signs is the organization that a person supports for; the affiliation is locked.
func signs(ctx context.Context, tx *journal.Tx, person uuid.UUID, slug string) (signing, error) {
	return postgres.One[signing](ctx, tx, problem.Field("organization", "Choose an organization that you act for and that is a member of the convention."), `
		SELECT o.id, o.name FROM organization o JOIN affiliation a ON a.organization_id = o.id
		WHERE o.slug = $1 AND o.state = 'member' AND a.person_id = $2 AND a.state = 'confirmed' AND a.period @> $3::timestamptz LIMIT 1 FOR SHARE`, slug, person, tx.Now)
}

// MergeOrganization moves the support that was given for one organization to the
// one it became part of.
func (s *Service) MergeOrganization(ctx context.Context, tx *journal.Tx, from, into uuid.UUID) error {
	_, err := tx.Exec(ctx, `UPDATE support SET organization_id = $2 WHERE organization_id = $1`, from, into)
	return err
}

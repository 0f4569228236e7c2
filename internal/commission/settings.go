package commission

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// errStale is the answer to a change made from a version that is not the current one.
var errStale = problem.New(problem.Stale, "Somebody changed this meanwhile. Look at it again, and make your change once more.")

// Edit is what changes of a commission's settings; what is nil stays.
type Edit struct {
	Name, Acronym, Purpose, Sector *string
	Parent                         *string // as Resolve takes it, "" for none; by the secretariat
	JoinMode, RosterVisibility     *string
	TermMonths                     *int // 0 for terms without end
	SeatsPerOrganization           *int // 0 for no limit
	Version                        int  // that the change was made from
}

func set(to *string, v *string) {
	if v != nil {
		*to = *v
	}
}

// amount is n, or nil for 0; a number out of bounds is a problem of the field.
func amount(f *problem.Fields, field string, now, to *int, most int) *int {
	switch {
	case to == nil:
		return now
	case *to < 0 || *to > most:
		f.Add(field, "Give a whole number from %d to %d, or nothing.", 1, most)
	case *to == 0:
		return nil
	}
	return to
}

// apply is c with what e changes. What stays as it is is not judged: a name that
// was imported may be shorter than one that is chosen here.
func (e Edit) apply(before Commission) (Commission, error) {
	var f problem.Fields
	c := before
	set(&c.Name, e.Name)
	set(&c.Acronym, e.Acronym)
	set(&c.Purpose, e.Purpose)
	set(&c.JoinMode, e.JoinMode)
	set(&c.RosterVisibility, e.RosterVisibility)
	if c.Name != before.Name {
		check.Line(&f, "name", &c.Name, 3, 200)
		checkName(&f, c.Name)
	}
	if c.Acronym != before.Acronym {
		checkAcronym(&f, &c.Acronym)
	}
	if c.Purpose != before.Purpose {
		check.Text(&f, "purpose", &c.Purpose, 20, 2000)
	}
	if e.Sector != nil {
		c.Sector = e.Sector
		if *e.Sector == "" {
			f.Add("sector", "Choose a sector.")
		}
	}
	check.OneOf(&f, "join_mode", c.JoinMode, JoinModes...)
	check.OneOf(&f, "roster_visibility", c.RosterVisibility, Visibilities...)
	c.TermMonths = amount(&f, "term_months", c.TermMonths, e.TermMonths, 240)
	c.SeatsPerOrganization = amount(&f, "seats_per_organization", c.SeatsPerOrganization, e.SeatsPerOrganization, 1000)
	return c, f.Err()
}

// Edit changes the settings. It is Stale if somebody else did meanwhile. A new
// name is a new address; the old one leads to it.
func (s *Service) Edit(ctx context.Context, who access.Actor, slug string, e Edit) (Commission, error) {
	before, permit, err := s.require(ctx, who, slug, "commission", "settings")
	if err != nil {
		return before, err
	}
	c, err := e.apply(before)
	if err != nil {
		return before, err
	}
	if e.Parent != nil {
		if c, err = s.move(ctx, who, c, *e.Parent); err != nil {
			return before, err
		}
	}
	if c.Name != before.Name {
		c.Slug = slugOf(c.Name, c.Acronym)
	}
	var after Commission
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := lockAlive(ctx, tx, c.ID); err != nil {
			return err
		}
		sector, err := sectorFor(ctx, tx, c.Sector, before.Sector)
		if err != nil {
			return err
		}
		if err := parentAlive(ctx, tx, c.ParentID, before.ParentID); err != nil {
			return err
		}
		if c.Slug != before.Slug {
			if err := rememberName(ctx, tx, before, c.Slug, tx.Now); err != nil {
				return err
			}
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `
			UPDATE commission SET slug = $3, acronym = $4, name = $5, purpose = $6, sector_id = $7, parent_id = $8, parent_kind = (SELECT kind FROM commission WHERE id = $8),
			       join_mode = $9, roster_visibility = $10, term_months = $11, seats_per_organization = $12, version = version + 1
			WHERE id = $1 AND version = $2`,
			c.ID, e.Version, c.Slug, c.Acronym, c.Name, c.Purpose, sector, c.ParentID, c.JoinMode, c.RosterVisibility, c.TermMonths, c.SeatsPerOrganization); err != nil {
			return err
		}
		if err := tx.Record(c.ID, journal.Say("Changed the settings of %s", c.Name).Changed(settings(before), settings(c))); err != nil {
			return err
		}
		after, err = byID(ctx, tx, c.ID)
		return err
	})
	s.counts.forget()
	if err != nil {
		return before, constraint(err)
	}
	return after, nil
}

// settings is what the journal keeps of them.
func settings(c Commission) map[string]any {
	return map[string]any{"name": c.Name, "slug": c.Slug, "acronym": c.Acronym, "purpose": c.Purpose, "sector": c.Sector, "parent": c.Parent, "join_mode": c.JoinMode,
		"roster_visibility": c.RosterVisibility, "term_months": c.TermMonths, "seats_per_organization": c.SeatsPerOrganization}
}

// move puts c under another parent; leaving it where it is needs no right.
func (s *Service) move(ctx context.Context, who access.Actor, c Commission, text string) (Commission, error) {
	parent, err := s.resolve(ctx, text)
	if err != nil {
		return c, err
	}
	if text != "" && c.ParentID != nil && parent.ID == *c.ParentID || text == "" && c.ParentID == nil {
		return c, nil
	}
	if _, err := s.access.Require(ctx, who, c.Scope(), "commission", "move"); err != nil {
		return c, err
	}
	if err := Under(c.Kind, parent.Kind); err != nil {
		return c, err
	}
	c.ParentID, c.Parent = nil, nil
	if parent.ID != uuid.Nil {
		c.ParentID, c.Parent = &parent.ID, &parent.Slug
	}
	return c, nil
}

// Place is a commission that another may sit under, as a field suggests it.
type Place struct {
	ID      uuid.UUID `db:"id"`
	Slug    string    `db:"slug"`
	Acronym string    `db:"acronym"`
	Name    string    `db:"name"`
	Kind    string    `db:"kind"`
}

// Text is the place as the field has it, and resolve understands it.
func (p Place) Text() string { return p.Name + " (" + p.Acronym + ")" }

// mostPlaces is how many a field suggests.
const mostPlaces = 50

// Places are commissions that others may sit under, by part of the name or acronym.
func (s *Service) Places(ctx context.Context, who access.Actor, query string) ([]Place, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "commission", "list"); err != nil {
		return nil, err
	}
	var w postgres.Where
	w.And("kind <> 'task_force' AND state NOT IN ('concluded', 'abandoned')")
	w.And(w.Named("acronym || ' ' || name", query))
	return postgres.All[Place](ctx, s.db, `SELECT id, slug, acronym, name, kind FROM commission WHERE `+w.SQL()+` ORDER BY name, id LIMIT `+w.Arg(mostPlaces), w.Args()...)
}

// resolve finds the commission that a person meant: its slug, acronym, name or
// "Name (ACRONYM)". "" is none.
func (s *Service) resolve(ctx context.Context, text string) (Place, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return Place{}, nil
	}
	acronym := text
	if i := strings.LastIndex(text, "("); i >= 0 && strings.HasSuffix(text, ")") {
		acronym = text[i+1 : len(text)-1]
	}
	found, err := postgres.All[Place](ctx, s.db, `
		SELECT id, slug, acronym, name, kind FROM commission
		WHERE slug = $1 OR acronym = $2 OR id IN (SELECT id FROM commission WHERE fold(acronym || ' ' || name) LIKE fold($3) AND fold(name) = fold($1) LIMIT 2)
		ORDER BY acronym = $2 DESC, slug = $1 DESC LIMIT 3`, text, strings.ToUpper(acronym), postgres.Within(text))
	switch {
	case err != nil:
		return Place{}, err
	case len(found) == 0:
		return Place{}, problem.Field("parent", "No commission is called %s. Give its acronym, or part of its name and choose.", text)
	case len(found) > 1 && found[0].Acronym != strings.ToUpper(acronym) && found[0].Slug != text:
		return Place{}, problem.Field("parent", "More than one commission is called %s. Give its acronym.", text)
	}
	return found[0], nil
}

// parentAlive checks, and keeps so until the change is made, that a new parent
// has not ended.
func parentAlive(ctx context.Context, tx *journal.Tx, parent, before *uuid.UUID) error {
	if parent == nil || before != nil && *before == *parent {
		return nil
	}
	_, err := postgres.One[int](ctx, tx, problem.Field("parent", "That commission has ended. Choose another."), `
		SELECT 1 FROM commission WHERE id = $1 AND state NOT IN ('concluded', 'abandoned') FOR SHARE`, *parent)
	return err
}

// sectorFor is the id of a sector that a commission may be in: an open one, or
// the one it is in.
func sectorFor(ctx context.Context, tx *journal.Tx, slug, before *string) (*uuid.UUID, error) {
	if slug == nil {
		return nil, nil //nolint:nilnil // a commission that was imported may be in none
	}
	same := before != nil && *before == *slug
	id, err := postgres.One[uuid.UUID](ctx, tx, problem.Field("sector", "Choose a sector that is open."), `
		SELECT id FROM sector WHERE slug = $1 AND (NOT closed OR $2) FOR SHARE`, *slug, same)
	return &id, err
}

func rememberName(ctx context.Context, q postgres.Q, before Commission, slug string, now time.Time) error {
	if _, err := q.Exec(ctx, `DELETE FROM commission_name WHERE slug = $1`, slug); err != nil {
		return err
	}
	_, err := q.Exec(ctx, `
		INSERT INTO commission_name (slug, commission_id, name, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (slug) DO UPDATE SET commission_id = excluded.commission_id, name = excluded.name, until = excluded.until`, before.Slug, before.ID, before.Name, now)
	return err
}

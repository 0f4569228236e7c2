package commission

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/slug"
)

// Service has the operations on commissions: all that the doors may call.
type Service struct {
	db     *postgres.DB
	access *access.Policy
}

// New makes the service.
func New(db *postgres.DB, policy *access.Policy) *Service {
	return &Service{db: db, access: policy}
}

// Filter narrows a list of commissions; empty fields do not.
type Filter struct {
	Query  string // part of the name or acronym
	Sector string // slug
	Kind   string
	State  string
}

// List is a page of commissions by name, and the cursor of the next.
func (s *Service) List(ctx context.Context, who access.Actor, f Filter, page keyset.Page) ([]Row, string, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "commission", "list"); err != nil {
		return nil, "", err
	}
	rows, err := list(ctx, s.db, f, page)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(r Row) []string { return []string{r.Name, r.ID.String()} })
	return rows, next, nil
}

// Show reads one commission; NotFound if there is none.
func (s *Service) Show(ctx context.Context, who access.Actor, slug string) (Commission, error) {
	c, err := bySlug(ctx, s.db, slug)
	if err != nil {
		return c, err
	}
	_, err = s.access.Require(ctx, who, c.Scope(), "commission", "read")
	return c, err
}

// Propose founds a commission in state proposed, with the first revision of its
// charter; the proposer convenes it and is its first supporter.
func (s *Service) Propose(ctx context.Context, who access.Actor, d Draft) (Commission, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "commission", "propose")
	if err != nil {
		return Commission{}, err
	}
	if err := d.Check(); err != nil {
		return Commission{}, err
	}
	parent, parentKind := Commission{}, ""
	if d.Parent != "" {
		if parent, err = bySlug(ctx, s.db, d.Parent); err != nil {
			return Commission{}, problem.Field("parent", "There is no such commission.")
		}
		parentKind = parent.Kind
	}
	if err := Under(d.Kind, parentKind); err != nil {
		return Commission{}, err
	}
	now := journal.Now(ctx)
	c := Commission{ID: uuid.Must(uuid.NewV7()), Slug: slug.Make(d.Name), Acronym: d.Acronym, Name: d.Name, Kind: d.Kind, Sector: &d.Sector,
		State: Proposed, StateSince: now, Purpose: d.Purpose, ConvenerID: &who.ID, CreatedAt: now, Version: 1}
	if d.Parent != "" {
		c.ParentID = &parent.ID
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := insert(ctx, tx, c); err != nil {
			return err
		}
		if err := insertCharter(ctx, tx, Revision{CommissionID: c.ID, Number: 1, Body: d.Charter, Summary: "First draft", AuthorID: &who.ID, CreatedAt: now}); err != nil {
			return err
		}
		if err := insertSupport(ctx, tx, c.ID, who.ID, nil); err != nil {
			return err
		}
		return tx.Record(c.ID, journal.Say("Proposed %s", c.Name))
	})
	return c, constraint(err)
}

// constraint turns a broken constraint into the problem of the field that caused it.
func constraint(err error) error {
	switch postgres.Constraint(err) {
	case "":
		return err
	case "commission_slug":
		return problem.Field("name", "A commission of this name is there already.")
	case "commission_acronym":
		return problem.Field("acronym", "Another commission has this acronym.")
	case "commission_under":
		return problem.Field("parent", "It cannot sit under a body of that kind.")
	case "support_once":
		return problem.New(problem.Conflict, "You support this already.")
	}
	return err
}

package commission

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Service has the operations on commissions: all that the doors may call.
type Service struct {
	db     *postgres.DB
	access *access.Policy
	post   *mail.Post
	counts *counts

	// OnConclude ends what hangs on a commission that concludes or is abandoned, at
	// that instant and for that reason, in the same transaction: its seats, what is
	// pending; it tells those who lose something. app fills it in.
	OnConclude func(ctx context.Context, tx *journal.Tx, commission uuid.UUID, at time.Time, why string) error
}

// New makes the service.
func New(db *postgres.DB, policy *access.Policy, post *mail.Post) *Service {
	return &Service{db: db, access: policy, post: post, counts: newCounts(db)}
}

// Filter narrows a list of commissions; empty fields do not.
type Filter struct {
	Query  string // part of the name or acronym
	Sector string // slug
	Kind   string
	State  string
	Open   bool   // those that have not ended: neither concluded nor abandoned, as the portal counts commissions everywhere
	Parent string // slug: those right under it
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

// Renamed is what the slug of a commission is now that had that one before, "" if
// none had.
func (s *Service) Renamed(ctx context.Context, slug string) (string, error) {
	return postgres.One[string](ctx, s.db, nil, `
		SELECT coalesce((SELECT c.slug FROM commission_name n JOIN commission c ON c.id = n.commission_id WHERE n.slug = $1), '')`, slug)
}

// Show reads one commission.
func (s *Service) Show(ctx context.Context, who access.Actor, slug string) (Commission, error) {
	c, _, err := s.require(ctx, who, slug, "commission", "read")
	return c, err
}

// require reads a commission and asks for a permit.
func (s *Service) require(ctx context.Context, who access.Actor, slug, object, action string) (Commission, access.Permit, error) {
	c, err := bySlug(ctx, s.db, slug)
	if err != nil {
		return c, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, c.Scope(), object, action)
	return c, permit, err
}

// May reports whether the actor may do something in the commission: for showing
// a button or not.
func (s *Service) May(who access.Actor, c Commission, object, action string) bool {
	return s.access.May(who, c.Scope(), object, action)
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
	parent, err := s.resolve(ctx, d.Parent)
	if err != nil {
		return Commission{}, err
	}
	if err := Under(d.Kind, parent.Kind); err != nil {
		return Commission{}, err
	}
	c := Commission{ID: uuid.Must(uuid.NewV7()), Slug: slugOf(d.Name, d.Acronym), Acronym: d.Acronym, Name: d.Name, Kind: d.Kind,
		State: Proposed, Purpose: d.Purpose, ConvenerID: &who.ID}
	if parent.ID != uuid.Nil {
		c.ParentID = &parent.ID
	}
	var proposed Commission
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		sector, err := sectorFor(ctx, tx, &d.Sector, nil)
		if err != nil {
			return err
		}
		if err := parentAlive(ctx, tx, c.ParentID, nil); err != nil {
			return err
		}
		if err := insert(ctx, tx, c, sector, tx.Now); err != nil {
			return err
		}
		if err := insertCharter(ctx, tx, Revision{CommissionID: c.ID, Number: 1, Body: d.Charter, Summary: "First draft", AuthorID: &who.ID, CreatedAt: tx.Now}); err != nil {
			return err
		}
		if err := insertSupport(ctx, tx, c.ID, who.ID, nil, tx.Now); err != nil {
			return err
		}
		if proposed, err = byID(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := s.tellProposed(ctx, tx, proposed); err != nil {
			return err
		}
		return tx.Record(c.ID, journal.Say("Proposed %s", c.Name))
	})
	s.counts.forget()
	return proposed, constraint(err)
}

// History is what was done to the commission, newest first: for its officers and
// the secretariat.
func (s *Service) History(ctx context.Context, who access.Actor, slug string, f journal.Filter, page keyset.Page) (Commission, []journal.Event, string, error) {
	c, _, err := s.require(ctx, who, slug, "history", "read")
	if err != nil {
		return Commission{}, nil, "", err
	}
	events, next, err := journal.History(ctx, s.db, []uuid.UUID{c.ID}, f, page)
	return c, events, next, err
}

// EachEvent reads all of what History has pages of.
func (s *Service) EachEvent(ctx context.Context, who access.Actor, slug string, f journal.Filter) (Commission, func(func(journal.Event) error) error, error) {
	c, _, err := s.require(ctx, who, slug, "history", "read")
	if err != nil {
		return c, nil, err
	}
	each, err := journal.EachEvent(ctx, s.db, []uuid.UUID{c.ID}, f)
	return c, each, err
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
	case "sector_slug", "sector_name":
		return problem.Field("name", "There is a sector of this name already.")
	}
	return err
}

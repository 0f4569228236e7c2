package organization

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

// Service has the operations on organizations: all that the doors may call.
type Service struct {
	db     *postgres.DB
	access *access.Policy
	post   *mail.Post
	counts *counts

	// What later capabilities do in the same transaction; app fills them in.

	// OnEnd ends what an organization that is suspended or leaves holds besides
	// its participations: its seats, at that instant, for that reason. The
	// organization is locked.
	OnEnd func(ctx context.Context, tx *journal.Tx, organization uuid.UUID, at time.Time, why string) error
	// OnEndThere ends the seats held for an organization in a commission, but for
	// those of officers, with its participation there. The commission is locked.
	OnEndThere func(ctx context.Context, tx *journal.Tx, organization, commission uuid.UUID) error
	// OnMerge moves what belongs to from, which is merged, to into. Both are locked.
	OnMerge func(ctx context.Context, tx *journal.Tx, from, into uuid.UUID) error
	// OnUnaffiliated ends what a person holds for an organization whose affiliation
	// with it ends: the seats held for it.
	OnUnaffiliated func(ctx context.Context, tx *journal.Tx, organization, person uuid.UUID, at time.Time) error
}

// New makes the service.
func New(db *postgres.DB, policy *access.Policy, post *mail.Post) *Service {
	return &Service{db: db, access: policy, post: post, counts: newCounts(db)}
}

// Filter narrows a list of organizations; empty fields do not.
type Filter struct {
	Query    string // part of the name
	Country  string // alpha-2
	Sector   string // slug: takes part in a commission of it
	Kind     string
	Category string
	State    string // "" for members; any other is for the secretariat
}

func (s *Service) mayList(ctx context.Context, who access.Actor, f *Filter) error {
	action := "list"
	if f.State != "" && f.State != Member {
		action = "review"
	}
	if _, err := s.access.Require(ctx, who, access.Portal, "organization", action); err != nil {
		return err
	}
	var p problem.Fields
	check.Line(&p, "q", &f.Query, 0, 200)
	check.Country(&p, "country", &f.Country, false)
	if f.Kind != "" {
		check.OneOf(&p, "kind", f.Kind, Kinds...)
	}
	if f.Category != "" {
		check.OneOf(&p, "category", f.Category, Categories...)
	}
	if f.State != "" {
		check.OneOf(&p, "state", f.State, States...)
	}
	return p.Err()
}

// mostSorted is how many organizations of a sector are sorted for a page of them. Of more,
// one after the other is looked at in the order of their names until the page is full.
const mostSorted = 1000

// List is a page of organizations by name, and the cursor of the next.
func (s *Service) List(ctx context.Context, who access.Actor, f Filter, page keyset.Page) ([]Row, string, error) {
	if err := s.mayList(ctx, who, &f); err != nil {
		return nil, "", err
	}
	inOrder := f.Query != "" // few have a name
	if f.Sector != "" && !inOrder && (f.State == "" || f.State == Member) {
		all, err := s.Counts(ctx, who, Filter{Sector: f.Sector})
		if err != nil {
			return nil, "", err
		}
		inOrder = all.Total > mostSorted
	}
	rows, err := list(ctx, s.db, f, journal.Now(ctx), page, inOrder)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(r Row) []string { return []string{r.Name, r.ID.String()} })
	return rows, next, nil
}

// Each calls fn for every organization of a list, one at a time: for exports.
func (s *Service) Each(ctx context.Context, who access.Actor, f Filter, fn func(Exported) error) error {
	if err := s.mayList(ctx, who, &f); err != nil {
		return err
	}
	return each(ctx, s.db, f, journal.Now(ctx), fn)
}

// Renamed is what the slug of an organization is now that had that one before, or was
// merged into it; "" if none had.
func (s *Service) Renamed(ctx context.Context, slug string) (string, error) {
	return renamed(ctx, s.db, slug)
}

// Show reads one organization. One that may not be seen is NotFound.
func (s *Service) Show(ctx context.Context, who access.Actor, slug string) (Organization, error) {
	o, err := bySlug(ctx, s.db, slug)
	if err != nil {
		return o, err
	}
	if _, err := s.access.Require(ctx, who, o.Scope(), "organization", "read"); err != nil {
		return Organization{}, err
	}
	own := who.SignedIn() && (o.RegisteredBy != nil && *o.RegisteredBy == who.ID || who.Roles(o.Scope()).Has(access.Affiliate)) ||
		s.access.May(who, access.Portal, "organization", "review")
	switch {
	case !own && !o.Public():
		return Organization{}, access.ErrNotFound
	case !own:
		o.StateReason = ""
	}
	return o, nil
}

// require reads an organization that the actor may see, and asks for a permit.
func (s *Service) require(ctx context.Context, who access.Actor, slug, object, action string) (Organization, access.Permit, error) {
	o, err := s.Show(ctx, who, slug)
	if err != nil {
		return o, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, o.Scope(), object, action)
	return o, permit, err
}

// May reports whether the actor may do something in the organization: for
// showing a button or not.
func (s *Service) May(who access.Actor, o Organization, object, action string) bool {
	return s.access.May(who, o.Scope(), object, action)
}

// Registration is what a person sends to register an organization.
type Registration struct {
	Draft
	Title  string // what the person is there
	Anyway bool   // though similar ones are there
}

// mostWaiting is how many registrations of one person may wait at a time.
const mostWaiting = 5

// Register adds an organization that waits for the secretariat; the person who
// registers it becomes its primary representative. If similar ones are there it
// is a Conflict and they are returned, unless r says Anyway.
func (s *Service) Register(ctx context.Context, who access.Actor, r Registration) (Organization, []Similar, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "organization", "register")
	if err != nil {
		return Organization{}, nil, err
	}
	var f problem.Fields
	r.Draft.check(&f)
	check.Line(&f, "title", &r.Title, 0, 200)
	if err := f.Err(); err != nil {
		return Organization{}, nil, err
	}
	if !r.Anyway {
		found, err := similar(ctx, s.db, Plain(r.Name), Domain(r.Website), uuid.Nil, who.ID, publicStates)
		if err != nil {
			return Organization{}, nil, err
		}
		if len(found) > 0 && found[0].State == Pending {
			return Organization{}, found, problem.New(problem.Conflict, "%s is there already: you have registered it, and the secretariat looks at it. Or say that this is another one.", found[0].Name)
		}
		if len(found) > 0 {
			return Organization{}, found, problem.New(problem.Conflict, "%s is there already. Join it, or say that yours is another one.", found[0].Name)
		}
	}
	now := journal.Now(ctx)
	o := r.Draft.apply(Organization{ID: uuid.Must(uuid.NewV7()), Category: "associate", State: Pending, StateSince: now, CreatedAt: now,
		RegisteredBy: &who.ID, Version: 1, Former: []string{}})
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		waiting, err := postgres.One[int](ctx, tx, nil, `SELECT count(*) FROM organization WHERE registered_by = $1 AND state = 'pending'`, who.ID)
		if err != nil {
			return err
		}
		if waiting >= mostWaiting {
			return problem.New(problem.TooMany, "%d organizations that you registered wait for the secretariat. Let it decide on them first.", waiting)
		}
		if o.Slug, err = insert(ctx, tx, o); err != nil {
			return err
		}
		a := Affiliation{ID: uuid.Must(uuid.NewV7()), PersonID: who.ID, OrganizationID: o.ID, Title: r.Title, State: Confirmed, Representative: true}
		if err := insertAffiliation(ctx, tx, a, tx.Now); err != nil {
			return err
		}
		if err := tx.Record(o.ID, journal.Say("Registered %s", o.Name)); err != nil {
			return err
		}
		to, err := secretariat(ctx, tx)
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, to, "organization.registered", o, registeredNote(o, who.Name))
	})
	return o, nil, err
}

// Edit is what changes of an organization; what is nil stays.
type Edit struct {
	Name, Kind, Country, Website, About *string
	Category                            *string // by the secretariat only
	Version                             int     // that the change was made from
}

// Edit changes the profile. It reports Stale if somebody else did meanwhile.
func (s *Service) Edit(ctx context.Context, who access.Actor, slug string, e Edit) (Organization, error) {
	before, permit, err := s.require(ctx, who, slug, "organization", "edit")
	if err != nil {
		return before, err
	}
	d := before.draft()
	for to, v := range map[*string]*string{&d.Name: e.Name, &d.Kind: e.Kind, &d.Country: e.Country, &d.Website: e.Website, &d.About: e.About} {
		if v != nil {
			*to = *v
		}
	}
	var f problem.Fields
	d.check(&f)
	category := before.Category
	if e.Category != nil && *e.Category != before.Category {
		if _, err := s.access.Require(ctx, who, before.Scope(), "organization", "classify"); err != nil {
			return before, err
		}
		check.OneOf(&f, "category", *e.Category, Categories...)
		category = *e.Category
	}
	if err := f.Err(); err != nil {
		return before, err
	}
	o := d.apply(before)
	o.Category, o.Version = category, e.Version+1
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if o.Slug, err = set(ctx, tx, before, o, e.Version, tx.Now); err != nil {
			return err
		}
		return tx.Record(o.ID, journal.Say("Edited the profile of %s", o.Name).Changed(profile(before), profile(o)))
	})
	s.counts.of.Forget()
	o.LogoURL = logoPath(o.Slug, o.Logo)
	return o, err
}

// profile is what the journal keeps of an edit.
func profile(o Organization) map[string]string {
	d := o.draft()
	return map[string]string{"name": d.Name, "slug": o.Slug, "kind": d.Kind, "category": o.Category, "country": d.Country, "website": d.Website, "about": d.About}
}

// historical are the organization and those merged into it, whose history belongs to it.
func (s *Service) historical(ctx context.Context, who access.Actor, slug string) (Organization, []uuid.UUID, error) {
	o, _, err := s.require(ctx, who, slug, "history", "read")
	if err != nil {
		return Organization{}, nil, err
	}
	of, err := postgres.All[uuid.UUID](ctx, s.db, `SELECT id FROM organization WHERE merged_into = $1 ORDER BY id LIMIT 1000`, o.ID)
	return o, append(of, o.ID), err
}

// History is what was done to the organization, newest first: for its
// representatives and the secretariat.
func (s *Service) History(ctx context.Context, who access.Actor, slug string, f journal.Filter, page keyset.Page) (Organization, []journal.Event, string, error) {
	o, of, err := s.historical(ctx, who, slug)
	if err != nil {
		return Organization{}, nil, "", err
	}
	events, next, err := journal.History(ctx, s.db, of, f, page)
	return o, events, next, err
}

// EachEvent reads all of what History has pages of.
func (s *Service) EachEvent(ctx context.Context, who access.Actor, slug string, f journal.Filter) (Organization, func(func(journal.Event) error) error, error) {
	o, of, err := s.historical(ctx, who, slug)
	if err != nil {
		return o, nil, err
	}
	each, err := journal.EachEvent(ctx, s.db, of, f)
	return o, each, err
}

package organization

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const columns = `o.id, o.slug, o.name, o.kind, o.category, o.country, o.website, o.domain, o.about, o.state, o.state_reason, o.state_since,
	o.registered_by, o.version, o.created_at, l.digest AS logo,
	ARRAY(SELECT n.name FROM organization_name n WHERE n.organization_id = o.id AND n.name <> o.name ORDER BY n.until DESC LIMIT 20) AS former`

const from = `FROM organization o LEFT JOIN organization_logo l ON l.organization_id = o.id`

// bySlug reads an organization that has not become part of another.
func bySlug(ctx context.Context, q postgres.Q, slug string) (Organization, error) {
	return one(ctx, q, `o.slug = $1 AND o.state <> 'merged'`, slug)
}

// renamed is the slug of an organization that had that one before, or into which one
// was merged that had it; "" if there is none, or for few to see.
func renamed(ctx context.Context, q postgres.Q, slug string) (string, error) {
	return postgres.One[string](ctx, q, nil, `
		SELECT coalesce((SELECT o.slug FROM organization_name n JOIN organization o ON o.id = n.organization_id
		                 WHERE n.slug = $1 AND o.state IN ('member', 'suspended', 'left')), '')`, slug)
}

// lock reads an organization and keeps everybody else from changing it, or from
// relying on its state (LockMember), until the transaction ends.
func lock(ctx context.Context, q postgres.Q, id uuid.UUID) (Organization, error) {
	return one(ctx, q, `o.id = $1 FOR UPDATE OF o`, id)
}

// LockMember reads an organization within a change that relies on its being a
// member, such as the approval of a seat: it stays one until the change commits.
// Conflict if it is none.
func LockMember(ctx context.Context, q postgres.Q, id uuid.UUID) (Organization, error) {
	o, err := one(ctx, q, `o.id = $1 FOR SHARE OF o`, id)
	if err != nil {
		return o, err
	}
	return o, o.active()
}

func one(ctx context.Context, q postgres.Q, condition string, arg any) (Organization, error) {
	o, err := postgres.One[Organization](ctx, q, access.ErrNotFound, `SELECT `+columns+` `+from+` WHERE `+condition, arg)
	if o.Former == nil {
		o.Former = pq.StringArray{}
	}
	o.LogoURL = logoPath(o.Slug, o.Logo)
	return o, err
}

// Row is an organization as a list shows it.
type Row struct {
	ID       uuid.UUID `db:"id" json:"id"`
	Slug     string    `db:"slug" json:"slug"`
	Name     string    `db:"name" json:"name"`
	Kind     string    `db:"kind" json:"kind"`
	Category string    `db:"category" json:"category"`
	Country  *string   `db:"country" json:"country,omitempty"`
	State    string    `db:"state" json:"state"`
	Logo     *string   `db:"logo" json:"-"`
	LogoURL  string    `db:"-" json:"logo,omitempty"`
}

// Path is the address of its page.
func (r Row) Path() string { return Path(r.Slug) }

// where is the condition of a list; the state is always said, so that the
// partial indexes of members serve.
func (f Filter) where(now time.Time) *postgres.Where {
	var w postgres.Where
	switch f.State {
	case "", Member:
		w.And("state = 'member'")
	default:
		w.And("state = ?", f.State)
	}
	w.If(f.Country != "", "country = ?", f.Country)
	w.If(f.Kind != "", "kind = ?", f.Kind)
	w.If(f.Category != "", "category = ?", f.Category)
	w.And(w.Named("name", f.Query))
	w.If(f.Sector != "", `id IN (SELECT p.organization_id FROM participation p JOIN commission c ON c.id = p.commission_id JOIN sector s ON s.id = c.sector_id
		WHERE s.slug = ? AND p.period @> ?::timestamptz)`, f.Sector, now)
	return &w
}

// list reads a page of organizations in the order of their names: cut from one
// index, and joined with the logos after. inOrder has each asked whether it is in the
// sector, in that order, and not all of the sector sorted.
func list(ctx context.Context, q postgres.Q, f Filter, now time.Time, page keyset.Page, inOrder bool) ([]Row, error) {
	sector := f.Sector
	if inOrder {
		f.Sector = ""
	}
	w := f.where(now)
	w.If(sector != f.Sector, `(SELECT true FROM participation p JOIN commission c ON c.id = p.commission_id
		WHERE p.organization_id = organization.id AND p.period @> ?::timestamptz AND c.sector_id = (SELECT id FROM sector WHERE slug = ?) LIMIT 1)`, now, sector)
	w.If(page.After != nil, `(name, id) > (? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1))
	rows, err := postgres.All[Row](ctx, q, `
		SELECT o.id, o.slug, o.name, o.kind, o.category, o.country, o.state, l.digest AS logo
		FROM (SELECT id, slug, name, kind, category, country, state FROM organization
		      WHERE `+w.SQL()+` ORDER BY name, id LIMIT `+w.Arg(page.Fetch())+`) o
		LEFT JOIN organization_logo l ON l.organization_id = o.id
		ORDER BY o.name, o.id`, w.Args()...)
	for i := range rows {
		rows[i].LogoURL = logoPath(rows[i].Slug, rows[i].Logo)
	}
	return rows, err
}

// Exported is an organization as a file has it.
type Exported struct {
	Row
	Website   string    `db:"website"`
	About     string    `db:"about"`
	CreatedAt time.Time `db:"created_at"`
}

func each(ctx context.Context, db *postgres.DB, f Filter, now time.Time, fn func(Exported) error) error {
	w := f.where(now)
	return postgres.Each(ctx, db, fn, `
		SELECT id, slug, name, kind, category, country, state, website, about, created_at FROM organization
		WHERE `+w.SQL()+` ORDER BY name, id`, w.Args()...)
}

// insert writes a new organization and returns the slug it got.
func insert(ctx context.Context, q postgres.Q, o Organization) (string, error) {
	slug, err := claimSlug(ctx, q, o)
	if err != nil {
		return "", err
	}
	_, err = q.Exec(ctx, `
		INSERT INTO organization (id, slug, name, plain_name, kind, category, country, website, domain, about, state, state_since, registered_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12)`,
		o.ID, slug, o.Name, Plain(o.Name), o.Kind, o.Category, o.Country, o.Website, o.Domain, o.About, o.State, o.CreatedAt, o.RegisteredBy)
	return slug, err
}

// slugLock keeps two organizations of one name from choosing the same slug at
// the same time.
const slugLock = 5_041_001

// claimSlug chooses a slug for o that neither is nor was another organization's.
func claimSlug(ctx context.Context, q postgres.Q, o Organization) (string, error) {
	list := candidates(o.Name, o.ID)
	if _, err := q.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, slugLock); err != nil {
		return "", err
	}
	taken, err := postgres.All[string](ctx, q, `
		SELECT slug FROM organization WHERE slug = ANY($1) AND id <> $2
		UNION ALL SELECT slug FROM organization_name WHERE slug = ANY($1) AND organization_id <> $2`, pq.Array(list), o.ID)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(list, func(s string) bool { return !slices.Contains(taken, s) })
	if i < 0 {
		return "", problem.Field("name", "Too many organizations have this name. Add a word to it.")
	}
	return list[i], nil
}

// set writes the profile of o, changed from version, and returns its slug; what
// name and slug were before is kept.
func set(ctx context.Context, q postgres.Q, before, o Organization, version int, now time.Time) (string, error) {
	o.Slug = before.Slug
	if o.Name != before.Name {
		slug, err := claimSlug(ctx, q, o)
		if err != nil {
			return "", err
		}
		o.Slug = slug
		if err := rememberName(ctx, q, before, o.Slug, now); err != nil {
			return "", err
		}
	}
	return o.Slug, postgres.ExecOne(ctx, q, errStale, `
		UPDATE organization SET slug = $3, name = $4, plain_name = $5, kind = $6, category = $7, country = $8, website = $9, domain = $10, about = $11, version = version + 1
		WHERE id = $1 AND version = $2 AND state IN ('pending', 'member', 'suspended', 'left', 'declined')`,
		o.ID, version, o.Slug, o.Name, Plain(o.Name), o.Kind, o.Category, o.Country, o.Website, o.Domain, o.About)
}

var errStale = problem.New(problem.Stale, "Somebody changed this organization meanwhile. Look at it again and make your change once more.")

func rememberName(ctx context.Context, q postgres.Q, before Organization, slug string, now time.Time) error {
	if _, err := q.Exec(ctx, `UPDATE organization_name SET slug = NULL WHERE organization_id = $1 AND slug = $2`, before.ID, slug); err != nil {
		return err
	}
	var old *string
	if slug != before.Slug {
		old = &before.Slug
	}
	_, err := q.Exec(ctx, `INSERT INTO organization_name (organization_id, name, slug, until) VALUES ($1, $2, $3, $4)`, before.ID, before.Name, old, now)
	return err
}

// setState moves o, which is locked, to another state.
func setState(ctx context.Context, q postgres.Q, o Organization, state, reason string, now time.Time) error {
	return postgres.ExecOne(ctx, q, errStale, `
		UPDATE organization SET state = $3, state_reason = $4, state_since = $5, version = version + 1 WHERE id = $1 AND state = $2`,
		o.ID, o.State, state, reason, now)
}

package commission

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
)

const columns = `c.id, c.slug, c.acronym, c.name, c.kind, c.parent_id, p.slug AS parent_slug, p.name AS parent_name, p.acronym AS parent_acronym,
	s.slug AS sector_slug, s.name AS sector_name, c.state, c.state_since, c.purpose, c.convener_id, v.name AS convener_name,
	c.join_mode, c.roster_visibility, c.term_months, c.seats_per_organization, c.version, c.created_at`

const from = `FROM commission c
	LEFT JOIN commission p ON p.id = c.parent_id
	LEFT JOIN sector s ON s.id = c.sector_id
	LEFT JOIN person v ON v.id = c.convener_id`

func bySlug(ctx context.Context, q postgres.Q, slug string) (Commission, error) {
	return postgres.One[Commission](ctx, q, access.ErrNotFound, `SELECT `+columns+` `+from+` WHERE c.slug = $1`, slug)
}

func byID(ctx context.Context, q postgres.Q, id uuid.UUID) (Commission, error) {
	return postgres.One[Commission](ctx, q, access.ErrNotFound, `SELECT `+columns+` `+from+` WHERE c.id = $1`, id)
}

// Row is a commission as a list shows it.
type Row struct {
	ID         uuid.UUID `db:"id" json:"id"`
	Slug       string    `db:"slug" json:"slug"`
	Acronym    string    `db:"acronym" json:"acronym"`
	Name       string    `db:"name" json:"name"`
	Kind       string    `db:"kind" json:"kind"`
	State      string    `db:"state" json:"state"`
	Sector     *string   `db:"sector_slug" json:"sector,omitempty"`
	SectorName *string   `db:"sector_name" json:"-"`
	Parent     *string   `db:"parent_slug" json:"parent,omitempty"`
	ParentName *string   `db:"parent_name" json:"-"`
}

// list reads a page of commissions in the order of their names. The page is cut
// from the index first and joined after, so it costs what it shows.
func list(ctx context.Context, q postgres.Q, f Filter, page keyset.Page) ([]Row, error) {
	var w postgres.Where
	w.If(f.Sector != "", "sector_id = (SELECT id FROM sector WHERE slug = ?)", f.Sector)
	w.If(f.Kind != "", "kind = ?", f.Kind)
	w.If(f.State != "", "state = ?", f.State)
	w.If(f.Open, "state NOT IN ('concluded', 'abandoned')")
	w.If(f.Parent != "", "parent_id = (SELECT id FROM commission WHERE slug = ?)", f.Parent)
	w.And(w.Named("acronym || ' ' || name", f.Query))
	w.If(page.After != nil, `(name, id) > (? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1))
	return postgres.All[Row](ctx, q, `
		SELECT c.id, c.slug, c.acronym, c.name, c.kind, c.state, s.slug AS sector_slug, s.name AS sector_name, p.slug AS parent_slug, p.name AS parent_name
		FROM (SELECT id, slug, acronym, name, kind, state, sector_id, parent_id FROM commission
		      WHERE `+w.SQL()+` ORDER BY name, id LIMIT `+w.Arg(page.Fetch())+`) c
		LEFT JOIN sector s ON s.id = c.sector_id
		LEFT JOIN commission p ON p.id = c.parent_id
		ORDER BY c.name, c.id`, w.Args()...)
}

func insert(ctx context.Context, q postgres.Q, c Commission, sector *uuid.UUID, now time.Time) error {
	_, err := q.Exec(ctx, `
		INSERT INTO commission (id, slug, acronym, name, kind, parent_id, parent_kind, sector_id, state, state_since, purpose, convener_id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, (SELECT kind FROM commission WHERE id = $6), $7, $8, $9, $10, $11, $9)`,
		c.ID, c.Slug, c.Acronym, c.Name, c.Kind, c.ParentID, sector, c.State, now, c.Purpose, c.ConvenerID)
	return err
}

func insertCharter(ctx context.Context, q postgres.Q, r Revision) error {
	_, err := q.Exec(ctx, `INSERT INTO charter (commission_id, number, body, summary, author_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.CommissionID, r.Number, r.Body, r.Summary, r.AuthorID, r.CreatedAt)
	return err
}

func insertSupport(ctx context.Context, q postgres.Q, commission, person uuid.UUID, organization *uuid.UUID, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO support (commission_id, person_id, organization_id, created_at) VALUES ($1, $2, $3, $4)`, commission, person, organization, now)
	return err
}

// oneJSON reads what a query says in one value of JSON: a page of many small
// parts costs one query.
func oneJSON[T any](ctx context.Context, q postgres.Q, query string, args ...any) (T, error) {
	var v T
	text, err := postgres.One[string](ctx, q, nil, query, args...)
	if err == nil {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

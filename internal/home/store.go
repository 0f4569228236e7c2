package home

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
)

func front(ctx context.Context, q postgres.Q, now time.Time) (Front, error) {
	f := Front{Countries: map[string]int{}, ID: uuid.NewString()}
	type totals struct {
		Commissions   int `db:"commissions"`
		Organizations int `db:"organizations"`
		Seats         int `db:"seats"`
	}
	t, err := postgres.One[totals](ctx, q, nil, `
		SELECT (SELECT count(*) FROM commission WHERE state NOT IN ('concluded', 'abandoned')) AS commissions,
		       (SELECT count(*) FROM organization WHERE state = 'member') AS organizations,
		       (SELECT count(*) FROM seat WHERE period @> $1::timestamptz) AS seats`, now)
	if err != nil {
		return f, err
	}
	f.Commissions, f.Organizations, f.Seats = t.Commissions, t.Organizations, t.Seats
	if f.Sectors, err = postgres.All[Sector](ctx, q, `
		SELECT s.slug, s.name, s.about, coalesce(c.n, 0) AS commissions
		FROM sector s LEFT JOIN (SELECT sector_id, count(*) AS n FROM commission
		                         WHERE state NOT IN ('concluded', 'abandoned') GROUP BY sector_id) c ON c.sector_id = s.id
		ORDER BY s.position, s.name LIMIT 60`); err != nil {
		return f, err
	}
	countries, err := postgres.All[Count](ctx, q, `
		SELECT country AS word, count(*) AS n FROM organization WHERE state = 'member' AND country IS NOT NULL GROUP BY country`)
	if err != nil {
		return f, err
	}
	for _, c := range countries {
		f.Countries[c.Word] = c.N
	}
	if f.Kinds, err = postgres.All[Count](ctx, q, `
		SELECT kind AS word, count(*) AS n FROM organization WHERE state = 'member' GROUP BY kind ORDER BY n DESC, kind`); err != nil {
		return f, err
	}
	if f.Growth, err = postgres.All[Month](ctx, q, `
		WITH joined AS (
		  SELECT date_trunc('month', created_at) AS m, count(*) AS n FROM organization WHERE state = 'member' GROUP BY 1)
		SELECT least(g + interval '1 month', $1) AS at, (SELECT coalesce(sum(n), 0) FROM joined WHERE m <= g)::int AS n
		FROM generate_series(greatest((SELECT min(m) FROM joined), date_trunc('month', $1::timestamptz) - interval '9 years'),
		                     date_trunc('month', $1::timestamptz), interval '1 month') g ORDER BY g`, now); err != nil {
		return f, err
	}
	if f.Founding, err = postgres.All[Proposal](ctx, q, `
		SELECT c.slug, c.name, c.purpose, s.name AS sector, u.persons, u.organizations, u.countries
		FROM (SELECT id, slug, name, purpose, sector_id, created_at FROM commission WHERE state = 'proposed' ORDER BY created_at DESC, id LIMIT 3) c
		LEFT JOIN sector s ON s.id = c.sector_id,
		LATERAL (SELECT count(*) AS persons, count(DISTINCT u.organization_id) AS organizations, count(DISTINCT coalesce(o.country, p.country)) AS countries
		         FROM support u JOIN person p ON p.id = u.person_id LEFT JOIN organization o ON o.id = u.organization_id WHERE u.commission_id = c.id) u
		ORDER BY c.created_at DESC, c.id`); err != nil {
		return f, err
	}
	f.Newest, err = postgres.All[Newest](ctx, q, `
		SELECT c.slug, c.name, c.purpose, s.name AS sector, c.state_since
		FROM (SELECT slug, name, purpose, sector_id, state_since FROM commission WHERE state = 'active' ORDER BY state_since DESC, id LIMIT 3) c
		LEFT JOIN sector s ON s.id = c.sector_id ORDER BY c.state_since DESC`)
	return f, err
}

func findCommissions(ctx context.Context, q postgres.Q, text string) ([]FoundCommission, error) {
	var w postgres.Where
	asked := w.Arg(text)
	w.And("(" + w.Named("c.acronym || ' ' || c.name", text) + " OR fold(" + asked + ") <% fold(c.acronym || ' ' || c.name))")
	return postgres.All[FoundCommission](ctx, q, `
		SELECT c.slug, c.acronym, c.name, c.state, s.name AS sector FROM commission c LEFT JOIN sector s ON s.id = c.sector_id
		WHERE `+w.SQL()+`
		ORDER BY lower(c.acronym) = lower(`+asked+`) DESC, word_similarity(fold(`+asked+`), fold(c.acronym || ' ' || c.name)) DESC, c.name, c.id LIMIT `+w.Arg(Most), w.Args()...)
}

func findOrganizations(ctx context.Context, q postgres.Q, text string) ([]FoundOrganization, error) {
	var w postgres.Where
	asked := w.Arg(text)
	w.And("state = 'member'").And("(" + w.Named("name", text) + " OR fold(" + asked + ") <% fold(name))")
	return postgres.All[FoundOrganization](ctx, q, `
		SELECT slug, name, kind, country FROM organization
		WHERE `+w.SQL()+` ORDER BY word_similarity(fold(`+asked+`), fold(name)) DESC, name, id LIMIT `+w.Arg(Most), w.Args()...)
}

// looked is among how many, of those the reader may see, the best are sought: where
// there are more, as with two letters among half a million names, nobody looks for the best of all.
const looked = 1000

// findPersons finds whom the reader may see: themselves, and whoever holds a
// seat on a roster that is open to them.
func findPersons(ctx context.Context, q postgres.Q, sight access.Sight, text string, now time.Time) ([]FoundPerson, error) {
	var w postgres.Where
	w.And(`p.state = 'active'`).And(`(`+w.Named("p.name", text)+` OR fold(?) <% fold(p.name))`, text)
	if !sight.All {
		at, me := w.Arg(now), w.Arg(sight.Person)
		w.And(`(p.id = ` + me + ` OR EXISTS (SELECT 1 FROM seat t JOIN commission c ON c.id = t.commission_id
			WHERE t.person_id = p.id AND t.period @> ` + at + `::timestamptz AND ` + sight.Roster(&w, "c.roster_visibility", "c.id") + `))`)
	}
	return postgres.All[FoundPerson](ctx, q, `SELECT id, name, country FROM (SELECT p.id, p.name, p.country FROM person p WHERE `+w.SQL()+` LIMIT `+w.Arg(looked)+`) p
		ORDER BY word_similarity(fold(`+w.Arg(text)+`), fold(name)) DESC, name, id LIMIT `+w.Arg(Most), w.Args()...)
}

package home

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
	return postgres.All[FoundCommission](ctx, q, find(&w, search{"commission c LEFT JOIN sector s ON s.id = c.sector_id", "c.id, c.slug, c.acronym, c.name, c.state, s.name AS sector",
		"slug, acronym, name, state, sector", "c.acronym || ' ' || c.name", "acronym"}, text), w.Args()...)
}

func findOrganizations(ctx context.Context, q postgres.Q, text string) ([]FoundOrganization, error) {
	var w postgres.Where
	w.And("state = 'member'")
	return postgres.All[FoundOrganization](ctx, q, find(&w, search{"organization", "id, slug, name, kind, country", "slug, name, kind, country", "name", "name"}, text), w.Args()...)
}

// findPersons finds whom the reader may see: themselves, and whoever holds a
// seat on a roster that is open to them. That is asked for each, and not EXISTS: for it
// Postgres may come to read all seats there are first.
func findPersons(ctx context.Context, q postgres.Q, sight access.Sight, text string, now time.Time) ([]FoundPerson, error) {
	var w postgres.Where
	w.And(`p.state = 'active'`)
	if !sight.All {
		at, me := w.Arg(now), w.Arg(sight.Person)
		w.And(`(p.id = ` + me + ` OR (SELECT true FROM seat t JOIN commission c ON c.id = t.commission_id
			WHERE t.person_id = p.id AND t.period @> ` + at + `::timestamptz AND ` + sight.Roster(&w, "c.roster_visibility", "c.id") + ` LIMIT 1))`)
	}
	return postgres.All[FoundPerson](ctx, q, find(&w, search{"person p", "p.id, p.name, p.country", "id, name, country", "p.name", "name"}, text), w.Args()...)
}

// search is what is looked through: columns from tables, id and name among them, of which
// some are shown; by a name of which one index has trigrams, and another its words with a
// letter left out. What is called just so comes first.
type search struct{ from, columns, shown, by, called string }

const (
	looked   = 500 // among how many that have the text the best are sought: among all that have two letters nobody looks for them
	mistaken = 200 // among how many that may be meant
	mended   = 4   // words of a text that may be mistakes
	longer   = 3   // letters; shorter words are like too many
)

// find is the statement that finds the rows under the conditions of w that have text in
// their name: what is called so first, then what begins so. Where there are none it finds
// those of whose words each that was asked for may be a mistake.
func find(w *postgres.Where, of search, text string) string {
	under, asked := w.SQL(), w.Arg(text)
	near := `(lower(` + of.called + `) = lower(` + asked + `))::int + (fold(name) LIKE (SELECT fold(` + w.Arg(postgres.Begins(text)) + `)))::int`
	named := `SELECT ` + of.columns + ` FROM ` + of.from + ` WHERE ` + under + ` AND ` + w.Named(of.by, text) + ` LIMIT ` + w.Arg(looked)
	found := `SELECT *, 2 + ` + near + ` AS near FROM named`
	meant := "true"
	for i, word := range words(text) {
		if i < mended {
			meant += ` AND words_left_out(` + of.by + `) && (SELECT one_left_out(fold(` + w.Arg(word) + `)))`
		}
	}
	if meant != "true" {
		found += `
		UNION ALL
		(SELECT ` + of.columns + `, word_similarity(fold(` + asked + `), fold(` + of.by + `)) FROM ` + of.from + `
		 WHERE ` + under + ` AND ` + meant + ` AND NOT EXISTS (SELECT FROM named) LIMIT ` + w.Arg(mistaken) + `)`
	}
	return `
		WITH named AS MATERIALIZED (` + named + `)
		SELECT ` + of.shown + ` FROM (` + found + `) x ORDER BY near DESC, name, id LIMIT ` + w.Arg(Most)
}

// words are those of a text in which a mistake can be told.
func words(text string) []string {
	all := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) })
	return slices.DeleteFunc(all, func(word string) bool { return utf8.RuneCountInString(word) <= longer })
}

package commission

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
)

// About is what the page of a commission shows besides the commission itself. It
// is read in one query, but for the membership of a large one.
type About struct {
	Membership
	Facts      Facts       `json:"facts" doc:"What its transitions are decided on: support and threshold of the founding, charter, officers."`
	Charter    *Excerpt    `json:"charter"`
	Officers   []Officer   `json:"officers"`
	Below      []Body      `json:"below" doc:"Bodies under it that have not ended, as a tree in order."`
	Milestones []Milestone `json:"milestones"`
	Signed     bool        `json:"signed" doc:"You support it."`
	Newest     []Signer    `json:"newest" doc:"The last supporters."`
	Pending    bool        `json:"pending" doc:"You have applied, and it is not decided yet."`
}

// Membership is what is counted over all that take part. Of a commission with more than
// large seats it is counted for everybody at once, and may be some moments old.
type Membership struct {
	Organizations []Participant  `json:"organizations" doc:"The first ten, those that participate first."`
	Levels        map[string]int `json:"levels" doc:"Organizations by P, O, L."`
	Countries     map[string]int `json:"countries" doc:"Organizations by country."`
	Kinds         map[string]int `json:"kinds" doc:"Organizations by kind."`
	Seats         int            `json:"seats"`
	Growth        []Month        `json:"growth" doc:"Seats at the end of each month."`
}

// Excerpt is the beginning of the charter that is read first.
type Excerpt struct {
	Number  int        `json:"number"`
	Body    string     `json:"body"`
	Adopted *time.Time `json:"adopted_at"`
}

// Officer is a chair, vice chair or secretary. They are public always.
type Officer struct {
	PersonID     uuid.UUID `json:"person_id"`
	Name         string    `json:"name"`
	Role         string    `json:"role"`
	Organization *string   `json:"organization"`
}

// Participant is an organization with its place in the commission.
type Participant struct {
	Slug    string  `json:"slug"`
	Name    string  `json:"name"`
	Country *string `json:"country"`
	Level   string  `json:"level"`
}

// Body is a commission under another, Depth levels below it.
type Body struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	State string `json:"state"`
	Depth int    `json:"depth"`
}

// Month is how many there were at its end.
type Month struct {
	At time.Time `json:"at"`
	N  int       `json:"n"`
}

// Signer is one of the supporters.
type Signer struct {
	Name         string  `json:"name"`
	Organization *string `json:"organization"`
}

// Participants are how many organizations take part, at any level.
func (m Membership) Participants() int {
	n := 0
	for _, l := range m.Levels {
		n += l
	}
	return n
}

// About reads what the page of c shows.
func (s *Service) About(ctx context.Context, who access.Actor, c Commission) (About, error) {
	if _, err := s.access.Require(ctx, who, c.Scope(), "commission", "read"); err != nil {
		return About{}, err
	}
	now := journal.Now(ctx)
	read, err := oneJSON[struct {
		About
		Counted *Membership `json:"counted"` // unless it is large
	}](ctx, s.db, about, c.ID, now, uuid.NullUUID{UUID: who.ID, Valid: who.SignedIn()}, large)
	switch {
	case err != nil:
		return About{}, err
	case read.Counted != nil:
		read.Membership = *read.Counted
	default:
		read.Membership, err = s.counts.membership.Get(ctx, now, c.ID, func(ctx context.Context) (Membership, error) {
			return oneJSON[Membership](ctx, s.db, `WITH `+counted+` SELECT `+membership+`::text`, c.ID, now)
		})
	}
	return read.About, err
}

// large is with how many seats, those that ended among them, the membership of a commission is
// kept: to count them takes about as long there as all else that its page shows.
const large = 200

// counted is what membership is counted from: who takes part in the commission $1 at $2, and
// how many seats more there were in a month than in the one before.
const counted = `
	part AS (
	  SELECT o.slug, o.name, o.country, o.kind, p.level FROM participation p JOIN organization o ON o.id = p.organization_id
	  WHERE p.commission_id = $1 AND p.period @> $2::timestamptz AND o.state = 'member'
	), step AS (
	  SELECT date_trunc('month', at) AS m, sum(d) AS d FROM (
	    SELECT lower(period) AS at, 1 AS d FROM seat WHERE commission_id = $1 AND lower(period) <= $2
	    UNION ALL SELECT upper(period), -1 FROM seat WHERE commission_id = $1 AND upper(period) <= $2) x GROUP BY 1
	)`

// membership is a JSON object of Membership.
const membership = `json_build_object(
	  'organizations', (SELECT coalesce(json_agg(x), '[]') FROM (
	              SELECT slug, name, country, level FROM part ORDER BY level = 'P' DESC, level = 'O' DESC, name, slug LIMIT 10) x),
	  'levels', (SELECT coalesce(json_object_agg(level, n), '{}') FROM (SELECT level, count(*) AS n FROM part GROUP BY level) x),
	  'countries', (SELECT coalesce(json_object_agg(country, n), '{}') FROM (SELECT country, count(*) AS n FROM part WHERE country IS NOT NULL GROUP BY country) x),
	  'kinds', (SELECT coalesce(json_object_agg(kind, n), '{}') FROM (SELECT kind, count(*) AS n FROM part GROUP BY kind) x),
	  'seats', (SELECT count(*) FROM seat WHERE commission_id = $1 AND period @> $2::timestamptz),
	  'growth', (SELECT coalesce(json_agg(x), '[]') FROM (
	              SELECT least(g + interval '1 month', $2::timestamptz) AS at, (SELECT coalesce(sum(d), 0) FROM step WHERE m <= g) AS n
	              FROM generate_series(greatest((SELECT min(m) FROM step), date_trunc('month', $2::timestamptz) - interval '9 years'),
	                                   date_trunc('month', $2::timestamptz), interval '1 month') g
	              WHERE EXISTS (SELECT FROM step) ORDER BY g) x))`

// about is one JSON object about the commission $1 at $2 for the person $3, with its
// membership if it has no more than $4 seats.
const about = `
	WITH RECURSIVE ` + counted + `, below AS (
	  SELECT id, slug, name, kind, state, 1 AS depth, ARRAY[name::text] AS path FROM commission WHERE parent_id = $1 AND state NOT IN ('concluded', 'abandoned')
	  UNION ALL
	  SELECT c.id, c.slug, c.name, c.kind, c.state, b.depth + 1, b.path || c.name::text FROM below b JOIN commission c ON c.parent_id = b.id
	  WHERE c.state NOT IN ('concluded', 'abandoned')
	)
	SELECT json_build_object(
	  'counted', CASE WHEN NOT EXISTS (SELECT FROM seat WHERE commission_id = $1 OFFSET $4) THEN ` + membership + ` END,
	  'facts', ` + facts + `,
	  'charter', (SELECT row_to_json(x) FROM (SELECT number, left(body, 4000) AS body, adopted_at FROM charter WHERE commission_id = $1
	              ORDER BY adopted_at IS NOT NULL DESC, number DESC LIMIT 1) x),
	  'officers', (SELECT coalesce(json_agg(x), '[]') FROM (
	              SELECT t.person_id, t.sort_name AS name, t.role, o.name AS organization FROM seat t LEFT JOIN organization o ON o.id = t.organization_id
	              WHERE t.commission_id = $1 AND t.rank <= 3 AND t.period @> $2::timestamptz AND NOT t.suspended ORDER BY t.rank, t.sort_name, t.id LIMIT 24) x),
	  'below', (SELECT coalesce(json_agg(x), '[]') FROM (SELECT slug, name, kind, state, depth FROM below ORDER BY path, slug LIMIT 100) x),
	  'milestones', (SELECT coalesce(json_agg(x), '[]') FROM (
	              SELECT id, title, due_on::text, done_on::text, version FROM milestone WHERE commission_id = $1 ORDER BY due_on, id LIMIT 200) x),
	  'signed', (SELECT EXISTS (SELECT FROM support WHERE commission_id = $1 AND person_id = $3)),
	  'newest', (SELECT coalesce(json_agg(x), '[]') FROM (
	              SELECT p.name, o.name AS organization FROM (SELECT person_id, organization_id, created_at FROM support WHERE commission_id = $1
	                ORDER BY created_at DESC, person_id DESC LIMIT 8) u
	              JOIN person p ON p.id = u.person_id LEFT JOIN organization o ON o.id = u.organization_id ORDER BY u.created_at DESC) x),
	  'pending', (SELECT EXISTS (SELECT FROM application WHERE commission_id = $1 AND person_id = $3 AND state = 'pending')))::text`

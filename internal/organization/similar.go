package organization

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Similar is an organization that may be the same as another one, and why.
type Similar struct {
	Row
	Website string `db:"website" json:"website"`
	Why     string `db:"why" json:"why" enum:"domain,name,similar" doc:"The same domain, the same name but for its legal form, or a similar one."`
}

// publicStates are what a person who registers is shown, beside those of their own
// that wait: that somebody else's waits is not told. The secretariat is shown allStates but the merged ones, which are their successors.
var (
	publicStates = []string{Member, Suspended, Left}
	allStates    = []string{Member, Suspended, Left, Pending, Declined}
)

// likeness is the least similarity of trigrams at which two names are shown as
// similar: "siemens" and "siemens energy" are.
const likeness = 0.45

// similar finds organizations with the same domain, the same plain name or a
// similar one, the likeliest first; at most eight. Each of the three is searched
// in an index of its own: joined by OR they are one pass over all names, as the
// planner takes a comparison of trigrams for as cheap as any other. Trigrams say
// nothing about names of two letters. Those that wait and that by registered are among
// them, whatever the states.
func similar(ctx context.Context, q postgres.Q, plain, domain string, but, by uuid.UUID, states []string) ([]Similar, error) {
	found, err := postgres.All[Similar](ctx, q, `
		SELECT o.id, o.slug, o.name, o.kind, o.category, o.country, o.state, o.website, (ARRAY['name', 'domain', 'similar'])[f.rank] AS why, l.digest AS logo
		FROM (SELECT id, min(rank) AS rank, max(likeness) AS likeness FROM (
		        (SELECT id, 1 AS rank, 1::real AS likeness FROM organization
		         WHERE plain_name = $1 AND $1 <> '' AND (state = ANY($4) OR state = 'pending' AND registered_by = $6) AND id <> $3 ORDER BY id LIMIT 8)
		        UNION ALL
		        (SELECT id, 2, similarity(plain_name, $1) FROM organization
		         WHERE domain = $2 AND domain <> '' AND $2 <> '' AND (state = ANY($4) OR state = 'pending' AND registered_by = $6) AND id <> $3 ORDER BY 3 DESC, id LIMIT 16)
		        UNION ALL
		        (SELECT id, 3, similarity(plain_name, $1) FROM organization
		         WHERE plain_name % $1 AND similarity(plain_name, $1) >= $5 AND length($1) > 2 AND (state = ANY($4) OR state = 'pending' AND registered_by = $6) AND id <> $3 ORDER BY 3 DESC, id LIMIT 24)) a
		      GROUP BY id ORDER BY 2, 3 DESC, id LIMIT 8) f
		JOIN organization o ON o.id = f.id
		LEFT JOIN organization_logo l ON l.organization_id = f.id
		ORDER BY f.rank, f.likeness DESC, f.id`,
		plain, domain, but, pq.Array(states), likeness, by)
	for i := range found {
		found[i].LogoURL = logoPath(found[i].Slug, found[i].Logo)
	}
	return found, err
}

// Similar finds organizations that may be the one somebody is about to register.
func (s *Service) Similar(ctx context.Context, who access.Actor, name, website string) ([]Similar, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "organization", "register"); err != nil {
		return nil, err
	}
	var f problem.Fields
	check.Line(&f, "name", &name, 0, 200)
	website = strings.TrimSpace(website)
	if err := f.Err(); err != nil {
		return nil, err
	}
	plain, domain := Plain(name), Domain(website)
	if utf8.RuneCountInString(plain) < 2 && domain == "" {
		return nil, nil
	}
	return similar(ctx, s.db, plain, domain, uuid.Nil, who.ID, publicStates)
}

// SimilarTo finds what may be the same as an organization that waits to be
// accepted: for the secretariat, among all there are.
func (s *Service) SimilarTo(ctx context.Context, who access.Actor, o Organization) ([]Similar, error) {
	if _, err := s.access.Require(ctx, who, o.Scope(), "organization", "accept"); err != nil {
		return nil, err
	}
	return similar(ctx, s.db, Plain(o.Name), o.Domain, o.ID, uuid.Nil, allStates)
}

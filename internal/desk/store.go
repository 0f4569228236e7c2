package desk

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
)

// waiting is one query over everything that can wait. Of each kind it shows the
// oldest few of a place and counts the rest.
func waiting(ctx context.Context, q postgres.Q, policy *access.Policy, who access.Actor, sight access.Sight, now time.Time) ([]Item, error) {
	var w postgres.Where
	for _, v := range []any{who.ID, policy.Places(who, "application", "decide"), postgres.IDs(who.Representing()), who.Email, now, who.Secretariat(), MostDecide, MostAccept} {
		w.Arg(v) // $1 to $8
	}
	with := func(name, object, action string) string {
		return name + " AS (SELECT unnest(" + w.Arg(policy.Places(who, object, action)) + "::uuid[]) AS id)"
	}
	return postgres.All[Item](ctx, q, `
		WITH deciding AS (SELECT unnest($2::uuid[]) AS id), led AS (SELECT unnest($3::uuid[]) AS id),
		     `+with("seating", "seat", "edit")+`, `+with("admitting", "participation", "edit")+`, `+with("accepting", "document", "accept")+`, `+with("reviewing", "access", "edit")+`
		(SELECT 'application.decide' AS kind, c.slug, a.id, p.name AS who, c.name AS place, a.created_at AS at, a.n
		 FROM deciding m JOIN commission c ON c.id = m.id,
		 LATERAL (SELECT id, person_id, created_at, count(*) OVER () AS n FROM application
		          WHERE commission_id = c.id AND state = 'pending' ORDER BY created_at, id LIMIT $7) a
		 JOIN person p ON p.id = a.person_id ORDER BY a.created_at LIMIT 30)
		UNION ALL
		(SELECT 'invitation.answer', c.slug, i.id, p.name, c.name, i.expires_at, 1
		 FROM invitation i JOIN commission c ON c.id = i.commission_id JOIN person p ON p.id = i.invited_by
		 WHERE i.email = $4 AND i.state = 'pending' AND i.expires_at > $5 ORDER BY i.created_at LIMIT 20)
		UNION ALL
		(SELECT 'application.pending', c.slug, a.id, '', c.name, a.created_at, 1
		 FROM application a JOIN commission c ON c.id = a.commission_id
		 WHERE a.person_id = $1 AND a.state = 'pending' ORDER BY a.id DESC LIMIT 20)
		UNION ALL
		(SELECT 'term.mine', c.slug, s.id, s.role, c.name, upper(s.period), 1
		 FROM seat s JOIN commission c ON c.id = s.commission_id
		 WHERE s.person_id = $1 AND s.period @> $5::timestamptz AND s.ended IS NULL AND upper(s.period) < $5 + interval '60 days'
		 ORDER BY upper(s.period) LIMIT 20)
		UNION ALL
		(SELECT 'term.commission', c.slug, c.id, '', c.name, t.at, t.n
		 FROM seating m JOIN commission c ON c.id = m.id,
		 LATERAL (SELECT min(upper(s.period)) AS at, count(*) AS n FROM seat s
		          WHERE s.commission_id = c.id AND s.period @> $5::timestamptz AND s.ended IS NULL AND upper(s.period) < $5 + interval '30 days') t
		 WHERE t.n > 0 ORDER BY t.at LIMIT 20)
		UNION ALL
		(SELECT 'organization.accept', o.slug, o.id, coalesce(p.name, ''), o.name, o.created_at, count(*) OVER ()
		 FROM organization o LEFT JOIN person p ON p.id = o.registered_by
		 WHERE $6 AND o.state = 'pending' ORDER BY o.created_at LIMIT $8)
		UNION ALL
		(SELECT 'affiliation.confirm', o.slug, a.id, p.name, o.name, lower(a.period), 1
		 FROM led JOIN organization o ON o.id = led.id JOIN affiliation a ON a.organization_id = o.id JOIN person p ON p.id = a.person_id
		 WHERE a.state = 'claimed' AND a.period @> $5::timestamptz ORDER BY lower(a.period) LIMIT 10)
		UNION ALL
		(SELECT 'participation.decide', c.slug, r.id, o.name, c.name, r.created_at, 1
		 FROM admitting m JOIN commission c ON c.id = m.id JOIN participation_request r ON r.commission_id = c.id JOIN organization o ON o.id = r.organization_id
		 WHERE r.state = 'pending' ORDER BY r.created_at LIMIT 10)
		UNION ALL
		(SELECT 'commission.support', c.slug, c.id, '', c.name, c.created_at, (SELECT count(*) FROM support u WHERE u.commission_id = c.id)
		 FROM commission c WHERE c.convener_id = $1 AND c.state = 'proposed' ORDER BY c.created_at LIMIT 10)
		UNION ALL
		(SELECT 'document.accept', c.slug, d.id, d.title, c.name, d.at, d.n
		 FROM accepting m JOIN commission c ON c.id = m.id,
		 LATERAL (SELECT id, title, submitted_at AS at, count(*) OVER () AS n FROM document
		          WHERE commission_id = c.id AND number IS NULL AND review = 'submitted' ORDER BY id LIMIT $7) d ORDER BY d.at LIMIT 30)
		UNION ALL
		(SELECT 'document.returned', c.slug, d.id, d.title, c.name, d.updated_at, 1
		 FROM document d JOIN commission c ON c.id = d.commission_id WHERE d.author_id = $1 AND d.review = 'returned' ORDER BY d.id DESC LIMIT 10)
		UNION ALL
		(SELECT 'access.review', c.slug, c.id, '', c.name, coalesce(r.at, c.created_at) + interval '6 months', 1
		 FROM reviewing m JOIN commission c ON c.id = m.id LEFT JOIN access_review r ON r.commission_id = c.id
		 WHERE c.state = 'active' AND coalesce(r.at, c.created_at) + interval '6 months' <= $5 ORDER BY 6 LIMIT 10)
		UNION ALL
		(SELECT 'document.due', c.slug, d.id, d.title, c.name, d.due_on::timestamptz, 1
		 FROM document d JOIN commission c ON c.id = d.commission_id
		 WHERE d.commission_id = ANY(`+w.Arg(postgres.IDs(who.Commissions()))+`::uuid[]) AND d.due_on BETWEEN $5::date AND $5::date + 14
		   AND d.action IN ('comment', 'decision') AND d.status = 'available' AND `+sight.Document(&w, "d", now)+` ORDER BY d.due_on, d.id LIMIT 10)`, w.Args()...)
}

// places are the commissions and the organizations of a person, each by name.
func places(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) (commissions, organizations []Place, err error) {
	rows, err := postgres.All[struct {
		Place
		Body bool `db:"body"` // a commission
	}](ctx, q, `
		(SELECT true AS body, c.slug, c.name, c.kind, c.state, m.role, o.name AS organization, m.until
		 FROM (SELECT commission_id, role::text, organization_id, upper(period) AS until FROM seat WHERE person_id = $1 AND period @> $2::timestamptz
		       UNION ALL
		       SELECT id, 'convener', NULL, NULL FROM commission WHERE convener_id = $1 AND state IN ('proposed', 'forming')) m
		 JOIN commission c ON c.id = m.commission_id LEFT JOIN organization o ON o.id = m.organization_id
		 ORDER BY c.name, m.role LIMIT $3)
		UNION ALL
		(SELECT false, o.slug, o.name, o.kind, o.state, CASE WHEN a.state = 'claimed' THEN 'claimed' WHEN a.representative THEN 'representative' ELSE 'affiliate' END, NULL, upper(a.period)
		 FROM affiliation a JOIN organization o ON o.id = a.organization_id
		 WHERE a.person_id = $1 AND a.period @> $2::timestamptz AND a.state <> 'declined' ORDER BY o.name, o.id LIMIT $3)
		ORDER BY body, name, role`, person, now, mostPlaces)
	commissions, organizations = []Place{}, []Place{}
	for _, r := range rows {
		if r.Body {
			commissions = append(commissions, r.Place)
		} else {
			organizations = append(organizations, r.Place)
		}
	}
	return commissions, organizations, err
}

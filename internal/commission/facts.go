package commission

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// supportOf counts who supports the commission $1: an organization while it is a
// member, a person by the country of the organization or, in person, their own.
const supportOf = `
	SELECT count(*) AS persons, count(DISTINCT o.id) AS organizations,
	       count(DISTINCT CASE WHEN u.organization_id IS NULL THEN p.country ELSE o.country END) AS countries
	FROM support u JOIN person p ON p.id = u.person_id LEFT JOIN organization o ON o.id = u.organization_id AND o.state = 'member'
	WHERE u.commission_id = $1`

// facts is a JSON object of Facts about the commission $1 at $2.
const facts = `json_build_object(
	'support', (SELECT row_to_json(x) FROM (` + supportOf + `) x),
	'threshold', (SELECT row_to_json(x) FROM (SELECT persons, organizations, countries FROM founding_threshold) x),
	'revisions', (SELECT count(*) FROM charter WHERE commission_id = $1),
	'adopted', (SELECT EXISTS (SELECT FROM charter WHERE commission_id = $1 AND adopted_at IS NOT NULL)),
	'chair', (SELECT EXISTS (SELECT FROM seat WHERE commission_id = $1 AND rank = 1 AND period @> $2::timestamptz AND NOT suspended)),
	'secretary', (SELECT EXISTS (SELECT FROM seat WHERE commission_id = $1 AND rank = 3 AND period @> $2::timestamptz AND NOT suspended)),
	'below', (SELECT count(*) FROM commission WHERE parent_id = $1 AND state NOT IN ('concluded', 'abandoned')))`

func factsOf(ctx context.Context, q postgres.Q, id uuid.UUID, now time.Time) (Facts, error) {
	return oneJSON[Facts](ctx, q, `SELECT `+facts+`::text`, id, now)
}

// factsLocked reads the facts with the seats that count among them locked, so
// that a chair who leaves at this moment does so before or after.
func factsLocked(ctx context.Context, tx *journal.Tx, id uuid.UUID) (Facts, error) {
	if _, err := postgres.All[int](ctx, tx, `
		SELECT 1 FROM seat WHERE commission_id = $1 AND rank IN (1, 3) AND period @> $2::timestamptz AND NOT suspended FOR SHARE`, id, tx.Now); err != nil {
		return Facts{}, err
	}
	return factsOf(ctx, tx, id, tx.Now)
}

func ends(ctx context.Context, q postgres.Q, id uuid.UUID, now time.Time) (Ends, error) {
	return postgres.One[Ends](ctx, q, nil, `
		SELECT (SELECT count(DISTINCT s.id) FROM seat s WHERE s.commission_id = $1 AND coalesce(upper(s.period), 'infinity') > $2) AS seats,
		       (SELECT count(*) FROM application WHERE commission_id = $1 AND state = 'pending') AS applications,
		       (SELECT count(*) FROM invitation WHERE commission_id = $1 AND state = 'pending' AND expires_at > $2) AS invitations`, id, now)
}

package account

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

func factors(ctx context.Context, q postgres.Q, person uuid.UUID) (Factors, error) {
	return postgres.One[Factors](ctx, q, nil, `
		SELECT max(confirmed_at) AS app, count(*) > count(confirmed_at) AS pending,
		       (SELECT password_hash IS NOT NULL FROM person WHERE id = $1) AS password,
		       (SELECT count(*) FROM passkey WHERE person_id = $1) AS keys,
		       (SELECT count(*) FROM recovery_code WHERE person_id = $1) AS codes
		FROM authenticator WHERE person_id = $1`, person)
}

type authenticator struct {
	Secret      []byte     `db:"secret"`
	ConfirmedAt *time.Time `db:"confirmed_at"`
}

func authenticatorOf(ctx context.Context, q postgres.Q, person uuid.UUID) (authenticator, error) {
	return postgres.One[authenticator](ctx, q, access.ErrNotFound, `SELECT secret, confirmed_at FROM authenticator WHERE person_id = $1`, person)
}

func insertAuthenticator(ctx context.Context, q postgres.Q, person uuid.UUID, sealed []byte, now time.Time) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "An app is set up already. Remove it first."), `
		INSERT INTO authenticator AS a (person_id, secret, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (person_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, step = 0
		WHERE a.confirmed_at IS NULL`, person, sealed, now)
}

// confirmAuthenticator makes the app with that secret count.
func confirmAuthenticator(ctx context.Context, q postgres.Q, person uuid.UUID, sealed []byte, step int64, now time.Time) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "This app was set up in another window meanwhile."), `
		UPDATE authenticator SET confirmed_at = $4, step = $3 WHERE person_id = $1 AND secret = $2 AND confirmed_at IS NULL`, person, sealed, step, now)
}

func deleteAuthenticator(ctx context.Context, q postgres.Q, person uuid.UUID) error {
	return postgres.ExecOne(ctx, q, access.ErrNotFound, `DELETE FROM authenticator WHERE person_id = $1`, person)
}

// useStep takes the code of a step, unless that or a later one has been taken.
func useStep(ctx context.Context, q postgres.Q, person uuid.UUID, step int64) error {
	return postgres.ExecOne(ctx, q, errCode, `
		UPDATE authenticator SET step = $2 WHERE person_id = $1 AND step < $2 AND confirmed_at IS NOT NULL`, person, step)
}

func insertRecovery(ctx context.Context, q postgres.Q, person uuid.UUID, hashes [][]byte) error {
	_, err := q.Exec(ctx, `INSERT INTO recovery_code (person_id, hash) SELECT $1, unnest($2::bytea[])`, person, pq.ByteaArray(hashes))
	return err
}

func deleteRecovery(ctx context.Context, q postgres.Q, person uuid.UUID) error {
	_, err := q.Exec(ctx, `DELETE FROM recovery_code WHERE person_id = $1`, person)
	return err
}

func hasRecovery(ctx context.Context, q postgres.Q, person uuid.UUID, hash []byte) (bool, error) {
	return postgres.One[bool](ctx, q, nil, `SELECT EXISTS (SELECT FROM recovery_code WHERE person_id = $1 AND hash = $2)`, person, hash)
}

func useRecovery(ctx context.Context, q postgres.Q, person uuid.UUID, hash []byte) error {
	return postgres.ExecOne(ctx, q, errCode, `DELETE FROM recovery_code WHERE person_id = $1 AND hash = $2`, person, hash)
}

func hasFactor(ctx context.Context, q postgres.Q, person uuid.UUID) (bool, error) {
	return postgres.One[bool](ctx, q, nil, `SELECT has_factor($1)`, person)
}

func insertHalf(ctx context.Context, q postgres.Q, hash []byte, person uuid.UUID, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO half_session (hash, person_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`, hash, person, now, now.Add(HalfFor))
	return err
}

func halfOf(ctx context.Context, q postgres.Q, hash []byte, now time.Time) (waiting, error) {
	return postgres.One[waiting](ctx, q, ErrHalf, `
		SELECT h.person_id, p.name, coalesce(p.password_hash, '') AS password_hash, a.secret
		FROM half_session h JOIN person p ON p.id = h.person_id
		LEFT JOIN authenticator a ON a.person_id = h.person_id AND a.confirmed_at IS NOT NULL
		WHERE h.hash = $1 AND h.expires_at > $2 AND p.state = 'active'`, hash, now)
}

func useHalf(ctx context.Context, q postgres.Q, hash []byte) error {
	return postgres.ExecOne(ctx, q, ErrHalf, `DELETE FROM half_session WHERE hash = $1`, hash)
}

func rests(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) (bool, error) {
	return postgres.One[bool](ctx, q, nil, `SELECT `+access.Resting("$1::uuid", "$2::timestamptz"), person, now)
}

// asking are the roles of a person that ask for a second factor.
func asking(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) ([]string, error) {
	return postgres.All[string](ctx, q, `
		SELECT r.role FROM portal_role r JOIN factor_role f ON f.scope = 'portal' AND f.role = r.role WHERE r.person_id = $1
		UNION
		SELECT s.role FROM seat s JOIN factor_role f ON f.scope = 'commission' AND f.role = s.role
		WHERE s.person_id = $1 AND s.period @> $2::timestamptz AND NOT s.suspended
		ORDER BY role`, person, now)
}

func factorRoles(ctx context.Context, q postgres.Q) ([]string, error) {
	return postgres.All[string](ctx, q, `SELECT role FROM factor_role ORDER BY role LIMIT 100`)
}

// lacking counts who has no second factor and holds a role that asks for one, and by
// role who holds it.
func lacking(ctx context.Context, q postgres.Q, now time.Time) (all int, by map[string]int, err error) {
	rows, err := postgres.All[struct {
		Role *string `db:"role"`
		N    int     `db:"n"`
	}](ctx, q, `
		WITH holds AS (
			SELECT 'portal' AS scope, role, person_id FROM portal_role
			UNION
			SELECT 'commission', role, person_id FROM seat WHERE period @> $1::timestamptz AND NOT suspended),
		bare AS (
			SELECT h.* FROM holds h
			WHERE NOT EXISTS (SELECT FROM authenticator a WHERE a.person_id = h.person_id AND a.confirmed_at IS NOT NULL)
			  AND NOT EXISTS (SELECT FROM passkey k WHERE k.person_id = h.person_id))
		SELECT role, count(*) AS n FROM bare GROUP BY role
		UNION ALL
		SELECT NULL, count(DISTINCT person_id) FROM bare JOIN factor_role USING (scope, role)`, now)
	by = map[string]int{}
	for _, r := range rows {
		if r.Role == nil {
			all = r.N
		} else {
			by[*r.Role] = r.N
		}
	}
	return all, by, err
}

func setFactorRoles(ctx context.Context, q postgres.Q, portal, seats []string) error {
	if _, err := q.Exec(ctx, `DELETE FROM factor_role`); err != nil {
		return err
	}
	_, err := q.Exec(ctx, `
		INSERT INTO factor_role (scope, role) SELECT 'portal', unnest($1::text[]) UNION ALL SELECT 'commission', unnest($2::text[])`, pq.Array(portal), pq.Array(seats))
	return err
}

// deleteFactors forgets all factors of a person, and says how many there were.
func deleteFactors(ctx context.Context, q postgres.Q, person uuid.UUID) (int, error) {
	app, err := q.Exec(ctx, `DELETE FROM authenticator WHERE person_id = $1`, person)
	if err != nil {
		return 0, err
	}
	keys, err := q.Exec(ctx, `DELETE FROM passkey WHERE person_id = $1`, person)
	if err != nil {
		return 0, err
	}
	return int(app + keys), deleteRecovery(ctx, q, person)
}

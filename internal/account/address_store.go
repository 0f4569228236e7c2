package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
)

func putMove(ctx context.Context, q postgres.Q, id, person uuid.UUID, email string, stop []byte, now, expires time.Time) error {
	_, err := q.Exec(ctx, `
		INSERT INTO address_change (person_id, id, email, stop, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (person_id) DO UPDATE SET id = excluded.id, email = excluded.email, hash = NULL, stop = excluded.stop, created_at = excluded.created_at, expires_at = excluded.expires_at`,
		person, id, email, stop, now, expires)
	return err
}

const moveColumns = `id, person_id, email, expires_at`

func pendingMove(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) (*Move, error) {
	rows, err := postgres.All[Move](ctx, q, `SELECT `+moveColumns+` FROM address_change WHERE person_id = $1 AND expires_at > $2`, person, now)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func moveWhere(ctx context.Context, q postgres.Q, condition string, key any, now time.Time) (Move, error) {
	return postgres.One[Move](ctx, q, ErrLink, `SELECT `+moveColumns+` FROM address_change WHERE `+condition+` AND expires_at > $2`, key, now)
}

func linkMove(ctx context.Context, q postgres.Q, id uuid.UUID, hash []byte) error {
	return postgres.ExecOne(ctx, q, ErrLink, `UPDATE address_change SET hash = $2 WHERE id = $1 AND hash IS NULL`, id, hash)
}

func useMove(ctx context.Context, q postgres.Q, hash []byte, now time.Time) (Move, error) {
	return postgres.One[Move](ctx, q, ErrLink, `DELETE FROM address_change WHERE hash = $1 AND expires_at > $2 RETURNING `+moveColumns, hash, now)
}

func stopMove(ctx context.Context, q postgres.Q, stop []byte, now time.Time) (Move, error) {
	return postgres.One[Move](ctx, q, ErrLink, `DELETE FROM address_change WHERE stop = $1 AND expires_at > $2 RETURNING `+moveColumns, stop, now)
}

func deleteMove(ctx context.Context, q postgres.Q, person uuid.UUID) error {
	return postgres.ExecOne(ctx, q, access.ErrNotFound, `DELETE FROM address_change WHERE person_id = $1`, person)
}

func setEmail(ctx context.Context, q postgres.Q, person uuid.UUID, email string) error {
	return postgres.ExecOne(ctx, q, ErrLink, `UPDATE person SET email = $2, version = version + 1 WHERE id = $1 AND state = 'active'`, person, email)
}

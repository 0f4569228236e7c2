package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

func passkeys(ctx context.Context, q postgres.Q, person uuid.UUID) ([]Passkey, error) {
	return postgres.All[Passkey](ctx, q, `SELECT id, name, created_at, seen_at FROM passkey WHERE person_id = $1 ORDER BY id DESC LIMIT 100`, person)
}

func keysOf(ctx context.Context, q postgres.Q, person uuid.UUID) ([]string, error) {
	return postgres.All[string](ctx, q, `SELECT credential FROM passkey WHERE person_id = $1 ORDER BY id LIMIT 100`, person)
}

func insertPasskey(ctx context.Context, q postgres.Q, person uuid.UUID, handle []byte, name, credential string, now time.Time) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "You have %d passkeys already. Remove one that you do not use any more.", mostKeys), `
		INSERT INTO passkey (person_id, handle, name, credential, created_at)
		SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM passkey WHERE person_id = $1) < $6`, person, handle, name, credential, now, mostKeys)
}

func deletePasskey(ctx context.Context, q postgres.Q, person, id uuid.UUID) (name string, err error) {
	return postgres.One[string](ctx, q, access.ErrNotFound, `DELETE FROM passkey WHERE person_id = $1 AND id = $2 RETURNING name`, person, id)
}

// passkeyOwner finds a passkey by what its device calls it, and locks it.
func passkeyOwner(ctx context.Context, q postgres.Q, handle []byte) (uuid.UUID, string, error) {
	row, err := postgres.One[struct {
		Person uuid.UUID `db:"person_id"`
		Name   string    `db:"name"`
	}](ctx, q, errKey, `SELECT person_id, name FROM passkey WHERE handle = $1 FOR NO KEY UPDATE`, handle)
	return row.Person, row.Name, err
}

func seenPasskey(ctx context.Context, q postgres.Q, handle []byte, credential string, now time.Time) error {
	return postgres.ExecOne(ctx, q, errKey, `UPDATE passkey SET credential = $2, seen_at = $3 WHERE handle = $1`, handle, credential, now)
}

func insertChallenge(ctx context.Context, q postgres.Q, hash []byte, person uuid.NullUUID, session string, expires time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO passkey_challenge (hash, person_id, session, expires_at) VALUES ($1, $2, $3, $4)`, hash, person, session, expires)
	return err
}

func useChallenge(ctx context.Context, q postgres.Q, hash []byte, person uuid.NullUUID, now time.Time) (string, error) {
	return postgres.One[string](ctx, q, errKey, `
		DELETE FROM passkey_challenge WHERE hash = $1 AND person_id IS NOT DISTINCT FROM $2 AND expires_at > $3 RETURNING session`, hash, person, now)
}

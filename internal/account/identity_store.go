package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

func insertRequest(ctx context.Context, q postgres.Q, hash []byte, person uuid.NullUUID, nonce, verifier, next string, expires time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO identity_request (hash, person_id, nonce, verifier, next, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		hash, person, nonce, verifier, next, expires)
	return err
}

func useRequest(ctx context.Context, q postgres.Q, hash []byte, now time.Time) (identityRequest, error) {
	return postgres.One[identityRequest](ctx, q, ErrIssuer, `
		DELETE FROM identity_request WHERE hash = $1 AND expires_at > $2 RETURNING person_id, nonce, verifier, next`, hash, now)
}

// seenIdentity is the person that an account elsewhere signs in.
func seenIdentity(ctx context.Context, q postgres.Q, issuer, subject string, now time.Time) (uuid.UUID, error) {
	return postgres.One[uuid.UUID](ctx, q, ErrUnlinked, `
		UPDATE identity SET seen_at = $3 WHERE issuer = $1 AND subject = $2 RETURNING person_id`, issuer, subject, now)
}

func insertIdentity(ctx context.Context, q postgres.Q, issuer string, c claims, person uuid.UUID, now time.Time) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "One of the two accounts is linked to another one already. Unlink that first."), `
		INSERT INTO identity (issuer, subject, person_id, email, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING`,
		issuer, c.Subject, person, c.Email, now)
}

func identities(ctx context.Context, q postgres.Q, person uuid.UUID, issuer string) ([]Identity, error) {
	return postgres.All[Identity](ctx, q, `SELECT issuer, email, created_at, seen_at FROM identity WHERE person_id = $1 AND issuer = $2`, person, issuer)
}

func deleteIdentity(ctx context.Context, q postgres.Q, person uuid.UUID, issuer string) error {
	return postgres.ExecOne(ctx, q, access.ErrNotFound, `DELETE FROM identity WHERE person_id = $1 AND issuer = $2`, person, issuer)
}

// confirmPerson takes the address of a person as proved.
func confirmPerson(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) error {
	_, err := q.Exec(ctx, `UPDATE person SET confirmed_at = $2 WHERE id = $1 AND confirmed_at IS NULL`, person, now)
	return err
}

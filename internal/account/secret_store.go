package account

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// What is found by the digest of a secret: applications, links, sessions,
// tokens. And the counts that protect them.

type signUp struct {
	ID           uuid.UUID `db:"id"`
	Email        string    `db:"email"`
	Name         string    `db:"name"`
	PasswordHash string    `db:"password_hash"`
	Country      string    `db:"country"`
	Language     string    `db:"language"`
	TimeZone     string    `db:"time_zone"`
	Next         string    `db:"next"`
	CreatedAt    time.Time `db:"created_at"`
	ExpiresAt    time.Time `db:"expires_at"`
}

const signUpColumns = `id, email, name, password_hash, coalesce(country, '') AS country, language, time_zone, next, created_at, expires_at`

func insertSignUp(ctx context.Context, q postgres.Q, r signUp) error {
	_, err := q.Exec(ctx, `
		INSERT INTO sign_up (id, email, name, password_hash, country, language, time_zone, next, created_at, expires_at)
		VALUES ($1, $2, $3, $4, nullif($5, ''), $6, $7, $8, $9, $10)`,
		r.ID, r.Email, r.Name, r.PasswordHash, r.Country, r.Language, r.TimeZone, r.Next, r.CreatedAt, r.ExpiresAt)
	return err
}

// repeatSignUp copies the newest application of that address, if there is one.
func repeatSignUp(ctx context.Context, q postgres.Q, id uuid.UUID, email string, now, expires time.Time) error {
	_, err := q.Exec(ctx, `
		INSERT INTO sign_up (id, email, name, password_hash, country, language, time_zone, next, created_at, expires_at)
		SELECT $1, email, name, password_hash, country, language, time_zone, next, $3, $4
		FROM sign_up WHERE email = $2 AND expires_at > $3 ORDER BY created_at DESC LIMIT 1`, id, email, now, expires)
	return err
}

// linkSignUp gives an application its link; errDone if it has one or is gone.
func linkSignUp(ctx context.Context, q postgres.Q, id uuid.UUID, hash []byte, now time.Time) (signUp, error) {
	return postgres.One[signUp](ctx, q, errDone, `
		UPDATE sign_up SET hash = $2 WHERE id = $1 AND hash IS NULL AND expires_at > $3 RETURNING `+signUpColumns, id, hash, now)
}

func signUpByHash(ctx context.Context, q postgres.Q, hash []byte, now time.Time) (signUp, error) {
	return postgres.One[signUp](ctx, q, ErrLink, `SELECT `+signUpColumns+` FROM sign_up WHERE hash = $1 AND expires_at > $2`, hash, now)
}

func useSignUp(ctx context.Context, q postgres.Q, id uuid.UUID) error {
	return postgres.ExecOne(ctx, q, ErrLink, `DELETE FROM sign_up WHERE id = $1`, id)
}

func deleteSignUps(ctx context.Context, q postgres.Q, email string) error {
	_, err := q.Exec(ctx, `DELETE FROM sign_up WHERE email = $1`, email)
	return err
}

// insertConfirmed makes the person of an application, or opens the account of
// one who was added or imported and never had a password.
func insertConfirmed(ctx context.Context, q postgres.Q, r signUp, now time.Time) (uuid.UUID, error) {
	return postgres.One[uuid.UUID](ctx, q, errTaken, `
		INSERT INTO person AS p (email, name, password_hash, country, language, time_zone, confirmed_at, created_at)
		VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7, $7)
		ON CONFLICT (email) DO UPDATE SET name = excluded.name, password_hash = excluded.password_hash, country = excluded.country,
		  language = excluded.language, time_zone = excluded.time_zone, confirmed_at = excluded.confirmed_at, version = p.version + 1
		WHERE p.confirmed_at IS NULL AND p.state = 'active'
		RETURNING id`, r.Email, r.Name, r.PasswordHash, r.Country, r.Language, r.TimeZone, now)
}

func insertTicket(ctx context.Context, q postgres.Q, hash []byte, person uuid.UUID, purpose string, now, expires time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO ticket (hash, person_id, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`, hash, person, purpose, now, expires)
	return err
}

func byTicket(ctx context.Context, q postgres.Q, hash []byte, purpose string, now time.Time) (Person, error) {
	return postgres.One[Person](ctx, q, ErrLink, `
		SELECT `+columns+` FROM ticket t JOIN person p ON p.id = t.person_id
		WHERE t.hash = $1 AND t.purpose = $2 AND t.expires_at > $3 AND p.state = 'active'`, hash, purpose, now)
}

func useTicket(ctx context.Context, q postgres.Q, hash []byte, now time.Time) error {
	return postgres.ExecOne(ctx, q, ErrLink, `DELETE FROM ticket WHERE hash = $1 AND expires_at > $2`, hash, now)
}

func deleteTickets(ctx context.Context, q postgres.Q, person uuid.UUID) error {
	_, err := q.Exec(ctx, `DELETE FROM ticket WHERE person_id = $1`, person)
	return err
}

func insertSession(ctx context.Context, q postgres.Q, hash []byte, person uuid.UUID, now, expires time.Time, agent string) error {
	if r := []rune(strings.ToValidUTF8(agent, "")); len(r) > 300 {
		agent = string(r[:300])
	} else {
		agent = string(r)
	}
	_, err := q.Exec(ctx, `INSERT INTO session (hash, person_id, created_at, seen_at, expires_at, agent) VALUES ($1, $2, $3, $3, $4, $5)`, hash, person, now, expires, agent)
	return err
}

func deleteSession(ctx context.Context, q postgres.Q, hash []byte) error {
	_, err := q.Exec(ctx, `DELETE FROM session WHERE hash = $1`, hash)
	return err
}

func sessions(ctx context.Context, q postgres.Q, person uuid.UUID, current []byte, now time.Time) ([]Session, error) {
	return postgres.All[Session](ctx, q, `
		SELECT id, agent, created_at, least(seen_at, $3) AS seen_at, expires_at, coalesce(hash = $2, false) AS current
		FROM session WHERE person_id = $1 AND expires_at > $3
		ORDER BY current DESC, seen_at DESC, id LIMIT 200`, person, current, now)
}

func endSession(ctx context.Context, q postgres.Q, person, id uuid.UUID) (agent string, err error) {
	return postgres.One[string](ctx, q, access.ErrNotFound, `DELETE FROM session WHERE person_id = $1 AND id = $2 RETURNING agent`, person, id)
}

// endSessions ends all of a person but keep (nil: all), and what was to become one.
func endSessions(ctx context.Context, q postgres.Q, person uuid.UUID, keep []byte) (int, error) {
	if _, err := q.Exec(ctx, `DELETE FROM half_session WHERE person_id = $1`, person); err != nil {
		return 0, err
	}
	n, err := q.Exec(ctx, `DELETE FROM session WHERE person_id = $1 AND hash IS DISTINCT FROM $2`, person, keep)
	return int(n), err
}

// seenSession puts the end of a session's idle time off, never beyond its life.
func seenSession(ctx context.Context, q postgres.Q, hash []byte, now time.Time, life Life) error {
	_, err := q.Exec(ctx, `
		UPDATE session SET seen_at = $2, expires_at = greatest(expires_at, least($2 + make_interval(secs => $3), created_at + make_interval(secs => $4)))
		WHERE hash = $1 AND seen_at < $2::timestamptz - interval '1 minute'`, hash, now, life.Idle.Seconds(), life.For.Seconds())
	return err
}

// renewSession gives a session another id, and notes that its person was there.
func renewSession(ctx context.Context, q postgres.Q, old, hash []byte, now time.Time) (began time.Time, err error) {
	return postgres.One[time.Time](ctx, q, errMeanwhile, `
		UPDATE session SET hash = $2, confirmed_at = $3 WHERE hash = $1 AND expires_at > $3 RETURNING created_at`, old, hash, now)
}

func seenToken(ctx context.Context, q postgres.Q, hash []byte, now time.Time) error {
	_, err := q.Exec(ctx, `UPDATE token SET seen_at = $2 WHERE hash = $1 AND coalesce(seen_at, 'epoch') < $2::timestamptz - interval '1 minute'`, hash, now)
	return err
}

func tokens(ctx context.Context, q postgres.Q, person uuid.UUID) ([]Token, error) {
	return postgres.All[Token](ctx, q, `
		SELECT id, name, read_only, created_at, expires_at, seen_at FROM token
		WHERE person_id = $1 AND revoked_at IS NULL ORDER BY id DESC LIMIT 200`, person)
}

// insertToken makes a token unless the person has as many as one may have; the
// person's row is locked, so that two at once are counted one after the other.
func insertToken(ctx context.Context, q postgres.Q, person uuid.UUID, hash []byte, t Token) error {
	if _, err := postgres.One[int](ctx, q, errNoPerson, `SELECT 1 FROM person WHERE id = $1 FOR NO KEY UPDATE`, person); err != nil {
		return err
	}
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "You have %d tokens already. Revoke one that is not used any more.", mostTokens), `
		INSERT INTO token (id, hash, person_id, name, read_only, created_at, expires_at)
		SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE (SELECT count(*) FROM token WHERE person_id = $3 AND revoked_at IS NULL AND coalesce(expires_at, 'infinity') > $6) < $8`,
		t.ID, hash, person, t.Name, t.ReadOnly, t.CreatedAt, t.ExpiresAt, mostTokens)
}

func revokeToken(ctx context.Context, q postgres.Q, person, id uuid.UUID, now time.Time) (name string, err error) {
	return postgres.One[string](ctx, q, access.ErrNotFound, `
		UPDATE token SET revoked_at = $3 WHERE person_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING name`, person, id, now)
}

func revokeTokens(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) error {
	_, err := q.Exec(ctx, `UPDATE token SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL`, person, now)
	return err
}

type attemptCount struct {
	Key string `db:"key"`
	N   int    `db:"n"`
}

func countAttempts(ctx context.Context, q postgres.Q, keys []string, since time.Time) (map[string]int, error) {
	rows, err := postgres.All[attemptCount](ctx, q, `SELECT key, count(*) AS n FROM attempt WHERE key = ANY($1) AND at > $2 GROUP BY key`, pq.Array(keys), since)
	counts := make(map[string]int, len(rows)+1)
	for _, r := range rows {
		counts[r.Key] = r.N
	}
	return counts, err
}

func insertAttempts(ctx context.Context, q postgres.Q, keys []string, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO attempt (key, at) SELECT unnest($1::text[]), $2`, pq.Array(keys), now)
	return err
}

// deleteAttempts takes back one attempt of each key that was made then.
func deleteAttempts(ctx context.Context, q postgres.Q, keys []string, at time.Time) error {
	_, err := q.Exec(ctx, `
		DELETE FROM attempt WHERE ctid = ANY (ARRAY(SELECT DISTINCT ON (key) ctid FROM attempt WHERE key = ANY($1) AND at = $2))`, pq.Array(keys), at)
	return err
}

// sweep deletes what has run out: each statement by an index, none needed by the others.
func sweep(ctx context.Context, q postgres.Q, now time.Time) error {
	for _, statement := range []string{
		`DELETE FROM session WHERE expires_at < $1`,
		`DELETE FROM half_session WHERE expires_at < $1`,
		`DELETE FROM passkey_challenge WHERE expires_at < $1`,
		`DELETE FROM identity_request WHERE expires_at < $1`,
		`DELETE FROM sign_up WHERE expires_at < $1`,
		`DELETE FROM ticket WHERE expires_at < $1`,
		`DELETE FROM address_change WHERE expires_at < $1`,
		`DELETE FROM attempt WHERE at < $1::timestamptz - interval '1 day'`,
		`DELETE FROM idempotency WHERE created_at < $1::timestamptz - interval '2 days'`,
		`DELETE FROM token WHERE least(revoked_at, expires_at) < $1::timestamptz - interval '90 days'`,
	} {
		if _, err := q.Exec(ctx, statement, now); err != nil {
			return err
		}
	}
	return nil
}

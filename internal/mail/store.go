package mail

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/problem"
)

// Q is what the outbox is read through: the pool or a transaction.
type Q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var errClaimed = errors.New("another process is sending it")

// insert writes letters in one statement and returns their keys.
func insert(ctx context.Context, tx *sql.Tx, state State, messages []Message) (ids []uuid.UUID, err error) {
	n := len(messages)
	kind, person, about := make([]string, n), make([]string, n), make([]string, n)
	name, address, subject := make([]string, n), make([]string, n), make([]string, n)
	text, html, secret, unsubscribe := make([]string, n), make([]string, n), make([]bool, n), make([]string, n)
	needs := make([]string, n) // as one text each: the arrays of an array have one length
	for i, m := range messages {
		kind[i], about[i], secret[i] = m.Kind, m.About, m.Secret
		name[i], address[i], subject[i] = m.To.Name, m.To.Address, m.Subject
		text[i], html[i], unsubscribe[i] = m.Text, m.HTML, m.Unsubscribe
		for j, need := range m.Needs {
			if j > 0 {
				needs[i] += "\n"
			}
			needs[i] += need.String()
		}
		if m.Person != uuid.Nil {
			person[i] = m.Person.String()
		}
	}
	rows, err := tx.QueryContext(ctx, `
		INSERT INTO mail (kind, person_id, about, to_name, to_address, subject, text, html, secret, unsubscribe, needs, state)
		SELECT kind, nullif(person, '')::uuid, about, name, address, subject, text, html, secret, unsubscribe, string_to_array(needs, E'\n'), $12
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[], $10::text[], $11::text[])
		  AS m (kind, person, about, name, address, subject, text, html, secret, unsubscribe, needs)
		RETURNING id`,
		pq.Array(kind), pq.Array(person), pq.Array(about), pq.Array(name), pq.Array(address), pq.Array(subject),
		pq.Array(text), pq.Array(html), pq.Array(secret), pq.Array(unsubscribe), pq.Array(needs), string(state))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// claimOne takes the letter for sending. It reports errClaimed if another process
// has it, sql.ErrNoRows if it is not to be sent any more.
func claimOne(ctx context.Context, db *sql.DB, id uuid.UUID) (Mail, error) {
	m, err := scan(db.QueryRowContext(ctx, `
		UPDATE mail SET attempts = attempts + 1, claimed_until = now() + make_interval(secs => $2)
		WHERE id = $1 AND state = 'queued' AND (claimed_until IS NULL OR claimed_until <= now())
		RETURNING id, kind, person_id, about, to_name, to_address, subject, text, html, secret, unsubscribe, needs,
		  state, attempts, last_error, created_at, sent_at`, id, claim.Seconds()))
	if !errors.Is(err, sql.ErrNoRows) {
		return m, err
	}
	var queued bool
	if err := db.QueryRowContext(ctx, `SELECT state = 'queued' FROM mail WHERE id = $1`, id).Scan(&queued); err != nil {
		return m, err
	}
	if queued {
		return m, errClaimed
	}
	return m, sql.ErrNoRows
}

// settle gives a claimed letter its state after an attempt, with the reason if
// that failed. What is settled already stays so.
func settle(ctx context.Context, db *sql.DB, id uuid.UUID, state State, reason string) error {
	const limit = 2000
	reason = strings.ReplaceAll(strings.ToValidUTF8(reason, "\uFFFD"), "\x00", "")
	if r := []rune(reason); len(r) > limit {
		reason = string(r[:limit]) + " …"
	}
	_, err := db.ExecContext(ctx, `
		UPDATE mail SET state = $2, last_error = $3, claimed_until = NULL,
		  sent_at = CASE WHEN $2 = 'sent' THEN now() END,
		  text = CASE WHEN $2 = 'sent' AND secret THEN '' ELSE text END,
		  html = CASE WHEN $2 = 'sent' AND secret THEN '' ELSE html END
		WHERE id = $1 AND state = 'queued'`, id, string(state), reason)
	return err
}

// deleteNaming deletes letters to somebody, and those that the pattern is found in,
// unless one of them has yet to be sent.
func deleteNaming(ctx context.Context, tx *sql.Tx, person uuid.UUID, addresses []string, pattern string) (waiting bool, err error) {
	const those = ` (person_id = $1 OR lower(to_address) = ANY($2) OR subject ~* $3 OR text ~* $3 OR html ~* $3 OR last_error ~* $3)`
	args := []any{person, pq.Array(addresses), pattern}
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM mail WHERE state = 'queued' AND`+those+`)`, args...).Scan(&waiting); err != nil || waiting {
		return waiting, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM mail WHERE state <> 'queued' AND`+those, args...)
	return false, err
}

// Recent are the newest letters, without their bodies, newest first. Before is
// the key of the last one of the page before, or zero for the first page.
func Recent(ctx context.Context, q Q, before uuid.UUID, limit int) (mails []Mail, err error) {
	if before == uuid.Nil {
		before = uuid.Max
	}
	rows, err := q.QueryContext(ctx, `
		SELECT id, kind, person_id, about, to_name, to_address, subject, '', '', secret, '', needs,
		  state, attempts, last_error, created_at, sent_at
		FROM mail WHERE id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		m, err := scan(rows)
		if err != nil {
			return nil, err
		}
		mails = append(mails, m)
	}
	return mails, rows.Err()
}

// ByID is one letter with its bodies; NotFound if there is none.
func ByID(ctx context.Context, q Q, id uuid.UUID) (Mail, error) {
	m, err := scan(q.QueryRowContext(ctx, `
		SELECT id, kind, person_id, about, to_name, to_address, subject, text, html, secret, unsubscribe, needs,
		  state, attempts, last_error, created_at, sent_at
		FROM mail WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return m, problem.New(problem.NotFound, "There is no such letter.")
	}
	return m, err
}

func scan(row interface{ Scan(...any) error }) (m Mail, err error) {
	var person uuid.NullUUID
	var sent sql.NullTime
	var needs pq.StringArray
	err = row.Scan(&m.ID, &m.Kind, &person, &m.About, &m.To.Name, &m.To.Address, &m.Subject, &m.Text, &m.HTML, &m.Secret, &m.Unsubscribe, &needs,
		&m.State, &m.Attempts, &m.LastError, &m.CreatedAt, &sent)
	if err == nil {
		m.Needs, err = needsOf(needs)
	}
	m.Person, m.SentAt = person.UUID, sent.Time
	return m, err
}

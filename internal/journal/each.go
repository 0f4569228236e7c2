package journal

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
)

// RecordEach notes one entry in the chain of each of many scopes, all in a few
// statements: what an import did to a hundred thousand organizations. rows is a
// SELECT of scope_id (uuid, each once) and note (text, a Note as JSON); it is a
// constant of the caller, and may read temporary tables of the transaction.
func (tx *Tx) RecordEach(ctx context.Context, kind access.Kind, object, action, rows string, args ...any) error {
	if _, err := tx.ExecContext(ctx, `CREATE TEMP TABLE journal_each ON COMMIT DROP AS SELECT r.scope_id, r.note, journal_salt() AS salt FROM (`+rows+`) r`, args...); err != nil {
		return err
	}
	a := tx.permit.Actor()
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO journal_head (scope_id, number, hash) SELECT scope_id, 0, ''::bytea FROM journal_each ON CONFLICT DO NOTHING`, nil},
		// Locked in one order, so that two imports cannot wait for each other.
		{`SELECT 1 FROM journal_head WHERE scope_id IN (SELECT scope_id FROM journal_each) ORDER BY scope_id FOR UPDATE`, nil},
		{`INSERT INTO journal_entry (scope_id, number, scope, at, person_id, object, action, object_id, note, salt, sealed, request_id, previous, hash)
			SELECT h.scope_id, h.number + 1, $1, $2::timestamptz, $3::uuid, $4, $5, h.scope_id, e.note::json, e.salt, journal_seal(e.salt, e.note), $6, h.hash,
			       journal_hash(h.hash, h.scope_id, h.number + 1, $2::timestamptz, $3::uuid, NULL, $4, $5, h.scope_id, encode(journal_seal(e.salt, e.note), 'hex'), $6)
			FROM journal_each e JOIN journal_head h USING (scope_id)`,
			[]any{string(kind), tx.Now, uuid.NullUUID{UUID: a.ID, Valid: a.SignedIn()}, object, action, requestID(ctx, a)}},
		{`UPDATE journal_head h SET number = e.number, hash = e.hash FROM journal_entry e
			WHERE h.scope_id IN (SELECT scope_id FROM journal_each) AND e.scope_id = h.scope_id AND e.number = h.number + 1`, nil},
		{`DROP TABLE journal_each`, nil},
	} {
		if _, err := tx.ExecContext(ctx, s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}

package intake

import (
	"context"

	"github.com/lib/pq"

	"commissionportal/internal/journal"
)

// Forget takes a person out of imports: the uploaded files that name them are
// deleted, and reports do not name them any more. What a source calls the person is
// forgotten too: whoever is in its next file comes as somebody new.
func (s *Service) Forget(ctx context.Context, tx *journal.Tx, e journal.Erasure) error {
	pattern, marks := e.Pattern(), pq.ByteaArray{}
	for _, f := range e.Forms() {
		marks = append(marks, []byte(f))
	}
	if _, err := tx.Exec(ctx, `DELETE FROM import_key WHERE kind = 'person' AND object_id = $1`, e.Person); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE import_line SET name = $2 WHERE path = '/persons/' || $1::uuid`, e.Person, e.Pseudonym); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE import_line SET notes = '{}' WHERE array_to_string(notes, ' ') ~* $1`, pattern); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE import SET sample = '[]' WHERE sample::text ~* $1`, pattern); err != nil {
		return err
	}
	// A part ends anywhere, so each is searched with the beginning of the next one.
	if _, err := tx.Exec(ctx, `
		DELETE FROM import_file WHERE import_id IN (
		  SELECT import_id FROM (SELECT import_id, body || coalesce(lead(substring(body FROM 1 FOR 400)) OVER (PARTITION BY import_id ORDER BY part), ''::bytea) AS body FROM import_file) f
		  WHERE EXISTS (SELECT FROM unnest($1::bytea[]) m WHERE position(m IN f.body) > 0))`, marks); err != nil {
		return err
	}
	if err := e.In(ctx, tx, "import_line", "(import_id, line)", journal.Text{Column: "name", Max: 500}); err != nil {
		return err
	}
	return e.In(ctx, tx, "import", "id", journal.Text{Column: "file_name", Max: 200})
}

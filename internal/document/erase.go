package document

import (
	"context"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// ErasePerson ends what a person has of documents whose account is closed for
// good: files on their way, shares with them, letters. What they submitted stays.
func (s *Service) ErasePerson(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM upload WHERE person_id = $1`, person); err != nil { // their content is swept, as that of any that nothing names
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM document_notice WHERE person_id = $1`, person); err != nil {
		return err
	}
	ended, err := postgres.All[uuid.UUID](ctx, tx, `
		UPDATE share SET revoked_at = $2, revoked_by = $1 WHERE to_person = $1 AND revoked_at IS NULL AND coalesce(expires_at, 'infinity') > $2 RETURNING document_id`, person, tx.Now)
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := tx.RecordAs("share", "revoke", id, journal.Say("A share ended, as the account of %s was closed", journal.Person(person))); err != nil {
			return err
		}
	}
	return nil
}

// Forget takes a person out of what is said of documents. What is in their files
// stays: a file is what its digest says.
func (s *Service) Forget(ctx context.Context, tx *journal.Tx, e journal.Erasure) error {
	for _, t := range []struct {
		table, key string
		columns    []journal.Text
	}{
		{"document", "id", []journal.Text{{Column: "title", Max: 500}, {Column: "summary", Max: 2000}, {Column: "status_reason", Max: 2000}, {Column: "review_reason", Max: 2000}}},
		{"document_version", "(document_id, number, language)", []journal.Text{{Column: "note", Max: 500}, {Column: "file_name", Max: 255}}},
		{"share", "id", []journal.Text{{Column: "reason", Max: 500}}},
	} {
		if err := e.In(ctx, tx, t.table, t.key, t.columns...); err != nil {
			return err
		}
	}
	// The words of the name are forgotten too, unless there is another document with them.
	words, stems := pq.StringArray{}, Stems{}
	for _, form := range e.Forms() {
		for _, language := range []string{"en", "fr", "es"} {
			words = append(words, lexemesOf(split(plain(form)), language, stems)...)
		}
	}
	_, err := tx.Exec(ctx, `
		DELETE FROM document_word w WHERE w.word = ANY($1) AND NOT EXISTS (
		  SELECT FROM document_search s WHERE s.lexemes @@ quote_literal(w.word)::tsquery AND NOT EXISTS (SELECT FROM document_unindexed u WHERE u.document_id = s.document_id))`, words)
	if err != nil {
		return err
	}
	return s.reindex(ctx, tx)
}

package organization

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// ErasePerson ends the affiliations of a person whose account is closed for good.
// Not even the last primary representative is kept: the secretariat makes
// somebody else one.
func (s *Service) ErasePerson(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	ended, err := postgres.All[struct {
		ID   uuid.UUID `db:"id"`
		Name string    `db:"name"`
	}](ctx, tx, `
		UPDATE affiliation a SET period = tstzrange(lower(a.period), greatest($2, lower(a.period) + interval '1 microsecond')), representative = false, version = a.version + 1
		FROM organization o WHERE o.id = a.organization_id AND a.person_id = $1 AND a.state <> 'declined' AND a.period @> $2::timestamptz RETURNING a.id, o.name`, person, tx.Now)
	if err != nil {
		return err
	}
	for _, a := range ended {
		if err := tx.RecordAs("affiliation", "end", a.ID, journal.Say("Ended the affiliation of %s with %s", journal.Person(person), a.Name)); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE affiliation SET title = '', reason = '' WHERE person_id = $1 AND (title <> '' OR reason <> '')`, person)
	return err
}

// Forget takes a person out of what others wrote about organizations.
func (s *Service) Forget(ctx context.Context, tx *journal.Tx, e journal.Erasure) error {
	for _, t := range []struct {
		table   string
		columns []journal.Text
	}{
		{"organization", []journal.Text{{Column: "about", Max: 5000}, {Column: "state_reason", Max: 2000}}},
		{"affiliation", []journal.Text{{Column: "reason", Max: 2000}}},
		{"participation_request", []journal.Text{{Column: "message", Max: 2000}, {Column: "reason", Max: 2000}}},
	} {
		if err := e.In(ctx, tx, t.table, "id", t.columns...); err != nil {
			return err
		}
	}
	return nil
}

package commission

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// ErasePerson takes back the support of a person whose account is closed for good,
// where it has founded nothing yet.
func (s *Service) ErasePerson(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	names, err := postgres.All[struct {
		ID   uuid.UUID `db:"id"`
		Name string    `db:"name"`
	}](ctx, tx, `DELETE FROM support s USING commission c WHERE c.id = s.commission_id AND c.state = 'proposed' AND s.person_id = $1 RETURNING c.id, c.name`, person)
	if err != nil {
		return err
	}
	for _, c := range names {
		if err := tx.RecordAs("support", "withdraw", c.ID, journal.Say("Took back the support of %s", c.Name)); err != nil {
			return err
		}
	}
	return nil
}

// Forget takes a person out of what others wrote about commissions.
func (s *Service) Forget(ctx context.Context, tx *journal.Tx, e journal.Erasure) error {
	for _, t := range []struct {
		table, key string
		columns    []journal.Text
	}{
		{"commission", "id", []journal.Text{{Column: "purpose", Max: 2000}}},
		{"charter", "(commission_id, number)", []journal.Text{{Column: "body", Max: 200000}, {Column: "summary", Max: 300}}},
		{"milestone", "id", []journal.Text{{Column: "title", Max: 300}}},
	} {
		if err := e.In(ctx, tx, t.table, t.key, t.columns...); err != nil {
			return err
		}
	}
	return nil
}

package rights

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
)

// ErasePerson takes roles of commissions' own from a person whose account is closed
// for good; they ended with the seats.
func (s *Service) ErasePerson(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	_, err := tx.Exec(ctx, `DELETE FROM commission_role_holder WHERE person_id = $1`, person)
	return err
}

// Forget takes a person out of what others wrote about roles.
func (s *Service) Forget(ctx context.Context, tx *journal.Tx, e journal.Erasure) error {
	return e.In(ctx, tx, "commission_role", "(commission_id, slot)", journal.Text{Column: "purpose", Max: 500})
}

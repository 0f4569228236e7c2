package membership

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// EndPerson withdraws the applications of a person whose account is suspended.
// Their seats stay, give no rights as long as that lasts and are shown as
// suspended: the organization or the officers decide whether to replace them.
func (s *Service) EndPerson(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	ids, err := postgres.All[uuid.UUID](ctx, tx, `UPDATE application SET state = 'withdrawn', decided_at = $2 WHERE person_id = $1 AND state = 'pending' RETURNING id`, person, tx.Now)
	for _, id := range ids {
		if err := tx.RecordAs("application", "withdraw", id, journal.Say("Withdrew the application of a suspended account")); err != nil {
			return err
		}
	}
	return err
}

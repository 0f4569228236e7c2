package app

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
)

// still reports whether a person has the rights that a letter needs at the moment it is
// sent; see mail.Outbox.
func (a *App) still(ctx context.Context, person uuid.UUID, needs []mail.Need) (bool, error) {
	who, err := a.Policy.ByPerson(ctx, a.DB, person, journal.Now(ctx))
	if err != nil || !who.SignedIn() {
		return false, err
	}
	var documents []uuid.UUID
	for _, need := range needs {
		if need.Document != uuid.Nil {
			documents = append(documents, need.Document)
		} else if !a.Policy.May(who, access.Commission(need.Commission), need.Object, need.Action) {
			return false, nil
		}
	}
	if len(documents) == 0 {
		return true, nil
	}
	return a.Documents.Reads(ctx, who, documents)
}

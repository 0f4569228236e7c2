package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
)

// still reports whether a person has the rights that a letter needs at the moment it is
// sent; see mail.Message.
func (a *App) still(ctx context.Context, person uuid.UUID, needs []string) (bool, error) {
	who, err := a.Policy.ByPerson(ctx, a.DB, person, journal.Now(ctx))
	if err != nil || !who.SignedIn() {
		return false, err
	}
	var documents []uuid.UUID
	for _, need := range needs {
		what := strings.Fields(need)
		id, err := uuid.Parse(what[min(1, len(what)-1)])
		switch {
		case err != nil:
			return false, fmt.Errorf("a letter needs %q: %w", need, err)
		case what[0] == "document":
			documents = append(documents, id)
		case len(what) != 4 || !a.Policy.May(who, access.Commission(id), what[2], what[3]):
			return false, nil
		}
	}
	if len(documents) == 0 {
		return true, nil
	}
	return a.Documents.Reads(ctx, who, documents)
}

package commission

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
)

// Sector is a branch of the economy in the convention's program.
type Sector struct {
	ID       uuid.UUID `db:"id" json:"-"`
	Slug     string    `db:"slug" json:"slug"`
	Name     string    `db:"name" json:"name"`
	About    string    `db:"about" json:"about"`
	Position int       `db:"position" json:"position"`
	Closed   bool      `db:"closed" json:"closed" doc:"No new commission may be founded in it."`
	Version  int       `db:"version" json:"version"`
}

// Sectors are all sectors in the order of the program; a few dozen at most.
func (s *Service) Sectors(ctx context.Context, who access.Actor) ([]Sector, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "sector", "read"); err != nil {
		return nil, err
	}
	return postgres.All[Sector](ctx, s.db, `SELECT id, slug, name, about, position, closed, version FROM sector ORDER BY position, name LIMIT 200`)
}

package commission

import (
	"time"

	"github.com/google/uuid"
)

// Revision is one state of a commission's charter, in Markdown. Revisions count
// from 1 and are never changed, only followed.
type Revision struct {
	CommissionID uuid.UUID  `db:"commission_id" json:"-"`
	Number       int        `db:"number" json:"number"`
	Body         string     `db:"body" json:"body" doc:"Markdown."`
	Summary      string     `db:"summary" json:"summary" doc:"What changed, in a line."`
	AuthorID     *uuid.UUID `db:"author_id" json:"-"`
	CreatedAt    time.Time  `db:"created_at" json:"created_at"`
	AdoptedAt    *time.Time `db:"adopted_at" json:"adopted_at,omitempty"`
}

package membership

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// What waits on a desk.
const (
	WaitsDecision   = "decision"   // an application for me to decide
	WaitsInvitation = "invitation" // an invitation for me to answer
	WaitsAnswer     = "answer"     // my application, which others decide
	WaitsTerm       = "term"       // a term of mine that ends soon
	WaitsTermOf     = "term_of"    // a term that ends soon in a commission I lead
)

// Item is a thing that waits on a person's desk.
type Item struct {
	Kind       string    `db:"kind" json:"kind" enum:"decision,invitation,answer,term,term_of"`
	ID         uuid.UUID `db:"id" json:"id"` // of the application, invitation or seat
	Slug       string    `db:"slug" json:"commission"`
	Commission string    `db:"commission_name" json:"commission_name"`
	Person     string    `db:"person" json:"person"` // whom it is about
	Role       string    `db:"role" json:"role"`
	At         time.Time `db:"at" json:"at"` // since when it waits, until when it can be answered, or when the term ends
}

// Path is where to deal with it.
func (i Item) Path() string {
	switch i.Kind {
	case WaitsInvitation:
		return "/invitations/" + i.ID.String()
	case WaitsTerm, WaitsTermOf:
		return "/commissions/" + i.Slug + "/seats/" + i.ID.String()
	}
	return "/commissions/" + i.Slug + "/applications/" + i.ID.String()
}

const waiting = `
	(SELECT 'decision' AS kind, a.id, a.commission_id, a.person_id, a.role, a.created_at AS at FROM application a
	 WHERE a.state = 'pending' AND a.commission_id = ANY($1::uuid[]) ORDER BY a.created_at LIMIT 20)
	UNION ALL
	(SELECT 'invitation', i.id, i.commission_id, i.invited_by, i.role, i.expires_at FROM invitation i
	 WHERE i.state = 'pending' AND i.email = $2 AND i.expires_at > $4 ORDER BY i.expires_at LIMIT 20)`

const waitingBesides = `
	UNION ALL
	(SELECT 'answer', a.id, a.commission_id, a.person_id, a.role, a.created_at FROM application a
	 WHERE a.state = 'pending' AND a.person_id = $3 ORDER BY a.id DESC LIMIT 20)
	UNION ALL
	(SELECT 'term', s.id, s.commission_id, s.person_id, s.role, upper(s.period) FROM seat s
	 WHERE s.person_id = $3 AND s.period @> $4::timestamptz AND s.ended IS NULL AND upper(s.period) <= $4::timestamptz + interval '60 days' ORDER BY upper(s.period) LIMIT 20)
	UNION ALL
	(SELECT 'term_of', s.id, s.commission_id, s.person_id, s.role, upper(s.period) FROM seat s
	 WHERE s.commission_id = ANY($1::uuid[]) AND s.person_id <> $3 AND s.period @> $4::timestamptz AND s.ended IS NULL
	   AND upper(s.period) > $4 AND upper(s.period) <= $4::timestamptz + interval '60 days' ORDER BY upper(s.period) LIMIT 20)`

// Waiting is what waits for the actor, in one query: applications to decide,
// invitations, own applications, and terms that end within 60 days.
func (s *Service) Waiting(ctx context.Context, who access.Actor) ([]Item, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "desk", "read"); err != nil {
		return nil, err
	}
	return postgres.All[Item](ctx, s.db, `SELECT w.kind, w.id, c.slug, c.name AS commission_name, p.name AS person, w.role, w.at
		FROM (`+waiting+waitingBesides+`) w JOIN commission c ON c.id = w.commission_id JOIN person p ON p.id = w.person_id
		ORDER BY array_position(ARRAY['decision', 'invitation', 'term', 'term_of', 'answer'], w.kind), w.at`,
		array(who.Chairing()), who.Email, who.ID, journal.Now(ctx))
}

// Count is how many things the actor has to act on, up to 40: for a badge.
func (s *Service) Count(ctx context.Context, who access.Actor) (int, error) {
	if !who.SignedIn() {
		return 0, nil
	}
	return postgres.One[int](ctx, s.db, nil, `SELECT count(*) FROM (`+waiting+`) w WHERE $3::uuid IS NOT NULL`,
		array(who.Chairing()), who.Email, who.ID, journal.Now(ctx))
}

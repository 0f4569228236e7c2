package rights

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// Review is what somebody looks at who confirms that roles and rules are right.
type Review struct {
	Home
	Officers []Holder `json:"officers" doc:"Chairs, vice chairs and secretaries."`
	Roles    []Own    `json:"roles"`
	Rules    []Change `json:"rules" doc:"What differs from what all commissions have."`
	Persons  int      `json:"persons" doc:"Who have a seat."`
}

// mostOfficers bounds whom a review names.
const mostOfficers = 50

// Due is when a review is asked for: six months after the last, or after the
// commission was founded.
func (h Home) Due() time.Time {
	if h.ReviewedAt != nil {
		return h.ReviewedAt.AddDate(0, 6, 0)
	}
	return h.CreatedAt.AddDate(0, 6, 0)
}

// Review reads it.
func (s *Service) Review(ctx context.Context, who access.Actor, slug string) (Review, error) {
	h, _, err := s.home(ctx, who, slug, "read")
	if err != nil {
		return Review{}, err
	}
	r := Review{Home: h, Roles: []Own{}, Rules: []Change{}}
	sets, err := setsOf(ctx, s.db, h.ID, journal.Now(ctx))
	if err != nil {
		return r, err
	}
	for _, rule := range h.Rules {
		r.Rules = append(r.Rules, h.named(Change{Role: rule.Role, Object: rule.Object, Action: rule.Action, Effect: rule.Effect}))
	}
	for _, own := range h.Own {
		r.Roles = append(r.Roles, Own{own, given(h.Rules, own.Role), 0})
	}
	for _, set := range sets {
		r.Persons += set.Persons
		for i, own := range r.Roles {
			if set.holds(own.Role) {
				r.Roles[i].Persons += set.Persons
			}
		}
	}
	r.Officers, err = officersOf(ctx, s.db, h.ID, journal.Now(ctx))
	return r, err
}

// Confirm says that roles and rules are right as they are. The next review is
// asked for in six months.
func (s *Service) Confirm(ctx context.Context, who access.Actor, slug string) (Home, error) {
	h, permit, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, err
	}
	return h, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO access_review (commission_id, at, person_id) VALUES ($1, $2, $3)
			ON CONFLICT (commission_id) DO UPDATE SET at = excluded.at, person_id = excluded.person_id`, h.ID, tx.Now, who.ID); err != nil {
			return err
		}
		return tx.Record(h.RulesID(), journal.Say("Confirmed that roles and rules are right").Changed(nil, map[string]any{"rules": h.Version}))
	})
}

func officersOf(ctx context.Context, q postgres.Q, commission uuid.UUID, at time.Time) ([]Holder, error) {
	return postgres.All[Holder](ctx, q, `
		SELECT s.id AS seat_id, s.person_id, s.sort_name AS name, s.role AS seat_role, o.name AS organization, lower(s.period) AS since, s.suspended
		FROM seat s LEFT JOIN organization o ON o.id = s.organization_id
		WHERE s.commission_id = $1 AND s.rank <= 3 AND s.period @> $2::timestamptz ORDER BY s.rank, s.sort_name, s.id LIMIT $3`, commission, at, mostOfficers)
}

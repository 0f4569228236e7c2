package organization

import (
	"context"
	"time"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Accept makes an organization that waits a member of that category.
func (s *Service) Accept(ctx context.Context, who access.Actor, slug, category string) (Organization, error) {
	o, permit, err := s.require(ctx, who, slug, "organization", "accept")
	if err != nil {
		return o, err
	}
	var f problem.Fields
	check.OneOf(&f, "category", category, Categories...)
	if err := f.Err(); err != nil {
		return o, err
	}
	return s.decide(ctx, permit, o, Member, "", journal.Say("Accepted %s as a member (%s)", o.Name, category), func(tx *journal.Tx, o Organization) error {
		if _, err := tx.Exec(ctx, `UPDATE organization SET category = $2 WHERE id = $1`, o.ID, category); err != nil {
			return err
		}
		to, err := person(ctx, tx, o.RegisteredBy)
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, to, "organization.accepted", o, acceptedNote(o))
	})
}

// Decline refuses an organization that waits, for a reason the registrant reads.
func (s *Service) Decline(ctx context.Context, who access.Actor, slug, reason string) (Organization, error) {
	o, permit, err := s.require(ctx, who, slug, "organization", "decline")
	if err != nil {
		return o, err
	}
	if err := checkReason(&reason, 3); err != nil {
		return o, err
	}
	return s.decide(ctx, permit, o, Declined, reason, journal.Say("Declined %s: %s", o.Name, reason), func(tx *journal.Tx, o Organization) error {
		to, err := person(ctx, tx, o.RegisteredBy)
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, to, "organization.declined", o, declinedNote(o, reason))
	})
}

func checkReason(reason *string, least int) error {
	var f problem.Fields
	check.Text(&f, "reason", reason, least, 2000)
	return f.Err()
}

// decide moves an organization that waits to the state the secretariat, or its
// registrant, has decided on.
func (s *Service) decide(ctx context.Context, permit access.Permit, o Organization, state, reason string, note journal.Note, then func(*journal.Tx, Organization) error) (Organization, error) {
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		now, err := lock(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if now.State != Pending {
			return problem.New(problem.Conflict, "This has been decided already: the organization is in state %s.", now.State)
		}
		if err := setState(ctx, tx, now, state, reason, tx.Now); err != nil {
			return err
		}
		if err := tx.Record(o.ID, note); err != nil {
			return err
		}
		return then(tx, now)
	})
	return s.again(ctx, o, err)
}

// again reads o anew after a change of it.
func (s *Service) again(ctx context.Context, o Organization, err error) (Organization, error) {
	if err != nil {
		return o, err
	}
	s.counts.of.Forget()
	return one(ctx, s.db, `o.id = $1`, o.ID)
}

// Suspend takes an organization's membership away for a time: its seats and
// participations end at this moment.
func (s *Service) Suspend(ctx context.Context, who access.Actor, slug, reason string) (Organization, error) {
	o, permit, err := s.require(ctx, who, slug, "organization", "suspend")
	if err != nil {
		return o, err
	}
	if err := checkReason(&reason, 3); err != nil {
		return o, err
	}
	return s.end(ctx, permit, o, Suspended, reason, journal.Say("Suspended %s: %s", o.Name, reason))
}

// Leave ends an organization's membership by its own will: its seats and
// participations end at this moment. A registration that waits is withdrawn.
func (s *Service) Leave(ctx context.Context, who access.Actor, slug, reason string) (Organization, error) {
	o, permit, err := s.require(ctx, who, slug, "organization", "leave")
	if err != nil {
		return o, err
	}
	if err := checkReason(&reason, 0); err != nil {
		return o, err
	}
	if o.State == Pending {
		return s.decide(ctx, permit, o, Declined, "Withdrawn by its representative.", journal.Say("Withdrew the registration of %s", o.Name),
			func(*journal.Tx, Organization) error { return nil })
	}
	return s.end(ctx, permit, o, Left, reason, journal.Say("%s left the convention", o.Name))
}

func (s *Service) end(ctx context.Context, permit access.Permit, o Organization, state, reason string, note journal.Note) (Organization, error) {
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		// From here on no approval can rely on the membership (LockMember).
		o, err := lock(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if err := o.active(); err != nil {
			return err
		}
		to, err := people(ctx, tx, o.ID) // before their seats end
		if err != nil {
			return err
		}
		officers, err := officersAround(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if err := setState(ctx, tx, o, state, reason, tx.Now); err != nil {
			return err
		}
		if err := tx.Record(o.ID, note); err != nil {
			return err
		}
		if err := endAll(ctx, tx, o); err != nil {
			return err
		}
		if s.OnEnd != nil {
			if err := s.OnEnd(ctx, tx, o.ID, tx.Now, reason); err != nil {
				return err
			}
		}
		if err := s.tell(ctx, tx, to, "organization."+state, o, endedNote(o, state, reason)); err != nil {
			return err
		}
		return s.tell(ctx, tx, others(tx, officers), "participation.lost", o, lostNote(o, state))
	})
	return s.again(ctx, o, err)
}

// Reinstate makes an organization that was suspended or has left a member again.
// What ended then stays ended.
func (s *Service) Reinstate(ctx context.Context, who access.Actor, slug string) (Organization, error) {
	o, permit, err := s.require(ctx, who, slug, "organization", "reinstate")
	if err != nil {
		return o, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		o, err := lock(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if o.State != Suspended && o.State != Left {
			return problem.New(problem.Conflict, "Only an organization that is suspended or has left can be reinstated.")
		}
		if err := setState(ctx, tx, o, Member, "", tx.Now); err != nil {
			return err
		}
		if err := tx.Record(o.ID, journal.Say("Reinstated %s", o.Name)); err != nil {
			return err
		}
		var to []mail.Reader
		if to, err = people(ctx, tx, o.ID); err != nil {
			return err
		}
		return s.tell(ctx, tx, to, "organization.reinstated", o, reinstatedNote(o))
	})
	return s.again(ctx, o, err)
}

// Holding is what an organization holds in one commission.
type Holding struct {
	Commission string  `db:"commission"`
	Level      *string `db:"level"`
	Seats      int     `db:"seats"`
}

// Holdings is what an organization holds at this moment, by commission: what
// would end with its membership. For those who may end it.
func (s *Service) Holdings(ctx context.Context, who access.Actor, slug, action string) (Organization, []Holding, error) {
	o, _, err := s.require(ctx, who, slug, "organization", action)
	if err != nil {
		return o, nil, err
	}
	list, err := holdings(ctx, s.db, o, journal.Now(ctx))
	return o, list, err
}

func holdings(ctx context.Context, q postgres.Q, o Organization, now time.Time) ([]Holding, error) {
	return postgres.All[Holding](ctx, q, `
		SELECT c.name AS commission, max(h.level) AS level, sum(h.seats) AS seats
		FROM (SELECT commission_id, level, 0 AS seats FROM participation WHERE organization_id = $1 AND period @> $2::timestamptz
		      UNION ALL
		      SELECT commission_id, NULL, count(DISTINCT id) FROM seat WHERE organization_id = $1 AND period @> $2::timestamptz GROUP BY commission_id) h
		JOIN commission c ON c.id = h.commission_id
		GROUP BY c.id, c.name ORDER BY c.name LIMIT 500`, o.ID, now)
}

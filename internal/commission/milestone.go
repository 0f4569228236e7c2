package commission

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Milestone is something a commission means to have done by a day.
type Milestone struct {
	ID      uuid.UUID `db:"id" json:"id"`
	Title   string    `db:"title" json:"title"`
	DueOn   string    `db:"due_on" json:"due_on" doc:"YYYY-MM-DD."`
	DoneOn  *string   `db:"done_on" json:"done_on,omitempty" doc:"YYYY-MM-DD; absent while it is not done."`
	Version int       `db:"version" json:"version"`
}

// dueSoon is how long before its day a milestone is shown as due.
const dueSoon = 30 * 24 * time.Hour

// Status is done, overdue, due (within 30 days) or planned, on the day of now.
func (m Milestone) Status(now time.Time) string {
	switch today := now.Format(time.DateOnly); {
	case m.DoneOn != nil:
		return "done"
	case m.DueOn < today:
		return "overdue"
	case m.DueOn <= now.Add(dueSoon).Format(time.DateOnly):
		return "due"
	}
	return "planned"
}

// Day is a date of a milestone as a time at midnight UTC.
func Day(date string) time.Time {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}
	}
	return t
}

// mostMilestones bounds the plan of one commission.
const mostMilestones = 200

const milestoneColumns = `id, title, due_on::text AS due_on, done_on::text AS done_on, version`

// Milestones are the plan of a commission in the order of its days.
func (s *Service) Milestones(ctx context.Context, who access.Actor, slug string) (Commission, []Milestone, error) {
	c, _, err := s.require(ctx, who, slug, "milestone", "read")
	if err != nil {
		return c, nil, err
	}
	list, err := postgres.All[Milestone](ctx, s.db, `SELECT `+milestoneColumns+` FROM milestone WHERE commission_id = $1 ORDER BY due_on, id LIMIT $2`, c.ID, mostMilestones)
	return c, list, err
}

// Milestone reads one of them.
func (s *Service) Milestone(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Commission, Milestone, error) {
	c, _, err := s.require(ctx, who, slug, "milestone", "read")
	if err != nil {
		return c, Milestone{}, err
	}
	m, err := milestone(ctx, s.db, c.ID, id)
	return c, m, err
}

func milestone(ctx context.Context, q postgres.Q, commission, id uuid.UUID) (Milestone, error) {
	return postgres.One[Milestone](ctx, q, access.ErrNotFound, `SELECT `+milestoneColumns+` FROM milestone WHERE commission_id = $1 AND id = $2`, commission, id)
}

// Plan is what is said of a milestone; what is nil stays. Done is a day, or ""
// for not done.
type Plan struct {
	Title, Due, Done *string
	Version          int // that the change was made from; of no meaning in AddMilestone
}

func (p Plan) apply(m Milestone) (Milestone, error) {
	var f problem.Fields
	if p.Title != nil {
		m.Title = *p.Title
	}
	check.Line(&f, "title", &m.Title, 3, 300)
	if p.Due != nil {
		m.DueOn = *p.Due
	}
	if day := check.Date(&f, "due_on", m.DueOn, true, time.UTC); !day.IsZero() {
		m.DueOn = day.Format(time.DateOnly)
	}
	if p.Done != nil {
		m.DoneOn = nil
		if day := check.Date(&f, "done_on", *p.Done, false, time.UTC); !day.IsZero() {
			date := day.Format(time.DateOnly)
			m.DoneOn = &date
		}
	}
	return m, f.Err()
}

// AddMilestone adds one to the plan.
func (s *Service) AddMilestone(ctx context.Context, who access.Actor, slug string, p Plan) (Commission, Milestone, error) {
	c, permit, err := s.require(ctx, who, slug, "milestone", "edit")
	if err != nil {
		return c, Milestone{}, err
	}
	m, err := p.apply(Milestone{ID: uuid.Must(uuid.NewV7()), Version: 1})
	if err != nil {
		return c, m, err
	}
	return c, m, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := lockAlive(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, problem.New(problem.Conflict, "A plan has at most %d milestones. Remove some that are done.", mostMilestones), `
			INSERT INTO milestone (id, commission_id, title, due_on, done_on) SELECT $1, $2, $3, $4::date, $5::date
			WHERE (SELECT count(*) FROM milestone WHERE commission_id = $2) < $6`, m.ID, c.ID, m.Title, m.DueOn, m.DoneOn, mostMilestones); err != nil {
			return err
		}
		return tx.Record(c.ID, journal.Say("Added the milestone %s, due %s", m.Title, m.DueOn))
	})
}

// EditMilestone changes one: its title, its day, whether it is done.
func (s *Service) EditMilestone(ctx context.Context, who access.Actor, slug string, id uuid.UUID, p Plan) (Commission, Milestone, error) {
	c, permit, err := s.require(ctx, who, slug, "milestone", "edit")
	if err != nil {
		return c, Milestone{}, err
	}
	before, err := milestone(ctx, s.db, c.ID, id)
	if err != nil {
		return c, before, err
	}
	m, err := p.apply(before)
	if err != nil {
		return c, m, err
	}
	m.Version = p.Version + 1
	return c, m, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := lockAlive(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `
			UPDATE milestone SET title = $4, due_on = $5::date, done_on = $6::date, version = version + 1 WHERE id = $1 AND commission_id = $2 AND version = $3`,
			id, c.ID, p.Version, m.Title, m.DueOn, m.DoneOn); err != nil {
			return err
		}
		note := journal.Say("Changed the milestone %s", m.Title)
		switch {
		case before.DoneOn == nil && m.DoneOn != nil:
			note = journal.Say("Reached the milestone %s", m.Title)
		case before.DoneOn != nil && m.DoneOn == nil:
			note = journal.Say("Reopened the milestone %s", m.Title)
		}
		return tx.Record(c.ID, note.Changed(before, m))
	})
}

// RemoveMilestone takes one off the plan.
func (s *Service) RemoveMilestone(ctx context.Context, who access.Actor, slug string, id uuid.UUID, version int) (Commission, error) {
	c, permit, err := s.require(ctx, who, slug, "milestone", "edit")
	if err != nil {
		return c, err
	}
	m, err := milestone(ctx, s.db, c.ID, id)
	if err != nil {
		return c, err
	}
	return c, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := lockAlive(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `DELETE FROM milestone WHERE id = $1 AND commission_id = $2 AND version = $3`, id, c.ID, version); err != nil {
			return err
		}
		return tx.Record(c.ID, journal.Say("Removed the milestone %s", m.Title).Changed(m, nil))
	})
}

// lockAlive locks a commission that has not ended.
func lockAlive(ctx context.Context, tx *journal.Tx, id uuid.UUID) (Commission, error) {
	c, err := lock(ctx, tx, id)
	if err == nil && c.Ended() {
		err = ended(c)
	}
	return c, err
}

func ended(c Commission) error {
	return problem.New(problem.Conflict, "It is %s: nothing of it can be changed any more.", i18n.Key(c.State))
}

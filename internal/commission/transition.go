package commission

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Ends is what the end of a commission takes with it.
type Ends struct {
	Seats        int `db:"seats"`
	Applications int `db:"applications"` // pending
	Invitations  int `db:"invitations"`  // pending
}

// Step is an act with what it asks for, as somebody sees it who may carry it out.
type Step struct {
	Act
	Needs []Need
	Ends  Ends // of an act that ends the commission; read by Prepare
	Watch bool // who sees it provides what it needs, and another carries it out
}

// Ready reports whether nothing but the reason is lacking.
func (s Step) Ready() bool {
	return !slices.ContainsFunc(s.Needs, func(n Need) bool { return !n.Met })
}

// Steps are the acts that lead on from c's state and that who may carry out; and
// the activation, for whoever appoints the officers that it needs.
func (s *Service) Steps(who access.Actor, c Commission, f Facts) []Step {
	var steps []Step
	for _, a := range Acts {
		if !slices.Contains(a.From, c.State) {
			continue
		}
		may := s.access.May(who, c.Scope(), "commission", a.Name)
		if may || a.Name == "activate" && s.access.May(who, c.Scope(), "seat", "appoint") {
			steps = append(steps, Step{Act: a, Needs: a.Needs(f), Watch: !may})
		}
	}
	return steps
}

// Prepare is what the page before an act shows: what is fulfilled, what is
// lacking, what ends.
func (s *Service) Prepare(ctx context.Context, who access.Actor, slug, act string) (Commission, Step, error) {
	a, ok := ActNamed(act)
	if !ok {
		return Commission{}, Step{}, access.ErrNotFound
	}
	c, _, err := s.require(ctx, who, slug, "commission", act)
	if err != nil {
		return c, Step{}, err
	}
	f, err := factsOf(ctx, s.db, c.ID, journal.Now(ctx))
	if err != nil {
		return c, Step{}, err
	}
	step := Step{Act: a, Needs: a.Needs(f)}
	if a.Ends {
		step.Ends, err = ends(ctx, s.db, c.ID, journal.Now(ctx))
	}
	return c, step, err
}

// Transition brings a commission into another state: see Acts. It reports a
// Conflict that says all that is lacking.
func (s *Service) Transition(ctx context.Context, who access.Actor, slug, to, reason string) (Commission, error) {
	c, err := s.Show(ctx, who, slug)
	if err != nil {
		return c, err
	}
	act, ok := ActTo(c.State, to)
	if !ok {
		return c, Transition(c, to, Facts{})
	}
	permit, err := s.access.Require(ctx, who, c.Scope(), "commission", act.Name)
	if err != nil {
		return c, err
	}
	reason = strings.TrimSpace(reason)
	id := c.ID // of its own: what is read may be read again
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if c, err = lock(ctx, tx, id); err != nil {
			return err
		}
		facts, err := factsLocked(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		facts.Reason = reason
		if err := Transition(c, to, facts); err != nil {
			return err
		}
		from := c.State
		if err := setState(ctx, tx, c.ID, from, to); err != nil {
			return err
		}
		c.State, c.StateSince, c.Version = to, tx.Now, c.Version+1
		note := journal.Say(done[act.Name], c.Name).Changed(map[string]string{"state": from}, map[string]string{"state": to, "reason": reason})
		if err := tx.Record(c.ID, note); err != nil {
			return err
		}
		if err := s.tellTransition(ctx, tx, c, act, reason); err != nil {
			return err
		}
		if act.Ends && s.OnConclude != nil {
			return s.OnConclude(ctx, tx, c.ID, tx.Now, reason)
		}
		return nil
	})
	s.counts.forget()
	return c, err
}

// done are the sentences of the history.
var done = map[string]string{
	"call": "Sent out the call for participation in %s", "activate": "Activated %s", "rest": "Put %s to rest",
	"revive": "Revived %s", "conclude": "Concluded %s", "abandon": "Abandoned %s",
}

// lock reads a commission and keeps everybody else from changing it until the
// transaction ends.
func lock(ctx context.Context, tx *journal.Tx, id uuid.UUID) (Commission, error) {
	return postgres.One[Commission](ctx, tx, access.ErrNotFound, `SELECT `+columns+` `+from+` WHERE c.id = $1 FOR NO KEY UPDATE OF c`, id)
}

func setState(ctx context.Context, tx *journal.Tx, id uuid.UUID, from, to string) error {
	return postgres.ExecOne(ctx, tx, problem.New(problem.Conflict, "Somebody has changed its state meanwhile."), `
		UPDATE commission SET state = $3, state_since = $4, version = version + 1 WHERE id = $1 AND state = $2`, id, from, to, tx.Now)
}

package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// How long an erasure takes.
const (
	EraseAfter  = 14 * 24 * time.Hour // the time in which it can be undone
	searchAfter = 10 * time.Minute    // after the account was closed: what was under way then has ended
	heldFor     = 24 * time.Hour      // until it is tried again, where a commission would be without a chair
)

// Erasure is one that was asked for and can still be undone.
type Erasure struct {
	ID      uuid.UUID `db:"id" json:"-"`
	AskedAt time.Time `db:"asked_at" json:"asked_at"`
	DueAt   time.Time `db:"due_at" json:"due_at" doc:"When it is carried out, unless it is undone before."`
	Held    bool      `db:"held" json:"held" doc:"It was due, and waits for a commission to have another chair."`
	Own     bool      `db:"own" json:"own" doc:"The person asked for it; else the secretariat did."`
}

// Erasing is whose personal data is to be erased, and what would end with it.
type Erasing struct {
	Person  Person   `json:"-"`
	Pending *Erasure `json:"pending,omitempty" doc:"Absent: nobody has asked for it."`
	Ends    Ends     `json:"ends"`
	Chairs  []string `json:"only_chair_of" doc:"Commissions that would be without a chair: they need another one first."`
}

// Erasing reads what erasing the actor would end, and whether it was asked for.
func (s *Service) Erasing(ctx context.Context, who access.Actor) (Erasing, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return Erasing{}, err
	}
	return s.erasing(ctx, who.ID)
}

// ErasingOf is Erasing of somebody else, for the secretariat.
func (s *Service) ErasingOf(ctx context.Context, who access.Actor, id uuid.UUID) (Erasing, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "person", "erase"); err != nil {
		return Erasing{}, err
	}
	return s.erasing(ctx, id)
}

func (s *Service) erasing(ctx context.Context, id uuid.UUID) (e Erasing, err error) {
	if e.Person, err = byID(ctx, s.db, id); err != nil {
		return e, err
	}
	if e.Pending, err = pendingErasure(ctx, s.db, id); err != nil {
		return e, err
	}
	now := journal.Now(ctx)
	if e.Ends, err = ends(ctx, s.db, id, now); err != nil {
		return e, err
	}
	e.Chairs, err = s.chairs(ctx, s.db, id, now)
	return e, err
}

// chairs are the commissions that would be without a chair.
func (s *Service) chairs(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) ([]string, error) {
	if s.OnlyChair == nil {
		return []string{}, nil
	}
	return s.OnlyChair(ctx, q, person, now)
}

// understood is the field by which somebody says to have read what an erasure does.
const understood = "understood"

// Erase asks for the actor's personal data to be erased, when the time in which it
// can be undone is over.
func (s *Service) Erase(ctx context.Context, who access.Actor, read bool) (Erasing, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return Erasing{}, err
	}
	return s.askErasure(ctx, permit, who.ID, read)
}

// EraseOf is Erase for somebody who wrote to the secretariat.
func (s *Service) EraseOf(ctx context.Context, who access.Actor, id uuid.UUID, read bool) (Erasing, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "person", "erase")
	if err != nil {
		return Erasing{}, err
	}
	if who.ID == id {
		return Erasing{}, problem.New(problem.Conflict, "Ask for your own erasure under Profile → Your data.")
	}
	return s.askErasure(ctx, permit, id, read)
}

func (s *Service) askErasure(ctx context.Context, permit access.Permit, id uuid.UUID, read bool) (Erasing, error) {
	if !read {
		return Erasing{}, problem.Field(understood, "Say that you have read what this does.")
	}
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		p, err := lockPerson(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.State == "erased" {
			return errErased
		}
		if err := s.mayGo(ctx, tx, p); err != nil {
			return err
		}
		due := tx.Now.Add(EraseAfter)
		if err := insertErasure(ctx, tx, uuid.Must(uuid.NewV7()), id, permit.Actor().ID, tx.Now, due); err != nil {
			return err
		}
		if err := s.writeErasing(ctx, tx, p, due, permit.Actor().ID == id); err != nil {
			return err
		}
		return tx.Record(id, journal.Say("Asked for the personal data of %s to be erased", journal.Person(id)))
	})
	if postgres.Constraint(err) == "erasure_once" {
		err = problem.New(problem.Conflict, "This was asked for already.")
	}
	if err != nil {
		return Erasing{}, err
	}
	return s.erasing(ctx, id)
}

var errErased = problem.New(problem.Conflict, "The personal data of this account was erased.")

// mayGo refuses, at the field, what would leave a commission without a chair or
// the portal without a secretariat.
func (s *Service) mayGo(ctx context.Context, tx *journal.Tx, p Person) error {
	names, err := s.chairs(ctx, tx, p.ID, tx.Now)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return problem.Field(understood, "There would be no chair: %s. Appoint a successor first.", strings.Join(names, ", "))
	}
	if !p.Secretariat {
		return nil
	}
	others, err := otherStaff(ctx, tx, p.ID)
	if err == nil && others == 0 {
		err = problem.Field(understood, "There would be nobody in the secretariat. Give the role to somebody else first.")
	}
	return err
}

// Keep undoes what the actor, or the secretariat for the actor, asked for.
func (s *Service) Keep(ctx context.Context, who access.Actor) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return err
	}
	return s.keep(ctx, permit, who.ID)
}

// KeepOf is Keep for somebody else, by the secretariat.
func (s *Service) KeepOf(ctx context.Context, who access.Actor, id uuid.UUID) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "person", "erase")
	if err != nil {
		return err
	}
	return s.keep(ctx, permit, id)
}

func (s *Service) keep(ctx context.Context, permit access.Permit, id uuid.UUID) error {
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		p, err := byID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := setKept(ctx, tx, id); err != nil {
			return err
		}
		if err := s.writeKept(ctx, tx, p); err != nil {
			return err
		}
		return tx.Record(id, journal.Say("Kept the personal data of %s", journal.Person(id)))
	})
}

// EraseDue carries out what is due; the queue does it hourly. First the account is
// closed, and nobody is named by it any more. A while later, when nothing that
// began before is still under way and the last letter has left, everything that
// others wrote is searched, and what was searched for is forgotten.
func (s *Service) EraseDue(ctx context.Context) error {
	now := journal.Now(ctx)
	due, err := erasuresWhere(ctx, s.db, `state = 'pending' AND due_at <= $1`, now)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range due {
		failed = append(failed, s.closeAccount(ctx, id))
	}
	closed, err := erasuresWhere(ctx, s.db, `state = 'closed' AND closed_at <= $1`, now.Add(-searchAfter))
	if err != nil {
		return err
	}
	for _, id := range closed {
		failed = append(failed, s.forget(ctx, id))
	}
	return errors.Join(failed...)
}

// pseudonym stands where the name stood. It is made of chance alone.
func pseudonym() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return fmt.Sprintf("Former member %X", b)
}

// closeAccount ends what somebody is and has here, and gives what stays a pseudonym.
func (s *Service) closeAccount(ctx context.Context, id uuid.UUID) error {
	err := journal.Change(ctx, s.db, access.System("erasure", access.Portal, "person", "erase"), func(tx *journal.Tx) error {
		row, err := lockErasure(ctx, tx, id, "pending")
		if err != nil {
			return err
		}
		p, err := lockPerson(ctx, tx, row.PersonID)
		if err != nil {
			return err
		}
		held := s.mayGo(ctx, tx, p)
		if refused := problem.As(held); refused != nil && refused.Kind == problem.Invalid {
			if row.HeldAt == nil {
				if err := s.writeHeld(ctx, tx, p); err != nil {
					return err
				}
			}
			if err := setHeld(ctx, tx, id, tx.Now, tx.Now.Add(heldFor)); err != nil {
				return err
			}
			return tx.Record(p.ID, journal.Say("The personal data of %s is not erased before there is a successor", journal.Person(p.ID)))
		}
		if held != nil {
			return held
		}
		if err := s.writeErased(ctx, tx, p); err != nil {
			return err
		}
		for _, hook := range s.OnErase {
			if err := hook(ctx, tx, p.ID); err != nil {
				return err
			}
		}
		if err := emptyAccount(ctx, tx, p, id, pseudonym(), tx.Now); err != nil {
			return err
		}
		return tx.Record(p.ID, journal.Say("Closed the account of %s for good", journal.Person(p.ID)))
	})
	if problem.Of(err, problem.NotFound) { // it was undone, or another process did it
		return nil
	}
	return err
}

// forget searches what others wrote, and the journal, for somebody whose account
// was closed.
func (s *Service) forget(ctx context.Context, id uuid.UUID) error {
	err := journal.Change(ctx, s.db, access.System("erasure", access.Portal, "person", "erase"), func(tx *journal.Tx) error {
		row, err := lockErasure(ctx, tx, id, "closed")
		if err != nil {
			return err
		}
		e, err := searchFor(ctx, tx, row)
		if err != nil {
			return err
		}
		waiting, err := s.post.Forget(ctx, tx.SQL(), e.Person, e.Addresses, e.Pattern())
		if err == nil && !waiting {
			waiting, err = s.queue.Forget(ctx, tx.SQL(), e.Pattern())
		}
		if err == nil && waiting {
			err = errLater
		}
		if err != nil {
			return err
		}
		for _, hook := range s.OnForget {
			if err := hook(ctx, tx, e); err != nil {
				return err
			}
		}
		if err := e.In(ctx, tx, "person", "id", journal.Text{Column: "about", Max: 2000}); err != nil {
			return err
		}
		if err := forgetAnswers(ctx, tx, e.Forms()); err != nil {
			return err
		}
		if err := setDone(ctx, tx, id); err != nil {
			return err
		}
		return tx.Erase(ctx, e)
	})
	if errors.Is(err, errLater) || problem.Of(err, problem.NotFound) { // or another process did it
		return nil
	}
	return err
}

// errLater takes a search back that comes too early: a letter to the person has
// not left yet.
var errLater = errors.New("a letter or a job names the person still")

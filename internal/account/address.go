package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// What is given to who asks for another address.
const (
	AddressFor  = 24 * time.Hour // the link that confirms another address
	addressAsks = 5              // how often somebody may ask in an hour
)

// Move is another address that somebody asked for and has not confirmed.
type Move struct {
	ID        uuid.UUID `db:"id" json:"-"`
	Person    uuid.UUID `db:"person_id" json:"-"`
	Email     string    `db:"email" json:"email" doc:"The address that was asked for; it gets a link."`
	ExpiresAt time.Time `db:"expires_at" json:"expires_at" doc:"Until when the link is good."`
}

// Address is where a person gets mail.
type Address struct {
	Email   string `json:"email"`
	Pending *Move  `json:"pending,omitempty" doc:"Another one that was asked for; absent: none."`
}

// Address reads where the actor gets mail, and what was asked for instead.
func (s *Service) Address(ctx context.Context, who access.Actor) (Address, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return Address{}, err
	}
	return s.addressOf(ctx, who.ID)
}

func (s *Service) addressOf(ctx context.Context, id uuid.UUID) (Address, error) {
	p, err := byID(ctx, s.db, id)
	if err != nil {
		return Address{}, err
	}
	pending, err := pendingMove(ctx, s.db, id, journal.Now(ctx))
	return Address{p.Email, pending}, err
}

// AskAddress asks for another address. Both get a letter: the new one a link that
// confirms it, the present one a link that stops it. An address that is somebody
// else's is answered the same, in the same time: the job that writes the letter
// looks it up, and tells that somebody.
func (s *Service) AskAddress(ctx context.Context, who access.Actor, email string) (Address, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return Address{}, err
	}
	var f problem.Fields
	check.Email(&f, "email", &email)
	if f.Err() == nil && email == who.Email {
		f.Add("email", "This is your address already.")
	}
	if err := f.Err(); err != nil {
		return Address{}, err
	}
	mine := "address-of:" + accountKey(who.ID.String())
	ok, err := s.admit(ctx, tries{journal.Now(ctx), []string{mine}, func(n map[string]int) bool { return n[mine] <= addressAsks }}, lettersTime)
	if err != nil {
		return Address{}, err
	}
	if !ok {
		return Address{}, errLetters
	}
	// A mailbox that has had enough letters is spared silently, as everywhere.
	mailbox := "mailbox:" + accountKey(email)
	write, err := s.admit(ctx, tries{journal.Now(ctx), []string{mailbox}, func(n map[string]int) bool { return n[mailbox] <= lettersTo }}, lettersTime)
	if err != nil {
		return Address{}, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		p, err := byID(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		stop, id := secret(), uuid.Must(uuid.NewV7())
		if err := putMove(ctx, tx, id, who.ID, email, digest(stop), tx.Now, tx.Now.Add(AddressFor)); err != nil {
			return err
		}
		if err := s.writeMoving(ctx, tx, p, email, stop); err != nil {
			return err
		}
		if write {
			if err := s.queue.Enqueue(ctx, tx.SQL(), addressLetter{id}); err != nil {
				return err
			}
		}
		return tx.Record(who.ID, journal.Say("Asked for another e-mail address"))
	})
	if err != nil {
		return Address{}, err
	}
	return s.addressOf(ctx, who.ID)
}

// addressLetter is the job that writes to an address that was asked for.
type addressLetter struct {
	Move uuid.UUID `json:"move"`
}

// Kind names the job.
func (addressLetter) Kind() string { return "account.address" }

func (s *Service) sendAddress(ctx context.Context, j addressLetter) error {
	wrote := journal.Say("Wrote to the address that was asked for") // whosever it is: the person reads this in the export
	err := journal.Change(ctx, s.db, access.System("address", access.Portal, "account", "move"), func(tx *journal.Tx) error {
		m, err := moveWhere(ctx, tx, `id = $1 AND hash IS NULL`, j.Move, tx.Now)
		if err != nil {
			return err
		}
		owner, err := byEmail(ctx, tx, m.Email)
		if err == nil && owner.State == "active" {
			if err := s.writeWanted(ctx, tx, owner); err != nil {
				return err
			}
		}
		if err == nil {
			return tx.Record(m.Person, wrote)
		}
		if !problem.Of(err, problem.NotFound) {
			return err
		}
		p, err := byID(ctx, tx, m.Person)
		if err != nil {
			return err
		}
		link := secret()
		if err := linkMove(ctx, tx, m.ID, digest(link)); err != nil {
			return err
		}
		if err := s.writeMove(ctx, tx, p, m.Email, link); err != nil {
			return err
		}
		return tx.Record(m.Person, wrote)
	})
	if problem.Of(err, problem.NotFound) { // stopped, or asked for anew
		return nil
	}
	return err
}

// Moving reads what a link that confirms another address is for, without using it.
func (s *Service) Moving(ctx context.Context, who access.Actor, link string) (Move, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "reset"); err != nil {
		return Move{}, err
	}
	return moveWhere(ctx, s.db, `hash = $1`, digest(link), journal.Now(ctx))
}

// Stopping is Moving for the link that stops it.
func (s *Service) Stopping(ctx context.Context, who access.Actor, link string) (Move, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "reset"); err != nil {
		return Move{}, err
	}
	return moveWhere(ctx, s.db, `stop = $1`, digest(link), journal.Now(ctx))
}

// Move gives a person the address whose link was opened: once. Sessions end but the
// actor's, if the actor is that person; links that were mailed to the address
// before end too.
func (s *Service) Move(ctx context.Context, who access.Actor, link string) error {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "reset"); err != nil {
		return err
	}
	err := journal.Change(ctx, s.db, access.System("address", access.Portal, "account", "move"), func(tx *journal.Tx) error {
		m, err := useMove(ctx, tx, digest(link), tx.Now)
		if err != nil {
			return err
		}
		p, err := lockPerson(ctx, tx, m.Person)
		if err != nil {
			return err
		}
		if p.State != "active" {
			return ErrLink
		}
		if err := setEmail(ctx, tx, p.ID, m.Email); err != nil {
			return err
		}
		if err := deleteTickets(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := deleteSignUps(ctx, tx, m.Email); err != nil {
			return err
		}
		var keep []byte
		if who.ID == p.ID {
			keep = who.Session
		}
		if _, err := endSessions(ctx, tx, p.ID, keep); err != nil {
			return err
		}
		for _, hook := range s.OnMove {
			if err := hook(ctx, tx, p.ID, p.Email, m.Email); err != nil {
				return err
			}
		}
		if err := s.writeMoved(ctx, tx, p); err != nil {
			return err
		}
		return tx.Record(p.ID, journal.Say("Confirmed another e-mail address"))
	})
	if postgres.Constraint(err) == "person_email" {
		return problem.New(problem.Conflict, "Meanwhile there is another account with this address.")
	}
	return err
}

// StopMove stops what was asked for with the link in the letter to the present
// address, and ends all sessions: whoever asked was in the account. Without a link
// ("") the actor takes back what they asked for.
func (s *Service) StopMove(ctx context.Context, who access.Actor, link string) error {
	if link == "" {
		permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
		if err != nil {
			return err
		}
		return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
			if err := deleteMove(ctx, tx, who.ID); err != nil {
				return err
			}
			return tx.Record(who.ID, journal.Say("Took back the wish for another e-mail address"))
		})
	}
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "reset"); err != nil {
		return err
	}
	return journal.Change(ctx, s.db, access.System("address", access.Portal, "account", "move"), func(tx *journal.Tx) error {
		m, err := stopMove(ctx, tx, digest(link), tx.Now)
		if err != nil {
			return err
		}
		if _, err := endSessions(ctx, tx, m.Person, nil); err != nil {
			return err
		}
		return tx.Record(m.Person, journal.Say("Stopped the change of the e-mail address by mail; all sessions ended"))
	})
}

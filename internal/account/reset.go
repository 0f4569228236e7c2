package account

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// AskReset mails a link to set a new password to that address, if there is an
// account with it; the answer and its time do not tell.
func (s *Service) AskReset(ctx context.Context, who access.Actor, email string, from Origin) error {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "reset"); err != nil {
		return err
	}
	var f problem.Fields
	check.Email(&f, "email", &email)
	if err := f.Err(); err != nil {
		return err
	}
	ok, err := s.mayWrite(ctx, email, from)
	if err != nil || !ok {
		return err
	}
	return journal.Change(ctx, s.db, access.System("reset", access.Portal, "account", "reset"), func(tx *journal.Tx) error {
		if err := s.queue.Enqueue(ctx, tx.SQL(), resetLetter{email}); err != nil {
			return err
		}
		return tx.Record(uuid.Must(uuid.NewV7()), journal.Say("Somebody asked for a link to set a new password"))
	})
}

// resetLetter is the job that writes the letter with the link, if there is an account.
type resetLetter struct {
	Email string `json:"email"`
}

// Kind names the job.
func (resetLetter) Kind() string { return "account.reset" }

func (s *Service) sendReset(ctx context.Context, j resetLetter) error {
	p, err := byEmail(ctx, s.db, j.Email)
	if problem.Of(err, problem.NotFound) || err == nil && p.State != "active" {
		return nil
	}
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, access.System("reset", access.Portal, "account", "reset"), func(tx *journal.Tx) error {
		secret := secret()
		if err := insertTicket(ctx, tx, digest(secret), p.ID, "reset", tx.Now, tx.Now.Add(ResetFor)); err != nil {
			return err
		}
		if err := s.writeReset(ctx, tx, p, secret); err != nil {
			return err
		}
		return tx.Record(p.ID, journal.Say("Sent %s a link to set a new password", journal.Person(p.ID)))
	})
}

// Ticket reads whom a link to set a password is for, without using it.
func (s *Service) Ticket(ctx context.Context, who access.Actor, link string) (Pending, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "reset"); err != nil {
		return Pending{}, err
	}
	p, err := byTicket(ctx, s.db, digest(link), "reset", journal.Now(ctx))
	return Pending{p.Email, p.Name}, err
}

// Reset sets a new password with a mailed link, which also proves the address;
// all sessions end, and a new one begins.
func (s *Service) Reset(ctx context.Context, who access.Actor, link, password string, from Origin) (SignedIn, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "reset"); err != nil {
		return SignedIn{}, err
	}
	p, err := byTicket(ctx, s.db, digest(link), "reset", journal.Now(ctx))
	if err != nil {
		return SignedIn{}, err
	}
	var f problem.Fields
	checkPassword(&f, "password", password, p.Email, p.Name)
	if err := f.Err(); err != nil {
		return SignedIn{}, err
	}
	hash, err := s.hashing.hash(ctx, password)
	if err != nil {
		return SignedIn{}, err
	}
	var in SignedIn
	err = journal.Change(ctx, s.db, access.System("reset", access.Portal, "account", "reset"), func(tx *journal.Tx) error {
		if err := useTicket(ctx, tx, digest(link), tx.Now); err != nil {
			return err
		}
		if err := setPassword(ctx, tx, p.ID, hash, tx.Now); err != nil {
			return err
		}
		if err := deleteTickets(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := deleteSignUps(ctx, tx, p.Email); err != nil {
			return err
		}
		if _, err := endSessions(ctx, tx, p.ID, nil); err != nil {
			return err
		}
		if err := s.writePassword(ctx, tx, p); err != nil {
			return err
		}
		if err := tx.Record(p.ID, journal.Say("%s set a new password by mail", journal.Person(p.ID))); err != nil {
			return err
		}
		in, err = begin(ctx, tx, proof{person: p.ID, passwordHash: hash}, from, s.life)
		return err
	})
	return in, err
}

// ChangePassword sets a new password for who knows the old one; all other
// sessions end, and this one goes on under a new id. It returns that, and what the
// browser is to be known by from then on.
func (s *Service) ChangePassword(ctx context.Context, who access.Actor, old, password string, from Origin) (SignedIn, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return SignedIn{}, err
	}
	c, err := credentialsOf(ctx, s.db, who.Email)
	if err != nil {
		return SignedIn{}, err
	}
	var f problem.Fields
	if old == "" {
		f.Add("current", "Fill this in.")
	}
	checkPassword(&f, "password", password, who.Email, who.Name)
	if err := f.Err(); err != nil {
		return SignedIn{}, err
	}
	t := guesses(journal.Now(ctx), who.Email, from, true)
	if ok, err := s.admit(ctx, t, guessTime); err != nil || !ok {
		return SignedIn{}, errors.Join(err, refused(ok, errGuesses))
	}
	ok, _, err := s.hashing.matches(ctx, old, hashOf(c))
	if err != nil {
		return SignedIn{}, err
	}
	if !ok {
		return SignedIn{}, problem.Field("current", "This is not your password.")
	}
	hash, err := s.hashing.hash(ctx, password)
	if err != nil {
		return SignedIn{}, err
	}
	in := SignedIn{Person: who.ID, Device: device(hash)}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := changePassword(ctx, tx, who.ID, hashOf(c), hash); err != nil {
			return err
		}
		if err := deleteTickets(ctx, tx, who.ID); err != nil {
			return err
		}
		if _, err := endSessions(ctx, tx, who.ID, who.Session); err != nil {
			return err
		}
		if who.Session != nil {
			in.Secret = secret()
			began, err := renewSession(ctx, tx, who.Session, digest(in.Secret), tx.Now)
			if err != nil {
				return err
			}
			in.Expires = began.Add(s.life.For)
		}
		p, err := byID(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if err := s.writePassword(ctx, tx, p); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Changed the password"))
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, s.succeeded(ctx, t)
}

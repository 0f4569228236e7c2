package account

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// Application for an account, as somebody types it.
type Application struct {
	Name     string
	Email    string
	Password string
	Country  string // alpha-2
	Next     string // path to lead on to once there is an account, or ""
}

// Check normalizes a and reports every field that is wrong.
func (a *Application) Check() error {
	var f problem.Fields
	check.Line(&f, "name", &a.Name, 2, 200)
	check.Email(&f, "email", &a.Email)
	check.Country(&f, "country", &a.Country, true)
	checkPassword(&f, "password", a.Password, a.Email, a.Name)
	if len(a.Next) > 2000 {
		a.Next = ""
	}
	return f.Err()
}

// SignUp takes an application for an account and mails what comes next: to an
// address without an account the link that confirms it, to one that has an
// account a letter that says so. Answer and time are the same: what is known of
// an address is looked up after the answer, by the job that writes the letter.
func (s *Service) SignUp(ctx context.Context, who access.Actor, a Application, from Origin) error {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_up"); err != nil {
		return err
	}
	if err := a.Check(); err != nil {
		return err
	}
	ok, err := s.mayWrite(ctx, a.Email, from)
	if err != nil || !ok {
		return err
	}
	hash, err := s.hashing.hash(ctx, a.Password)
	if err != nil {
		return err
	}
	now := journal.Now(ctx)
	row := signUp{ID: uuid.Must(uuid.NewV7()), Email: a.Email, Name: a.Name, PasswordHash: hash, Country: a.Country,
		Language: i18n.Lang(ctx), TimeZone: ZoneOf(a.Country), Next: a.Next, CreatedAt: now, ExpiresAt: now.Add(ConfirmFor)}
	return journal.Change(ctx, s.db, access.System("sign-up", access.Portal, "account", "sign_up"), func(tx *journal.Tx) error {
		if err := insertSignUp(ctx, tx, row); err != nil {
			return err
		}
		if err := s.queue.Enqueue(ctx, tx.SQL(), signUpLetter{row.ID, row.Email}); err != nil {
			return err
		}
		return tx.Record(row.ID, journal.Say("Somebody asked for an account"))
	})
}

// SendAgain mails the link of the newest application for that address once more.
// The answer does not tell whether there is one.
func (s *Service) SendAgain(ctx context.Context, who access.Actor, email string, from Origin) error {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_up"); err != nil {
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
	id := uuid.Must(uuid.NewV7())
	return journal.Change(ctx, s.db, access.System("sign-up", access.Portal, "account", "sign_up"), func(tx *journal.Tx) error {
		// A row of its own: the link that was sent before stays good as well.
		if err := repeatSignUp(ctx, tx, id, email, tx.Now, tx.Now.Add(ConfirmFor)); err != nil {
			return err
		}
		if err := s.queue.Enqueue(ctx, tx.SQL(), signUpLetter{id, email}); err != nil {
			return err
		}
		return tx.Record(id, journal.Say("Somebody asked for the confirming link again"))
	})
}

// signUpLetter is the job that answers an application for an account.
type signUpLetter struct {
	SignUp uuid.UUID `json:"sign_up"`
	Email  string    `json:"email"`
}

// Kind names the job.
func (signUpLetter) Kind() string { return "account.sign-up" }

var errDone = errors.New("done before")

func (s *Service) sendSignUp(ctx context.Context, j signUpLetter) error {
	permit := access.System("sign-up", access.Portal, "account", "sign_up")
	p, err := byEmail(ctx, s.db, j.Email)
	switch {
	case err == nil && p.ConfirmedAt != nil:
		return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
			if err := deleteSignUps(ctx, tx, j.Email); err != nil {
				return err
			}
			if err := s.writeKnown(ctx, tx, p); err != nil {
				return err
			}
			return tx.Record(p.ID, journal.Say("Told %s that there is an account already", journal.Person(p.ID)))
		})
	case err != nil && !problem.Of(err, problem.NotFound):
		return err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		secret := secret()
		row, err := linkSignUp(ctx, tx, j.SignUp, digest(secret), tx.Now)
		if err != nil {
			return err
		}
		if err := s.writeConfirm(ctx, tx, row, secret); err != nil {
			return err
		}
		return tx.Record(j.SignUp, journal.Say("Sent a link that confirms an address"))
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// ErrLink is the answer to a mailed link that is not good (any more).
var ErrLink = problem.New(problem.NotFound, "This link has been used, or its time is over.")

// Pending is an application that its link was opened for.
type Pending struct {
	Email string
	Name  string
}

// Pending reads what a confirming link is for, without using it: mail scanners
// open links too.
func (s *Service) Pending(ctx context.Context, who access.Actor, secret string) (Pending, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_up"); err != nil {
		return Pending{}, err
	}
	row, err := signUpByHash(ctx, s.db, digest(secret), journal.Now(ctx))
	return Pending{row.Email, row.Name}, err
}

// Confirm makes the person of an application and signs them in. It takes the
// link, which proves the mailbox, and the password chosen at the application:
// so nobody who reads mail opens an account that somebody else prepared with a
// password of their own.
func (s *Service) Confirm(ctx context.Context, who access.Actor, link, password string, from Origin) (SignedIn, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_up"); err != nil {
		return SignedIn{}, err
	}
	row, err := signUpByHash(ctx, s.db, digest(link), journal.Now(ctx))
	if err != nil {
		return SignedIn{}, err
	}
	t := guesses(journal.Now(ctx), row.Email, from, false)
	if ok, err := s.admit(ctx, t, guessTime); err != nil || !ok {
		return SignedIn{}, errors.Join(err, refused(ok, errGuesses))
	}
	ok, _, err := s.hashing.matches(ctx, password, row.PasswordHash)
	if err != nil {
		return SignedIn{}, err
	}
	if !ok {
		return SignedIn{}, problem.Field("password", "This is not the password that was chosen when this account was asked for.")
	}
	var in SignedIn
	err = journal.Change(ctx, s.db, access.System("sign-up", access.Portal, "account", "confirm"), func(tx *journal.Tx) error {
		if err := useSignUp(ctx, tx, row.ID); err != nil {
			return err
		}
		id, err := insertConfirmed(ctx, tx, row, tx.Now)
		if err != nil {
			return err
		}
		if err := deleteSignUps(ctx, tx, row.Email); err != nil {
			return err
		}
		if err := tx.Record(id, journal.Say("%s confirmed the address and opened the account", journal.Person(id))); err != nil {
			return err
		}
		in, err = begin(ctx, tx, proof{person: id, passwordHash: row.PasswordHash}, from, s.life)
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	in.Next = row.Next
	return in, s.succeeded(ctx, t)
}

// refused is err unless ok.
func refused(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

// errTaken is the answer to a link whose address has come to an account in another way.
var errTaken = problem.New(problem.Conflict, "There is an account with this address already. Sign in.")

// hashOf is the hash to compare a password with: nobody's where there is none.
func hashOf(c credentials) string {
	if c.PasswordHash == nil {
		return ""
	}
	return *c.PasswordHash
}

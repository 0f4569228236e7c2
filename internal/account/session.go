package account

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// SignedIn is a session that has begun.
type SignedIn struct {
	Person  uuid.UUID
	Secret  string    // for the browser's cookie; kept nowhere else
	Half    bool      // a second factor is still to be given: Secret opens only that step
	Expires time.Time // whatever happens
	Device  string    // for the browser to keep longer; see Origin
	Next    string    // path to lead on to, or ""
	Rests   bool      // a role of the person asks for a second factor that is not there
}

// proof says that somebody has shown to be a person. Only what checks a password,
// a mailed link or a second factor makes one; a session begins with it.
type proof struct {
	person       uuid.UUID
	passwordHash string // as it was when proved; the session begins only if it still is. "": by other means
	whole        bool   // with a second factor, where the person has one
}

// errWrong is the one answer to a wrong password and an unknown address.
var errWrong = problem.New(problem.Invalid, "Address and password do not belong together. Check both, or set a new password by mail.")

// errMeanwhile is the answer if the account changed between proof and session.
var errMeanwhile = problem.New(problem.Conflict, "The account was changed meanwhile. Sign in again.")

// SignIn begins a session for who has the address and the password. The answer
// and its time are the same for an unknown address and a wrong password.
func (s *Service) SignIn(ctx context.Context, who access.Actor, email, password string, from Origin) (SignedIn, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_in"); err != nil {
		return SignedIn{}, err
	}
	p, err := s.prove(ctx, email, password, from)
	if err != nil {
		return SignedIn{}, err
	}
	var in SignedIn
	err = journal.Change(ctx, s.db, access.System("sign-in", access.Portal, "account", "sign_in"), func(tx *journal.Tx) error {
		if in, err = begin(ctx, tx, p, from, s.life); err != nil {
			return err
		}
		if in.Half {
			return tx.Record(p.person, journal.Say("Gave the password with %s; the second factor is to follow", Browser(from.Agent)))
		}
		return tx.Record(p.person, journal.Say("Signed in with %s", Browser(from.Agent)))
	})
	return in, err
}

// prove checks an address and a password.
func (s *Service) prove(ctx context.Context, email, password string, from Origin) (proof, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	var f problem.Fields
	if email == "" {
		f.Add("email", "Fill this in.")
	}
	if password == "" {
		f.Add("password", "Fill this in.")
	}
	if err := f.Err(); err != nil {
		return proof{}, err
	}
	if len(email) > 254 || len(password) > 4*MaxPassword {
		return proof{}, errWrong // longer than any that was accepted, for anybody
	}
	c, err := credentialsOf(ctx, s.db, email)
	if err != nil {
		return proof{}, err
	}
	t := guesses(journal.Now(ctx), email, from, sameDevice(hashOf(c), from.Device))
	if ok, err := s.admit(ctx, t, guessTime); err != nil || !ok {
		return proof{}, errors.Join(err, refused(ok, errGuesses))
	}
	ok, old, err := s.hashing.matches(ctx, password, hashOf(c))
	switch {
	case err != nil:
		return proof{}, err
	case !ok:
		return proof{}, errWrong
	}
	if err := s.succeeded(ctx, t); err != nil {
		return proof{}, err
	}
	if c.State != "active" {
		return proof{}, problem.New(problem.Forbidden, "This account is suspended. Write to the secretariat.")
	}
	p := proof{person: c.ID, passwordHash: *c.PasswordHash}
	if old { // made when hashing was cheaper
		if p.passwordHash, err = s.hashing.hash(ctx, password); err != nil {
			return proof{}, err
		}
		if err := rehash(ctx, s.db, c.ID, *c.PasswordHash, p.passwordHash); err != nil {
			return proof{}, err
		}
	}
	return p, nil
}

// begin starts a session with an id of its own, in place of the one that the
// browser had: an id that somebody planted there opens nothing. Where a second
// factor is still to be given, it begins only the step that asks for it.
func begin(ctx context.Context, tx *journal.Tx, p proof, from Origin, life Life) (SignedIn, error) {
	hash, err := stillSo(ctx, tx, p)
	if err != nil {
		return SignedIn{}, err
	}
	if from.Session != nil {
		if err := deleteSession(ctx, tx, from.Session); err != nil {
			return SignedIn{}, err
		}
	}
	if !p.whole {
		more, err := hasFactor(ctx, tx, p.person)
		if err != nil {
			return SignedIn{}, err
		}
		if more {
			in := SignedIn{Person: p.person, Secret: secret(), Half: true, Expires: tx.Now.Add(HalfFor)}
			return in, insertHalf(ctx, tx, digest(in.Secret), p.person, tx.Now)
		}
	}
	in := SignedIn{Person: p.person, Secret: secret(), Expires: tx.Now.Add(life.For)}
	if hash != "" {
		in.Device = device(hash)
	}
	if in.Rests, err = rests(ctx, tx, p.person, tx.Now); err != nil {
		return SignedIn{}, err
	}
	return in, insertSession(ctx, tx, digest(in.Secret), p.person, tx.Now, tx.Now.Add(min(life.Idle, life.For)), from.Agent)
}

// SignOut ends the actor's session.
func (s *Service) SignOut(ctx context.Context, who access.Actor) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "sign_out")
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := deleteSession(ctx, tx, who.Session); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Signed out"))
	})
}

// Session is a browser in which somebody is signed in.
type Session struct {
	ID        uuid.UUID `db:"id" json:"id"`
	Agent     string    `db:"agent" json:"agent" doc:"What the browser calls itself."`
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	SeenAt    time.Time `db:"seen_at" json:"seen_at" doc:"To within a few minutes."`
	ExpiresAt time.Time `db:"expires_at" json:"expires_at" doc:"When it ends if nobody uses it."`
	Current   bool      `db:"current" json:"current" doc:"The one that asks."`
}

// Life is how long sessions live here.
func (s *Service) Life() Life { return s.life }

// Sessions are the actor's, the one last seen first.
func (s *Service) Sessions(ctx context.Context, who access.Actor) ([]Session, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return nil, err
	}
	return sessions(ctx, s.db, who.ID, who.Session, journal.Now(ctx))
}

// EndSession ends one session of the actor's.
func (s *Service) EndSession(ctx context.Context, who access.Actor, id uuid.UUID) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		agent, err := endSession(ctx, tx, who.ID, id)
		if err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Ended the session in %s", Browser(agent)))
	})
}

// EndOthers ends all sessions of the actor's but the one that asks, and returns
// how many those were.
func (s *Service) EndOthers(ctx context.Context, who access.Actor) (n int, err error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return 0, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if n, err = endSessions(ctx, tx, who.ID, who.Session); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Ended all other sessions: %s", n))
	})
	return n, err
}

// Browser is the name of a browser and its system, by what it calls itself.
func Browser(agent string) string {
	find := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	// The order tells: each of them names those before it as well.
	browser := find("Edg", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "FxiOS/", "Firefox", "Chrome/", "Chrome", "CriOS/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := find("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return "an unknown program"
	case system == "":
		return browser
	case browser == "":
		return system
	}
	return browser + " (" + system + ")"
}

// stillSo makes sure that what was proved holds when the session begins: nobody
// suspended the person or changed the password meanwhile. It returns the hash of
// the password, "" if there is none.
func stillSo(ctx context.Context, tx *journal.Tx, p proof) (string, error) {
	return postgres.One[string](ctx, tx, errMeanwhile, `
		SELECT coalesce(password_hash, '') FROM person WHERE id = $1 AND state = 'active' AND ($2 = '' OR password_hash = $2) FOR SHARE`, p.person, p.passwordHash)
}

package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/hotp"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// How second factors are counted.
const (
	CodeTime      = 30 * time.Second // how long an app shows one code (RFC 6238)
	HalfFor       = 10 * time.Minute // the time between password and second factor
	RecoveryCodes = 10
	codeDigits    = 6
	recoveryBytes = 15 // 120 random bits: not to be guessed by who has read their hashes, which are made quickly
)

// Factors are what a person has besides the password.
type Factors struct {
	App      *time.Time `db:"app" json:"app,omitempty" doc:"Since when an app makes codes; absent: none does."`
	Keys     int        `db:"keys" json:"passkeys" doc:"How many passkeys there are."`
	Pending  bool       `db:"pending" json:"-"`
	Password bool       `db:"password" json:"-"`
	Codes    int        `db:"codes" json:"recovery_codes" doc:"Recovery codes that are left."`
}

// Any reports whether signing in asks for more than the password.
func (f Factors) Any() bool { return f.App != nil || f.Keys > 0 }

// App is what an app for codes is set up with.
type App struct {
	Secret string `json:"secret" doc:"To be typed into the app, in base32."`
	URL    string `json:"url" doc:"The same with the name of the account, otpauth://…, to be shown as a QR code."`
}

// Spaced is the secret as people type it: in groups of four.
func (a App) Spaced() string { return grouped(a.Secret, " ") }

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

func grouped(s, by string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteString(by)
		}
		b.WriteString(s[i:min(i+4, len(s))])
	}
	return b.String()
}

// stepOf is the number of the code that an app shows at an instant.
func stepOf(at time.Time) int64 { return at.Unix() / int64(CodeTime.Seconds()) }

// stepWith is the step whose code is the one given: the present one, or for
// clocks that differ and hands that are slow the one before or after.
func stepWith(secret, code string, now time.Time) (step int64, ok bool, err error) {
	for s := stepOf(now) - 1; s <= stepOf(now)+1; s++ {
		want, err := hotp.GenerateCode(secret, uint64(s)) //nolint:gosec // time is not before 1970
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok, nil
}

// typed is a code without what people put between its characters. A recovery
// code's letters are those of base32, in any case.
func typed(code string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' || r == '\t' || r == '\n' {
			return -1
		}
		return r
	}, code))
}

// isCode reports whether it looks like a code of an app, which is no password.
func isCode(typed string) bool {
	return len(typed) == codeDigits && strings.Trim(typed, "0123456789") == ""
}

// recoveryCodes makes new ones, with what is kept of them.
func recoveryCodes() (texts []string, hashes [][]byte) {
	for range RecoveryCodes {
		var b [recoveryBytes]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		code := base32Plain.EncodeToString(b[:])
		texts, hashes = append(texts, strings.ToLower(grouped(code, "-"))), append(hashes, digest(code))
	}
	return texts, hashes
}

var (
	errCode  = problem.Field("code", "This code is not right, or it was used already. Wait for the next one that your app shows.")
	errCodes = problem.New(problem.TooMany, "Too many wrong codes. Wait a quarter of an hour. If they were not yours, somebody knows your password: set a new one by mail.")
	// ErrHalf is the answer if nobody gave a password before, or too long ago.
	ErrHalf = problem.New(problem.NotFound, "The time for the second step is over. Sign in again.")
)

// Factors reads what the actor has besides the password.
func (s *Service) Factors(ctx context.Context, who access.Actor) (Factors, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return Factors{}, err
	}
	return factors(ctx, s.db, who.ID)
}

// BeginApp makes the secret for an app. It counts once a code of it was given;
// one that was made before and never used is forgotten.
func (s *Service) BeginApp(ctx context.Context, who access.Actor) (App, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return App{}, err
	}
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	secret := base32Plain.EncodeToString(b[:])
	sealed, err := s.seal(who.ID, secret)
	if err != nil {
		return App{}, err
	}
	return appOf(who, secret), journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := insertAuthenticator(ctx, tx, who.ID, sealed, tx.Now); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Began to set up an app for codes"))
	})
}

func appOf(who access.Actor, secret string) App {
	q := url.Values{"secret": {secret}, "issuer": {"Commission Portal"}}
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/Commission Portal:" + who.Email, RawQuery: strings.ReplaceAll(q.Encode(), "+", "%20")}
	return App{secret, u.String()}
}

// PendingApp reads what an app is being set up with.
func (s *Service) PendingApp(ctx context.Context, who access.Actor) (App, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "edit"); err != nil {
		return App{}, err
	}
	a, err := authenticatorOf(ctx, s.db, who.ID)
	if err != nil {
		return App{}, err
	}
	if a.ConfirmedAt != nil {
		return App{}, access.ErrNotFound
	}
	secret, err := s.open(who.ID, a.Secret)
	return appOf(who, secret), err
}

// ConfirmApp takes the first code of an app: from then on it is asked for. It
// returns the recovery codes, which are shown once and kept as hashes.
func (s *Service) ConfirmApp(ctx context.Context, who access.Actor, code string, from Origin) ([]string, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return nil, err
	}
	a, err := authenticatorOf(ctx, s.db, who.ID)
	if err != nil {
		return nil, err
	}
	secret, err := s.open(who.ID, a.Secret)
	if err != nil {
		return nil, err
	}
	t := codeTries(journal.Now(ctx), who.ID, "", from, true)
	if ok, err := s.admit(ctx, t, guessTime); err != nil || !ok {
		return nil, errors.Join(err, refused(ok, errCodes))
	}
	step, ok, err := stepWith(secret, typed(code), journal.Now(ctx))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, problem.Field("code", "This is not the code that the app shows now. If it goes on, look whether the clock of your phone is right.")
	}
	var texts []string
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := confirmAuthenticator(ctx, tx, who.ID, a.Secret, step, tx.Now); err != nil {
			return err
		}
		if texts, err = s.renewCodes(ctx, tx, who.ID); err != nil {
			return err
		}
		p, err := byID(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if err := s.writeFactor(ctx, tx, p, factorOn); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Set up an app for codes as second factor"))
	})
	if err != nil {
		return nil, err
	}
	return texts, s.succeeded(ctx, t)
}

// renewCodes makes new recovery codes in place of all that there were.
func (s *Service) renewCodes(ctx context.Context, tx *journal.Tx, person uuid.UUID) ([]string, error) {
	texts, hashes := recoveryCodes()
	if err := deleteRecovery(ctx, tx, person); err != nil {
		return nil, err
	}
	return texts, insertRecovery(ctx, tx, person, hashes)
}

// NewCodes makes new recovery codes; those there were are good for nothing any more.
func (s *Service) NewCodes(ctx context.Context, who access.Actor) (texts []string, err error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return nil, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		f, err := factors(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if !f.Any() {
			return problem.New(problem.Conflict, "Set up a second factor first: recovery codes stand in for it.")
		}
		if texts, err = s.renewCodes(ctx, tx, who.ID); err != nil {
			return err
		}
		p, err := byID(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if err := s.writeFactor(ctx, tx, p, factorCodes); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Made new recovery codes"))
	})
	return texts, err
}

// RemoveApp forgets the actor's app. With the last factor the recovery codes go.
func (s *Service) RemoveApp(ctx context.Context, who access.Actor) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := deleteAuthenticator(ctx, tx, who.ID); err != nil {
			return err
		}
		if err := s.factorGone(ctx, tx, who.ID); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Removed the app for codes"))
	})
}

// factorGone writes to a person one of whose factors was removed; with the last
// one, the codes that stand in for it are forgotten.
func (s *Service) factorGone(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	f, err := factors(ctx, tx, person)
	if err != nil {
		return err
	}
	if !f.Any() {
		if err := deleteRecovery(ctx, tx, person); err != nil {
			return err
		}
	}
	p, err := byID(ctx, tx, person)
	if err != nil {
		return err
	}
	return s.writeFactor(ctx, tx, p, factorOff)
}

// waiting is a sign-in that waits for its second factor.
type waiting struct {
	Person       uuid.UUID `db:"person_id"`
	Name         string    `db:"name"`
	PasswordHash string    `db:"password_hash"`
	Secret       []byte    `db:"secret"` // of the app; nil if there is none
}

// Waiting reads what the second step of a sign-in can be done with.
func (s *Service) Waiting(ctx context.Context, who access.Actor, from Origin) (Factors, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_in"); err != nil {
		return Factors{}, err
	}
	h, err := halfOf(ctx, s.db, digest(from.Half), journal.Now(ctx))
	if err != nil {
		return Factors{}, err
	}
	return factors(ctx, s.db, h.Person)
}

// Second ends a sign-in whose first step is done, with a code of the app or a
// recovery code. A code is taken once, whoever else gives it at the same moment.
func (s *Service) Second(ctx context.Context, who access.Actor, code string, from Origin) (SignedIn, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_in"); err != nil {
		return SignedIn{}, err
	}
	h, err := halfOf(ctx, s.db, digest(from.Half), journal.Now(ctx))
	if err != nil {
		return SignedIn{}, err
	}
	code = typed(code)
	if code == "" {
		return SignedIn{}, problem.Field("code", "Fill this in.")
	}
	t := codeTries(journal.Now(ctx), h.Person, h.PasswordHash, from, sameDevice(h.PasswordHash, from.Device))
	if ok, err := s.admit(ctx, t, guessTime); err != nil || !ok {
		return SignedIn{}, errors.Join(err, refused(ok, errCodes))
	}
	use, err := s.codeOf(ctx, h.Person, h.Secret, code)
	if err != nil {
		return SignedIn{}, err
	}
	var in SignedIn
	err = journal.Change(ctx, s.db, access.System("sign-in", access.Portal, "account", "sign_in"), func(tx *journal.Tx) error {
		if in, err = begin(ctx, tx, proof{person: h.Person, whole: true}, from, s.life); err != nil {
			return err
		}
		if err := useHalf(ctx, tx, digest(from.Half)); err != nil {
			return err
		}
		if err := use(tx); err != nil {
			return err
		}
		return tx.Record(h.Person, journal.Say("Signed in with %s", Browser(from.Agent)))
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, s.succeeded(ctx, t)
}

// codeOf looks at a code and returns what uses it up, which fails if it has been.
func (s *Service) codeOf(ctx context.Context, person uuid.UUID, sealed []byte, code string) (use func(*journal.Tx) error, err error) {
	if isCode(code) && sealed != nil {
		secret, err := s.open(person, sealed)
		if err != nil {
			return nil, err
		}
		step, ok, err := stepWith(secret, code, journal.Now(ctx))
		if err != nil || !ok {
			return nil, errors.Join(err, refused(ok, errCode))
		}
		return func(tx *journal.Tx) error { return useStep(ctx, tx, person, step) }, nil
	}
	hash := digest(code)
	if ok, err := hasRecovery(ctx, s.db, person, hash); err != nil || !ok {
		return nil, errors.Join(err, refused(ok, errCode))
	}
	return func(tx *journal.Tx) error {
		if err := useRecovery(ctx, tx, person, hash); err != nil {
			return err
		}
		p, err := byID(ctx, tx, person)
		if err != nil {
			return err
		}
		return s.writeFactor(ctx, tx, p, factorRecovered)
	}, nil
}

// SignInAgain is asked of a person who is signed in, before an act that could do
// much harm: with the password or a code of the app. The session goes on under a
// new id, which is returned with the time when its cookie ends.
func (s *Service) SignInAgain(ctx context.Context, who access.Actor, given string, from Origin) (secretText string, expires time.Time, err error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return "", time.Time{}, err
	}
	c, err := credentialsOf(ctx, s.db, who.Email)
	if err != nil {
		return "", time.Time{}, err
	}
	use := func(*journal.Tx) error { return nil }
	t := guesses(journal.Now(ctx), who.Email, from, true)
	wrong := problem.Field("_again", "This is not right.")
	if code := typed(given); isCode(code) {
		t = codeTries(journal.Now(ctx), who.ID, hashOf(c), from, true)
		if ok, err := s.admit(ctx, t, guessTime); err != nil || !ok {
			return "", time.Time{}, errors.Join(err, refused(ok, errCodes))
		}
		a, err := authenticatorOf(ctx, s.db, who.ID)
		if problem.Of(err, problem.NotFound) || err == nil && a.ConfirmedAt == nil {
			return "", time.Time{}, wrong
		}
		if err != nil {
			return "", time.Time{}, err
		}
		use, err = s.codeOf(ctx, who.ID, a.Secret, code)
		if errors.Is(err, errCode) {
			return "", time.Time{}, wrong
		}
		if err != nil {
			return "", time.Time{}, err
		}
	} else {
		if ok, err := s.admit(ctx, t, guessTime); err != nil || !ok {
			return "", time.Time{}, errors.Join(err, refused(ok, errGuesses))
		}
		ok, _, err := s.hashing.matches(ctx, given, hashOf(c))
		if err != nil || !ok {
			return "", time.Time{}, errors.Join(err, refused(ok, wrong))
		}
	}
	secretText = secret()
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := use(tx); err != nil {
			return err
		}
		began, err := renewSession(ctx, tx, who.Session, digest(secretText), tx.Now)
		if err != nil {
			return err
		}
		expires = began.Add(s.life.For)
		return tx.Record(who.ID, journal.Say("Confirmed to be there, with %s", Browser(from.Agent)))
	})
	if errors.Is(err, errCode) {
		err = wrong
	}
	if err != nil {
		return "", time.Time{}, err
	}
	return secretText, expires, s.succeeded(ctx, t)
}

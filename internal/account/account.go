// Package account is where persons live: how one comes to an account, signs in
// and stays signed in, what a person says about themselves, the tokens their
// programs use, and what the secretariat does with accounts.
package account

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// How long things are good for.
const (
	ConfirmFor  = 48 * time.Hour      // the link that confirms an address
	ResetFor    = time.Hour           // the link to set a new password
	WelcomeFor  = 7 * 24 * time.Hour  // the same link for somebody who was added
	SessionFor  = 30 * 24 * time.Hour // a session, whatever happens
	SessionIdle = 14 * 24 * time.Hour // a session that nobody uses
)

// Service has the operations on accounts: all that the doors may call.
type Service struct {
	db      *postgres.DB
	access  *access.Policy
	post    *mail.Post
	queue   *jobs.Queue
	hashing hasher
	key     []byte // encrypts secrets that cannot be kept as hashes; nil: they are kept as they are
	life    Life
	keys    *webauthn.WebAuthn // asks passkeys; nil: there are none here
	issuer  *Issuer
	// OnSuspend are run in the change that suspends a person: what must end with
	// the account in capabilities that this one does not know.
	OnSuspend []func(ctx context.Context, tx *journal.Tx, person uuid.UUID) error
	// OnMove are run in the change that gives a person another address: what waits at the
	// old one goes with the person.
	OnMove []func(ctx context.Context, tx *journal.Tx, person uuid.UUID, from, to string) error
	// OnErase are run in the change that closes an account for good: what a person has
	// in other capabilities ends. The person is still called what they were.
	OnErase []func(ctx context.Context, tx *journal.Tx, person uuid.UUID) error
	// OnForget are run later, and take the person out of what others wrote.
	OnForget []func(ctx context.Context, tx *journal.Tx, e journal.Erasure) error
	// OnlyChair are the commissions, by name, that have no other chair.
	OnlyChair func(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) ([]string, error)
}

// Settings are what the operator says of accounts.
type Settings struct {
	Memory uint32 // how many KiB hashing a password takes
	Key    []byte // of 32 bytes, encrypts the secrets of apps for codes; nil: they are kept as they are
	Life   Life
	Base   *url.URL // the address that people use: passkeys are good for it alone
	Issuer *Issuer  // whose accounts sign in here; nil: none
}

// Life is how long a session lives: For after it began, whatever happens, and
// Idle after it was last used.
type Life struct{ For, Idle time.Duration }

// New makes the service and registers its work with the queue, so it comes
// before queue.Start.
func New(db *postgres.DB, policy *access.Policy, post *mail.Post, queue *jobs.Queue, with Settings) (*Service, error) {
	keys, err := newKeys(with.Base)
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	s := &Service{db: db, access: policy, post: post, queue: queue, hashing: newHasher(with.Memory), key: with.Key, life: with.Life, keys: keys, issuer: with.Issuer}
	if s.life.For == 0 {
		s.life = Life{SessionFor, SessionIdle}
	}
	jobs.Handle(queue, s.sendSignUp)
	jobs.Handle(queue, s.sendReset)
	jobs.Handle(queue, s.sendAddress)
	queue.Every("account.sweep", 24*time.Hour, s.Sweep)
	queue.Every("account.erase", time.Hour, s.EraseDue)
	return s, nil
}

// Person is an account as its owner and the secretariat see it.
type Person struct {
	ID          uuid.UUID  `db:"id" json:"id"`
	Email       string     `db:"email" json:"email"`
	Name        string     `db:"name" json:"name"`
	Country     *string    `db:"country" json:"country,omitempty" doc:"ISO 3166 alpha-2."`
	Language    string     `db:"language" json:"language" doc:"BCP 47."`
	TimeZone    string     `db:"time_zone" json:"time_zone" doc:"Of the IANA database, such as Europe/Berlin."`
	Theme       string     `db:"theme" json:"theme" enum:"auto,light,dark"`
	About       string     `db:"about" json:"about"`
	State       string     `db:"state" json:"state" enum:"active,suspended,erased"`
	Secretariat bool       `db:"secretariat" json:"secretariat" doc:"Of the convention's staff."`
	ConfirmedAt *time.Time `db:"confirmed_at" json:"confirmed_at,omitempty" doc:"When the address was proved; absent for somebody who never signed in."`
	Version     int        `db:"version" json:"version"`
	CreatedAt   time.Time  `db:"created_at" json:"created_at"`
}

// Reader is the person as the reader of a letter.
func (p Person) Reader() mail.Reader {
	return mail.Reader{Person: p.ID, Email: p.Email, Name: p.Name, Language: p.Language, TimeZone: p.TimeZone}
}

// Path is the address of the person's page.
func (p Person) Path() string { return "/persons/" + p.ID.String() }

// Origin is what is known of where a request comes from.
type Origin struct {
	Address netip.Addr
	Agent   string // what the browser calls itself
	Device  string // the browser's proof of having signed in to an account before; see device
	Session []byte // hash of the session it carries now, which a new one replaces
	Half    string // proof of a password given a moment ago, to which a second factor is to follow
}

// Profile is what a person says about themselves.
type Profile struct {
	Name     string
	Country  string // alpha-2, or ""
	Language string
	TimeZone string
	About    string
	Theme    string // one of Themes; "" leaves it
}

// Check normalizes p and reports every field that is wrong.
func (p *Profile) Check() error {
	var f problem.Fields
	check.Line(&f, "name", &p.Name, 2, 200)
	check.Country(&f, "country", &p.Country, false)
	if !slices.ContainsFunc(i18n.Languages(), func(l i18n.Language) bool { return l.Tag.String() == p.Language }) {
		f.Add("language", "Choose a language.")
	}
	if !knownZone(p.TimeZone) {
		f.Add("time_zone", "Choose a time zone.")
	}
	check.Text(&f, "about", &p.About, 0, 2000)
	if p.Theme != "" {
		check.OneOf(&f, "theme", p.Theme, Themes...)
	}
	return f.Err()
}

// Of is the profile as it stands.
func Of(p Person) Profile {
	country := ""
	if p.Country != nil {
		country = *p.Country
	}
	return Profile{Name: p.Name, Country: country, Language: p.Language, TimeZone: p.TimeZone, About: p.About}
}

// errStale is the answer to a change made from a version that is not the current one.
var errStale = problem.New(problem.Stale, "This was changed meanwhile, in another window or by a program. Look at it again.")

// Me reads the actor's own account.
func (s *Service) Me(ctx context.Context, who access.Actor) (Person, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return Person{}, err
	}
	return byID(ctx, s.db, who.ID)
}

// Describe changes what the actor says about themselves, from the version that
// they saw; Stale if it is not the current one.
func (s *Service) Describe(ctx context.Context, who access.Actor, version int, p Profile) (Person, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return Person{}, err
	}
	if err := p.Check(); err != nil {
		return Person{}, err
	}
	var after Person
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		before, err := byID(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if err := setProfile(ctx, tx, who.ID, version, p); err != nil {
			return err
		}
		if after, err = byID(ctx, tx, who.ID); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Changed the profile").Changed(public(before), public(after)))
	})
	return after, err
}

// public is what the journal keeps of a profile: what others see of it anyway.
func public(p Person) map[string]any { return map[string]any{"name": p.Name, "country": p.Country} }

// Themes are the colors a reader may choose; auto is what the system wishes.
var Themes = []string{"auto", "light", "dark"}

// SetTheme keeps the reader's choice of colors with the account. A visitor has
// none: the door keeps it in the browser.
func (s *Service) SetTheme(ctx context.Context, who access.Actor, theme string) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "preference", "set")
	if err != nil {
		return err
	}
	if !slices.Contains(Themes, theme) {
		return problem.Field("theme", "Choose one of: %s.", "auto, light, dark")
	}
	if !who.SignedIn() || who.Theme == theme {
		return nil
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := setTheme(ctx, tx, who.ID, theme); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Chose other colors"))
	})
}

// Seen notes that a session or token is in use, and puts the end of the
// session's idle time off. Callers ask at most every few minutes; two at once
// write once.
func (s *Service) Seen(ctx context.Context, who access.Actor, hash []byte) error {
	now := journal.Now(ctx)
	if who.Session == nil {
		return seenToken(ctx, s.db, hash, now)
	}
	return seenSession(ctx, s.db, hash, now, s.life)
}

// Sweep forgets what has run out; the queue does it daily.
func (s *Service) Sweep(ctx context.Context) error { return sweep(ctx, s.db, journal.Now(ctx)) }

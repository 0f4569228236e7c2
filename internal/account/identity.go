package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// Issuer is another place whose accounts sign in here (OpenID Connect).
type Issuer struct {
	URL, ClientID, ClientSecret string
	Name                        string // as people know it
	Back                        string // the absolute address that it sends people back to
	// TrustEmail takes a verified address from it as proof of the account with that
	// address here: only of an issuer that gives nobody the address of somebody else.
	TrustEmail bool
	Asking     func(context.Context) context.Context // has the client that asks it

	once     sync.Mutex
	provider *oidc.Provider
}

// IssuerPath is where the issuer sends people back to.
const IssuerPath = "/sign-in/oidc/callback"

const (
	issuerTime  = 10 * time.Second // the time it has to answer
	requestFor  = 10 * time.Minute // the time somebody has to sign in there
	requestsMax = 100              // from one address in a quarter of an hour
)

var (
	errNoIssuer = problem.New(problem.NotFound, "There is no such page, or you may not see it.")
	// ErrIssuer is the answer to who comes back from the issuer without what counts.
	ErrIssuer = problem.New(problem.Invalid, "Signing in there did not work, or took too long. Begin again.")
	// ErrUnlinked is the answer to an account elsewhere that nobody here is linked to.
	ErrUnlinked = problem.New(problem.Forbidden, "Nobody here is linked to this account yet. Sign in with your password or create an account, then link it under Profile → Second factor.")
)

// Issuer is that of this portal; nil if it has none.
func (s *Service) Issuer() *Issuer { return s.issuer }

// known finds out about the issuer when it is first needed: the portal starts
// whether it answers or not.
func (i *Issuer) known(ctx context.Context) (*oidc.Provider, error) {
	i.once.Lock()
	defer i.once.Unlock()
	if i.provider == nil {
		p, err := oidc.NewProvider(i.Asking(ctx), i.URL)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", problem.New(problem.Unavailable, "%s does not answer. Try again later, or sign in with your password.", i.Name), err)
		}
		i.provider = p
	}
	return i.provider, nil
}

func (i *Issuer) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: i.ClientID, ClientSecret: i.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: i.Back, Scopes: []string{oidc.ScopeOpenID, "email", "profile"}}
}

// Sent is where somebody is sent to sign in, and the state that the browser keeps meanwhile.
type Sent struct{ URL, State string }

// AskIssuer sends a visitor to sign in there, and on to next.
func (s *Service) AskIssuer(ctx context.Context, who access.Actor, next string, from Origin) (Sent, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_in"); err != nil {
		return Sent{}, err
	}
	return s.ask(ctx, uuid.NullUUID{}, next, from)
}

// LinkIssuer sends the actor there, to link the account that they sign in to.
func (s *Service) LinkIssuer(ctx context.Context, who access.Actor, from Origin) (Sent, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "edit"); err != nil {
		return Sent{}, err
	}
	return s.ask(ctx, uuid.NullUUID{UUID: who.ID, Valid: true}, "", from)
}

func (s *Service) ask(ctx context.Context, person uuid.NullUUID, next string, from Origin) (Sent, error) {
	if s.issuer == nil {
		return Sent{}, errNoIssuer
	}
	address := "issuer:" + network(from.Address)
	ok, err := s.admit(ctx, tries{journal.Now(ctx), []string{address}, func(n map[string]int) bool { return n[address] <= requestsMax }}, guessTime)
	if err != nil || !ok {
		return Sent{}, errors.Join(err, refused(ok, errGuesses))
	}
	there, cancel := context.WithTimeout(ctx, issuerTime)
	defer cancel()
	provider, err := s.issuer.known(there)
	if err != nil {
		return Sent{}, err
	}
	if len(next) > 2000 {
		next = ""
	}
	state, nonce, verifier := secret(), secret(), oauth2.GenerateVerifier()
	if err := insertRequest(ctx, s.db, digest(state), person, nonce, verifier, next, journal.Now(ctx).Add(requestFor)); err != nil {
		return Sent{}, err
	}
	return Sent{s.issuer.oauth(provider).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), state}, nil
}

// Returned is what somebody comes back with. Kept is the state of the browser.
type Returned struct{ Code, State, Kept string }

// claims are what the issuer says of the one who signed in there.
type claims struct {
	Subject  string
	Email    string
	Verified bool
	Name     string
}

// claimsOf exchanges a code for what the issuer signed about its bearer.
func (s *Service) claimsOf(ctx context.Context, code string, r identityRequest) (claims, error) {
	ctx, cancel := context.WithTimeout(ctx, issuerTime)
	defer cancel()
	provider, err := s.issuer.known(ctx)
	if err != nil {
		return claims{}, err
	}
	refused := func(err error) error { return fmt.Errorf("%w: %w", ErrIssuer, err) }
	token, err := s.issuer.oauth(provider).Exchange(s.issuer.Asking(ctx), code, oauth2.VerifierOption(r.Verifier))
	if err != nil {
		return claims{}, refused(err)
	}
	raw, _ := token.Extra("id_token").(string)
	signed, err := provider.Verifier(&oidc.Config{ClientID: s.issuer.ClientID, Now: func() time.Time { return journal.Now(ctx) }}).Verify(ctx, raw)
	if err != nil {
		return claims{}, refused(err)
	}
	if signed.Nonce != r.Nonce || signed.Subject == "" || len(signed.Subject) > 255 {
		return claims{}, refused(errors.New("another nonce, or no subject"))
	}
	var said struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		Name     string `json:"name"`
	}
	if err := signed.Claims(&said); err != nil {
		return claims{}, refused(err)
	}
	c := claims{signed.Subject, strings.ToLower(strings.TrimSpace(said.Email)), said.Verified, strings.TrimSpace(said.Name)}
	if len(c.Email) > 254 {
		c.Email, c.Verified = "", false
	}
	return c, nil
}

// Return takes in who comes back from the issuer: it begins a session for the
// person that the account there is linked to, or links it for who asked for that
// and is still signed in (linked, and no session). An account here is never found
// by the address alone, unless the issuer has verified it and is trusted with addresses.
func (s *Service) Return(ctx context.Context, who access.Actor, b Returned, from Origin) (in SignedIn, linked bool, err error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_in"); err != nil {
		return SignedIn{}, false, err
	}
	if s.issuer == nil {
		return SignedIn{}, false, errNoIssuer
	}
	if b.State == "" || b.State != b.Kept {
		return SignedIn{}, false, ErrIssuer
	}
	r, err := useRequest(ctx, s.db, digest(b.State), journal.Now(ctx))
	if err != nil {
		return SignedIn{}, false, err
	}
	c, err := s.claimsOf(ctx, b.Code, r)
	if err != nil {
		return SignedIn{}, false, err
	}
	if r.Person.Valid {
		if r.Person.UUID != who.ID {
			return SignedIn{}, false, ErrIssuer
		}
		return SignedIn{}, true, s.link(ctx, who, c)
	}
	err = journal.Change(ctx, s.db, access.System("sign-in", access.Portal, "account", "sign_in"), func(tx *journal.Tx) error {
		person, err := seenIdentity(ctx, tx, s.issuer.URL, c.Subject, tx.Now)
		if problem.Of(err, problem.Forbidden) && s.issuer.TrustEmail && c.Verified && c.Email != "" {
			person, err = s.adopt(ctx, tx, c)
		}
		if err != nil {
			return err
		}
		if in, err = begin(ctx, tx, proof{person: person}, from, s.life); err != nil {
			return err
		}
		in.Next = r.Next
		if in.Half {
			return tx.Record(person, journal.Say("Signed in at %s; the second factor is to follow", s.issuer.Name))
		}
		return tx.Record(person, journal.Say("Signed in at %s with %s", s.issuer.Name, Browser(from.Agent)))
	})
	return in, false, err
}

// adopt finds, or makes, the person with an address that the issuer has verified
// and is trusted with, and links the account there.
func (s *Service) adopt(ctx context.Context, tx *journal.Tx, c claims) (uuid.UUID, error) {
	p, err := byEmail(ctx, tx, c.Email)
	if problem.Of(err, problem.NotFound) {
		var f problem.Fields
		check.Email(&f, "email", &c.Email)
		if f.Err() != nil {
			return uuid.Nil, ErrUnlinked
		}
		p = Person{ID: uuid.Must(uuid.NewV7()), Email: c.Email, Name: nameOf(c), ConfirmedAt: &tx.Now}
		err = insertPerson(ctx, tx, p, nil, tx.Now)
	}
	if err != nil {
		return uuid.Nil, err
	}
	if err := confirmPerson(ctx, tx, p.ID, tx.Now); err != nil {
		return uuid.Nil, err
	}
	if err := s.insertLink(ctx, tx, p, c); err != nil {
		return uuid.Nil, err
	}
	return p.ID, tx.Record(p.ID, journal.Say("Linked to an account at %s by the address", s.issuer.Name))
}

// nameOf is how somebody is called whose issuer does not say it.
func nameOf(c claims) string {
	if n := len([]rune(c.Name)); n >= 2 && n <= 200 {
		return c.Name
	}
	local, _, _ := strings.Cut(c.Email, "@")
	return local
}

func (s *Service) link(ctx context.Context, who access.Actor, c claims) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		p, err := byID(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if err := s.insertLink(ctx, tx, p, c); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Linked to an account at %s", s.issuer.Name))
	})
}

func (s *Service) insertLink(ctx context.Context, tx *journal.Tx, p Person, c claims) error {
	if err := insertIdentity(ctx, tx, s.issuer.URL, c, p.ID, tx.Now); err != nil {
		return err
	}
	return s.writeLinked(ctx, tx, p, s.issuer.Name)
}

// Identity is an account elsewhere that signs in here.
type Identity struct {
	Issuer    string     `db:"issuer" json:"issuer"`
	Email     string     `db:"email" json:"email,omitempty" doc:"As the issuer had it when they were linked."`
	CreatedAt time.Time  `db:"created_at" json:"created_at"`
	SeenAt    *time.Time `db:"seen_at" json:"seen_at,omitempty" doc:"When it last signed in."`
}

// Identity is what the actor is linked to at the issuer; nil for nothing.
func (s *Service) Identity(ctx context.Context, who access.Actor) (*Identity, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil || s.issuer == nil {
		return nil, err
	}
	rows, err := identities(ctx, s.db, who.ID, s.issuer.URL)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// Unlink forgets what the actor is linked to at the issuer.
func (s *Service) Unlink(ctx context.Context, who access.Actor) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return err
	}
	if s.issuer == nil {
		return errNoIssuer
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := deleteIdentity(ctx, tx, who.ID, s.issuer.URL); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Unlinked from the account at %s", s.issuer.Name))
	})
}

type identityRequest struct {
	Person   uuid.NullUUID `db:"person_id"`
	Nonce    string        `db:"nonce"`
	Verifier string        `db:"verifier"`
	Next     string        `db:"next"`
}

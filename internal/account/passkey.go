package account

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const (
	challengeFor  = 5 * time.Minute // the time a passkey has to answer
	mostKeys      = 20              // of one person
	challengesMax = 100             // from one address in a quarter of an hour
)

// Passkey is a key that a device or a password manager keeps.
type Passkey struct {
	ID        uuid.UUID  `db:"id" json:"id"`
	Name      string     `db:"name" json:"name"`
	CreatedAt time.Time  `db:"created_at" json:"created_at"`
	SeenAt    *time.Time `db:"seen_at" json:"seen_at,omitempty" doc:"When it last signed in."`
}

// Challenge is what a passkey is asked: Options for the browser's script, and the
// secret by which the answer finds it.
type Challenge struct {
	Secret  string `json:"challenge"`
	Options any    `json:"options"`
}

// Answer is what a passkey said to a challenge, as the browser writes it.
type Answer struct {
	Challenge string // its secret
	Text      string // JSON
}

var (
	errNoKeys = problem.New(problem.NotFound, "This portal has no passkeys: its address is a number, and they need a name.")
	errKey    = problem.New(problem.Invalid, "This passkey did not answer as it should. Try again, or sign in with your password.")
)

// newKeys is what asks passkeys for the portal at base. Nil where it has no name:
// browsers have passkeys for names alone.
func newKeys(base *url.URL) (*webauthn.WebAuthn, error) {
	if base == nil {
		return nil, nil
	}
	if _, err := netip.ParseAddr(base.Hostname()); err == nil {
		return nil, nil
	}
	// The person is always verified, by finger, face or a PIN: that makes two factors of it.
	return webauthn.New(&webauthn.Config{RPID: base.Hostname(), RPDisplayName: "Commission Portal", RPOrigins: []string{base.Scheme + "://" + base.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired}})
}

// HasPasskeys reports whether this portal can have any.
func (s *Service) HasPasskeys() bool { return s.keys != nil }

// holder is a person as the library wants to see one.
type holder struct {
	id          uuid.UUID
	email, name string
	keys        []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.id[:] }
func (h holder) WebAuthnName() string                       { return h.email }
func (h holder) WebAuthnDisplayName() string                { return h.name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func holderOf(ctx context.Context, q postgres.Q, person uuid.UUID, email, name string) (holder, error) {
	h := holder{id: person, email: email, name: name}
	rows, err := keysOf(ctx, q, person)
	for _, raw := range rows {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(raw), &c); err != nil {
			return h, err
		}
		h.keys = append(h.keys, c)
	}
	return h, err
}

// Passkeys are the actor's, the newest first.
func (s *Service) Passkeys(ctx context.Context, who access.Actor) ([]Passkey, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return nil, err
	}
	return passkeys(ctx, s.db, who.ID)
}

// BeginPasskey asks for a new passkey of the actor's.
func (s *Service) BeginPasskey(ctx context.Context, who access.Actor) (Challenge, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "edit"); err != nil {
		return Challenge{}, err
	}
	if s.keys == nil {
		return Challenge{}, errNoKeys
	}
	h, err := holderOf(ctx, s.db, who.ID, who.Email, who.Name)
	if err != nil {
		return Challenge{}, err
	}
	options, session, err := s.keys.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
	if err != nil {
		return Challenge{}, err
	}
	return s.challenge(ctx, uuid.NullUUID{UUID: who.ID, Valid: true}, options.Response, session)
}

// challenge keeps what was asked until the answer is there.
func (s *Service) challenge(ctx context.Context, person uuid.NullUUID, options any, session *webauthn.SessionData) (Challenge, error) {
	kept, err := json.Marshal(session)
	if err != nil {
		return Challenge{}, err
	}
	c := Challenge{secret(), options}
	return c, insertChallenge(ctx, s.db, digest(c.Secret), person, string(kept), journal.Now(ctx).Add(challengeFor))
}

// asked takes a challenge, which is answered once.
func asked(ctx context.Context, tx *journal.Tx, a Answer, person uuid.NullUUID) (webauthn.SessionData, error) {
	var session webauthn.SessionData
	kept, err := useChallenge(ctx, tx, digest(a.Challenge), person, tx.Now)
	if err != nil {
		return session, err
	}
	return session, json.Unmarshal([]byte(kept), &session)
}

// AddPasskey keeps a new passkey under a name. With the first factor it returns
// recovery codes, which are shown once.
func (s *Service) AddPasskey(ctx context.Context, who access.Actor, name string, a Answer) (texts []string, err error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return nil, err
	}
	if s.keys == nil {
		return nil, errNoKeys
	}
	var f problem.Fields
	check.Line(&f, "name", &name, 1, 100)
	if err := f.Err(); err != nil {
		return nil, err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(a.Text))
	if err != nil {
		return nil, errKey
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		session, err := asked(ctx, tx, a, uuid.NullUUID{UUID: who.ID, Valid: true})
		if err != nil {
			return err
		}
		h, err := holderOf(ctx, tx, who.ID, who.Email, who.Name)
		if err != nil {
			return err
		}
		key, err := s.keys.CreateCredential(h, session, answer)
		if err != nil {
			return errKey
		}
		kept, err := json.Marshal(key)
		if err != nil {
			return err
		}
		before, err := factors(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if err := insertPasskey(ctx, tx, who.ID, key.ID, name, string(kept), tx.Now); err != nil {
			return err
		}
		texts = nil
		if before.Codes == 0 {
			if texts, err = s.renewCodes(ctx, tx, who.ID); err != nil {
				return err
			}
		}
		p, err := byID(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if err := s.writeFactor(ctx, tx, p, factorKey); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Set up the passkey %s", name))
	})
	if postgres.Constraint(err) == "passkey_handle" {
		err = problem.New(problem.Conflict, "This passkey is set up already.")
	}
	return texts, err
}

// RemovePasskey forgets one of the actor's passkeys.
func (s *Service) RemovePasskey(ctx context.Context, who access.Actor, id uuid.UUID) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		name, err := deletePasskey(ctx, tx, who.ID, id)
		if err != nil {
			return err
		}
		if err := s.factorGone(ctx, tx, who.ID); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Removed the passkey %s", name))
	})
}

// AskPasskey asks any passkey of the portal's: whose it is, its answer tells.
func (s *Service) AskPasskey(ctx context.Context, who access.Actor, from Origin) (Challenge, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_in"); err != nil {
		return Challenge{}, err
	}
	if s.keys == nil {
		return Challenge{}, errNoKeys
	}
	address := "passkey:" + network(from.Address)
	ok, err := s.admit(ctx, tries{journal.Now(ctx), []string{address}, func(n map[string]int) bool { return n[address] <= challengesMax }}, guessTime)
	if err != nil || !ok {
		return Challenge{}, errors.Join(err, refused(ok, errGuesses))
	}
	options, session, err := s.keys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Challenge{}, err
	}
	return s.challenge(ctx, uuid.NullUUID{}, options.Response, session)
}

// answered finds out whose passkey answered, and that it did as it should.
func (s *Service) answered(ctx context.Context, tx *journal.Tx, a Answer) (person uuid.UUID, name string, err error) {
	answer, err := protocol.ParseCredentialRequestResponseBytes([]byte(a.Text))
	if err != nil {
		return uuid.Nil, "", errKey
	}
	session, err := asked(ctx, tx, a, uuid.NullUUID{})
	if err != nil {
		return uuid.Nil, "", err
	}
	if person, name, err = passkeyOwner(ctx, tx, answer.RawID); err != nil {
		return uuid.Nil, "", err
	}
	h, err := holderOf(ctx, tx, person, "", "")
	if err != nil {
		return uuid.Nil, "", err
	}
	_, key, err := s.keys.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return h, nil }, session, answer)
	if err != nil || key.Authenticator.CloneWarning {
		return uuid.Nil, "", errKey
	}
	kept, err := json.Marshal(key)
	if err != nil {
		return uuid.Nil, "", err
	}
	return person, name, seenPasskey(ctx, tx, key.ID, string(kept), tx.Now)
}

// SignInWithPasskey begins a session for whose passkey answered, without a
// password: the device has made sure who holds it.
func (s *Service) SignInWithPasskey(ctx context.Context, who access.Actor, a Answer, from Origin) (in SignedIn, err error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "sign_in"); err != nil {
		return SignedIn{}, err
	}
	if s.keys == nil {
		return SignedIn{}, errNoKeys
	}
	err = journal.Change(ctx, s.db, access.System("sign-in", access.Portal, "account", "sign_in"), func(tx *journal.Tx) error {
		person, name, err := s.answered(ctx, tx, a)
		if err != nil {
			return err
		}
		if in, err = begin(ctx, tx, proof{person: person, whole: true}, from, s.life); err != nil {
			return err
		}
		return tx.Record(person, journal.Say("Signed in with the passkey %s in %s", name, Browser(from.Agent)))
	})
	return in, err
}

// SignInAgainWithPasskey is SignInAgain by a passkey.
func (s *Service) SignInAgainWithPasskey(ctx context.Context, who access.Actor, a Answer, from Origin) (secretText string, expires time.Time, err error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return "", time.Time{}, err
	}
	if s.keys == nil {
		return "", time.Time{}, errNoKeys
	}
	secretText = secret()
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		person, _, err := s.answered(ctx, tx, a)
		if err != nil || person != who.ID {
			return errors.Join(err, refused(person == who.ID || err != nil, errKey))
		}
		began, err := renewSession(ctx, tx, who.Session, digest(secretText), tx.Now)
		if err != nil {
			return err
		}
		expires = began.Add(s.life.For)
		return tx.Record(who.ID, journal.Say("Confirmed to be there, with %s", Browser(from.Agent)))
	})
	return secretText, expires, err
}

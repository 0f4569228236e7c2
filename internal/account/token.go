package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// Token lets a program act for a person.
type Token struct {
	ID        uuid.UUID  `db:"id" json:"id"`
	Name      string     `db:"name" json:"name"`
	ReadOnly  bool       `db:"read_only" json:"read_only"`
	CreatedAt time.Time  `db:"created_at" json:"created_at"`
	ExpiresAt *time.Time `db:"expires_at" json:"expires_at,omitempty"`
	SeenAt    *time.Time `db:"seen_at" json:"seen_at,omitempty" doc:"When it was last used, to within a few minutes."`
}

// TokenDraft is what a person says of a token to be made.
type TokenDraft struct {
	Name     string
	ReadOnly bool
	Expires  time.Time // zero: never
}

const (
	tokenPrefix = "portal_" // lets scanners of source code find one that was left there
	mostTokens  = 50        // of one person
)

// Check normalizes d and reports every field that is wrong.
func (d *TokenDraft) Check(now time.Time) error {
	var f problem.Fields
	check.Line(&f, "name", &d.Name, 1, 100)
	if !d.Expires.IsZero() && (d.Expires.Before(now) || d.Expires.Year() > 9000) {
		f.Add("expires_at", "Choose an end that is yet to come.")
	}
	return f.Err()
}

// Tokens are the actor's, the newest first.
func (s *Service) Tokens(ctx context.Context, who access.Actor) ([]Token, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return nil, err
	}
	return tokens(ctx, s.db, who.ID)
}

// MakeToken makes a token for the actor and returns its text, which is shown
// once and kept nowhere.
func (s *Service) MakeToken(ctx context.Context, who access.Actor, d TokenDraft) (Token, string, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return Token{}, "", err
	}
	return s.makeToken(ctx, permit, who.Email, d)
}

// TokenFor makes a token for the person with that address: for the command line.
func (s *Service) TokenFor(ctx context.Context, by access.Permit, email string, d TokenDraft) (Token, string, error) {
	return s.makeToken(ctx, by, email, d)
}

func (s *Service) makeToken(ctx context.Context, by access.Permit, email string, d TokenDraft) (Token, string, error) {
	now := journal.Now(ctx)
	if err := d.Check(now); err != nil {
		return Token{}, "", err
	}
	t := Token{ID: uuid.Must(uuid.NewV7()), Name: d.Name, ReadOnly: d.ReadOnly, CreatedAt: now}
	if !d.Expires.IsZero() {
		t.ExpiresAt = &d.Expires
	}
	text := tokenPrefix + secret()
	return t, text, journal.Change(ctx, s.db, by, func(tx *journal.Tx) error {
		p, err := byEmail(ctx, tx, email)
		if err != nil {
			return err
		}
		if err := insertToken(ctx, tx, p.ID, digest(text), t); err != nil {
			return err
		}
		if err := s.writeToken(ctx, tx, p, t); err != nil {
			return err
		}
		return tx.Record(p.ID, journal.Say("Made the token %s for %s", t.Name, journal.Person(p.ID)))
	})
}

// RevokeToken ends one of the actor's tokens at once.
func (s *Service) RevokeToken(ctx context.Context, who access.Actor, id uuid.UUID) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "account", "edit")
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		name, err := revokeToken(ctx, tx, who.ID, id, tx.Now)
		if err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Revoked the token %s", name))
	})
}

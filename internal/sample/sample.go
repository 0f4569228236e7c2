// Package sample fills an empty database with a convention that never was: what
// `portal dev` shows on its first start. The organizations, persons and
// commissions are invented; a fixed seed makes them the same ones every time, and
// all times count from the moment of loading, so that the sample never looks
// stale.
//
// It is the documented exception, beside the import, to two rules of the house:
// it writes the tables of every capability, and not through journal.Change,
// because what it tells happened in the past. The journal's chains are written all
// the same, with the sentences that the services write. What the services would
// refuse is not in it; the tests say so.
package sample

import (
	"context"
	"fmt"
	"time"

	"commissionportal/internal/blob"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// The sign-ins of the sample, all with one password. Nobody else in it has a
// password.
const (
	Secretariat = "secretariat@example.org" // of the convention's staff
	Chair       = "chair@example.org"       // chairs the commission for energy storage
	Member      = "member@example.org"      // holds two seats for an organization
	Password    = "quiet harbor lantern"
)

// PasswordHash is Password as the account capability keeps it.
const PasswordHash = "$argon2id$v=19$m=65536,t=2,p=1$4CoLuYX0vRoWScwNKPtXIw$Te1OZsbiBNLAsq2ZN3Vs7mWqTopYp66CD1UUJWvgvUY"

// Summary counts what was loaded, as the start page counts.
type Summary struct {
	Commissions   int // of all kinds, that have not ended
	Sectors       int // that have one
	Organizations int // that are members
	Countries     int // of the organizations
	Persons       int
	Seats         int // held at this moment
	Documents     int
}

// Empty reports whether the database holds no person, organization or commission.
func Empty(ctx context.Context, db *postgres.DB) (bool, error) {
	return empty(ctx, db)
}

func empty(ctx context.Context, q postgres.Q) (bool, error) {
	return postgres.One[bool](ctx, q, nil, `
		SELECT NOT EXISTS (SELECT FROM person) AND NOT EXISTS (SELECT FROM organization) AND NOT EXISTS (SELECT FROM commission)`)
}

// SignIns reports whether the sample's three persons are there and still sign in
// with Password.
func SignIns(ctx context.Context, db *postgres.DB) (bool, error) {
	return postgres.One[bool](ctx, db, nil, `SELECT count(*) = 3 FROM person WHERE email IN ($1, $2, $3) AND password_hash = $4 AND state = 'active'`,
		Secretariat, Chair, Member, PasswordHash)
}

// Load fills the database, in one transaction, with what has happened until now:
// Conflict if it is not empty. Documents come with it if there are files to put
// their content into (nil: none); those are swept if the transaction fails.
func Load(ctx context.Context, db *postgres.DB, files *blob.Store, now time.Time) (s Summary, err error) {
	w, err := build(now, files != nil)
	if err != nil {
		return s, err
	}
	if files != nil {
		if err := w.store(ctx, files); err != nil {
			return s, fmt.Errorf("sample: %w", err)
		}
	}
	tx, err := db.Begin(ctx)
	if err != nil {
		return s, err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the first error says more
		}
	}()
	// Two that start at once: the second waits here, and finds the sample there.
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('commissionportal sample'))`); err != nil {
		return s, err
	}
	ok, err := empty(ctx, tx)
	if err != nil {
		return s, err
	}
	if !ok {
		return s, problem.New(problem.Conflict, "The sample is loaded into an empty database only, and this one holds data.")
	}
	if err := w.write(ctx, tx); err != nil {
		return s, fmt.Errorf("sample: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return s, err
	}
	return w.summary(), nil
}

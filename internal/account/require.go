package account

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// FactorRoles are the roles that can ask for a second factor: the portal's first,
// then those of seats.
var FactorRoles = []string{"secretariat", "chair", "vice_chair", "secretary", "voting_representative", "alternate_representative", "observer", "liaison_officer",
	"invited_expert", "emeritus"}

// Required says which roles ask for a second factor.
type Required struct {
	Roles   []string       `json:"roles" doc:"Of the portal (secretariat) and of seats (chair, secretary, …)."`
	Lacking int            `json:"lacking" doc:"How many persons hold one of them and have no second factor: their roles rest."`
	Without map[string]int `json:"without" doc:"By role that can ask for it: how many persons hold it and have none, whose roles rest once it does."`
}

// Required reads which roles ask for a second factor.
func (s *Service) Required(ctx context.Context, who access.Actor) (Required, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "factor", "require"); err != nil {
		return Required{}, err
	}
	return s.required(ctx)
}

func (s *Service) required(ctx context.Context) (r Required, err error) {
	if r.Roles, err = factorRoles(ctx, s.db); err != nil {
		return r, err
	}
	r.Lacking, r.Without, err = lacking(ctx, s.db, journal.Now(ctx))
	return r, err
}

// Require says which roles ask for a second factor from now on. Who holds one and
// has no factor keeps the role and has none of its rights until there is one.
func (s *Service) Require(ctx context.Context, who access.Actor, roles []string) (Required, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "factor", "require")
	if err != nil {
		return Required{}, err
	}
	portal, seats := []string{}, []string{}
	for _, role := range FactorRoles {
		switch {
		case !slices.Contains(roles, role):
		case slices.Contains(Roles, role):
			portal = append(portal, role)
		default:
			seats = append(seats, role)
		}
	}
	for _, role := range roles {
		if !slices.Contains(FactorRoles, role) {
			return Required{}, problem.Field("roles", "There is no such role.")
		}
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		before, err := factorRoles(ctx, tx)
		if err != nil {
			return err
		}
		if err := setFactorRoles(ctx, tx, portal, seats); err != nil {
			return err
		}
		if mine, err := rests(ctx, tx, who.ID, tx.Now); err != nil || mine {
			if err == nil {
				err = problem.New(problem.Conflict, "You hold one of these roles and have no second factor. Set one up first, or your own roles would rest.")
			}
			return err
		}
		after, err := factorRoles(ctx, tx)
		if err != nil {
			return err
		}
		return tx.Record(requiredID, journal.Say("Said which roles ask for a second factor").Changed(before, after))
	})
	if err != nil {
		return Required{}, err
	}
	return s.required(ctx)
}

// requiredID names the setting in the journal.
var requiredID = uuid.NewSHA1(uuid.Nil, []byte("factor_role"))

// Asking are the actor's roles that ask for a second factor.
func (s *Service) Asking(ctx context.Context, who access.Actor) ([]string, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return nil, err
	}
	return asking(ctx, s.db, who.ID, journal.Now(ctx))
}

// Armed reads whose second factors would be removed, and which those are.
func (s *Service) Armed(ctx context.Context, who access.Actor, id uuid.UUID) (Person, Factors, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "person", "disarm"); err != nil {
		return Person{}, Factors{}, err
	}
	p, err := byID(ctx, s.db, id)
	if err != nil {
		return Person{}, Factors{}, err
	}
	f, err := factors(ctx, s.db, id)
	return p, f, err
}

// Disarm removes all second factors of a person who has lost them, recovery codes
// and all. The password, which is still asked for, and the letter that tells of it
// keep that from opening the account to somebody else.
func (s *Service) Disarm(ctx context.Context, who access.Actor, id uuid.UUID, reason string) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "person", "disarm")
	if err != nil {
		return err
	}
	if who.ID == id {
		return problem.New(problem.Conflict, "Remove your own second factors on the page of your account.")
	}
	return s.disarm(ctx, permit, reason, func(tx *journal.Tx) (Person, error) { return byID(ctx, tx, id) })
}

// DisarmFor is Disarm for the command line.
func (s *Service) DisarmFor(ctx context.Context, by access.Permit, email, reason string) error {
	return s.disarm(ctx, by, reason, func(tx *journal.Tx) (Person, error) { return byEmail(ctx, tx, email) })
}

func (s *Service) disarm(ctx context.Context, permit access.Permit, reason string, find func(*journal.Tx) (Person, error)) error {
	var f problem.Fields
	check.Text(&f, "reason", &reason, 1, 2000)
	if err := f.Err(); err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		p, err := find(tx)
		if err != nil {
			return err
		}
		n, err := deleteFactors(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return problem.New(problem.Conflict, "This person has no second factor.")
		}
		if err := s.writeFactor(ctx, tx, p, factorsLost); err != nil {
			return err
		}
		return tx.Record(p.ID, journal.Say("Removed the second factors of %s: %s", journal.Person(p.ID), reason))
	})
}

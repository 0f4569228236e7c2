package account

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Filter narrows the list of persons; empty fields do not.
type Filter struct {
	Query string // part of the name or the address
	State string // one of States
}

// States are what the list of persons is filtered by; unconfirmed is somebody
// who was added or imported and has never signed in.
var States = []string{"active", "unconfirmed", "suspended", "erased", "secretariat"}

// List is a page of all persons by name, and the cursor of the next: for the secretariat.
func (s *Service) List(ctx context.Context, who access.Actor, f Filter, page keyset.Page) ([]Person, string, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "person", "list"); err != nil {
		return nil, "", err
	}
	if f.State != "" && !slices.Contains(States, f.State) {
		return nil, "", problem.Field("state", "There is no such state.")
	}
	rows, err := list(ctx, s.db, f, page)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(p Person) []string { return []string{p.Name, p.ID.String()} })
	return rows, next, nil
}

// Public is a person as those see them who may see one of their seats.
type Public struct {
	ID           uuid.UUID     `json:"id"`
	Name         string        `json:"name"`
	Country      *string       `json:"country,omitempty"`
	About        string        `json:"about,omitempty"`
	Seats        []Seat        `json:"seats" doc:"Those in commissions whose roster you may see."`
	Affiliations []Affiliation `json:"affiliations"`
	Account      *Person       `json:"account,omitempty" doc:"For the person and the secretariat."`
}

// Seat is a place in a commission that the person holds now. Convener is the
// role of who proposed it, until it is active.
type Seat struct {
	Commission       string     `db:"commission" json:"commission" doc:"Slug."`
	CommissionName   string     `db:"commission_name" json:"commission_name"`
	Role             string     `db:"role" json:"role"`
	Organization     *string    `db:"organization" json:"organization,omitempty" doc:"Slug; absent in a personal capacity."`
	OrganizationName *string    `db:"organization_name" json:"organization_name,omitempty"`
	Until            *time.Time `db:"until" json:"until,omitempty"`
}

// Affiliation is an organization that the person acts for.
type Affiliation struct {
	Organization     string `db:"organization" json:"organization" doc:"Slug."`
	OrganizationName string `db:"organization_name" json:"organization_name"`
	Title            string `db:"title" json:"title,omitempty"`
	Representative   bool   `db:"representative" json:"representative" doc:"Primary representative."`
}

// Show reads a person. To others than the person and the secretariat one exists
// only through a seat in a commission whose roster they may see.
func (s *Service) Show(ctx context.Context, who access.Actor, id uuid.UUID) (Public, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "profile", "read"); err != nil {
		return Public{}, err
	}
	p, err := byID(ctx, s.db, id)
	if err != nil {
		return Public{}, err
	}
	now := journal.Now(ctx)
	v := Public{ID: p.ID, Name: p.Name, Country: p.Country, About: p.About}
	if v.Seats, err = seats(ctx, s.db, id, access.See(ctx, who), now); err != nil {
		return Public{}, err
	}
	if who.ID == id || s.access.May(who, access.Portal, "person", "list") {
		v.Account = &p
	} else if len(v.Seats) == 0 || p.State != "active" {
		return Public{}, access.ErrNotFound
	}
	v.Affiliations, err = affiliations(ctx, s.db, id, now)
	return v, err
}

// Ends is how many sessions and tokens a suspension would end.
type Ends struct {
	Sessions int `db:"sessions"`
	Tokens   int `db:"tokens"`
	Seats    int `db:"seats"`
}

// Suspension reads whom a suspension would hit, and what it would end.
func (s *Service) Suspension(ctx context.Context, who access.Actor, id uuid.UUID) (Person, Ends, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "person", "suspend"); err != nil {
		return Person{}, Ends{}, err
	}
	p, err := byID(ctx, s.db, id)
	if err != nil {
		return Person{}, Ends{}, err
	}
	e, err := ends(ctx, s.db, id, journal.Now(ctx))
	return p, e, err
}

// Suspend closes an account at once: sessions end, tokens are revoked, and what
// OnSuspend says happens in the same change.
func (s *Service) Suspend(ctx context.Context, who access.Actor, id uuid.UUID, reason string) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "person", "suspend")
	if err != nil {
		return err
	}
	if who.ID == id {
		return problem.New(problem.Conflict, "You cannot suspend yourself. Ask somebody else of the secretariat.")
	}
	var f problem.Fields
	check.Text(&f, "reason", &reason, 1, 2000)
	if err := f.Err(); err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		p, err := byID(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.State == "erased" {
			return errErased
		}
		if err := setSuspended(ctx, tx, id); err != nil {
			return err
		}
		if _, err := endSessions(ctx, tx, id, nil); err != nil {
			return err
		}
		if err := revokeTokens(ctx, tx, id, tx.Now); err != nil {
			return err
		}
		if err := deleteTickets(ctx, tx, id); err != nil {
			return err
		}
		for _, hook := range s.OnSuspend {
			if err := hook(ctx, tx, id); err != nil {
				return err
			}
		}
		if err := s.writeSuspended(ctx, tx, p, reason); err != nil {
			return err
		}
		return tx.Record(id, journal.Say("Suspended %s: %s", journal.Person(id), reason))
	})
}

// Reinstate opens a suspended account again. What ended with it stays ended.
func (s *Service) Reinstate(ctx context.Context, who access.Actor, id uuid.UUID) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "person", "reinstate")
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		p, err := byID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := setActive(ctx, tx, id); err != nil {
			return err
		}
		if err := s.writeReinstated(ctx, tx, p); err != nil {
			return err
		}
		return tx.Record(id, journal.Say("Reinstated %s", journal.Person(id)))
	})
}

// Addition is a person that the command line adds.
type Addition struct {
	Email       string
	Name        string
	Password    string // "": a link to set one is mailed
	Confirmed   bool   // the address needs no proof
	Secretariat bool
}

// Add makes an account without a sign-up: for the command line.
func (s *Service) Add(ctx context.Context, by access.Permit, a Addition) (Person, error) {
	var f problem.Fields
	check.Email(&f, "email", &a.Email)
	check.Line(&f, "name", &a.Name, 2, 200)
	var hash *string
	if a.Password != "" {
		checkPassword(&f, "password", a.Password, a.Email, a.Name)
		if !a.Confirmed {
			f.Add("password", "A password can be set only for an address that needs no proof.")
		}
	}
	if err := f.Err(); err != nil {
		return Person{}, err
	}
	if a.Password != "" {
		h, err := s.Hash(ctx, a.Password)
		if err != nil {
			return Person{}, err
		}
		hash = &h
	}
	p := Person{ID: uuid.Must(uuid.NewV7()), Email: a.Email, Name: a.Name}
	err := journal.Change(ctx, s.db, by, func(tx *journal.Tx) error {
		if a.Confirmed {
			p.ConfirmedAt = &tx.Now
		}
		if err := insertPerson(ctx, tx, p, hash, tx.Now); err != nil {
			return err
		}
		if a.Secretariat {
			if err := insertRole(ctx, tx, p.ID, "secretariat", tx.Now); err != nil {
				return err
			}
		}
		if hash == nil {
			secret := secret()
			if err := insertTicket(ctx, tx, digest(secret), p.ID, "reset", tx.Now, tx.Now.Add(WelcomeFor)); err != nil {
				return err
			}
			if err := s.writeWelcome(ctx, tx, p, secret); err != nil {
				return err
			}
		}
		return tx.Record(p.ID, journal.Say("Added %s", journal.Person(p.ID)))
	})
	if postgres.Constraint(err) == "person_email" {
		return p, problem.Field("email", "There is an account with this address already.")
	}
	return p, err
}

// Hash makes of a password what is kept of it: for whoever loads persons.
func (s *Service) Hash(ctx context.Context, password string) (string, error) {
	return s.hashing.hash(ctx, password)
}

// Roles are those of the portal that a person can be given.
var Roles = []string{"secretariat"}

// Promote gives a person a role in the portal, or takes it; it reports Conflict
// if there is nothing to do. For the command line.
func (s *Service) Promote(ctx context.Context, by access.Permit, email, role string, remove bool) (Person, error) {
	if !slices.Contains(Roles, role) {
		return Person{}, problem.Field("role", "There is no such role.")
	}
	var f problem.Fields
	check.Email(&f, "email", &email)
	if err := f.Err(); err != nil {
		return Person{}, err
	}
	p, err := byEmail(ctx, s.db, email)
	if err != nil {
		return p, err
	}
	return p, journal.Change(ctx, s.db, by, func(tx *journal.Tx) error {
		if remove {
			if err := deleteRole(ctx, tx, p.ID, role); err != nil {
				return err
			}
			return tx.Record(p.ID, journal.Say("Took the role %s from %s", role, journal.Person(p.ID)))
		}
		if err := insertRole(ctx, tx, p.ID, role, tx.Now); err != nil {
			return err
		}
		return tx.Record(p.ID, journal.Say("Gave %s the role %s", journal.Person(p.ID), role))
	})
}

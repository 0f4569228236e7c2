package rights

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/journal"
	"commissionportal/internal/kept"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Service has the operations on rules.
type Service struct {
	db        *postgres.DB
	access    *access.Policy
	documents *document.Service
	standard  []Topic                        // where no rule speaks
	sets      *kept.Values[uuid.UUID, []Set] // by commission, for reading
}

// keepSets is how long the numbers of a matrix are shown at most after a change.
const keepSets = 10 * time.Second

// New makes the service.
func New(db *postgres.DB, policy *access.Policy, documents *document.Service) *Service {
	return &Service{db, policy, documents, standardRows(policy, RoleColumns), kept.New[uuid.UUID, []Set](db, keepSets, "seat", "commission_role_holder")}
}

func (s *Service) home(ctx context.Context, who access.Actor, slug, action string) (Home, access.Permit, error) {
	h, err := homeBy(ctx, s.db, slug)
	if err != nil {
		return h, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, h.Scope(), "access", action)
	return h, permit, err
}

// MayEdit reports whether the actor may change the rules, for showing a button.
func (s *Service) MayEdit(who access.Actor, h Home) bool {
	return s.access.May(who, h.Scope(), "access", "edit")
}

// Editable refuses whoever may not change the rules of the commission.
func (s *Service) Editable(ctx context.Context, who access.Actor, slug string) error {
	_, _, err := s.home(ctx, who, slug, "edit")
	return err
}

// Show reads the matrix of a commission.
func (s *Service) Show(ctx context.Context, who access.Actor, slug string) (Matrix, error) {
	h, _, err := s.home(ctx, who, slug, "read")
	if err != nil {
		return Matrix{}, err
	}
	now := journal.Now(ctx)
	sets, err := s.sets.Get(ctx, now, h.ID, func(ctx context.Context) ([]Set, error) { return setsOf(ctx, s.db, h.ID, now) })
	return matrix(s.access, s.standard, h, h.Rules, sets), err
}

// Changes are the changes of a commission's rules, newest first.
func (s *Service) Changes(ctx context.Context, who access.Actor, slug string, page keyset.Page) (Home, []journal.Event, string, error) {
	h, _, err := s.home(ctx, who, slug, "read")
	if err != nil {
		return h, nil, "", err
	}
	list, next, err := journal.History(ctx, s.db, []uuid.UUID{h.RulesID()}, journal.Filter{}, page)
	return h, list, next, err
}

// Preview says what changes would do, and changes nothing.
func (s *Service) Preview(ctx context.Context, who access.Actor, slug string, changes []Change) (Home, Plan, error) {
	h, _, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, Plan{}, err
	}
	p, err := s.plan(ctx, s.db, who, h, changes)
	return h, p, err
}

func (s *Service) plan(ctx context.Context, q postgres.Q, who access.Actor, h Home, changes []Change) (Plan, error) {
	chair := who.Secretariat() || who.Roles(h.Scope()).Has(access.Chair)
	if err := refuse(s.access, h, changes, chair); err != nil {
		return Plan{}, err
	}
	rules, err := rulesOf(ctx, q, h.ID)
	if err != nil {
		return Plan{}, err
	}
	sets, err := setsOf(ctx, q, h.ID, journal.Now(ctx))
	if err != nil {
		return Plan{}, err
	}
	p, err := plan(s.access, h, rules, sets, changes, func(q access.Question) bool { return s.mayGive(who, h, q) })
	if err != nil || !slices.ContainsFunc(p.Consequences, func(c Consequence) bool { return level(c.Question) != "" }) {
		return p, err
	}
	documents, err := documentsAt(ctx, q, h.ID)
	for i, c := range p.Consequences {
		if l := level(c.Question); l != "" {
			p.Consequences[i].Documents = new(documents[l])
		}
	}
	return p, err
}

// Set changes cells of the matrix, from a version of the rules. Nobody gives what
// they lack, the chair's column is a chair's and the secretariat's, and a chair is
// never locked out of the rules.
func (s *Service) Set(ctx context.Context, who access.Actor, slug string, changes []Change, reason string, version int) (Matrix, Plan, error) {
	h, permit, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return Matrix{}, Plan{}, err
	}
	reason = strings.TrimSpace(reason)
	if len([]rune(reason)) > 500 {
		return Matrix{Home: h}, Plan{}, problem.Field("reason", "Use at most %d characters.", 500)
	}
	var p Plan
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		now, err := lock(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if now != version {
			return problem.New(problem.Stale, "Somebody changed the rules meanwhile. Look at them again, and make your change once more.")
		}
		// What the actor may give is asked as it is now, under the lock.
		fresh, err := s.access.ByPerson(ctx, tx, who.ID, tx.Now)
		if err != nil {
			return err
		}
		if p, err = s.plan(ctx, tx, fresh, h, changes); err != nil {
			return err
		}
		if err := write(ctx, tx, h.ID, p.Changes); err != nil {
			return err
		}
		labels := []string{}
		for _, c := range p.Changes {
			if l := Label(c.Question()); !slices.Contains(labels, l) {
				labels = append(labels, l)
			}
		}
		return tx.Record(h.RulesID(), journal.Say("Changed who may: %s", strings.Join(labels, "; ")).
			Changed(map[string]any{"cells": p.Before}, map[string]any{"cells": p.Changes, "reason": reason}))
	})
	if err != nil {
		return Matrix{Home: h}, p, err
	}
	m, err := s.Show(ctx, who, h.Slug)
	return m, p, err
}

// Back are the changes that take an earlier one back, by its number in the journal.
func (s *Service) Back(ctx context.Context, who access.Actor, slug string, number int64) (Home, []Change, error) {
	h, _, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, nil, err
	}
	e, err := entryOf(ctx, s.db, h, number)
	if err != nil {
		return h, nil, err
	}
	var note struct {
		Before struct {
			Cells []Change `json:"cells"`
		} `json:"before"`
	}
	if err := json.Unmarshal([]byte(e.Note), &note); err != nil {
		return h, nil, fmt.Errorf("rights: entry %d of %s: %w", number, h.Slug, err)
	}
	for _, c := range note.Before.Cells { // another role may have its place by now
		if r, ok := h.Own.Find(c.Role); access.Own(c.Role) && (!ok || r.CreatedAt.After(e.At)) {
			return h, nil, problem.New(problem.Conflict, "The role “%s” is not there any more.", c.Name)
		}
	}
	return h, note.Before.Cells, nil
}

// Held is a seat by which somebody holds a role.
type Held struct {
	ID           uuid.UUID  `db:"id" json:"id"`
	Role         string     `db:"role" json:"role"`
	Organization *string    `db:"organization" json:"organization,omitempty"`
	Until        *time.Time `db:"until" json:"until,omitempty"`
	Suspended    bool       `db:"suspended" json:"suspended" doc:"It gives nothing as long as it is."`
}

// Subject is whom is asked about.
type Subject struct {
	ID   uuid.UUID `db:"id" json:"id"`
	Name string    `db:"name" json:"name"`
}

// Asking is a question why. Of Commission, Organization and Document at most one is
// named; none is the portal.
type Asking struct {
	Person       string // key or address; "" is who asks
	Commission   string
	Organization string
	Document     string
	Object       string
	Action       string
}

// Answer says whether a person may do something, and why.
type Answer struct {
	Person       Subject `json:"person"`
	Commission   string  `json:"commission,omitempty"`
	Organization string  `json:"organization,omitempty"`
	Document     string  `json:"document,omitempty"`
	access.Question
	access.Explanation
	Seats []Held   `json:"seats" doc:"The seats by which the roles are held."`
	Own   OwnRoles `json:"own_roles,omitempty" doc:"Those that the commission made for itself, by the names that rules call them."`
	Home  *Home    `json:"-"`
}

// Explain answers why. One asks about oneself; about others whoever sees the rules
// of that commission, and the secretariat everywhere.
func (s *Service) Explain(ctx context.Context, who access.Actor, a Asking) (Answer, error) {
	out := Answer{Commission: a.Commission, Organization: a.Organization, Document: a.Document, Question: access.Question{Object: a.Object, Action: a.Action}, Seats: []Held{}}
	if _, err := s.access.Require(ctx, who, access.Portal, "access", "explain"); err != nil {
		return out, err
	}
	out.Person = Subject{who.ID, who.Name}
	scope := access.Portal
	var d document.Document
	switch {
	case a.Document != "":
		var err error
		if d, err = s.documents.Show(ctx, who, a.Document); err != nil {
			return out, err
		}
		h, err := homeByID(ctx, s.db, d.CommissionID)
		if err != nil {
			return out, err
		}
		out.Home, out.Commission, scope = &h, h.Slug, d.Scope()
	case a.Commission != "":
		h, err := homeBy(ctx, s.db, a.Commission)
		if err != nil {
			return out, err
		}
		out.Home, out.Commission, scope = &h, h.Slug, h.Scope()
	case a.Organization != "":
		id, err := organizationBy(ctx, s.db, a.Organization)
		if err != nil {
			return out, err
		}
		scope = access.Organization(id)
	}
	switch known := func(kind access.Kind) bool { return s.access.Knows(kind, a.Object, a.Action) }; {
	case known(scope.Kind):
	case scope == access.Portal && known(access.CommissionKind):
		return out, problem.Field("commission", "Say in which commission: “%s %s” is asked there, not of the portal.", a.Action, a.Object)
	case scope == access.Portal && known(access.OrganizationKind):
		return out, problem.Field("organization", "Say in which organization: “%s %s” is asked there, not of the portal.", a.Action, a.Object)
	default:
		return out, problem.Field("action", "No rule speaks of “%s %s” there.", a.Action, a.Object)
	}
	subject := who
	of := uuid.NullUUID{}
	if a.Person != "" && a.Person != who.ID.String() && !strings.EqualFold(a.Person, who.Email) {
		if !who.Secretariat() && who.SystemName() == "" {
			if out.Home == nil {
				return out, access.ErrNotFound
			}
			if _, err := s.access.Require(ctx, who, out.Home.Scope(), "access", "read"); err != nil {
				return out, err
			}
			of = uuid.NullUUID{UUID: out.Home.ID, Valid: true}
		}
		var err error
		if out.Person, err = personBy(ctx, s.db, strings.TrimSpace(a.Person), of); problem.Of(err, problem.NotFound) && of.Valid {
			return out, problem.Field("person", "Nobody with this address has, or had, a seat here.")
		} else if problem.Of(err, problem.NotFound) {
			return out, problem.Field("person", "There is nobody with this address.")
		} else if err != nil {
			return out, err
		}
		if subject, err = s.access.ByPerson(ctx, s.db, out.Person.ID, journal.Now(ctx)); err != nil {
			return out, err
		}
		if a.Document != "" {
			if scope, err = s.documents.ScopeFor(ctx, subject, d.ID); err != nil {
				return out, err
			}
		}
	}
	var err error
	if out.Explanation, err = s.access.Explain(subject, scope, a.Object, a.Action); err != nil {
		return out, err
	}
	if out.Home != nil {
		out.Own = out.Home.Own
		out.Seats, err = seatsOf(ctx, s.db, out.Home.ID, out.Person.ID, journal.Now(ctx))
	}
	return out, err
}

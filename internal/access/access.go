// Package access decides who may do what, in one place. Every operation asks
// Require, with the scope it happens in, and gets a Permit, without which
// journal.Change opens no transaction; every list asks See and gets a Sight,
// which its query filters by. It alone knows Casbin.
package access

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Kind says which role table a scope is decided by.
type Kind string

// The kinds of scope.
const (
	PortalKind       Kind = "portal"
	OrganizationKind Kind = "organization"
	CommissionKind   Kind = "commission"
)

// Scope is where something happens: the portal, an organization or a commission.
type Scope struct {
	Kind Kind
	ID   uuid.UUID // zero for the portal
}

// Portal is the scope of what belongs to no commission and no organization.
var Portal = Scope{Kind: PortalKind}

// Commission is the scope of one commission.
func Commission(id uuid.UUID) Scope { return Scope{CommissionKind, id} }

// Organization is the scope of one organization.
func Organization(id uuid.UUID) Scope { return Scope{OrganizationKind, id} }

// Permit says that an actor may do something in a scope. Only this package can
// make one that is valid.
type Permit struct {
	actor          Actor
	scope          Scope
	object, action string
	policy         *Policy
}

// Actor is who was permitted.
func (p Permit) Actor() Actor { return p.actor }

// Scope is where.
func (p Permit) Scope() Scope { return p.scope }

// Object is what on.
func (p Permit) Object() string { return p.object }

// Action is what to do.
func (p Permit) Action() string { return p.action }

// ErrNotFound is how everything answers that does not exist or may not be seen.
var ErrNotFound = problem.New(problem.NotFound, "There is no such page, or you may not see it.")

// errSignIn is the answer to a visitor for what a signed-in person might do.
var errSignIn = problem.New(problem.SignIn, "Sign in to go on.")

// Require asks whether the actor may act on object in scope. If not, the answer
// is SignIn for a visitor, Forbidden for one who may at least read the object's
// home, and NotFound for everybody else: what one may not see does not exist.
func (p *Policy) Require(ctx context.Context, who Actor, scope Scope, object, action string) (Permit, error) {
	asked(ctx)
	permit := Permit{who, scope, object, action, p}
	ok, err := permit.decide(who)
	switch {
	case err != nil:
		return Permit{}, err
	case ok:
		return permit, nil
	case !who.SignedIn():
		return Permit{}, errSignIn
	case who.ReadOnly:
		return Permit{}, problem.New(problem.Forbidden, "This token may only read.")
	}
	if home, err := p.allowed(scope.Kind, who.Roles(scope), object, "read"); err == nil && home && p.Knows(scope.Kind, object, "read") {
		return Permit{}, problem.New(problem.Forbidden, "You may see this, but your roles here do not let you do that.")
	}
	return Permit{}, ErrNotFound
}

// May answers Require with yes or no, for showing a button or not.
func (p *Policy) May(who Actor, scope Scope, object, action string) bool {
	ok, err := Permit{who, scope, object, action, p}.decide(who)
	return err == nil && ok
}

func (p Permit) decide(who Actor) (bool, error) {
	if who.system != "" {
		return true, nil
	}
	if who.ReadOnly && !reading(p.action) {
		return false, nil
	}
	return p.policy.allowed(p.scope.Kind, who.Roles(p.scope), p.object, p.action)
}

// reading reports whether an action changes nothing.
func reading(action string) bool {
	return action == "read" || action == "list" || len(action) > 5 && action[:5] == "read:"
}

// System is the permit of the portal itself: jobs, the command line, and what a
// mailed link does for its holder. What names the program part that acts.
func System(what string, scope Scope, object, action string) Permit {
	return Permit{actor: Actor{system: what}, scope: scope, object: object, action: action}
}

// ErrLost is the answer when the right was there when asked and is gone when
// the change is about to be made.
var ErrLost = problem.New(problem.Forbidden, "Your role has changed meanwhile. Nothing was done.")

// Renew asks again inside the transaction of the change, with the rows that
// give the right locked, so that it cannot be lost between question and commit.
func (p Permit) Renew(ctx context.Context, q postgres.Q, now time.Time) error {
	if p.actor.system != "" {
		return nil
	}
	if p.policy == nil {
		return errors.New("access: a permit that Require did not make")
	}
	if !p.actor.SignedIn() { // what a visitor may do hangs on no row
		return nil
	}
	fresh := Actor{ID: p.actor.ID, ReadOnly: p.actor.ReadOnly, places: map[uuid.UUID]Roles{}}
	lock := `SELECT 1 FROM person WHERE id = $1 AND state = 'active' FOR SHARE`
	if p.object == "account" { // it will write that very row: see below
		lock = `SELECT 1 FROM person WHERE id = $1 AND state = 'active' FOR NO KEY UPDATE`
	}
	if _, err := postgres.One[int](ctx, q, ErrLost, lock, fresh.ID); err != nil {
		return err
	}
	roles, err := postgres.All[string](ctx, q, `SELECT role FROM portal_role WHERE person_id = $1 FOR SHARE`, fresh.ID)
	if err != nil {
		return err
	}
	for _, r := range roles {
		fresh.portal |= roleByName[r]
	}
	if ok, err := p.decide(fresh); err != nil || ok {
		return err
	}
	var places []string
	switch p.scope.Kind {
	case CommissionKind:
		places, err = postgres.All[string](ctx, q, `
			SELECT role FROM seat WHERE person_id = $1 AND commission_id = $2 AND period @> $3::timestamptz AND NOT suspended FOR SHARE`,
			fresh.ID, p.scope.ID, now)
		if err == nil && p.actor.places[p.scope.ID].Has(Convener) {
			// Not FOR SHARE: the change will update that very row, and two that share
			// it would wait for each other.
			convener, e := postgres.All[string](ctx, q, `
				SELECT 'convener' FROM commission WHERE id = $2 AND convener_id = $1 AND state IN ('proposed', 'forming') FOR NO KEY UPDATE`,
				fresh.ID, p.scope.ID)
			places, err = append(places, convener...), e
		}
	case OrganizationKind:
		places, err = postgres.All[string](ctx, q, `
			SELECT CASE WHEN a.representative THEN 'representative' ELSE 'affiliate' END
			FROM affiliation a JOIN organization o ON o.id = a.organization_id
			WHERE a.person_id = $1 AND a.organization_id = $2 AND a.period @> $3::timestamptz AND a.state = 'confirmed'
			  AND o.state IN ('member', 'pending') FOR SHARE`,
			fresh.ID, p.scope.ID, now)
	case PortalKind:
	}
	if err != nil {
		return err
	}
	for _, r := range places {
		fresh.places[p.scope.ID] |= roleByName[r]
	}
	ok, err := p.decide(fresh)
	if err == nil && !ok {
		err = ErrLost
	}
	return err
}

// Sight is what an actor can see, for the WHERE of a list. It costs no query:
// it is made of the roles that came with the actor.
type Sight struct {
	Person  uuid.NullUUID // null for a visitor
	All     bool          // the secretariat sees every level
	Levels  pq.StringArray
	Member  pq.StringArray // commissions whose level 'commission' is open
	Officer pq.StringArray // commissions whose level 'officers' is open
}

// See is the Sight of an actor. Levels are the visibility levels open to the
// actor everywhere: public, and for whoever is signed in portal.
func See(ctx context.Context, who Actor) Sight {
	asked(ctx)
	s := Sight{Person: uuid.NullUUID{UUID: who.ID, Valid: who.SignedIn()}, All: who.portal.Has(Secretariat) || who.system != "",
		Levels: pq.StringArray{"public"}, Member: pq.StringArray{}, Officer: pq.StringArray{}}
	if who.SignedIn() {
		s.Levels = append(s.Levels, "portal")
	}
	for id, r := range who.places {
		if r&(Member|Convener) != 0 {
			s.Member = append(s.Member, id.String())
		}
		if r&(Officer|Convener) != 0 {
			s.Officer = append(s.Officer, id.String())
		}
	}
	return s
}

// Roster is the condition, for a WHERE, that the roster of a commission may be
// seen: visibility and commission are the columns with its level and its id.
func (s Sight) Roster(w *postgres.Where, visibility, commission string) string {
	if s.All {
		return "true"
	}
	return "(" + visibility + " = ANY(" + w.Arg(s.Levels) + "::text[]) OR " + visibility + " = 'commission' AND " + commission + " = ANY(" + w.Arg(s.Member) +
		"::uuid[]) OR " + commission + " = ANY(" + w.Arg(s.Officer) + "::uuid[]))"
}

type trackKey struct{}

// Track makes the context remember whether anything was asked under it: an
// answer for which nothing was authorized is a fault.
func Track(ctx context.Context) (context.Context, func() bool) {
	var flag atomic.Bool
	return context.WithValue(ctx, trackKey{}, &flag), flag.Load
}

func asked(ctx context.Context) {
	if flag, ok := ctx.Value(trackKey{}).(*atomic.Bool); ok {
		flag.Store(true)
	}
}

// Public marks an answer as being for everybody: for the few routes that read
// nothing (a form to sign in, the style sheet).
func Public(ctx context.Context) { asked(ctx) }

func (s Scope) String() string {
	if s.Kind == PortalKind {
		return "portal"
	}
	return fmt.Sprintf("%s %s", s.Kind, s.ID)
}

// SystemName is what acts, if it is the portal itself, else "".
func (a Actor) SystemName() string { return a.system }

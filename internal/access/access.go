// Package access decides who may do what, in one place. Every operation asks
// Require, with the scope it happens in, and gets a Permit, without which
// journal.Change opens no transaction; every list asks See and gets a Sight,
// which its query filters by. It alone knows Casbin.
package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
	// One document of the commission; see Document.
	document       bool
	author, source uuid.UUID
	shared         Roles
	reading        string // the action of reading it
}

// Portal is the scope of what belongs to no commission and no organization.
var Portal = Scope{Kind: PortalKind}

// Commission is the scope of one commission.
func Commission(id uuid.UUID) Scope { return Scope{Kind: CommissionKind, ID: id} }

// Document is the scope of one document: its commission, in which moreover its
// author is Author, the people of its source (zero: the commission itself) are
// Colleague and Owner, and whoever asks holds shared, which the shares of the
// document gave them (Recipient, Holder, or none). reading is the action of
// reading it: who may do that learns that something else is forbidden.
func Document(commission, author, source uuid.UUID, shared Roles, reading string) Scope {
	return Scope{Kind: CommissionKind, ID: commission, document: true, author: author, source: source, shared: shared & (Recipient | Holder), reading: reading}
}

// OfDocument reports whether the scope is one document of a commission.
func (s Scope) OfDocument() bool { return s.document }

// Organization is the scope of one organization.
func Organization(id uuid.UUID) Scope { return Scope{Kind: OrganizationKind, ID: id} }

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
// home or from whom a rule of the commission's own took it, and NotFound for everybody else: what one may not see does not exist.
func (p *Policy) Require(ctx context.Context, who Actor, scope Scope, object, action string) (Permit, error) {
	asked(ctx)
	if t, ok := ctx.Value(trackKey{}).(*track); ok {
		q := &Asked{scope, Question{object, action}}
		t.first.CompareAndSwap(nil, q)
		t.last.Store(q)
	}
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
	if !reading(action) && !scope.document && p.MayByDefault(who, scope, object, action) {
		return Permit{}, problem.New(problem.Forbidden, "By the rules of this commission, your roles here do not let you do that.")
	}
	home, read := object, "read"
	if scope.document {
		home, read = "document", scope.reading
	}
	if seen, err := p.answer(who, scope, home, read); err == nil && seen && p.Knows(scope.Kind, home, read) {
		return Permit{}, problem.New(problem.Forbidden, "You may see this, but your roles here do not let you do that.")
	}
	return Permit{}, ErrNotFound
}

// May answers Require with yes or no, for showing a button or not.
func (p *Policy) May(who Actor, scope Scope, object, action string) bool {
	ok, err := Permit{who, scope, object, action, p}.decide(who)
	return err == nil && ok
}

// MayByDefault answers as May does where no commission has rules of its own.
func (p *Policy) MayByDefault(who Actor, scope Scope, object, action string) bool {
	who.rules = nil
	return p.May(who, scope, object, action)
}

func (p Permit) decide(who Actor) (bool, error) {
	if who.system != "" {
		return true, nil
	}
	if who.ReadOnly && !reading(p.action) {
		return false, nil
	}
	return p.policy.answer(who, p.scope, p.object, p.action)
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
	lock := `SELECT ` + Resting("person.id", "$2::timestamptz") + ` FROM person WHERE id = $1 AND state = 'active' FOR SHARE`
	if p.object == "account" { // it will write that very row: see below
		lock = `SELECT ` + Resting("person.id", "$2::timestamptz") + ` FROM person WHERE id = $1 AND state = 'active' FOR NO KEY UPDATE`
	}
	rests, err := postgres.One[bool](ctx, q, ErrLost, lock, fresh.ID, now)
	if err != nil {
		return err
	}
	if rests {
		if ok, err := p.decide(fresh); err != nil || ok {
			return err
		}
		return ErrLost
	}
	roles, err := postgres.All[string](ctx, q, `SELECT role FROM portal_role WHERE person_id = $1 FOR SHARE`, fresh.ID)
	if err != nil {
		return err
	}
	for _, r := range roles {
		fresh.portal |= roleByName[r]
	}
	if p.scope.Kind == CommissionKind && p.object == "access" { // it changes the rules: whoever does
		if fresh.rules, err = p.policy.hold(ctx, q, p.scope.ID, true); err != nil {
			return err
		}
	}
	if ok, err := p.decide(fresh); err != nil || ok {
		return err
	}
	hold := func(place uuid.UUID, query string, args ...any) error {
		names, err := postgres.All[string](ctx, q, query, append([]any{fresh.ID, place}, args...)...)
		for _, name := range names {
			fresh.places[place] |= roleByName[name]
		}
		return err
	}
	switch p.scope.Kind {
	case CommissionKind:
		if fresh.rules == nil {
			fresh.rules, err = p.policy.hold(ctx, q, p.scope.ID, false)
		}
		if err == nil {
			err = hold(p.scope.ID, lockSeats, now)
		}
		if err == nil && p.actor.places[p.scope.ID]&ownRoles != 0 {
			err = hold(p.scope.ID, lockOwn, now)
		}
		if err == nil && p.actor.places[p.scope.ID].Has(Convener) {
			err = hold(p.scope.ID, lockConvener)
		}
		if err == nil && p.scope.source != uuid.Nil {
			err = hold(p.scope.source, lockAffiliations, now)
		}
	case OrganizationKind:
		err = hold(p.scope.ID, lockAffiliations, now)
	case PortalKind:
	}
	if err != nil {
		return err
	}
	ok, err := p.decide(fresh)
	if err == nil && !ok {
		err = ErrLost
	}
	return err
}

// The rows that give rights in a place, locked so that they hold until the change
// is committed.
const (
	lockSeats = `
		SELECT role FROM seat WHERE person_id = $1 AND commission_id = $2 AND period @> $3::timestamptz AND NOT suspended FOR SHARE`
	lockOwn = `
		SELECT slot FROM commission_role_holder h
		WHERE person_id = $1 AND commission_id = $2 AND EXISTS (SELECT FROM seat s WHERE s.id = h.seat_id AND s.person_id = $1 AND s.period @> $3::timestamptz AND NOT s.suspended) FOR SHARE`
	// Not FOR SHARE: the change will update that very row, and two that share it
	// would wait for each other.
	lockConvener = `
		SELECT 'convener' FROM commission WHERE id = $2 AND convener_id = $1 AND state IN ('proposed', 'forming') FOR NO KEY UPDATE`
	lockAffiliations = `
		SELECT CASE WHEN a.representative THEN 'representative' ELSE 'affiliate' END
		FROM affiliation a JOIN organization o ON o.id = a.organization_id
		WHERE a.person_id = $1 AND a.organization_id = $2 AND a.period @> $3::timestamptz AND a.state = 'confirmed'
		  AND o.state IN ('member', 'pending') FOR SHARE`
)

// Places are the commissions of the actor in which they may act on object.
func (p *Policy) Places(who Actor, object, action string) postgres.IDs {
	var places postgres.IDs
	for id, r := range who.places {
		if r&(seated|Convener) != 0 && p.May(who, Commission(id), object, action) {
			places = append(places, id)
		}
	}
	return places
}

// Sight is what an actor can see, for the WHERE of a list. It costs no query:
// it is made of the roles that came with the actor.
type Sight struct {
	Person    uuid.NullUUID // null for a visitor
	All       bool          // the secretariat sees every level
	Levels    pq.StringArray
	Seated    postgres.IDs // commissions the actor has a seat in, or convenes
	Acting    postgres.IDs // organizations that the actor acts for
	Filling   postgres.IDs // of these, those the actor is a primary representative of
	rosters   func() opening
	documents func() opening
}

// opening is at which levels one kind of thing is open, by commission.
type opening struct {
	member  postgres.IDs // where the level 'commission' is open
	officer postgres.IDs // where every level is
	// Where the rules of a commission say something else: pairs of a commission and a level.
	places postgres.IDs
	levels pq.StringArray
}

// The levels that rules decide about; what is for everybody is so by its own level.
var (
	rosterLevels   = []string{"commission", "officers"}
	documentLevels = []string{"commission", "officers", "organization", "named", "submitted"}
)

// See is the Sight of an actor. Levels are the visibility levels open to the
// actor everywhere: public, and for whoever is signed in portal.
func See(ctx context.Context, who Actor) Sight {
	asked(ctx)
	s := Sight{Person: uuid.NullUUID{UUID: who.ID, Valid: who.SignedIn()}, All: who.portal.Has(Secretariat) || who.system != "", Levels: pq.StringArray{"public"}}
	if who.SignedIn() {
		s.Levels = append(s.Levels, "portal")
	}
	for id, r := range who.places {
		if r&(Member|Convener) != 0 {
			s.Seated = append(s.Seated, id)
		}
		if r.Has(Affiliate) {
			s.Acting = append(s.Acting, id)
		}
		if r.Has(Representative) {
			s.Filling = append(s.Filling, id)
		}
	}
	// Found out once, by the first list that asks: many ask for one of them, or for none.
	s.rosters = sync.OnceValue(func() opening { return open(who, s.Seated, "roster", rosterLevels) })
	s.documents = sync.OnceValue(func() opening { return open(who, s.Seated, "document", documentLevels) })
	return s
}

// open finds out at which levels object is open to the actor in each commission.
func open(who Actor, commissions postgres.IDs, object string, levels []string) (o opening) {
	for _, id := range commissions {
		r, shape := who.places[id], who.rules.in(Commission(id))
		own := false
		for _, level := range levels {
			own = own || shape.speaks(object, "read:"+level)
		}
		switch {
		case own:
			for _, level := range levels {
				if ok, err := shape.policy.answer(who, Commission(id), object, "read:"+level); ok && err == nil {
					o.places, o.levels = append(o.places, id), append(o.levels, level)
				}
			}
		case r&(Officer|Convener) != 0:
			o.officer = append(o.officer, id)
			fallthrough
		default:
			o.member = append(o.member, id)
		}
	}
	return o
}

// Roster is the condition, for a WHERE, that the roster of a commission may be
// seen: visibility and commission are the columns with its level and its id.
func (s Sight) Roster(w *postgres.Where, visibility, commission string) string {
	if s.All {
		return "true"
	}
	rosters := s.rosters()
	open := visibility + " = ANY(" + w.Arg(s.Levels) + "::text[]) OR " + visibility + " = 'commission' AND " + commission + " = ANY(" + w.Arg(rosters.member) +
		"::uuid[]) OR " + commission + " = ANY(" + w.Arg(rosters.officer) + "::uuid[])"
	if len(rosters.places) > 0 {
		open += " OR " + rosters.among(w, commission, visibility)
	}
	return "(" + open + ")"
}

// among is the condition that commission and level are one of the pairs.
func (o opening) among(w *postgres.Where, commission, level string) string {
	return "(" + commission + ", " + level + ") IN (SELECT * FROM unnest(" + w.Arg(o.places) + "::uuid[], " + w.Arg(o.levels) + "::text[]))"
}

// Document is the condition, for a WHERE, that the document in the row d may be
// seen at now. It says in SQL what the rows "document, read:…" of commission.csv
// and the rules of the commissions say of one document; a test compares the two.
func (s Sight) Document(w *postgres.Where, d string, now time.Time) string {
	column := func(name string) string { return d + "." + name }
	in := func(name string, ids postgres.IDs) string {
		return column(name) + " = ANY(" + w.Arg(ids) + "::uuid[])"
	}
	documents := s.documents()
	var numbered, any []string
	if s.All {
		any = append(any, column("number")+" IS NOT NULL", column("review")+" IS NOT NULL")
	} else {
		numbered = append(numbered, column("visibility")+" = ANY("+w.Arg(s.Levels)+"::text[])")
	}
	if len(documents.member) > 0 && !s.All {
		numbered = append(numbered, column("visibility")+" = 'commission' AND "+in("commission_id", documents.member))
	}
	if len(documents.officer) > 0 && !s.All {
		any = append(any, "("+column("number")+" IS NOT NULL OR "+column("review")+" IS NOT NULL) AND "+in("commission_id", documents.officer))
	}
	if len(documents.places) > 0 && !s.All {
		any = append(any, "("+column("number")+" IS NOT NULL OR "+column("review")+" IS NOT NULL) AND "+
			documents.among(w, column("commission_id"), "CASE WHEN "+column("number")+" IS NULL THEN 'submitted' ELSE "+column("visibility")+" END"))
	}
	if len(s.Acting) > 0 && !s.All {
		numbered = append(numbered, column("visibility")+" <> 'named' AND "+in("organization_id", s.Acting))
	}
	if s.Person.Valid && !s.All {
		// An array, not EXISTS: it is found once and not for each row, and the index of the ids serves it.
		numbered = append(numbered, column("id")+" = ANY(ARRAY(SELECT h.document_id FROM share h WHERE "+s.Granted(w, "h", now)+"))")
	}
	if len(s.Filling) > 0 {
		any = append(any, in("organization_id", s.Filling))
	}
	if s.Person.Valid {
		own := column("organization_id") + " IS NULL"
		if len(s.Acting) > 0 {
			own += " OR " + in("organization_id", s.Acting)
		}
		any = append(any, column("author_id")+" = "+w.Arg(s.Person.UUID)+" AND ("+own+")")
	}
	if len(numbered) > 0 {
		any = append(any, column("number")+" IS NOT NULL AND ("+strings.Join(numbered, " OR ")+")")
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// Reading are the commissions in whose registers the actor may see more than what
// is for everybody and for members.
func (s Sight) Reading() postgres.IDs {
	documents := s.documents()
	return slices.Concat(documents.officer, documents.places)
}

// Shared is an expression: what the shares of the document in the row d give the
// actor at now. 0: nothing, 1: to see it, 2: to download it.
func (s Sight) Shared(w *postgres.Where, d string, now time.Time) string {
	if !s.Person.Valid {
		return "0"
	}
	return "(SELECT coalesce(max(CASE h.level WHEN 'download' THEN 2 ELSE 1 END), 0) " + s.shares(w, d, now) + ")"
}

// shares are the live ones of a document with the actor: FROM and WHERE.
func (s Sight) shares(w *postgres.Where, d string, now time.Time) string {
	return "FROM share h WHERE h.document_id = " + d + ".id AND " + s.Granted(w, "h", now)
}

// Granted is the condition, for a WHERE, that the share in the row h is with the
// actor and live at now.
func (s Sight) Granted(w *postgres.Where, h string, now time.Time) string {
	if !s.Person.Valid {
		return "false"
	}
	with := []string{h + ".to_person = " + w.Arg(s.Person.UUID)}
	if len(s.Seated) > 0 {
		with = append(with, h+".to_commission = ANY("+w.Arg(s.Seated)+"::uuid[])")
	}
	if len(s.Acting) > 0 {
		with = append(with, h+".to_organization = ANY("+w.Arg(s.Acting)+"::uuid[])")
	}
	return Live(w, h, now) + " AND (" + strings.Join(with, " OR ") + ")"
}

// Live is the condition that the share in the row h holds at now.
func Live(w *postgres.Where, h string, now time.Time) string {
	return h + ".revoked_at IS NULL AND coalesce(" + h + ".expires_at, 'infinity') > " + w.Arg(now)
}

type trackKey struct{}

type track struct {
	any         atomic.Bool
	first, last atomic.Pointer[Asked]
}

// Asked is what Require was asked.
type Asked struct {
	Scope Scope
	Question
}

// Track makes the context remember whether anything was asked under it: an
// answer for which nothing was authorized is a fault.
func Track(ctx context.Context) (context.Context, func() bool) {
	t := &track{}
	return context.WithValue(ctx, trackKey{}, t), t.any.Load
}

// Questions are what was asked under the context: the first that Require was asked, on which a page that
// was shown hung, and the last, at which one was refused. Nil for none.
func Questions(ctx context.Context) (first, last *Asked) {
	if t, ok := ctx.Value(trackKey{}).(*track); ok {
		return t.first.Load(), t.last.Load()
	}
	return nil, nil
}

func asked(ctx context.Context) {
	if t, ok := ctx.Value(trackKey{}).(*track); ok {
		t.any.Store(true)
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

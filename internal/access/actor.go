package access

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/postgres"
)

// Actor is who asks: a person with all the roles they hold at this moment,
// read in one query at the start of the request, or nobody (the zero Actor).
type Actor struct {
	ID        uuid.UUID // of the person; zero for a visitor
	Name      string
	Email     string
	Language  string
	TimeZone  string
	Theme     string
	Session   []byte // hash of the session; nil for a token
	SeenAt    time.Time
	Confirmed time.Time // when the person last proved to be there; see Recent
	ReadOnly  bool      // a token that may only read
	rests     bool      // see Rests
	portal    Roles
	places    map[uuid.UUID]Roles // by commission or organization
	rules     *rulebook           // of the commissions, as they were when the places were read
	system    string              // what acts, if it is the portal itself
	RequestID string
}

// SignedIn reports whether somebody is there.
func (a Actor) SignedIn() bool { return a.ID != uuid.Nil }

// Rests reports whether the actor's roles rest: one of them asks for a second
// factor, and the person has none. Until then the actor has no role but Person.
func (a Actor) Rests() bool { return a.rests }

// Resting is the condition, for SQL, that the roles of a person rest at an instant.
// person is a parameter or a column with its table. It is written out, and no
// function: that would be planned anew at every request.
func Resting(person, at string) string {
	return "(EXISTS (SELECT FROM factor_role)" +
		" AND NOT EXISTS (SELECT FROM authenticator x WHERE x.person_id = " + person + " AND x.confirmed_at IS NOT NULL)" +
		" AND NOT EXISTS (SELECT FROM passkey x WHERE x.person_id = " + person + ")" +
		" AND (EXISTS (SELECT FROM portal_role x JOIN factor_role y ON y.scope = 'portal' AND y.role = x.role WHERE x.person_id = " + person + ")" +
		" OR EXISTS (SELECT FROM seat x JOIN factor_role y ON y.scope = 'commission' AND y.role = x.role" +
		" WHERE x.person_id = " + person + " AND x.period @> " + at + " AND NOT x.suspended)))"
}

// RecentFor is how long after signing in, or confirming it, one may do what can
// do much harm.
const RecentFor = 15 * time.Minute

// Recent reports whether the person proved a moment ago to be there.
func (a Actor) Recent(now time.Time) bool { return now.Sub(a.Confirmed) < RecentFor }

// Secretariat reports whether the actor is of the convention's staff. For
// choosing what to show first; rights are asked with Require.
func (a Actor) Secretariat() bool { return a.portal.Has(Secretariat) }

// Roles are what the actor holds in the scope.
func (a Actor) Roles(s Scope) Roles {
	r := Visitor | a.portal
	if a.SignedIn() {
		r |= Person
	}
	r |= a.places[s.ID]
	if s.document {
		r |= a.tied(s) | s.shared
	}
	return r
}

// tied is what ties the actor to the document that is the scope. Who submitted
// it for an organization is its author while acting for that organization: the
// document is the organization's, and stays with it. The officers own what is
// the commission's own.
func (a Actor) tied(s Scope) (r Roles) {
	source, author := a.places[s.source], a.SignedIn() && s.author == a.ID
	switch {
	case s.source == uuid.Nil:
		if author {
			r |= Author
		}
		if a.places[s.ID].Has(Officer) {
			r |= Owner | Colleague
		}
	case source.Has(Affiliate):
		r |= Colleague
		if author {
			r |= Author
		}
		if source.Has(Representative) {
			r |= Owner
		}
	}
	return r
}

// Commissions are those the actor holds a live seat in.
func (a Actor) Commissions() []uuid.UUID { return a.where(Member) }

// Organizations are those the actor acts for.
func (a Actor) Organizations() []uuid.UUID { return a.where(Affiliate) }

// Representing are the organizations whose seats the actor fills.
func (a Actor) Representing() []uuid.UUID { return a.where(Representative) }

func (a Actor) where(role Roles) []uuid.UUID {
	ids := []uuid.UUID{}
	for id, r := range a.places {
		if r.Has(role) {
			ids = append(ids, id)
		}
	}
	return ids
}

type actorRow struct {
	ID        uuid.UUID      `db:"id"`
	Name      string         `db:"name"`
	Email     string         `db:"email"`
	Language  string         `db:"language"`
	TimeZone  string         `db:"time_zone"`
	Theme     string         `db:"theme"`
	SeenAt    time.Time      `db:"seen_at"`
	Confirmed time.Time      `db:"confirmed_at"`
	ReadOnly  bool           `db:"read_only"`
	Rules     int64          `db:"rules"`
	Rests     bool           `db:"rests"`
	Portal    pq.StringArray `db:"portal"`
	Places    string         `db:"places"`
	Roles     string         `db:"roles"`
}

// holdings is what a person holds at $2, unless it rests: seats that are live and not
// suspended, roles that commissions made for themselves, commissions convened,
// organizations acted for; and at which change of rules. The places come as one text, of
// 32 digits each, and the roles there as another: to take an array of three hundred apart
// took a third of what a page costs.
var holdings = `
	(SELECT version FROM access_version) AS rules, ` + Resting("p.id", "$2::timestamptz") + ` AS rests, p.id, p.name, p.email, p.language, p.time_zone, p.theme,
	ARRAY(SELECT role FROM portal_role WHERE person_id = p.id) AS portal, held.places, held.roles`

// holding is where holdings are read from, beside the person p.
var holding = `
	CROSS JOIN LATERAL (SELECT coalesce(encode(string_agg(uuid_send(place), ''), 'hex'), '') AS places, coalesce(string_agg(role, ' '), '') AS roles FROM (
	      SELECT commission_id AS place, role FROM seat
	      WHERE person_id = p.id AND period @> $2::timestamptz AND NOT suspended
	      UNION ALL
	      SELECT h.commission_id, h.slot FROM commission_role_holder h
	      WHERE h.person_id = p.id AND EXISTS (SELECT FROM seat s WHERE s.id = h.seat_id AND s.person_id = p.id AND s.period @> $2::timestamptz AND NOT s.suspended)
	      UNION ALL
	      SELECT id, 'convener' FROM commission WHERE convener_id = p.id AND state IN ('proposed', 'forming')
	      UNION ALL
	      SELECT organization_id, CASE WHEN representative THEN 'representative' ELSE 'affiliate' END
	      FROM affiliation JOIN organization o ON o.id = organization_id
	      WHERE person_id = p.id AND period @> $2::timestamptz AND affiliation.state = 'confirmed' AND o.state IN ('member', 'pending')) each) held`

// BySession reads the actor of a session by the hash of its cookie; the zero
// Actor if it has ended.
func (p *Policy) BySession(ctx context.Context, q postgres.Q, hash []byte, now time.Time) (Actor, error) {
	a, err := p.byQuery(ctx, q, `
		SELECT s.seen_at, coalesce(s.confirmed_at, s.created_at) AS confirmed_at, false AS read_only,`+holdings+`
		FROM session s JOIN person p ON p.id = s.person_id`+holding+`
		WHERE s.hash = $1 AND s.expires_at > $2 AND p.state = 'active' AND p.confirmed_at IS NOT NULL`, hash, now)
	if a.SignedIn() {
		a.Session = hash
	}
	return a, err
}

// ByToken reads the actor of a bearer token by its hash; the zero Actor if it
// has been revoked or has run out.
func (p *Policy) ByToken(ctx context.Context, q postgres.Q, hash []byte, now time.Time) (Actor, error) {
	return p.byQuery(ctx, q, `
		SELECT coalesce(t.seen_at, 'epoch') AS seen_at, t.created_at AS confirmed_at, t.read_only,`+holdings+`
		FROM token t JOIN person p ON p.id = t.person_id`+holding+`
		WHERE t.hash = $1 AND coalesce(t.expires_at, 'infinity') > $2 AND t.revoked_at IS NULL
		  AND p.state = 'active' AND p.confirmed_at IS NOT NULL`, hash, now)
}

// ByPerson reads the actor that a person would be: for the command line, and
// for asking what somebody else may do.
func (p *Policy) ByPerson(ctx context.Context, q postgres.Q, id uuid.UUID, now time.Time) (Actor, error) {
	return p.byQuery(ctx, q, `SELECT $2::timestamptz AS seen_at, $2::timestamptz AS confirmed_at, false AS read_only,`+holdings+` FROM person p`+holding+` WHERE p.id = $1 AND p.state = 'active'`, id, now)
}

func (p *Policy) byQuery(ctx context.Context, q postgres.Q, query string, args ...any) (Actor, error) {
	ctx = postgres.Fresh(ctx)
	rows, err := postgres.All[actorRow](ctx, q, query, args...)
	if err != nil || len(rows) == 0 {
		return Actor{}, err
	}
	r := rows[0]
	a := Actor{ID: r.ID, Name: r.Name, Email: r.Email, Language: r.Language, TimeZone: r.TimeZone, Theme: r.Theme,
		SeenAt: r.SeenAt, Confirmed: r.Confirmed, ReadOnly: r.ReadOnly, places: make(map[uuid.UUID]Roles, len(r.Places)/32)}
	if a.rules, err = p.current(ctx, q, r.Rules); err != nil {
		return Actor{}, err
	}
	if a.rests = r.Rests; a.rests {
		return a, nil
	}
	for _, name := range r.Portal {
		a.portal |= roleByName[name]
	}
	places, err := hex.DecodeString(r.Places)
	if err != nil {
		return Actor{}, err
	}
	for role := range strings.FieldsSeq(r.Roles) {
		a.places[uuid.UUID(places[:16])] |= roleByName[role]
		places = places[16:]
	}
	return a, nil
}

type actorKey struct{}

// With puts the actor of a request into its context.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// From is the actor of the request; the zero Actor is a visitor.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

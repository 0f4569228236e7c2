package access

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/postgres"
)

// Rule is what one commission changed for itself: whether a role of its seats may
// act on an object in it, whatever commission.csv says.
type Rule struct {
	Role   string `db:"role" json:"role"`
	Object string `db:"object" json:"object"`
	Action string `db:"action" json:"action"`
	Effect string `db:"effect" json:"effect" enum:"allow,deny"`
}

// The effects of a rule.
const (
	Allow = "allow"
	Deny  = "deny"
)

// seatRoles are the roles that a seat has one of; ruled are those that rules speak
// of one by one; seated are all that come with a seat, the groups included.
const (
	seatRoles = Chair | ViceChair | Secretary | VotingRepresentative | AlternateRepresentative | Observer | LiaisonOfficer | InvitedExpert | Emeritus
	ruled     = seatRoles | ownRoles
	seated    = Member | Officer | ruled
)

// ladder is a role and the groups it belongs to, the narrowest first. What stands
// at the first step that says anything holds.
func ladder(role Roles) []Roles {
	switch {
	case role == Member || role&ownRoles != 0: // a role of its own takes nothing of what the seat gives
		return []Roles{role}
	case role == Officer:
		return []Roles{Officer, Member}
	case role&(Chair|ViceChair|Secretary) != 0:
		return []Roles{role, Officer, Member}
	}
	return []Roles{role, Member}
}

// Shape is the rules that a commission has of its own. A question that they do not
// speak of is decided by commission.csv.
type Shape struct {
	policy  *Policy
	rules   map[Question]map[string]string // effect by role
	once    sync.Once
	casbin  *casbin.Enforcer
	failed  error
	decided sync.Map // decision → bool
}

// Shaped puts rules together as a commission would have them; nil for none.
func (p *Policy) Shaped(rules []Rule) *Shape {
	if len(rules) == 0 {
		return nil
	}
	s := &Shape{policy: p, rules: map[Question]map[string]string{}}
	for _, r := range rules {
		q := Question{r.Object, r.Action}
		if s.rules[q] == nil {
			s.rules[q] = map[string]string{}
		}
		s.rules[q][r.Role] = r.Effect
	}
	return s
}

// Cell is what a role may do, and what says so: the role or group whose step of
// the ladder decided, and whether that is a rule of the commission's own.
type Cell struct {
	Allowed bool
	By      string // "" if nothing speaks of it
	Own     bool
}

// Cell answers for one role of a seat, or for a group. The shape may be nil.
func (p *Policy) Cell(s *Shape, role, object, action string) Cell {
	q := Question{object, action}
	for _, step := range ladder(bits(role)) {
		name := step.String()
		if s != nil {
			if effect, ok := s.rules[q][name]; ok {
				return Cell{effect == Allow, name, true}
			}
		}
		if p.rows[CommissionKind][row{name, q}] {
			return Cell{true, name, false}
		}
	}
	return Cell{}
}

// enforcer holds, of the questions that the rules speak of, a row for each role
// that may. It is made when it is first asked: most commissions have no rules, and
// most that have some are not looked at.
func (s *Shape) enforcer() (*casbin.Enforcer, error) {
	s.once.Do(func() {
		rows := [][]string{}
		for q := range s.rules {
			for _, name := range (ruled).Names() {
				if s.policy.Cell(s, name, q.Object, q.Action).Allowed {
					rows = append(rows, []string{name, q.Object, q.Action, Allow})
				}
			}
		}
		s.casbin, s.failed = enforcerOf(s.policy.model, rows)
	})
	return s.casbin, s.failed
}

// allowed is whether the roles among these that rules speak of may.
func (s *Shape) allowed(roles Roles, object, action string) (bool, error) {
	key := decision{CommissionKind, roles & ruled, Question{object, action}}
	if ok, found := s.decided.Load(key); found {
		return ok.(bool), nil
	}
	e, err := s.enforcer()
	if err != nil {
		return false, err
	}
	ok, err := e.Enforce(key.roles, object, action)
	if err != nil {
		return false, fmt.Errorf("policy: %w", err)
	}
	s.decided.Store(key, ok)
	return ok, nil
}

func (s *Shape) speaks(object, action string) bool {
	return s != nil && s.rules[Question{object, action}] != nil
}

// Changeable reports whether a commission may have rules of its own about this:
// it is given to roles of seats, and not to everybody.
func (p *Policy) Changeable(object, action string) bool {
	return slices.Contains(p.changeable, Question{object, action})
}

// AllChangeable are the questions that commissions may have rules about, in the
// order of commission.csv.
func (p *Policy) AllChangeable() []Question { return slices.Clone(p.changeable) }

// Holders are the roles that give object and action in a commission with that
// shape, the convener's among them: for a statement that looks for whom something
// concerns (see Holding). What is for everybody is for every seat.
func (p *Policy) Holders(s *Shape, object, action string) pq.StringArray {
	names := pq.StringArray{}
	rows := p.rows[CommissionKind]
	q := Question{object, action}
	everybody := rows[row{"visitor", q}] || rows[row{"person", q}]
	for _, name := range (ruled).Names() {
		if everybody || p.Cell(s, name, object, action).Allowed {
			names = append(names, name)
		}
	}
	if everybody || rows[row{"convener", q}] {
		names = append(names, "convener")
	}
	return names
}

// Holding selects the persons who hold one of the roles $2 in the commission $1 at
// $3. A suspended seat gives none, nor does a role that rests.
var Holding = `
	SELECT person_id FROM (
	SELECT person_id FROM seat WHERE commission_id = $1 AND role = ANY($2::text[]) AND period @> $3::timestamptz AND NOT suspended
	UNION
	SELECT h.person_id FROM commission_role_holder h JOIN seat s ON s.id = h.seat_id AND s.person_id = h.person_id AND s.period @> $3::timestamptz AND NOT s.suspended
	WHERE h.commission_id = $1 AND h.slot = ANY($2::text[])
	UNION
	SELECT convener_id AS person_id FROM commission WHERE id = $1 AND 'convener' = ANY($2::text[]) AND state IN ('proposed', 'forming')) h WHERE NOT ` + Resting("h.person_id", "$3::timestamptz")

// rulebook is the rules of all commissions that have some, as they were at one change.
// Nothing in them is changed once they are made.
type rulebook struct {
	version int64
	of      map[uuid.UUID]*Shape
}

func (r *rulebook) in(s Scope) *Shape {
	if r == nil || s.Kind != CommissionKind {
		return nil
	}
	return r.of[s.ID]
}

// current are the rules at a version at least; they are read if those in memory
// are older. If they cannot be read nothing is allowed, as the error says. A
// transaction that has written rules must not ask: it would see them before others may.
func (p *Policy) current(ctx context.Context, q postgres.Q, version int64) (*rulebook, error) {
	for {
		have := p.rules.Load()
		if have.version >= version {
			return have, nil
		}
		rows, err := postgres.All[struct {
			Commission uuid.UUID `db:"commission_id"`
			Version    int64     `db:"version"`
			Rule
		}](ctx, q, `
			SELECT s.commission_id, s.version, coalesce(r.role, '') AS role, coalesce(r.object, '') AS object, coalesce(r.action, '') AS action, coalesce(r.effect, '') AS effect
			FROM access_rules s LEFT JOIN access_rule r ON r.commission_id = s.commission_id
			WHERE s.version > $1 ORDER BY s.commission_id`, have.version)
		if err != nil {
			return nil, err
		}
		next := &rulebook{version: version, of: maps.Clone(have.of)}
		changed := map[uuid.UUID][]Rule{}
		for _, r := range rows {
			next.version = max(next.version, r.Version)
			changed[r.Commission] = append(changed[r.Commission], r.Rule)
		}
		for id, list := range changed {
			if list = slices.DeleteFunc(list, func(r Rule) bool { return r.Role == "" }); len(list) == 0 {
				delete(next.of, id)
				continue
			}
			next.of[id] = p.Shaped(list)
		}
		if p.rules.CompareAndSwap(have, next) {
			return next, nil
		}
	}
}

// Shape is the rules of its own that a commission has now; nil for none.
func (p *Policy) Shape(ctx context.Context, q postgres.Q, commission uuid.UUID) (*Shape, error) {
	ctx = postgres.Fresh(ctx)
	version, err := postgres.One[int64](ctx, q, nil, `SELECT version FROM access_version`)
	if err != nil {
		return nil, err
	}
	r, err := p.current(ctx, q, version)
	if err != nil {
		return nil, err
	}
	return r.of[commission], nil
}

// hold makes the rules of the commission stay as they are until the transaction
// ends, and reads them. Whoever changes them waits for all who hold them, and
// they for whoever changes them.
func (p *Policy) hold(ctx context.Context, q postgres.Q, commission uuid.UUID, change bool) (*rulebook, error) {
	lock := `SELECT pg_advisory_xact_lock_shared(hashtextextended('access ' || $1, 0))`
	if change {
		lock = `SELECT pg_advisory_xact_lock(hashtextextended('access ' || $1, 0))`
	}
	if _, err := q.Exec(ctx, lock, commission.String()); err != nil {
		return nil, err
	}
	version, err := postgres.One[int64](ctx, q, errors.New("access: access_version is empty"), `SELECT version FROM access_version`)
	if err != nil {
		return nil, err
	}
	return p.current(ctx, q, version)
}

func enforcerOf(text string, rows [][]string) (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(text)
	if err != nil {
		return nil, fmt.Errorf("policy: model.conf: %w", err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("policy: model.conf: %w", err)
	}
	e.AddFunction("holds", holds)
	if len(rows) > 0 {
		if _, err := e.AddPolicies(rows); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
	}
	return e, nil
}

// holds is a function of the model: whether a set of roles has one.
func holds(args ...any) (any, error) {
	roles, ok := args[0].(Roles)
	role, ok2 := args[1].(string)
	if !ok || !ok2 {
		return false, errors.New("holds wants a set of roles and a role")
	}
	return roles&bits(role) != 0, nil
}

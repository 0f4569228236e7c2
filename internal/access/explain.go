package access

import "slices"

// Explanation says why something is allowed or is not.
type Explanation struct {
	Allowed bool     `json:"allowed"`
	Roles   []string `json:"roles" doc:"What the person holds there: roles of seats, what everybody or whoever is signed in holds, what ties them to one document."`
	Because []Reason `json:"because" doc:"What decided: each row or rule that speaks of a role the person holds. None: no row, no right."`
	Would   []string `json:"would" doc:"The roles that allow it there."`
}

// Reason is a row of the policy, or a rule of the commission, that speaks of a role.
type Reason struct {
	Role    string `json:"role" doc:"That the person holds."`
	By      string `json:"by" doc:"The role or group that the row or rule names."`
	Allowed bool   `json:"allowed"`
	Own     bool   `json:"own" doc:"A rule of the commission's own."`
	Row     string `json:"row" doc:"As policies/*.csv or the commission's rules have it: role, object, action, effect."`
}

// Explain answers as Require does, and says why. It is put together from the same
// rows and rules; a test holds the two together.
func (p *Policy) Explain(who Actor, scope Scope, object, action string) (Explanation, error) {
	roles, shape := who.Roles(scope), who.rules.in(scope)
	e := Explanation{Roles: roles.Names(), Because: []Reason{}, Would: p.Would(shape, scope, object, action)}
	var err error
	if e.Allowed, err = (Permit{who, scope, object, action, p}).decide(who); err != nil {
		return e, err
	}
	q := Question{object, action}
	own := shape.speaks(object, action)
	for _, name := range roles.Names() {
		r := bits(name)
		switch {
		case scope.Kind == CommissionKind && r&ruled != 0:
			if c := p.Cell(shape, name, object, action); c.By != "" {
				e.Because = append(e.Because, reason(name, c, q))
			}
		case own && (r&seated != 0 || scope.document && scope.source == [16]byte{} && r&(Owner|Colleague) != 0):
		case r&(Member|Officer) != 0: // said by the role of the seat
		case p.rows[scope.Kind][row{name, q}]:
			e.Because = append(e.Because, reason(name, Cell{true, name, false}, q))
		}
	}
	return e, nil
}

func reason(role string, c Cell, q Question) Reason {
	effect := Deny
	if c.Allowed {
		effect = Allow
	}
	return Reason{role, c.By, c.Allowed, c.Own, c.By + ", " + q.Object + ", " + q.Action + ", " + effect}
}

// Would are the roles that allow it in a scope with that shape, broad ones first.
func (p *Policy) Would(shape *Shape, scope Scope, object, action string) []string {
	names := []string{}
	for i, name := range roleNames {
		r := Roles(1 << i)
		q := Question{object, action}
		switch {
		case scope.Kind == CommissionKind && r&seated != 0:
			if p.Cell(shape, name, object, action).Allowed {
				names = append(names, name)
			}
		case p.rows[scope.Kind][row{name, q}]:
			names = append(names, name)
		}
	}
	if slices.Contains(names, "member") {
		names = slices.DeleteFunc(names, func(n string) bool { return bits(n)&ruled != 0 || n == "officer" })
	} else if slices.Contains(names, "officer") {
		names = slices.DeleteFunc(names, func(n string) bool { return bits(n)&(Chair|ViceChair|Secretary) != 0 })
	}
	return names
}

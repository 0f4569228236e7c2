// Package rights shows who may do what in a commission, and why, and lets the
// commission shape it: cells of the matrix of roles and actions that it allows or
// denies for itself, whatever policies/commission.csv says. What decides is access;
// this is where it is read and changed. The words for people are in docs/access.md.
package rights

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/problem"
)

// Inherit is the effect of a change that takes a rule back.
const Inherit = "inherit"

// Home is the commission that rules are of.
type Home struct {
	ID      uuid.UUID `db:"id" json:"-"`
	Slug    string    `db:"slug" json:"commission"`
	Acronym string    `db:"acronym" json:"-"`
	Name    string    `db:"name" json:"name"`
	Kind    string    `db:"kind" json:"-"`
	State   string    `db:"state" json:"-"`
	Version int       `db:"version" json:"version" doc:"Grows with every change of its rules."`
	Own     OwnRoles  `db:"own" json:"own_roles"`
	Rules   Rules     `db:"rules" json:"-"`

	CreatedAt  time.Time  `db:"created_at" json:"-"`
	ReviewedAt *time.Time `db:"reviewed_at" json:"reviewed_at,omitempty" doc:"When somebody last confirmed that roles and rules are right."`
}

// Scope is the scope that access decides in.
func (h Home) Scope() access.Scope { return access.Commission(h.ID) }

// Path is the address of the commission's page.
func (h Home) Path() string { return "/commissions/" + h.Slug }

// RulesID is what the journal calls the rules of a commission.
func (h Home) RulesID() uuid.UUID { return uuid.NewSHA1(h.ID, []byte("access")) }

// RoleColumns are the roles of seats that rules speak of, in the order of the matrix:
// the groups, each before the roles it is made of. Those of the commission's own follow.
var RoleColumns = []string{"member", "voting_representative", "alternate_representative", "liaison_officer", "invited_expert", "observer", "emeritus",
	"officer", "secretary", "vice_chair", "chair"}

// Columns are all roles that rules of the commission speak of.
func (h Home) Columns() []string {
	list := slices.Clone(RoleColumns)
	for _, r := range h.Own {
		list = append(list, r.Role)
	}
	return list
}

// named is a change with the name of the role, if that is the commission's own.
func (h Home) named(c Change) Change {
	if r, ok := h.Own.Find(c.Role); ok {
		c.Name = r.Name
	}
	return c
}

// Group reports whether a column is one of several roles.
func Group(role string) bool { return role == "member" || role == "officer" }

// Set is how many persons hold just these roles at this moment.
type Set struct {
	Roles   []string
	Persons int
}

func (s Set) holds(role string) bool {
	return role == "member" || slices.Contains(s.Roles, role) || role == "officer" && slices.ContainsFunc(s.Roles, func(r string) bool { return r == "chair" || r == "vice_chair" || r == "secretary" })
}

// Column is a role with how many persons hold it now.
type Column struct {
	Role    string `json:"role"`
	Name    string `json:"name,omitempty" doc:"Of a role of the commission's own."`
	Persons int    `json:"persons" doc:"Who hold it at this moment; seats that are suspended do not count."`
}

// Row is one thing that can be done, with a cell for each column.
type Row struct {
	access.Question
	Label string `json:"label"`
	Cells []Cell `json:"cells" doc:"In the order of the columns."`
}

// Cell is what a role may do here.
type Cell struct {
	Allowed bool   `json:"allowed"`
	By      string `json:"by" doc:"The role or group whose row or rule decides; empty: no row, no right."`
	Own     bool   `json:"own" doc:"Decided by a rule of the commission's own."`
	Rule    string `json:"rule" enum:"allow,deny,inherit" doc:"The commission's own rule for this very cell."`
}

// Topic is a part of the matrix.
type Topic struct {
	Name string `json:"name"`
	Rows []Row  `json:"rows"`
}

// Matrix is who may do what in a commission.
type Matrix struct {
	Home
	Columns []Column      `json:"columns"`
	Topics  []Topic       `json:"topics"`
	Rules   []access.Rule `json:"rules" doc:"The commission's own."`
}

func rule(rules []access.Rule, role string, q access.Question) string {
	for _, r := range rules {
		if r.Role == role && r.Object == q.Object && r.Action == q.Action {
			return r.Effect
		}
	}
	return Inherit
}

// matrix is that of a commission, with the rows of standard wherever it is like the others.
func matrix(p *access.Policy, standard []Topic, h Home, rules []access.Rule, sets []Set) Matrix {
	m := Matrix{Home: h, Rules: rules}
	columns := h.Columns()
	for _, role := range columns {
		own, _ := h.Own.Find(role)
		c := Column{Role: role, Name: own.Name}
		for _, s := range sets {
			if s.holds(role) {
				c.Persons += s.Persons
			}
		}
		m.Columns = append(m.Columns, c)
	}
	if len(h.Own) > 0 {
		standard = standardRows(p, columns)
	}
	ruled := map[access.Question]bool{}
	for _, r := range rules {
		ruled[access.Question{Object: r.Object, Action: r.Action}] = true
	}
	shape := p.Shaped(rules)
	for _, t := range standard {
		t.Rows = slices.Clone(t.Rows)
		for i, row := range t.Rows {
			if ruled[row.Question] {
				t.Rows[i].Cells = cells(p, shape, columns, row.Question, rules)
			}
		}
		m.Topics = append(m.Topics, t)
	}
	return m
}

// standardRows are the rows of a matrix with these columns where no rule speaks.
func standardRows(p *access.Policy, columns []string) []Topic {
	var list []Topic
	for _, t := range topics {
		topic := Topic{Name: t.name}
		for _, r := range t.rows {
			q := access.Question{Object: r.object, Action: r.action}
			topic.Rows = append(topic.Rows, Row{q, r.label, cells(p, nil, columns, q, nil)})
		}
		list = append(list, topic)
	}
	return list
}

func cells(p *access.Policy, shape *access.Shape, columns []string, q access.Question, rules []access.Rule) []Cell {
	list := make([]Cell, len(columns))
	for i, role := range columns {
		c := p.Cell(shape, role, q.Object, q.Action)
		list[i] = Cell{c.Allowed, c.By, c.Own, rule(rules, role, q)}
	}
	return list
}

// Change sets one cell of the matrix.
type Change struct {
	Role   string `json:"role"`
	Object string `json:"object"`
	Action string `json:"action"`
	Effect string `json:"effect" enum:"allow,deny,inherit"`
	Name   string `json:"name,omitempty" readOnly:"true" doc:"Of a role of the commission's own."`
}

// Question is what the cell is about.
func (c Change) Question() access.Question {
	return access.Question{Object: c.Object, Action: c.Action}
}

// MostChanges is how many cells one change may set.
const MostChanges = 200

// refuse answers to what is no change of a cell of the matrix, or one that nobody may
// make. chair: whether the actor is one, or of the secretariat.
func refuse(p *access.Policy, h Home, changes []Change, chair bool) error {
	columns := h.Columns()
	if len(changes) > MostChanges {
		return problem.Field("changes", "Change at most %d cells at once.", MostChanges)
	}
	seen := map[[3]string]bool{}
	for _, c := range changes {
		cell := [3]string{c.Role, c.Object, c.Action}
		switch {
		case !slices.Contains(columns, c.Role):
			return problem.Field("role", "There is no role “%s” that rules speak of.", c.Role)
		case !p.Changeable(c.Object, c.Action):
			return problem.Field("action", "“%s %s” is not something that a commission can change for itself.", c.Action, c.Object)
		case c.Effect != access.Allow && c.Effect != access.Deny && c.Effect != Inherit:
			return problem.Field(c.Role, "Choose allow, deny or inherit.")
		case access.Own(c.Role) && c.Effect == access.Deny:
			return problem.Field(c.Role, "A role of your own takes nothing away: it gives what is allowed for it, beside the role of the seat.")
		case seen[cell]:
			return problem.Field("role", "This cell is named twice.")
		case c.Role == "chair" && c.Object == "access" && c.Effect != Inherit:
			return problem.Field("chair", "A chair always sees and changes the rules: otherwise nobody could change them back.")
		case c.Role == "chair" && !chair:
			return problem.Field("chair", "Only a chair or the secretariat changes what chairs may do.")
		}
		seen[cell] = true
	}
	return nil
}

// with is the rules after the changes.
func with(rules []access.Rule, changes []Change) []access.Rule {
	next := slices.Clone(rules)
	for _, c := range changes {
		next = slices.DeleteFunc(next, func(r access.Rule) bool { return r.Role == c.Role && r.Object == c.Object && r.Action == c.Action })
		if c.Effect != Inherit {
			next = append(next, access.Rule{Role: c.Role, Object: c.Object, Action: c.Action, Effect: c.Effect})
		}
	}
	return next
}

// Consequence is what a change does to the people who are there now.
type Consequence struct {
	access.Question
	Label     string   `json:"label"`
	Gain      bool     `json:"gain" doc:"They will be able to; otherwise no longer."`
	Persons   int      `json:"persons"`
	Roles     []string `json:"roles" doc:"That these persons hold, in the order of the matrix."`
	Documents *int     `json:"documents,omitempty" doc:"How many there are now that this is about. Whoever submitted one, acts for its source or has it by a share keeps it."`
}

// Plan is what changes of the rules do.
type Plan struct {
	Changes      []Change      `json:"changes" doc:"Of cells that are not so already."`
	Before       []Change      `json:"before" doc:"The same cells as they are: what takes the change back."`
	Consequences []Consequence `json:"consequences"`
	Idle         []Idle        `json:"idle,omitempty" doc:"What would then be allowed and of no use."`
}

// Idle is a right that a role would have and that is of no use without another,
// which it would not have.
type Idle struct {
	access.Question
	Role  string          `json:"role"`
	Name  string          `json:"name,omitempty" doc:"Of a role of the commission's own."`
	Needs access.Question `json:"needs"`
}

// plan compares the rules before and after. may says whether the actor may give
// something: nobody gives what they lack.
func plan(p *access.Policy, h Home, rules []access.Rule, sets []Set, changes []Change, may func(access.Question) bool) (Plan, error) {
	var out Plan
	before := p.Shaped(rules)
	after := p.Shaped(with(rules, changes))
	asked := []access.Question{}
	for _, c := range changes {
		was := rule(rules, c.Role, c.Question())
		if was == c.Effect {
			continue
		}
		out.Changes = append(out.Changes, h.named(c))
		out.Before = append(out.Before, h.named(Change{Role: c.Role, Object: c.Object, Action: c.Action, Effect: was}))
		if !slices.Contains(asked, c.Question()) {
			asked = append(asked, c.Question())
		}
		if p.Cell(after, c.Role, c.Object, c.Action).Allowed && !p.Cell(before, c.Role, c.Object, c.Action).Allowed && !may(c.Question()) {
			return out, problem.Field(c.Role, "You may not do this yourself: only somebody who may can give it to others.")
		}
	}
	if len(out.Changes) == 0 {
		return out, problem.New(problem.Conflict, "Nothing would change: the rules say this already.")
	}
	out.Idle = idle(p, after, out.Changes)
	columns := h.Columns()
	allowed := func(s *access.Shape, set Set, q access.Question) bool {
		return slices.ContainsFunc(set.Roles, func(role string) bool { return p.Cell(s, role, q.Object, q.Action).Allowed })
	}
	for _, q := range asked {
		for _, gain := range []bool{false, true} {
			c := Consequence{Question: q, Label: Label(q), Gain: gain, Roles: []string{}}
			for _, set := range sets {
				if allowed(before, set, q) != gain && allowed(after, set, q) == gain {
					c.Persons += set.Persons
					for _, r := range set.Roles {
						if !slices.Contains(c.Roles, r) {
							c.Roles = append(c.Roles, r)
						}
					}
				}
			}
			if c.Persons > 0 {
				slices.SortFunc(c.Roles, func(a, b string) int { return slices.Index(columns, a) - slices.Index(columns, b) })
				out.Consequences = append(out.Consequences, c)
			}
		}
	}
	return out, nil
}

// idle are the rights of the roles that the changes are about which are of no use
// without one that the role will lack.
func idle(p *access.Policy, after *access.Shape, changes []Change) []Idle {
	may := func(role string, q access.Question) bool {
		return p.Cell(after, role, q.Object, q.Action).Allowed ||
			access.Own(role) && p.Cell(after, "member", q.Object, q.Action).Allowed // held beside a seat
	}
	var list []Idle
	for _, c := range changes {
		for q, needed := range needs {
			i := Idle{Question: q, Role: c.Role, Name: c.Name, Needs: needed}
			if (q == c.Question() || needed == c.Question()) && may(c.Role, q) && !may(c.Role, needed) && !slices.Contains(list, i) {
				list = append(list, i)
			}
		}
	}
	slices.SortFunc(list, func(a, b Idle) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Action, b.Action))
	})
	return list
}

// level is the visibility of the documents that a question is about; "" if it is
// about none in particular.
func level(q access.Question) string {
	if q.Object != "document" && q.Object != "file" {
		return ""
	}
	l, _ := strings.CutPrefix(q.Action, "read:")
	if l == q.Action {
		return ""
	}
	return l
}

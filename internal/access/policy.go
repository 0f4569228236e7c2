package access

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/casbin/casbin/v2"
	"github.com/google/uuid"
)

// Policy decides. It holds one Casbin enforcer for each kind of scope, loaded
// once from the role tables: some two hundred rows for all commissions together;
// a commission's own rules stand in an enforcer of that commission only (Shape).
// Roles are not in Casbin: the set that an actor holds comes with the request,
// so a decision depends on (kind, roles, object, action) alone and is kept
// under that key for ever. What a person holds is read anew at every request.
type Policy struct {
	model      string
	enforcers  map[Kind]*casbin.Enforcer
	rows       map[Kind]map[row]bool
	known      map[Kind]map[Question]bool // object and action that stand in the table of that kind
	changeable []Question
	decided    sync.Map // decision → bool
	rules      atomic.Pointer[rulebook]
}

// Question is what can be asked about: an object and an action.
type Question struct {
	Object string `db:"object" json:"object"`
	Action string `db:"action" json:"action"`
}

type row struct {
	role string
	Question
}

type decision struct {
	kind  Kind
	roles Roles
	Question
}

// Load reads the model and the three role tables. It refuses an unknown role, a
// row that is no row, or a table that is missing, and names file and line: a
// policy that was half read would be a policy without its deny rows.
func Load(files fs.FS) (*Policy, error) {
	text, err := fs.ReadFile(files, "model.conf")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p := &Policy{model: string(text), enforcers: map[Kind]*casbin.Enforcer{}, rows: map[Kind]map[row]bool{}, known: map[Kind]map[Question]bool{}}
	p.rules.Store(&rulebook{of: map[uuid.UUID]*Shape{}})
	for _, kind := range []Kind{PortalKind, OrganizationKind, CommissionKind} {
		if err := p.load(files, kind); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Policy) load(files fs.FS, kind Kind) error {
	rows, err := readRows(files, string(kind)+".csv")
	if err != nil {
		return err
	}
	if p.enforcers[kind], err = enforcerOf(p.model, rows); err != nil {
		return fmt.Errorf("%s.csv: %w", kind, err)
	}
	p.known[kind], p.rows[kind] = map[Question]bool{}, map[row]bool{}
	for _, r := range rows {
		q := Question{r[1], r[2]}
		p.known[kind][q] = true
		if r[3] == Allow {
			p.rows[kind][row{r[0], q}] = true
		}
	}
	if kind == CommissionKind {
		for _, r := range rows {
			q := Question{r[1], r[2]}
			everybody := p.rows[kind][row{"visitor", q}] || p.rows[kind][row{"person", q}]
			if bits(r[0])&seated != 0 && !everybody && !slices.Contains(p.changeable, q) {
				p.changeable = append(p.changeable, q)
			}
		}
	}
	return nil
}

func readRows(files fs.FS, name string) (rows [][]string, err error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, -1
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("policy: %s: %w", name, err)
		}
		line, _ := r.FieldPos(0)
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		switch {
		case len(row) == 3:
			row = append(row, "allow")
		case len(row) != 4 || (row[3] != "allow" && row[3] != "deny"):
			return nil, fmt.Errorf("policy: %s line %d: want role, object, action[, deny]", name, line)
		}
		if _, ok := roleByName[row[0]]; !ok || Own(row[0]) {
			return nil, fmt.Errorf("policy: %s line %d: no such role %q", name, line, row[0])
		}
		if row[1] == "" || row[2] == "" {
			return nil, fmt.Errorf("policy: %s line %d: object or action is empty", name, line)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("policy: %s has no row", name)
	}
	return rows, nil
}

// Knows reports whether any row speaks of the object and action in that kind of
// scope; a route that asks for something else could never be answered.
func (p *Policy) Knows(kind Kind, object, action string) bool {
	return p.known[kind][Question{object, action}]
}

// answer is the decision for an actor: what the seats give as the rules of the
// commission have it, and what everything else gives as the table has it. So no
// rule takes away what is the secretariat's, or comes with one document.
func (p *Policy) answer(who Actor, scope Scope, object, action string) (bool, error) {
	roles := who.Roles(scope)
	if shape := who.rules.in(scope); shape.speaks(object, action) {
		if ok, err := shape.allowed(roles, object, action); ok || err != nil {
			return ok, err
		}
		roles &^= seated
		if scope.document && scope.source == uuid.Nil { // what the officers own, they own by their seats
			roles &^= Owner | Colleague
		}
	}
	return p.allowed(scope.Kind, roles, object, action)
}

// allowed is the decision for a set of roles by the table.
func (p *Policy) allowed(kind Kind, roles Roles, object, action string) (bool, error) {
	key := decision{kind, roles, Question{object, action}}
	if ok, found := p.decided.Load(key); found {
		return ok.(bool), nil
	}
	if !p.Knows(kind, object, action) {
		return false, fmt.Errorf("policy: no row in %s.csv speaks of %s %s", kind, object, action)
	}
	ok, err := p.enforcers[kind].Enforce(roles, object, action)
	if err != nil {
		return false, fmt.Errorf("policy: %w", err)
	}
	p.decided.Store(key, ok)
	return ok, nil
}

// Decide answers for roles by the table, with the row that decided; an empty row
// means that no row allows it.
func (p *Policy) Decide(kind Kind, roles Roles, object, action string) (ok bool, row []string, err error) {
	return p.enforcers[kind].EnforceEx(roles, object, action)
}

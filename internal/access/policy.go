package access

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
)

// Policy decides. It holds one Casbin enforcer for each kind of scope, loaded
// once from the role tables: about a hundred rows for all commissions together.
// Roles are not in Casbin: the set that an actor holds comes with the request,
// so a decision depends on (kind, roles, object, action) alone and is kept
// under that key for ever. What a person holds is read anew at every request.
type Policy struct {
	enforcers map[Kind]*casbin.Enforcer
	known     map[Kind]map[question]bool // object and action that stand in the table of that kind
	decided   sync.Map                   // decision → bool
}

type question struct{ object, action string }

type decision struct {
	kind  Kind
	roles Roles
	question
}

// Load reads the model and the three role tables. It refuses an unknown role, a
// row that is no row, or a table that is missing, and names file and line: a
// policy that was half read would be a policy without its deny rows.
func Load(files fs.FS) (*Policy, error) {
	text, err := fs.ReadFile(files, "model.conf")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p := &Policy{enforcers: map[Kind]*casbin.Enforcer{}, known: map[Kind]map[question]bool{}}
	for _, kind := range []Kind{PortalKind, OrganizationKind, CommissionKind} {
		if err := p.load(files, string(text), kind); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Policy) load(files fs.FS, modelText string, kind Kind) error {
	m, err := model.NewModelFromString(modelText)
	if err != nil {
		return fmt.Errorf("policy: model.conf: %w", err)
	}
	rows, err := readRows(files, string(kind)+".csv")
	if err != nil {
		return err
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return fmt.Errorf("policy: model.conf: %w", err)
	}
	e.AddFunction("holds", func(args ...any) (any, error) {
		roles, ok := args[0].(Roles)
		role, ok2 := args[1].(string)
		if !ok || !ok2 {
			return false, errors.New("holds wants a set of roles and a role")
		}
		for i, name := range roleNames {
			if name == role {
				return roles&(1<<i) != 0, nil
			}
		}
		return false, nil
	})
	if _, err := e.AddPolicies(rows); err != nil {
		return fmt.Errorf("policy: %s.csv: %w", kind, err)
	}
	p.enforcers[kind], p.known[kind] = e, map[question]bool{}
	for _, row := range rows {
		p.known[kind][question{row[1], row[2]}] = true
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
		if _, ok := roleByName[row[0]]; !ok {
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
	return p.known[kind][question{object, action}]
}

// allowed is the decision for a set of roles.
func (p *Policy) allowed(kind Kind, roles Roles, object, action string) (bool, error) {
	key := decision{kind, roles, question{object, action}}
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

// Explain answers as Require does for these roles, with the row that decided;
// an empty row means that no row allows it.
func (p *Policy) Explain(kind Kind, roles Roles, object, action string) (ok bool, row []string, err error) {
	return p.enforcers[kind].EnforceEx(roles, object, action)
}

package access_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"commissionportal/internal/access"
	"commissionportal/policies"
)

const model = `[request_definition]
r = roles, obj, act
[policy_definition]
p = role, obj, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = p.obj == r.obj && p.act == r.act && holds(r.roles, p.role)
`

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, rows, want string }{
		{"unknown role", "chair, seat, edit\n\nboss, seat, edit\n", `commission.csv line 3: no such role "boss"`},
		{"a word missing", "chair, seat\n", "line 1: want role, object, action"},
		{"an effect that is none", "chair, seat, edit, maybe\n", "line 1: want role"},
		{"an empty word", "chair, , edit\n", "line 1: object or action is empty"},
		{"no row", "# nothing\n", "has no row"},
	} {
		files := fstest.MapFS{"model.conf": {Data: []byte(model)}, "portal.csv": {Data: []byte("visitor, home, read\n")},
			"organization.csv": {Data: []byte("visitor, organization, read\n")}, "commission.csv": {Data: []byte(tt.rows)}}
		if _, err := access.Load(files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := access.Load(fstest.MapFS{"model.conf": {Data: []byte(model)}}); err == nil {
		t.Error("loaded without its tables")
	}
}

// TestDenyWins: a role that is denied is denied, whatever else is held.
func TestDenyWins(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"model.conf": {Data: []byte(model)}, "portal.csv": {Data: []byte("visitor, home, read\n")},
		"organization.csv": {Data: []byte("visitor, organization, read\n")},
		"commission.csv":   {Data: []byte("chair, seat, edit\nobserver, seat, edit, deny\n")}}
	p, err := access.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		roles access.Roles
		want  bool
	}{
		{access.Chair, true}, {access.Observer, false}, {access.Chair | access.Observer, false}, {0, false},
	} {
		if ok, _, err := p.Decide(access.CommissionKind, tt.roles, "seat", "edit"); err != nil || ok != tt.want {
			t.Errorf("%v: %v %v, want %v", tt.roles, ok, err, tt.want)
		}
	}
}

// TestPolicies holds what must be true of the tables the portal ships.
func TestPolicies(t *testing.T) {
	t.Parallel()
	p, err := access.Load(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kind           access.Kind
		roles          access.Roles
		object, action string
		want           bool
	}{
		{access.CommissionKind, access.Visitor, "commission", "read", true},
		{access.CommissionKind, access.Visitor, "application", "decide", false},
		{access.CommissionKind, access.Visitor | access.Person | access.Member | access.Observer, "application", "decide", false},
		{access.CommissionKind, access.Visitor | access.Person | access.Member | access.Officer | access.Chair, "application", "decide", true},
		{access.CommissionKind, access.Visitor, "roster", "read:public", true},
		{access.CommissionKind, access.Visitor, "roster", "read:portal", false},
		{access.CommissionKind, access.Person, "roster", "read:commission", false},
		{access.CommissionKind, access.Member, "roster", "read:officers", false},
		{access.OrganizationKind, access.Affiliate, "seat", "nominate", false},
		{access.OrganizationKind, access.Representative | access.Affiliate, "seat", "nominate", true},
		{access.PortalKind, access.Person, "import", "run", false},
		{access.PortalKind, access.Secretariat, "import", "run", true},
	} {
		if ok, _, err := p.Decide(tt.kind, tt.roles, tt.object, tt.action); err != nil || ok != tt.want {
			t.Errorf("%s: may [%s] %s %s: %v %v, want %v", tt.kind, tt.roles, tt.action, tt.object, ok, err, tt.want)
		}
	}
}

func BenchmarkDecided(b *testing.B) {
	p, err := access.Load(policies.Files)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if p.May(access.Actor{}, access.Portal, "import", "run") {
			b.Fatal("a visitor may import")
		}
	}
}

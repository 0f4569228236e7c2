package access

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"commissionportal/policies"
)

// TestGolden writes down what each role may do, with all that it implies, and
// compares it with testdata/rights.txt: whoever changes a policy sees there what
// that means. GOLDEN=1 writes the file anew.
func TestGolden(t *testing.T) {
	t.Parallel()
	p, err := Load(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, kind := range []Kind{PortalKind, OrganizationKind, CommissionKind} {
		for _, name := range roleNames {
			roles := roleByName[name] | Visitor
			if name != "visitor" {
				roles |= Person
			}
			may := []string{}
			for q := range p.known[kind] {
				ok, err := p.allowed(kind, roles, q.Object, q.Action)
				if err != nil {
					t.Fatal(err)
				}
				everybody, err := p.allowed(kind, Visitor|Person, q.Object, q.Action)
				if err != nil {
					t.Fatal(err)
				}
				if ok && (!everybody || roles&^(Visitor|Person) == 0) {
					may = append(may, q.Object+" "+q.Action)
				}
			}
			if len(may) > 0 {
				slices.Sort(may)
				fmt.Fprintf(&b, "%s: %s\n  %s\n", kind, name, strings.Join(may, "\n  "))
			}
		}
	}
	if os.Getenv("GOLDEN") != "" {
		if err := os.WriteFile("testdata/rights.txt", []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/rights.txt")
	if err != nil {
		t.Fatal(err)
	}
	got, old := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(old)) {
		var g, o string
		if i < len(got) {
			g = got[i]
		}
		if i < len(old) {
			o = old[i]
		}
		if g != o {
			t.Fatalf("testdata/rights.txt line %d says %q, the policies %q. If that is meant: GOLDEN=1 go test ./internal/access", i+1, o, g)
		}
	}
}

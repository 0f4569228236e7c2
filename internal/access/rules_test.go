package access

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/policies"
)

// TestRulesByOracle decides at random: rules, roles, questions; and compares the
// policy with what docs/access.md says, written again without Casbin and without
// the code of the ladder. Explain has to say the same.
func TestRulesByOracle(t *testing.T) {
	t.Parallel()
	p, err := Load(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	commission, source := uuid.New(), uuid.New()
	seats := []string{"chair", "vice_chair", "secretary", "voting_representative", "alternate_representative", "observer", "liaison_officer", "invited_expert", "emeritus"}
	columns := append([]string{"member", "officer", "own_1", "own_10"}, seats...)
	officers := []string{"chair", "vice_chair", "secretary"}
	decisions, want := 0, 10_000
	if os.Getenv("PROVE") != "" { // make prove
		want = 1_000_000
	}
	for decisions < want {
		rules := []Rule{}
		for range r.IntN(30) {
			q := p.changeable[r.IntN(len(p.changeable))]
			rule := Rule{columns[r.IntN(len(columns))], q.Object, q.Action, []string{Allow, Deny}[r.IntN(2)]}
			if !slices.ContainsFunc(rules, func(o Rule) bool { return o.Role == rule.Role && o.Object == rule.Object && o.Action == rule.Action }) {
				rules = append(rules, rule)
			}
		}
		says := func(role string, q Question) string {
			for _, rule := range rules {
				if rule.Role == role && rule.Object == q.Object && rule.Action == q.Action {
					return rule.Effect
				}
			}
			if p.rows[CommissionKind][row{role, q}] {
				return Allow
			}
			return ""
		}
		// One seat: the role itself, then officers, then members; the first that is spoken of.
		oracle := func(role string, q Question) bool {
			answer := says(role, q)
			if strings.HasPrefix(role, "own_") { // a role of its own gives what is allowed for it, and nothing else
				return answer == Allow
			}
			if answer == "" && slices.Contains(officers, role) {
				answer = says("officer", q)
			}
			if answer == "" {
				answer = says("member", q)
			}
			return answer == Allow
		}
		for range 20 {
			who := Actor{ID: uuid.New(), places: map[uuid.UUID]Roles{}, rules: &rulebook{of: map[uuid.UUID]*Shape{}}}
			if s := p.Shaped(rules); s != nil {
				who.rules.of[commission] = s
			}
			held := []string{}
			for range r.IntN(3) {
				role := seats[r.IntN(len(seats))]
				held = append(held, role)
				who.places[commission] |= roleByName[role]
				if r.IntN(4) == 0 { // comes with a seat
					held = append(held, "own_10")
					who.places[commission] |= roleByName["own_10"]
				}
			}
			others := []string{"visitor", "person"}
			if r.IntN(5) == 0 {
				who.portal, others = Secretariat, append(others, "secretariat")
			}
			if r.IntN(5) == 0 {
				who.places[commission] |= Convener
				others = append(others, "convener")
			}
			scope := Commission(commission)
			if r.IntN(3) == 0 { // a document of an organization, which the actor may represent or have by a share
				scope = Document(commission, uuid.Nil, source, Recipient, "read:commission")
				others = append(others, "recipient")
				if r.IntN(2) == 0 {
					who.places[source] = Representative | Affiliate
					others = append(others, "colleague", "owner")
				}
			}
			for q := range p.known[CommissionKind] {
				right := slices.ContainsFunc(others, func(role string) bool { return p.rows[CommissionKind][row{role, q}] }) ||
					slices.ContainsFunc(held, func(role string) bool { return oracle(role, q) })
				if got := p.May(who, scope, q.Object, q.Action); got != right {
					t.Fatalf("%v, seats %v, besides %v: %s %s is %v, the oracle says %v", rules, held, others, q.Action, q.Object, got, right)
				}
				e, err := p.Explain(who, scope, q.Object, q.Action)
				because := slices.ContainsFunc(e.Because, func(r Reason) bool { return r.Allowed })
				if err != nil || e.Allowed != right || because != right {
					t.Fatalf("%v, seats %v, besides %v: %s %s: explained as %+v, %v, the oracle says %v", rules, held, others, q.Action, q.Object, e, err, right)
				}
				decisions++
			}
		}
	}
	t.Logf("%d decisions, the policy and the oracle agree on all", decisions)
}

func BenchmarkShaped(b *testing.B) {
	p, err := Load(policies.Files)
	if err != nil {
		b.Fatal(err)
	}
	id := uuid.New()
	shape := func() *Shape {
		return p.Shaped([]Rule{{"observer", "document", "submit", Deny}, {"member", "document", "read:commission", Deny}, {"invited_expert", "document", "read:commission", Allow},
			{"emeritus", "application", "decide", Allow}})
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if ok, err := shape().allowed(Observer|Member, "document", "submit"); ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("decided", func(b *testing.B) {
		who := Actor{ID: id, places: map[uuid.UUID]Roles{id: Observer | Member}, rules: &rulebook{of: map[uuid.UUID]*Shape{id: shape()}}}
		for b.Loop() {
			if p.May(who, Commission(id), "document", "submit") {
				b.Fatal("allowed")
			}
		}
	})
}

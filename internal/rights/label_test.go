package rights

import (
	"testing"

	"commissionportal/internal/access"
	"commissionportal/policies"
)

// TestLabels: everything that a commission can change stands in the matrix once,
// and nothing else does.
func TestLabels(t *testing.T) {
	t.Parallel()
	p, err := access.Load(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, topic := range topics {
		rows += len(topic.rows)
	}
	if all := p.AllChangeable(); rows != len(all) {
		t.Errorf("%d rows in the matrix, %d that can be changed", rows, len(all))
	}
	for _, q := range p.AllChangeable() {
		if Label(q) == "" {
			t.Errorf("the matrix has no row for %s %s", q.Object, q.Action)
		}
	}
}

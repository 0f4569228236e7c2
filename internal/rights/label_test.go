package rights

import (
	"encoding/csv"
	"io/fs"
	"testing"

	"commissionportal/internal/access"
	"commissionportal/policies"
)

// TestWords: every question of the policies has words, once, and no words are of
// something else.
func TestWords(t *testing.T) {
	t.Parallel()
	asked := map[access.Question]bool{}
	files, err := fs.Glob(policies.Files, "*.csv")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		f, err := policies.Files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(f)
		r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, -1
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			q := access.Question{Object: row[1], Action: row[2]}
			asked[q] = true
			if Label(q) == "" {
				t.Errorf("%s: no words for %s %s", name, q.Object, q.Action)
			}
		}
	}
	n := len(fixed)
	for _, topic := range topics {
		n += len(topic.rows)
	}
	if n != len(asked) {
		t.Errorf("words for %d questions, %d are asked", n, len(asked))
	}
}

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

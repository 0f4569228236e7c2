package journal_test

import (
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	e := journal.Erasure{Pseudonym: "X", Names: []string{"Ada Lovelace", "Li", "王小明", "Tom & Jerry", "Sam Same"}, Shared: []string{"Sam Same"}, Addresses: []string{"ada@b.example"}}
	for in, want := range map[string]string{
		"Ada Lovelace spoke.":                             "X spoke.",
		"Then ADA LOVELACE, Ada\n Lovelace":               "Then X, X",
		"Ada Lovelaces and Nevada Lovelace":               "Ada Lovelaces and Nevada Lovelace",
		"a Li battery":                                    "a Li battery",
		"由王小明主持":                                          "由X主持",
		"<b>Tom &amp; Jerry</b>, Tom & Jerry":             "<b>X</b>, X",
		"Sam Same is two persons":                         "Sam Same is two persons",
		"<Ada@B.example>, mada@b.example, ada@b.example.": "<X>, mada@b.example, X.",
		"ada@b.example.org":                               "ada@b.example.org",
		"Ada met Mr. Lovelace":                            "Ada met Mr. Lovelace",
		"":                                                "",
	} {
		if got := e.Replace(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if found := apptest.Value[bool](p, `SELECT $1::text ~* $2`, in, e.Pattern()); found != (in != want) {
			t.Errorf("Postgres finds something in %q: %v", in, found)
		}
	}
}

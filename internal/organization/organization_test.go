package organization

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func day(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }

// levelAt is the highest level that one of the spans has at an instant, "" for none.
func levelAt(spans []span, at time.Time) string {
	level := ""
	for _, s := range spans {
		if s.From.After(at) || s.Until != nil && !s.Until.After(at) {
			continue
		}
		if level == "" || slices.Index(Levels, s.Level) < slices.Index(Levels, level) {
			level = s.Level
		}
	}
	return level
}

// TestUnion compares what participations are together with what they were, day
// by day, and holds that the result neither overlaps nor is cut needlessly.
func TestUnion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) span {
			from := rapid.IntRange(0, 20).Draw(t, "from")
			s := span{Level: rapid.SampledFrom(Levels).Draw(t, "level"), From: day(from)}
			if rapid.Bool().Draw(t, "ended") {
				until := day(from + rapid.IntRange(1, 10).Draw(t, "length"))
				s.Until = &until
			}
			return s
		}), 1, 6).Draw(t, "spans")
		whole := union(spans)
		for n := -1; n < 40; n++ {
			if got, want := levelAt(whole, day(n)), levelAt(spans, day(n)); got != want {
				t.Fatalf("day %d: %q, want %q: %+v", n, got, want, whole)
			}
		}
		for i := 1; i < len(whole); i++ {
			before, after := whole[i-1], whole[i]
			switch {
			case before.Until == nil || before.Until.After(after.From):
				t.Fatalf("%d overlaps: %+v", i, whole)
			case before.Until.Equal(after.From) && before.Level == after.Level:
				t.Fatalf("%d is cut needlessly: %+v", i, whole)
			}
		}
	})
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("01932f3e-0000-7000-8000-0123456789ab")
	for name, want := range map[string]string{"Siemens AG": "siemens-ag", "New": "new-2", "Similar": "similar-2", "北方电力": "organization-0123456789ab"} {
		list := candidates(name, id)
		if list[0] != want {
			t.Errorf("%s: %s, want %s", name, list[0], want)
		}
		for _, s := range list {
			if s == "" || len(s) > 80 || slices.Contains(reserved, s) {
				t.Errorf("%s: %q is no slug", name, s)
			}
		}
	}
}

func TestDomain(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"ada@mail.siemens.com": "siemens.com", "https://www.siemens.com/de": "siemens.com", "bob@gmail.com": "", "https://facebook.com/us": "", "": "",
	} {
		if got := Domain(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	fr, de := "FR", "DE"
	cells := []cell{{&fr, "company", "full", 3}, {&de, "company", "full", 5}, {&de, "academia", "associate", 2}, {nil, "intergovernmental", "liaison", 1}}
	c := count(cells, Filter{Country: "DE", Kind: "company"})
	if c.Total != 5 || c.Countries["FR"] != 3 || c.Countries["DE"] != 5 || c.Kinds["academia"] != 2 || c.Categories["full"] != 5 || len(c.Categories) != 1 {
		t.Errorf("got %+v", c)
	}
	if c := count(cells, Filter{}); c.Total != 11 || len(c.Countries) != 2 {
		t.Errorf("got %+v", c)
	}
}

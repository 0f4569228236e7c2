package part

import (
	"fmt"
	"strings"
	"testing"
)

func TestCountClasses(t *testing.T) {
	for most, want := range map[int]string{
		0: "", 1: "1+c5", 3: "1-1c4 2+c5", 10: "1-1c2 2-4c3 5-9c4 10+c5", 48: "1-1c1 2-4c2 5-9c3 10-19c4 20+c5", 100_000: "1-9c1 10-99c2 100-1999c3 2000-9999c4 10000+c5",
	} {
		var got []string
		for i, c := range countClasses(most) {
			if i > 0 && c.From <= 0 {
				t.Errorf("%d: class from %d", most, c.From)
			}
			if c.To == 0 {
				got = append(got, fmt.Sprintf("%d+%s", c.From, c.Class))
			} else {
				got = append(got, fmt.Sprintf("%d-%d%s", c.From, c.To, c.Class))
			}
		}
		if most == 100_000 { // the exact middle is of no interest, the number and the ends are
			if len(got) != 5 || !strings.HasPrefix(got[0], "1-") || !strings.HasSuffix(got[4], "+c5") {
				t.Errorf("%d: %v", most, got)
			}
			continue
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%d: %s, want %s", most, s, want)
		}
	}
}

func TestNiceStep(t *testing.T) {
	for most, want := range map[int]int{1: 1, 4: 1, 5: 2, 9: 5, 21: 10, 81: 50, 299: 100, 801: 500, 1_000_000: 500_000} {
		if got := niceStep(most); got != want {
			t.Errorf("niceStep(%d) = %d, want %d", most, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Ada Lovelace": "AL", "ada": "A", "王晓明": "王", "Яна Орлова": "ЯО", "أمينة ديالو": "أ", "": "?", " – ": "?", "3M": "3", "Jean-Luc de la Tour": "JT", "\xff\xfe": "?",
	} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
	seen := map[string]int{}
	for i := range 400 {
		seen[hue(fmt.Sprint("person ", i))]++
	}
	for i := range 8 {
		if n := seen[fmt.Sprint("hue-", i)]; n < 20 {
			t.Errorf("%d of 400 names have hue-%d", n, i)
		}
	}
}

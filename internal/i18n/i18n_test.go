package i18n

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/language"

	"commissionportal/internal/problem"
)

// pseudo is a context in the made-up language of testdata.
func pseudo(t *testing.T) context.Context {
	t.Helper()
	c, err := load(os.DirFS("testdata"), "languages")
	if err != nil {
		t.Fatal(err)
	}
	before := known
	known = c
	t.Cleanup(func() { known = before })
	return With(context.Background(), Locale{Language: language.MustParse("ar-XB"), Zone: time.UTC})
}

func TestT(t *testing.T) {
	english, other := context.Background(), pseudo(t)
	for _, tt := range []struct {
		name           string
		text           string
		args           []any
		english, other string
	}{
		{"plain", "Sign in", nil, "Sign in", "[Sign in]"},
		{"percent without arguments", "100% sure", nil, "100% sure", "[100% sure]"},
		{"percent and verb without arguments", "50%d off %", nil, "50%d off %", "50%d off %"},
		{"not in the catalog", "Sign out", nil, "Sign out", "Sign out"},
		{"order of arguments", "%s joined %s", []any{"Ada", "Energy"}, "Ada joined Energy", "[Energy < Ada]"},
		{"argument with a percent sign", "%s joined %s", []any{"100%s", "%d"}, "100%s joined %d", "[%d < 100%s]"},
		{"argument that is a text", "This commission is %s already.", []any{Key("active")}, "This commission is active already.", "[already [active]]"},
		{"amount", "%d rows", []any{12345}, "12,345 rows", "١٢٬٣٤٥ rows"},
		{"date", "until %s", []any{time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)}, "until 9\u00a0Mar\u00a02026", "until ٢٠٢٦/٠٣/٠٩"},
	} {
		if got := T(english, tt.text, tt.args...); got != tt.english {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.english)
		}
		if got := T(other, tt.text, tt.args...); got != tt.other {
			t.Errorf("%s, other language: %q, want %q", tt.name, got, tt.other)
		}
	}
}

func TestTLeavesArgumentsAlone(t *testing.T) {
	args := []any{Key("active")}
	T(pseudo(t), "This commission is %s already.", args...)
	if args[0] != Key("active") {
		t.Errorf("the caller's argument became %v", args[0])
	}
}

func TestN(t *testing.T) {
	english, other := context.Background(), pseudo(t)
	for n, want := range map[int][2]string{
		0: {"0 seats", "[no seat]"}, 1: {"1 seat", "[one seat]"}, 2: {"2 seats", "[two seats]"}, 5: {"5 seats", "[٥ few]"},
		11: {"11 seats", "[١١ many]"}, 100: {"100 seats", "[١٠٠ other]"}, 1001: {"1,001 seats", "[١٬٠٠١ other]"},
	} {
		if got := N(english, n, "%d seat", "%d seats"); got != want[0] {
			t.Errorf("%d: %q, want %q", n, got, want[0])
		}
		if got := N(other, n, "%d seat", "%d seats"); !strings.HasPrefix(got, want[1]) {
			t.Errorf("%d, other language: %q, want %q", n, got, want[1])
		}
	}
	if got := N(english, int64(2), "%d seat of %s", "%d seats of %s", "Ada"); got != "2 seats of Ada" {
		t.Errorf("further argument: %q", got)
	}
	if got := N(other, 1, "%d person", "%d persons"); got != "١ person" {
		t.Errorf("missing plural is said in English: %q", got)
	}
}

func TestNumber(t *testing.T) {
	english, other := context.Background(), pseudo(t)
	for n, want := range map[int][2]string{0: {"0", "٠"}, 999: {"999", "٩٩٩"}, 1000: {"1,000", "١٬٠٠٠"}, -5: {"-5", "\u061c-٥"}} {
		if got := Number(english, n); got != want[0] {
			t.Errorf("%d: %q, want %q", n, got, want[0])
		}
		if got := Number(other, n); got != want[1] {
			t.Errorf("%d, other language: %q, want %q", n, got, want[1])
		}
	}
	if got := Decimal(english, 1234.5, 2); got != "1,234.50" {
		t.Error(got)
	}
}

func TestDates(t *testing.T) {
	samoa := time.FixedZone("+13", 13*3600)
	ctx := With(context.Background(), Locale{Language: language.English, Zone: samoa})
	at := time.Date(2026, time.December, 31, 23, 5, 0, 0, time.UTC)
	for name, pair := range map[string][2]string{
		"Date":       {Date(ctx, at), "1\u00a0Jan\u00a02027"},
		"Day":        {Day(ctx, at), "31\u00a0Dec\u00a02026"},
		"DateTime":   {DateTime(ctx, at), "1\u00a0Jan\u00a02027, 12:05 +13"},
		"Month":      {Month(ctx, at), "January\u00a02027"},
		"zero":       {Date(ctx, time.Time{}) + DateTime(ctx, time.Time{}) + Month(ctx, time.Time{}) + Ago(ctx, time.Time{}, at), ""},
		"no context": {DateTime(context.Background(), at), "31\u00a0Dec\u00a02026, 23:05 UTC"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", name, pair[0], pair[1])
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	for passed, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 59 * time.Minute: "59 minutes ago",
		time.Hour: "1 hour ago", 25 * time.Hour: "1 day ago", 28 * 24 * time.Hour: "28 days ago", 29 * 24 * time.Hour: "8\u00a0Feb\u00a02026",
		-time.Hour: "in 1 hour", -3 * 24 * time.Hour: "in 3 days", -90 * time.Second: "in 1 minute", -40 * 24 * time.Hour: "18\u00a0Apr\u00a02026",
	} {
		if got := Ago(context.Background(), now.Add(-passed), now); got != want {
			t.Errorf("%s: %q, want %q", passed, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	pseudo(t)
	for _, tt := range []struct{ accept, choice, want string }{
		{"", "", "en"},
		{"de-DE,de;q=0.9", "", "en"},
		{"ar-XB", "", "ar-XB"},
		{"ar-XB", "en", "en"},
		{"en", "ar-XB", "ar-XB"},
		{"en", "tlh", "en"},
		{"ar-XB;q=0.3, en-GB;q=0.8", "", "en"},
		{";;;q=x,\x00", "\xff", "en"},
	} {
		if got := Match(tt.accept, tt.choice).String(); got != tt.want {
			t.Errorf("Match(%q, %q) = %s, want %s", tt.accept, tt.choice, got, tt.want)
		}
	}
}

func TestDirection(t *testing.T) {
	if got := Dir(context.Background()) + Lang(context.Background()); got != "ltren" {
		t.Error(got)
	}
	if got := Dir(pseudo(t)); got != "rtl" {
		t.Error(got)
	}
	unknown := With(context.Background(), Locale{Language: language.MustParse("tlh")})
	if got := Dir(unknown) + Lang(unknown); got != "ltren" {
		t.Errorf("a language the portal lacks: %s", got)
	}
	if From(unknown).Zone != time.UTC {
		t.Error("no zone is not UTC")
	}
}

func TestProblem(t *testing.T) {
	ctx := pseudo(t)
	if got := Problem(ctx, nil); got != "" {
		t.Error(got)
	}
	if got := Problem(ctx, problem.New(problem.Conflict, "This commission is %s already.", Key("active"))); got != "[already [active]]" {
		t.Error(got)
	}
	p := problem.Field("name", "100% sure").And("name", "Sign in").And("kind", "Sign in")
	if got := Problem(ctx, p); got != "[100% sure]" {
		t.Error(got)
	}
	fields := FieldProblems(ctx, p)
	if len(fields) != 2 || fields["name"] != "[100% sure]" || fields["kind"] != "[Sign in]" {
		t.Error(fields)
	}
	if FieldProblems(ctx, nil) != nil {
		t.Error("no problem has fields")
	}
}

func TestLoadRefuses(t *testing.T) {
	english, err := files.ReadFile("languages/en.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]struct{ path, content string }{
		"no English":            {"l/fr.json", string(english)},
		"not JSON":              {"l/en.json", "{"},
		"not a language":        {"l/not a language.json", string(english)},
		"plural without other":  {"l/en.json", strings.Replace(string(english), "{", `{"plurals": {"%d seat": {"one": "x"}},`, 1)},
		"a month without name":  {"l/en.json", strings.Replace(string(english), `"March"`, `""`, 1)},
		"no pattern for a date": {"l/en.json", strings.Replace(string(english), `"d MMM y"`, `""`, 1)},
	} {
		if _, err := load(fstest.MapFS{file.path: {Data: []byte(file.content)}}, "l"); err == nil {
			t.Errorf("%s: loads", name)
		}
	}
}

// Requests speak at the same time; the race detector listens.
func TestConcurrent(t *testing.T) {
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				if got := N(ctx, i+2, "%d seat of %s", "%d seats of %s", "Ada"); !strings.HasSuffix(got, "seats of Ada") {
					t.Error(got)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkT(b *testing.B) {
	ctx := With(context.Background(), Locale{Language: language.English})
	for b.Loop() {
		T(ctx, "%d of %d", 3, 7)
	}
}

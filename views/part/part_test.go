package part_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
	"golang.org/x/text/language"

	"commissionportal/internal/i18n"
	"commissionportal/internal/textdiff"
	"commissionportal/views/layout"
	"commissionportal/views/part"
)

// wellFormed checks what a browser repairs silently: unique ids, labels, described
// fields that exist, nothing that the Content-Security-Policy forbids.
func wellFormed(t *testing.T, name, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(name, err)
	}
	ids, refs := map[string]int{}, map[string]string{}
	headings := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "h1" {
			headings++
		}
		if n.Data == "style" {
			t.Errorf("%s: <style>", name)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val]++
			case a.Key == "for", a.Key == "aria-describedby", a.Key == "aria-labelledby":
				for ref := range strings.FieldsSeq(a.Val) {
					refs[ref] = a.Key
				}
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
			case strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
				t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s: %d h1", name, headings)
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %q %d times", name, id, n)
		}
	}
	for ref, by := range refs {
		if ids[ref] == 0 {
			t.Errorf("%s: %s=%q names nothing", name, by, ref)
		}
	}
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)> ' & </textarea></title> %s %d`

// Whatever people write stays text, in every part and every place of it.
func TestHostileTextStaysText(t *testing.T) {
	now := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	bad := "javascript:alert(1)" + hostile
	field := part.Field{Name: hostile, Label: hostile, Value: hostile, Help: hostile, Error: hostile, Placeholder: hostile, Autocomplete: hostile, Blank: hostile, Min: hostile, ID: "f-x",
		Options: []part.Option{{Value: hostile, Label: hostile, Help: hostile, Group: hostile}}}
	text := part.Say(hostile)
	for name, c := range map[string]templ.Component{
		"Text": part.Text(field), "Area": part.Area(field), "Select": part.Select(field), "Country": part.Country(field), "Radios": part.Radios(field), "Check": part.Check(field),
		"Date": part.Date(field), "File": part.File(field), "Hidden": part.Hidden(hostile, hostile), "ErrorSummary": part.ErrorSummary(field),
		"Form": in(part.Form(part.Post{Action: hostile, Key: hostile, Guard: true}), text), "Do": part.Do(hostile, hostile, hostile, part.Post{Action: hostile, Key: hostile}),
		"Link": part.Link(hostile, hostile, hostile, hostile), "Ask": part.Ask("", "", hostile, hostile), "Submit": part.SubmitAs(hostile, hostile, hostile, hostile), "Copy": part.Copy(hostile),
		"Confirm":    part.Confirm(part.Ending{Title: hostile, Intro: hostile, Ends: []string{hostile}, Stays: []string{hostile}, Button: hostile, Cancel: hostile}),
		"PageHeader": part.PageHeader(part.Header{Crumbs: []part.Crumb{{Label: hostile, Path: hostile}}, Kicker: hostile, Title: hostile, Subtitle: hostile}),
		"Tabs":       part.Tabs(hostile, []part.Tab{{Label: hostile, Path: hostile, Count: 1}}), "Stats": part.Stats([]part.Stat{{Label: hostile, Value: hostile, Note: hostile, Path: hostile}}),
		"Section": in(part.Section(hostile, "s"), text), "Alert": part.Alert(hostile, hostile), "Hero": part.Hero(hostile, hostile),
		"Table": in(part.Table(hostile, part.Column{Label: hostile, Class: hostile, Sort: hostile, Sorted: hostile}), text), "Chips": part.Chips(hostile, hostile, part.Chip{Label: hostile, Remove: hostile}),
		"FilterBar": part.FilterBar(part.Filter{Action: hostile, Label: hostile, Query: field}), "Pager": part.Pager(part.Paging{First: hostile, Next: hostile}), "Empty": part.Empty(hostile, hostile, hostile),
		"Facts": part.Facts(part.Fact{Label: hostile, Value: text}), "Badge": part.Badge(hostile, hostile), "State": part.State(hostile), "Role": part.Role(hostile), "Participation": part.Participation(hostile),
		"Person": part.Person(hostile, hostile, hostile), "Organization": part.Organization(hostile, hostile, hostile, hostile), "InCountry": part.InCountry(hostile), "Avatar": part.Avatar(hostile, hostile),
		"Timeline": part.Timeline(now, []part.Event{{At: now, Icon: hostile, Tone: hostile, Text: hostile, Who: hostile, Detail: hostile, Path: hostile}}),
		"Bars":     part.Bars(hostile, []part.Bar{{Label: hostile, Count: 3, Path: hostile}}), "Meter": part.Meter(part.Need{Label: hostile, Have: 1, Need: 2}),
		"Growth":   part.Growth("g", hostile, []part.Point{{At: now}, {At: now.AddDate(0, 1, 0), Count: 2}}),
		"WorldMap": part.WorldMap(part.Counts{Title: hostile, ByCode: map[string]int{"FR": 1, "MT": 2, hostile: 9}, Say: func(context.Context, int) string { return hostile }, Path: func(string) string { return hostile }}),
		"Diff":     part.Diff(textdiff.Compare(hostile, "x "+hostile, 1)),
		"Problem":  layout.Problem(500, hostile, hostile, hostile),
		"bad link": part.Link("", "", "x", bad), "bad action": part.Form(part.Post{Action: bad}), "bad tab": part.Tabs("", []part.Tab{{Path: bad}}), "bad crumb": part.PageHeader(part.Header{Crumbs: []part.Crumb{{Path: bad}}}),
	} {
		ctx := layout.With(context.Background(), layout.Frame{Person: layout.Person{ID: hostile, Name: hostile}, Menu: []layout.Entry{{Label: hostile, Path: hostile}}, Own: []layout.Entry{{Label: hostile, Path: hostile}},
			Flash: []layout.Flash{{Kind: hostile, Text: hostile}}, Theme: hostile, Path: hostile})
		page := render(ctx, t, c)
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(name, err)
		}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data == "script" && attribute(n, "src") == "" {
				t.Errorf("%s: a script came in", name)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") {
					t.Errorf("%s: <%s %s>", name, n.Data, a.Key)
				}
			}
		}
		if strings.Contains(page, "%!") {
			t.Errorf("%s: a format took the text for its own: %.200s", name, page[strings.Index(page, "%!"):])
		}
	}
}

func TestFields(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    templ.Component
		want []string
		not  []string
	}{
		{"required is not optional", part.Text(part.Field{Name: "n", Label: "Name", Required: true}), []string{`for="f-n"`, `id="f-n"`, `name="n"`, ` required`, `type="text"`}, []string{"optional", "aria-invalid", "aria-describedby"}},
		{"optional says so", part.Text(part.Field{Name: "n", Label: "Name", Type: "email"}), []string{"optional", `type="email"`}, []string{" required"}},
		{"error is at the field, before the help", part.Text(part.Field{Name: "a.b[0]", Help: "Help", Error: "Wrong."}),
			[]string{`id="f-a-b-0"`, `aria-describedby="f-a-b-0-error f-a-b-0-help"`, `aria-invalid="true"`, `id="f-a-b-0-error"`, `is-invalid`, `Wrong.`}, nil},
		{"what was typed comes back", part.Area(part.Field{Name: "n", Value: "two\nlines", MaxLength: 9}), []string{">two\nlines</textarea>", `maxlength="9"`}, nil},
		{"select keeps the choice", part.Select(part.Field{Name: "n", Value: "b", Blank: "Choose", Options: []part.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B", Group: "G"}}}),
			[]string{`<option value="">Choose</option>`, `<option value="b" selected>B</option>`, `<optgroup label="G">`}, []string{`value="a" selected`}},
		{"a choice that none undoes is not optional", part.Select(part.Field{Name: "n", Value: "a", Options: []part.Option{{Value: "a"}, {Value: "b"}}}), nil, []string{"optional"}},
		{"one that can be undone is", part.Select(part.Field{Name: "n", Value: "a", Blank: "None", Options: []part.Option{{Value: "a"}}}), []string{"optional"}, nil},
		{"country keeps the choice", part.Country(part.Field{Name: "c", Value: "CI"}), []string{`<option value="CI" selected>Côte d’Ivoire</option>`, "Choose a country"}, nil},
		{"radios keep the choice", part.Radios(part.Field{Name: "n", Value: "b", Error: "Wrong.", Options: []part.Option{{Value: "a"}, {Value: "b"}}}), []string{`value="b" checked`, `aria-describedby="f-n-error"`, "<legend"}, []string{`value="a" checked`}},
		{"check is ticked by true", part.Check(part.Field{Name: "n", Value: "true"}), []string{" checked"}, nil},
		{"check is not ticked by else", part.Check(part.Field{Name: "n", Value: "on"}), nil, []string{" checked"}},
		{"no error, no summary", part.ErrorSummary(part.Field{Name: "n"}), nil, []string{"<"}},
		{"summary leads to the fields", part.ErrorSummary(part.Field{Name: "a", Label: "A", Error: "Wrong."}, part.Field{Name: "b"}), []string{`href="#f-a"`, "1 entry needs another look", `role="alert"`}, []string{`#f-b`}},
		{"form carries its key", part.Form(part.Post{Action: "/x", Key: "k", Upload: true}), []string{`name="_key" value="k"`, `enctype="multipart/form-data"`, `method="post"`, "novalidate"}, []string{"data-guard"}},
		{"everything in sight needs no pager", part.Pager(part.Paging{}), nil, []string{"<"}},
		{"small bars stay visible", part.Bars("t", []part.Bar{{Label: "a", Count: 1}, {Label: "b", Count: 100000}, {Label: "c"}}), []string{`width="0.8%"`, `width="100.0%"`, `width="0%"`, "100,000"}, nil},
		{"a need that is met", part.Meter(part.Need{Label: "x", Have: 9, Need: 5}), []string{"9 of 5", "reached", "is-met", `width="100.0%"`}, []string{"to go"}},
		{"a need that is not", part.Meter(part.Need{Label: "x", Have: 7, Need: 10}), []string{"7 of 10", "3 to go", `width="70.0%"`}, []string{"is-met"}},
		{"too few points", part.Growth("g", "t", []part.Point{{}}), []string{"Too early"}, []string{"<svg"}},
		{"points that stand still", part.Growth("g", "t", []part.Point{{At: now}, {At: now}}), []string{"<svg"}, []string{"NaN", "Inf"}},
		{"map without anybody", part.WorldMap(part.Counts{Say: say}), []string{"world-dot"}, []string{"world-marker", "NaN"}},
		{"map with a small state", part.WorldMap(part.Counts{ByCode: map[string]int{"MT": 3, "FR": 1}, Say: say}), []string{`class="world-marker`, "Malta: 3", "France: 1", "2 countries as a table"}, nil},
		{"logo or letters", part.OrganizationLogo("Nordgrid AB", "", "sm"), []string{">NA<"}, []string{"<img"}},
		{"states have words", part.State("vice-chair"), []string{">Vice chair<", "tone-accent"}, nil},
	} {
		got := render(context.Background(), t, tt.c)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%.600s", tt.name, want, got)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q in\n%.600s", tt.name, not, got)
			}
		}
	}
}

func TestFrame(t *testing.T) {
	page := layout.Page(layout.Head{Title: "Roster", Active: "/b"})
	for _, tt := range []struct {
		name  string
		frame layout.Frame
		want  []string
		not   []string
	}{
		{"nobody", layout.Frame{Path: "/x?a=1&b=2"}, []string{`href="/sign-in?next=%2Fx%3Fa%3D1%26b%3D2"`, `<html lang="en" dir="ltr">`, "<title>Roster · Commission Portal</title>", `content="light dark"`}, []string{"/sign-out", "data-bs-theme"}},
		{"somebody", layout.Frame{Person: layout.Person{ID: "1", Name: "Ada"}, Theme: "dark"}, []string{"/sign-out", `data-bs-theme="dark"`}, []string{"/sign-in"}},
		{"no such theme", layout.Frame{Theme: "pink"}, nil, []string{"data-bs-theme", "pink"}},
		{"menu", layout.Frame{Menu: []layout.Entry{{Label: "A", Path: "/a", Active: true}, {Label: "B", Path: "/b"}}}, []string{`<a href="/b" aria-current="page">B</a>`, `<a href="/a">A</a>`}, nil},
	} {
		got := render(layout.With(context.Background(), tt.frame), t, page)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", tt.name, want, got)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q in\n%s", tt.name, not, got)
			}
		}
	}
}

func say(ctx context.Context, n int) string { return i18n.Number(ctx, n) }

func render(ctx context.Context, t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// What is rendered once is shown for its key, its language and its zone, and no other.
func TestSame(t *testing.T) {
	t.Parallel()
	times := 0
	said := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		times++
		_, err := fmt.Fprintf(w, "%d %s %s", times, i18n.Lang(ctx), i18n.From(ctx).Zone)
		return err
	})
	lima, err := time.LoadLocation("America/Lima")
	if err != nil {
		t.Fatal(err)
	}
	show := func(ctx context.Context, key ...string) string {
		var b strings.Builder
		if err := part.Same(key...).Render(templ.WithChildren(ctx, said), &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	there := i18n.With(t.Context(), i18n.Locale{Language: language.English, Zone: lima})
	for range 2 {
		for _, tt := range []struct {
			ctx  context.Context
			key  []string
			want string
		}{
			{t.Context(), []string{"same", "a"}, "1 en UTC"},
			{t.Context(), []string{"same", "b"}, "2 en UTC"},
			{t.Context(), []string{"samea"}, "3 en UTC"},
			{there, []string{"same", "a"}, "4 en America/Lima"},
		} {
			if got := show(tt.ctx, tt.key...); got != tt.want {
				t.Errorf("%q: %q instead of %q", tt.key, got, tt.want)
			}
		}
	}

	failed := errors.New("failed")
	fails := templ.ComponentFunc(func(context.Context, io.Writer) error { return failed })
	if err := part.Same("same", "fails").Render(templ.WithChildren(t.Context(), fails), io.Discard); !errors.Is(err, failed) {
		t.Error(err)
	}
	if got := show(t.Context(), "same", "fails"); got != "5 en UTC" {
		t.Error("a failure was kept:", got)
	}
}

// However much is asked for, what is kept has bounds.
func TestSameIsBounded(t *testing.T) {
	large := templ.Raw(strings.Repeat("x", 64<<10))
	for i := range 2000 {
		if err := part.Same("large", strconv.Itoa(i)).Render(templ.WithChildren(t.Context(), large), io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > 48<<20 {
		t.Errorf("%d MB are held after 125 MB were shown", m.HeapAlloc>>20)
	}
}

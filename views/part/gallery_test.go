package part_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/text/language"

	"commissionportal/internal/i18n"
	"commissionportal/internal/textdiff"
	"commissionportal/views/layout"
	"commissionportal/views/part"
	"commissionportal/views/static"
)

// The gallery is every part on a few pages such as the portal has. Tests check it;
// to look at it: GALLERY=127.0.0.1:8099 go test ./views/part -run TestGallery -timeout 0

var now = time.Date(2026, time.March, 9, 14, 30, 0, 0, time.UTC)

// in renders a component with children.
func in(outer templ.Component, children ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return outer.Render(templ.WithChildren(ctx, templ.Join(children...)), w)
	})
}

// div is markup that a page of the portal would have itself; the gallery's own text.
func div(class string, children ...templ.Component) templ.Component {
	return templ.Join(templ.Raw(`<div class="`+class+`">`), templ.Join(children...), templ.Raw(`</div>`))
}

func raw(html string) templ.Component { return templ.Raw(html) }

func card(title string, children ...templ.Component) templ.Component {
	return div("card", div("card-body", raw(`<h2 class="card-title">`+title+`</h2>`), templ.Join(children...)))
}

var tabs = []part.Tab{{Label: "Overview", Path: "/g/detail", Active: true}, {Label: "Roster", Path: "/g/list", Count: 42}, {Label: "Organizations", Path: "#", Count: 17},
	{Label: "Applications", Path: "#", Count: 3}, {Label: "Charter", Path: "#"}, {Label: "Milestones", Path: "#"}, {Label: "History", Path: "#"}, {Label: "Settings", Path: "#"}}

var people = []struct{ name, org, role, country, state, since string }{
	{"Amina Diallo", "Compagnie Sahélienne d’Énergie", "chair", "SN", "active", "12 Jan 2025"},
	{"Henrik Lindqvist", "Nordgrid AB", "vice-chair", "SE", "active", "12 Jan 2025"},
	{"王晓明", "华北储能研究院", "secretary", "CN", "active", "3 Mar 2025"},
	{"Priya Raghunathan", "Deccan Power Systems", "voting-representative", "IN", "active", "18 Jun 2025"},
	{"Maximiliane Freifrau von Hohenstein-Wittgenstein", "Bundesverband für elektrochemische Speichersysteme e. V.", "alternate-representative", "DE", "pending", "1 Sep 2025"},
	{"Tomás Quispe", "Universidad Nacional de Ingeniería", "invited-expert", "PE", "active", "20 Sep 2025"},
	{"Leilani Kealoha", "Pacific Community", "observer", "FJ", "active", "2 Nov 2025"},
	{"Яна Орлова", "Институт системной энергетики", "liaison-officer", "KZ", "suspended", "14 Nov 2025"},
	{"Olu Adeyemi", "African Standards Body", "emeritus", "NG", "ended", "2 Feb 2026"},
}

var byCountry = map[string]int{"US": 48, "DE": 31, "FR": 22, "CN": 27, "IN": 19, "BR": 9, "NG": 6, "KE": 5, "JP": 17, "KR": 11, "GB": 24, "SE": 8, "CH": 7, "SG": 9, "MT": 2, "LU": 4,
	"BH": 1, "FJ": 2, "BB": 1, "MU": 3, "MV": 1, "AU": 7, "CA": 13, "MX": 4, "ZA": 6, "EG": 3, "SA": 5, "AE": 6, "KZ": 2, "NO": 4, "ES": 12, "IT": 14, "PE": 1, "CL": 3, "ID": 5, "VN": 2, "HK": 4, "VA": 1, "TV": 1, "WS": 1}

func pages() map[string]templ.Component {
	bars := []part.Bar{{Label: "Industry", Count: 128, Path: "#"}, {Label: "Standards bodies", Count: 74, Path: "#"}, {Label: "Governments", Count: 51, Path: "#"}, {Label: "Academia", Count: 33, Path: "#"},
		{Label: "Intergovernmental organizations", Count: 12, Path: "#"}, {Label: "Associations", Count: 1, Path: "#"}}
	var points []part.Point
	for i, n := range []int{3, 9, 17, 28, 33, 41, 62, 80, 97, 128, 171, 189, 236, 262, 299} {
		points = append(points, part.Point{At: now.AddDate(0, i-14, 0), Count: n})
	}
	counts := part.Counts{Title: "Organizations by country", ByCode: byCountry,
		Say:  func(ctx context.Context, n int) string { return i18n.N(ctx, n, "%d organization", "%d organizations") },
		Path: func(code string) string { return "/organizations?country=" + code }}
	tile := func(icon, title, text, state, meta string) string {
		var b bytes.Buffer
		_ = part.State(state).Render(context.Background(), &b)
		var i bytes.Buffer
		_ = part.Icon(icon).Render(context.Background(), &i)
		return `<li class="tile"><span class="tile-icon">` + i.String() + `</span><h3 class="tile-title"><a href="#">` + title + `</a></h3><p class="tile-text">` + text + `</p><p class="tile-meta">` + b.String() + `<span>` + meta + `</span></p></li>`
	}
	var rows strings.Builder
	for _, p := range people {
		var b bytes.Buffer
		ctx := context.Background()
		b.WriteString(`<tr><th scope="row">`)
		_ = part.Person(p.name, "#", p.org).Render(ctx, &b)
		b.WriteString(`</th><td data-label="Role">`)
		_ = part.Role(p.role).Render(ctx, &b)
		b.WriteString(`</td><td data-label="Country">`)
		_ = part.InCountry(p.country).Render(ctx, &b)
		b.WriteString(`</td><td data-label="State">`)
		_ = part.State(p.state).Render(ctx, &b)
		b.WriteString(`</td><td data-label="Since" class="num">` + p.since + `</td><td class="act"><a class="btn btn-sm" href="#">Change</a></td></tr>`)
		rows.WriteString(b.String())
	}
	name := part.Field{Name: "name", Label: "Name", Value: "Siemens", Required: true, MaxLength: 120, Help: "As it is registered. A short name goes into the next field.", Error: "An organization of this name is registered already."}
	country := part.Field{Name: "country", Label: "Country", Required: true, Value: "DE", Autocomplete: "country"}
	site := part.Field{Name: "website", Label: "Website", Type: "url", Value: "siemens", Error: "Write the whole address, beginning with https://."}
	join := part.Field{Name: "join", Label: "How people join", Required: true, Value: "application", Options: []part.Option{
		{Value: "open", Label: "Open", Help: "Whoever may represent an organization takes a seat."}, {Value: "application", Label: "Application", Help: "The chair decides each."},
		{Value: "invitation", Label: "Invitation", Help: "Only whom the chair invites."}, {Value: "closed", Label: "Closed", Help: "The roster stays as it is."}}}

	older := "The commission studies storage of electric energy.\n\nIt meets four times a year, twice in person.\n\nReports go to the convention.\n"
	newer := "The commission studies storage of electric and thermal energy.\n\nIt meets six times a year, twice in person.\n\nIts reports are public.\n\nReports go to the convention.\n"

	return map[string]templ.Component{
		"home": in(layout.Page(layout.Head{Title: "", Public: true, Description: "What it is"}),
			in(part.Hero("Where sectors agree on how to work together", "Commissions of companies, governments, standards bodies and universities: found one, join one, and follow what it decides."), raw(`<a class="btn btn-primary btn-lg" href="#">Find a commission</a><a class="btn btn-lg" href="#">Register an organization</a>`)),
			part.Stats([]part.Stat{{Label: "Commissions", Value: "27", Note: "4 forming", Path: "#"}, {Label: "Organizations", Value: "299", Note: "37 this month", Path: "#"}, {Label: "Countries", Value: "41"}, {Label: "People with a seat", Value: "1,204"}}),
			in(part.Section("Forming now", "forming"), raw(`<ul class="tiles">`+
				tile("bolt", "Energy Storage", "Common models for stationary storage of electric and thermal energy: safety, interfaces, end of life.", "forming", "7 organizations · 4 countries")+
				tile("stethoscope", "Clinical Data Exchange", "How hospitals hand over records across borders without losing meaning or consent.", "proposed", "2 organizations · 2 countries")+
				tile("truck-delivery", "Last-Mile Logistics", "Parcel lockers, curb space, and the data that cities and carriers owe each other.", "forming", "12 organizations · 9 countries")+`</ul>`)),
			in(part.Section("Around the world", "world"), part.WorldMap(counts)),
		),
		"detail": in(layout.Page(layout.Head{Title: "Energy Storage", Public: true}),
			in(part.PageHeader(part.Header{Crumbs: []part.Crumb{{Label: "Commissions", Path: "#"}, {Label: "Energy", Path: "#"}}, Kicker: "Commission · ENERGY", Title: "Energy Storage",
				Subtitle: "Common models for stationary storage of electric and thermal energy: safety, interfaces, end of life."}), part.Link("", "bell", "Follow", "#"), part.Link("primary", "user-plus", "Apply for a seat", "#")),
			part.Tabs("Energy Storage", tabs),
			div("columns",
				div("stack", card("Founding", raw(`<p class="text-secondary">7 organizations from 4 countries, 3 to go.</p>`), part.Meter(part.Need{Label: "Persons", Have: 9, Need: 5}, part.Need{Label: "Organizations", Have: 7, Need: 10}, part.Need{Label: "Countries", Have: 4, Need: 5})),
					in(part.Section("Charter", "charter"), in(part.Prose(), raw(`<h2>Scope</h2><p>The commission studies storage of <em>electric</em> and thermal energy. It writes <a href="#">reference architectures</a>, and answers questions of the other commissions.</p><ul><li>safety of installations,</li><li>interfaces to the grid,</li><li>end of life.</li></ul><blockquote>What is stored shall be told where it is.</blockquote><table><thead><tr><th>Work item</th><th>Due</th></tr></thead><tbody><tr><td>Terms</td><td>2026</td></tr></tbody></table><pre><code>ENERGY-N0012</code></pre>`))),
					in(part.Section("What changed in the charter", "diff"), part.Diff(textdiff.Compare(older, newer, 1)))),
				div("stack",
					card("At a glance", part.Facts(part.Fact{Label: "State", Value: part.State("forming")}, part.Fact{Label: "Sector", Value: part.Say("Energy")}, part.Fact{Label: "Chair", Value: part.Person("Amina Diallo", "#", "Compagnie Sahélienne d’Énergie")}, part.Fact{Label: "Founded", Value: part.Day(now)})),
					card("History", part.Timeline(now, []part.Event{{At: now.Add(-3 * time.Hour), Icon: "user-check", Tone: "good", Text: "Priya Raghunathan took a seat as voting representative", Who: "Amina Diallo"},
						{At: now.Add(-50 * time.Hour), Icon: "circle-x", Tone: "bad", Text: "Application of Olu Adeyemi rejected", Who: "Amina Diallo", Detail: "The commission has two seats of this organization already.", Path: "#"},
						{At: now.AddDate(0, -4, 0), Icon: "flag", Tone: "accent", Text: "Call for participation opened", Who: "Secretariat"}, {At: now.AddDate(0, -5, 0), Text: "Commission proposed", Who: "Amina Diallo"}})),
				),
			),
		),
		"list": in(layout.Page(layout.Head{Title: "Roster"}),
			in(part.PageHeader(part.Header{Crumbs: []part.Crumb{{Label: "Commissions", Path: "#"}, {Label: "Energy Storage", Path: "#"}}, Title: "Roster"}), part.Link("", "file-export", "Export", "#"), part.Link("", "printer", "Print", "#"), part.Link("primary", "mail", "Invite", "#")),
			part.Tabs("Energy Storage", tabs),
			in(part.FilterBar(part.Filter{Action: "/g/list", Label: "Filter the roster", Query: part.Field{Name: "q", Label: "Name or organization"}}),
				part.Select(part.Field{Name: "role", Label: "Role", HideLabel: true, Blank: "All roles", Options: []part.Option{{Value: "chair", Label: "Chair"}}}),
				part.Country(part.Field{Name: "country", Label: "Country", HideLabel: true, Blank: "All countries"}),
				part.Date(part.Field{Name: "as_of", Label: "As of", HideLabel: true, Value: "2026-03-09"})),
			in(part.Results(), part.Chips("9 of 42 seats", "/g/list", part.Chip{Label: "Role: Chair", Remove: "#"}, part.Chip{Label: "As of 9 Mar 2026", Remove: "#"}),
				in(part.Table("Seats", part.Column{Label: "Person", Sort: "#", Sorted: "ascending"}, part.Column{Label: "Role"}, part.Column{Label: "Country", Sort: "#"}, part.Column{Label: "State"}, part.Column{Label: "Since", Class: "num"}, part.Column{Label: "Actions", Hidden: true}), raw(rows.String())),
				part.Pager(part.Paging{First: "#", Next: "#"})),
			raw(`<div class="mt-4">`), in(part.Empty("inbox", "Nothing waits for you", "When someone applies to a commission you chair, it appears here."), part.Link("", "users-group", "See your commissions", "#")), raw(`</div>`),
		),
		"form": in(layout.Page(layout.Head{Title: "Register an organization"}),
			part.PageHeader(part.Header{Title: "Register an organization", Subtitle: "The secretariat looks at it within two days."}),
			part.ErrorSummary(name, country, site),
			in(part.Form(part.Post{Action: "/organizations", Key: "k1", Guard: true, Upload: true}),
				part.Text(name), part.Country(country), part.Text(site),
				div("fields-2", part.Date(part.Field{Name: "from", Label: "From", Required: true, Value: "2026-04-01"}), part.Select(part.Field{Name: "kind", Label: "Kind", Required: true, Blank: "Choose…", Options: []part.Option{{Value: "company", Label: "Company", Group: "Private"}, {Value: "government", Label: "Government", Group: "Public"}}})),
				part.Radios(join), part.Area(part.Field{Name: "purpose", Label: "Purpose", Help: "Two or three sentences."}),
				part.File(part.Field{Name: "logo", Label: "Logo", Accept: ".svg,.png", Help: "PNG or SVG, up to 200 kB."}),
				part.Check(part.Field{Name: "agree", Label: "I may speak for this organization", Help: "The secretariat asks for a confirmation from its domain."}),
				part.Text(part.Field{Name: "slug", Label: "Address", Value: "siemens", ReadOnly: true}),
				in(part.Actions(), part.Submit("Register organization"), part.Link("ghost", "", "Cancel", "#"))),
			in(part.Section("Other buttons", "buttons"), div("btn-list", part.Do("danger", "trash", "Revoke", part.Post{Action: "#"}), part.Ask("danger", "", "End seat…", "/g/confirm"), part.Copy("cp_3f9a"), part.Badge("accent", "Draft"), part.Participation("P"), part.Participation("O"), part.Participation("L"),
				part.Organization("Nordgrid AB", "#", "", "Sweden"), part.Avatar("Amina Diallo", "lg"), part.OrganizationLogo("Nordgrid AB", "", "lg"), part.Avatar("王晓明", "xs"))),
			div("mt-4", part.Alert("success", "Saved."), part.Alert("info", "The term ends on 9 Apr 2026."), part.Alert("warning", "Two seats end with this."), part.Alert("danger", "Someone has changed this meanwhile.")),
		),
		"charts": in(layout.Page(layout.Head{Title: "Numbers"}),
			part.PageHeader(part.Header{Title: "The portal in numbers"}),
			div("columns is-even", card("By kind", part.Bars("Organizations by kind", bars)), div("card", div("card-body", part.Growth("growth", "Organizations over time", points)))),
			div("card mt-4", div("card-body", part.WorldMap(counts))),
		),
		"confirm": in(layout.Narrow(layout.Head{Title: "End the seat of Amina Diallo?"}),
			in(part.Confirm(part.Ending{Title: "End the seat of Amina Diallo?", Intro: "She chairs Energy Storage until 11 January 2027.", Ends: []string{"Her seat as chair, now", "Her right to decide 3 open applications"}, Stays: []string{"Her name in rosters as of earlier days", "Her seats in 2 other commissions"},
				Button: "End seat", Cancel: "#", Post: part.Post{Action: "#", Key: "k"}}), part.Area(part.Field{Name: "reason", Label: "Reason", Required: true, Help: "She reads it in the mail."}))),
		"sign-in": in(layout.Narrow(layout.Head{Title: "Sign in"}), part.PageHeader(part.Header{Title: "Sign in"}),
			in(part.Form(part.Post{Action: "/sign-in"}), part.Text(part.Field{Name: "email", Label: "E-mail", Type: "email", Required: true, Autocomplete: "username"}), part.Text(part.Field{Name: "password", Label: "Password", Type: "password", Required: true, Autocomplete: "current-password"}), in(part.Actions(), part.Submit("Sign in"))),
			raw(`<p class="text-secondary"><a href="#">Forgot the password?</a></p>`)),
		"problem": layout.Problem(404, "There is no such page", "The address may be old, or the page may not be for you. Search, or start from the beginning.", "7f3a9c"),
	}
}

func frame(signedIn bool) layout.Frame {
	f := layout.Frame{Menu: []layout.Entry{{Label: "Commissions", Path: "/commissions", Active: true}, {Label: "Organizations", Path: "/organizations"}, {Label: "Sectors", Path: "/sectors"}, {Label: "Statistics", Path: "/statistics"}}, Path: "/g/list"}
	if signedIn {
		f.Person = layout.Person{ID: "1", Name: "Amina Diallo"}
		f.Flash = []layout.Flash{{Kind: "success", Text: "The application of Tomás Quispe is approved."}}
	}
	return f
}

func TestGallery(t *testing.T) {
	for name, page := range pages() {
		for _, signedIn := range []bool{false, true} {
			var b bytes.Buffer
			if err := page.Render(layout.With(context.Background(), frame(signedIn)), &b); err != nil {
				t.Fatal(name, err)
			}
			wellFormed(t, name, b.String())
		}
	}
	address := os.Getenv("GALLERY")
	if address == "" {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/static/", func(w http.ResponseWriter, r *http.Request) {
		f, ok := static.Lookup(r.URL.Path)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", f.Type)
		_, _ = w.Write(f.Body)
	})
	mux.HandleFunc("/g/{page}", func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages()[r.PathValue("page")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f := frame(r.FormValue("as") != "")
		f.Theme = r.FormValue("theme")
		ctx := layout.With(i18n.With(r.Context(), i18n.Locale{Language: language.English}), f)
		var b bytes.Buffer
		if err := page.Render(ctx, &b); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		html := b.String()
		if r.FormValue("dir") == "rtl" {
			html = strings.Replace(html, `dir="ltr"`, `dir="rtl"`, 1)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'")
		_, _ = io.WriteString(w, html)
	})
	t.Log("http://" + address + "/g/home")
	t.Fatal(http.ListenAndServe(address, mux))
}

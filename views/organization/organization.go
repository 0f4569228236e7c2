// Package organization has the pages of organizations, of those who act for
// them, and of what they take part in.
package organization

import (
	"context"
	"strings"
	"time"

	"commissionportal/internal/i18n"
	"commissionportal/internal/organization"
	"commissionportal/views/part"
)

// names are what the words of an organization are called on a page.
var names = map[string]string{
	"company": "Company", "government": "Government", "intergovernmental": "Intergovernmental organization", "standards_body": "Standards body",
	"academia": "Academia", "association": "Association",
	"founding": "Founding member", "full": "Full member", "associate": "Associate member", "observer": "Observer", "liaison": "Liaison",
	organization.Pending: "Pending", organization.Member: "Member", organization.Suspended: "Suspended", organization.Left: "Left",
	organization.Declined: "Declined", organization.Merged: "Merged",
	"commission": "Commission", "subcommission": "Subcommission", "working_group": "Working group", "task_force": "Task force",
	"P": "Participating", "O": "Observing", "L": "Liaison",
}

// Name is the word in the reader's language.
func Name(ctx context.Context, word string) string {
	if n, ok := names[word]; ok {
		return i18n.T(ctx, n)
	}
	return word
}

// help explains a choice in a line.
var help = map[string]string{
	"founding": "Signed the founding act of the convention.", "full": "All rights, voting included.", "associate": "Takes part; votes where a commission says so.",
	"observer": "Reads and attends.", "liaison": "Another standards or intergovernmental body that works with us.",
	"P": "Takes part in the work and votes.", "O": "Follows the work, without a vote.", "L": "Exchanges documents on behalf of another body.",
}

func options(ctx context.Context, words []string) []part.Option {
	list := make([]part.Option, len(words))
	for i, w := range words {
		list[i] = part.Option{Value: w, Label: Name(ctx, w)}
		if h := help[w]; h != "" {
			list[i].Help = i18n.T(ctx, h)
		}
	}
	return list
}

func sectorOptions(sectors []organization.Sector) []part.Option {
	list := make([]part.Option, len(sectors))
	for i, s := range sectors {
		list[i] = part.Option{Value: s.Slug, Label: s.Name}
	}
	return list
}

// List is what the directory shows. Link is its address with one filter changed
// ("" takes it away), from the first page on.
type List struct {
	Filter  organization.Filter
	Rows    []organization.Row
	Counts  organization.Counts
	Sectors []organization.Sector
	Paging  part.Paging
	Link    func(name, value string) string
	CSV     string
	XLSX    string
	First   bool // the first page: with the pictures
}

func (l List) chips(ctx context.Context) []part.Chip {
	var chips []part.Chip
	add := func(name, value, label string) {
		if value != "" {
			chips = append(chips, part.Chip{Label: label, Remove: l.Link(name, "")})
		}
	}
	add("q", l.Filter.Query, i18n.T(ctx, "Name has “%s”", l.Filter.Query))
	add("country", l.Filter.Country, i18n.Country(ctx, l.Filter.Country))
	sector := l.Filter.Sector
	for _, s := range l.Sectors {
		if s.Slug == sector {
			sector = s.Name
		}
	}
	add("sector", l.Filter.Sector, sector)
	add("kind", l.Filter.Kind, Name(ctx, l.Filter.Kind))
	add("category", l.Filter.Category, Name(ctx, l.Filter.Category))
	return chips
}

// bars are counts of words in their own order; each leads to the list of it.
func bars(ctx context.Context, words []string, counts map[string]int, path func(string) string) []part.Bar {
	var list []part.Bar
	for _, w := range words {
		if n := counts[w]; n > 0 {
			b := part.Bar{Label: Name(ctx, w), Count: n}
			if path != nil {
				b.Path = path(w)
			}
			list = append(list, b)
		}
	}
	return list
}

// tableKey says all that a table of the rows depends on.
func tableKey(rows []organization.Row) []string {
	key := append(make([]string, 0, 8+6*len(rows)), "organizations")
	for _, r := range rows {
		key = append(key, r.Slug, r.Name, r.LogoURL, country(r.Country), r.Kind, r.Category)
	}
	return key
}

func howMany(ctx context.Context, n int) string {
	return i18n.N(ctx, n, "%d organization", "%d organizations")
}

// Show is what the page of an organization shows.
type Show struct {
	Organization    organization.Organization
	Tabs            []part.Tab
	Participations  []organization.Participation
	Seats           []organization.Seat
	Representatives []organization.Representative
	Requests        []organization.Request
	Similar         []organization.Similar // to one that waits, for the secretariat
	Decide          Decide
	May             May
	Key             string
}

// May says which buttons the reader is shown.
type May struct {
	Edit, Accept, Suspend, Reinstate, Leave, Merge, Join, Request, SignIn bool
}

// Decide is the form that accepts or declines, as it was sent.
type Decide struct {
	Category, Reason string
	Errors           map[string]string
}

// seatGroup are the seats of one commission.
type seatGroup struct {
	name, slug string
	seats      []organization.Seat
}

func byCommission(seats []organization.Seat) []seatGroup {
	var groups []seatGroup
	for _, s := range seats {
		if n := len(groups); n == 0 || groups[n-1].slug != s.Commission {
			groups = append(groups, seatGroup{name: s.CommissionName, slug: s.Commission})
		}
		g := &groups[len(groups)-1]
		g.seats = append(g.seats, s)
	}
	return groups
}

// host is a website as it is read aloud.
func host(website string) string {
	website = strings.TrimPrefix(strings.TrimPrefix(website, "https://"), "http://")
	return strings.TrimSuffix(strings.TrimPrefix(website, "www."), "/")
}

func country(o *string) string {
	if o == nil {
		return ""
	}
	return *o
}

// Form is the profile as it was typed: to register, or to edit.
type Form struct {
	Draft    organization.Draft
	Title    string // of the registrant
	Category string
	Version  string
	Errors   map[string]string
	Key      string
	Similar  []organization.Similar // found when it was sent
	Of       organization.Organization
	Classify bool   // the reader may change the category
	LogoFor  string // what is wrong with the logo that was sent
}

func (f Form) field(ctx context.Context, name, label, value string) part.Field {
	return part.Field{Name: name, Label: i18n.T(ctx, label), Value: value, Error: f.Errors[name]}
}

// fields are those of the profile; suggest adds the search for similar ones.
func (f Form) fields(ctx context.Context, suggest bool) (name, kind, home, website, about part.Field) {
	name = f.field(ctx, "name", "Name", f.Draft.Name)
	name.Required, name.MaxLength, name.Autocomplete = true, 200, "organization"
	name.Help = i18n.T(ctx, "As in its register or statutes, such as Siemens AG.")
	kind = f.field(ctx, "kind", "Kind", f.Draft.Kind)
	kind.Required, kind.Options, kind.Blank = true, options(ctx, organization.Kinds), i18n.T(ctx, "Choose…")
	home = f.field(ctx, "country", "Country", f.Draft.Country)
	home.Depends = true
	home.Help, home.Blank = i18n.T(ctx, "Where its head office is. It is required, but intergovernmental organizations, standards bodies and associations may leave it open."), i18n.T(ctx, "No country")
	website = f.field(ctx, "website", "Website", f.Draft.Website)
	website.Type, website.MaxLength, website.Autocomplete = "url", 300, "url"
	website.Help = i18n.T(ctx, "Colleagues with an e-mail address of the same domain are confirmed at once.")
	about = f.field(ctx, "about", "About", f.Draft.About)
	about.MaxLength, about.Rows, about.Help = 5000, 6, i18n.T(ctx, "What it does, in a few sentences for the public.")
	if suggest {
		search := map[string]any{"hx-get": "/organizations/similar", "hx-trigger": "input changed delay:400ms", "hx-target": "#similar", "hx-include": "closest form", "hx-params": "name,website", "hx-sync": "closest form:replace"}
		name.Attributes, website.Attributes = search, search
	}
	return
}

func (f Form) category(ctx context.Context) part.Field {
	category := f.field(ctx, "category", "Category", f.Category)
	category.Required, category.Options = true, options(ctx, organization.Categories)
	return category
}

// why says in what two organizations are alike.
func why(ctx context.Context, s organization.Similar) string {
	switch s.Why {
	case "name":
		return i18n.T(ctx, "Same name")
	case "domain":
		return i18n.T(ctx, "Same website")
	}
	return i18n.T(ctx, "Similar name")
}

// People is what the page of those who act for an organization shows.
type People struct {
	Organization organization.Organization
	Tabs         []part.Tab
	Claims, Rows []organization.Affiliation
	MoreClaims   bool
	Query        string
	Paging       part.Paging
	Edit         bool // the reader decides
	Me           string
	Now          time.Time
	Key          func() string
}

// Mine is what a person's own affiliations page shows.
type Mine struct {
	Tabs []part.Tab
	Rows []organization.Affiliation
	Now  time.Time
	Key  func() string
}

// Claim is the form by which a person says to act for an organization.
type Claim struct {
	Organization organization.Organization
	Title        string
	Errors       map[string]string
	Key          string
	Email        string
}

// Ask is a page that asks before an act, with a field for a reason or a choice.
type Ask struct {
	Title  string // of the page
	Ending part.Ending
	Fields []part.Field // areas and selects
	Active string
}

// Review is what the secretariat looks through: organizations that are no members.
type Review struct {
	State  string
	Rows   []organization.Row
	Query  string
	Paging part.Paging
	Tabs   []part.Tab
}

// History is what was done to an organization.
type History struct {
	Organization organization.Organization
	Tabs         []part.Tab
	Past         part.Past
}

// Participations is what the organizations of a commission show.
type Participations struct {
	Commission organization.Commission
	Tabs       []part.Tab
	Filter     organization.ParticipationFilter
	AsOf       string // as typed
	Past       bool
	Unknown    string // why the day asked for has no list
	Rows       []organization.Participation
	Counts     organization.ParticipationCounts
	Requests   []organization.Request
	Mine       []organization.Row // those the reader may ask for
	Own        map[string]bool    // slugs of Mine
	Edit       bool
	Errors     map[string]string
	Set        Set
	Link       func(name, value string) string
	Paging     part.Paging
	First      bool
	Key        func() string
}

// Set is the form that gives an organization a level, or asks for one, as it was typed.
type Set struct{ Organization, Level, Message string }

// asOf says which moment the list shows.
func (p Participations) asOf(ctx context.Context) string {
	if _, err := time.Parse(time.RFC3339, p.AsOf); err == nil {
		return i18n.T(ctx, "As it was on %s.", i18n.DateTime(ctx, p.Filter.AsOf))
	}
	return i18n.T(ctx, "As it was when %s was over.", i18n.DayOf(ctx, p.Filter.AsOf))
}

func (p Participations) chips(ctx context.Context) []part.Chip {
	var chips []part.Chip
	add := func(name, value, label string) {
		if value != "" {
			chips = append(chips, part.Chip{Label: label, Remove: p.Link(name, "")})
		}
	}
	add("q", p.Filter.Query, i18n.T(ctx, "Name has “%s”", p.Filter.Query))
	add("level", p.Filter.Level, Name(ctx, p.Filter.Level))
	add("country", p.Filter.Country, i18n.Country(ctx, p.Filter.Country))
	add("as_of", p.AsOf, i18n.T(ctx, "As of %s", i18n.Written(ctx, p.AsOf)))
	return chips
}

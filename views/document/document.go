// Package document has the pages of document registers and documents.
package document

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// names are what the words of a document are called on a page.
var names = map[string]string{
	"contribution": "Contribution", "working_draft": "Working draft", "report": "Report", "minutes": "Minutes", "agenda": "Agenda", "resolution": "Resolution",
	"liaison_statement": "Liaison statement", "reference_architecture": "Reference architecture", "other": "Other",
	"draft": "Draft", "available": "Available", "superseded": "Superseded", "withdrawn": "Withdrawn", "submitted": "Submitted", "returned": "Returned",
	"none": "Nothing", "information": "For information", "comment": "For comment", "decision": "For decision",
	"public": "Everybody", "portal": "Whoever is signed in", "commission": "Members of the commission", "officers": "Its officers",
	"organization": "Its source organization", "named": "Named persons only",
}

// help explains a choice in a line.
var help = map[string]string{
	"public": "On the web, for all the world.", "portal": "Everybody with an account.", "commission": "Everybody who holds a seat in it.",
	"officers": "The chair, vice chairs and secretary.", "organization": "The people of the organization it comes from, and the officers.",
	"named": "Those it is shared with by name, its author, and the officers.",
}

// Name is the word in the reader's language.
func Name(ctx context.Context, word string) string {
	if n, ok := names[word]; ok {
		return i18n.T(ctx, n)
	}
	return word
}

func options(ctx context.Context, words []string) []part.Option {
	list := make([]part.Option, len(words))
	for i, w := range words {
		list[i] = part.Option{Value: w, Label: Name(ctx, w)}
	}
	return list
}

func visibilities(ctx context.Context) []part.Option {
	list := options(ctx, document.Visibilities)
	for i, v := range document.Visibilities {
		list[i].Help = i18n.T(ctx, help[v])
	}
	return list
}

// languages are those a document is most often in; any other can be given through
// the API.
var languages = []string{"en", "fr", "es", "ru", "ar", "zh", "ja", "he", "de", "pt", "it", "hi", "ko", "tr", "id", "nl", "pl", "uk", "fa", "sw", "vi", "th"}

func languageOptions(ctx context.Context, now string) []part.Option {
	list := make([]part.Option, 0, len(languages)+1)
	found := now == ""
	for _, l := range languages {
		found = found || l == now
		list = append(list, part.Option{Value: l, Label: i18n.LanguageName(ctx, l)})
	}
	if !found {
		list = append(list, part.Option{Value: now, Label: i18n.LanguageName(ctx, now)})
	}
	return list
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n int) string { return strconv.Itoa(n) }

// day is a calendar day, YYYY-MM-DD, as a time.
func day(date *string) time.Time {
	t, err := time.Parse(time.DateOnly, text(date))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Size is an amount of bytes as people read it.
func Size(ctx context.Context, n int64) string {
	units := []string{"%s kB", "%s MB", "%s GB", "%s TB"}
	if n < 1000 {
		return i18n.N(ctx, int(n), "%d byte", "%d bytes")
	}
	v, u := float64(n)/1000, 0
	for v >= 999.5 && u < len(units)-1 {
		v, u = v/1000, u+1
	}
	digits := 0
	if v < 10 {
		digits = 1
	}
	return i18n.T(ctx, units[u], strconv.FormatFloat(v, 'f', digits, 64))
}

// Form is what a page with a form knows besides its own: what was typed, what is
// wrong, and the key that makes it count once.
type Form struct {
	Errors map[string]string
	Error  string // of no field
	Key    string
}

// Register is what the register of a commission shows.
type Register struct {
	document.List
	Tabs     []part.Tab
	More     []part.Tab // what later capabilities do with a register
	Filter   document.Filter
	Chips    []part.Chip
	Paging   part.Paging
	Export   string // the query of the exports
	Submit   bool   // the reader may bring a document
	Reserve  bool
	Settings bool
	Keep     bool // the reader keeps the register: acts on many
	SignedIn bool
	// What was typed of an act on many, and refused.
	Act, Visibility, Reason string
	Chosen                  func(document.Row) bool
	Form
	Today string
	Link  func(name, value string) string
}

func (p Register) sorted(order string) string {
	if p.Filter.Order == order || order == document.ByNumber && p.Filter.Order == "" {
		if order == document.ByTitle || order == document.ByDue {
			return "ascending"
		}
		return "descending"
	}
	return ""
}

// acts are what can be done to many documents.
func acts(ctx context.Context) []part.Option {
	return []part.Option{{Value: document.BulkWithdraw, Label: i18n.T(ctx, "Withdraw them")}, {Value: document.BulkRestore, Label: i18n.T(ctx, "Restore them")},
		{Value: document.BulkVisibility, Label: i18n.T(ctx, "Change who may read them")}}
}

// Plan is what the page before an act on many shows.
type Plan struct {
	document.Plan
	Key string
}

func (p Plan) now(l document.Planned) string {
	if p.Act == document.BulkVisibility {
		return l.Visibility
	}
	return l.Status
}

// before is the version before v in its language; 0 for none.
func (p Show) before(v document.Version) int {
	before := 0
	for _, o := range p.Versions {
		if o.Language == v.Language && o.Number < v.Number {
			before = max(before, o.Number)
		}
	}
	return before
}

func comparePath(d document.Document, from, to int, language string) string {
	return d.Path() + "/compare?from=" + number(from) + "&to=" + number(to) + "&language=" + language
}

// overdue reports whether the day that a document asks for something by has passed.
func (p Register) overdue(r document.Row) bool { return r.DueOn != nil && *r.DueOn < p.Today }

// body is the commission at the top of its pages.
func body(h document.Home) part.Body {
	return part.Body{Name: h.Name, Path: h.Path(), Acronym: h.Acronym, Kind: h.Kind, State: h.State}
}

func crumbs(ctx context.Context, name, path string, more ...part.Crumb) []part.Crumb {
	return append([]part.Crumb{{Label: i18n.T(ctx, "Commissions"), Path: "/commissions"}, {Label: name, Path: path}, {Label: i18n.T(ctx, "Documents"), Path: path + "/documents"}}, more...)
}

// Write is what the form of a new document, or of what is said of one, shows.
type Write struct {
	document.Home
	Document *document.Document // nil: a new one
	Draft    document.Draft
	Sources  []document.Source
	Fresh    bool // nothing was typed yet
	Reserve  bool // only its number is taken
	Officer  bool // names any source
	Direct   bool // it gets its number at once
	Stale    bool
	Version  int
	Kept     *document.Upload // the file of a form that was refused
	Form
}

// Revise is what the form of a new version shows.
type Revise struct {
	document.Document
	Language, Note string
	Kept           *document.Upload
	Form
}

func (p Write) title(ctx context.Context) string {
	switch {
	case p.Document != nil:
		return i18n.T(ctx, "Change what is said of it")
	case p.Reserve:
		return i18n.T(ctx, "Reserve a number")
	}
	return i18n.T(ctx, "Submit a document")
}

func (p Write) action() string {
	switch {
	case p.Document != nil:
		return p.Document.Path() + "/edit"
	case p.Reserve:
		return p.Path() + "/documents/reserve"
	}
	return p.Path() + "/documents"
}

func (p Write) back() string {
	if p.Document != nil {
		return p.Document.Path()
	}
	return p.Path() + "/documents"
}

func (p Write) sources() []part.Option {
	list := make([]part.Option, len(p.Sources))
	for i, s := range p.Sources {
		list[i] = part.Option{Value: s.Slug, Label: s.Name}
	}
	return list
}

// fields are the inputs of the form, in order.
func (p Write) fields(ctx context.Context) (list struct {
	title, kind, source, action, due, language, keywords, summary, visibility, file part.Field
}) {
	d := p.Draft
	f := func(name, label, value string) part.Field {
		return part.Field{Name: name, Label: label, Value: value, Error: p.Errors[name]}
	}
	list.title = f("title", i18n.T(ctx, "Title"), d.Title)
	list.title.Required, list.title.MaxLength = true, 500
	list.kind = f("type", i18n.T(ctx, "Type"), d.Type)
	list.kind.Required, list.kind.Options = true, options(ctx, document.Types)
	list.source = f("organization", i18n.T(ctx, "Source"), d.Organization)
	list.source.Options, list.source.Blank = p.sources(), i18n.T(ctx, "The commission itself, or in a personal capacity")
	list.source.Help = i18n.T(ctx, "The organization that it comes from. Its representatives may share the document with others.")
	list.action = f("action", i18n.T(ctx, "What it asks of its readers"), d.Action)
	list.action.Required, list.action.Options = true, options(ctx, document.Actions)
	list.due = f("due_on", i18n.T(ctx, "By"), d.Due)
	list.language = f("language", i18n.T(ctx, "Language"), d.Language)
	list.language.Required, list.language.Options = true, languageOptions(ctx, d.Language)
	list.keywords = f("keywords", i18n.T(ctx, "Keywords"), strings.Join(d.Keywords, ", "))
	list.keywords.Help = i18n.T(ctx, "With commas between them.")
	list.summary = f("summary", i18n.T(ctx, "Summary"), d.Summary)
	list.summary.MaxLength, list.summary.Rows = 2000, 3
	list.visibility = f("visibility", i18n.T(ctx, "Who may read it"), d.Visibility)
	list.visibility.Required = true
	if list.visibility.Options = visibilities(ctx); list.visibility.Value == "" {
		list.visibility.Value = p.Register.Visibility
	}
	list.file = f("file", i18n.T(ctx, "File"), "")
	list.file.Required = true
	return list
}

// Act is a step of a document that asks for something: a reason, another document.
type Act struct {
	document.Document
	Name  string // return, withdraw, supersede
	Value string // what was typed
	Form
}

// Show is what the page of a document shows.
type Show struct {
	document.Document
	Versions []document.Version
	Through  []document.Share // that the reader has it by
	Now      time.Time
	May      map[string]bool // what the reader may do
	Download bool
	Look     bool // may look into its files
	SignedIn bool
	Key      string
}

func (p Show) newest() *document.Version {
	for i, v := range p.Versions {
		if v.Language == p.Language {
			return &p.Versions[i]
		}
	}
	return nil
}

func (p Show) content(v document.Version) string {
	return fmt.Sprintf("%s/versions/%d/content?language=%s", p.Path(), v.Number, v.Language)
}

// Settings is what the form of a register's settings shows.
type Settings struct {
	document.Home
	Deadline string
	Quota    bool // the reader may change it
	Stale    bool
	Tabs     []part.Tab
	Form
}

func (p Show) facts(ctx context.Context) []part.Fact {
	d := p.Document
	var list []part.Fact
	add := func(label, value string) {
		list = append(list, part.Fact{Label: label, Value: part.Say(value)})
	}
	add(i18n.T(ctx, "Type"), Name(ctx, d.Type))
	if d.OrganizationName != nil {
		list = append(list, part.Fact{Label: i18n.T(ctx, "Source"), Value: linked(*d.OrganizationName, "/organizations/"+text(d.Organization))})
	}
	list = append(list, part.Fact{Label: i18n.T(ctx, "Commission"), Value: linked(d.CommissionName, "/commissions/"+d.Commission)})
	if d.Author != nil {
		add(i18n.T(ctx, "Submitted by"), *d.Author)
	}
	if d.SubmittedAt != nil {
		add(i18n.T(ctx, "Submitted on"), i18n.Date(ctx, *d.SubmittedAt))
	}
	switch {
	case d.Action != "none" && d.DueOn != nil:
		add(i18n.T(ctx, "What it asks of its readers"), i18n.T(ctx, "%s, by %s", Name(ctx, d.Action), i18n.Day(ctx, day(d.DueOn))))
	case d.Action != "none":
		add(i18n.T(ctx, "What it asks of its readers"), Name(ctx, d.Action))
	}
	if len(d.Keywords) > 0 {
		add(i18n.T(ctx, "Keywords"), strings.Join(d.Keywords, ", "))
	}
	add(i18n.T(ctx, "Who may read it"), Name(ctx, d.Visibility))
	return list
}

func (p Write) uploads() bool { return p.Document == nil && !p.Reserve }

func (p Write) lead(ctx context.Context) string {
	switch {
	case p.Document != nil:
		return heading(*p.Document)
	case p.Reserve:
		return i18n.T(ctx, "It is the next of the register at once. The file comes later, as its first version.")
	case p.Direct:
		return i18n.T(ctx, "It gets the next number of the register at once.")
	}
	return i18n.T(ctx, "The officers accept it, which gives it its number, or return it with a reason. You hear by mail.")
}

// sourceField is the source as an officer gives it: any member organization.
func sourceField(ctx context.Context, f part.Field) part.Field {
	f.Options, f.Blank = nil, ""
	f.Help = i18n.T(ctx, "The name in the address of the organization's page; empty for the commission itself.")
	return f
}

// heading is how a document is named in a line: its number, or its title.
func heading(d document.Document) string {
	if ref := d.Reference(); ref != "" {
		return ref
	}
	return d.Title
}

func title(d document.Document) string {
	if ref := d.Reference(); ref != "" {
		return ref + " " + d.Title
	}
	return d.Title
}

func flag(on bool) string {
	if on {
		return "true"
	}
	return ""
}

func first(n int) *int { return &n }

func number64(n int64) string { return strconv.FormatInt(n, 10) }

func joined(list []string) string { return strings.Join(list, ", ") }

// old reports whether a variant is the newest of its language and yet older than
// the source.
func old(stale []string, v document.Version, d document.Document) bool {
	return slices.Contains(stale, v.Language) && v.Language != d.Language
}

func empty(ctx context.Context, p Register) string {
	if len(p.Chips) > 0 {
		return i18n.T(ctx, "Take away a filter.")
	}
	if p.SignedIn {
		return i18n.T(ctx, "Documents that you may read stand here once they have a number.")
	}
	return i18n.T(ctx, "Documents for everybody stand here. Members see more after signing in.")
}

// licenseHelp explains a license in a line.
var licenseHelp = map[string]string{
	"CC0-1.0": "No conditions at all.", "CC-BY-4.0": "Share and adapt, naming the source.", "CC-BY-SA-4.0": "Share and adapt, naming the source, under the same license.",
	"CC-BY-NC-4.0": "Share and adapt, naming the source, not for profit.", "CC-BY-ND-4.0": "Share unchanged, naming the source.", "CC-BY-NC-ND-4.0": "Share unchanged, naming the source, not for profit.",
}

func licenses(ctx context.Context) []part.Option {
	list := make([]part.Option, len(document.Licenses))
	for i, l := range document.Licenses {
		list[i] = part.Option{Value: l.ID, Label: l.Name, Help: i18n.T(ctx, licenseHelp[l.ID])}
	}
	return list
}

func (p Open) openFacts(ctx context.Context, license document.License) []part.Fact {
	d := p.Document
	list := []part.Fact{{Label: i18n.T(ctx, "License"), Value: licensed(license)}, {Label: i18n.T(ctx, "Type"), Value: part.Say(Name(ctx, d.Type))},
		{Label: i18n.T(ctx, "By"), Value: part.Say(d.By())}, {Label: i18n.T(ctx, "Commission"), Value: linked(d.CommissionName, "/commissions/"+d.Commission)},
		{Label: i18n.T(ctx, "Published on"), Value: part.Say(i18n.Date(ctx, *d.PublishedAt))}}
	if len(d.Keywords) > 0 {
		list = append(list, part.Fact{Label: i18n.T(ctx, "Keywords"), Value: part.Say(strings.Join(d.Keywords, ", "))})
	}
	return list
}

// textless says why a version has no text to compare.
func textless(ctx context.Context, c document.Compared) string {
	switch {
	case c.Outcome == nil:
		return i18n.T(ctx, "Version %s has not been read yet. Come back in a moment.", number(c.Number))
	case *c.Outcome == "nothing":
		return i18n.T(ctx, "Version %s has no text inside.", number(c.Number))
	}
	return i18n.T(ctx, "The text of version %s could not be read.", number(c.Number))
}

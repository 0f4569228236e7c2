// Package commission has the pages of commissions and sectors.
package commission

import (
	"context"
	"strconv"
	"strings"
	"time"

	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// names are what the words of a commission are called on a page.
var names = map[string]string{
	commission.Standing: "Commission", commission.Subcommission: "Subcommission",
	commission.WorkingGroup: "Working group", commission.TaskForce: "Task force",
	commission.Proposed: "Proposed", commission.Forming: "Forming", commission.Active: "Active",
	commission.Dormant: "Dormant", commission.Concluded: "Concluded", commission.Abandoned: "Abandoned",
	"open": "Open", "application": "By application", "invitation": "By invitation", "closed": "Closed",
	"public": "Everybody", "portal": "Whoever is signed in", "members": "Its members", "officers": "Its officers",
	"chair": "Chair", "vice_chair": "Vice chair", "secretary": "Secretary",
	"company": "Companies", "government": "Governments", "intergovernmental": "Intergovernmental organizations",
	"standards_body": "Standards bodies", "academia": "Academia", "association": "Associations",
	"done": "Done", "overdue": "Overdue", "due": "Due", "planned": "Planned",
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
	commission.Standing: "A standing body of its own.", commission.Subcommission: "Standing, under a commission.",
	commission.WorkingGroup: "Works on one subject.", commission.TaskForce: "Ends when its task is done.",
	"open": "Whoever asks for a seat has it at once.", "application": "The officers decide on each application.",
	"invitation": "Seats are taken by invitation only.", "closed": "No new seats are taken.",
	"public": "Names and organizations are on the web.", "portal": "Names are seen after signing in.",
	"members": "Names are seen by those who hold a seat.", "officers": "Names are seen by the chair, vice chairs and secretary.",
}

// options are words to choose from.
func options(ctx context.Context, words []string) []part.Option {
	list := make([]part.Option, len(words))
	for i, w := range words {
		list[i] = part.Option{Value: w, Label: Name(ctx, w)}
	}
	return list
}

// explained are words to choose from, each with a line that says what it means.
func explained(ctx context.Context, words []string) []part.Option {
	list := options(ctx, words)
	for i, w := range words {
		list[i].Help = i18n.T(ctx, help[w])
	}
	return list
}

// visibilities are the levels of a roster, where "commission" means its members.
func visibilities(ctx context.Context) []part.Option {
	list := make([]part.Option, len(commission.Visibilities))
	for i, v := range commission.Visibilities {
		word := v
		if v == "commission" {
			word = "members"
		}
		list[i] = part.Option{Value: v, Label: Name(ctx, word), Help: i18n.T(ctx, help[word])}
	}
	return list
}

// sectorOptions are the open sectors, and now, to choose from.
func sectorOptions(sectors []commission.Sector, now string) []part.Option {
	var list []part.Option
	for _, s := range sectors {
		if !s.Closed || s.Slug == now {
			list = append(list, part.Option{Value: s.Slug, Label: s.Name})
		}
	}
	return list
}

// sectorNames are all sectors, the closed ones too, to choose from.
func sectorNames(sectors []commission.Sector) []part.Option {
	list := make([]part.Option, len(sectors))
	for i, s := range sectors {
		list[i] = part.Option{Value: s.Slug, Label: s.Name}
	}
	return list
}

// Frame is what stands around every page of a commission.
type Frame struct {
	commission.Commission
	Tabs []part.Tab
	Now  time.Time
}

// Show is what the page of a commission shows.
type Show struct {
	Frame
	About  commission.About
	Steps  []commission.Step // that the reader may carry out
	Sign   bool              // the reader may support it
	Seated bool              // the reader has a seat in it
	For    []commission.Mine
	Wrong  map[string]string
	Share  string // the absolute address of the page
	Key    string
}

// joinable reports whether people can ask for a seat or take one.
func (p Show) joinable() bool {
	return p.Open() && (p.JoinMode == "open" || p.JoinMode == "application")
}

// List is what the list of commissions shows. Link is its address with one
// filter changed.
type List struct {
	Rows    []commission.Row
	Filter  commission.Filter
	Sectors []commission.Sector
	Paging  part.Paging
	Propose bool // the reader may propose one
	Link    func(name, value string) string
}

// AllStates is the filter for commissions in any state, the ended ones among them.
const AllStates = "all"

// states are what the list can be narrowed to; none chosen is what has not ended.
func states(ctx context.Context) []part.Option {
	return append(options(ctx, commission.States), part.Option{Value: AllStates, Label: i18n.T(ctx, "All states")})
}

// which says which commissions the list has, where no state is chosen: those that
// the numbers of sectors and of the front page count.
func (l List) which(ctx context.Context) string {
	if l.Filter.State != "" {
		return ""
	}
	return i18n.T(ctx, "Those that have not ended")
}

func (l List) sectors(ctx context.Context) []part.Tab {
	all := part.Tab{Label: i18n.T(ctx, "All sectors"), Path: l.Link("sector", ""), Active: l.Filter.Sector == ""}
	tabs := []part.Tab{all}
	for _, s := range l.Sectors {
		tabs = append(tabs, part.Tab{Label: s.Name, Path: l.Link("sector", s.Slug), Active: l.Filter.Sector == s.Slug, Count: s.Commissions})
	}
	return tabs
}

func (l List) chips(ctx context.Context) []part.Chip {
	var chips []part.Chip
	add := func(name, value, label string) {
		if value != "" {
			chips = append(chips, part.Chip{Label: label, Remove: l.Link(name, "")})
		}
	}
	add("q", l.Filter.Query, i18n.T(ctx, "Name: %s", l.Filter.Query))
	for _, s := range l.Sectors {
		if s.Slug == l.Filter.Sector {
			add("sector", s.Slug, s.Name)
		}
	}
	add("kind", l.Filter.Kind, Name(ctx, l.Filter.Kind))
	if l.Filter.State == AllStates {
		add("state", AllStates, i18n.T(ctx, "All states"))
	} else {
		add("state", l.Filter.State, Name(ctx, l.Filter.State))
	}
	return chips
}

// Propose is what the form for a new commission shows.
type Propose struct {
	Draft   commission.Draft
	Sectors []commission.Sector
	Places  []commission.Place
	Errors  map[string]string
	Key     string
}

func (p Propose) field(ctx context.Context, name, label, value string) part.Field {
	return part.Field{Name: name, Label: i18n.T(ctx, label), Value: value, Error: p.Errors[name], Required: true}
}

// parentField is a field that suggests commissions while the reader types.
func parentField(f part.Field) part.Field {
	f.Autocomplete = "off"
	f.Attributes = map[string]any{"list": "places", "hx-get": "/commissions/options", "hx-trigger": "input changed delay:250ms", "hx-target": "#places", "hx-swap": "outerHTML", "hx-push-url": "false"}
	return f
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n int) string { return strconv.Itoa(n) }

func amount(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// said is a sentence of the capability in the reader's language.
func said(ctx context.Context, s commission.Sentence) string { return i18n.T(ctx, s.Format, s.Args...) }

// meter are the needs of a founding.
func meter(ctx context.Context, f commission.Facts) []part.Need {
	needs := []part.Need{{Label: i18n.T(ctx, "Supporters"), Have: f.Support.Persons, Need: f.Threshold.Persons}}
	if f.Threshold.Organizations > 0 {
		needs = append(needs, part.Need{Label: i18n.T(ctx, "Organizations"), Have: f.Support.Organizations, Need: f.Threshold.Organizations})
	}
	if f.Threshold.Countries > 0 {
		needs = append(needs, part.Need{Label: i18n.T(ctx, "Countries"), Have: f.Support.Countries, Need: f.Threshold.Countries})
	}
	return needs
}

// headline says how far a founding is: "7 organizations from 4 countries, 3 to go".
func headline(ctx context.Context, f commission.Facts) string {
	have, need, who := f.Support.Organizations, f.Threshold.Organizations, i18n.N(ctx, f.Support.Organizations, "%d organization", "%d organizations")
	if need == 0 {
		have, need, who = f.Support.Persons, f.Threshold.Persons, i18n.N(ctx, f.Support.Persons, "%d supporter", "%d supporters")
	}
	countries := i18n.N(ctx, f.Support.Countries, "%d country", "%d countries")
	switch {
	case f.Support.Reaches(f.Threshold):
		return i18n.T(ctx, "%s from %s: enough to be founded", who, countries)
	case have < need:
		return i18n.T(ctx, "%s from %s, %d to go", who, countries, need-have)
	}
	return i18n.T(ctx, "%s from %s", who, countries)
}

// points are the months of a growth chart.
func points(months []commission.Month) []part.Point {
	list := make([]part.Point, len(months))
	for i, m := range months {
		list[i] = part.Point{At: m.At, Count: m.N}
	}
	return list
}

var orgKinds = []string{"company", "government", "intergovernmental", "standards_body", "academia", "association"}

// kindBars are the kinds of organizations there are.
func kindBars(ctx context.Context, kinds map[string]int) []part.Bar {
	var bars []part.Bar
	for _, k := range orgKinds {
		if kinds[k] > 0 {
			bars = append(bars, part.Bar{Label: Name(ctx, k), Count: kinds[k]})
		}
	}
	return part.MostFirst(bars)
}

func stateBars(ctx context.Context, sector string, states map[string]int) []part.Bar {
	var bars []part.Bar
	for _, s := range commission.States {
		if states[s] > 0 {
			bars = append(bars, part.Bar{Label: Name(ctx, s), Count: states[s], Path: "/commissions?sector=" + sector + "&state=" + s})
		}
	}
	return bars
}

func organizations(title string, byCode map[string]int) part.Counts {
	return part.Counts{Title: title, ByCode: byCode,
		Say: func(ctx context.Context, n int) string { return i18n.N(ctx, n, "%d organization", "%d organizations") }}
}

// plan is the timeline of milestones.
func plan(ctx context.Context, list []commission.Milestone, now time.Time) []part.Event {
	zone := i18n.From(ctx).Zone
	tones := map[string][2]string{"done": {"check", "good"}, "overdue": {"alert-triangle", "bad"}, "due": {"clock", "wait"}, "planned": {"flag", "accent"}}
	events := make([]part.Event, len(list))
	for i, m := range list {
		status, date := m.Status(now.In(zone)), m.DueOn
		if m.DoneOn != nil {
			date = *m.DoneOn
		}
		day := commission.Day(date)
		events[i] = part.Event{At: time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone), Icon: tones[status][0], Tone: tones[status][1], Text: m.Title, Who: Name(ctx, status)}
	}
	return events
}

// mostExcerpt is about how many bytes of a charter stand on the commission's page.
const mostExcerpt = 700

// excerpt is the beginning of a text in Markdown: whole blocks of it.
func excerpt(body string) string {
	end := 0
	for end < len(body) && end < mostExcerpt {
		next := strings.Index(body[end+1:], "\n\n")
		if next < 0 || end+1+next > 2*mostExcerpt && end > 0 {
			break
		}
		end += 1 + next
	}
	if end == 0 || len(body) <= mostExcerpt {
		return body
	}
	// A heading belongs to what follows it.
	for last := strings.LastIndex(body[:end], "\n\n"); last > 0 && strings.HasPrefix(body[last+2:end], "#"); last = strings.LastIndex(body[:end], "\n\n") {
		end = last
	}
	return body[:end]
}

// indent is the class of a body so many levels below.
func indent(depth int) string {
	switch depth {
	case 1:
		return ""
	case 2:
		return "ps-3"
	}
	return "ps-5"
}

// sectorIcons are the small pictures of the sectors that the program began with.
var sectorIcons = map[string]string{
	"industry": "building-factory-2", "agriculture": "tractor", "energy": "bolt", "ai": "brain", "transportation": "truck", "healthcare": "stethoscope",
	"logistics": "truck-delivery", "culture": "palette", "education": "school", "tourism": "plane", "finance": "coin",
}

func sectorIcon(slug string) string {
	if icon, ok := sectorIcons[slug]; ok {
		return icon
	}
	return "users-group"
}

// verbs are what an act is called on its button.
var verbs = map[string]string{
	"call": "Send out the call", "activate": "Activate", "rest": "Put to rest", "revive": "Revive", "conclude": "Conclude", "abandon": "Abandon",
}

// Verb is the act as a button has it.
func Verb(ctx context.Context, act string) string { return i18n.T(ctx, verbs[act]) }

// questions are asked before an act that nothing leads back from.
var questions = map[string]string{"conclude": "Conclude %s?", "abandon": "Abandon %s?"}

// effects say what an act does, before it is done.
var effects = map[string]string{
	"call":     "The supporters are told by mail, and people can take seats.",
	"activate": "The commission begins its work. Members and supporters are told by mail.",
	"rest":     "The seats stay; no new ones are taken. Members are told by mail.",
	"revive":   "The commission goes on with its work. Members are told by mail.",
	"conclude": "The commission is done, for good. Members are told by mail.",
	"abandon":  "The founding is given up, for good. Supporters are told by mail.",
}

var actIcons = map[string]string{"call": "speakerphone", "activate": "check", "rest": "player-pause", "revive": "refresh", "conclude": "flag", "abandon": "x"}

// Act is what the page before an act shows.
type Act struct {
	Frame
	Step   commission.Step
	Reason string
	Errors map[string]string
	Key    string
}

func (a Act) ends(ctx context.Context) []string {
	var list []string
	if n := a.Step.Ends.Seats; n > 0 {
		list = append(list, i18n.N(ctx, n, "%d seat", "%d seats"))
	}
	if n := a.Step.Ends.Applications; n > 0 {
		list = append(list, i18n.N(ctx, n, "%d pending application", "%d pending applications"))
	}
	if n := a.Step.Ends.Invitations; n > 0 {
		list = append(list, i18n.N(ctx, n, "%d open invitation", "%d open invitations"))
	}
	return append(list, i18n.T(ctx, "The commission itself: nothing leads back"))
}

func columns(ctx context.Context, oneSector bool) []part.Column {
	list := []part.Column{{Label: i18n.T(ctx, "Name")}, {Label: i18n.T(ctx, "Acronym")}}
	if !oneSector {
		list = append(list, part.Column{Label: i18n.T(ctx, "Sector")})
	}
	return append(list, part.Column{Label: i18n.T(ctx, "Kind")}, part.Column{Label: i18n.T(ctx, "State")})
}

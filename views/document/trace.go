package document

import (
	"context"
	"strconv"
	"time"

	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// Trace is what the page of a trace shows.
type Trace struct {
	document.Trace
	Now     time.Time
	Filter  document.TraceFilter
	Chips   []part.Chip
	Paging  part.Paging
	Errors  map[string]string
	Address string // of this page, with its filters
	Export  string // the query of the exports
	Later   bool   // it is not the first page: nothing new appears here
}

func (p Trace) path() string { return p.Path() + "/trace" }

var kindNames = map[string]string{
	"submission": "Submission", "version": "Versions", "edit": "Changes of what is said of it", "status": "Status", "share": "Shares",
	document.Viewed: "Opened", document.Previewed: "Previewed", document.Downloaded: "Downloaded",
}

// KindName is what a kind of the trace is called.
func KindName(ctx context.Context, kind string) string { return i18n.T(ctx, kindNames[kind]) }

func (p Trace) kinds(ctx context.Context) []part.Option {
	var list []part.Option
	for _, k := range document.TraceKinds {
		if k != "share" || p.Shares {
			list = append(list, part.Option{Value: k, Label: KindName(ctx, k)})
		}
	}
	return list
}

// fields are those of its filter: kind, from, until.
func (p Trace) fields(ctx context.Context) []part.Field {
	return []part.Field{
		{Name: "kind", Label: i18n.T(ctx, "Kind"), HideLabel: true, Blank: i18n.T(ctx, "All that happened"), Options: p.kinds(ctx), Value: p.Filter.Kind, Error: p.Errors["kind"]},
		{Name: "from", Label: i18n.T(ctx, "From"), Value: p.Filter.From, Error: p.Errors["from"]},
		{Name: "until", Label: i18n.T(ctx, "Until"), Value: p.Filter.Until, Error: p.Errors["until"]},
	}
}

// Say is what happened, as a sentence.
func Say(ctx context.Context, s document.Step) string {
	if s.Daily {
		switch s.Kind {
		case document.Viewed:
			return i18n.N(ctx, s.Count, "Opened %d time", "Opened %d times")
		case document.Previewed:
			return i18n.N(ctx, s.Count, "Previewed %d time", "Previewed %d times")
		}
		return i18n.N(ctx, s.Count, "Downloaded %d time", "Downloaded %d times")
	}
	version, language := "", ""
	if s.Number != nil && s.Language != nil {
		version, language = strconv.Itoa(*s.Number), i18n.LanguageName(ctx, *s.Language)
	}
	with := i18n.T(ctx, "whoever has its link")
	if s.With != nil && *s.With != "" {
		with = *s.With
	}
	switch s.Step {
	case "submit":
		return i18n.T(ctx, "Submitted")
	case "reserve":
		return i18n.T(ctx, "Its number was reserved")
	case "accept":
		return i18n.T(ctx, "Accepted into the register")
	case "return":
		return i18n.T(ctx, "Returned to its author")
	case "import":
		return i18n.T(ctx, "Taken over from a list")
	case "edit":
		return i18n.T(ctx, "What is said of it was changed")
	case "withdraw":
		return i18n.T(ctx, "Withdrawn")
	case "restore":
		return i18n.T(ctx, "Restored")
	case "supersede":
		return i18n.T(ctx, "Replaced by another document")
	case "publish":
		return i18n.T(ctx, "Published as an open document")
	case "unpublish":
		return i18n.T(ctx, "Taken back from the world")
	case "revise":
		if version == "" {
			return i18n.T(ctx, "A version was added")
		}
		return i18n.T(ctx, "Version %s was added, in %s", version, language)
	case "grant":
		return i18n.T(ctx, "Shared with %s", with)
	case "revoke":
		return i18n.T(ctx, "The share with %s was revoked", with)
	case "expire":
		return i18n.T(ctx, "The share with %s ran out", with)
	case document.Viewed:
		return i18n.T(ctx, "Opened")
	case document.Previewed:
		return i18n.T(ctx, "Version %s was previewed, in %s", version, language)
	case document.Downloaded:
		return i18n.T(ctx, "Version %s was downloaded, in %s", version, language)
	}
	return i18n.T(ctx, "Changed")
}

// Who is who did it, as far as the reader may know; "" for nobody in particular.
func Who(ctx context.Context, s document.Step) string {
	switch {
	case s.Person != nil && s.OrganizationName != nil:
		return i18n.T(ctx, "%s, for %s", *s.Person, *s.OrganizationName)
	case s.Person != nil:
		return *s.Person
	case s.OrganizationName != nil:
		return *s.OrganizationName
	case s.Staff:
		return i18n.T(ctx, "The secretariat")
	}
	return ""
}

// Detail is what the journal says of it, or which grant let them read it.
func Detail(ctx context.Context, s document.Step) string {
	switch {
	case s.Note != nil && (s.Kind == "submission" || s.Kind == "status" || s.Kind == "edit"):
		return s.Note.Say(ctx)
	case s.With != nil && s.Kind != "share" && *s.With != "":
		return i18n.T(ctx, "By the share with %s", *s.With)
	case s.With != nil && s.Kind != "share":
		return i18n.T(ctx, "By a link")
	}
	return ""
}

var stepIcons = map[string]string{
	"submission": "inbox", "version": "upload", "edit": "edit", "status": "flag", "share": "users", document.Viewed: "eye", document.Previewed: "eye", document.Downloaded: "download",
}

var stepTones = map[string]string{
	"accept": "good", "restore": "good", "publish": "good", "return": "wait", "withdraw": "bad", "revoke": "bad", "expire": "muted", document.Viewed: "muted", document.Previewed: "muted", document.Downloaded: "muted",
}

func (p Trace) events(ctx context.Context) []part.Event {
	list := make([]part.Event, len(p.Steps))
	for i, s := range p.Steps {
		e := part.Event{At: s.At, Daily: s.Daily, Icon: stepIcons[s.Kind], Tone: stepTones[s.Step], Text: Say(ctx, s), Who: Who(ctx, s), Detail: Detail(ctx, s)}
		if read := s.Kind == document.Viewed || s.Kind == document.Previewed || s.Kind == document.Downloaded; e.Who == "" && read && !s.Daily {
			e.Who = i18n.T(ctx, "A visitor")
		}
		list[i] = e
	}
	return list
}

// lanes are the marks of the picture, a lane for each kind that has one.
func (p Trace) lanes(ctx context.Context) []part.Lane {
	var list []part.Lane
	for _, k := range document.TraceKinds {
		l := part.Lane{Label: KindName(ctx, k)}
		for _, m := range p.Marks {
			if m.Kind == k {
				l.Marks = append(l.Marks, part.LaneMark{At: m.At.Add(p.Part / 2), Count: m.Count, Say: p.mark(ctx, m)})
			}
		}
		if len(l.Marks) > 0 {
			list = append(list, l)
		}
	}
	return list
}

func (p Trace) mark(ctx context.Context, m document.Mark) string {
	at := i18n.T(ctx, "%s to %s", p.day(ctx, m.At), p.day(ctx, m.At.Add(p.Part-time.Second)))
	switch p.Part {
	case 24 * time.Hour:
		at = p.day(ctx, m.At)
	case time.Hour:
		at = i18n.DateTime(ctx, m.At)
	}
	return i18n.N(ctx, m.Count, "%d time, %s", "%d times, %s", at)
}

// day is a day of the picture: the reader's, or of UTC where only counts are told.
func (p Trace) day(ctx context.Context, at time.Time) string {
	if p.Names {
		return i18n.Date(ctx, at)
	}
	return i18n.Day(ctx, at.UTC())
}

// told says above the list whose names are in it.
func (p Trace) told(ctx context.Context) string {
	switch {
	case p.NamesShown:
		return i18n.T(ctx, "Everybody who may read the document sees who opened and downloaded it.")
	case p.Names:
		return i18n.T(ctx, "You see who opened and downloaded it. Other readers see how many did on each day.")
	}
	return i18n.T(ctx, "You see how many opened and downloaded it on each day (UTC). The officers, its author, its owner and the secretariat see who.")
}

// summary says the picture in a sentence.
func (p Trace) summary(ctx context.Context) string {
	n := map[string]int{}
	for _, m := range p.Marks {
		n[m.Kind] += m.Count
	}
	return i18n.T(ctx, "From %s to %s: opened %d times, previewed %d times, downloaded %d times, and %d other steps.", p.day(ctx, p.From), p.day(ctx, p.Until),
		n[document.Viewed], n[document.Previewed], n[document.Downloaded], n["submission"]+n["version"]+n["edit"]+n["status"]+n["share"])
}

// recorded says what is recorded about who reads the document.
func (p Show) recorded(ctx context.Context) string {
	switch {
	case p.NamesShown:
		return i18n.T(ctx, "Opening and downloading it is recorded; everybody who may read it sees your name.")
	case !p.SignedIn:
		return i18n.T(ctx, "Opening and downloading it is counted, without your name.")
	}
	return i18n.T(ctx, "Opening and downloading it is recorded; the officers, its author, its owner and the secretariat see your name.")
}

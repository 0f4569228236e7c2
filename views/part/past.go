package part

import (
	"context"
	"net/http"
	"time"

	"commissionportal/internal/i18n"
)

// Past is a history with its filters: what was done, by whom, the latest first.
type Past struct {
	Path                   string // of the page
	Now                    time.Time
	Own                    bool // it is what the reader did
	Who, Kind, From, Until string
	Kinds                  []string          // that it can be narrowed to
	Errors                 map[string]string // what is wrong with the filters, by field
	Chips                  []Chip
	Export                 string // address of it as CSV
	Events                 []Event
	Paging                 Paging
}

// Status is that of the page.
func (p Past) Status() int {
	if len(p.Errors) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// Change is a value that was edited.
type Change struct{ Name, From, To string }

var kindNames = map[string]string{
	"commission": "Commission", "charter": "Charter", "milestone": "Milestone", "support": "Support", "participation": "Participation", "seat": "Seat", "application": "Application",
	"invitation": "Invitation", "document": "Document", "register": "Register", "share": "Share", "upload": "File sent", "access": "Rules of access", "organization": "Organization",
	"affiliation": "Affiliation", "import": "Import", "account": "Account", "person": "Person", "sector": "Sector",
}

// KindName is what a kind of object is called; one without a name keeps its word.
func KindName(ctx context.Context, kind string) string {
	if name := kindNames[kind]; name != "" {
		return i18n.T(ctx, name)
	}
	return kind
}

var kindIcons = map[string]string{
	"commission": "gavel", "charter": "file-text", "milestone": "flag", "support": "star", "seat": "user", "application": "inbox", "invitation": "mail",
	"participation": "building", "roster": "users", "import": "file-import", "document": "file-text", "organization": "building", "affiliation": "user",
}

// KindIcon is the icon of a kind of object, "" for none of its own.
func KindIcon(kind string) string { return kindIcons[kind] }

// fields are those of its filter: kind, from, until.
func (p Past) fields(ctx context.Context) []Field {
	var kinds []Option
	for _, k := range p.Kinds {
		kinds = append(kinds, Option{Value: k, Label: KindName(ctx, k)})
	}
	return []Field{
		{Name: "kind", Label: i18n.T(ctx, "Kind"), HideLabel: true, Blank: i18n.T(ctx, "All that happened"), Options: kinds, Value: p.Kind, Error: p.Errors["kind"]},
		{Name: "from", Label: i18n.T(ctx, "From"), Value: p.From, Error: p.Errors["from"]},
		{Name: "until", Label: i18n.T(ctx, "Until"), Value: p.Until, Error: p.Errors["until"]},
	}
}

func (p Past) told(ctx context.Context) string {
	switch {
	case len(p.Errors) > 0:
		return ""
	case p.Paging.First != "" || p.Paging.Next != "":
		return i18n.N(ctx, len(p.Events), "%d entry on this page", "%d entries on this page")
	}
	return i18n.N(ctx, len(p.Events), "%d entry", "%d entries")
}

func (p Past) query(ctx context.Context) Field {
	if p.Own {
		return Field{}
	}
	return Field{Name: "who", Label: i18n.T(ctx, "Who did it"), Value: p.Who, Error: p.Errors["who"]}
}

// Package intake has the pages of imports.
package intake

import (
	"context"
	"strings"

	"commissionportal/internal/i18n"
	"commissionportal/internal/intake"
	"commissionportal/views/part"
)

// Upload is the form that a file is sent with.
type Upload struct {
	Body         intake.Body // whose roster or register it is; none for the portal
	Action       string
	Kind, Source string
	Key          string
	Errors       map[string]string
	Tabs         []part.Tab
}

// List is the page of imports.
type List struct {
	Upload
	Rows   []intake.Import
	Paging part.Paging
}

// Show is the page of one import.
type Show struct {
	intake.Import
	Fields  []intake.Field
	Lines   []intake.Line
	Verdict string
	Words   string
	Key     string
	Errors  map[string]string
	Paging  part.Paging
}

// Plannable reports whether the columns can still be corrected.
func (s Show) Plannable() bool {
	return s.State == intake.Draft || s.State == intake.Checked || s.State == intake.Failed
}

// Reported reports whether there is a report to read.
func (s Show) Reported() bool { return s.State == intake.Checked || s.State == intake.Done }

var kindNames = map[string]string{"organizations": "Organizations", "persons": "Persons", "commissions": "Commissions", "participations": "Participations", "seats": "Seats", "documents": "Documents"}

var kindHelp = map[string]string{
	"organizations":  "Members of the convention: name, kind, category, country, website.",
	"persons":        "Names and e-mail addresses, and for whom they act. Nobody is written to.",
	"commissions":    "Bodies with kind, sector, purpose, and the one they sit under.",
	"participations": "Which organization takes part in which commission, and how: P, O or L.",
	"seats":          "Who sits in which commission, in which role, for whom. Persons who are missing are added.",
	"documents":      "Registers: number, title, type, status, date. The files come later, one by one.",
}

func kindOptions(ctx context.Context) []part.Option {
	list := make([]part.Option, len(intake.Kinds))
	for i, k := range intake.Kinds {
		list[i] = part.Option{Value: k, Label: i18n.T(ctx, kindNames[k]), Help: i18n.T(ctx, kindHelp[k])}
	}
	return list
}

// columnOptions are the columns that a field may be read from, and the words
// that may stand on every line.
func columnOptions(ctx context.Context, f intake.Field, header []string) []part.Option {
	var list []part.Option
	seen := map[string]bool{}
	for _, h := range header {
		if h != "" && !seen[h] {
			seen[h] = true
			list = append(list, part.Option{Value: h, Label: h, Group: i18n.T(ctx, "Column of the file")})
		}
	}
	for _, o := range f.Options {
		list = append(list, part.Option{Value: "=" + o, Label: strings.ReplaceAll(o, "_", " "), Group: i18n.T(ctx, "The same on every line")})
	}
	return list
}

func (s Show) column(ctx context.Context, f intake.Field) part.Field {
	p := part.Field{Name: "column_" + f.Name, Label: i18n.T(ctx, f.Label), Value: s.Plan.Columns[f.Name], Required: f.Required, Error: s.Errors["column_"+f.Name],
		Options: columnOptions(ctx, f, s.Header), Blank: i18n.T(ctx, "Not in the file")}
	if f.Help != "" {
		p.Help = i18n.T(ctx, f.Help)
	}
	return p
}

func (s Show) columns(ctx context.Context) []part.Field {
	list := make([]part.Field, len(s.Fields))
	for i, f := range s.Fields {
		list[i] = s.column(ctx, f)
	}
	return list
}

// hasWords are the fields whose words can be given a meaning.
func (s Show) hasWords() string {
	var list []string
	for _, f := range s.Fields {
		if len(f.Options) > 0 || f.Name == "sector" {
			list = append(list, f.Name)
		}
	}
	return strings.Join(list, ", ")
}

func (s Show) stats(ctx context.Context) []part.Stat {
	labels := map[string]string{intake.Created: "Created", intake.Changed: "Changed", intake.Skipped: "Skipped", intake.Refused: "Refused"}
	if s.DryRun {
		labels = map[string]string{intake.Created: "To be created", intake.Changed: "To be changed", intake.Skipped: "To be skipped", intake.Refused: "To be refused"}
	}
	list := make([]part.Stat, len(intake.Verdicts))
	for i, v := range intake.Verdicts {
		list[i] = part.Stat{Label: i18n.T(ctx, labels[v]), Value: i18n.Number(ctx, s.Counts.Of(v)), Path: s.Path() + "?verdict=" + v}
	}
	return list
}

// tones are the colors of verdicts.
var tones = map[string]string{intake.Created: "good", intake.Changed: "accent", intake.Skipped: "muted", intake.Refused: "bad"}

var verdictNames = map[string]string{intake.Created: "Created", intake.Changed: "Changed", intake.Skipped: "Skipped", intake.Refused: "Refused"}

func (s Show) chips(ctx context.Context) []part.Chip {
	if s.Verdict == "" {
		return nil
	}
	return []part.Chip{{Label: i18n.T(ctx, verdictNames[s.Verdict]), Remove: s.Path()}}
}

func (s Show) crumbs(ctx context.Context) []part.Crumb {
	if s.Commission != nil && s.Kind == "documents" {
		return []part.Crumb{{Label: i18n.T(ctx, "Documents"), Path: "/commissions/" + *s.Commission + "/documents"}, {Label: i18n.T(ctx, "Import"), Path: intake.Home(*s.Commission, s.Kind)}}
	}
	if s.Commission != nil {
		return []part.Crumb{{Label: i18n.T(ctx, "Roster"), Path: "/commissions/" + *s.Commission + "/roster"}, {Label: i18n.T(ctx, "Import"), Path: "/commissions/" + *s.Commission + "/roster/import"}}
	}
	return []part.Crumb{{Label: i18n.T(ctx, "Imports"), Path: "/imports"}}
}

func (s Show) reportPath() string {
	if s.Verdict == "" {
		return s.Path() + "/report.csv"
	}
	return s.Path() + "/report.csv?verdict=" + s.Verdict
}

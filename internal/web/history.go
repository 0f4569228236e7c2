package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
	"commissionportal/views/part"
)

// HistoryQuery is what a page of a history is asked for; Slug is whose it is.
type HistoryQuery struct {
	Slug   string `form:"slug"`
	Who    string `form:"who"`
	Kind   string `form:"kind"`
	From   string `form:"from"`
	Until  string `form:"until"`
	Cursor string `form:"cursor"`
}

// Historical reads the query of a history.
func Historical(c *fiber.Ctx) (HistoryQuery, keyset.Page, error) {
	in, err := Decode[HistoryQuery](c)
	if err != nil {
		return in, keyset.Page{}, err
	}
	page, err := keyset.Parse(in.Cursor, 3, 0)
	return in, page, err
}

// Filter is the filter of the query, in days of the reader.
func (q HistoryQuery) Filter(ctx context.Context) journal.Filter {
	return journal.Filter{Who: q.Who, Kind: q.Kind, From: q.From, Until: q.Until, Zone: i18n.From(ctx).Zone}
}

// link is the address at path with one of the filters changed, from its start.
func (q HistoryQuery) link(path, name, value string) string {
	set := map[string]string{"who": q.Who, "kind": q.Kind, "from": q.From, "until": q.Until, name: value}
	return Query(path, "who", set["who"], "kind", set["kind"], "from", set["from"], "until", set["until"], "cursor", set["cursor"])
}

// Show makes the history at path of its entries, with the filters in force; refused
// says what was wrong with them.
func (q HistoryQuery) Show(ctx context.Context, path string, entries []journal.Event, next string, refused *problem.Error) part.Past {
	p := part.Past{Path: path, Now: journal.Now(ctx), Who: q.Who, Kind: q.Kind, Kinds: journal.Kinds, From: q.From, Until: q.Until, Export: q.link(path+".csv", "", "")}
	if refused != nil {
		p.Errors = i18n.FieldProblems(ctx, refused)
		return p
	}
	for _, f := range []struct{ name, value, label string }{
		{"who", q.Who, i18n.T(ctx, "By %s", q.Who)}, {"kind", q.Kind, part.KindName(ctx, q.Kind)},
		{"from", q.From, i18n.T(ctx, "From %s", i18n.Written(ctx, q.From))}, {"until", q.Until, i18n.T(ctx, "Until %s", i18n.Written(ctx, q.Until))},
	} {
		if f.value != "" {
			p.Chips = append(p.Chips, part.Chip{Label: f.label, Remove: q.link(path, f.name, "")})
		}
	}
	if q.Cursor != "" {
		p.Paging.First = q.link(path, "", "")
	}
	if next != "" {
		p.Paging.Next = q.link(path, "cursor", next)
	}
	for _, e := range entries {
		event := part.Event{At: e.At, Icon: part.KindIcon(e.Object), Text: e.Text, Who: text(e.Person), For: text(e.For), Changes: changes(e.Before, e.After)}
		if after, ok := e.After.(map[string]any); ok {
			event.Detail, _ = after["reason"].(string)
		}
		p.Events = append(p.Events, event)
	}
	return p
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// changes are the values that differ, by name.
func changes(before, after any) []part.Change {
	b, _ := before.(map[string]any)
	a, _ := after.(map[string]any)
	names := map[string]bool{}
	for name := range b {
		names[name] = true
	}
	for name := range a {
		names[name] = true
	}
	delete(names, "reason")
	var list []part.Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if from, to := said(b[name]), said(a[name]); from != to {
			list = append(list, part.Change{Name: name, From: from, To: to})
		}
	}
	return list
}

// longest is how much of a value a history shows, in characters; the API and the
// file have all of it.
const longest = 300

// said is a value as a reader sees it.
func said(v any) string {
	var s string
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		s = v
	case bool, float64:
		return fmt.Sprint(v)
	default:
		s = compact(v)
	}
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

func compact(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil { // it came from JSON
		panic(err)
	}
	return string(b)
}

// HistoryFile answers with all entries of a history as CSV.
func (s *Server) HistoryFile(c *fiber.Ctx, name string, each func(func(journal.Event) error) error) error {
	ctx := c.UserContext()
	zone := i18n.From(ctx).Zone
	header := []string{i18n.T(ctx, "When"), i18n.T(ctx, "Who"), i18n.T(ctx, "For"), i18n.T(ctx, "Where"), i18n.T(ctx, "Kind"), i18n.T(ctx, "What was done"),
		i18n.T(ctx, "Before"), i18n.T(ctx, "After"), i18n.T(ctx, "Request"), i18n.T(ctx, "Number")}
	return s.Download(c, name+"-history-"+journal.Now(ctx).In(zone).Format(time.DateOnly)+".csv", func(w io.Writer) error {
		out, err := sheet.CSV(w, header, true)
		if err != nil {
			return err
		}
		err = each(func(e journal.Event) error {
			return out.WriteRow(e.At.In(zone), text(e.Person), text(e.For), text(e.Where), part.KindName(ctx, e.Object), e.Text, compact(e.Before), compact(e.After), e.Request, e.Number)
		})
		return errors.Join(err, out.Close())
	})
}

// Past is what the API asks of a history.
type Past struct {
	Paged
	Who   string `query:"who" maxLength:"200" doc:"Part of the name of who did it."`
	Kind  string `query:"kind" maxLength:"40" doc:"Kind of object, such as seat or document."`
	From  string `query:"from" maxLength:"10" doc:"YYYY-MM-DD."`
	Until string `query:"until" maxLength:"10" doc:"YYYY-MM-DD, that day included."`
}

// Filter is the filter of the query.
func (p Past) Filter(ctx context.Context) journal.Filter {
	return journal.Filter{Who: p.Who, Kind: p.Kind, From: p.From, Until: p.Until, Zone: i18n.From(ctx).Zone}
}

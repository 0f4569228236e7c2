package documentweb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/sheet"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
	"commissionportal/views/part"
)

func (h *pages) mountTrace() {
	read := web.Now(web.InCommission("trace", "read")) // those who are woken come to read what has just been written
	h.Page("GET", "/documents/:name/trace", "trace.show", read, h.getTrace)
	h.Page("GET", "/documents/:name/trace.csv", "trace.csv", read, h.getTraceExport(".csv"))
	h.Page("GET", "/documents/:name/trace.xlsx", "trace.xlsx", read, h.getTraceExport(".xlsx"))
	h.Live("/events", "trace.follow", read, h.getEvents)
	h.Live("/api/v1/events", "trace.follow.api", read, h.getEvents)
	h.Describe(&huma.Operation{Method: http.MethodGet, Path: "/api/v1/events", OperationID: "trace.follow.api", Summary: "Follow what happens to a document, by server-sent events", Tags: []string{tag},
		Description: "An event named changed comes at once, and whenever something may have happened to the document; it says no more than the document's id: read its trace then. An event named end says that you may no longer.",
		Parameters:  []*huma.Param{{Name: "document", In: "query", Required: true, Description: "Its reference, ENERGY-N0012, or its id.", Schema: &huma.Schema{Type: huma.TypeString}}}}, "200", "The events, as text/event-stream, for as long as you listen.")
	web.API(h.Server, web.Call{Method: "GET", Path: "/documents/{name}/trace", Operation: "trace.show.api", Need: read, Summary: "List what happened to a document, the latest first", Tag: tag}, (&api{h.documents}).trace)
}

type traceQuery struct {
	Name   string `form:"name"`
	Kind   string `form:"kind"`
	From   string `form:"from"`
	Until  string `form:"until"`
	Cursor string `form:"cursor"`
}

func (q traceQuery) filter() document.TraceFilter {
	return document.TraceFilter{Kind: q.Kind, From: q.From, Until: q.Until}
}

// link is the address of the trace at path with one of its filters changed.
func (q traceQuery) link(path, name, value string) string {
	set := map[string]string{"kind": q.Kind, "from": q.From, "until": q.Until}
	set[name] = value
	return web.Query(path, "kind", set["kind"], "from", set["from"], "until", set["until"], "cursor", set["cursor"])
}

func (h *pages) getTrace(c *fiber.Ctx) error {
	in, err := web.Decode[traceQuery](c)
	if err != nil {
		return err
	}
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	ctx, status := c.UserContext(), http.StatusOK
	t, err := h.documents.Trace(ctx, web.Actor(c), in.Name, in.filter(), i18n.From(ctx).Zone, page, true)
	refused := web.Invalid(err)
	if err != nil && (refused == nil || t.ID == [16]byte{}) {
		return err
	}
	path := t.Path() + "/trace"
	p := views.Trace{Trace: t, Now: journal.Now(ctx), Filter: in.filter(), Later: in.Cursor != "", Address: in.link(path, "", ""), Export: in.link("", "", "")}
	if refused != nil {
		status, p.Errors = http.StatusUnprocessableEntity, i18n.FieldProblems(ctx, refused)
	}
	for _, f := range []struct{ name, value, label string }{
		{"kind", in.Kind, views.KindName(ctx, in.Kind)}, {"from", in.From, i18n.T(ctx, "From %s", i18n.Written(ctx, in.From))}, {"until", in.Until, i18n.T(ctx, "Until %s", i18n.Written(ctx, in.Until))},
	} {
		if f.value != "" && refused == nil {
			p.Chips = append(p.Chips, part.Chip{Label: f.label, Remove: in.link(path, f.name, "")})
		}
	}
	if in.Cursor != "" {
		p.Paging.First = p.Address
	}
	if t.Next != "" {
		p.Paging.Next = in.link(path, "cursor", t.Next)
	}
	return h.Render(c, status, views.TracePage(p))
}

// getTraceExport is the trace, with its filters, as a file.
func (h *pages) getTraceExport(extension string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, err := web.Decode[traceQuery](c)
		if err != nil {
			return err
		}
		ctx := c.UserContext()
		zone := i18n.From(ctx).Zone
		d, each, err := h.documents.EachStep(ctx, web.Actor(c), in.Name, in.filter(), zone)
		if err != nil {
			return err
		}
		header := []string{"When", "Kind", "What happened", "How often", "Version", "Language", "Person", "Organization", "Note"}
		for i := range header {
			header[i] = i18n.T(ctx, header[i])
		}
		return h.Download(c, d.Name()+"-trace-"+today(ctx)+extension, func(w io.Writer) (err error) {
			var out sheet.Writer
			if extension == ".csv" {
				out, err = sheet.CSV(w, header, true)
			} else {
				out, err = sheet.XLSX(w, header)
			}
			if err != nil {
				return err
			}
			err = each(func(s document.Step) error {
				var when any = s.At.In(zone)
				if s.Daily {
					when = sheet.Day(s.At.UTC())
				}
				return out.WriteRow(when, views.KindName(ctx, s.Kind), views.Say(ctx, s), s.Count, s.Number, s.Language, person(ctx, s), s.OrganizationName, views.Detail(ctx, s))
			})
			return errors.Join(err, out.Close())
		})
	}
}

// person is who did it, as an export has it.
func person(ctx context.Context, s document.Step) string {
	if s.Person == nil && s.Staff {
		return views.Who(ctx, s)
	}
	if s.Person == nil {
		return ""
	}
	return *s.Person
}

// getEvents tells an open page when something happens to a document.
func (h *pages) getEvents(c *fiber.Ctx) error {
	in, err := web.Decode[struct {
		Document string `form:"document"`
	}](c)
	if err != nil {
		return err
	}
	f, err := h.documents.Follow(c.UserContext(), web.Actor(c), in.Document, h.Address(c).String())
	if err != nil {
		return err
	}
	return h.Events(c, web.Happening{Wake: f.Wake, Doubt: f.Doubt, Deaf: f.Deaf, Ask: f.Ask, Close: f.Close, Data: `{"document":` + strconv.Quote(f.Document.String()) + `}`})
}

type traceInput struct {
	Named
	web.Paged
	Kind  string `query:"kind" enum:"submission,version,edit,status,share,view,preview,download"`
	From  string `query:"from" maxLength:"10" doc:"YYYY-MM-DD."`
	Until string `query:"until" maxLength:"10" doc:"YYYY-MM-DD, that day included."`
}

func (h *api) trace(ctx context.Context, in *traceInput) (*web.Listed[document.Step], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	t, err := h.documents.Trace(ctx, access.From(ctx), in.Name, document.TraceFilter{Kind: in.Kind, From: in.From, Until: in.Until}, i18n.From(ctx).Zone, page, false)
	if err != nil {
		return nil, err
	}
	return web.Page(t.Steps, t.Next), nil
}

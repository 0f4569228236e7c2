package journalweb

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
	views "commissionportal/views/journal"
)

// mountOwn adds what a person did.
func (h *pages) mountOwn() {
	read := web.InPortal("history", "read")
	h.AddTab("account", web.Tab{Label: "History", Path: "/history", Order: 40})
	h.Page("GET", "/profile/history", "history.own", read, h.getOwn)
	h.Page("GET", "/profile/history.csv", "history.own.csv", read, h.getOwnFile)
	web.API(h.Server, web.Call{Method: "GET", Path: "/persons/me/history", Operation: "history.own.api", Need: read, Summary: "List what you did, the latest first", Tag: "Persons"}, h.own)
}

func (h *pages) getOwn(c *fiber.Ctx) error {
	in, page, err := web.Historical(c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	in.Who = ""
	events, next, err := h.reader.Own(ctx, who, in.Filter(ctx), page)
	refused := web.Invalid(err)
	if err != nil && refused == nil {
		return err
	}
	past := in.Show(ctx, "/profile/history", events, next, refused)
	past.Own = true
	for i := range past.Events { // where it was, and not by whom
		past.Events[i].Who = ""
		if w := events[i].Where; w != nil {
			past.Events[i].Where = *w
		}
	}
	return h.Render(c, past.Status(), views.OwnPage(past, h.Tabs(ctx, "account", "/profile", access.Portal, "/history")))
}

// getOwnFile is what the reader did, with the filters, as a file.
func (h *pages) getOwnFile(c *fiber.Ctx) error {
	in, _, err := web.Historical(c)
	if err != nil {
		return err
	}
	each, err := h.reader.EachOwn(c.UserContext(), web.Actor(c), in.Filter(c.UserContext()))
	if err != nil {
		return err
	}
	return h.HistoryFile(c, "own", each)
}

// OwnInput is what the API asks of one's own history.
type OwnInput struct {
	web.Paged
	Kind  string `query:"kind" maxLength:"40" doc:"Kind of object, such as seat or document."`
	From  string `query:"from" maxLength:"10" doc:"YYYY-MM-DD."`
	Until string `query:"until" maxLength:"10" doc:"YYYY-MM-DD, that day included."`
}

func (h *pages) own(ctx context.Context, in *OwnInput) (*web.Listed[journal.Event], error) {
	page, err := keyset.Parse(in.Cursor, 3, in.Limit)
	if err != nil {
		return nil, err
	}
	asked := web.Past{Kind: in.Kind, From: in.From, Until: in.Until}
	events, next, err := h.reader.Own(ctx, access.From(ctx), asked.Filter(ctx), page)
	return web.Page(events, next), err
}

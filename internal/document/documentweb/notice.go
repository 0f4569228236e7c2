package documentweb

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
)

func (h *pages) mountNotices() {
	read, edit, stop := web.InPortal("notice", "read"), web.InPortal("notice", "edit"), web.InPortal("notice", "stop")
	h.AddTab("account", web.Tab{Label: "Letters", Path: "/letters", Order: 6})
	h.Page("GET", "/profile/letters", "notice.read", read, h.getNotice)
	h.Page("POST", "/profile/letters", "notice.edit", edit, h.postNotice)
	h.Page("GET", "/unsubscribe/:key/:what", "notice.stop.form", stop, h.getUnsubscribe)
	h.Page("POST", "/unsubscribe/:key/:what", "notice.stop", stop, h.postUnsubscribe)
	a := &api{h.documents}
	web.API(h.Server, web.Call{Method: "GET", Path: "/persons/me/letters", Operation: "notice.read.api", Need: read, Summary: "Read which letters about documents you get", Tag: "Account"}, a.notice)
	web.API(h.Server, web.Call{Method: "PATCH", Path: "/persons/me/letters", Operation: "notice.edit.api", Need: edit, Summary: "Choose which letters about documents you get", Tag: "Account"}, a.setNotice)
}

func (h *pages) getNotice(c *fiber.Ctx) error {
	n, err := h.documents.Notice(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.notice(c, 200, views.Letters{Notice: n})
}

func (h *pages) notice(c *fiber.Ctx, status int, p views.Letters) error {
	p.Tabs, p.Key = h.Tabs(c.UserContext(), "account", "/profile", access.Portal, "/letters"), key()
	return h.Render(c, status, views.LettersPage(p))
}

type noticeForm struct {
	Digest  string `form:"digest"`
	Due     bool   `form:"due"`
	Version int    `form:"version"`
}

func (h *pages) postNotice(c *fiber.Ctx) error {
	in, err := web.Decode[noticeForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	n := document.Notice{Digest: in.Digest, Due: in.Due, Version: in.Version}
	_, err = h.documents.SetNotice(ctx, web.Actor(c), n)
	if status := refusal(err); status != 0 {
		p := views.Letters{Notice: n, Stale: status == 412}
		if p.Stale {
			now, err := h.documents.Notice(ctx, web.Actor(c))
			if err != nil {
				return err
			}
			p.Notice.Version = now.Version
		}
		p.Errors = i18n.FieldProblems(ctx, problem.As(err))
		return h.notice(c, status, p)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/letters", i18n.T(ctx, "Saved."))
}

func (h *pages) getUnsubscribe(c *fiber.Ctx) error {
	if err := h.documents.Unsubscribing(c.UserContext(), web.Actor(c), c.Params("key"), c.Params("what")); err != nil {
		return err
	}
	return h.Render(c, 200, views.UnsubscribePage(views.Unsubscribe{Path: c.Path(), What: c.Params("what")}))
}

func (h *pages) postUnsubscribe(c *fiber.Ctx) error {
	if err := h.documents.Unsubscribe(c.UserContext(), web.Actor(c), c.Params("key"), c.Params("what")); err != nil {
		return err
	}
	return h.Render(c, 200, views.UnsubscribePage(views.Unsubscribe{Path: c.Path(), What: c.Params("what"), Done: true}))
}

func (h *api) notice(ctx context.Context, _ *struct{}) (*web.Versioned[document.Notice], error) {
	n, err := h.documents.Notice(ctx, access.From(ctx))
	return web.Version(n, n.Version), err
}

type noticeInput struct {
	web.Matched
	Body struct {
		Digest *string `json:"digest,omitempty" enum:"never,daily,weekly"`
		Due    *bool   `json:"due,omitempty"`
	}
}

func (h *api) setNotice(ctx context.Context, in *noticeInput) (*web.Versioned[document.Notice], error) {
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	n, err := h.documents.Notice(ctx, access.From(ctx))
	if err != nil {
		return nil, err
	}
	set(&n.Digest, in.Body.Digest)
	set(&n.Due, in.Body.Due)
	n.Version = version
	n, err = h.documents.SetNotice(ctx, access.From(ctx), n)
	return web.Version(n, n.Version), err
}

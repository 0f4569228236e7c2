package accountweb

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
	views "commissionportal/views/account"
)

type listQuery struct {
	Query  string `form:"q"`
	State  string `form:"state"`
	Cursor string `form:"cursor"`
}

func (h *pages) getList(c *fiber.Ctx) error {
	in, err := web.Decode[listQuery](c)
	if err != nil {
		return err
	}
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	l := views.List{Filter: account.Filter{Query: in.Query, State: in.State}}
	rows, next, err := h.accounts.List(c.UserContext(), web.Actor(c), l.Filter, page)
	if err != nil {
		return err
	}
	l.Rows = rows
	link := func(cursor string) string {
		return web.Query("/persons", "q", in.Query, "state", in.State, "cursor", cursor)
	}
	if in.Cursor != "" {
		l.Paging.First = link("")
	}
	if next != "" {
		l.Paging.Next = link(next)
	}
	return h.Render(c, http.StatusOK, views.ListPage(l))
}

func (h *pages) getShow(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	who := web.Actor(c)
	p, err := h.accounts.Show(c.UserContext(), who, id)
	if err != nil {
		return err
	}
	s := views.Show{Person: p, Own: who.ID == id}
	if p.Account != nil && !s.Own {
		live := p.Account.State != "erased"
		s.Disarm = live && h.Policy.May(who, access.Portal, "person", "disarm")
		s.Erase = live && h.Policy.May(who, access.Portal, "person", "erase")
		s.Suspend = p.Account.State == "active" && h.Policy.May(who, access.Portal, "person", "suspend")
		s.Reinstate = p.Account.State == "suspended" && h.Policy.May(who, access.Portal, "person", "reinstate")
	}
	return h.Render(c, http.StatusOK, views.ShowPage(s))
}

type suspendForm struct {
	Reason string `form:"reason"`
}

func (h *pages) getSuspend(c *fiber.Ctx) error {
	return h.showSuspend(c, http.StatusOK, "", nil)
}

func (h *pages) showSuspend(c *fiber.Ctx, status int, reason string, errors map[string]string) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	p, ends, err := h.accounts.Suspension(c.UserContext(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.SuspendPage(views.Suspend{Person: p, Ends: ends, Reason: reason, Errors: errors, Key: uuid.NewString()}))
}

func (h *pages) postSuspend(c *fiber.Ctx) error {
	in, err := web.Decode[suspendForm](c)
	if err != nil {
		return err
	}
	id, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	err = h.accounts.Suspend(ctx, web.Actor(c), id, in.Reason)
	if p := web.Invalid(err); p != nil {
		return h.showSuspend(c, http.StatusUnprocessableEntity, in.Reason, i18n.FieldProblems(ctx, p))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/persons/"+id.String(), i18n.T(ctx, "The account is suspended. All its sessions have ended."))
}

func (h *pages) postReinstate(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	if err := h.accounts.Reinstate(c.UserContext(), web.Actor(c), id); err != nil {
		return err
	}
	return h.SeeOther(c, "/persons/"+id.String(), i18n.T(c.UserContext(), "The account is open again."))
}

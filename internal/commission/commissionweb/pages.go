// Package commissionweb has the two doors of commissions: pages and API.
package commissionweb

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
	"commissionportal/views/part"
)

type pages struct {
	*web.Server
	commissions *commission.Service
}

// Mount adds the routes of commissions.
func Mount(s *web.Server, commissions *commission.Service) {
	h := &pages{s, commissions}
	s.AddEntry("Commissions", "/commissions")
	s.AddTab("commission", web.Tab{Label: "About", Path: "", Order: 0})
	s.Page("GET", "/commissions", "commission.list", web.InPortal("commission", "list"), h.getList)
	s.Page("GET", "/commissions/new", "commission.propose.form", web.InPortal("commission", "propose"), h.getPropose)
	s.Page("POST", "/commissions", "commission.propose", web.InPortal("commission", "propose"), h.postPropose)
	s.Page("GET", "/commissions/:slug", "commission.show", web.InCommission("commission", "read"), h.getShow)
	mountAPI(s, commissions)
}

type listQuery struct {
	Query  string `form:"q"`
	Sector string `form:"sector"`
	Kind   string `form:"kind"`
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
	ctx, who := c.UserContext(), web.Actor(c)
	p := views.List{Filter: commission.Filter{Query: in.Query, Sector: in.Sector, Kind: in.Kind, State: in.State}}
	rows, next, err := h.commissions.List(ctx, who, p.Filter, page)
	if err != nil {
		return err
	}
	if p.Sectors, err = h.commissions.Sectors(ctx, who); err != nil {
		return err
	}
	p.Rows, p.Propose = rows, h.Policy.May(who, access.Portal, "commission", "propose")
	p.Paging = paging(in, next)
	return h.Render(c, 200, views.ListPage(p))
}

func paging(in listQuery, next string) part.Paging {
	link := func(cursor string) string {
		return web.Query("/commissions", "q", in.Query, "sector", in.Sector, "kind", in.Kind, "state", in.State, "cursor", cursor)
	}
	var p part.Paging
	if in.Cursor != "" {
		p.First = link("")
	}
	if next != "" {
		p.Next = link(next)
	}
	return p
}

func (h *pages) getShow(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	body, err := h.commissions.Show(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.ShowPage(views.Show{Commission: body, Tabs: h.Tabs(ctx, "commission", body.Path(), body.Scope(), "")}))
}

type proposeForm struct {
	Name    string `form:"name"`
	Acronym string `form:"acronym"`
	Kind    string `form:"kind"`
	Parent  string `form:"parent"`
	Sector  string `form:"sector"`
	Purpose string `form:"purpose"`
	Charter string `form:"charter"`
}

func (h *pages) getPropose(c *fiber.Ctx) error {
	if _, err := h.Policy.Require(c.UserContext(), web.Actor(c), access.Portal, "commission", "propose"); err != nil {
		return err
	}
	return h.showPropose(c, 200, commission.Draft{Kind: commission.Standing}, nil)
}

func (h *pages) showPropose(c *fiber.Ctx, status int, d commission.Draft, errors map[string]string) error {
	sectors, err := h.commissions.Sectors(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.Render(c, status, views.ProposePage(views.Propose{Draft: d, Sectors: sectors, Errors: errors, Key: uuid.NewString()}))
}

func (h *pages) postPropose(c *fiber.Ctx) error {
	in, err := web.Decode[proposeForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	draft := commission.Draft(in)
	body, err := h.commissions.Propose(ctx, web.Actor(c), draft)
	if p := web.Invalid(err); p != nil {
		return h.showPropose(c, 422, draft, i18n.FieldProblems(ctx, p))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, body.Path(), i18n.T(ctx, "Proposed. Now collect support: send people the address of this page."))
}

// Package commissionweb has the two doors of commissions: pages and API.
package commissionweb

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
	"commissionportal/views/layout"
	"commissionportal/views/part"
)

type pages struct {
	*web.Server
	commissions *commission.Service
}

// Mount adds the routes of commissions.
func Mount(s *web.Server, commissions *commission.Service) {
	h := &pages{s, commissions}
	s.Moves("commissions", commissions.Renamed)
	s.AddEntry("Commissions", "/commissions")
	s.Own = append(s.Own, layout.Entry{Label: "Support that a founding needs", Path: "/settings/founding"})
	s.AddTab("commission", web.Tab{Label: "About", Path: "", Order: 0})
	s.AddTab("commission", web.Tab{Label: "Charter", Path: "/charter", Order: 20})
	s.AddTab("commission", web.Tab{Label: "Milestones", Path: "/milestones", Order: 40})
	s.AddTab("commission", web.Tab{Label: "History", Path: "/history", Order: 90, Need: web.InCommission("history", "read")})
	s.AddTab("commission", web.Tab{Label: "Settings", Path: "/settings", Order: 95, Need: web.InCommission("commission", "settings")})

	read, settings, propose := web.InCommission("commission", "read"), web.InCommission("commission", "settings"), web.InPortal("commission", "propose")
	s.Page("GET", "/commissions", "commission.list", web.Kept(web.InPortal("commission", "list")), h.getList)
	s.Page("GET", "/commissions/new", "commission.propose.form", propose, h.getPropose)
	s.Page("GET", "/commissions/options", "commission.options", web.InPortal("commission", "list"), h.getOptions)
	s.Page("POST", "/commissions", "commission.propose", propose, h.postPropose)
	s.Page("GET", "/commissions/:slug", "commission.show", web.Kept(read), h.getShow)
	s.Page("GET", "/commissions/:slug/settings", "commission.settings.form", settings, h.getSettings)
	s.Page("POST", "/commissions/:slug/settings", "commission.settings", settings, h.postSettings)
	s.Page("GET", "/commissions/:slug/history", "commission.history", web.InCommission("history", "read"), h.getHistory)
	s.Page("GET", "/commissions/:slug/history.csv", "commission.history.csv", web.InCommission("history", "read"), h.getHistoryFile)
	for _, a := range commission.Acts {
		need := web.InCommission("commission", a.Name)
		s.Page("GET", "/commissions/:slug/"+a.Name, "commission."+a.Name+".form", need, h.getAct(a))
		if a.Name == "conclude" {
			need = web.Recent(need)
		}
		s.Page("POST", "/commissions/:slug/"+a.Name, "commission."+a.Name, need, h.postAct(a))
	}
	h.mountFounding()
	h.mountCharter()
	h.mountMilestones()
	h.mountSectors()
	mountAPI(s, commissions)
}

// slug is the name that the path has for the commission.
func slug(c *fiber.Ctx) string { return c.Params("slug") }

// framed is what stands around a page of a commission.
func (h *pages) framed(ctx context.Context, c commission.Commission, tab string) views.Frame {
	return views.Frame{Commission: c, Tabs: h.Tabs(ctx, "commission", c.Path(), c.Scope(), tab), Now: journal.Now(ctx)}
}

func key() string { return uuid.NewString() }

type listQuery struct {
	Query  string `form:"q"`
	Sector string `form:"sector"`
	Kind   string `form:"kind"`
	State  string `form:"state"`
	Cursor string `form:"cursor"`
}

// link is the address of the list with one filter changed, from its start.
func (q listQuery) link(name, value string) string {
	q.Cursor = ""
	for field, to := range map[string]*string{"q": &q.Query, "sector": &q.Sector, "kind": &q.Kind, "state": &q.State, "cursor": &q.Cursor} {
		if field == name {
			*to = value
		}
	}
	return web.Query("/commissions", "q", q.Query, "sector", q.Sector, "kind", q.Kind, "state", q.State, "cursor", q.Cursor)
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
	p := views.List{Filter: commission.Filter{Query: in.Query, Sector: in.Sector, Kind: in.Kind, State: in.State}, Link: in.link}
	switch in.State { // none chosen is what has not ended, as the numbers count
	case "":
		p.Filter.Open = true
	case views.AllStates:
		p.Filter.State = ""
	}
	rows, next, err := h.commissions.List(ctx, who, p.Filter, page)
	if err != nil {
		return err
	}
	if p.Sectors, err = h.commissions.Sectors(ctx, who); err != nil {
		return err
	}
	p.Filter.State = in.State
	p.Rows, p.Propose = rows, h.Policy.May(who, access.Portal, "commission", "propose")
	p.Paging = paging(in.Cursor, next, func(cursor string) string { return in.link("cursor", cursor) })
	return h.Render(c, 200, views.ListPage(p))
}

// paging is where a list goes on; link is its address with a cursor.
func paging(cursor, next string, link func(cursor string) string) part.Paging {
	var p part.Paging
	if cursor != "" {
		p.First = link("")
	}
	if next != "" {
		p.Next = link(next)
	}
	return p
}

func (h *pages) getShow(c *fiber.Ctx) error {
	return h.show(c, 200, nil)
}

func (h *pages) show(c *fiber.Ctx, status int, wrong map[string]string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	body, err := h.commissions.Show(ctx, who, slug(c))
	if err != nil {
		return err
	}
	p := views.Show{Frame: h.framed(ctx, body, ""), Wrong: wrong, Share: h.URL(body.Path()), Key: key(), Sign: h.commissions.May(who, body, "support", "sign"),
		Seated: who.Roles(body.Scope()).Has(access.Member)}
	if p.About, err = h.commissions.About(ctx, who, body); err != nil {
		return err
	}
	if p.For, err = h.commissions.Signing(ctx, who, body); err != nil {
		return err
	}
	p.Steps = h.commissions.Steps(who, body, p.About.Facts)
	return h.Render(c, status, views.ShowPage(p))
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
	ctx, who := c.UserContext(), web.Actor(c)
	sectors, err := h.commissions.Sectors(ctx, who)
	if err != nil {
		return err
	}
	places, err := h.commissions.Places(ctx, who, "")
	if err != nil {
		return err
	}
	return h.Render(c, status, views.ProposePage(views.Propose{Draft: d, Sectors: sectors, Places: places, Errors: errors, Key: key()}))
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

type optionsQuery struct {
	Parent string `form:"parent"`
}

// getOptions are the suggestions for what is typed so far.
func (h *pages) getOptions(c *fiber.Ctx) error {
	in, err := web.Decode[optionsQuery](c)
	if err != nil {
		return err
	}
	places, err := h.commissions.Places(c.UserContext(), web.Actor(c), in.Parent)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.Places(places))
}

type cursorQuery struct {
	Cursor string `form:"cursor"`
}

// page reads where a list of a commission goes on.
func page(c *fiber.Ctx, parts int) (keyset.Page, string, error) {
	in, err := web.Decode[cursorQuery](c)
	if err != nil {
		return keyset.Page{}, "", err
	}
	p, err := keyset.Parse(in.Cursor, parts, 0)
	return p, in.Cursor, err
}

// below is the address of a list below the page of a commission, by cursor.
func below(c commission.Commission, path string) func(string) string {
	return func(cursor string) string { return web.Query(c.Path()+path, "cursor", cursor) }
}

func (h *pages) getHistory(c *fiber.Ctx) error {
	in, at, err := web.Historical(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, entries, next, err := h.commissions.History(ctx, web.Actor(c), in.Slug, in.Filter(ctx), at)
	refused := web.Invalid(err)
	if err != nil && (refused == nil || body.ID == uuid.Nil) {
		return err
	}
	past := in.Show(ctx, body.Path()+"/history", entries, next, refused)
	return h.Render(c, past.Status(), views.HistoryPage(views.History{Frame: h.framed(ctx, body, "/history"), Past: past}))
}

// getHistoryFile is the history, with its filters, as a file.
func (h *pages) getHistoryFile(c *fiber.Ctx) error {
	in, _, err := web.Historical(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, each, err := h.commissions.EachEvent(ctx, web.Actor(c), in.Slug, in.Filter(ctx))
	if err != nil {
		return err
	}
	return h.HistoryFile(c, body.Slug, each)
}

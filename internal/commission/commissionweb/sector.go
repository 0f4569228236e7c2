package commissionweb

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
)

func (h *pages) mountSectors() {
	read, edit := web.InPortal("sector", "read"), web.InPortal("sector", "edit")
	h.Page("GET", "/sectors", "sector.list", web.Kept(read), h.getSectors)
	h.Page("GET", "/sectors/new", "sector.add.form", edit, h.getAddSector)
	h.Page("POST", "/sectors", "sector.add", edit, h.postAddSector)
	h.Page("GET", "/sectors/:slug", "sector.show", web.Kept(read), h.getSector)
	h.Page("GET", "/sectors/:slug/edit", "sector.edit.form", edit, h.getEditSector)
	h.Page("POST", "/sectors/:slug", "sector.edit", edit, h.postEditSector)
}

func (h *pages) getSectors(c *fiber.Ctx) error {
	who := web.Actor(c)
	list, err := h.commissions.Sectors(c.UserContext(), who)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SectorsPage(views.Sectors{List: list, Edit: h.Policy.May(who, access.Portal, "sector", "edit")}))
}

func (h *pages) getSector(c *fiber.Ctx) error {
	at, cursor, err := page(c, 2)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	sector, err := h.commissions.Sector(ctx, who, slug(c))
	if err != nil {
		return err
	}
	p := views.Sector{Sector: sector, Edit: h.Policy.May(who, access.Portal, "sector", "edit"), Propose: !sector.Closed && h.Policy.May(who, access.Portal, "commission", "propose")}
	if p.Numbers, err = h.commissions.Numbers(ctx, who, sector); err != nil {
		return err
	}
	rows, next, err := h.commissions.List(ctx, who, commission.Filter{Sector: sector.Slug, Open: true}, at)
	if err != nil {
		return err
	}
	p.Rows, p.Paging = rows, paging(cursor, next, func(cursor string) string { return web.Query(sector.Path(), "cursor", cursor) })
	return h.Render(c, 200, views.SectorPage(p))
}

func (h *pages) getAddSector(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	if _, err := h.Policy.Require(ctx, who, access.Portal, "sector", "edit"); err != nil {
		return err
	}
	list, err := h.commissions.Sectors(ctx, who)
	if err != nil {
		return err
	}
	next := 1
	for _, s := range list {
		next = max(next, s.Position+1)
	}
	return h.Render(c, 200, views.EditSectorPage(views.EditSector{Title: i18n.T(ctx, "Add a sector"), Typed: views.SectorForm{Position: strconv.Itoa(next)}, Key: key()}))
}

// sectorEdit is what the form asks for, with what is no number marked.
func sectorEdit(in views.SectorForm) (commission.SectorEdit, error) {
	var f problem.Fields
	position, closed := check.Number(&f, "position", in.Position, true, 0, 1000), in.Closed == "true"
	return commission.SectorEdit{Name: &in.Name, About: &in.About, Position: &position, Closed: &closed, Version: in.Version}, f.Err()
}

func (h *pages) postAddSector(c *fiber.Ctx) error {
	in, err := web.Decode[views.SectorForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	if _, err := h.Policy.Require(ctx, who, access.Portal, "sector", "edit"); err != nil {
		return err
	}
	e, err := sectorEdit(in)
	if err == nil {
		var s commission.Sector
		if s, err = h.commissions.AddSector(ctx, who, e); err == nil {
			return h.SeeOther(c, s.Path(), i18n.T(ctx, "Added."))
		}
	}
	if p := web.Invalid(err); p != nil {
		return h.Render(c, 422, views.EditSectorPage(views.EditSector{Title: i18n.T(ctx, "Add a sector"), Typed: in, Errors: i18n.FieldProblems(ctx, p), Key: key()}))
	}
	return err
}

// sectorFor reads a sector for somebody who may change it.
func (h *pages) sectorFor(c *fiber.Ctx) (commission.Sector, views.EditSector, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	if _, err := h.Policy.Require(ctx, who, access.Portal, "sector", "edit"); err != nil {
		return commission.Sector{}, views.EditSector{}, err
	}
	s, err := h.commissions.Sector(ctx, who, slug(c))
	return s, views.EditSector{Slug: s.Slug, Title: i18n.T(ctx, "Sector: %s", s.Name), Key: key(),
		Typed: views.SectorForm{Name: s.Name, About: s.About, Position: strconv.Itoa(s.Position), Closed: strconv.FormatBool(s.Closed), Version: s.Version}}, err
}

func (h *pages) getEditSector(c *fiber.Ctx) error {
	_, p, err := h.sectorFor(c)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.EditSectorPage(p))
}

func (h *pages) postEditSector(c *fiber.Ctx) error {
	in, err := web.Decode[views.SectorForm](c)
	if err != nil {
		return err
	}
	s, p, err := h.sectorFor(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	p.Typed = in
	e, err := sectorEdit(in)
	if err == nil {
		_, err = h.commissions.EditSector(ctx, web.Actor(c), s.Slug, e)
	}
	switch {
	case err == nil:
		return h.SeeOther(c, s.Path(), i18n.T(ctx, "Saved."))
	case web.Invalid(err) != nil:
		p.Errors = i18n.FieldProblems(ctx, problem.As(err))
		return h.Render(c, 422, views.EditSectorPage(p))
	case problem.Of(err, problem.Stale):
		p.Stale, p.Typed.Version = true, s.Version
		return h.Render(c, fiber.StatusPreconditionFailed, views.EditSectorPage(p))
	}
	return err
}

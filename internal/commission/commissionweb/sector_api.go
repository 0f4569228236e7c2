package commissionweb

import (
	"context"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/web"
)

func (h *api) mountSectors(s *web.Server) {
	const tag = "Sectors"
	edit := web.InPortal("sector", "edit")
	web.API(s, web.Call{Method: "GET", Path: "/sectors", Operation: "sector.list.api", Need: web.InPortal("sector", "read"), Summary: "List all sectors", Tag: tag}, h.sectors)
	web.API(s, web.Call{Method: "GET", Path: "/sectors/{slug}", Operation: "sector.show.api", Need: web.InPortal("sector", "read"), Summary: "Read a sector with its numbers", Tag: tag}, h.sector)
	web.API(s, web.Call{Method: "POST", Path: "/sectors", Operation: "sector.add.api", Need: edit, Summary: "Add a sector (secretariat)", Tag: tag, Status: 201}, h.addSector)
	web.API(s, web.Call{Method: "PATCH", Path: "/sectors/{slug}", Operation: "sector.edit.api", Need: edit, Summary: "Change a sector (secretariat)", Tag: tag}, h.editSector)
}

func (h *api) sectors(ctx context.Context, _ *none) (*web.Listed[commission.Sector], error) {
	list, err := h.commissions.Sectors(ctx, access.From(ctx))
	return web.Page(list, ""), err
}

type sectorShown struct {
	commission.Sector
	Numbers commission.SectorNumbers `json:"numbers"`
}

func (h *api) sector(ctx context.Context, in *Named) (*web.Versioned[sectorShown], error) {
	who := access.From(ctx)
	s, err := h.commissions.Sector(ctx, who, in.Slug)
	if err != nil {
		return nil, err
	}
	return h.counted(ctx, who, s)
}

// counted is a sector with what is counted in it.
func (h *api) counted(ctx context.Context, who access.Actor, s commission.Sector) (*web.Versioned[sectorShown], error) {
	n, err := h.commissions.Numbers(ctx, who, s)
	s.Organizations, s.Commissions = n.Organizations, n.Live()
	return web.Version(sectorShown{s, n}, s.Version), err
}

type sectorBody struct {
	Name     *string `json:"name,omitempty"`
	About    *string `json:"about,omitempty"`
	Position *int    `json:"position,omitempty" doc:"Its place in the program."`
	Closed   *bool   `json:"closed,omitempty" doc:"No new commission may be founded in it."`
}

func (b sectorBody) edit(version int) commission.SectorEdit {
	return commission.SectorEdit{Name: b.Name, About: b.About, Position: b.Position, Closed: b.Closed, Version: version}
}

type addSectorInput struct{ Body sectorBody }

func (h *api) addSector(ctx context.Context, in *addSectorInput) (*web.Created[commission.Sector], error) {
	s, err := h.commissions.AddSector(ctx, access.From(ctx), in.Body.edit(0))
	return web.At(s, "/api/v1"+s.Path(), s.Version), err
}

type editSectorInput struct {
	Named
	web.Matched
	Body sectorBody
}

func (h *api) editSector(ctx context.Context, in *editSectorInput) (*web.Versioned[sectorShown], error) {
	who := access.From(ctx)
	if _, err := h.commissions.Sector(ctx, who, in.Slug); err != nil {
		return nil, err
	}
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	s, err := h.commissions.EditSector(ctx, who, in.Slug, in.Body.edit(version))
	if err != nil {
		return nil, err
	}
	return h.counted(ctx, who, s)
}

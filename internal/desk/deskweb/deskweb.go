// Package deskweb has the doors of the desk.
package deskweb

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/desk"
	"commissionportal/internal/journal"
	"commissionportal/internal/web"
	views "commissionportal/views/desk"
)

type doors struct {
	*web.Server
	desks *desk.Service
}

// Mount adds the routes of the desk.
func Mount(s *web.Server, desks *desk.Service) {
	h := &doors{s, desks}
	s.Page("GET", "/desk", "desk.read", web.InPortal("desk", "read"), h.getDesk)
	web.API(s, web.Call{Method: "GET", Path: "/desk", Operation: "desk.read.api", Need: web.InPortal("desk", "read"),
		Summary: "What waits for you, your commissions and your organizations", Tag: "Desk"}, h.desk)
}

func (h *doors) getDesk(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.desks.Show(ctx, who)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.Page(d, who.Name, journal.Now(ctx)))
}

type answer struct{ Body desk.Desk }

func (h *doors) desk(ctx context.Context, _ *struct{}) (*answer, error) {
	d, err := h.desks.Show(ctx, access.From(ctx))
	return &answer{d}, err
}

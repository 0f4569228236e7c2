// Package homeweb has the doors of the front page and the search.
package homeweb

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/home"
	"commissionportal/internal/i18n"
	"commissionportal/internal/web"
	views "commissionportal/views/home"
)

type pages struct {
	*web.Server
	home *home.Service
}

// Mount adds the routes of the front page and the search.
func Mount(s *web.Server, service *home.Service) {
	h := &pages{s, service}
	s.Page("GET", "/", "home.read", web.InPortal("home", "read"), h.getFront)
	s.Page("GET", "/search", "search.read", web.InPortal("search", "read"), h.getSearch)
	web.API(s, web.Call{Method: "GET", Path: "/home", Operation: "home.read.api", Need: web.InPortal("home", "read"),
		Summary: "Read the numbers of the portal: sectors, countries, kinds, growth", Tag: "Home"}, h.front)
	web.API(s, web.Call{Method: "GET", Path: "/search", Operation: "search.read.api", Need: web.InPortal("search", "read"),
		Summary: "Find commissions, organizations and the persons you may see", Tag: "Search"}, h.search)
}

func (h *pages) getFront(c *fiber.Ctx) error {
	who := web.Actor(c)
	f, err := h.home.Front(c.UserContext(), who)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.FrontPage(f, who.SignedIn()))
}

type front struct{ Body home.Front }

func (h *pages) front(ctx context.Context, _ *struct{}) (*front, error) {
	f, err := h.home.Front(ctx, access.From(ctx))
	return &front{Body: f}, err
}

type searchQuery struct {
	Query string `form:"q"`
}

func (h *pages) getSearch(c *fiber.Ctx) error {
	in, err := web.Decode[searchQuery](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	found, err := h.home.Search(ctx, web.Actor(c), in.Query)
	if p := web.Invalid(err); p != nil {
		return h.Render(c, 422, views.SearchPage(in.Query, i18n.FieldProblems(ctx, p)["q"], home.Found{}))
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SearchPage(in.Query, "", found))
}

type searchInput struct {
	Query string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Part of a name; a small mistake does not matter."`
}

func (h *pages) search(ctx context.Context, in *searchInput) (*found, error) {
	f, err := h.home.Search(ctx, access.From(ctx), in.Query)
	return &found{Body: f}, err
}

type found struct{ Body home.Found }

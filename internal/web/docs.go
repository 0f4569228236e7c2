package web

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/apidoc"
	views "commissionportal/views/apidoc"
)

// Docs adds the description of the API: for programs at /api/v1/openapi.json,
// for people at /api/docs. Both are made from the code, once. Who asks for the API
// itself is told where they are.
func (s *Server) Docs() {
	spec := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.API.OpenAPI()) })
	s.Page(http.MethodGet, "/api/v1/openapi.json", "api.spec", Open, func(c *fiber.Ctx) error {
		body, err := spec()
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/json")
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
		return c.Send(body)
	})
	s.Page(http.MethodGet, "/api/v1", "api.root", Open, func(c *fiber.Ctx) error {
		return c.JSON(map[string]string{"name": "Commission Portal", "documentation": s.URL("/api/docs"), "openapi": s.URL("/api/v1/openapi.json")})
	})
	sections := sync.OnceValue(func() []apidoc.Section { return apidoc.Sections(s.API.OpenAPI()) })
	s.Page(http.MethodGet, "/api/docs", "api.docs", Open, func(c *fiber.Ctx) error {
		return s.Render(c, http.StatusOK, views.Page(sections(), s.URL("/api/v1")))
	})
}

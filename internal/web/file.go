package web

import (
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/problem"
	"commissionportal/views/static"
)

// Static adds the route of the style sheet, scripts and pictures: names carry the
// hash of their content, so a browser keeps them for ever.
func (s *Server) Static() {
	s.Page(fiber.MethodGet, "/static/*", "static.read", Open, func(c *fiber.Ctx) error {
		f, ok := static.Lookup(c.Path())
		if !ok {
			return problem.New(problem.NotFound, "There is no such file.")
		}
		c.Set(fiber.HeaderContentType, f.Type)
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
		c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
		c.Set(fiber.HeaderETag, f.ETag)
		if c.Get(fiber.HeaderIfNoneMatch) == f.ETag {
			return c.SendStatus(fiber.StatusNotModified)
		}
		switch encoding := c.AcceptsEncodings("br", "gzip"); {
		case encoding == "br" && f.Brotli != nil:
			c.Set(fiber.HeaderContentEncoding, encoding)
			return c.Send(f.Brotli)
		case encoding == "gzip" && f.Gzip != nil:
			c.Set(fiber.HeaderContentEncoding, encoding)
			return c.Send(f.Gzip)
		}
		return c.Send(f.Body)
	})
}

package journalweb

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
)

// getHeads serves the heads of a day, and without one the last.
func (h *pages) getHeads(c *fiber.Ctx) error {
	day := ""
	if named := c.Params("day"); named != "" {
		var ok bool
		if day, ok = strings.CutSuffix(named, ".json"); !ok || day == "" {
			return access.ErrNotFound
		}
	}
	ctx := c.UserContext()
	p, err := h.notary.Published(ctx, day)
	if err != nil {
		return err
	}
	if day == "" {
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	} else {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	tag := `W/"` + p.Digest + `"` // the same whether packed or not
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if c.Get(fiber.HeaderIfNoneMatch) == tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	document, err := h.notary.Document(ctx, p)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	if c.Get(fiber.HeaderAcceptEncoding) != "" && c.AcceptsEncodings("gzip") == "gzip" {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(document)
	}
	r, err := gzip.NewReader(bytes.NewReader(document))
	if err != nil {
		return err
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return c.Send(plain)
}

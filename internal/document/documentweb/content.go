package documentweb

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
)

// getContent is the file of a version: streamed, by range if asked, saved and not
// shown unless it is harmless and inline is asked for.
func (h *pages) getContent(c *fiber.Ctx) error {
	in, err := web.Decode[contentQuery](c)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(in.Version)
	if err != nil || number < 1 || number > 1e6 {
		access.Public(c.UserContext())
		return access.ErrNotFound
	}
	ctx, who := c.UserContext(), web.Actor(c)
	d, content, err := h.documents.Content(ctx, who, in.Name, number, in.Language)
	if err != nil {
		return err
	}
	tag := `"` + content.Digest.String() + `"`
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache") // asked again each time: a right may be gone
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderContentType, content.Type)
	// Whatever is in it gets no rights of this site.
	c.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderContentDisposition, disposition(in.Inline && content.Inline(), content.FileName))
	if in.Inline && content.Type == "text/plain" {
		c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	}
	if c.Get(fiber.HeaderIfNoneMatch) == tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	from, length, partial, err := rangeOf(c.Get(fiber.HeaderRange), c.Get(fiber.HeaderIfRange), tag, content.Size)
	if err != nil {
		c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes */%d", content.Size))
		return fiber.NewError(fiber.StatusRequestedRangeNotSatisfiable, "The file has no such part.")
	}
	if partial {
		c.Status(fiber.StatusPartialContent)
		c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", from, from+length-1, content.Size))
	}
	if c.Method() == fiber.MethodHead {
		c.Response().SkipBody = true
		c.Response().Header.SetContentLength(int(length))
		return nil
	}
	r, err := content.Open(ctx, from, length)
	if err != nil {
		return err
	}
	if err := h.documents.NoteDownload(ctx, who, d, content.Version, from > 0); err != nil {
		return errors.Join(err, r.Close())
	}
	return web.SendStream(c, r, length)
}

type contentQuery struct {
	Name     string `form:"name"`
	Version  string `form:"version"`
	Language string `form:"language"`
	Inline   bool   `form:"inline"`
}

// disposition is a Content-Disposition with a file name in any script: as it is for
// those who know RFC 8187, and in ASCII for the others.
func disposition(inline bool, name string) string {
	how := "attachment"
	if inline {
		how = "inline"
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%;`, r) {
			return '_'
		}
		return r
	}, name)
	value := how + `; filename="` + plain + `"`
	if plain != name {
		value += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return value
}

// rangeOf reads a Range header (RFC 9110) of one part; more than one, or one that
// is none, is the whole file, as is a part of another file than If-Range names.
func rangeOf(header, ifRange, tag string, size int64) (from, length int64, partial bool, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") || ifRange != "" && ifRange != tag {
		return 0, size, false, nil
	}
	unsatisfiable := problem.New(problem.Invalid, "The file has no such part.")
	start, hasStart := place(first)
	end, hasEnd := place(last)
	switch {
	case first == "" && hasEnd: // the last so many bytes
		if end == 0 {
			return 0, 0, false, unsatisfiable
		}
		end = min(end, size)
		return size - end, end, true, nil
	case !hasStart || last != "" && !hasEnd || hasEnd && end < start:
		return 0, size, false, nil
	case start >= size:
		return 0, 0, false, unsatisfiable
	case !hasEnd:
		end = size - 1
	}
	return start, min(end, size-1) - start + 1, true, nil
}

// place is a number of bytes in a Range header.
func place(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && text[0] != '+'
}

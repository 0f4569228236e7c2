package documentweb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
)

// getContent is the file of a version: streamed, by range if asked, saved and not
// shown unless it is harmless and inline is asked for.
func (h *pages) getContent(c *fiber.Ctx) error {
	in, number, err := versionOf(c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	d, content, err := h.documents.Content(ctx, who, in.Name, number, in.Language)
	if err != nil {
		return err
	}
	return h.send(c, content, in.Inline, func(ctx context.Context, part bool) error {
		return h.documents.NoteDownload(ctx, who, d, content.Version, part)
	})
}

// versionOf is which file is asked for, and the number of its version.
func versionOf(c *fiber.Ctx) (contentQuery, int, error) {
	in, err := web.Decode[contentQuery](c)
	if err != nil {
		return in, 0, err
	}
	number, err := strconv.Atoi(in.Version)
	if err != nil || number < 1 || number > 1e6 {
		access.Public(c.UserContext())
		return in, 0, access.ErrNotFound
	}
	return in, number, nil
}

// send streams a file; note writes down that it was downloaded, in part or from
// its beginning.
func (h *pages) send(c *fiber.Ctx, content document.Content, inline bool, note func(ctx context.Context, part bool) error) error {
	ctx := c.UserContext()
	tag := `"` + content.Digest.String() + `"`
	c.Set(fiber.HeaderETag, tag)
	if c.GetRespHeader(fiber.HeaderCacheControl) == "" {
		c.Set(fiber.HeaderCacheControl, "private, no-cache") // asked again each time: a right may be gone
	}
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderContentType, content.Type)
	// Whatever is in it gets no rights of this site.
	c.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderContentDisposition, disposition(inline && content.Inline(), content.Name))
	if inline && content.Type == "text/plain" {
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
	if c.Context().IsHead() {
		c.Response().SkipBody = true
		c.Response().Header.SetContentLength(int(length))
		return nil
	}
	r, err := content.Open(ctx, from, length)
	if err != nil {
		return err
	}
	if err := note(ctx, from > 0); err != nil {
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

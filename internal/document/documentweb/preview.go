package documentweb

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
)

func (h *pages) mountPreviews() {
	need := web.InCommission("document", "read:public")
	h.Page("GET", "/documents/:name/versions/:version/preview", "version.preview", need, h.getPreview)
	for _, door := range []struct{ path, operation string }{{"", ""}, {"/api/v1", ".api"}} {
		at := door.path + "/documents/:name/versions/:version"
		h.Page("GET", at+"/preview/pages/:page", "version.picture"+door.operation, need, h.getPicture)
		h.Page("GET", at+"/thumbnail", "version.thumbnail"+door.operation, need, h.getThumbnail)
	}
	h.Page("GET", "/api/v1/documents/:name/versions/:version/text", "version.text.api", need, h.getText)
	h.describePreviews()
}

type previewQuery struct {
	Name     string `form:"name"`
	Version  string `form:"version"`
	Language string `form:"language"`
	Page     string `form:"page"`
	Zoom     string `form:"zoom"`
}

// previewOf is the version and the page that are asked for; the first page if none is.
func previewOf(c *fiber.Ctx) (in previewQuery, version, page int, err error) {
	if in, err = web.Decode[previewQuery](c); err != nil {
		return in, 0, 0, err
	}
	page = 1
	version, err = strconv.Atoi(in.Version)
	if err == nil && in.Page != "" {
		page, err = strconv.Atoi(in.Page)
	}
	if err != nil || version < 1 || version > 1e6 || page < 1 || page > 1e6 {
		access.Public(c.UserContext())
		return in, 0, 0, access.ErrNotFound
	}
	return in, version, page, nil
}

func (h *pages) getPreview(c *fiber.Ctx) error {
	in, version, page, err := previewOf(c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	p, err := h.documents.Preview(ctx, who, in.Name, version, in.Language, page)
	if err != nil {
		return err
	}
	h.documents.NotePreview(ctx, who, p.Document, p.Of)
	return h.Render(c, 200, views.PreviewPage(views.Preview{Preview: p, Zoom: in.Zoom, Download: h.documents.MayDownload(who, p.Document)}))
}

func (h *pages) getPicture(c *fiber.Ctx) error {
	in, version, page, err := previewOf(c)
	if err != nil {
		return err
	}
	// Asked again each time: a right may be gone.
	return h.picture(c, in, version, page, "private, no-cache")
}

// getThumbnail is the small picture of the first page. A register shows fifty of
// them, so a browser need not ask for each again at once.
func (h *pages) getThumbnail(c *fiber.Ctx) error {
	in, version, _, err := previewOf(c)
	if err != nil {
		return err
	}
	return h.picture(c, in, version, 0, "private, max-age=300")
}

func (h *pages) picture(c *fiber.Ctx, in previewQuery, version, page int, cache string) error {
	p, err := h.documents.Picture(c.UserContext(), web.Actor(c), in.Name, version, in.Language, page)
	if err != nil {
		return err
	}
	tag := `"` + p.Tag + `"`
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, cache)
	c.Vary(fiber.HeaderCookie, fiber.HeaderAuthorization)
	sandboxed(c)
	if c.Get(fiber.HeaderIfNoneMatch) == tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, p.Type)
	return c.Send(p.Data)
}

// sandboxed gives what is sent no rights of this site, whatever is in it.
func sandboxed(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// getText is a page or part of the text in a file; Link says where it goes on.
func (h *pages) getText(c *fiber.Ctx) error {
	in, version, page, err := previewOf(c)
	if err != nil {
		return err
	}
	text, last, err := h.documents.Text(c.UserContext(), web.Actor(c), in.Name, version, in.Language, page)
	if err != nil {
		return err
	}
	if page < last {
		next := web.Query(c.Path(), "language", in.Language, "page", strconv.Itoa(page+1))
		c.Set(fiber.HeaderLink, fmt.Sprintf(`<%s>; rel="next"`, next))
	}
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	sandboxed(c)
	c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	return c.SendString(text)
}

// describePreviews writes into the description of the API what huma does not serve.
func (h *pages) describePreviews() {
	param := func(in, name, description string) *huma.Param {
		return &huma.Param{Name: name, In: in, Required: in == "path", Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	base := []*huma.Param{param("path", "name", "Its reference, ENERGY-N0012, or its id."), param("path", "version", "Its number."), param("query", "language", "The source language if absent.")}
	const at = "/api/v1/documents/{name}/versions/{version}"
	for _, d := range []struct {
		operation, path, summary, means string
		param                           *huma.Param
	}{
		{"version.text.api", "/text", "Read the text in a file, a page or a part at a time", "Plain text. Link with rel=next says where it goes on.", param("query", "page", "From 1, which it is if absent.")},
		{"version.picture.api", "/preview/pages/{page}", "Look at a page of a file, as a picture", "PNG or JPEG.", param("path", "page", "From 1.")},
		{"version.thumbnail.api", "/thumbnail", "Look at the first page of a file, as a small picture", "PNG or JPEG.", nil},
	} {
		o := &huma.Operation{Method: http.MethodGet, Path: at + d.path, OperationID: d.operation, Summary: d.summary, Tags: []string{tag}, Parameters: base}
		if d.param != nil {
			o.Parameters = append(append([]*huma.Param{}, base...), d.param)
		}
		h.Describe(o, "200", d.means)
	}
}

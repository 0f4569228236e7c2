package documentweb

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/feeds"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
)

func (h *pages) mountOpen() {
	publish, read := web.InCommission("document", "publish"), web.InCommission("document", "read:public")
	h.AddEntry("Open documents", "/d")
	h.Page("GET", "/d", "library.read", web.Kept(web.InPortal("library", "read")), h.getLibrary)
	h.Page("GET", "/d/:name", "document.open", read, h.getOpen)
	h.Page("GET", "/d/:name/citation.bib", "document.cite", read, h.getCitation)
	h.Page("GET", "/documents/:name/publish", "document.publish.form", publish, h.getPublish)
	h.Page("POST", "/documents/:name/publish", "document.publish", publish, h.postPublish)
	h.Page("GET", "/documents/:name/unpublish", "document.unpublish.form", publish, h.getUnpublish)
	h.Page("POST", "/documents/:name/unpublish", "document.unpublish", publish, h.postStep(h.documents.Unpublish, "Taken back from the world."))
	feed := web.InCommission("register", "read")
	h.Page("GET", "/commissions/:slug/documents.atom", "document.feed", feed, h.getFeed)
	h.Page("GET", "/api/v1/commissions/:slug/documents.atom", "document.feed.api", feed, h.getFeed)
	a := &api{h.documents}
	web.API(h.Server, web.Call{Method: "POST", Path: "/documents/{name}/publish", Operation: "document.publish.api", Need: publish, Summary: "Publish a document to the world, under a license", Tag: tag}, a.publish)
	web.API(h.Server, web.Call{Method: "POST", Path: "/documents/{name}/unpublish", Operation: "document.unpublish.api", Need: publish, Summary: "Take a document back from the world", Tag: tag}, a.unpublish)
	web.API(h.Server, web.Call{Method: "GET", Path: "/open-documents", Operation: "library.read.api", Need: web.InPortal("library", "read"), Summary: "List the open documents of all commissions", Tag: tag}, a.library)
}

type libraryQuery struct {
	Commission string `form:"commission"`
	Cursor     string `form:"cursor"`
}

func (h *pages) getLibrary(c *fiber.Ctx) error {
	in, err := web.Decode[libraryQuery](c)
	if err != nil {
		return err
	}
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	rows, next, err := h.documents.Library(c.UserContext(), web.Actor(c), in.Commission, page)
	if err != nil {
		return err
	}
	p := views.Library{Rows: rows, Commission: in.Commission}
	if in.Cursor != "" {
		p.Paging.First = web.Query("/d", "commission", in.Commission)
	}
	if next != "" {
		p.Paging.Next = web.Query("/d", "commission", in.Commission, "cursor", next)
	}
	return h.Render(c, 200, views.LibraryPage(p))
}

func (h *pages) getOpen(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, versions, err := h.documents.Opened(ctx, who, c.Params("name"))
	if err != nil {
		return err
	}
	if c.Params("name") != d.Name() { // one address for each document
		return c.Redirect(d.OpenPath(), fiber.StatusMovedPermanently)
	}
	h.documents.NoteView(ctx, who, d)
	return h.Render(c, 200, views.OpenPage(views.Open{Show: views.Show{Document: d, Versions: versions, SignedIn: who.SignedIn(), Download: h.documents.MayDownload(who, d), Look: h.documents.MayLook(who, d)}, Address: h.URL(d.OpenPath()), Base: h.URL("")}))
}

// getCitation is the citation for reference managers.
func (h *pages) getCitation(c *fiber.Ctx) error {
	d, _, err := h.documents.Opened(c.UserContext(), web.Actor(c), c.Params("name"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/x-bibtex; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, disposition(false, d.Name()+".bib"))
	return c.SendString(d.BibTeX(h.URL(d.OpenPath())))
}

// getFeed is what is new in a register for everybody, as Atom (RFC 4287). It is
// the same whoever reads it: a feed is copied from reader to reader.
func (h *pages) getFeed(c *fiber.Ctx) error {
	ctx := c.UserContext()
	home, list, err := h.documents.Feed(ctx, web.Actor(c), c.Params("slug"))
	if err != nil {
		return err
	}
	address := h.URL(home.Path() + "/documents")
	feed := feeds.Feed{Title: i18n.T(ctx, "Documents of %s", home.Name), Link: &feeds.Link{Href: address, Rel: "alternate"}, Id: address, Updated: time.Unix(0, 0).UTC()}
	for _, n := range list {
		by, rights := home.Name, ""
		if n.Source != nil {
			by = *n.Source
		}
		if n.PublishedAt != nil {
			rights = "\n" + i18n.T(ctx, "License: %s", document.LicenseOf(n.License).Name)
		}
		if feed.Updated.Before(n.UpdatedAt) {
			feed.Updated = n.UpdatedAt
		}
		feed.Items = append(feed.Items, &feeds.Item{Id: "urn:uuid:" + n.ID.String(), Title: document.Reference(n.Prefix, n.Number) + " " + n.Title, Link: &feeds.Link{Href: h.URL(n.Path()), Rel: "alternate"},
			Author: &feeds.Author{Name: by}, Description: n.Summary + rights, Created: n.Since, Updated: n.UpdatedAt})
	}
	text, err := feed.ToAtom()
	if err != nil {
		return err
	}
	return h.Text(c, "application/atom+xml; charset=utf-8", text)
}

func (h *pages) getPublish(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Show(ctx, who, c.Params("name"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, d.Scope(), "document", "publish")
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.PublishPage(views.Publish{Document: d, License: "CC-BY-4.0", Form: views.Form{Key: key()}}))
}

type publishForm struct {
	License string `form:"license"`
}

func (h *pages) postPublish(c *fiber.Ctx) error {
	in, err := web.Decode[publishForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	d, err := h.documents.Publish(ctx, web.Actor(c), c.Params("name"), in.License)
	if status := refusal(err); status != 0 && d.Number != nil {
		p := problem.As(err)
		f := views.Form{Key: key(), Errors: i18n.FieldProblems(ctx, p)}
		if p.Format != "" {
			f.Error = i18n.Problem(ctx, p)
		}
		return h.Render(c, status, views.PublishPage(views.Publish{Document: d, License: in.License, Form: f}))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, d.OpenPath(), i18n.T(ctx, "Published."))
}

func (h *pages) getUnpublish(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Show(ctx, who, c.Params("name"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, d.Scope(), "document", "publish")
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.UnpublishPage(views.Publish{Document: d, Form: views.Form{Key: key()}}))
}

type publishInput struct {
	Named
	Body struct {
		License string `json:"license" enum:"CC0-1.0,CC-BY-4.0,CC-BY-SA-4.0,CC-BY-NC-4.0,CC-BY-ND-4.0,CC-BY-NC-ND-4.0" doc:"SPDX identifier."`
	}
}

func (h *api) publish(ctx context.Context, in *publishInput) (*web.Versioned[Full], error) {
	d, err := h.documents.Publish(ctx, access.From(ctx), in.Name, in.Body.License)
	return web.Version(full(d), d.Version), err
}

func (h *api) unpublish(ctx context.Context, in *Named) (*web.Versioned[Full], error) {
	d, err := h.documents.Unpublish(ctx, access.From(ctx), in.Name)
	return web.Version(full(d), d.Version), err
}

type libraryInput struct {
	web.Paged
	Commission string `query:"commission" maxLength:"80" doc:"Slug of one commission."`
}

// OpenEntry is an open document as the API lists it.
type OpenEntry struct {
	Entry
	Summary     string    `json:"summary,omitempty"`
	License     string    `json:"license" doc:"SPDX identifier."`
	PublishedAt time.Time `json:"published_at"`
	Path        string    `json:"path" doc:"Of its page for the world, below the portal's address."`
}

func (h *api) library(ctx context.Context, in *libraryInput) (*web.Listed[OpenEntry], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	rows, next, err := h.documents.Library(ctx, access.From(ctx), in.Commission, page)
	if err != nil {
		return nil, err
	}
	list := make([]OpenEntry, len(rows))
	for i, o := range rows {
		list[i] = OpenEntry{Entry{o.Reference(), o.Row}, o.Summary, o.License, o.PublishedAt, "/d/" + o.Reference()}
	}
	return web.Page(list, next), nil
}

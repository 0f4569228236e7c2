package documentweb

import (
	"time"

	"context"
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
	"commissionportal/views/layout"
	"commissionportal/views/part"
)

func (h *pages) mountShares(s *web.Server) {
	received, given := web.InOrganization("share", "read:received"), web.InOrganization("share", "read:given")
	s.AddTab("organization", web.Tab{Label: "Shared with us", Path: "/shares", Order: 50, Need: received})
	s.AddTab("organization", web.Tab{Label: "Shared by us", Path: "/shares/given", Order: 51, Need: given})
	s.AddTab("commission", web.Tab{Label: "Shared with it", Path: "/documents/shared", Order: 32, Need: web.InCommission("share", "read:received")})
	s.AddTab("account", web.Tab{Label: "Shared with me", Path: "/shares", Order: 6})
	s.Own = append(s.Own, layout.Entry{Label: "Sharing of documents", Path: "/settings/sharing"})

	grant, revoke := web.InCommission("share", "grant"), web.InCommission("share", "revoke")
	s.Page("GET", "/documents/:name/shares", "share.list", web.InCommission("share", "read"), h.getLedger)
	s.Page("GET", "/documents/:name/share", "share.grant.form", grant, h.getShare)
	s.Page("POST", "/documents/:name/shares", "share.grant", grant, h.postShare)
	s.Once("/documents/:name/links", "share.link", grant, h.postLink)
	s.Page("GET", "/shares/:id/revoke", "share.revoke.form", revoke, h.getRevokeShare)
	s.Page("POST", "/shares/:id/revoke", "share.revoke", revoke, h.postRevokeShare)
	s.Page("GET", "/organizations/:slug/shares", "share.received", received, h.getSharesOf(false))
	s.Page("GET", "/organizations/:slug/shares/given", "share.given", given, h.getSharesOf(true))
	s.Page("GET", "/commissions/:slug/documents/shared", "share.commission", web.InCommission("share", "read:received"), h.getSharedWith)
	s.Page("GET", "/profile/shares", "share.mine", web.InPortal("share", "read:received"), h.getSharedWithMe)
	s.Page("GET", "/s/:secret", "link.open", web.Open, h.getLink)
	s.Page("GET", "/s/:secret/versions/:version/content", "link.content", web.Open, h.getLinkContent)
	s.Page("GET", "/s/:secret/versions/:version/preview", "link.preview", web.Open, h.getLinkPreview)
	s.Page("GET", "/s/:secret/versions/:version/preview/pages/:page", "link.picture", web.Open, h.getLinkPicture)
	s.Page("GET", "/s/:secret/versions/:version/thumbnail", "link.thumbnail", web.Open, h.getLinkThumbnail)
	s.Page("GET", "/settings/sharing", "sharing.edit.form", web.InPortal("sharing", "edit"), h.getSharing)
	s.Page("POST", "/settings/sharing", "sharing.edit", web.InPortal("sharing", "edit"), h.postSharing)
}

type shareForm struct {
	With      string `form:"with"`
	Query     string `form:"q"`
	Sought    string `form:"sought"` // by what the recipients of the form were found
	Recipient string `form:"recipient"`
	Level     string `form:"level"`
	Until     string `form:"until"`
	Reason    string `form:"reason"`
}

func (f shareForm) grant() document.Grant {
	return document.Grant{With: f.With, Recipient: f.Recipient, Level: f.Level, Until: f.Until, Reason: f.Reason}
}

func (h *pages) getShare(c *fiber.Ctx) error {
	in, err := web.Decode[shareForm](c)
	if err != nil {
		return err
	}
	return h.share(c, 200, in, nil)
}

// share is the form that shares a document: with what kind of recipient, then with
// whom. refused is what was wrong with the one that was sent.
func (h *pages) share(c *fiber.Ctx, status int, in shareForm, refused error) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, allowed, err := h.documents.ForSharing(ctx, who, c.Params("name"))
	if err != nil {
		return err
	}
	if in.With != document.WithOrganization && in.With != document.WithPerson && (in.With != document.WithLink || !allowed.Links) {
		in.With = document.WithCommission
	}
	p := views.Share{Document: d, Grant: in.grant(), Query: in.Query, Links: allowed.Links, Today: calendar.Day(ctx, journal.Now(ctx)).Format(time.DateOnly), Form: views.Form{Key: key()}}
	if p.Grant.Level == "" {
		p.Grant.Level = "see"
	}
	if refused := problem.As(refused); refused != nil {
		p.Errors = i18n.FieldProblems(ctx, refused)
		if refused.Format != "" {
			p.Error = i18n.Problem(ctx, refused)
		}
	}
	if p.Recipients, p.More, err = h.documents.Recipients(ctx, who, d, in.With, in.Query, in.Recipient); err != nil {
		return err
	}
	return h.Render(c, status, views.SharePage(p))
}

func (h *pages) postShare(c *fiber.Ctx) error {
	in, err := web.Decode[shareForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	in.Query = in.Sought
	d, made, err := h.documents.Grant(ctx, web.Actor(c), c.Params("name"), in.grant())
	if status := refusal(err); status == 422 {
		return h.share(c, status, in, err)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, d.Path()+"/shares", i18n.T(ctx, "Shared with %s.", *made.RecipientName))
}

func (h *pages) postLink(c *fiber.Ctx) error {
	in, err := web.Decode[shareForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	in.With = document.WithLink
	_, _, path, err := h.documents.Link(ctx, web.Actor(c), c.Params("name"), in.grant())
	if status := refusal(err); status == 422 {
		return h.share(c, status, in, err)
	}
	if err != nil {
		return err
	}
	return h.ledger(c, "", h.Base.JoinPath(path).String())
}

type ledgerQuery struct {
	Cursor string `form:"cursor"`
}

func (h *pages) getLedger(c *fiber.Ctx) error {
	in, err := web.Decode[ledgerQuery](c)
	if err != nil {
		return err
	}
	return h.ledger(c, in.Cursor, "")
}

// ledger is the page of a document's shares; link is one that has just been made.
func (h *pages) ledger(c *fiber.Ctx, cursor, link string) error {
	page, err := keyset.Parse(cursor, 1, 0)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	d, list, next, err := h.documents.Shares(ctx, who, c.Params("name"), page)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.LedgerPage(views.Ledger{Document: d, Shares: list, Now: journal.Now(ctx), Link: link, Paging: paged(d.Path()+"/shares", cursor, next),
		Grant: h.documents.May(who, d, "share", "grant") && d.Shareable() == nil, Revoke: h.documents.May(who, d, "share", "revoke")}))
}

// paged is where a list at path goes on.
func paged(path, cursor, next string) part.Paging {
	var p part.Paging
	if cursor != "" {
		p.First = path
	}
	if next != "" {
		p.Next = web.Query(path, "cursor", next)
	}
	return p
}

// shareOf is the id of a share in the path; what is none is not there.
func shareOf(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		access.Public(c.UserContext())
		return id, access.ErrNotFound
	}
	return id, nil
}

func (h *pages) getRevokeShare(c *fiber.Ctx) error {
	id, err := shareOf(c)
	if err != nil {
		return err
	}
	d, share, err := h.documents.ToRevoke(c.UserContext(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.RevokePage(d, share, key()))
}

func (h *pages) postRevokeShare(c *fiber.Ctx) error {
	id, err := shareOf(c)
	if err != nil {
		return err
	}
	d, err := h.documents.Revoke(c.UserContext(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return h.SeeOther(c, d.Path()+"/shares", i18n.T(c.UserContext(), "The share is revoked."))
}

// cursor is where a list begins.
func cursor(c *fiber.Ctx) (string, keyset.Page, error) {
	in, err := web.Decode[ledgerQuery](c)
	if err != nil {
		return "", keyset.Page{}, err
	}
	page, err := keyset.Parse(in.Cursor, 1, 0)
	return in.Cursor, page, err
}

// getSharesOf is what is shared with an organization, or what it shares.
func (h *pages) getSharesOf(given bool) fiber.Handler {
	tab := "/shares"
	if given {
		tab = "/shares/given"
	}
	return func(c *fiber.Ctx) error {
		at, page, err := cursor(c)
		if err != nil {
			return err
		}
		ctx := c.UserContext()
		o, list, next, err := h.documents.SharesOf(ctx, web.Actor(c), c.Params("slug"), given, page)
		if err != nil {
			return err
		}
		path := "/organizations/" + o.Slug
		return h.Render(c, 200, views.SharedPage(views.Shared{Of: "organization", Name: o.Name, Path: path, Given: given, Shares: list, Now: journal.Now(ctx),
			Tabs: h.Tabs(ctx, "organization", path, access.Organization(o.ID), tab), Paging: paged(path+tab, at, next)}))
	}
}

func (h *pages) getSharedWith(c *fiber.Ctx) error {
	at, page, err := cursor(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	home, list, next, err := h.documents.SharedWith(ctx, web.Actor(c), c.Params("slug"), page)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SharedPage(views.Shared{Of: "commission", Home: home, Name: home.Name, Path: home.Path(), Shares: list, Now: journal.Now(ctx),
		Tabs: h.Tabs(ctx, "commission", home.Path(), home.Scope(), "/documents/shared"), Paging: paged(home.Path()+"/documents/shared", at, next)}))
}

func (h *pages) getSharedWithMe(c *fiber.Ctx) error {
	at, page, err := cursor(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	list, next, err := h.documents.SharedWithMe(ctx, web.Actor(c), page)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SharedPage(views.Shared{Of: "account", Shares: list, Now: journal.Now(ctx),
		Tabs: h.Tabs(ctx, "account", "/profile", access.Portal, "/shares"), Paging: paged("/profile/shares", at, next)}))
}

// secretly makes an answer under a link's secret stay where it is: no search
// engine, no cache and no other site learns of it.
func secretly(c *fiber.Ctx) {
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	c.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
}

func (h *pages) getLink(c *fiber.Ctx) error {
	secretly(c)
	// A HEAD is a program that looks whether there is something.
	o, err := h.documents.OpenLink(c.UserContext(), c.Params("secret"), !c.Context().IsHead(), c.Query("again") != "")
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.LinkPage(views.Link{Opened: o, Path: "/s/" + c.Params("secret")}))
}

func (h *pages) getLinkContent(c *fiber.Ctx) error {
	secretly(c)
	in, number, err := versionOf(c)
	if err != nil {
		return err
	}
	o, content, err := h.documents.LinkContent(c.UserContext(), c.Params("secret"), number, in.Language)
	if err != nil {
		return err
	}
	return h.send(c, content, false, func(ctx context.Context, part bool) error {
		return h.documents.NoteLinkDownload(ctx, o, content.Version, part)
	})
}

func (h *pages) getLinkPreview(c *fiber.Ctx) error {
	secretly(c)
	in, version, page, err := previewOf(c)
	if err != nil {
		return err
	}
	o, p, err := h.documents.LinkPreview(c.UserContext(), c.Params("secret"), version, in.Language, page)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.PreviewPage(views.Preview{Preview: p, Zoom: in.Zoom, Download: o.Download(), Link: "/s/" + c.Params("secret")}))
}

func (h *pages) getLinkPicture(c *fiber.Ctx) error {
	secretly(c)
	in, version, page, err := previewOf(c)
	if err != nil {
		return err
	}
	return h.linkPicture(c, version, in.Language, page)
}

func (h *pages) getLinkThumbnail(c *fiber.Ctx) error {
	secretly(c)
	in, version, _, err := previewOf(c)
	if err != nil {
		return err
	}
	return h.linkPicture(c, version, in.Language, 0)
}

// linkPicture sends a picture that nobody keeps.
func (h *pages) linkPicture(c *fiber.Ctx, version int, language string, page int) error {
	p, err := h.documents.LinkPicture(c.UserContext(), c.Params("secret"), version, language, page)
	if err != nil {
		return err
	}
	sandboxed(c)
	c.Set(fiber.HeaderContentType, p.Type)
	return c.Send(p.Data)
}

func (h *pages) getSharing(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	if _, err := h.Policy.Require(ctx, who, access.Portal, "sharing", "edit"); err != nil {
		return err
	}
	with, err := h.documents.Sharing(ctx, who)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SharingPage(views.Sharing{Sharing: with, Key: key()}))
}

type sharingForm struct {
	Links   bool `form:"links"`
	Version int  `form:"version"`
}

func (h *pages) postSharing(c *fiber.Ctx) error {
	in, err := web.Decode[sharingForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	_, err = h.documents.SetSharing(ctx, who, document.Sharing{Links: in.Links, Version: in.Version})
	if problem.Of(err, problem.Stale) {
		now, e := h.documents.Sharing(ctx, who)
		if e != nil {
			return errors.Join(err, e)
		}
		now.Links = in.Links
		return h.Render(c, fiber.StatusPreconditionFailed, views.SharingPage(views.Sharing{Sharing: now, Stale: true, Key: key()}))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/settings/sharing", i18n.T(ctx, "Saved."))
}

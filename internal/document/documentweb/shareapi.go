package documentweb

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
)

type sharesAPI struct {
	documents *document.Service
	base      *url.URL // the portal's address, for links
}

func mountSharesAPI(s *web.Server, documents *document.Service) {
	const tag = "Shares"
	h := &sharesAPI{documents, s.Base}
	grant := web.InCommission("share", "grant")
	web.API(s, web.Call{Method: "GET", Path: "/documents/{name}/shares", Operation: "share.list.api", Need: web.InCommission("share", "read"), Summary: "Read the share ledger of a document: each grant, with the last accesses under it", Tag: tag}, h.ledger)
	web.API(s, web.Call{Method: "POST", Path: "/documents/{name}/shares", Operation: "share.grant.api", Need: grant, Summary: "Share a document with a commission, an organization or a person; a live share with the same recipient is replaced", Tag: tag, Status: 201}, h.grant)
	web.API(s, web.Call{Method: "POST", Path: "/documents/{name}/links", Operation: "share.link.api", Need: grant, Summary: "Share a document by a link, which is shown this once", Tag: tag, Status: 201, Secret: true}, h.link)
	web.API(s, web.Call{Method: "DELETE", Path: "/shares/{id}", Operation: "share.revoke.api", Need: web.InCommission("share", "revoke"), Summary: "Revoke a share: it ends at once", Tag: tag, Status: 204}, h.revoke)
	web.API(s, web.Call{Method: "GET", Path: "/organizations/{slug}/shares", Operation: "share.organization.api", Need: web.InOrganization("share", "read:received"), Summary: "List what is shared with an organization, or what it shares", Tag: tag}, h.sharesOf)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/shares", Operation: "share.commission.api", Need: web.InCommission("share", "read:received"), Summary: "List what is shared with a commission", Tag: tag}, h.sharedWith)
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/shares", Operation: "share.mine.api", Need: web.InPortal("share", "read:received"), Summary: "List what is shared with you in person", Tag: tag}, h.sharedWithMe)
	web.API(s, web.Call{Method: "GET", Path: "/settings/sharing", Operation: "sharing.show.api", Need: web.InPortal("sharing", "read"), Summary: "Read what the portal allows of sharing", Tag: tag}, h.sharing)
	web.API(s, web.Call{Method: "PATCH", Path: "/settings/sharing", Operation: "sharing.edit.api", Need: web.InPortal("sharing", "edit"), Summary: "Set what the portal allows of sharing (secretariat)", Tag: tag}, h.setSharing)
}

// Granted is a share as the API has it.
type Granted struct {
	Document string `json:"document" doc:"Its reference, ENERGY-N0012."`
	document.Share
}

func granted(list []document.Share, next string) *web.Listed[Granted] {
	rows := make([]Granted, len(list))
	for i, h := range list {
		rows[i] = Granted{h.Reference(), h}
	}
	return web.Page(rows, next)
}

type sharesInput struct {
	Named
	web.Paged
}

func (h *sharesAPI) ledger(ctx context.Context, in *sharesInput) (*web.Listed[Granted], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	_, list, next, err := h.documents.Shares(ctx, access.From(ctx), in.Name, page)
	return granted(list, next), err
}

type grantInput struct {
	Named
	Body struct {
		With      string `json:"with" enum:"commission,organization,person"`
		Recipient string `json:"recipient" doc:"Slug of a commission or an organization, id of a person whom you may see."`
		Level     string `json:"level" enum:"see,download" doc:"To see the document, or to download its files too."`
		Until     string `json:"until,omitempty" doc:"The last day, YYYY-MM-DD, in the convention's time zone; without an end if absent."`
		Reason    string `json:"reason,omitempty" doc:"Its recipients read it."`
	}
}

// made is a share that has just been made. Its address is that of the ledger.
func made(d document.Document, h document.Share) (Granted, string) {
	return Granted{h.Reference(), h}, "/api/v1" + d.Path() + "/shares"
}

func (h *sharesAPI) grant(ctx context.Context, in *grantInput) (*web.Created[Granted], error) {
	b := in.Body
	d, share, err := h.documents.Grant(ctx, access.From(ctx), in.Name, document.Grant{With: b.With, Recipient: b.Recipient, Level: b.Level, Until: b.Until, Reason: b.Reason})
	body, location := made(d, share)
	return web.At(body, location, 1), err
}

type linkInput struct {
	Named
	Body struct {
		Level  string `json:"level" enum:"see,download" doc:"To see the document, or to download its files too."`
		Until  string `json:"until" doc:"The last day, YYYY-MM-DD, in the convention's time zone, within a year."`
		Reason string `json:"reason,omitempty"`
	}
}

// Linked is a link that has just been made.
type Linked struct {
	Granted
	URL string `json:"url" doc:"The link. It is kept nowhere: this is the only answer that has it."`
}

func (h *sharesAPI) link(ctx context.Context, in *linkInput) (*web.Created[Linked], error) {
	d, share, path, err := h.documents.Link(ctx, access.From(ctx), in.Name, document.Grant{Level: in.Body.Level, Until: in.Body.Until, Reason: in.Body.Reason})
	body, location := made(d, share)
	return web.At(Linked{body, h.base.JoinPath(path).String()}, location, 1), err
}

type shareInput struct {
	ID string `path:"id" maxLength:"40"`
}

func (h *sharesAPI) revoke(ctx context.Context, in *shareInput) (*struct{}, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		access.Public(ctx)
		return nil, access.ErrNotFound
	}
	_, err = h.documents.Revoke(ctx, access.From(ctx), id)
	return nil, err
}

type sharesOfInput struct {
	Slugged
	web.Paged
	Direction string `query:"direction" enum:"in,out" default:"in" doc:"in: what is shared with it. out: what it shares, for its primary representatives."`
}

func (h *sharesAPI) sharesOf(ctx context.Context, in *sharesOfInput) (*web.Listed[Granted], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	_, list, next, err := h.documents.SharesOf(ctx, access.From(ctx), in.Slug, in.Direction == "out", page)
	return granted(list, next), err
}

type sharedWithInput struct {
	Slugged
	web.Paged
}

func (h *sharesAPI) sharedWith(ctx context.Context, in *sharedWithInput) (*web.Listed[Granted], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	_, list, next, err := h.documents.SharedWith(ctx, access.From(ctx), in.Slug, page)
	return granted(list, next), err
}

func (h *sharesAPI) sharedWithMe(ctx context.Context, in *web.Paged) (*web.Listed[Granted], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	list, next, err := h.documents.SharedWithMe(ctx, access.From(ctx), page)
	return granted(list, next), err
}

type none struct{}

func (h *sharesAPI) sharing(ctx context.Context, _ *none) (*web.Versioned[document.Sharing], error) {
	with, err := h.documents.Sharing(ctx, access.From(ctx))
	return web.Version(with, with.Version), err
}

type setSharingInput struct {
	web.Matched
	Body struct {
		Links *bool `json:"links,omitempty"`
	}
}

func (h *sharesAPI) setSharing(ctx context.Context, in *setSharingInput) (*web.Versioned[document.Sharing], error) {
	who := access.From(ctx)
	with, err := h.documents.Sharing(ctx, who)
	if err != nil {
		return nil, err
	}
	if with.Version, err = web.IfMatch(in.IfMatch); err != nil {
		return nil, err
	}
	set(&with.Links, in.Body.Links)
	with, err = h.documents.SetSharing(ctx, who, with)
	return web.Version(with, with.Version), err
}

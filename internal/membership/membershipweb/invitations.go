package membershipweb

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/membership"
	"commissionportal/internal/web"
	views "commissionportal/views/membership"
	"commissionportal/views/part"
)

func (h *pages) getInvitations(c *fiber.Ctx) error {
	in, err := web.Decode[queueQuery](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	page, err := keyset.Parse(in.Cursor, 1, 0)
	if err != nil {
		return err
	}
	home, rows, next, err := h.seats.Invitations(ctx, who, c.Params("slug"), in.State, page)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.InvitationsPage(views.Invitations{Home: home, Rows: rows, State: in.State, Now: journal.Now(ctx), Tabs: h.tabs(c, home, "/invitations"),
		Own: !h.Policy.May(who, home.Scope(), "invitation", "read"), Send: h.Policy.May(who, home.Scope(), "invitation", "send"), Paging: pager(home.Path()+"/invitations", in.Cursor, next, "state", in.State)}))
}

type inviteForm struct {
	Addresses    string `form:"addresses"`
	Role         string `form:"role"`
	Organization string `form:"organization"`
	Message      string `form:"message"`
	Days         string `form:"days"`
}

func (in inviteForm) values() map[string]string {
	return map[string]string{"addresses": in.Addresses, "role": in.Role, "organization": in.Organization, "message": in.Message, "days": in.Days}
}

func (h *pages) getInvite(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	home, err := h.seats.Home(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	if _, err := h.Policy.Require(ctx, who, home.Scope(), "invitation", "send"); err != nil {
		return err
	}
	return h.Render(c, 200, views.InvitePage(views.Invite{Understood: membership.Understood{Home: home}, Roles: h.choosable(c, home),
		Form: blank(map[string]string{"role": membership.InvitedExpert, "days": "14"})}))
}

func (h *pages) postInvitePreview(c *fiber.Ctx) error {
	in, err := web.Decode[inviteForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	inviting := membership.Inviting(in)
	u, err := h.seats.Understand(ctx, web.Actor(c), c.Params("slug"), &inviting)
	return h.understood(c, in, u, err)
}

// understood shows what was read of an inviter's text, or what is wrong with it.
func (h *pages) understood(c *fiber.Ctx, in inviteForm, u membership.Understood, err error) error {
	p := views.Invite{Understood: u, Form: blank(in.values()), Preview: true}
	status := 200
	if f, code, ok := trouble(c.UserContext(), err, in.values()); ok {
		p.Form, status, p.Preview = f, code, u.Good == 0 && len(u.Lines) > 0
	} else if err != nil {
		return err
	}
	p.Roles = h.choosable(c, u.Home)
	return h.Render(c, status, views.InvitePage(p))
}

func (h *pages) postInvite(c *fiber.Ctx) error {
	in, err := web.Decode[inviteForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	u, err := h.seats.Invite(ctx, web.Actor(c), c.Params("slug"), membership.Inviting(in))
	if err != nil {
		return h.understood(c, in, u, err)
	}
	return h.SeeOther(c, u.Path()+"/invitations", i18n.N(ctx, u.Good, "One invitation is on its way.", "%d invitations are on their way."))
}

func (h *pages) getRevoke(c *fiber.Ctx) error {
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	home, i, err := h.seats.ToRevoke(ctx, web.Actor(c), c.Params("slug"), key)
	if err != nil {
		return err
	}
	base := home.Path() + "/invitations"
	return h.ask(c, 200, views.Asking{Ending: part.Ending{
		Title: i18n.T(ctx, "Take back the invitation of %s?", i.Email), Ends: []string{i18n.T(ctx, "The link in the letter, which then says that the invitation was taken back")},
		Button: i18n.T(ctx, "Take back"), Cancel: base, Post: part.Post{Action: base + "/" + i.ID.String() + "/revoke"}}}, views.Form{})
}

func (h *pages) postRevoke(c *fiber.Ctx) error {
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	if err := h.seats.Revoke(ctx, web.Actor(c), c.Params("slug"), key); err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/invitations", i18n.T(ctx, "The invitation is taken back."))
}

func (h *pages) postResend(c *fiber.Ctx) error {
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	i, err := h.seats.Resend(ctx, web.Actor(c), c.Params("slug"), key)
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/invitations", i18n.T(ctx, "Sent again to %s.", i.Email))
}

func (h *pages) getInvitation(c *fiber.Ctx) error { return h.showInvitation(c, 200, "") }

func (h *pages) showInvitation(c *fiber.Ctx, status int, wrong string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	o, err := h.seats.Open(ctx, who, c.Params("token"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderReferrerPolicy, "same-origin") // the address is a secret
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return h.Render(c, status, views.InvitationPage(views.Invitation{Opened: o, Token: c.Params("token"), Key: uuid.NewString(), SignedIn: who.SignedIn(), Error: wrong, Now: journal.Now(ctx)}))
}

func (h *pages) postAccept(c *fiber.Ctx) error {
	ctx := c.UserContext()
	home, out, err := h.seats.Accept(ctx, web.Actor(c), c.Params("token"))
	if f, status, ok := trouble(ctx, err, nil); ok {
		return h.showInvitation(c, status, first(f).Error)
	}
	if err != nil {
		return err
	}
	return h.went(c, home.Path(), out)
}

func (h *pages) postDecline(c *fiber.Ctx) error {
	ctx := c.UserContext()
	home, err := h.seats.Decline(ctx, web.Actor(c), c.Params("token"))
	if f, status, ok := trouble(ctx, err, nil); ok {
		return h.showInvitation(c, status, first(f).Error)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, home.Path(), i18n.T(ctx, "You have declined the invitation."))
}

// Package mailweb has the pages on which the outbox is looked at.
package mailweb

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/mail"
	"commissionportal/internal/web"
	"commissionportal/views/layout"
	views "commissionportal/views/mail"
)

type pages struct{ *web.Server }

const perPage = 50

// Mount adds the pages. They are everybody's with OpenMail, the secretariat's else.
func Mount(s *web.Server) {
	h := &pages{s}
	s.Own = append(s.Own, layout.Entry{Label: "Letters", Path: "/dev/mail"})
	read := web.InPortal("mail", "read")
	s.Page("GET", "/dev/mail", "mail.list", read, h.getList)
	s.Page("GET", "/dev/mail/:id", "mail.show", read, h.getShow)
	s.Page("GET", "/dev/mail/:id/body", "mail.body", read, h.getBody)
}

// may asks whether the outbox is the reader's to see.
func (h *pages) may(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	if h.OpenMail {
		access.Public(c.UserContext())
		return nil
	}
	_, err := h.Policy.Require(c.UserContext(), web.Actor(c), access.Portal, "mail", "read")
	return err
}

type listQuery struct {
	Before string `form:"before"`
}

func (h *pages) getList(c *fiber.Ctx) error {
	if err := h.may(c); err != nil {
		return err
	}
	in, err := web.Decode[listQuery](c)
	if err != nil {
		return err
	}
	var l views.List
	before := uuid.Nil
	if in.Before != "" {
		if before, err = uuid.Parse(in.Before); err != nil {
			return access.ErrNotFound
		}
		l.Paging.First = "/dev/mail"
	}
	mails, err := mail.Recent(c.UserContext(), h.DB, before, perPage+1)
	if err != nil {
		return err
	}
	if len(mails) > perPage {
		mails = mails[:perPage]
		l.Paging.Next = web.Query("/dev/mail", "before", mails[perPage-1].ID.String())
	}
	l.Mails = mails
	return h.Render(c, fiber.StatusOK, views.ListPage(l))
}

func (h *pages) letter(c *fiber.Ctx) (mail.Mail, error) {
	if err := h.may(c); err != nil {
		return mail.Mail{}, err
	}
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return mail.Mail{}, access.ErrNotFound
	}
	m, err := mail.ByID(c.UserContext(), h.DB, id)
	if m.Secret && m.State != mail.Kept {
		// On its way to its reader, and to nobody else. Only where no letter is
		// ever sent does somebody have to read it here.
		m.Text, m.HTML = "", ""
	}
	return m, err
}

func (h *pages) getShow(c *fiber.Ctx) error {
	m, err := h.letter(c)
	if err != nil {
		return err
	}
	return h.Render(c, fiber.StatusOK, views.ShowPage(m))
}

// getBody is the letter as it looks, under a policy of its own.
func (h *pages) getBody(c *fiber.Ctx) error {
	m, err := h.letter(c)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, views.BodyPolicy)
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.SendString(m.HTML)
}

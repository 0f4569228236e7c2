package accountweb

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
	"commissionportal/internal/web"
	views "commissionportal/views/account"
)

func (h *pages) mountErase(read, edit web.Need) {
	erase := web.InPortal("person", "erase")
	h.Page("GET", "/profile/data/erase", "account.erase.form", read, h.getErase)
	h.Page("POST", "/profile/data/erase", "account.erase", web.Recent(edit), h.postErase)
	h.Page("POST", "/profile/data/keep", "account.keep", edit, h.postKeep)
	h.Page("GET", "/persons/:id/erase", "person.erase.form", erase, h.getErasePerson)
	h.Page("POST", "/persons/:id/erase", "person.erase", web.Recent(erase), h.postErasePerson)
	h.Page("POST", "/persons/:id/keep", "person.keep", erase, h.postKeepPerson)
}

type eraseForm struct {
	Understood string `form:"understood"`
}

func (h *pages) showErase(c *fiber.Ctx, status int, e account.Erasing, own bool, in eraseForm, entry views.Entry) error {
	return h.Render(c, status, views.ErasePage(views.Erase{Erasing: e, Own: own, Understood: in.Understood, Problem: entry.Problem, Errors: entry.Errors, Key: uuid.NewString()}))
}

func (h *pages) getErase(c *fiber.Ctx) error {
	e, err := h.accounts.Erasing(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.showErase(c, http.StatusOK, e, true, eraseForm{}, views.Entry{})
}

func (h *pages) postErase(c *fiber.Ctx) error {
	in, err := web.Decode[eraseForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	_, err = h.accounts.Erase(ctx, who, in.Understood == "true")
	var entry views.Entry
	if status := refused(c, err, &entry); status != 0 {
		e, err := h.accounts.Erasing(ctx, who)
		if err != nil {
			return err
		}
		return h.showErase(c, status, e, true, in, entry)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/data/erase", i18n.T(ctx, "Your personal data will be erased. We have written to you when."))
}

func (h *pages) postKeep(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if err := h.accounts.Keep(ctx, web.Actor(c)); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/data", i18n.T(ctx, "Nothing is erased. Your account stays as it is."))
}

func (h *pages) getErasePerson(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	e, err := h.accounts.ErasingOf(c.UserContext(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return h.showErase(c, http.StatusOK, e, false, eraseForm{}, views.Entry{})
}

func (h *pages) postErasePerson(c *fiber.Ctx) error {
	in, err := web.Decode[eraseForm](c)
	if err != nil {
		return err
	}
	id, err := id(c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	_, err = h.accounts.EraseOf(ctx, who, id, in.Understood == "true")
	var entry views.Entry
	if status := refused(c, err, &entry); status != 0 {
		e, err := h.accounts.ErasingOf(ctx, who, id)
		if err != nil {
			return err
		}
		return h.showErase(c, status, e, false, in, entry)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/persons/"+id.String(), i18n.T(ctx, "The personal data will be erased. The person is told by mail."))
}

func (h *pages) postKeepPerson(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	if err := h.accounts.KeepOf(ctx, web.Actor(c), id); err != nil {
		return err
	}
	return h.SeeOther(c, "/persons/"+id.String(), i18n.T(ctx, "Nothing is erased. The account stays as it is."))
}

func (h *api) mountErase(s *web.Server, read, edit web.Need) {
	const tag = "Persons"
	erase := web.InPortal("person", "erase")
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/erasure", Operation: "account.erasing.api", Need: read, Summary: "Read what erasing your personal data ends, and whether it was asked for", Tag: tag}, h.erasing)
	web.API(s, web.Call{Method: "POST", Path: "/persons/me/erasure", Operation: "account.erase.api", Need: web.Recent(edit), Summary: "Have your personal data erased, in 14 days", Tag: tag}, h.erase)
	web.API(s, web.Call{Method: "DELETE", Path: "/persons/me/erasure", Operation: "account.keep.api", Need: edit, Summary: "Undo that", Tag: tag, Status: 204}, h.keep)
	web.API(s, web.Call{Method: "GET", Path: "/persons/{id}/erasure", Operation: "person.erasing.api", Need: erase, Summary: "Read what erasing somebody's personal data ends (secretariat)", Tag: tag}, h.erasingOf)
	web.API(s, web.Call{Method: "POST", Path: "/persons/{id}/erasure", Operation: "person.erase.api", Need: web.Recent(erase), Summary: "Have the personal data of who wrote to the secretariat erased, in 14 days (secretariat)", Tag: tag}, h.eraseOf)
	web.API(s, web.Call{Method: "DELETE", Path: "/persons/{id}/erasure", Operation: "person.keep.api", Need: erase, Summary: "Undo that (secretariat)", Tag: tag, Status: 204}, h.keepOf)
}

type erasing struct{ Body account.Erasing }

// Understanding is what whoever asks for an erasure says.
type Understanding struct {
	Understood bool `json:"understood" doc:"To have read what an erasure does: docs/accounts.md, or the page."`
}

type eraseInput struct{ Body Understanding }

type eraseOfInput struct {
	ID   uuid.UUID `path:"id"`
	Body Understanding
}

func (h *api) erasing(ctx context.Context, _ *none) (*erasing, error) {
	e, err := h.accounts.Erasing(ctx, access.From(ctx))
	return &erasing{e}, err
}

func (h *api) erase(ctx context.Context, in *eraseInput) (*erasing, error) {
	e, err := h.accounts.Erase(ctx, access.From(ctx), in.Body.Understood)
	return &erasing{e}, err
}

func (h *api) keep(ctx context.Context, _ *none) (*none, error) {
	return &none{}, h.accounts.Keep(ctx, access.From(ctx))
}

func (h *api) erasingOf(ctx context.Context, in *idInput) (*erasing, error) {
	e, err := h.accounts.ErasingOf(ctx, access.From(ctx), in.ID)
	return &erasing{e}, err
}

func (h *api) eraseOf(ctx context.Context, in *eraseOfInput) (*erasing, error) {
	e, err := h.accounts.EraseOf(ctx, access.From(ctx), in.ID, in.Body.Understood)
	return &erasing{e}, err
}

func (h *api) keepOf(ctx context.Context, in *idInput) (*none, error) {
	return &none{}, h.accounts.KeepOf(ctx, access.From(ctx), in.ID)
}

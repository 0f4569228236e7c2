package commissionweb

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
)

func (h *pages) mountFounding() {
	h.Page("GET", "/commissions/:slug/supporters", "support.list", web.InCommission("support", "read"), h.getSupporters)
	h.Page("POST", "/commissions/:slug/support", "support.sign", web.InCommission("support", "sign"), h.postSign)
	h.Page("POST", "/commissions/:slug/support/withdraw", "support.withdraw", web.InCommission("support", "withdraw"), h.postUnsign)
	h.Page("GET", "/settings/founding", "threshold.edit.form", web.InPortal("threshold", "edit"), h.getThreshold)
	h.Page("POST", "/settings/founding", "threshold.edit", web.InPortal("threshold", "edit"), h.postThreshold)
}

func (h *pages) getSupporters(c *fiber.Ctx) error {
	at, cursor, err := page(c, 2)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, rows, next, err := h.commissions.Supporters(ctx, web.Actor(c), slug(c), at)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SupportersPage(views.Supporters{Frame: h.framed(ctx, body, ""), Rows: rows, Paging: paging(cursor, next, below(body, "/supporters"))}))
}

type signForm struct {
	Organization string `form:"organization"`
}

func (h *pages) postSign(c *fiber.Ctx) error {
	in, err := web.Decode[signForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, err := h.commissions.Sign(ctx, web.Actor(c), slug(c), in.Organization)
	if p := web.Invalid(err); p != nil {
		return h.show(c, 422, i18n.FieldProblems(ctx, p))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, body.Path(), i18n.T(ctx, "Thank you: you support it."))
}

func (h *pages) postUnsign(c *fiber.Ctx) error {
	ctx := c.UserContext()
	body, err := h.commissions.Unsign(ctx, web.Actor(c), slug(c))
	if err != nil {
		return err
	}
	return h.SeeOther(c, body.Path(), i18n.T(ctx, "You do not support it any more."))
}

func (h *pages) getThreshold(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	if _, err := h.Policy.Require(ctx, who, access.Portal, "threshold", "edit"); err != nil {
		return err
	}
	t, err := h.commissions.Threshold(ctx, who)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.ThresholdPage(views.Threshold{Persons: strconv.Itoa(t.Persons), Organizations: strconv.Itoa(t.Organizations), Countries: strconv.Itoa(t.Countries), Version: t.Version, Key: key()}))
}

type thresholdForm struct {
	Persons       string `form:"persons"`
	Organizations string `form:"organizations"`
	Countries     string `form:"countries"`
	Version       int    `form:"version"`
}

func (h *pages) postThreshold(c *fiber.Ctx) error {
	in, err := web.Decode[thresholdForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	t := commission.Threshold{Version: in.Version}
	var f problem.Fields
	t.Persons = check.Number(&f, "persons", in.Persons, true, 1, 1000)
	t.Organizations = check.Number(&f, "organizations", in.Organizations, true, 0, 1000)
	t.Countries = check.Number(&f, "countries", in.Countries, true, 0, 200)
	if err = f.Err(); err == nil {
		_, err = h.commissions.SetThreshold(ctx, who, t)
	} else if _, e := h.Policy.Require(ctx, who, access.Portal, "threshold", "edit"); e != nil {
		return e
	}
	again := views.Threshold{Persons: in.Persons, Organizations: in.Organizations, Countries: in.Countries, Version: in.Version, Key: key()}
	switch p := problem.As(err); {
	case web.Invalid(err) != nil:
		again.Errors = i18n.FieldProblems(ctx, p)
		return h.Render(c, 422, views.ThresholdPage(again))
	case problem.Of(err, problem.Stale):
		now, err := h.commissions.Threshold(ctx, who)
		if err != nil {
			return err
		}
		again.Version, again.Stale = now.Version, true
		return h.Render(c, fiber.StatusPreconditionFailed, views.ThresholdPage(again))
	case err != nil:
		return err
	}
	return h.SeeOther(c, "/settings/founding", i18n.T(ctx, "Saved."))
}

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

func (h *pages) getRequire(c *fiber.Ctx) error {
	r, err := h.accounts.Required(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.RequirePage(views.Require{Required: r, Key: uuid.NewString()}))
}

type requireForm struct {
	Roles []string `form:"role"`
}

func (h *pages) postRequire(c *fiber.Ctx) error {
	in, err := web.Decode[requireForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	_, err = h.accounts.Require(ctx, who, in.Roles)
	var e views.Entry
	if status := refused(c, err, &e); status != 0 {
		now, err := h.accounts.Required(ctx, who)
		if err != nil {
			return err
		}
		now.Roles = in.Roles
		if e.Problem == "" {
			e.Problem = e.Errors["roles"]
		}
		return h.Render(c, status, views.RequirePage(views.Require{Required: now, Problem: e.Problem, Key: uuid.NewString()}))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/settings/factors", i18n.T(ctx, "Saved."))
}

func (h *pages) getDisarm(c *fiber.Ctx) error {
	return h.showDisarm(c, http.StatusOK, "", views.Entry{})
}

func (h *pages) showDisarm(c *fiber.Ctx, status int, reason string, e views.Entry) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	p, f, err := h.accounts.Armed(c.UserContext(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.DisarmPage(views.Disarm{Person: p, Factors: f, Reason: reason, Problem: e.Problem, Errors: e.Errors, Key: uuid.NewString()}))
}

func (h *pages) postDisarm(c *fiber.Ctx) error {
	in, err := web.Decode[suspendForm](c)
	if err != nil {
		return err
	}
	id, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	err = h.accounts.Disarm(ctx, web.Actor(c), id, in.Reason)
	if web.Invalid(err) != nil {
		var e views.Entry
		return h.showDisarm(c, refused(c, err, &e), in.Reason, e)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/persons/"+id.String(), i18n.T(ctx, "The second factors are removed. The person is told by mail."))
}

type required struct{ Body account.Required }

type requireInput struct {
	Body struct {
		Roles []string `json:"roles" maxItems:"20"`
	}
}

func (h *api) required(ctx context.Context, _ *none) (*required, error) {
	r, err := h.accounts.Required(ctx, access.From(ctx))
	return &required{r}, err
}

func (h *api) require(ctx context.Context, in *requireInput) (*required, error) {
	r, err := h.accounts.Require(ctx, access.From(ctx), in.Body.Roles)
	return &required{r}, err
}

func (h *api) disarm(ctx context.Context, in *suspendInput) (*none, error) {
	return &none{}, h.accounts.Disarm(ctx, access.From(ctx), in.ID, in.Body.Reason)
}

package commissionweb

import (
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
)

func (h *pages) getAct(a commission.Act) fiber.Handler {
	return func(c *fiber.Ctx) error { return h.showAct(c, 200, a, "", nil) }
}

// showAct is the page before an act; in another state than the act starts from,
// it leads back to the commission.
func (h *pages) showAct(c *fiber.Ctx, status int, a commission.Act, reason string, errors map[string]string) error {
	ctx := c.UserContext()
	body, step, err := h.commissions.Prepare(ctx, web.Actor(c), slug(c), a.Name)
	if err != nil {
		return err
	}
	if now, ok := commission.ActTo(body.State, a.To); !ok || now.Name != a.Name {
		return commission.Transition(body, a.To, commission.Facts{})
	}
	return h.Render(c, status, views.ActPage(views.Act{Frame: h.framed(ctx, body, ""), Step: step, Reason: reason, Errors: errors, Key: key()}))
}

type reasonForm struct {
	Reason string `form:"reason"`
}

// acted are the sentences after an act.
var acted = map[string]string{
	"call": "The call for participation is out. The supporters are told by mail.", "activate": "The commission is active.", "rest": "The commission rests.",
	"revive": "The commission works again.", "conclude": "The commission has concluded.", "abandon": "The founding has been given up.",
}

func (h *pages) postAct(a commission.Act) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, err := web.Decode[reasonForm](c)
		if err != nil {
			return err
		}
		ctx := c.UserContext()
		body, err := h.commissions.Transition(ctx, web.Actor(c), slug(c), a.To, in.Reason)
		if p := problem.As(err); p != nil && len(p.Fields) > 0 { // what is lacking stands on the page, said by its fields
			status := fiber.StatusUnprocessableEntity
			if p.Kind == problem.Conflict {
				status = fiber.StatusConflict
			}
			return h.showAct(c, status, a, in.Reason, i18n.FieldProblems(ctx, p))
		}
		if err != nil {
			return err
		}
		return h.SeeOther(c, body.Path(), i18n.T(ctx, acted[a.Name]))
	}
}

package commissionweb

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/textdiff"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
)

func (h *pages) mountCharter() {
	read, edit, adopt := web.InCommission("charter", "read"), web.InCommission("charter", "edit"), web.InCommission("charter", "adopt")
	h.Page("GET", "/commissions/:slug/charter", "charter.show", web.Kept(read), h.getCharter)
	h.Page("GET", "/commissions/:slug/charter/edit", "charter.revise.form", edit, h.getRevise)
	h.Page("POST", "/commissions/:slug/charter", "charter.revise", edit, h.postRevise)
	h.Page("GET", "/commissions/:slug/charter/adopt", "charter.adopt.form", adopt, h.getAdopt)
	h.Page("POST", "/commissions/:slug/charter/adopt", "charter.adopt", adopt, h.postAdopt)
	h.Page("GET", "/commissions/:slug/charter/revisions", "charter.list", read, h.getRevisions)
	h.Page("GET", "/commissions/:slug/charter/revisions/:number", "charter.revision", read, h.getRevision)
	h.Page("GET", "/commissions/:slug/charter/diff", "charter.compare", read, h.getCompare)
}

func (h *pages) charter(c *fiber.Ctx, body commission.Commission, charter commission.Charter, shown *commission.Revision) error {
	ctx, who := c.UserContext(), web.Actor(c)
	return h.Render(c, 200, views.CharterPage(views.Charter{Frame: h.framed(ctx, body, "/charter"), Charter: charter, Shown: shown,
		Edit:  !body.Ended() && h.commissions.May(who, body, "charter", "edit"),
		Adopt: body.State != commission.Proposed && !body.Ended() && charter.Draft() && h.commissions.May(who, body, "charter", "adopt")}))
}

func (h *pages) getCharter(c *fiber.Ctx) error {
	body, charter, err := h.commissions.Charter(c.UserContext(), web.Actor(c), slug(c))
	if err != nil {
		return err
	}
	return h.charter(c, body, charter, charter.Holds())
}

func (h *pages) getRevision(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	number, err := strconv.ParseInt(c.Params("number"), 10, 32)
	if err != nil {
		access.Public(ctx)
		return access.ErrNotFound
	}
	_, r, err := h.commissions.Revision(ctx, who, slug(c), int(number))
	if err != nil {
		return err
	}
	body, charter, err := h.commissions.Charter(ctx, who, slug(c))
	if err != nil {
		return err
	}
	return h.charter(c, body, charter, &r)
}

func (h *pages) getRevisions(c *fiber.Ctx) error {
	at, cursor, err := page(c, 1)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, rows, next, err := h.commissions.Revisions(ctx, web.Actor(c), slug(c), at)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.RevisionsPage(views.Revisions{Frame: h.framed(ctx, body, "/charter"), Rows: rows, Paging: paging(cursor, next, below(body, "/charter/revisions"))}))
}

type compareQuery struct {
	From int32 `form:"from"`
	To   int32 `form:"to"`
}

func (h *pages) getCompare(c *fiber.Ctx) error {
	in, err := web.Decode[compareQuery](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, d, err := h.commissions.Compare(ctx, web.Actor(c), slug(c), int(in.From), int(in.To))
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.ComparePage(views.Compared{Frame: h.framed(ctx, body, "/charter"), Difference: d}))
}

// revising reads the charter for somebody who may write a revision.
func (h *pages) revising(c *fiber.Ctx) (commission.Commission, commission.Charter, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	body, charter, err := h.commissions.Charter(ctx, who, slug(c))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, body.Scope(), "charter", "edit")
	}
	return body, charter, err
}

func (h *pages) getRevise(c *fiber.Ctx) error {
	body, charter, err := h.revising(c)
	if err != nil {
		return err
	}
	p := views.Revise{Frame: h.framed(c.UserContext(), body, "/charter"), Text: commission.Revise{Base: charter.Number()}, Key: key()}
	if charter.Newest != nil {
		p.Text.Body = charter.Newest.Body
	}
	return h.Render(c, 200, views.RevisePage(p))
}

type reviseForm struct {
	Base    int    `form:"base"`
	Body    string `form:"body"`
	Summary string `form:"summary"`
	Do      string `form:"do"`
}

func (h *pages) postRevise(c *fiber.Ctx) error {
	in, err := web.Decode[reviseForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	r := commission.Revise{Base: in.Base, Body: in.Body, Summary: in.Summary}
	if in.Do == "preview" {
		err = r.Check()
	} else {
		var body commission.Commission
		if body, _, err = h.commissions.Revise(ctx, web.Actor(c), slug(c), r); err == nil {
			return h.SeeOther(c, body.Path()+"/charter", i18n.T(ctx, "Saved as a draft."))
		}
	}
	invalid, stale := web.Invalid(err), problem.Of(err, problem.Stale)
	if err != nil && invalid == nil && !stale {
		return err
	}
	body, charter, e := h.revising(c)
	if e != nil {
		return e
	}
	p := views.Revise{Frame: h.framed(ctx, body, "/charter"), Text: r, Key: key()}
	switch {
	case stale && charter.Newest != nil: // both texts are kept; the next attempt is made from theirs
		p.Theirs, p.Hunks = charter.Newest, textdiff.Compare(charter.Newest.Body, r.Body, 2)
		p.Text.Base = charter.Number()
		return h.Render(c, fiber.StatusPreconditionFailed, views.RevisePage(p))
	case err != nil:
		p.Errors = i18n.FieldProblems(ctx, problem.As(err))
		return h.Render(c, 422, views.RevisePage(p))
	}
	p.Preview = true
	return h.Render(c, 200, views.RevisePage(p))
}

func (h *pages) getAdopt(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	body, charter, err := h.commissions.Charter(ctx, who, slug(c))
	if err != nil {
		return err
	}
	if _, err := h.Policy.Require(ctx, who, body.Scope(), "charter", "adopt"); err != nil {
		return err
	}
	if err := charter.Adoptable(body, charter.Number()); err != nil {
		return err
	}
	return h.Render(c, 200, views.AdoptPage(views.Adopt{Frame: h.framed(ctx, body, "/charter"), Charter: charter, Key: key()}))
}

type adoptForm struct {
	Number int `form:"number"`
}

func (h *pages) postAdopt(c *fiber.Ctx) error {
	in, err := web.Decode[adoptForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, r, err := h.commissions.Adopt(ctx, web.Actor(c), slug(c), in.Number)
	if err != nil {
		return err
	}
	return h.SeeOther(c, body.Path()+"/charter", i18n.T(ctx, "Revision %s holds from now on.", strconv.Itoa(r.Number)))
}

// Package rightsweb has the doors of the rules of commissions.
package rightsweb

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/rights"
	"commissionportal/internal/sheet"
	"commissionportal/internal/web"
	"commissionportal/views/part"
	views "commissionportal/views/rights"
)

type pages struct {
	*web.Server
	rights *rights.Service
}

// Mount adds the routes of rules.
func Mount(s *web.Server, service *rights.Service) {
	h := &pages{s, service}
	read, edit := web.InCommission("access", "read"), web.InCommission("access", "edit")
	s.AddTab("commission", web.Tab{Label: "Access", Path: "/access", Order: 92, Need: read})
	s.Page("GET", "/commissions/:slug/access", "access.show", read, h.getMatrix)
	s.Page("GET", "/commissions/:slug/access/report.csv", "access.report", read, h.getReport)
	s.Page("GET", "/commissions/:slug/access/changes", "access.changes", read, h.getChanges)
	s.Page("GET", "/commissions/:slug/access/changes/:number/revert", "access.revert.form", edit, h.getRevert)
	s.Page("POST", "/commissions/:slug/access/changes/:number/revert", "access.revert", edit, h.postRevert)
	h.mountRoles(read, edit)
	s.Page("GET", "/commissions/:slug/access/:object/:action", "access.edit.form", edit, h.getRow)
	s.Page("GET", "/commissions/:slug/access/:object/:action/preview", "access.preview", edit, h.getPreview)
	s.Page("POST", "/commissions/:slug/access/:object/:action", "access.edit", edit, h.postRow)
	s.Page("GET", "/access/why", "access.explain", web.InPortal("access", "explain"), h.getWhy)
	mountAPI(s, service)
}

func (h *pages) tabs(ctx context.Context, x rights.Home) []part.Tab {
	return h.Tabs(ctx, "commission", x.Path(), x.Scope(), "/access")
}

func (h *pages) getMatrix(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	m, err := h.rights.Show(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.MatrixPage(views.Matrix{Matrix: m, Tabs: h.tabs(ctx, m.Home), Edit: h.rights.MayEdit(who, m.Home)}))
}

type rowForm struct {
	Slug   string `form:"slug"`
	Object string `form:"object"`
	Action string `form:"action"`

	Member                  string `form:"member"`
	VotingRepresentative    string `form:"voting_representative"`
	AlternateRepresentative string `form:"alternate_representative"`
	LiaisonOfficer          string `form:"liaison_officer"`
	InvitedExpert           string `form:"invited_expert"`
	Observer                string `form:"observer"`
	Emeritus                string `form:"emeritus"`
	Officer                 string `form:"officer"`
	Secretary               string `form:"secretary"`
	ViceChair               string `form:"vice_chair"`
	Chair                   string `form:"chair"`
	Own1                    string `form:"own_1"`
	Own2                    string `form:"own_2"`
	Own3                    string `form:"own_3"`
	Own4                    string `form:"own_4"`
	Own5                    string `form:"own_5"`
	Own6                    string `form:"own_6"`
	Own7                    string `form:"own_7"`
	Own8                    string `form:"own_8"`
	Own9                    string `form:"own_9"`
	Own10                   string `form:"own_10"`

	Reason  string `form:"reason"`
	Version int    `form:"version"`
}

// effects are the choices of the form by role; what was not sent stays as it is.
func (f rowForm) effects() map[string]string {
	return map[string]string{"member": f.Member, "voting_representative": f.VotingRepresentative, "alternate_representative": f.AlternateRepresentative,
		"liaison_officer": f.LiaisonOfficer, "invited_expert": f.InvitedExpert, "observer": f.Observer, "emeritus": f.Emeritus,
		"officer": f.Officer, "secretary": f.Secretary, "vice_chair": f.ViceChair, "chair": f.Chair,
		"own_1": f.Own1, "own_2": f.Own2, "own_3": f.Own3, "own_4": f.Own4, "own_5": f.Own5, "own_6": f.Own6, "own_7": f.Own7, "own_8": f.Own8, "own_9": f.Own9, "own_10": f.Own10}
}

func (f rowForm) changes() []rights.Change {
	var list []rights.Change
	effects := f.effects()
	for _, role := range slices.Sorted(maps.Keys(effects)) {
		if e := effects[role]; e != "" {
			list = append(list, rights.Change{Role: role, Object: f.Object, Action: f.Action, Effect: e})
		}
	}
	return list
}

// row reads one row of the matrix for somebody who may change it.
func (h *pages) row(c *fiber.Ctx, in rowForm) (views.Row, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	m, err := h.rights.Show(ctx, who, in.Slug)
	if err == nil {
		_, err = h.Policy.Require(ctx, who, m.Scope(), "access", "edit")
	}
	p := views.Row{Home: m.Home, Columns: m.Columns, Key: uuid.NewString(), Reason: in.Reason}
	if err != nil {
		return p, err
	}
	for _, t := range m.Topics {
		for _, r := range t.Rows {
			if r.Object == in.Object && r.Action == in.Action {
				p.Row = r
				return p, nil
			}
		}
	}
	return p, access.ErrNotFound
}

func (h *pages) getRow(c *fiber.Ctx) error {
	in, err := web.Decode[rowForm](c)
	if err != nil {
		return err
	}
	p, err := h.row(c, in)
	if err != nil {
		return err
	}
	p.Chosen = in.effects()
	return h.Render(c, 200, views.RowPage(p))
}

// refused shows the form again with what is wrong, if that is what err is.
func (h *pages) refused(c *fiber.Ctx, in rowForm, err error) error {
	invalid, status := web.Invalid(err), 422
	switch {
	case problem.Of(err, problem.Stale):
		status = fiber.StatusPreconditionFailed
	case problem.Of(err, problem.Conflict):
		status = fiber.StatusConflict
	case invalid == nil:
		return err
	}
	p, e := h.row(c, in)
	if e != nil {
		return e
	}
	p.Chosen = in.effects()
	if status == 422 {
		p.Errors = i18n.FieldProblems(c.UserContext(), invalid)
	} else {
		p.Error = i18n.Problem(c.UserContext(), problem.As(err))
	}
	return h.Render(c, status, views.RowPage(p))
}

func (h *pages) getPreview(c *fiber.Ctx) error {
	in, err := web.Decode[rowForm](c)
	if err != nil {
		return err
	}
	home, plan, err := h.rights.Preview(c.UserContext(), web.Actor(c), in.Slug, in.changes())
	if err != nil {
		return h.refused(c, in, err)
	}
	path := home.Path() + "/access/" + in.Object + "/" + in.Action
	fields := [][2]string{}
	for _, ch := range plan.Changes {
		fields = append(fields, [2]string{ch.Role, ch.Effect})
	}
	return h.Render(c, 200, views.PlanPage(views.Plan{Home: home, Plan: plan, Action: path, Back: path, Fields: fields, Reason: in.Reason, Key: uuid.NewString()}))
}

func (h *pages) postRow(c *fiber.Ctx) error {
	in, err := web.Decode[rowForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	m, _, err := h.rights.Set(ctx, web.Actor(c), in.Slug, in.changes(), in.Reason, in.Version)
	if err != nil {
		return h.refused(c, in, err)
	}
	return h.SeeOther(c, m.Path()+"/access", i18n.T(ctx, "Saved. It holds from the next request of everybody on."))
}

type changesQuery struct {
	Slug   string `form:"slug"`
	Cursor string `form:"cursor"`
}

func (h *pages) getChanges(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	in, err := web.Decode[changesQuery](c)
	if err != nil {
		return err
	}
	page, err := keyset.Parse(in.Cursor, 3, 0)
	if err != nil {
		return err
	}
	home, list, next, err := h.rights.Changes(ctx, who, in.Slug, page)
	if err != nil {
		return err
	}
	path := home.Path() + "/access/changes"
	p := views.Changes{Home: home, Tabs: h.tabs(ctx, home), Edit: h.rights.MayEdit(who, home), Now: journal.Now(ctx)}
	for _, e := range list {
		p.List = append(p.List, changed(e))
	}
	if next != "" {
		p.Paging.Next = web.Query(path, "cursor", next)
	}
	if in.Cursor != "" {
		p.Paging.First = path
	}
	return h.Render(c, 200, views.ChangesPage(p))
}

// changed is an entry of the journal with the cells it set.
func changed(e journal.Event) views.Changed {
	c := views.Changed{Number: e.Number, At: e.At, Text: e.Text}
	if e.Person != nil {
		c.Who = *e.Person
	}
	after, _ := e.After.(map[string]any)
	c.Reason, _ = after["reason"].(string)
	cells, _ := after["cells"].([]any)
	for _, x := range cells {
		cell, _ := x.(map[string]any)
		text := func(key string) string { s, _ := cell[key].(string); return s }
		c.Cells = append(c.Cells, rights.Change{Role: text("role"), Object: text("object"), Action: text("action"), Effect: text("effect"), Name: text("name")})
	}
	return c
}

type revertForm struct {
	Slug    string `form:"slug"`
	Number  int64  `form:"number"`
	Version int    `form:"version"`
	Reason  string `form:"reason"`
}

func (h *pages) getRevert(c *fiber.Ctx) error {
	in, err := web.Decode[revertForm](c)
	if err != nil {
		return err
	}
	return h.revert(c, 200, in, "")
}

// revert shows what taking a change back does; and, if that was refused, why.
func (h *pages) revert(c *fiber.Ctx, status int, in revertForm, refused string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	home, changes, err := h.rights.Back(ctx, who, in.Slug, in.Number)
	if err != nil {
		return err
	}
	home, plan, err := h.rights.Preview(ctx, who, home.Slug, changes)
	if err != nil {
		return err
	}
	path := home.Path() + "/access/changes"
	return h.Render(c, status, views.PlanPage(views.Plan{Home: home, Plan: plan, Action: path + "/" + strconv.FormatInt(in.Number, 10) + "/revert", Back: path, Revert: true, Reason: in.Reason, Error: refused, Key: uuid.NewString()}))
}

func (h *pages) postRevert(c *fiber.Ctx) error {
	in, err := web.Decode[revertForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	home, changes, err := h.rights.Back(ctx, who, in.Slug, in.Number)
	if err != nil {
		return err
	}
	_, _, err = h.rights.Set(ctx, who, home.Slug, changes, in.Reason, in.Version)
	switch {
	case problem.Of(err, problem.Stale):
		return h.revert(c, fiber.StatusPreconditionFailed, in, i18n.Problem(ctx, problem.As(err)))
	case web.Invalid(err) != nil:
		return h.revert(c, 422, in, i18n.FieldProblems(ctx, web.Invalid(err))["reason"])
	case err != nil:
		return err
	}
	return h.SeeOther(c, home.Path()+"/access", i18n.T(ctx, "Taken back."))
}

type reportQuery struct {
	Slug     string `form:"slug"`
	Document string `form:"document"`
}

func (h *pages) getReport(c *fiber.Ctx) error {
	in, err := web.Decode[reportQuery](c)
	if err != nil {
		return err
	}
	home, each, err := h.rights.Report(c.UserContext(), web.Actor(c), in.Slug, in.Document)
	if err != nil {
		return err
	}
	return h.Download(c, home.Slug+"-access.csv", func(w io.Writer) error {
		out, err := sheet.CSV(w, rights.ReportColumns, true)
		if err != nil {
			return err
		}
		return errors.Join(each(func(r rights.Reader) error { return out.WriteRow(r.Values()...) }), out.Close())
	})
}

type whyQuery struct {
	Person       string `form:"person"`
	Commission   string `form:"commission"`
	Organization string `form:"organization"`
	Document     string `form:"document"`
	Object       string `form:"object"`
	Action       string `form:"action"`
}

func (h *pages) getWhy(c *fiber.Ctx) error {
	in, err := web.Decode[whyQuery](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	a, err := h.rights.Explain(ctx, who, rights.Asking(in))
	p := views.Why{Answer: a, Asked: in.Person}
	if a.Home != nil {
		p.Others = h.Policy.May(who, a.Home.Scope(), "access", "read")
	}
	p.Others = p.Others || who.Secretariat()
	p.Self = a.Person.ID == who.ID
	status := 200
	if invalid := web.Invalid(err); invalid != nil {
		p.Errors, status = i18n.FieldProblems(ctx, invalid), 422
	} else if err != nil {
		return err
	}
	return h.Render(c, status, views.WhyPage(p))
}

// Package intakeweb has the two doors of imports: pages and API.
package intakeweb

import (
	"io"
	"mime/multipart"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/intake"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/intake"
	"commissionportal/views/layout"
	"commissionportal/views/part"
)

type pages struct {
	*web.Server
	imports *intake.Service
}

// Mount adds the routes of imports: of the secretariat, and of the officers of a
// commission for its roster and its register.
func Mount(s *web.Server, imports *intake.Service) {
	h := &pages{s, imports}
	s.Own = append(s.Own, layout.Entry{Label: "Imports", Path: "/imports"})
	s.AddTab("commission", web.Tab{Label: "Import", Path: "/roster/import", Order: 80, Need: web.InCommission("import", "run")})
	s.AddTab("register", web.Tab{Label: "Import documents", Path: "/documents/import", Need: web.InCommission("import", "run")})
	for _, at := range []struct {
		base, operation, kind string
		need                  web.Need
	}{
		{"/imports", "import", "", web.InPortal("import", "run")},
		{intake.Home(":slug", "seats"), "roster.import", "seats", web.InCommission("import", "run")},
		{intake.Home(":slug", "documents"), "register.import", "documents", web.InCommission("import", "run")},
	} {
		door := &door{h, at.kind}
		s.Page("GET", at.base, at.operation+".form", at.need, door.getList)
		s.Upload(at.base, at.operation+".upload", at.need, door.postUpload)
		s.Page("GET", at.base+"/:id", at.operation+".show", at.need, door.getShow)
		s.Page("POST", at.base+"/:id", at.operation+".run", at.need, door.postRun)
		s.Page("GET", at.base+"/:id/report.csv", at.operation+".report", at.need, door.getReport)
	}
	mountAPI(s, imports)
}

// door is the pages of one kind of import into a commission; "" is every kind, of
// the secretariat.
type door struct {
	*pages
	kind string
}

type listQuery struct {
	Slug   string `form:"slug"`
	Cursor string `form:"cursor"`
}

func (h *door) getList(c *fiber.Ctx) error {
	return h.list(c, 200, views.Upload{}, nil)
}

// list is the page that files are sent from, with what was imported before.
func (h *door) list(c *fiber.Ctx, status int, up views.Upload, p *problem.Error) error {
	in, err := web.Decode[listQuery](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	up.Key, up.Errors, up.Action = uuid.NewString(), i18n.FieldProblems(ctx, p), "/imports"
	if in.Slug != "" {
		body, err := h.imports.Body(ctx, who, in.Slug)
		if err != nil {
			return err
		}
		up.Body, up.Kind, up.Action = body, h.kind, intake.Home(in.Slug, h.kind)
		tab := "/documents"
		if h.kind == "seats" {
			tab = "/roster/import"
		}
		up.Tabs = h.Tabs(ctx, "commission", "/commissions/"+in.Slug, access.Commission(body.ID), tab)
		return h.Render(c, status, views.ListPage(views.List{Upload: up}))
	}
	page, err := keyset.Parse(in.Cursor, 1, 0)
	if err != nil {
		return err
	}
	rows, next, err := h.imports.List(ctx, who, page)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.ListPage(views.List{Upload: up, Rows: rows, Paging: paging("/imports", in.Cursor, next)}))
}

func paging(path, cursor, next string, pairs ...string) part.Paging {
	var p part.Paging
	if cursor != "" {
		p.First = web.Query(path, pairs...)
	}
	if next != "" {
		p.Next = web.Query(path, append(pairs, "cursor", next)...)
	}
	return p
}

type uploadForm struct {
	Slug   string `form:"slug"`
	Kind   string `form:"kind"`
	Source string `form:"source"`
}

func (h *door) postUpload(c *fiber.Ctx) error {
	in, err := web.Decode[uploadForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	u := intake.Upload{Kind: in.Kind, Commission: in.Slug, Source: in.Source}
	if h.kind != "" {
		u.Kind = h.kind
	}
	if f, err := c.FormFile("file"); err == nil {
		if u.FileName, u.Body, err = read(f); err != nil {
			return err
		}
	}
	i, err := h.imports.Upload(ctx, who, u)
	if p := web.Invalid(err); p != nil {
		return h.list(c, 422, views.Upload{Kind: in.Kind, Source: in.Source}, p)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, i.Path(), "")
}

func read(f *multipart.FileHeader) (name string, body []byte, err error) {
	r, err := f.Open()
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = r.Close() }() // it was read whole
	body, err = io.ReadAll(r)
	return f.Filename, body, err
}

type showQuery struct {
	Slug    string `form:"slug"`
	ID      string `form:"id"`
	Verdict string `form:"verdict"`
	Cursor  string `form:"cursor"`
}

// load reads the import of the route; one that is not of that commission is not
// there.
func (h *door) load(c *fiber.Ctx, in showQuery) (intake.Import, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return intake.Import{}, access.ErrNotFound
	}
	i, err := h.imports.Show(c.UserContext(), web.Actor(c), id)
	if err != nil {
		return i, err
	}
	if (i.Commission == nil) != (in.Slug == "") || i.Commission != nil && (*i.Commission != in.Slug || i.Kind != h.kind) {
		return i, access.ErrNotFound
	}
	return i, nil
}

func (h *door) getShow(c *fiber.Ctx) error {
	in, err := web.Decode[showQuery](c)
	if err != nil {
		return err
	}
	i, err := h.load(c, in)
	if err != nil {
		return err
	}
	return h.show(c, 200, i, in, nil, "")
}

func (h *door) show(c *fiber.Ctx, status int, i intake.Import, in showQuery, p *problem.Error, words string) error {
	ctx := c.UserContext()
	page, err := keyset.Parse(in.Cursor, 1, 0)
	if err != nil {
		return err
	}
	v := views.Show{Import: i, Verdict: in.Verdict, Key: uuid.NewString(), Fields: intake.Fields(i.Kind, i.CommissionID != nil), Errors: i18n.FieldProblems(ctx, p), Words: words}
	if p == nil {
		v.Words = wordLines(i.Plan.Words)
	}
	if i.State == intake.Checked || i.State == intake.Done {
		rows, next, err := h.imports.Lines(ctx, i, in.Verdict, page)
		if err != nil {
			return err
		}
		v.Lines, v.Paging = rows, paging(i.Path(), in.Cursor, next, "verdict", in.Verdict)
	}
	return h.Render(c, status, views.ShowPage(v))
}

type runForm struct {
	Slug   string `form:"slug"`
	ID     string `form:"id"`
	Source string `form:"source"`
	Words  string `form:"words"`
	Act    string `form:"act"`
}

func (h *door) postRun(c *fiber.Ctx) error {
	in, err := web.Decode[runForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	where := showQuery{Slug: in.Slug, ID: in.ID}
	i, err := h.load(c, where)
	if err != nil {
		return err
	}
	plan := intake.Plan{Source: in.Source, Columns: map[string]string{}}
	for _, f := range intake.Fields(i.Kind, i.CommissionID != nil) {
		plan.Columns[f.Name] = strings.ToValidUTF8(c.FormValue("column_"+f.Name), "")
	}
	if in.Act == "accept" { // what the dry run showed, as it is
		if _, err := h.imports.Run(ctx, who, i.ID, nil, false); err != nil {
			return err
		}
		return h.SeeOther(c, i.Path(), "")
	}
	var bad problem.Fields
	plan.Words = readWords(&bad, in.Words)
	if in.Act != "check" && in.Act != "run" {
		bad.Add("act", "Choose to try it or to import it.")
	}
	if err = bad.Err(); err == nil {
		_, err = h.imports.Run(ctx, who, i.ID, &plan, in.Act == "check")
	}
	if p := web.Invalid(err); p != nil {
		i.Plan = plan
		return h.show(c, 422, i, where, p, in.Words)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, i.Path(), "")
}

// readWords reads lines such as "sector: Testing = industry".
func readWords(bad *problem.Fields, text string) map[string]map[string]string {
	words := map[string]map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		field, rest, ok := strings.Cut(line, ":")
		at := strings.LastIndexByte(rest, '=')
		if !ok || at < 0 {
			bad.Add("words", "“%s” is not of the form field: word = meaning.", line)
			continue
		}
		field = strings.TrimSpace(field)
		if words[field] == nil {
			words[field] = map[string]string{}
		}
		words[field][strings.TrimSpace(rest[:at])] = strings.TrimSpace(rest[at+1:])
	}
	return words
}

func (h *door) getReport(c *fiber.Ctx) error {
	in, err := web.Decode[showQuery](c)
	if err != nil {
		return err
	}
	i, err := h.load(c, in)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	return h.Download(c, "import-"+i.ID.String()+".csv", func(w io.Writer) error { return h.imports.Report(ctx, i, in.Verdict, w) })
}

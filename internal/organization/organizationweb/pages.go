package organizationweb

import (
	"io"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/organization"
	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
	"commissionportal/internal/web"
	views "commissionportal/views/organization"
	"commissionportal/views/part"
)

type listQuery struct {
	Query    string `form:"q"`
	Country  string `form:"country"`
	Sector   string `form:"sector"`
	Kind     string `form:"kind"`
	Category string `form:"category"`
	State    string `form:"state"`
	Cursor   string `form:"cursor"`
	Format   string `form:"format"`
}

func (q listQuery) filter() organization.Filter {
	return organization.Filter{Query: q.Query, Country: q.Country, Sector: q.Sector, Kind: q.Kind, Category: q.Category}
}

// link is path with the filters, one of them changed.
func (q listQuery) link(path, name, value string) string {
	pairs := []string{"q", q.Query, "country", q.Country, "sector", q.Sector, "kind", q.Kind, "category", q.Category, "state", q.State}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			pairs[i+1] = value
			return web.Query(path, pairs...)
		}
	}
	return web.Query(path, append(pairs, name, value)...)
}

// paging leads on to next and, from a later page, back to the first.
func paging(cursor, next string, link func(cursor string) string) part.Paging {
	var p part.Paging
	if cursor != "" {
		p.First = link("")
	}
	if next != "" {
		p.Next = link(next)
	}
	return p
}

func (h *pages) getList(c *fiber.Ctx) error {
	in, err := web.Decode[listQuery](c)
	if err != nil {
		return err
	}
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	in.State = ""
	p := views.List{Filter: in.filter(), First: in.Cursor == "", CSV: in.link("/organizations/export", "format", "csv"), XLSX: in.link("/organizations/export", "format", "xlsx"),
		Link: func(name, value string) string { return in.link("/organizations", name, value) }}
	rows, next, err := h.organizations.List(ctx, who, p.Filter, page)
	if err != nil {
		return err
	}
	if p.Counts, err = h.organizations.Counts(ctx, who, p.Filter); err != nil {
		return err
	}
	if p.Sectors, err = h.organizations.Sectors(ctx, who); err != nil {
		return err
	}
	p.Rows = rows
	p.Paging = paging(in.Cursor, next, func(cursor string) string { return in.link("/organizations", "cursor", cursor) })
	return h.Render(c, 200, views.ListPage(p))
}

func (h *pages) getExport(c *fiber.Ctx) error {
	in, err := web.Decode[listQuery](c)
	if err != nil {
		return err
	}
	open := func(w io.Writer, header []string) (sheet.Writer, error) { return sheet.CSV(w, header, true) }
	switch in.Format {
	case "", "csv":
		in.Format = "csv"
	case "xlsx":
		open = sheet.XLSX
	default:
		return problem.Field("format", "Choose csv or xlsx.")
	}
	ctx, who := c.UserContext(), web.Actor(c)
	return h.Download(c, "organizations."+in.Format, func(w io.Writer) error {
		out, err := open(w, []string{"slug", "name", "kind", "category", "country", "country_name", "website", "about", "since"})
		if err != nil {
			return err
		}
		if err := h.organizations.Each(ctx, who, in.filter(), func(o organization.Exported) error {
			name := ""
			if o.Country != nil {
				name = i18n.Country(ctx, *o.Country)
			}
			return out.WriteRow(o.Slug, o.Name, o.Kind, o.Category, o.Country, name, o.Website, o.About, sheet.Day(o.CreatedAt))
		}); err != nil {
			return err
		}
		return out.Close()
	})
}

func (h *pages) getReview(c *fiber.Ctx) error {
	in, err := web.Decode[listQuery](c)
	if err != nil {
		return err
	}
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	p := views.Review{State: organization.Pending, Query: in.Query}
	for _, state := range organization.States {
		if state == organization.Member || state == organization.Merged {
			continue
		}
		if in.State == state {
			p.State = state
		}
	}
	for _, state := range organization.States {
		if state != organization.Member && state != organization.Merged {
			p.Tabs = append(p.Tabs, part.Tab{Label: views.Name(ctx, state), Path: "/organizations/review?state=" + state, Active: state == p.State})
		}
	}
	rows, next, err := h.organizations.List(ctx, web.Actor(c), organization.Filter{Query: in.Query, State: p.State}, page)
	if err != nil {
		return err
	}
	p.Rows = rows
	p.Paging = paging(in.Cursor, next, func(cursor string) string {
		return web.Query("/organizations/review", "state", p.State, "q", in.Query, "cursor", cursor)
	})
	return h.Render(c, 200, views.ReviewPage(p))
}

type profileForm struct {
	Slug     string `form:"slug"`
	Name     string `form:"name"`
	Kind     string `form:"kind"`
	Country  string `form:"country"`
	Website  string `form:"website"`
	About    string `form:"about"`
	Title    string `form:"title"`
	Category string `form:"category"`
	Version  string `form:"version"`
	Anyway   string `form:"anyway"`
}

func (f profileForm) draft() organization.Draft {
	return organization.Draft{Name: f.Name, Kind: f.Kind, Country: f.Country, Website: f.Website, About: f.About}
}

func (h *pages) getRegister(c *fiber.Ctx) error {
	in, err := web.Decode[profileForm](c)
	if err != nil {
		return err
	}
	if _, err := h.Policy.Require(c.UserContext(), web.Actor(c), access.Portal, "organization", "register"); err != nil {
		return err
	}
	return h.Render(c, 200, views.RegisterPage(views.Form{Draft: organization.Draft{Name: in.Name}, Key: uuid.NewString()}))
}

func (h *pages) postRegister(c *fiber.Ctx) error {
	in, err := web.Decode[profileForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, found, err := h.organizations.Register(ctx, web.Actor(c), organization.Registration{Draft: in.draft(), Title: in.Title, Anyway: in.Anyway == "true"})
	form := views.Form{Draft: in.draft(), Title: in.Title, Key: uuid.NewString(), Similar: found}
	switch p := web.Invalid(err); {
	case p != nil:
		form.Errors = i18n.FieldProblems(ctx, p)
		return h.Render(c, 422, views.RegisterPage(form))
	case len(found) > 0:
		return h.Render(c, 409, views.RegisterPage(form))
	case err != nil:
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "Registered. The secretariat looks at it and tells you by mail."))
}

type namesQuery struct {
	Organization string `form:"organization"`
}

// getNames are the suggestions for what is typed so far; see part.Organizations.
func (h *pages) getNames(c *fiber.Ctx) error {
	in, err := web.Decode[namesQuery](c)
	if err != nil {
		return err
	}
	names, err := h.organizations.Names(c.UserContext(), web.Actor(c), in.Organization)
	if err != nil {
		return err
	}
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = n.Text()
	}
	return h.Render(c, 200, part.Names(list))
}

type similarQuery struct {
	Name    string `form:"name"`
	Website string `form:"website"`
}

func (h *pages) getSimilar(c *fiber.Ctx) error {
	in, err := web.Decode[similarQuery](c)
	if err != nil {
		return err
	}
	found, err := h.organizations.Similar(c.UserContext(), web.Actor(c), in.Name, in.Website)
	if err != nil {
		return err
	}
	if c.Get("HX-Request") == "true" {
		return h.Render(c, 200, views.SimilarFragment(found))
	}
	return h.Render(c, 200, views.SimilarPage(found))
}

func (h *pages) getShow(c *fiber.Ctx) error {
	return h.show(c, 200, views.Decide{Category: "associate"})
}

func (h *pages) show(c *fiber.Ctx, status int, decide views.Decide) error {
	ctx, who := c.UserContext(), web.Actor(c)
	o, err := h.organizations.Show(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	p := views.Show{Organization: o, Tabs: h.tabs(c, o, ""), Decide: decide, Key: uuid.NewString()}
	may := func(object, action string) bool { return h.organizations.May(who, o, object, action) }
	member, ended := o.State == organization.Member, o.State == organization.Suspended || o.State == organization.Left
	mine := who.Roles(o.Scope()).Has(access.Affiliate)
	p.May = views.May{Edit: may("organization", "edit"), Accept: may("organization", "accept"), Suspend: member && may("organization", "suspend"),
		Reinstate: ended && may("organization", "reinstate"), Leave: (member || mine && o.State == organization.Pending) && may("organization", "leave"),
		Merge: may("organization", "merge"), Join: member && !mine && may("affiliation", "claim"), Request: member && may("participation", "request")}
	if p.Participations, err = h.organizations.ParticipationsOf(ctx, who, o); err != nil {
		return err
	}
	if p.Seats, err = h.organizations.Seated(ctx, who, o); err != nil {
		return err
	}
	if p.Representatives, err = h.organizations.Representatives(ctx, who, o); err != nil {
		return err
	}
	if p.Requests, err = h.organizations.RequestsOf(ctx, who, o); err != nil {
		return err
	}
	if o.State == organization.Pending && p.May.Accept {
		if p.Similar, err = h.organizations.SimilarTo(ctx, who, o); err != nil {
			return err
		}
	}
	return h.Render(c, status, views.ShowPage(p))
}

func (h *pages) tabs(c *fiber.Ctx, o organization.Organization, current string) []part.Tab {
	return h.Tabs(c.UserContext(), "organization", o.Path(), o.Scope(), current)
}

func (h *pages) getEdit(c *fiber.Ctx) error { return h.edit(c, 200, nil, "", nil) }

// edit shows the form of the profile: as it stands, or as in was sent.
func (h *pages) edit(c *fiber.Ctx, status int, in *profileForm, logo string, errors map[string]string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	o, err := h.organizations.Show(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	if _, err := h.Policy.Require(ctx, who, o.Scope(), "organization", "edit"); err != nil {
		return err
	}
	form := views.Form{Of: o, Key: uuid.NewString(), Errors: errors, LogoFor: logo, Classify: h.organizations.May(who, o, "organization", "classify"),
		Draft: organization.Draft{Name: o.Name, Kind: o.Kind, Website: o.Website, About: o.About}, Category: o.Category, Version: strconv.Itoa(o.Version)}
	if o.Country != nil {
		form.Draft.Country = *o.Country
	}
	if in != nil {
		form.Draft, form.Version = in.draft(), in.Version
		if in.Category != "" {
			form.Category = in.Category
		}
	}
	return h.Render(c, status, views.EditPage(form))
}

func (h *pages) postEdit(c *fiber.Ctx) error {
	in, err := web.Decode[profileForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	version, err := strconv.Atoi(in.Version)
	if err != nil {
		return problem.New(problem.Unguarded, "Open the form again: it does not say which version it was made from.")
	}
	e := organization.Edit{Name: &in.Name, Kind: &in.Kind, Country: &in.Country, Website: &in.Website, About: &in.About, Version: version}
	if in.Category != "" {
		e.Category = &in.Category
	}
	o, err := h.organizations.Edit(ctx, web.Actor(c), in.Slug, e)
	if p := web.Invalid(err); p != nil {
		return h.edit(c, 422, &in, "", i18n.FieldProblems(ctx, p))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "Saved."))
}

func (h *pages) getLogo(c *fiber.Ctx) error {
	o, l, err := h.organizations.Logo(c.UserContext(), web.Actor(c), c.Params("slug"), c.Params("digest"))
	if err != nil {
		return err
	}
	reach := "public"
	if !o.Public() {
		reach = "private"
	}
	c.Set(fiber.HeaderContentType, l.Type)
	c.Set(fiber.HeaderCacheControl, reach+", max-age=31536000, immutable")
	c.Set(fiber.HeaderETag, `"`+l.Digest+`"`)
	if c.Get(fiber.HeaderIfNoneMatch) == `"`+l.Digest+`"` {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Send(l.Body)
}

func (h *pages) postLogo(c *fiber.Ctx) error {
	ctx := c.UserContext()
	body, err := upload(c, "logo")
	var o organization.Organization
	if err == nil {
		o, err = h.organizations.SetLogo(ctx, web.Actor(c), c.Params("slug"), body)
	}
	if p := web.Invalid(err); p != nil {
		return h.edit(c, 422, nil, i18n.FieldProblems(ctx, p)["logo"], nil)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "The logo is changed."))
}

// upload reads the file of a form, which the guard has bounded.
func upload(c *fiber.Ctx, name string) ([]byte, error) {
	file, err := c.FormFile(name)
	if err != nil {
		return nil, problem.Field(name, "Choose a file.")
	}
	if file.Size > organization.MaxLogo {
		return nil, problem.Field(name, "Use a picture of at most %d kB; this has %d.", organization.MaxLogo>>10, (file.Size+1023)>>10)
	}
	f, err := file.Open()
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(f)
	if e := f.Close(); err == nil {
		err = e
	}
	return body, err
}

func (h *pages) postRemoveLogo(c *fiber.Ctx) error {
	o, err := h.organizations.RemoveLogo(c.UserContext(), web.Actor(c), c.Params("slug"))
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(c.UserContext(), "The logo is removed."))
}

func (h *pages) getHistory(c *fiber.Ctx) error {
	in, page, err := web.Historical(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, events, next, err := h.organizations.History(ctx, web.Actor(c), in.Slug, in.Filter(ctx), page)
	refused := web.Invalid(err)
	if err != nil && (refused == nil || o.ID == uuid.Nil) {
		return err
	}
	past := in.Show(ctx, o.Path()+"/history", events, next, refused)
	return h.Render(c, past.Status(), views.HistoryPage(views.History{Organization: o, Tabs: h.tabs(c, o, "/history"), Past: past}))
}

// getHistoryFile is the history, with its filters, as a file.
func (h *pages) getHistoryFile(c *fiber.Ctx) error {
	in, _, err := web.Historical(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, each, err := h.organizations.EachEvent(ctx, web.Actor(c), in.Slug, in.Filter(ctx))
	if err != nil {
		return err
	}
	return h.HistoryFile(c, o.Slug, each)
}

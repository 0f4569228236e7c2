// Package documentweb has the two doors of documents: pages and API.
package documentweb

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
	"commissionportal/views/part"
)

type pages struct {
	*web.Server
	documents *document.Service
}

// Mount adds the routes of documents.
func Mount(s *web.Server, documents *document.Service) {
	h := &pages{s, documents}
	s.AddTab("commission", web.Tab{Label: "Documents", Path: "/documents", Order: 30})

	read, settings, edit := web.InCommission("register", "read"), web.InCommission("register", "settings"), web.InCommission("document", "edit")
	reserve := web.InCommission("document", "reserve")
	s.Page("GET", "/commissions/:slug/documents", "document.list", web.Kept(read), h.getRegister)
	s.Page("GET", "/commissions/:slug/documents.csv", "document.list.csv", read, h.getExport(".csv"))
	s.Page("GET", "/commissions/:slug/documents.xlsx", "document.list.xlsx", read, h.getExport(".xlsx"))
	s.Page("GET", "/commissions/:slug/documents/reserve", "document.reserve.form", reserve, h.getReserve)
	s.Page("POST", "/commissions/:slug/documents/reserve", "document.reserve", reserve, h.postReserve)
	s.Page("GET", "/commissions/:slug/documents/settings", "register.settings.form", settings, h.getSettings)
	s.Page("POST", "/commissions/:slug/documents/settings", "register.settings", settings, h.postSettings)
	s.Page("GET", "/documents/:name", "document.show", web.InCommission("document", "read:public"), h.getShow)
	s.Page("GET", "/documents/:name/edit", "document.edit.form", edit, h.getEdit)
	s.Page("POST", "/documents/:name/edit", "document.edit", edit, h.postEdit)
	s.Page("POST", "/documents/:name/send", "document.send", edit, h.postStep(documents.Send, "Submitted."))
	s.Page("POST", "/documents/:name/accept", "document.accept", web.InCommission("document", "accept"), h.postStep(documents.Accept, "Accepted."))
	s.Page("POST", "/documents/:name/restore", "document.restore", web.InCommission("document", "restore"), h.postStep(documents.Restore, "Restored."))
	for _, act := range []struct {
		name, field, said string
		do                func(context.Context, access.Actor, string, string) (document.Document, error)
	}{
		{"return", "reason", "Returned to its author.", documents.Return},
		{"withdraw", "reason", "Withdrawn.", documents.Withdraw},
		{"supersede", "replaced_by", "Replaced.", documents.Supersede},
	} {
		need := web.InCommission("document", act.name)
		s.Page("GET", "/documents/:name/"+act.name, "document."+act.name+".form", need, h.getAct(act.name))
		s.Page("POST", "/documents/:name/"+act.name, "document."+act.name, need, h.postAct(act.name, act.field, act.said, act.do))
	}
	h.mountUploads()
	h.mountNotices()
	h.mountShares(s)
	h.mountOpen()
	h.mountPreviews()
	h.mountTrace()
	h.mountBulk()
	mountAPI(s, documents)
}

func key() string { return uuid.NewString() }

func today(ctx context.Context) string {
	return journal.Now(ctx).In(i18n.From(ctx).Zone).Format(time.DateOnly)
}

type registerQuery struct {
	Query        string `form:"q"`
	Type         string `form:"type"`
	Organization string `form:"organization"`
	Status       string `form:"status"`
	Language     string `form:"language"`
	Due          bool   `form:"due"`
	Mine         bool   `form:"mine"`
	Below        bool   `form:"below"`
	Order        string `form:"order"`
	Cursor       string `form:"cursor"`
}

func (q registerQuery) filter() document.Filter {
	return document.Filter{Type: q.Type, Organization: q.Organization, Status: q.Status, Language: q.Language, Query: q.Query, Due: q.Due, Mine: q.Mine, Below: q.Below, Order: q.Order}
}

func flag(on bool) string {
	if on {
		return "true"
	}
	return ""
}

// link is the address of the register at path with one of its filters changed,
// from its start.
func (q registerQuery) link(path, name, value string) string {
	var pairs []string
	for _, p := range [][2]string{{"q", q.Query}, {"type", q.Type}, {"organization", q.Organization}, {"status", q.Status}, {"language", q.Language},
		{"due", flag(q.Due)}, {"mine", flag(q.Mine)}, {"below", flag(q.Below)}, {"order", q.Order}, {"cursor", ""}} {
		if p[0] == name {
			p[1] = value
		}
		pairs = append(pairs, p[0], p[1])
	}
	return web.Query(path, pairs...)
}

func (q registerQuery) chips(ctx context.Context, path string) []part.Chip {
	var list []part.Chip
	add := func(on bool, name, label string) {
		if on {
			list = append(list, part.Chip{Label: label, Remove: q.link(path, name, "")})
		}
	}
	add(q.Query != "", "q", "“"+q.Query+"”")
	add(q.Type != "", "type", views.Name(ctx, q.Type))
	add(q.Organization != "", "organization", i18n.T(ctx, "Source: %s", q.Organization))
	add(q.Status != "", "status", views.Name(ctx, q.Status))
	add(q.Language != "", "language", i18n.LanguageName(ctx, q.Language))
	add(q.Due, "due", i18n.T(ctx, "Action due"))
	add(q.Mine, "mine", i18n.T(ctx, "Mine"))
	add(q.Below, "below", i18n.T(ctx, "With the bodies under it"))
	return list
}

func (h *pages) getRegister(c *fiber.Ctx) error {
	in, err := web.Decode[registerQuery](c)
	if err != nil {
		return err
	}
	return h.register(c, 200, in, bulkForm{}, nil)
}

// register is the page of a register; refused is why an act on the documents that
// bulk names was not done.
func (h *pages) register(c *fiber.Ctx, status int, in registerQuery, bulk bulkForm, refused *problem.Error) error {
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	l, err := h.documents.Register(ctx, who, c.Params("slug"), in.filter(), page)
	if err != nil {
		return err
	}
	path := l.Path() + "/documents"
	may := func(object, action string) bool { return h.Policy.May(who, l.Scope(), object, action) }
	open := l.Takes() == nil
	p := views.Register{List: l, Tabs: h.Tabs(ctx, "commission", l.Path(), l.Scope(), "/documents"), More: h.Tabs(ctx, "register", l.Path(), l.Scope(), ""), Filter: in.filter(), Chips: in.chips(ctx, path), SignedIn: who.SignedIn(), Today: today(ctx),
		Submit: open && may("document", "submit"), Reserve: open && may("document", "reserve"), Settings: may("register", "settings"),
		Link: func(name, value string) string { return in.link(path, name, value) }, Export: in.link("", "cursor", ""),
		Keep: may("document", "accept"), Act: bulk.Act, Visibility: bulk.Visibility, Reason: bulk.Reason, Chosen: func(r document.Row) bool {
			return slices.Contains(bulk.Documents, r.Reference()+":"+strconv.Itoa(r.Version))
		}}
	if refused != nil {
		p.Errors = i18n.FieldProblems(ctx, refused)
		if refused.Format != "" {
			p.Error = i18n.Problem(ctx, refused)
		}
	}
	if in.Cursor != "" {
		p.Paging.First = in.link(path, "cursor", "")
	}
	if l.Next != "" {
		p.Paging.Next = in.link(path, "cursor", l.Next)
	}
	return h.Render(c, status, views.RegisterPage(p))
}

// getExport is the register, with its filters, as a file.
func (h *pages) getExport(extension string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, err := web.Decode[registerQuery](c)
		if err != nil {
			return err
		}
		ctx := c.UserContext()
		home, each, err := h.documents.Each(ctx, web.Actor(c), c.Params("slug"), in.filter())
		if err != nil {
			return err
		}
		header := []string{"Number", "Title", "Type", "Source organization", "Status", "Action", "Due on", "Languages", "Version", "Who may read it", "Changed"}
		for i := range header {
			header[i] = i18n.T(ctx, header[i])
		}
		return h.Download(c, home.Slug+"-documents-"+today(ctx)+extension, func(w io.Writer) (err error) {
			var out sheet.Writer
			if extension == ".csv" {
				out, err = sheet.CSV(w, header, true)
			} else {
				out, err = sheet.XLSX(w, header)
			}
			if err != nil {
				return err
			}
			err = each(func(r document.Row) error {
				return out.WriteRow(r.Reference(), r.Title, views.Name(ctx, r.Type), r.OrganizationName, views.Name(ctx, r.Status), action(ctx, r.Action), r.DueOn,
					strings.Join(r.Languages, " "), r.Versions, views.Name(ctx, r.Visibility), sheet.Day(r.UpdatedAt.In(i18n.From(ctx).Zone)))
			})
			return errors.Join(err, out.Close())
		})
	}
}

// action is what a document asks of its readers; nothing is an empty cell.
func action(ctx context.Context, word string) string {
	if word == "none" {
		return ""
	}
	return views.Name(ctx, word)
}

type draftForm struct {
	Title        string `form:"title"`
	Type         string `form:"type"`
	Organization string `form:"organization"`
	Action       string `form:"action"`
	Due          string `form:"due_on"`
	Language     string `form:"language"`
	Keywords     string `form:"keywords"`
	Summary      string `form:"summary"`
	Visibility   string `form:"visibility"`
	Version      int    `form:"version"`
}

func (f draftForm) draft() document.Draft {
	return document.Draft{Title: f.Title, Type: f.Type, Organization: f.Organization, Action: f.Action, Due: f.Due, Language: f.Language,
		Keywords: strings.Split(f.Keywords, ","), Summary: f.Summary, Visibility: f.Visibility}
}

// write is the form of a new document of a commission.
func (h *pages) write(c *fiber.Ctx, status int, p views.Write, err error) error {
	if err := h.fill(c, &p, err); err != nil {
		return err
	}
	return h.Render(c, status, views.WritePage(p))
}

// fill reads what the form of a document needs besides what was typed.
func (h *pages) fill(c *fiber.Ctx, p *views.Write, err error) error {
	ctx, who := c.UserContext(), web.Actor(c)
	if refused := problem.As(err); refused != nil {
		p.Errors = i18n.FieldProblems(ctx, refused)
		if refused.Format != "" {
			p.Error = i18n.Problem(ctx, refused)
		}
	}
	p.Officer = h.Policy.May(who, p.Scope(), "document", "accept")
	p.Direct = p.Officer || !p.Register.Review
	if p.Sources, err = h.documents.FormSources(ctx, who, p.Home); err != nil {
		return err
	}
	if p.Fresh && len(p.Sources) == 1 && !p.Officer { // who is here for an organization brings what is its own
		p.Draft.Organization = p.Sources[0].Slug
	}
	p.Key = key()
	return nil
}

// refusal is the status of a form that is shown again; 0 for an error that is
// not about the form.
func refusal(err error) int {
	p := problem.As(err)
	if p == nil {
		return 0
	}
	switch p.Kind {
	case problem.Invalid:
		return 422
	case problem.Conflict:
		return 409
	case problem.Stale:
		return 412
	}
	return 0
}

func (h *pages) getReserve(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	home, err := h.documents.Home(ctx, who, c.Params("slug"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, home.Scope(), "document", "reserve")
	}
	if err != nil {
		return err
	}
	return h.write(c, 200, views.Write{Home: home, Reserve: true, Draft: document.Draft{Type: "other", Language: "en"}}, nil)
}

func (h *pages) postReserve(c *fiber.Ctx) error {
	in, err := web.Decode[draftForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Reserve(ctx, who, c.Params("slug"), in.draft())
	if status := refusal(err); status != 0 {
		home, e := h.documents.Home(ctx, who, c.Params("slug"))
		if e != nil {
			return e
		}
		return h.write(c, status, views.Write{Home: home, Reserve: true, Draft: in.draft()}, err)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, d.Path(), i18n.T(ctx, "%s is reserved.", d.Reference()))
}

// actions that the page of a document has buttons for.
var actions = []string{"edit", "revise", "accept", "return", "withdraw", "restore", "supersede", "publish", "discard"}

func (h *pages) getShow(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Show(ctx, who, c.Params("name"))
	if err != nil {
		return err
	}
	if c.Params("name") != d.Name() && d.Number != nil { // one address for each document
		return c.Redirect(d.Path(), fiber.StatusMovedPermanently)
	}
	h.documents.NoteView(ctx, who, d)
	return h.show(c, 200, d)
}

func (h *pages) show(c *fiber.Ctx, status int, d document.Document) error {
	ctx, who := c.UserContext(), web.Actor(c)
	p := views.Show{Document: d, Now: journal.Now(ctx), May: map[string]bool{}, Key: key(), SignedIn: who.SignedIn(), Download: h.documents.MayDownload(who, d), Look: h.documents.MayLook(who, d)}
	for _, a := range actions {
		p.May[a] = h.documents.May(who, d, "document", a)
	}
	p.May["edit"] = p.May["edit"] && d.Editable(p.May["accept"]) == nil
	var err error
	if p.Versions, err = h.documents.Versions(ctx, d); err != nil {
		return err
	}
	p.May["share"], p.May["shares"] = d.Shareable() == nil && h.documents.May(who, d, "share", "grant"), d.Number != nil && h.documents.May(who, d, "share", "read")
	if p.Through, err = h.documents.Through(ctx, who, d); err != nil {
		return err
	}
	return h.Render(c, status, views.ShowPage(p))
}

func (h *pages) getEdit(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Show(ctx, who, c.Params("name"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, d.Scope(), "document", "edit")
	}
	if err == nil {
		err = d.Editable(h.documents.May(who, d, "document", "accept"))
	}
	if err != nil {
		return err
	}
	return h.edit(c, 200, d, d.Draft(), d.Version, nil)
}

func (h *pages) edit(c *fiber.Ctx, status int, d document.Document, draft document.Draft, version int, err error) error {
	home, e := h.documents.Home(c.UserContext(), web.Actor(c), d.Commission)
	if e != nil {
		return e
	}
	p := views.Write{Home: home, Document: &d, Draft: draft, Version: version}
	if problem.Of(err, problem.Stale) {
		p.Stale, p.Version, err = true, d.Version, nil
	}
	return h.write(c, status, p, err)
}

func (h *pages) postEdit(c *fiber.Ctx) error {
	in, err := web.Decode[draftForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Edit(ctx, who, c.Params("name"), in.draft(), in.Version)
	if status := refusal(err); status != 0 {
		now, e := h.documents.Show(ctx, who, c.Params("name"))
		if e != nil {
			return e
		}
		return h.edit(c, status, now, in.draft(), in.Version, err)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, d.Path(), i18n.T(ctx, "Saved."))
}

// postStep carries out a step that asks for nothing.
func (h *pages) postStep(step func(context.Context, access.Actor, string) (document.Document, error), said string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		d, err := step(c.UserContext(), web.Actor(c), c.Params("name"))
		if err != nil {
			return err
		}
		return h.SeeOther(c, d.Path(), i18n.T(c.UserContext(), said))
	}
}

func (h *pages) getAct(name string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, who := c.UserContext(), web.Actor(c)
		d, err := h.documents.Show(ctx, who, c.Params("name"))
		if err == nil {
			_, err = h.Policy.Require(ctx, who, d.Scope(), "document", name)
		}
		if err != nil {
			return err
		}
		return h.Render(c, 200, views.ActPage(views.Act{Document: d, Name: name, Form: views.Form{Key: key()}}))
	}
}

func (h *pages) postAct(name, field, said string, do func(context.Context, access.Actor, string, string) (document.Document, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, err := web.Decode[actForm](c)
		if err != nil {
			return err
		}
		ctx := c.UserContext()
		value := in.Reason
		if field == "replaced_by" {
			value = strings.TrimSpace(in.ReplacedBy)
		}
		d, err := do(ctx, web.Actor(c), c.Params("name"), value)
		if status := refusal(err); status != 0 && d.ID != uuid.Nil {
			p := problem.As(err)
			f := views.Form{Key: key(), Errors: i18n.FieldProblems(ctx, p)}
			if p.Format != "" {
				f.Error = i18n.Problem(ctx, p)
			}
			return h.Render(c, status, views.ActPage(views.Act{Document: d, Name: name, Value: value, Form: f}))
		}
		if err != nil {
			return err
		}
		return h.SeeOther(c, d.Path(), i18n.T(ctx, said))
	}
}

type actForm struct {
	Reason     string `form:"reason"`
	ReplacedBy string `form:"replaced_by"`
}

type settingsForm struct {
	Review     bool   `form:"review"`
	NamesShown bool   `form:"names_shown"`
	Visibility string `form:"visibility"`
	Deadline   string `form:"deadline"`
	Quota      string `form:"quota"`
	Version    int    `form:"version"`
}

func (h *pages) getSettings(c *fiber.Ctx) error {
	ctx := c.UserContext()
	home, err := h.documents.Settings(ctx, web.Actor(c), c.Params("slug"))
	if err != nil {
		return err
	}
	p := views.Settings{Home: home}
	if home.Register.Deadline != nil {
		p.Deadline = calendar.Last(ctx, *home.Register.Deadline).Format(time.DateOnly)
	}
	return h.settings(c, 200, p)
}

func (h *pages) settings(c *fiber.Ctx, status int, p views.Settings) error {
	p.Key = key()
	p.Quota = h.Policy.May(web.Actor(c), p.Scope(), "register", "quota")
	return h.Render(c, status, views.SettingsPage(p))
}

func (h *pages) postSettings(c *fiber.Ctx) error {
	in, err := web.Decode[settingsForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	with := document.Settings{Review: &in.Review, NamesShown: &in.NamesShown, Visibility: &in.Visibility, Deadline: &in.Deadline, Version: in.Version}
	if in.Quota != "" {
		n, err := strconv.ParseInt(strings.TrimSpace(in.Quota), 10, 64)
		if err != nil {
			n = -1 // refused at its field
		}
		with.Quota = &n
	}
	home, err := h.documents.Set(ctx, who, c.Params("slug"), with)
	status := refusal(err)
	switch {
	case err == nil:
		return h.SeeOther(c, home.Path()+"/documents", i18n.T(ctx, "Saved."))
	case status == 0:
		return err
	}
	p := views.Settings{Home: home, Deadline: in.Deadline, Stale: status == 412}
	p.Register.Review, p.Register.NamesShown, p.Register.Visibility = in.Review, in.NamesShown, in.Visibility
	if !p.Stale {
		p.Register.Version = in.Version
	}
	p.Errors = i18n.FieldProblems(ctx, problem.As(err))
	return h.settings(c, status, p)
}

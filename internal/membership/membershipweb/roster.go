package membershipweb

import (
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/calendar"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/membership"
	"commissionportal/internal/sheet"
	"commissionportal/internal/web"
	views "commissionportal/views/membership"
	"commissionportal/views/part"
)

type rosterQuery struct {
	Query        string `form:"q"`
	Role         string `form:"role"`
	Organization string `form:"organization"`
	Country      string `form:"country"`
	AsOf         string `form:"as_of"`
	Cursor       string `form:"cursor"`
}

func (q rosterQuery) filter() membership.Filter {
	return membership.Filter{Role: q.Role, Organization: q.Organization, Country: q.Country, Query: q.Query}
}

// without is the address of the roster without one of its filters.
func (q rosterQuery) link(path, without string) string {
	var pairs []string
	for _, p := range [][2]string{{"q", q.Query}, {"role", q.Role}, {"organization", q.Organization}, {"country", q.Country}, {"as_of", q.AsOf}} {
		if p[0] != without {
			pairs = append(pairs, p[0], p[1])
		}
	}
	return web.Query(path, pairs...)
}

// whole is the address at path of the same part of the roster.
func (q rosterQuery) whole(path string) string {
	return web.Query(path, "q", q.Query, "role", q.Role, "organization", q.Organization, "country", q.Country, "as_of", q.AsOf, "cursor", q.Cursor)
}

func (h *pages) getRoster(c *fiber.Ctx) error {
	in, err := web.Decode[rosterQuery](c)
	if err != nil {
		return err
	}
	return h.showRoster(c, 200, in, views.Form{})
}

func (h *pages) showRoster(c *fiber.Ctx, status int, in rosterQuery, f views.Form) error {
	ctx, who := c.UserContext(), web.Actor(c)
	page, err := keyset.Parse(in.Cursor, 3, 0)
	if err != nil {
		return err
	}
	at, err := asOf(ctx, in.AsOf)
	unknown := false
	if refused, code, ok := trouble(ctx, err, nil); ok {
		f, status, at, unknown = refused, code, journal.Now(ctx), true
	}
	r, err := h.seats.PublicRoster(ctx, who, c.Params("slug"), at, in.filter(), page)
	if err != nil {
		return err
	}
	if unknown { // no day, no seats: those of today would pass for those of that day
		r.Rows, r.Next = nil, ""
	}
	path := r.Path() + "/roster"
	p := views.Roster{Roster: r, Unknown: unknown, On: in.on(), Filter: in.filter(), Day: in.AsOf, Today: today(ctx), Tabs: h.tabs(c, r.Home, "/roster"), Form: f, SignedIn: who.SignedIn(),
		Keep: h.Policy.May(who, r.Scope(), "seat", "edit"), Join: r.Join() == nil && !slices.Contains(who.Commissions(), r.ID), Chips: chips(c, in, path)}
	p.Appoint = p.Keep && r.Takes() == nil
	if p.Export = in.link("", ""); p.Export == "" {
		p.Export = "?"
	}
	if in.Cursor != "" {
		p.Paging.First = in.link(path, "")
	}
	if r.Next != "" {
		p.Paging.Next = web.Query(path, "q", in.Query, "role", in.Role, "organization", in.Organization, "country", in.Country, "as_of", in.AsOf, "cursor", r.Next)
	}
	return h.Render(c, status, views.RosterPage(p))
}

func chips(c *fiber.Ctx, in rosterQuery, path string) []part.Chip {
	ctx := c.UserContext()
	var list []part.Chip
	add := func(name, label string) { list = append(list, part.Chip{Label: label, Remove: in.link(path, name)}) }
	if in.Query != "" {
		add("q", "“"+in.Query+"”")
	}
	if in.Role != "" {
		add("role", views.RoleName(ctx, in.Role))
	}
	if in.Organization != "" {
		add("organization", i18n.T(ctx, "Organization: %s", in.Organization))
	}
	if in.Country != "" {
		add("country", i18n.Country(ctx, in.Country))
	}
	if in.AsOf != "" {
		add("as_of", i18n.T(ctx, "As of %s", i18n.Written(ctx, in.AsOf)))
	}
	return list
}

// getExport is the roster, with its filters and as of its day, as a file.
func (h *pages) getExport(extension string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, err := web.Decode[rosterQuery](c)
		if err != nil {
			return err
		}
		ctx, who := c.UserContext(), web.Actor(c)
		at, err := asOf(ctx, in.AsOf)
		if err != nil {
			return err
		}
		r, each, err := h.seats.Each(ctx, who, c.Params("slug"), at, in.filter())
		if err != nil {
			return err
		}
		header := []string{"Name", "Role", "Organization", "Organization address", "Country", "Votes", "Suspended", "From", "Until", "Appointed by"}
		if r.Emails {
			header = append(header, "E-mail")
		}
		for i := range header {
			header[i] = i18n.T(ctx, header[i])
		}
		name := r.Slug + "-roster-" + calendar.Day(ctx, at).Format(time.DateOnly) + extension
		return h.Download(c, name, func(w io.Writer) (err error) {
			var out sheet.Writer
			if extension == ".csv" {
				out, err = sheet.CSV(w, header, true)
			} else {
				out, err = sheet.XLSX(w, header)
			}
			if err != nil {
				return err
			}
			err = each(func(row membership.RosterSeat) error {
				values := []any{row.Name, views.RoleName(ctx, row.Role), row.OrganizationName, row.Organization, row.Country, row.Voting, row.Suspended,
					sheet.Day(calendar.Day(ctx, row.From)), lastDay(ctx, row.Until), views.Appointer(ctx, row.AppointedBy)}
				if r.Emails {
					values = append(values, row.Email)
				}
				return out.WriteRow(values...)
			})
			return errors.Join(err, out.Close())
		})
	}
}

type bulkForm struct {
	Act    string   `form:"act"`
	IDs    []string `form:"ids"`
	Role   string   `form:"role"`
	Until  string   `form:"until"`
	Reason string   `form:"reason"`
}

// values are what was typed, for the form to show again.
func (f bulkForm) values() map[string]string {
	return map[string]string{"act": f.Act, "role": f.Role, "until": f.Until, "reason": f.Reason}
}

// chosenFrom is the part of the roster that the seats were chosen on, which the
// address of the form says in one: the form has fields of the same names.
func chosenFrom(c *fiber.Ctx) rosterQuery {
	on, err := url.ParseQuery(c.Query("on"))
	if err != nil {
		return rosterQuery{}
	}
	return rosterQuery{Query: on.Get("q"), Role: on.Get("role"), Organization: on.Get("organization"), Country: on.Get("country"), Cursor: on.Get("cursor")}
}

// on is the part of the roster in one, for the address of a form.
func (q rosterQuery) on() string { return strings.TrimPrefix(q.whole(""), "?") }

// refusedBulk is the same part of the roster again, with what was ticked and typed,
// and what is wrong at its field.
func (h *pages) refusedBulk(c *fiber.Ctx, status int, on rosterQuery, in bulkForm, f views.Form) error {
	f.Picked = map[string]bool{}
	for _, text := range in.IDs {
		id, _, _ := strings.Cut(text, ":")
		f.Picked[id] = true
	}
	return h.showRoster(c, status, on, f)
}

func (h *pages) postSeatPlan(c *fiber.Ctx) error {
	in, err := web.Decode[bulkForm](c)
	if err != nil {
		return err
	}
	ctx, on := c.UserContext(), chosenFrom(c)
	plan, err := h.seats.PlanSeats(ctx, web.Actor(c), c.Params("slug"), membership.Bulk(in))
	if f, status, ok := trouble(ctx, err, in.values()); ok {
		return h.refusedBulk(c, status, on, in, f)
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.PlanPage(views.Plan{Plan: plan, Action: web.Query(plan.Path()+"/roster/bulk", "on", on.on()), Back: on.whole(plan.Path() + "/roster"), Key: uuid.NewString(),
		Crumbs: []part.Crumb{{Label: plan.Name, Path: plan.Path()}, {Label: i18n.T(ctx, "Roster"), Path: plan.Path() + "/roster"}}}))
}

// first puts what is wrong with a field above the page, where the page has no
// such field to put it at.
func first(f views.Form) views.Form {
	for _, text := range f.Errors {
		if f.Error == "" {
			f.Error = text
		}
	}
	return f
}

func (h *pages) postSeatBulk(c *fiber.Ctx) error {
	in, err := web.Decode[bulkForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	plan, err := h.seats.CarrySeats(ctx, web.Actor(c), c.Params("slug"), membership.Bulk(in))
	if f, status, ok := trouble(ctx, err, in.values()); ok {
		return h.refusedBulk(c, status, chosenFrom(c), in, f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, plan.Path()+"/roster", i18n.N(ctx, plan.Done, "Done for one person.", "Done for %d persons."))
}

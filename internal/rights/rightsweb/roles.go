package rightsweb

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/rights"
	"commissionportal/internal/web"
	views "commissionportal/views/rights"
)

func (h *pages) mountRoles(read, edit web.Need) {
	h.Page("GET", "/commissions/:slug/access/review", "access.review.form", read, h.getReview)
	h.Page("POST", "/commissions/:slug/access/review", "access.review", edit, h.postReview)
	h.Page("GET", "/commissions/:slug/access/roles", "access.roles", read, h.getRoles)
	h.Page("POST", "/commissions/:slug/access/roles", "access.role.add", edit, h.postRole)
	h.Page("GET", "/commissions/:slug/access/roles/:role", "access.role", read, h.getRole)
	h.Page("POST", "/commissions/:slug/access/roles/:role", "access.role.edit", edit, h.postEditRole)
	h.Page("GET", "/commissions/:slug/access/roles/:role/remove", "access.role.remove.form", edit, h.getRemoveRole)
	h.Page("POST", "/commissions/:slug/access/roles/:role/remove", "access.role.remove", edit, h.postRemoveRole)
	h.Page("POST", "/commissions/:slug/access/roles/:role/holders", "access.role.give", edit, h.postGive)
	h.Page("POST", "/commissions/:slug/access/roles/:role/holders/:seat/end", "access.role.take", edit, h.postTake)
}

type roleForm struct {
	Slug    string  `form:"slug"`
	Role    string  `form:"role"`
	Name    string  `form:"name"`
	Purpose string  `form:"purpose"`
	Version int     `form:"version"`
	Cursor  string  `form:"cursor"`
	Query   *string `form:"q"`
	Seat    string  `form:"seat"`
}

func (f roleForm) draft() views.Naming { return views.Naming{Name: f.Name, Purpose: f.Purpose} }

func (f roleForm) naming() rights.Naming {
	return rights.Naming{Name: &f.Name, Purpose: &f.Purpose, Version: f.Version}
}

func (h *pages) getRoles(c *fiber.Ctx) error {
	return h.roles(c, 200, views.Naming{}, nil, "")
}

func (h *pages) roles(c *fiber.Ctx, status int, draft views.Naming, errors map[string]string, refused string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	home, list, err := h.rights.Roles(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	return h.Render(c, status, views.RolesPage(views.Roles{Home: home, Tabs: h.tabs(ctx, home), List: list, Edit: h.rights.MayEdit(who, home), Draft: draft, Errors: errors, Error: refused, Key: uuid.NewString()}))
}

func (h *pages) postRole(c *fiber.Ctx) error {
	in, err := web.Decode[roleForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	home, r, err := h.rights.AddRole(ctx, web.Actor(c), in.Slug, in.naming())
	switch invalid := web.Invalid(err); {
	case invalid != nil:
		return h.roles(c, 422, in.draft(), i18n.FieldProblems(ctx, invalid), "")
	case problem.Of(err, problem.Conflict):
		return h.roles(c, fiber.StatusConflict, in.draft(), nil, i18n.Problem(ctx, problem.As(err)))
	case err != nil:
		return err
	}
	return h.SeeOther(c, home.Path()+"/access/roles/"+r.Role, i18n.T(ctx, "Made. Now say what it gives, and who has it."))
}

// role reads one with what is asked for of it.
func (h *pages) role(c *fiber.Ctx, in roleForm) (views.RoleOf, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return views.RoleOf{}, err
	}
	home, r, holders, next, err := h.rights.Role(ctx, who, in.Slug, in.Role, page)
	p := views.RoleOf{Home: home, Role: r, Holders: holders, Edit: h.rights.MayEdit(who, home), Draft: views.Naming{Name: r.Name, Purpose: r.Purpose}, Version: r.Version, Key: uuid.NewString()}
	if err != nil {
		return p, err
	}
	path := home.Path() + "/access/roles/" + r.Role
	if next != "" {
		p.Paging.Next = web.Query(path, "cursor", next)
	}
	if in.Cursor != "" {
		p.Paging.First = path
	}
	if p.Edit && in.Query != nil {
		p.Asked, p.Query = true, *in.Query
		p.Candidates, err = h.rights.Candidates(ctx, who, home, r.Role, *in.Query)
	}
	return p, err
}

func (h *pages) getRole(c *fiber.Ctx) error {
	in, err := web.Decode[roleForm](c)
	if err != nil {
		return err
	}
	p, err := h.role(c, in)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.RolePage(p))
}

// refusedRole shows the page of a role again with what is wrong.
func (h *pages) refusedRole(c *fiber.Ctx, in roleForm, err error) error {
	ctx, invalid, status := c.UserContext(), web.Invalid(err), 422
	switch {
	case problem.Of(err, problem.Stale):
		status = fiber.StatusPreconditionFailed
	case problem.Of(err, problem.Forbidden):
		status = fiber.StatusForbidden
	case invalid == nil:
		return err
	}
	p, e := h.role(c, in)
	if e != nil || !p.Edit { // who may not change it is told so as everywhere
		return err
	}
	if in.Seat == "" {
		p.Draft = in.draft()
	}
	if status == 422 {
		p.Errors = i18n.FieldProblems(ctx, invalid)
		p.Error = p.Errors["seat"]
		p.Version = in.Version
	} else {
		p.Error = i18n.Problem(ctx, problem.As(err))
	}
	return h.Render(c, status, views.RolePage(p))
}

func (h *pages) postEditRole(c *fiber.Ctx) error {
	in, err := web.Decode[roleForm](c)
	if err != nil {
		return err
	}
	home, r, err := h.rights.EditRole(c.UserContext(), web.Actor(c), in.Slug, in.Role, in.naming())
	if err != nil {
		return h.refusedRole(c, in, err)
	}
	return h.SeeOther(c, home.Path()+"/access/roles/"+r.Role, i18n.T(c.UserContext(), "Saved."))
}

func (h *pages) getRemoveRole(c *fiber.Ctx) error {
	in, err := web.Decode[roleForm](c)
	if err != nil {
		return err
	}
	p, err := h.role(c, in)
	if err == nil {
		_, err = h.Policy.Require(c.UserContext(), web.Actor(c), p.Scope(), "access", "edit")
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.RemoveRolePage(p))
}

func (h *pages) postRemoveRole(c *fiber.Ctx) error {
	in, err := web.Decode[roleForm](c)
	if err != nil {
		return err
	}
	home, err := h.rights.RemoveRole(c.UserContext(), web.Actor(c), in.Slug, in.Role, in.Version)
	if err != nil {
		return err
	}
	return h.SeeOther(c, home.Path()+"/access/roles", i18n.T(c.UserContext(), "Removed."))
}

// seat is the id in a form or path; what is none is no seat.
func (f roleForm) seat() uuid.UUID {
	id, err := uuid.Parse(f.Seat)
	if err != nil {
		return uuid.Nil
	}
	return id
}

func (h *pages) postGive(c *fiber.Ctx) error {
	in, err := web.Decode[roleForm](c)
	if err != nil {
		return err
	}
	home, err := h.rights.Give(c.UserContext(), web.Actor(c), in.Slug, in.Role, in.seat())
	if err != nil {
		return h.refusedRole(c, in, err)
	}
	return h.SeeOther(c, home.Path()+"/access/roles/"+in.Role, i18n.T(c.UserContext(), "Given. It holds from the next request on."))
}

func (h *pages) postTake(c *fiber.Ctx) error {
	in, err := web.Decode[roleForm](c)
	if err != nil {
		return err
	}
	home, err := h.rights.Take(c.UserContext(), web.Actor(c), in.Slug, in.Role, in.seat())
	if err != nil {
		return err
	}
	return h.SeeOther(c, home.Path()+"/access/roles/"+in.Role, i18n.T(c.UserContext(), "Taken away. It holds from the next request on."))
}

func (h *pages) getReview(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	r, err := h.rights.Review(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.ReviewPage(views.Review{Review: r, Tabs: h.tabs(ctx, r.Home), Edit: h.rights.MayEdit(who, r.Home), Now: journal.Now(ctx), Key: uuid.NewString()}))
}

func (h *pages) postReview(c *fiber.Ctx) error {
	home, err := h.rights.Confirm(c.UserContext(), web.Actor(c), c.Params("slug"))
	if err != nil {
		return err
	}
	return h.SeeOther(c, home.Path()+"/access", i18n.T(c.UserContext(), "Confirmed. It is asked for again in six months."))
}

func (h *api) mountRoles(s *web.Server, read, edit web.Need) {
	const roles = "/commissions/{slug}/access/roles"
	web.API(s, web.Call{Method: "GET", Path: roles, Operation: "access.roles.api", Need: read, Summary: "List the roles that a commission made for itself", Tag: tag}, h.roles)
	web.API(s, web.Call{Method: "POST", Path: roles, Operation: "access.role.add.api", Need: edit, Summary: "Make a role. It gives nothing until rules say so", Tag: tag, Status: 201}, h.addRole)
	web.API(s, web.Call{Method: "GET", Path: roles + "/{role}", Operation: "access.role.api", Need: read, Summary: "Read a role: what it gives, and to how many", Tag: tag}, h.role)
	web.API(s, web.Call{Method: "PATCH", Path: roles + "/{role}", Operation: "access.role.edit.api", Need: edit, Summary: "Name a role anew", Tag: tag}, h.editRole)
	web.API(s, web.Call{Method: "DELETE", Path: roles + "/{role}", Operation: "access.role.remove.api", Need: edit, Summary: "Remove a role from all who hold it, with the rules about it", Tag: tag, Status: 204}, h.removeRole)
	web.API(s, web.Call{Method: "GET", Path: roles + "/{role}/holders", Operation: "access.role.holders.api", Need: read, Summary: "List who holds a role, by name", Tag: tag}, h.holders)
	web.API(s, web.Call{Method: "POST", Path: roles + "/{role}/holders", Operation: "access.role.give.api", Need: edit, Summary: "Give a role to the person of a seat", Tag: tag, Status: 204}, h.give)
	web.API(s, web.Call{Method: "DELETE", Path: roles + "/{role}/holders/{seat}", Operation: "access.role.take.api", Need: edit, Summary: "Take a role from the person of a seat", Tag: tag, Status: 204}, h.take)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/access/review", Operation: "access.review.show.api", Need: read, Summary: "Read what a review of roles and rules looks at", Tag: tag}, h.review)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/access/review", Operation: "access.review.api", Need: edit, Summary: "Confirm that roles and rules are right; asked for every six months", Tag: tag, Status: 204}, h.confirm)
}

// RoleNamed is what every operation on one role takes.
type RoleNamed struct {
	Named
	Role string `path:"role" maxLength:"20" doc:"own_1 to own_10."`
}

type rolesInput struct {
	Named
	web.Paged
}

func (h *api) roles(ctx context.Context, in *rolesInput) (*web.Listed[rights.Own], error) {
	if _, err := keyset.Parse(in.Cursor, 1, in.Limit); err != nil {
		return nil, err
	}
	_, list, err := h.rights.Roles(ctx, access.From(ctx), in.Slug)
	return web.Page(list[:min(len(list), in.Limit)], ""), err
}

type addRoleInput struct {
	Named
	Body struct {
		Name    string `json:"name" maxLength:"200"`
		Purpose string `json:"purpose,omitempty" maxLength:"5000"`
	}
}

func (h *api) addRole(ctx context.Context, in *addRoleInput) (*web.Created[rights.OwnRole], error) {
	home, r, err := h.rights.AddRole(ctx, access.From(ctx), in.Slug, rights.Naming{Name: &in.Body.Name, Purpose: &in.Body.Purpose})
	return web.At(r, "/api/v1"+home.Path()+"/access/roles/"+r.Role, r.Version), err
}

func (h *api) role(ctx context.Context, in *RoleNamed) (*web.Versioned[rights.Own], error) {
	_, r, _, _, err := h.rights.Role(ctx, access.From(ctx), in.Slug, in.Role, keyset.Page{Limit: 1})
	return web.Version(r, r.Version), err
}

type editRoleInput struct {
	RoleNamed
	web.Matched
	Body struct {
		Name    *string `json:"name,omitempty" maxLength:"200"`
		Purpose *string `json:"purpose,omitempty" maxLength:"5000"`
	}
}

// matched is the version that a change was made from. What may not be seen has none.
func (h *api) matched(ctx context.Context, in Named, m web.Matched) (int, error) {
	if err := h.rights.Editable(ctx, access.From(ctx), in.Slug); err != nil {
		return 0, err
	}
	return web.IfMatch(m.IfMatch)
}

func (h *api) editRole(ctx context.Context, in *editRoleInput) (*web.Versioned[rights.OwnRole], error) {
	version, err := h.matched(ctx, in.Named, in.Matched)
	if err != nil {
		return nil, err
	}
	_, r, err := h.rights.EditRole(ctx, access.From(ctx), in.Slug, in.Role, rights.Naming{Name: in.Body.Name, Purpose: in.Body.Purpose, Version: version})
	return web.Version(r, r.Version), err
}

type removeRoleInput struct {
	RoleNamed
	web.Matched
}

func (h *api) removeRole(ctx context.Context, in *removeRoleInput) (*struct{}, error) {
	version, err := h.matched(ctx, in.Named, in.Matched)
	if err != nil {
		return nil, err
	}
	_, err = h.rights.RemoveRole(ctx, access.From(ctx), in.Slug, in.Role, version)
	return nil, err
}

type holdersInput struct {
	RoleNamed
	web.Paged
}

func (h *api) holders(ctx context.Context, in *holdersInput) (*web.Listed[rights.Holder], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	_, _, list, next, err := h.rights.Role(ctx, access.From(ctx), in.Slug, in.Role, page)
	return web.Page(list, next), err
}

type giveInput struct {
	RoleNamed
	Body struct {
		Seat uuid.UUID `json:"seat"`
	}
}

func (h *api) give(ctx context.Context, in *giveInput) (*struct{}, error) {
	_, err := h.rights.Give(ctx, access.From(ctx), in.Slug, in.Role, in.Body.Seat)
	return nil, err
}

type takeInput struct {
	RoleNamed
	Seat string `path:"seat" maxLength:"60"`
}

func (h *api) take(ctx context.Context, in *takeInput) (*struct{}, error) {
	_, err := h.rights.Take(ctx, access.From(ctx), in.Slug, in.Role, roleForm{Seat: in.Seat}.seat())
	return nil, err
}

type reviewed struct{ Body rights.Review }

func (h *api) review(ctx context.Context, in *Named) (*reviewed, error) {
	r, err := h.rights.Review(ctx, access.From(ctx), in.Slug)
	return &reviewed{r}, err
}

func (h *api) confirm(ctx context.Context, in *Named) (*struct{}, error) {
	_, err := h.rights.Confirm(ctx, access.From(ctx), in.Slug)
	return nil, err
}

package accountweb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
)

type api struct{ accounts *account.Service }

func mountAPI(s *web.Server, accounts *account.Service) {
	h := &api{accounts}
	const tag = "Persons"
	read, edit := web.InPortal("account", "read"), web.InPortal("account", "edit")
	h.mountErase(s, read, edit)
	h.mountAddress(s, read, edit)
	web.API(s, web.Call{Method: "GET", Path: "/persons/me", Operation: "profile.read.api", Need: read, Summary: "Read your own account", Tag: tag}, h.me)
	web.API(s, web.Call{Method: "PATCH", Path: "/persons/me", Operation: "profile.edit.api", Need: edit, Summary: "Change your own profile", Tag: tag}, h.describe)
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/sessions", Operation: "session.list.api", Need: read, Summary: "List where you are signed in", Tag: tag}, h.sessions)
	web.API(s, web.Call{Method: "DELETE", Path: "/persons/me/sessions/{id}", Operation: "session.end.api", Need: web.Recent(edit), Summary: "End one of your sessions", Tag: tag, Status: 204}, h.endSession)
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/factors", Operation: "factor.list.api", Need: read, Summary: "Read your second factors", Tag: tag}, h.factors)
	web.API(s, web.Call{Method: "POST", Path: "/persons/me/factors/app", Operation: "factor.begin.api", Need: web.Recent(edit), Summary: "Begin to set up an app for codes", Tag: tag, Status: 201, Secret: true}, h.beginApp)
	web.API(s, web.Call{Method: "POST", Path: "/persons/me/factors/app/confirm", Operation: "factor.confirm.api", Need: web.Recent(edit), Summary: "Give the first code of the app, which makes it count", Tag: tag, Secret: true}, h.confirmApp)
	web.API(s, web.Call{Method: "DELETE", Path: "/persons/me/factors/app", Operation: "factor.remove.api", Need: web.Recent(edit), Summary: "Remove the app for codes", Tag: tag, Status: 204}, h.removeApp)
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/passkeys", Operation: "passkey.list.api", Need: read, Summary: "List your passkeys", Tag: tag}, h.passkeys)
	web.API(s, web.Call{Method: "DELETE", Path: "/persons/me/passkeys/{id}", Operation: "passkey.remove.api", Need: web.Recent(edit), Summary: "Remove a passkey", Tag: tag, Status: 204}, h.removePasskey)
	web.API(s, web.Call{Method: "POST", Path: "/persons/me/factors/codes", Operation: "factor.codes.api", Need: web.Recent(edit), Summary: "Make new recovery codes", Tag: tag, Secret: true}, h.newCodes)
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/tokens", Operation: "token.list.api", Need: read, Summary: "List your tokens", Tag: tag}, h.tokens)
	web.API(s, web.Call{Method: "POST", Path: "/persons/me/tokens", Operation: "token.make.api", Need: web.Recent(edit), Summary: "Make a token; its text is shown this once", Tag: tag, Status: 201, Secret: true}, h.makeToken)
	web.API(s, web.Call{Method: "DELETE", Path: "/persons/me/tokens/{id}", Operation: "token.revoke.api", Need: edit, Summary: "Revoke a token", Tag: tag, Status: 204}, h.revokeToken)
	web.API(s, web.Call{Method: "GET", Path: "/persons", Operation: "person.list.api", Need: web.InPortal("person", "list"), Summary: "List all persons (secretariat)", Tag: tag}, h.list)
	web.API(s, web.Call{Method: "GET", Path: "/persons/{id}", Operation: "person.show.api", Need: web.InPortal("profile", "read"), Summary: "Read a person whose seat you may see", Tag: tag}, h.show)
	web.API(s, web.Call{Method: "POST", Path: "/persons/{id}/suspend", Operation: "person.suspend.api", Need: web.Recent(web.InPortal("person", "suspend")), Summary: "Suspend a person (secretariat)", Tag: tag}, h.suspend)
	web.API(s, web.Call{Method: "POST", Path: "/persons/{id}/factors/remove", Operation: "person.disarm.api", Need: web.Recent(web.InPortal("person", "disarm")), Summary: "Remove the second factors of a person who has lost them (secretariat)", Tag: tag, Status: 204}, h.disarm)
	web.API(s, web.Call{Method: "GET", Path: "/settings/factors", Operation: "factor.required.api", Need: web.InPortal("factor", "require"), Summary: "Read which roles ask for a second factor (secretariat)", Tag: tag}, h.required)
	web.API(s, web.Call{Method: "PUT", Path: "/settings/factors", Operation: "factor.require.api", Need: web.Recent(web.InPortal("factor", "require")), Summary: "Say which roles ask for a second factor (secretariat)", Tag: tag}, h.require)
	web.API(s, web.Call{Method: "POST", Path: "/persons/{id}/reinstate", Operation: "person.reinstate.api", Need: web.InPortal("person", "reinstate"), Summary: "Reinstate a person (secretariat)", Tag: tag}, h.reinstate)
}

type none struct{}

func (h *api) me(ctx context.Context, _ *none) (*web.Versioned[account.Person], error) {
	p, err := h.accounts.Me(ctx, access.From(ctx))
	return web.Version(p, p.Version), err
}

type describeInput struct {
	web.Matched
	Body struct {
		Name     *string `json:"name,omitempty"`
		Country  *string `json:"country,omitempty" doc:"ISO 3166 alpha-2, or empty."`
		Language *string `json:"language,omitempty" doc:"BCP 47."`
		TimeZone *string `json:"time_zone,omitempty" doc:"Of the IANA database."`
		About    *string `json:"about,omitempty"`
		Theme    *string `json:"theme,omitempty" enum:"auto,light,dark"`
	}
}

func (h *api) describe(ctx context.Context, in *describeInput) (*web.Versioned[account.Person], error) {
	who := access.From(ctx)
	now, err := h.accounts.Me(ctx, who)
	if err != nil {
		return nil, err
	}
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	p := account.Of(now)
	for _, f := range []struct{ to, from *string }{
		{&p.Name, in.Body.Name}, {&p.Country, in.Body.Country}, {&p.Language, in.Body.Language}, {&p.TimeZone, in.Body.TimeZone}, {&p.About, in.Body.About}, {&p.Theme, in.Body.Theme},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	after, err := h.accounts.Describe(ctx, who, version, p)
	return web.Version(after, after.Version), err
}

func (h *api) sessions(ctx context.Context, _ *none) (*web.Listed[account.Session], error) {
	rows, err := h.accounts.Sessions(ctx, access.From(ctx))
	return web.Page(rows, ""), err
}

type idInput struct {
	ID uuid.UUID `path:"id"`
}

func (h *api) endSession(ctx context.Context, in *idInput) (*none, error) {
	return &none{}, h.accounts.EndSession(ctx, access.From(ctx), in.ID)
}

func (h *api) tokens(ctx context.Context, _ *none) (*web.Listed[account.Token], error) {
	rows, err := h.accounts.Tokens(ctx, access.From(ctx))
	return web.Page(rows, ""), err
}

type tokenInput struct {
	Body struct {
		Name     string     `json:"name"`
		ReadOnly bool       `json:"read_only,omitempty"`
		Expires  *time.Time `json:"expires_at,omitempty" doc:"Absent: good until it is revoked."`
	}
}

type madeToken struct {
	account.Token
	Text string `json:"token" doc:"To be sent as Authorization: Bearer. Shown this once."`
}

func (h *api) makeToken(ctx context.Context, in *tokenInput) (*web.Created[madeToken], error) {
	draft := account.TokenDraft{Name: in.Body.Name, ReadOnly: in.Body.ReadOnly}
	if in.Body.Expires != nil {
		draft.Expires = *in.Body.Expires
	}
	t, text, err := h.accounts.MakeToken(ctx, access.From(ctx), draft)
	return web.At(madeToken{t, text}, "/api/v1/persons/me/tokens/"+t.ID.String(), 1), err
}

func (h *api) revokeToken(ctx context.Context, in *idInput) (*none, error) {
	return &none{}, h.accounts.RevokeToken(ctx, access.From(ctx), in.ID)
}

type listInput struct {
	web.Paged
	Query string `query:"q" maxLength:"200" doc:"Part of the name or the address."`
	State string `query:"state" doc:"active, unconfirmed, suspended, erased or secretariat; without it all but those that were erased."`
}

func (h *api) list(ctx context.Context, in *listInput) (*web.Listed[account.Person], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	rows, next, err := h.accounts.List(ctx, access.From(ctx), account.Filter{Query: in.Query, State: in.State}, page)
	return web.Page(rows, next), err
}

type shown struct{ Body account.Public }

func (h *api) show(ctx context.Context, in *idInput) (*shown, error) {
	p, err := h.accounts.Show(ctx, access.From(ctx), in.ID)
	return &shown{p}, err
}

type suspendInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Reason string `json:"reason" doc:"The person reads it in a letter."`
	}
}

func (h *api) suspend(ctx context.Context, in *suspendInput) (*shown, error) {
	if err := h.accounts.Suspend(ctx, access.From(ctx), in.ID, in.Body.Reason); err != nil {
		return nil, err
	}
	return h.show(ctx, &idInput{in.ID})
}

func (h *api) reinstate(ctx context.Context, in *idInput) (*shown, error) {
	if err := h.accounts.Reinstate(ctx, access.From(ctx), in.ID); err != nil {
		return nil, err
	}
	return h.show(ctx, in)
}

package membershipweb

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/membership"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
)

type queueInput struct {
	web.Paged
	Slug  string `path:"slug" maxLength:"80"`
	State string `query:"state" enum:"pending,decided" default:"pending"`
}

func (h *api) applications(ctx context.Context, in *queueInput) (*web.Listed[membership.Application], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	_, rows, next, err := h.seats.Applications(ctx, access.From(ctx), in.Slug, in.State != "decided", page)
	return web.Page(rows, next), err
}

func (h *api) application(ctx context.Context, in *One) (*body[membership.Application], error) {
	_, a, err := h.seats.Application(ctx, access.From(ctx), in.Slug, in.ID)
	return &body[membership.Application]{a}, err
}

type outcomeBody struct {
	Seat        *SeatBody               `json:"seat,omitempty" doc:"The seat, where it was given at once."`
	Application *membership.Application `json:"application,omitempty" doc:"The application that waits for the officers, where they decide."`
	Invitation  *membership.Invitation  `json:"invitation,omitempty" doc:"The invitation, where the person does not act for the organization yet."`
}

func outcomeOf(o membership.Outcome) outcomeBody {
	out := outcomeBody{Application: o.Application}
	if o.Seat != nil {
		b := bodyOf(*o.Seat, true)
		out.Seat = &b
	}
	return out
}

type applyInput struct {
	Slug string `path:"slug" maxLength:"80"`
	Body struct {
		Organization string `json:"organization,omitempty" doc:"Slug; none in a personal capacity." maxLength:"80"`
		Role         string `json:"role" enum:"voting_representative,alternate_representative,liaison_officer,observer,invited_expert"`
		Statement    string `json:"statement,omitempty"`
	}
}

func (h *api) apply(ctx context.Context, in *applyInput) (*web.Created[outcomeBody], error) {
	out, err := h.seats.Apply(ctx, access.From(ctx), in.Slug, membership.Request(in.Body))
	if err != nil {
		return nil, err
	}
	return created(in.Slug, out), nil
}

// created answers with the address of what came of asking.
func created(slug string, out membership.Outcome) *web.Created[outcomeBody] {
	location, version := "/api/v1/commissions/"+slug, 1
	if out.Seat != nil {
		location += "/seats/" + out.Seat.ID.String()
	} else {
		location += "/applications/" + out.Application.ID.String()
	}
	return web.At(outcomeOf(out), location, version)
}

type approveInput struct {
	One
	Body struct {
		Role   string  `json:"role,omitempty" doc:"The one applied for if absent."`
		Voting *bool   `json:"voting,omitempty"`
		From   string  `json:"from,omitempty" doc:"First day, YYYY-MM-DD, of the convention; now if absent."`
		Until  *string `json:"until,omitempty" doc:"Last day, YYYY-MM-DD, of the convention, whole; empty for none; the usual term if absent."`
	}
}

func (h *api) approve(ctx context.Context, in *approveInput) (*web.Versioned[SeatBody], error) {
	b := in.Body
	s, err := h.seats.Approve(ctx, access.From(ctx), in.Slug, in.ID, membership.Approval{Role: b.Role, Voting: b.Voting, Terms: membership.Terms{From: b.From, Until: b.Until}})
	return web.Version(bodyOf(s, true), s.Version), err
}

type rejectInput struct {
	One
	Body struct {
		Reason string `json:"reason"`
	}
}

func (h *api) reject(ctx context.Context, in *rejectInput) (*body[membership.Application], error) {
	a, err := h.seats.Reject(ctx, access.From(ctx), in.Slug, in.ID, in.Body.Reason)
	return &body[membership.Application]{a}, err
}

func (h *api) withdraw(ctx context.Context, in *One) (*body[membership.Application], error) {
	a, err := h.seats.Withdraw(ctx, access.From(ctx), in.Slug, in.ID)
	return &body[membership.Application]{a}, err
}

type invitationsInput struct {
	web.Paged
	Slug  string `path:"slug" maxLength:"80"`
	State string `query:"state" enum:"pending,accepted,declined,revoked,expired"`
}

func (h *api) invitations(ctx context.Context, in *invitationsInput) (*web.Listed[membership.Invitation], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	_, rows, next, err := h.seats.Invitations(ctx, access.From(ctx), in.Slug, in.State, page)
	return web.Page(rows, next), err
}

type inviteInput struct {
	Slug string `path:"slug" maxLength:"80"`
	Body struct {
		Emails       []string `json:"emails" minItems:"1" maxItems:"200"`
		Role         string   `json:"role"`
		Organization string   `json:"organization,omitempty" doc:"Slug; none in a personal capacity." maxLength:"80"`
		Message      string   `json:"message,omitempty"`
		Days         int      `json:"days,omitempty" minimum:"1" maximum:"180" doc:"Until it expires; 14 if absent."`
		DryRun       bool     `json:"dry_run,omitempty" doc:"Only say what would be sent."`
	}
}

type inviteBody struct {
	Sent    int       `json:"sent"`
	Expires time.Time `json:"expires_at"`
	Items   []line    `json:"items"`
}

type line struct {
	Text    string `json:"text"`
	Email   string `json:"email,omitempty"`
	Skipped string `json:"skipped,omitempty" doc:"Why this address was left out."`
}

func (h *api) invite(ctx context.Context, in *inviteInput) (*body[inviteBody], error) {
	b := in.Body
	i := membership.Inviting{Addresses: strings.Join(b.Emails, "\n"), Role: b.Role, Organization: b.Organization, Message: b.Message}
	if b.Days != 0 {
		i.Days = strconv.Itoa(b.Days)
	}
	var u membership.Understood
	var err error
	if b.DryRun {
		u, err = h.seats.Understand(ctx, access.From(ctx), in.Slug, &i)
	} else {
		u, err = h.seats.Invite(ctx, access.From(ctx), in.Slug, i)
	}
	if p := problem.As(err); p != nil { // the form has a text where the API has a list
		fields := slices.Clone(p.Fields)
		for n, f := range fields {
			if f.Field == "addresses" {
				fields[n].Field = "emails"
			}
		}
		return nil, &problem.Error{Kind: p.Kind, Format: p.Format, Args: p.Args, Fields: fields}
	}
	if err != nil {
		return nil, err
	}
	out := &body[inviteBody]{inviteBody{Sent: u.Good, Expires: u.Expires, Items: []line{}}}
	for _, l := range u.Lines {
		item := line{Text: l.Text, Email: l.Email}
		if l.Wrong != nil {
			item.Skipped = i18n.FieldProblem(ctx, *l.Wrong)
		}
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, nil
}

func (h *api) revoke(ctx context.Context, in *One) (*struct{}, error) {
	return nil, h.seats.Revoke(ctx, access.From(ctx), in.Slug, in.ID)
}

func (h *api) resend(ctx context.Context, in *One) (*body[membership.Invitation], error) {
	i, err := h.seats.Resend(ctx, access.From(ctx), in.Slug, in.ID)
	return &body[membership.Invitation]{i}, err
}

type tokenInput struct {
	Token string `path:"token" maxLength:"100" doc:"From the link in the letter; or the key of an invitation to one's own address."`
}

type openedBody struct {
	membership.Invitation
	Commission string `json:"commission" doc:"Slug."`
	Email      string `json:"email" doc:"Masked, unless it is the reader's own."`
}

func (h *api) open(ctx context.Context, in *tokenInput) (*body[openedBody], error) {
	o, err := h.seats.Open(ctx, access.From(ctx), in.Token)
	if err != nil {
		return nil, err
	}
	out := openedBody{Invitation: o.Invitation, Commission: o.Slug, Email: membership.Masked(o.Invitation.Email)}
	if o.Mine {
		out.Email = o.Invitation.Email
	}
	return &body[openedBody]{out}, nil
}

func (h *api) accept(ctx context.Context, in *tokenInput) (*body[outcomeBody], error) {
	_, out, err := h.seats.Accept(ctx, access.From(ctx), in.Token)
	return &body[outcomeBody]{outcomeOf(out)}, err
}

func (h *api) decline(ctx context.Context, in *tokenInput) (*struct{}, error) {
	_, err := h.seats.Decline(ctx, access.From(ctx), in.Token)
	return nil, err
}

type holdingsInput struct {
	web.Paged
	Slug string `path:"slug" maxLength:"80"`
	AsOf string `query:"as_of" maxLength:"40" doc:"A day of the convention (what held when it was over) or an instant of RFC 3339; now if absent."`
}

func (h *api) holdings(ctx context.Context, in *holdingsInput) (*web.Listed[membership.Held], error) {
	page, err := keyset.Parse(in.Cursor, 4, in.Limit)
	if err != nil {
		return nil, err
	}
	at, err := asOf(ctx, in.AsOf)
	if err != nil {
		return nil, err
	}
	_, rows, next, err := h.seats.Holdings(ctx, access.From(ctx), in.Slug, at, page)
	return web.Page(rows, next), err
}

type nominateInput struct {
	Slug string `path:"slug" maxLength:"80"`
	Body struct {
		Commission string `json:"commission" doc:"Slug of one that the organization takes part in." maxLength:"80"`
		Person     string `json:"person,omitempty" doc:"Key of somebody who acts for the organization."`
		Email      string `json:"email,omitempty" doc:"Or an address; who does not act for the organization yet is invited."`
		Role       string `json:"role" enum:"voting_representative,alternate_representative,liaison_officer,observer"`
		Statement  string `json:"statement,omitempty"`
	}
}

func (h *api) nominate(ctx context.Context, in *nominateInput) (*body[outcomeBody], error) {
	out, i, err := h.seats.Nominate(ctx, access.From(ctx), in.Slug, membership.Nomination(in.Body))
	if err != nil {
		return nil, err
	}
	b := outcomeOf(out)
	b.Invitation = i
	return &body[outcomeBody]{b}, nil
}

type replaceInput struct {
	One
	Body struct {
		Person string `json:"person" doc:"Key of somebody who acts for the organization."`
	}
}

func (h *api) replace(ctx context.Context, in *replaceInput) (*web.Versioned[SeatBody], error) {
	s, err := h.seats.Replace(ctx, access.From(ctx), in.Slug, in.ID, in.Body.Person)
	return web.Version(bodyOf(s, true), s.Version), err
}

func (h *api) recall(ctx context.Context, in *One) (*struct{}, error) {
	return nil, h.seats.Recall(ctx, access.From(ctx), in.Slug, in.ID)
}

package membershipweb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/membership"
	"commissionportal/internal/web"
)

type api struct{ seats *membership.Service }

func mountAPI(s *web.Server, seats *membership.Service) {
	h := &api{seats}
	edit, decide, send := web.InCommission("seat", "edit"), web.InCommission("application", "decide"), web.InCommission("invitation", "send")
	call := func(method, path, operation string, need web.Need, summary, tag string, status int) web.Call {
		return web.Call{Method: method, Path: path, Operation: operation + ".api", Need: need, Summary: summary, Tag: tag, Status: status}
	}
	const seat, application, invitation = "/commissions/{slug}/seats", "/commissions/{slug}/applications", "/commissions/{slug}/invitations"
	web.API(s, call("GET", seat, "roster.show", web.InCommission("roster", "read:public"), "Read the roster as of an instant", "Seats", 0), h.roster)
	web.API(s, call("POST", seat, "seat.appoint", edit, "Appoint a person to a seat", "Seats", 201), h.appoint)
	web.API(s, call("POST", seat+"/bulk", "seat.bulk", edit, "Change or end many seats, or see what that would do", "Seats", 0), h.bulk)
	web.API(s, call("GET", seat+"/{id}", "seat.show", web.InCommission("roster", "read:public"), "Read a seat and its history", "Seats", 0), h.show)
	web.API(s, call("PATCH", seat+"/{id}", "seat.edit", edit, "Change role, vote, suspension or term of a seat", "Seats", 0), h.edit)
	web.API(s, call("DELETE", seat+"/{id}", "seat.end", edit, "End a seat", "Seats", 204), h.end)
	web.API(s, call("POST", seat+"/{id}/leave", "seat.leave", web.InCommission("seat", "leave"), "Leave one's own seat", "Seats", 204), h.leave)

	web.API(s, call("GET", application, "application.list", web.InCommission("application", "read"), "List applications", "Applications", 0), h.applications)
	web.API(s, call("POST", application, "application.submit", web.InCommission("application", "submit"), "Apply for a seat", "Applications", 201), h.apply)
	web.API(s, call("POST", application+"/bulk", "application.bulk", decide, "Approve many applications, or see what that would do", "Applications", 0), h.bulkApprove)
	web.API(s, call("GET", application+"/{id}", "application.show", web.InCommission("application", "submit"), "Read an application", "Applications", 0), h.application)
	web.API(s, call("POST", application+"/{id}/approve", "application.approve", decide, "Approve an application", "Applications", 0), h.approve)
	web.API(s, call("POST", application+"/{id}/reject", "application.reject", decide, "Reject an application", "Applications", 0), h.reject)
	web.API(s, call("POST", application+"/{id}/withdraw", "application.withdraw", web.InCommission("application", "withdraw"), "Withdraw one's application", "Applications", 0), h.withdraw)

	web.API(s, call("GET", invitation, "invitation.list", web.InCommission("invitation", "read"), "List invitations", "Invitations", 0), h.invitations)
	web.API(s, call("POST", invitation, "invitation.send", send, "Invite one or many", "Invitations", 201), h.invite)
	web.API(s, call("DELETE", invitation+"/{id}", "invitation.revoke", send, "Take an invitation back", "Invitations", 204), h.revoke)
	web.API(s, call("POST", invitation+"/{id}/resend", "invitation.resend", send, "Send an invitation again", "Invitations", 0), h.resend)
	web.API(s, call("GET", "/invitations/{token}", "invitation.show", web.Open, "Look at an invitation", "Invitations", 0), h.open)
	web.API(s, call("POST", "/invitations/{token}/accept", "invitation.accept", web.InCommission("invitation", "answer"), "Accept an invitation", "Invitations", 0), h.accept)
	web.API(s, call("POST", "/invitations/{token}/decline", "invitation.decline", web.Open, "Decline an invitation", "Invitations", 204), h.decline)

	const held = "/organizations/{slug}/seats"
	web.API(s, call("GET", held, "seat.holdings", web.InOrganization("seat", "nominate"), "List an organization's seats as of an instant", "Seats", 0), h.holdings)
	web.API(s, call("POST", held, "seat.nominate", web.InOrganization("seat", "nominate"), "Nominate a person for a seat", "Seats", 201), h.nominate)
	web.API(s, call("POST", held+"/{id}/replace", "seat.replace", web.InOrganization("seat", "replace"), "Replace the holder of a seat", "Seats", 0), h.replace)
	web.API(s, call("POST", held+"/{id}/recall", "seat.recall", web.InOrganization("seat", "recall"), "Recall the holder of a seat", "Seats", 204), h.recall)
}

// One names one thing of a commission or organization.
type One struct {
	Slug string    `path:"slug" maxLength:"80"`
	ID   uuid.UUID `path:"id" format:"uuid"`
}

type body[T any] struct{ Body T }

// SeatBody is a row of a seat.
type SeatBody struct {
	ID          uuid.UUID  `json:"id"`
	PersonID    uuid.UUID  `json:"person_id"`
	Name        string     `json:"name"`
	Role        string     `json:"role"`
	Voting      bool       `json:"voting"`
	Suspended   bool       `json:"suspended"`
	Since       time.Time  `json:"since"`
	Until       *time.Time `json:"until,omitempty" doc:"The instant at which the row, or the term, ends; absent if it is without end."`
	AppointedBy string     `json:"appointed_by"`
	Follows     *uuid.UUID `json:"follows,omitempty" doc:"The seat that this one replaced."`
	Ended       *string    `json:"ended,omitempty" doc:"Why it ended before its planned end."`
	Reason      string     `json:"reason,omitempty"`
	Version     int        `json:"version"`
}

func bodyOf(s membership.Seat, private bool) SeatBody {
	b := SeatBody{s.ID, s.PersonID, s.Name, s.Role, s.Voting, s.Suspended, s.Since, s.Until, s.AppointedBy, s.Follows, s.Ended, s.Reason, s.Version}
	if !private {
		b.Reason = ""
	}
	return b
}

type rosterInput struct {
	web.Paged
	Slug         string `path:"slug" maxLength:"80"`
	AsOf         string `query:"as_of" maxLength:"40" doc:"A day of the convention (what held when it was over) or an instant of RFC 3339; now if absent."`
	Role         string `query:"role" enum:"chair,vice_chair,secretary,voting_representative,alternate_representative,liaison_officer,invited_expert,observer,emeritus"`
	Organization string `query:"organization" maxLength:"80" doc:"Slug."`
	Country      string `query:"country" maxLength:"2" doc:"ISO 3166 alpha-2."`
	Query        string `query:"q" maxLength:"200" doc:"Part of the name of person or organization."`
}

func (h *api) roster(ctx context.Context, in *rosterInput) (*web.Listed[membership.RosterSeat], error) {
	page, err := keyset.Parse(in.Cursor, 3, in.Limit)
	if err != nil {
		return nil, err
	}
	at, err := asOf(ctx, in.AsOf)
	if err != nil {
		return nil, err
	}
	r, err := h.seats.Roster(ctx, access.From(ctx), in.Slug, at, membership.Filter{Role: in.Role, Organization: in.Organization, Country: in.Country, Query: in.Query}, page)
	return web.Page(r.Rows, r.Next), err
}

type appointInput struct {
	Slug string `path:"slug" maxLength:"80"`
	Body struct {
		Person       string  `json:"person" doc:"Key or e-mail address of somebody who belongs to the commission already." maxLength:"254"`
		Organization string  `json:"organization,omitempty" doc:"Slug; none in a personal capacity." maxLength:"80"`
		Role         string  `json:"role"`
		Voting       *bool   `json:"voting,omitempty"`
		From         string  `json:"from,omitempty" doc:"First day, YYYY-MM-DD, of the convention; now if absent."`
		Until        *string `json:"until,omitempty" doc:"Last day, YYYY-MM-DD, of the convention, whole; empty for none; the usual term if absent."`
		Election     bool    `json:"election,omitempty"`
	}
}

func (h *api) appoint(ctx context.Context, in *appointInput) (*web.Created[SeatBody], error) {
	b := in.Body
	s, err := h.seats.Appoint(ctx, access.From(ctx), in.Slug, membership.Placing{Person: b.Person, Organization: b.Organization, Role: b.Role, Voting: b.Voting, Election: b.Election,
		Terms: membership.Terms{From: b.From, Until: b.Until}})
	return web.At(bodyOf(s, true), "/api/v1/commissions/"+in.Slug+"/seats/"+s.ID.String(), s.Version), err
}

type historyBody struct {
	SeatBody
	Organization *string    `json:"organization,omitempty"`
	From         time.Time  `json:"from" doc:"When the seat began."`
	History      []SeatBody `json:"history" doc:"Every row of the seat, newest first."`
}

func (h *api) show(ctx context.Context, in *One) (*web.Versioned[historyBody], error) {
	x, err := h.seats.History(ctx, access.From(ctx), in.Slug, in.ID)
	if err != nil {
		return nil, err
	}
	out := historyBody{SeatBody: bodyOf(x.Seat.Seat, x.Private), Organization: x.Seat.Organization, From: x.Seat.Began, History: []SeatBody{}}
	for _, r := range x.Parts {
		out.History = append(out.History, bodyOf(r.Seat, x.Private))
	}
	return web.Version(out, x.Seat.Version), nil
}

type editInput struct {
	One
	web.Matched
	Body struct {
		Role      *string `json:"role,omitempty"`
		Voting    *bool   `json:"voting,omitempty"`
		Suspended *bool   `json:"suspended,omitempty"`
		Until     *string `json:"until,omitempty" doc:"Last day of the term, YYYY-MM-DD, of the convention, whole; empty for none."`
		Reason    string  `json:"reason,omitempty"`
	}
}

func (h *api) edit(ctx context.Context, in *editInput) (*web.Versioned[SeatBody], error) {
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	s, err := h.seats.Change(ctx, access.From(ctx), in.Slug, in.ID, version, func(s membership.Seat, _ membership.Home) (membership.Edit, error) {
		e, b := membership.Of(s), in.Body
		e.Reason = b.Reason
		if b.Role != nil {
			e.Role = *b.Role
			e.Voting = e.Voting && membership.MayVote(e.Role)
		}
		if b.Voting != nil {
			e.Voting = *b.Voting
		}
		if b.Suspended != nil {
			e.Suspended = *b.Suspended
		}
		var err error
		if b.Until != nil {
			e.Until, err = membership.Until(*b.Until, journal.Now(ctx), calendar.Zone(ctx))
		}
		return e, err
	})
	return web.Version(bodyOf(s, true), s.Version), err
}

type endInput struct {
	One
	web.Matched
	Reason string `query:"reason" maxLength:"2000" doc:"For the person to read."`
}

func (h *api) end(ctx context.Context, in *endInput) (*struct{}, error) {
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return nil, h.seats.End(ctx, access.From(ctx), in.Slug, in.ID, version, in.Reason)
}

func (h *api) leave(ctx context.Context, in *One) (*struct{}, error) {
	return nil, h.seats.Leave(ctx, access.From(ctx), in.Slug, in.ID)
}

type bulkInput struct {
	Slug string `path:"slug" maxLength:"80"`
	Body struct {
		Act    string   `json:"act,omitempty" enum:"role,term,end,approve"`
		IDs    []string `json:"ids" maxItems:"200" doc:"Keys, each perhaps with the version that was seen: uuid or uuid:3."`
		Role   string   `json:"role,omitempty"`
		Until  string   `json:"until,omitempty" doc:"Last day, YYYY-MM-DD, of the convention, whole; empty: without end."`
		Reason string   `json:"reason,omitempty"`
		DryRun bool     `json:"dry_run,omitempty" doc:"Only say what would be done."`
	}
}

func (in *bulkInput) bulk() membership.Bulk {
	return membership.Bulk{Act: in.Body.Act, IDs: in.Body.IDs, Role: in.Body.Role, Until: in.Body.Until, Reason: in.Body.Reason}
}

type planned struct {
	ID      uuid.UUID  `json:"id"`
	Name    string     `json:"name"`
	Role    string     `json:"role,omitempty" doc:"What it is then."`
	Until   *time.Time `json:"until,omitempty"`
	Skipped string     `json:"skipped,omitempty" doc:"Why nothing is done for this one."`
}

type planBody struct {
	Done  int       `json:"done"`
	Items []planned `json:"items"`
}

func planOf(ctx context.Context, p membership.Plan, err error) (*body[planBody], error) {
	if err != nil {
		return nil, err
	}
	out := &body[planBody]{planBody{p.Done, []planned{}}}
	for _, l := range p.Lines {
		b := planned{ID: l.ID, Name: l.Name, Skipped: i18n.Problem(ctx, l.Skipped)}
		if l.After != nil {
			b.Role, b.Until = l.After.Role, l.After.Until
		}
		out.Body.Items = append(out.Body.Items, b)
	}
	return out, nil
}

func (h *api) bulk(ctx context.Context, in *bulkInput) (*body[planBody], error) {
	do := h.seats.CarrySeats
	if in.Body.DryRun {
		do = h.seats.PlanSeats
	}
	p, err := do(ctx, access.From(ctx), in.Slug, in.bulk())
	return planOf(ctx, p, err)
}

func (h *api) bulkApprove(ctx context.Context, in *bulkInput) (*body[planBody], error) {
	do := h.seats.CarryApprovals
	if in.Body.DryRun {
		do = h.seats.PlanApprovals
	}
	p, err := do(ctx, access.From(ctx), in.Slug, in.bulk())
	return planOf(ctx, p, err)
}

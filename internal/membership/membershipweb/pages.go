// Package membershipweb has the two doors of seats: pages and API.
package membershipweb

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/membership"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/membership"
	"commissionportal/views/part"
)

type pages struct {
	*web.Server
	seats *membership.Service
}

// Mount adds the routes of membership.
func Mount(s *web.Server, seats *membership.Service) {
	h := &pages{s, seats}
	s.AddTab("commission", web.Tab{Label: "Roster", Path: "/roster", Order: 10})
	s.AddTab("commission", web.Tab{Label: "Applications", Path: "/applications", Order: 60, Need: web.InCommission("application", "read")})
	s.AddTab("commission", web.Tab{Label: "Invitations", Path: "/invitations", Order: 61, Need: web.InCommission("invitation", "read"), Or: web.InCommission("invitation", "send")})
	s.AddTab("organization", web.Tab{Label: "Seats", Path: "/seats", Order: 30, Need: web.InOrganization("seat", "nominate")})
	roster, edit, appoint := web.InCommission("roster", "read:public"), web.InCommission("seat", "edit"), web.InCommission("seat", "edit")

	s.Page("GET", "/commissions/:slug/roster", "roster.show", web.Kept(roster), h.getRoster)
	s.Page("GET", "/commissions/:slug/roster.csv", "roster.csv", roster, h.getExport(".csv"))
	s.Page("GET", "/commissions/:slug/roster.xlsx", "roster.xlsx", roster, h.getExport(".xlsx"))
	s.Page("POST", "/commissions/:slug/roster/preview", "seat.bulk.preview", edit, h.postSeatPlan)
	s.Page("POST", "/commissions/:slug/roster/bulk", "seat.bulk", edit, h.postSeatBulk)
	s.Page("GET", "/commissions/:slug/seats/new", "seat.appoint.form", appoint, h.getAppoint)
	s.Page("POST", "/commissions/:slug/seats", "seat.appoint", appoint, h.postAppoint)
	s.Page("GET", "/commissions/:slug/seats/:id", "seat.show", roster, h.getSeat)
	s.Page("GET", "/commissions/:slug/seats/:id/edit", "seat.edit.form", edit, h.getEdit)
	s.Page("POST", "/commissions/:slug/seats/:id", "seat.edit", edit, h.postEdit)
	s.Page("GET", "/commissions/:slug/seats/:id/suspend", "seat.suspend.form", edit, h.getSuspend)
	s.Page("POST", "/commissions/:slug/seats/:id/suspend", "seat.suspend", edit, h.postSuspend)
	s.Page("POST", "/commissions/:slug/seats/:id/lift", "seat.lift", edit, h.postLift)
	s.Page("GET", "/commissions/:slug/seats/:id/end", "seat.end.form", edit, h.getEnd)
	s.Page("POST", "/commissions/:slug/seats/:id/end", "seat.end", edit, h.postEnd)
	s.Page("GET", "/commissions/:slug/seats/:id/leave", "seat.leave.form", web.InCommission("seat", "leave"), h.getLeave)
	s.Page("POST", "/commissions/:slug/seats/:id/leave", "seat.leave", web.InCommission("seat", "leave"), h.postLeave)

	submit, read, decide := web.InCommission("application", "submit"), web.InCommission("application", "read"), web.InCommission("application", "decide")
	s.Page("GET", "/commissions/:slug/apply", "application.submit.form", submit, h.getApply)
	s.Page("POST", "/commissions/:slug/apply", "application.submit", submit, h.postApply)
	s.Page("GET", "/commissions/:slug/applications", "application.list", read, h.getQueue)
	s.Page("POST", "/commissions/:slug/applications/preview", "application.bulk.preview", decide, h.postQueuePlan)
	s.Page("POST", "/commissions/:slug/applications/bulk", "application.bulk", decide, h.postQueueBulk)
	s.Page("GET", "/commissions/:slug/applications/:id", "application.show", submit, h.getApplication)
	s.Page("POST", "/commissions/:slug/applications/:id/approve", "application.approve", decide, h.postApprove)
	s.Page("POST", "/commissions/:slug/applications/:id/reject", "application.reject", decide, h.postReject)
	s.Page("GET", "/commissions/:slug/applications/:id/withdraw", "application.withdraw.form", web.InCommission("application", "withdraw"), h.getWithdraw)
	s.Page("POST", "/commissions/:slug/applications/:id/withdraw", "application.withdraw", web.InCommission("application", "withdraw"), h.postWithdraw)

	send := web.InCommission("invitation", "send")
	s.Page("GET", "/commissions/:slug/invitations", "invitation.list", web.InCommission("invitation", "read"), h.getInvitations)
	s.Page("GET", "/commissions/:slug/invitations/new", "invitation.send.form", send, h.getInvite)
	s.Page("POST", "/commissions/:slug/invitations/preview", "invitation.preview", send, h.postInvitePreview)
	s.Page("POST", "/commissions/:slug/invitations", "invitation.send", send, h.postInvite)
	s.Page("GET", "/commissions/:slug/invitations/:id/revoke", "invitation.revoke.form", send, h.getRevoke)
	s.Page("POST", "/commissions/:slug/invitations/:id/revoke", "invitation.revoke", send, h.postRevoke)
	s.Page("POST", "/commissions/:slug/invitations/:id/resend", "invitation.resend", send, h.postResend)
	s.Page("GET", "/invitations/:token", "invitation.show", web.Open, h.getInvitation)
	s.Page("POST", "/invitations/:token/accept", "invitation.accept", web.InCommission("invitation", "answer"), h.postAccept)
	s.Page("POST", "/invitations/:token/decline", "invitation.decline", web.Open, h.postDecline)

	nominate, replace, recall := web.InOrganization("seat", "nominate"), web.InOrganization("seat", "replace"), web.InOrganization("seat", "recall")
	s.Page("GET", "/organizations/:slug/seats", "seat.holdings", nominate, h.getHoldings)
	s.Page("GET", "/organizations/:slug/seats/new", "seat.nominate.form", nominate, h.getNominate)
	s.Page("POST", "/organizations/:slug/seats", "seat.nominate", nominate, h.postNominate)
	s.Page("GET", "/organizations/:slug/seats/:id/replace", "seat.replace.form", replace, h.getReplace)
	s.Page("POST", "/organizations/:slug/seats/:id/replace", "seat.replace", replace, h.postReplace)
	s.Page("GET", "/organizations/:slug/seats/:id/recall", "seat.recall.form", recall, h.getRecall)
	s.Page("POST", "/organizations/:slug/seats/:id/recall", "seat.recall", recall, h.postRecall)
	mountAPI(s, seats)
}

// trouble is a refusal as the form that caused it shows it, with its status:
// what is wrong at the fields, or a sentence above. Not ok is an error that is
// not about the form.
func trouble(ctx context.Context, err error, values map[string]string) (views.Form, int, bool) {
	p := problem.As(err)
	f := views.Form{Values: values, Key: uuid.NewString()}
	if p == nil {
		return f, 0, false
	}
	f.Errors = i18n.FieldProblems(ctx, p)
	if p.Format != "" {
		f.Error = i18n.Problem(ctx, p)
	}
	switch p.Kind {
	case problem.Invalid:
		return f, 422, true
	case problem.Conflict:
		return f, 409, true
	case problem.Stale:
		return f, 412, true
	}
	return f, 0, false
}

func blank(values map[string]string) views.Form {
	return views.Form{Values: values, Key: uuid.NewString()}
}

// id is the key in the path; what is none is not there.
func id(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return id, access.ErrNotFound
	}
	return id, nil
}

func truth(is bool) string {
	if is {
		return "true"
	}
	return ""
}

// asOf is the instant that a list of seats is asked for: see check.AsOf.
func asOf(ctx context.Context, written string) (time.Time, error) {
	var f problem.Fields
	at := check.AsOf(&f, "as_of", written, calendar.Zone(ctx), journal.Now(ctx))
	return at, f.Err()
}

// today is the convention's.
func today(ctx context.Context) string {
	return calendar.Day(ctx, journal.Now(ctx)).Format(time.DateOnly)
}

func (h *pages) tabs(c *fiber.Ctx, home membership.Home, current string) []part.Tab {
	return h.Tabs(c.UserContext(), "commission", home.Path(), home.Scope(), current)
}

// pager leads on in a list at path with its filters.
func pager(path, cursor, next string, filters ...string) part.Paging {
	var p part.Paging
	if cursor != "" {
		p.First = web.Query(path, filters...)
	}
	if next != "" {
		p.Next = web.Query(path, append(filters, "cursor", next)...)
	}
	return p
}

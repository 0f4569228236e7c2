// Package organizationweb has the two doors of organizations, affiliations and
// participations: pages and API.
package organizationweb

import (
	"commissionportal/internal/organization"
	"commissionportal/internal/web"
	"commissionportal/views/layout"
)

type pages struct {
	*web.Server
	organizations *organization.Service
}

// Mount adds the routes of organizations.
func Mount(s *web.Server, organizations *organization.Service) {
	h := &pages{s, organizations}
	read, edit := web.InOrganization("organization", "read"), web.InOrganization("organization", "edit")
	person, claim, leave, decide := web.InPortal("affiliation", "claim"), web.InOrganization("affiliation", "claim"), web.InOrganization("affiliation", "leave"), web.InOrganization("affiliation", "edit")
	register, review := web.InPortal("organization", "register"), web.InPortal("organization", "review")
	in := func(action string) web.Need { return web.InOrganization("organization", action) }

	s.AddEntry("Organizations", "/organizations")
	s.Own = append(s.Own, layout.Entry{Label: "Organizations to review", Path: "/organizations/review"})
	s.AddTab("organization", web.Tab{Label: "Profile", Path: "", Order: 0})
	s.AddTab("organization", web.Tab{Label: "People", Path: "/people", Need: web.InOrganization("affiliation", "read"), Order: 10})
	s.AddTab("organization", web.Tab{Label: "History", Path: "/history", Need: web.InOrganization("history", "read"), Order: 90})
	s.AddTab("account", web.Tab{Label: "Affiliations", Path: "/affiliations", Order: 5})
	s.AddTab("commission", web.Tab{Label: "Organizations", Path: "/organizations", Order: 30})

	s.Moves("organizations", organizations.Renamed)
	s.Moves("participations", organizations.Renamed) // each has an organization's name
	s.Page("GET", "/organizations", "organization.list", web.Kept(web.InPortal("organization", "list")), h.getList)
	s.Page("GET", "/organizations/export", "organization.export", web.InPortal("organization", "list"), h.getExport)
	s.Page("GET", "/organizations/new", "organization.register.form", register, h.getRegister)
	s.Page("GET", "/organizations/names", "organization.names", web.InPortal("organization", "list"), h.getNames)
	s.Page("GET", "/organizations/similar", "organization.similar", register, h.getSimilar)
	s.Page("GET", "/organizations/review", "organization.review", review, h.getReview)
	s.Page("POST", "/organizations", "organization.register", register, h.postRegister)
	s.Page("GET", "/organizations/:slug", "organization.show", web.Kept(read), h.getShow)
	s.Page("GET", "/organizations/:slug/edit", "organization.edit.form", edit, h.getEdit)
	s.Page("POST", "/organizations/:slug", "organization.edit", edit, h.postEdit)
	s.Page("GET", "/organizations/:slug/logo/:digest", "logo.read", read, h.getLogo)
	s.Page("POST", "/organizations/:slug/logo", "logo.set", edit, h.postLogo)
	s.Page("POST", "/organizations/:slug/logo/remove", "logo.remove", edit, h.postRemoveLogo)
	s.Page("GET", "/organizations/:slug/history", "organization.history", web.InOrganization("history", "read"), h.getHistory)
	s.Page("GET", "/organizations/:slug/history.csv", "organization.history.csv", web.InOrganization("history", "read"), h.getHistoryFile)
	s.Page("POST", "/organizations/:slug/accept", "organization.accept", in("accept"), h.postAccept)
	s.Page("POST", "/organizations/:slug/decline", "organization.decline", in("decline"), h.postDecline)
	s.Page("GET", "/organizations/:slug/suspend", "organization.suspend.form", in("suspend"), h.getSuspend)
	s.Page("POST", "/organizations/:slug/suspend", "organization.suspend", in("suspend"), h.postSuspend)
	s.Page("GET", "/organizations/:slug/leave", "organization.leave.form", in("leave"), h.getLeave)
	s.Page("POST", "/organizations/:slug/leave", "organization.leave", in("leave"), h.postLeave)
	s.Page("GET", "/organizations/:slug/reinstate", "organization.reinstate.form", in("reinstate"), h.getReinstate)
	s.Page("POST", "/organizations/:slug/reinstate", "organization.reinstate", in("reinstate"), h.postReinstate)
	s.Page("GET", "/organizations/:slug/merge", "organization.merge.form", in("merge"), h.getMerge)
	s.Page("POST", "/organizations/:slug/merge", "organization.merge", web.Recent(in("merge")), h.postMerge)

	s.Page("GET", "/organizations/:slug/people", "affiliation.list", web.InOrganization("affiliation", "read"), h.getPeople)
	s.Page("GET", "/organizations/:slug/join", "affiliation.claim.form", claim, h.getJoin)
	s.Page("POST", "/organizations/:slug/affiliations", "affiliation.claim", claim, h.postJoin)
	s.Page("POST", "/organizations/:slug/affiliations/:id/confirm", "affiliation.confirm", decide, h.postConfirm)
	s.Page("GET", "/organizations/:slug/affiliations/:id/decline", "affiliation.decline.form", decide, h.getDeclineClaim)
	s.Page("POST", "/organizations/:slug/affiliations/:id/decline", "affiliation.decline", decide, h.postDeclineClaim)
	s.Page("POST", "/organizations/:slug/affiliations/:id/appoint", "affiliation.appoint", decide, h.postAppoint)
	s.Page("POST", "/organizations/:slug/affiliations/:id/dismiss", "affiliation.dismiss", decide, h.postDismiss)
	s.Page("GET", "/organizations/:slug/affiliations/:id/end", "affiliation.end.form", leave, h.getEnd)
	s.Page("POST", "/organizations/:slug/affiliations/:id/end", "affiliation.end", leave, h.postEnd)
	s.Page("POST", "/organizations/:slug/affiliations/:id/title", "affiliation.retitle", claim, h.postTitle)
	s.Page("GET", "/profile/affiliations", "affiliation.mine", person, h.getMine)

	there, place, ask := web.InCommission("participation", "read"), web.InCommission("participation", "edit"), web.InOrganization("participation", "request")
	s.Page("GET", "/commissions/:slug/organizations", "participation.list", web.Kept(there), h.getParticipations)
	s.Page("POST", "/commissions/:slug/organizations", "participation.set", place, h.postSet)
	s.Page("GET", "/commissions/:slug/organizations/:organization/end", "participation.end.form", there, h.getEndParticipation)
	s.Page("POST", "/commissions/:slug/organizations/:organization/end", "participation.end", there, h.postEndParticipation)
	s.Page("POST", "/commissions/:slug/participation-requests", "participation.request", ask, h.postRequest)
	s.Page("POST", "/commissions/:slug/participation-requests/:id/grant", "participation.grant", place, h.postGrant)
	s.Page("GET", "/commissions/:slug/participation-requests/:id/decline", "participation.decline.form", place, h.getRefuse)
	s.Page("POST", "/commissions/:slug/participation-requests/:id/decline", "participation.decline", place, h.postRefuse)
	s.Page("POST", "/commissions/:slug/participation-requests/:id/withdraw", "participation.withdraw", ask, h.postWithdraw)
	mountAPI(s, organizations)
}

package commission

import (
	"context"

	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

func crumbs(ctx context.Context, c commission.Commission) []part.Crumb {
	var list []part.Crumb
	if c.Sector != nil {
		list = append(list, part.Crumb{Label: text(c.SectorName), Path: "/sectors/" + *c.Sector})
	}
	if c.Parent != nil {
		list = append(list, part.Crumb{Label: text(c.ParentName), Path: "/commissions/" + *c.Parent})
	}
	return list
}

// standing says what it means that a commission does not work.
func standing(ctx context.Context, c commission.Commission) string {
	since := i18n.Date(ctx, c.StateSince)
	switch c.State {
	case commission.Dormant:
		return i18n.T(ctx, "It rests since %s. Its seats stay; no new ones are taken.", since)
	case commission.Concluded:
		return i18n.T(ctx, "It concluded on %s. What it did stays readable here.", since)
	}
	return i18n.T(ctx, "Its founding was given up on %s.", since)
}

// joinText explains how one comes to a seat.
func joinText(ctx context.Context, c commission.Commission) string {
	switch c.State {
	case commission.Proposed:
		return i18n.T(ctx, "It is being founded. Support it now; seats can be taken once the call for participation is out.")
	case commission.Dormant:
		return i18n.T(ctx, "It rests: no new seats are taken until it is revived.")
	}
	switch c.JoinMode {
	case "open":
		return i18n.T(ctx, "Whoever asks for a seat has it at once: as representative of an organization, or as an expert.")
	case "application":
		return i18n.T(ctx, "Apply as representative of an organization, or as an expert. The officers decide, and you are told by mail.")
	case "invitation":
		return i18n.T(ctx, "Seats are taken by invitation. Turn to one of the officers.")
	}
	return i18n.T(ctx, "No new seats are taken at present.")
}

func officerLine(ctx context.Context, o commission.Officer) string {
	if o.Organization == nil {
		return Name(ctx, o.Role)
	}
	return i18n.T(ctx, "%s, %s", Name(ctx, o.Role), *o.Organization)
}

func onBehalf(ctx context.Context, organization *string) string {
	if organization == nil {
		return i18n.T(ctx, "in person")
	}
	return *organization
}

func signOptions(ctx context.Context, list []commission.Mine) []part.Option {
	options := make([]part.Option, 0, len(list)+1)
	for _, o := range list {
		options = append(options, part.Option{Value: o.Slug, Label: o.Name})
	}
	return append(options, part.Option{Value: "", Label: i18n.T(ctx, "Myself, in person")})
}

// glance is what the side of the page says of a commission.
func glance(ctx context.Context, p Show) []part.Fact {
	list := []part.Fact{{Label: i18n.T(ctx, "State"), Value: part.Say(i18n.T(ctx, "%s since %s", Name(ctx, p.State), i18n.Date(ctx, p.StateSince)))}}
	if p.Sector != nil {
		list = append(list, part.Fact{Label: i18n.T(ctx, "Sector"), Value: link("/sectors/"+*p.Sector, text(p.SectorName))})
	}
	if p.Parent != nil {
		list = append(list, part.Fact{Label: i18n.T(ctx, "Sits under"), Value: link("/commissions/"+*p.Parent, text(p.ParentName))})
	}
	if p.Convener != nil && (p.State == commission.Proposed || p.State == commission.Forming) {
		list = append(list, part.Fact{Label: i18n.T(ctx, "Convener"), Value: part.Say(*p.Convener)})
	}
	if n := p.About.Facts.Support.Persons; n > 0 && p.State != commission.Proposed { // of those the support has a section
		list = append(list, part.Fact{Label: i18n.T(ctx, "Founded with"), Value: link(p.Path()+"/supporters", i18n.N(ctx, n, "%d supporter", "%d supporters"))})
	}
	return append(list, part.Fact{Label: i18n.T(ctx, "Seats"), Value: part.Say(Name(ctx, p.JoinMode))})
}

// Typed is the form of the settings as they are.
func Typed(c commission.Commission) SettingsForm {
	f := SettingsForm{Name: c.Name, Acronym: c.Acronym, Purpose: c.Purpose, Sector: text(c.Sector), JoinMode: c.JoinMode, RosterVisibility: c.RosterVisibility,
		TermMonths: amount(c.TermMonths), SeatsPerOrganization: amount(c.SeatsPerOrganization), Version: c.Version}
	if c.ParentAcronym != nil {
		f.Parent = commission.Place{Name: text(c.ParentName), Acronym: *c.ParentAcronym}.Text()
	}
	return f
}

// officerPath is the page of an officer: one is read by whoever sees the roster.
func officerPath(c commission.Commission, o commission.Officer) string {
	if c.RosterVisibility != "public" {
		return ""
	}
	return "/persons/" + o.PersonID.String()
}

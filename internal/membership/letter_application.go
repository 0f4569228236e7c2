package membership

import (
	"context"

	"commissionportal/internal/i18n"
	"commissionportal/internal/mail"
)

func applied(ctx context.Context, h Home) string {
	return i18n.T(ctx, "You get this because of an application for a seat in %s.", h.Name)
}

func received(ctx context.Context, h Home, a Application) mail.Note {
	n := mail.Note{Subject: subject(i18n.T(ctx, "%s applies for a seat in %s", a.Person, h.Name)), Button: i18n.T(ctx, "Decide on it"),
		Path: applicationPath(h, a.ID), Footer: officiate(ctx, h)}
	text := i18n.T(ctx, "%s asks for a seat as %s in a personal capacity.", a.Person, Word(a.Role))
	if a.OrganizationName != nil {
		text = i18n.T(ctx, "%s asks for a seat as %s for %s.", a.Person, Word(a.Role), *a.OrganizationName)
	}
	if a.NominatedBy != nil && a.OrganizationName != nil {
		n.Subject = subject(i18n.T(ctx, "%s nominates %s for %s", *a.OrganizationName, a.Person, h.Name))
		text = i18n.T(ctx, "%s nominates %s for a seat as %s.", *a.OrganizationName, a.Person, Word(a.Role))
	}
	n.Paragraphs = paragraphs(text, a.Statement)
	return n
}

func nominated(ctx context.Context, h Home, a Application) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "You are nominated for %s", h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "Your organization has nominated you as %s in %s. Its officers decide; you will hear from them.", Word(a.Role), h.Name),
			i18n.T(ctx, "If you would rather not, withdraw the nomination on its page.")),
		Button: i18n.T(ctx, "Open the nomination"), Path: applicationPath(h, a.ID), Footer: applied(ctx, h)}
}

func approved(ctx context.Context, h Home, a Application, s Seat, own bool) mail.Note {
	if !own {
		return mail.Note{Subject: subject(i18n.T(ctx, "%s has a seat in %s", a.Person, h.Name)),
			Paragraphs: paragraphs(i18n.T(ctx, "The nomination of %s as %s in %s is approved.", a.Person, Word(s.Role), h.Name)),
			Button:     i18n.T(ctx, "Open the seat"), Path: seatPath(h, s.ID), Footer: applied(ctx, h)}
	}
	return mail.Note{Subject: subject(i18n.T(ctx, "Welcome to %s", h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "Your application is approved: you are now %s in %s.", Word(s.Role), h.Name), termLine(ctx, s.Since, s.Until)),
		Button:     i18n.T(ctx, "Open your seat"), Path: seatPath(h, s.ID), Footer: applied(ctx, h)}
}

func rejected(ctx context.Context, h Home, a Application, own bool) mail.Note {
	text := i18n.T(ctx, "Your application as %s in %s was not approved.", Word(a.Role), h.Name)
	if !own {
		text = i18n.T(ctx, "The nomination of %s as %s in %s was not approved.", a.Person, Word(a.Role), h.Name)
	}
	return mail.Note{Subject: subject(i18n.T(ctx, "About the application to %s", h.Name)), Paragraphs: paragraphs(text, reasonLine(ctx, a.Reason)),
		Button: i18n.T(ctx, "Open the application"), Path: applicationPath(h, a.ID), Footer: applied(ctx, h)}
}

func withdrawn(ctx context.Context, h Home, a Application) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "The application of %s to %s is withdrawn", a.Person, h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "Nothing is left for you to decide on the application of %s as %s.", a.Person, Word(a.Role))),
		Button:     i18n.T(ctx, "Open the applications"), Path: h.Path() + "/applications", Footer: officiate(ctx, h)}
}

// undone tells the one of the applicant and the nominator who did not withdraw
// the application that the other did.
func undone(ctx context.Context, h Home, a Application, own bool) mail.Note {
	text := i18n.T(ctx, "%s has withdrawn from the nomination as %s in %s.", a.Person, Word(a.Role), h.Name)
	if own {
		text = i18n.T(ctx, "Your organization has withdrawn your nomination as %s in %s.", Word(a.Role), h.Name)
	}
	return mail.Note{Subject: subject(i18n.T(ctx, "The nomination of %s for %s is withdrawn", a.Person, h.Name)), Paragraphs: paragraphs(text),
		Button: i18n.T(ctx, "Open the nomination"), Path: applicationPath(h, a.ID), Footer: applied(ctx, h)}
}

// lapsed tells of an application that was closed because something else ended.
func lapsed(ctx context.Context, h Home, a Application, reason string) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "About the application to %s", h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "Your application as %s in %s is closed without a decision.", Word(a.Role), h.Name), i18n.T(ctx, reason)),
		Button:     i18n.T(ctx, "Open the application"), Path: applicationPath(h, a.ID), Footer: applied(ctx, h)}
}

// revoked tells who was invited that the letter's link no longer leads to a seat.
func revoked(ctx context.Context, h Home, role string) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "The invitation to %s is taken back", h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "You were invited to take a seat as %s in %s. The invitation has been taken back, and its link ends.", Word(role), h.Name)),
		Button:     i18n.T(ctx, "Open %s", h.Name), Path: h.Path(), Footer: i18n.T(ctx, "You get this because you were invited at this address.")}
}

func invited(ctx context.Context, h Home, i Invitation, token string) mail.Note {
	n := mail.Note{Subject: subject(i18n.T(ctx, "An invitation to %s", h.Name)), Button: i18n.T(ctx, "See the invitation"), Path: "/invitations/" + token, Secret: true,
		Footer: i18n.T(ctx, "You get this because %s gave this address. If it is not for you, take no notice of it.", i.Inviter)}
	text := i18n.T(ctx, "%s invites you to take a seat as %s in %s.", i.Inviter, Word(i.Role), h.Name)
	if i.OrganizationName != nil {
		text = i18n.T(ctx, "%s invites you to take a seat as %s in %s, for %s.", i.Inviter, Word(i.Role), h.Name, *i.OrganizationName)
	}
	n.Paragraphs = paragraphs(text, i.Message, i18n.T(ctx, "The invitation is good until %s, once, and for this address. You need an account; if you have none, you make one on the way.", i.ExpiresAt))
	return n
}

func answered(ctx context.Context, h Home, i Invitation, name string) mail.Note {
	n := mail.Note{Subject: subject(i18n.T(ctx, "%s accepted your invitation to %s", name, h.Name)), Button: i18n.T(ctx, "Open the roster"), Path: h.Path() + "/roster",
		Paragraphs: paragraphs(i18n.T(ctx, "%s accepted the invitation as %s.", name, Word(i.Role))),
		Footer:     i18n.T(ctx, "You get this because you sent the invitation.")}
	if i.State == Declined {
		n.Subject = subject(i18n.T(ctx, "%s declined your invitation to %s", name, h.Name))
		n.Paragraphs = paragraphs(i18n.T(ctx, "%s declined the invitation as %s.", name, Word(i.Role)))
		n.Button, n.Path = i18n.T(ctx, "Open the invitations"), h.Path()+"/invitations"
	}
	return n
}

package account

import (
	"context"

	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
)

// Erase is what the page shows that asks before personal data is erased, or says
// that it will be.
type Erase struct {
	account.Erasing
	Own        bool // the reader's own
	Understood string
	Problem    string
	Errors     map[string]string
	Key        string
}

// action is the address that the page sends to.
func (e Erase) action(what string) string {
	if e.Own {
		return "/profile/data/" + what
	}
	return e.Person.Path() + "/" + what
}

func (e Erase) back() string {
	if e.Own {
		return "/profile/data"
	}
	return e.Person.Path()
}

func (e Erase) title(ctx context.Context) string {
	if e.Own {
		return i18n.T(ctx, "Erase your personal data?")
	}
	return i18n.T(ctx, "Erase the personal data of %s?", e.Person.Name)
}

func (e Erase) goes(ctx context.Context) []string {
	list := []string{i18n.T(ctx, "Signing in: password, sessions, tokens, passkeys and second factors"),
		i18n.T(ctx, "Name, address and whatever else says who it is, in the journal and in letters too")}
	if e.Ends.Seats > 0 {
		list = append(list, i18n.N(ctx, e.Ends.Seats, "%d seat in a commission", "%d seats in commissions"))
	}
	return append(list, i18n.T(ctx, "Acting for organizations, and representing them"),
		i18n.T(ctx, "Applications and invitations, files on their way, shares with this person alone"))
}

// addressOf is the address of who has one.
func addressOf(p account.Person) string {
	if p.State == "erased" {
		return ""
	}
	return p.Email
}

func stays(ctx context.Context) []string {
	return []string{i18n.T(ctx, "What was decided, submitted and written, under a pseudonym such as “Former member 3F2A91C0” that leads back to nobody"),
		i18n.T(ctx, "The files of documents, with whatever stands in them")}
}

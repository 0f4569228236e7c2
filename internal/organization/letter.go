package organization

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// tell writes a letter about o to each reader, in the change it tells of.
func (s *Service) tell(ctx context.Context, tx *journal.Tx, to []mail.Reader, kind string, o Organization, note func(context.Context) mail.Note) error {
	letters := make([]mail.Message, 0, len(to))
	for _, r := range to {
		m, err := s.post.Compose(ctx, r, kind, o.Path(), note)
		if err != nil {
			return err
		}
		letters = append(letters, m)
	}
	if len(letters) == 0 {
		return nil
	}
	return s.post.Enqueue(ctx, tx.SQL(), letters...)
}

const readers = `SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone FROM person p WHERE p.state = 'active' AND p.id `

func secretariat(ctx context.Context, q postgres.Q) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, q, readers+`IN (SELECT person_id FROM portal_role WHERE role = 'secretariat') ORDER BY p.id LIMIT 100`)
}

func person(ctx context.Context, q postgres.Q, id *uuid.UUID) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, q, readers+`= $1`, id)
}

const representing = readers + `IN (
	SELECT person_id FROM affiliation WHERE organization_id = $1 AND representative AND period @> $2::timestamptz) ORDER BY p.id LIMIT 100`

// representatives are whom a claim is told; the secretariat where there is none.
func representatives(ctx context.Context, tx *journal.Tx, organization uuid.UUID) ([]mail.Reader, error) {
	to, err := postgres.All[mail.Reader](ctx, tx, representing, organization, tx.Now)
	if err != nil || len(to) > 0 {
		return to, err
	}
	return secretariat(ctx, tx)
}

// people are all who act for the organization or sit for it in a commission.
func people(ctx context.Context, tx *journal.Tx, organization uuid.UUID) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, tx, readers+`IN (
		SELECT person_id FROM affiliation WHERE organization_id = $1 AND state = 'confirmed' AND period @> $2::timestamptz
		UNION SELECT person_id FROM seat WHERE organization_id = $1 AND period @> $2::timestamptz) ORDER BY p.id LIMIT 5000`, organization, tx.Now)
}

// officersAround are the officers of the commissions in which the organization
// takes part or holds a seat, without those who are told because they act for it.
func officersAround(ctx context.Context, tx *journal.Tx, organization uuid.UUID) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, tx, readers+`IN (
		SELECT t.person_id FROM seat t WHERE t.rank <= 3 AND t.period @> $2::timestamptz AND NOT t.suspended AND t.commission_id IN (
			SELECT commission_id FROM participation WHERE organization_id = $1 AND period @> $2::timestamptz
			UNION SELECT commission_id FROM seat WHERE organization_id = $1 AND period @> $2::timestamptz)
		EXCEPT SELECT person_id FROM affiliation WHERE organization_id = $1 AND state = 'confirmed' AND period @> $2::timestamptz
		EXCEPT SELECT person_id FROM seat WHERE organization_id = $1 AND period @> $2::timestamptz) ORDER BY p.id LIMIT 1000`, organization, tx.Now)
}

func registeredNote(o Organization, who string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		details := [][2]string{{i18n.T(ctx, "Website"), o.Website}}
		if o.Country != nil {
			details = append(details, [2]string{i18n.T(ctx, "Country"), i18n.Country(ctx, *o.Country)})
		}
		return mail.Note{
			Subject:    i18n.T(ctx, "%s asks to be a member", o.Name),
			Paragraphs: []string{i18n.T(ctx, "%s has registered %s. Look at it, and accept or decline it.", who, o.Name)},
			Details:    details, Button: i18n.T(ctx, "Look at the registration"), Path: o.Path(),
			Footer: i18n.T(ctx, "You get this because you are of the secretariat."),
		}
	}
}

func acceptedNote(o Organization) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "%s is a member", o.Name),
			Paragraphs: []string{i18n.T(ctx, "The secretariat has accepted %s as a member of the convention.", o.Name),
				i18n.T(ctx, "As its primary representative you can now take part in commissions, fill its seats and confirm your colleagues.")},
			Button: i18n.T(ctx, "Go to your organization"), Path: o.Path(),
			Footer: i18n.T(ctx, "You get this because you registered the organization."),
		}
	}
}

func declinedNote(o Organization, reason string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "%s was not accepted", o.Name),
			Paragraphs: []string{i18n.T(ctx, "The secretariat has not accepted %s as a member of the convention. It gives this reason:", o.Name), reason},
			Button:     i18n.T(ctx, "See the registration"), Path: o.Path(),
			Footer: i18n.T(ctx, "You get this because you registered the organization."),
		}
	}
}

// endedNote tells the people of an organization that it is suspended or has left.
func endedNote(o Organization, state, reason string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		n := mail.Note{Button: i18n.T(ctx, "See the organization"), Path: o.Path(),
			Footer: i18n.T(ctx, "You get this because you act for this organization.")}
		if state == Suspended {
			n.Subject = i18n.T(ctx, "%s is suspended", o.Name)
			n.Paragraphs = []string{i18n.T(ctx, "The secretariat has suspended %s. Its participations and the seats held for it have ended.", o.Name)}
		} else {
			n.Subject = i18n.T(ctx, "%s has left the convention", o.Name)
			n.Paragraphs = []string{i18n.T(ctx, "%s has left the convention. Its participations and the seats held for it have ended.", o.Name)}
		}
		if reason != "" {
			n.Paragraphs = append(n.Paragraphs, i18n.T(ctx, "The reason given:"), reason)
		}
		return n
	}
}

// lostNote tells officers what they lose with an organization. Its reason is
// between it and the secretariat.
func lostNote(o Organization, state string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		n := mail.Note{Button: i18n.T(ctx, "See the organization"), Path: o.Path(),
			Footer: i18n.T(ctx, "You get this because you are an officer of a commission in which it took part.")}
		if state == Suspended {
			n.Subject = i18n.T(ctx, "%s is suspended", o.Name)
			n.Paragraphs = []string{i18n.T(ctx, "The secretariat has suspended %s. Its participation in your commission and the seats held for it have ended.", o.Name)}
		} else {
			n.Subject = i18n.T(ctx, "%s has left the convention", o.Name)
			n.Paragraphs = []string{i18n.T(ctx, "%s has left the convention. Its participation in your commission and the seats held for it have ended.", o.Name)}
		}
		return n
	}
}

func reinstatedNote(o Organization) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "%s is a member again", o.Name),
			Paragraphs: []string{i18n.T(ctx, "The secretariat has reinstated %s. Its participations and seats do not come back by themselves: ask for them anew.", o.Name)},
			Button:     i18n.T(ctx, "Go to your organization"), Path: o.Path(),
			Footer: i18n.T(ctx, "You get this because you act for this organization."),
		}
	}
}

func mergedNote(from, into Organization) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "%s is now part of %s", from.Name, into.Name),
			Paragraphs: []string{i18n.T(ctx, "The secretariat has merged %s into %s, because they are the same. Whoever acted for the one now acts for the other.", from.Name, into.Name),
				i18n.T(ctx, "Participations and seats moved with it; old addresses lead to the new page.")},
			Button: i18n.T(ctx, "Go to your organization"), Path: into.Path(),
			Footer: i18n.T(ctx, "You get this because you act for this organization."),
		}
	}
}

func claimedNote(o Organization, who, title string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		n := mail.Note{
			Subject:    i18n.T(ctx, "%s says to act for %s", who, o.Name),
			Paragraphs: []string{i18n.T(ctx, "%s says to act for %s. Confirm it if that is right.", who, o.Name)},
			Button:     i18n.T(ctx, "Confirm or decline"), Path: o.Path() + "/people",
			Footer: i18n.T(ctx, "You get this because you are a primary representative of the organization, or of the secretariat."),
		}
		if title != "" {
			n.Details = [][2]string{{i18n.T(ctx, "Title"), title}}
		}
		return n
	}
}

// affiliationNote tells a person what became of an affiliation: confirmed,
// declined, ended, representative (made one) or dismissed (one no more).
func affiliationNote(o Organization, what, reason string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		n := mail.Note{Button: i18n.T(ctx, "See your affiliations"), Path: "/profile/affiliations",
			Footer: i18n.T(ctx, "You get this because you said to act for this organization.")}
		say := func(subject, text string) {
			n.Subject, n.Paragraphs = i18n.T(ctx, subject, o.Name), []string{i18n.T(ctx, text, o.Name)}
		}
		switch what {
		case Confirmed:
			say("You act for %s", "It is confirmed that you act for %s. You can apply to commissions for it.")
		case DeclinedClaim:
			say("You do not act for %s", "%s has not confirmed that you act for it.")
		case "ended":
			say("You no longer act for %s", "Your affiliation with %s has ended.")
		case "representative":
			say("You are a primary representative of %s", "You are now a primary representative of %s: you edit its profile, fill its seats and confirm its people.")
		case "dismissed":
			say("You are no longer a primary representative of %s", "You still act for %s, but are no longer one of its primary representatives.")
		}
		if reason != "" {
			n.Paragraphs = append(n.Paragraphs, i18n.T(ctx, "The reason given:"), reason)
		}
		return n
	}
}

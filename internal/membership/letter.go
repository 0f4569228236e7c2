package membership

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// letters collects what one change says to people, to be enqueued together.
type letters struct {
	post     *mail.Post
	access   *access.Policy
	messages []mail.Message
}

// to adds a letter.
func (l *letters) to(ctx context.Context, r mail.Reader, kind, about string, note func(context.Context) mail.Note) error {
	m, err := l.post.Compose(ctx, r, kind, about, note)
	if err == nil {
		l.messages = append(l.messages, m)
	}
	return err
}

// each adds a letter to every person of ids, who are read in one query.
func (l *letters) each(ctx context.Context, tx *journal.Tx, ids []uuid.UUID, kind, about string, note func(context.Context, uuid.UUID) mail.Note) error {
	readers, err := readersOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	told := map[uuid.UUID]bool{}
	for _, id := range ids {
		r, ok := readers[id]
		if !ok || told[id] {
			continue
		}
		told[id] = true
		if err := l.to(ctx, r, kind, about, func(ctx context.Context) mail.Note { return note(ctx, id) }); err != nil {
			return err
		}
	}
	return nil
}

// officers adds a letter to everybody who decides on applications, except who
// acts.
func (l *letters) officers(ctx context.Context, tx *journal.Tx, h Home, kind, about string, note func(context.Context) mail.Note) error {
	readers, err := deciders(ctx, tx, l.access, h, tx.Now)
	if err != nil {
		return err
	}
	for _, r := range readers {
		if r.Person == tx.Permit().Actor().ID {
			continue
		}
		if err := l.to(ctx, r, kind, about, func(ctx context.Context) mail.Note {
			n := note(ctx)
			n.Needs = []mail.Need{{Commission: h.ID, Object: "application", Action: "decide"}}
			return n
		}); err != nil {
			return err
		}
	}
	return nil
}

// represented is an organization with one of its primary representatives.
type represented struct {
	mail.Reader
	Organization uuid.UUID `db:"organization_id"`
	Slug         string    `db:"slug"`
	Name         string    `db:"name"`
}

// representatives adds a letter to the primary representatives of organizations
// whose seats have been given or have ended, one for all the seats of theirs,
// except about their own seat and what they did themselves.
func (l *letters) representatives(ctx context.Context, tx *journal.Tx, h Home, seats []Seat, kind string, note func(context.Context, Home, represented, []Seat) mail.Note) error {
	of := map[uuid.UUID][]Seat{}
	var ids []uuid.UUID
	for _, s := range seats {
		if s.OrganizationID != nil {
			of[*s.OrganizationID] = append(of[*s.OrganizationID], s)
			ids = append(ids, *s.OrganizationID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	all, err := postgres.All[represented](ctx, tx, `SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone, a.organization_id, o.slug, o.name
		FROM affiliation a JOIN person p ON p.id = a.person_id JOIN organization o ON o.id = a.organization_id
		WHERE a.organization_id = ANY($1::uuid[]) AND a.representative AND a.state = 'confirmed' AND a.period @> $2::timestamptz AND p.state = 'active'
		ORDER BY a.organization_id, p.id`, postgres.IDs(ids), tx.Now)
	if err != nil {
		return err
	}
	for _, r := range all {
		others := slices.DeleteFunc(slices.Clone(of[r.Organization]), func(s Seat) bool { return s.PersonID == r.Person })
		if len(others) == 0 || r.Person == tx.Permit().Actor().ID {
			continue
		}
		if err := l.to(ctx, r.Reader, kind, "/organizations/"+r.Slug, func(ctx context.Context) mail.Note { return note(ctx, h, r, others) }); err != nil {
			return err
		}
	}
	return nil
}

// send enqueues all of them in the change.
func (l *letters) send(ctx context.Context, tx *journal.Tx) error {
	if len(l.messages) == 0 {
		return nil
	}
	return l.post.Enqueue(ctx, tx.SQL(), l.messages...)
}

// subject makes a text fit for the subject of a letter.
func subject(text string) string { return strings.Join(strings.Fields(text), " ") }

func seatPath(h Home, id uuid.UUID) string { return h.Path() + "/seats/" + id.String() }

func why(ctx context.Context, h Home) string {
	return i18n.T(ctx, "You get this because it concerns your seat in %s.", h.Name)
}

func officiate(ctx context.Context, h Home) string {
	return i18n.T(ctx, "You get this because you are an officer or the convener of %s.", h.Name)
}

func paragraphs(all ...string) []string {
	var kept []string
	for _, p := range all {
		if strings.TrimSpace(p) != "" {
			kept = append(kept, p)
		}
	}
	return kept
}

func reasonLine(ctx context.Context, reason string) string {
	if reason == "" {
		return ""
	}
	return i18n.T(ctx, "The reason given: %s", reason)
}

func termLine(ctx context.Context, from time.Time, until *time.Time) string {
	if until == nil {
		return i18n.T(ctx, "It begins on %s and has no end date.", i18n.DayOf(ctx, from))
	}
	return i18n.T(ctx, "It begins on %s and ends on %s.", i18n.DayOf(ctx, from), i18n.LastDay(ctx, *until))
}

func given(ctx context.Context, h Home, s Seat) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "You have a seat in %s", h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "You are now %s in %s.", Word(s.Role), h.Name), termLine(ctx, s.Since, s.Until)),
		Button:     i18n.T(ctx, "Open your seat"), Path: seatPath(h, s.ID), Footer: why(ctx, h)}
}

func changed(ctx context.Context, h Home, was, next Seat) mail.Note {
	n := mail.Note{Subject: subject(i18n.T(ctx, "Your seat in %s has changed", h.Name)), Button: i18n.T(ctx, "Open your seat"), Path: seatPath(h, next.ID), Footer: why(ctx, h)}
	var said []string
	if next.Suspended && !was.Suspended {
		n.Subject = subject(i18n.T(ctx, "Your seat in %s is suspended", h.Name))
		said = append(said, i18n.T(ctx, "Your seat as %s is suspended: it stays yours, but gives no rights until the suspension is lifted.", Word(next.Role)))
	}
	if was.Suspended && !next.Suspended {
		n.Subject = subject(i18n.T(ctx, "Your seat in %s is yours again", h.Name))
		said = append(said, i18n.T(ctx, "The suspension of your seat as %s is lifted.", Word(next.Role)))
	}
	if next.Role != was.Role {
		said = append(said, i18n.T(ctx, "You were %s and are now %s.", Word(was.Role), Word(next.Role)))
	}
	if next.Voting != was.Voting && next.Voting {
		said = append(said, i18n.T(ctx, "Your seat now has a vote."))
	}
	if next.Voting != was.Voting && !next.Voting {
		said = append(said, i18n.T(ctx, "Your seat no longer has a vote."))
	}
	if !sameInstant(was.Until, next.Until) {
		if next.Until == nil {
			said = append(said, i18n.T(ctx, "Your term now has no end date."))
		} else {
			said = append(said, i18n.T(ctx, "Your term now ends on %s.", i18n.LastDay(ctx, *next.Until)))
		}
	}
	n.Paragraphs = paragraphs(append(said, reasonLine(ctx, next.Reason))...)
	return n
}

func left(ctx context.Context, h Home, s Seat) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "%s has left %s", s.Name, h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "%s has given up the seat as %s.", s.Name, Word(s.Role))),
		Button:     i18n.T(ctx, "Open the roster"), Path: h.Path() + "/roster", Footer: officiate(ctx, h)}
}

func ended(ctx context.Context, h Home, s Seat, because, reason string) mail.Note {
	text := i18n.T(ctx, "Your seat as %s in %s has been ended by an officer of the commission.", Word(s.Role), h.Name)
	switch because {
	case Recalled:
		text = i18n.T(ctx, "Your organization has recalled you from your seat as %s in %s.", Word(s.Role), h.Name)
	case Organization:
		text = i18n.T(ctx, "Your seat as %s in %s has ended, because you no longer act for a member of the convention in it.", Word(s.Role), h.Name)
	case Concluded:
		text = i18n.T(ctx, "%[2]s has concluded, and with it your seat as %[1]s. Thank you for your work.", Word(s.Role), h.Name)
	case Merged:
		text = i18n.T(ctx, "Your seat as %s in %s has ended, because you hold the same seat for the organization that yours became part of.", Word(s.Role), h.Name)
	case "":
		text = i18n.T(ctx, "The term of your seat as %s in %s has ended. Thank you for your work.", Word(s.Role), h.Name)
	}
	return mail.Note{Subject: subject(i18n.T(ctx, "Your seat in %s has ended", h.Name)), Paragraphs: paragraphs(text, reasonLine(ctx, reason)),
		Button: i18n.T(ctx, "Open %s", h.Name), Path: h.Path(), Footer: why(ctx, h)}
}

func replaced(ctx context.Context, h Home, was, next Seat, leaving bool) mail.Note {
	if leaving {
		return mail.Note{Subject: subject(i18n.T(ctx, "%s takes over your seat in %s", next.Name, h.Name)),
			Paragraphs: paragraphs(i18n.T(ctx, "Your organization has named %s to follow you as %s in %s from now on.", next.Name, Word(was.Role), h.Name), i18n.T(ctx, "Thank you for your work.")),
			Button:     i18n.T(ctx, "Open %s", h.Name), Path: h.Path(), Footer: why(ctx, h)}
	}
	n := given(ctx, h, next)
	n.Paragraphs = paragraphs(i18n.T(ctx, "Your organization has named you to follow %s as %s in %s.", was.Name, Word(next.Role), h.Name), termLine(ctx, next.Since, next.Until))
	return n
}

func successor(ctx context.Context, h Home, p Party, was, next Seat) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "%s follows %s in %s", next.Name, was.Name, h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "%s has named %s to follow %s as %s. The seat goes on with its term.", p.Name, next.Name, was.Name, Word(was.Role))),
		Button:     i18n.T(ctx, "Open the seat"), Path: seatPath(h, next.ID), Footer: officiate(ctx, h)}
}

func recalled(ctx context.Context, h Home, p Party, was Seat) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "%s has left %s", was.Name, h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "%s has recalled %s from the seat as %s.", p.Name, was.Name, Word(was.Role))),
		Button:     i18n.T(ctx, "Open the roster"), Path: h.Path() + "/roster", Footer: officiate(ctx, h)}
}

func represent(ctx context.Context, r represented) string {
	return i18n.T(ctx, "You get this because you are a primary representative of %s.", r.Name)
}

// gained tells a primary representative who sits for the organization from now on.
func gained(ctx context.Context, h Home, r represented, seats []Seat) mail.Note {
	n := mail.Note{Subject: subject(i18n.T(ctx, "%s has a new seat in %s", r.Name, h.Name)), Button: i18n.T(ctx, "Open the seats of %s", r.Name),
		Path: "/organizations/" + r.Slug + "/seats", Footer: represent(ctx, r)}
	for _, s := range seats {
		n.Paragraphs = append(n.Paragraphs, i18n.T(ctx, "%s sits for %s as %s in %s. If you want to send somebody else, replace or recall the person.", s.Name, r.Name, Word(s.Role), h.Name))
	}
	return n
}

// lost tells a primary representative who no longer sits for the organization.
func lost(ctx context.Context, h Home, r represented, seats []Seat) mail.Note {
	n := mail.Note{Subject: subject(i18n.T(ctx, "%s has lost a seat in %s", r.Name, h.Name)), Button: i18n.T(ctx, "Open the seats of %s", r.Name),
		Path: "/organizations/" + r.Slug + "/seats", Footer: represent(ctx, r)}
	for _, s := range seats {
		n.Paragraphs = append(n.Paragraphs, i18n.T(ctx, "%s no longer sits for %s as %s in %s.", s.Name, r.Name, Word(s.Role), h.Name))
	}
	return n
}

// taken tells the officers of an open commission who has taken a seat.
func taken(ctx context.Context, h Home, s Seat) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "%s has taken a seat in %s", s.Name, h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "%s is now %s in %s, which is open to join.", s.Name, Word(s.Role), h.Name)),
		Button:     i18n.T(ctx, "Open the seat"), Path: seatPath(h, s.ID), Footer: officiate(ctx, h)}
}

// moved tells of a seat that goes on for the organization that another became
// part of.
func moved(ctx context.Context, h Home, s Seat, into string) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "You now sit for %s in %s", into, h.Name)),
		Paragraphs: paragraphs(i18n.T(ctx, "Your organization has become part of %s. Your seat as %s in %s goes on for it, with its term.", into, Word(s.Role), h.Name)),
		Button:     i18n.T(ctx, "Open your seat"), Path: seatPath(h, s.ID), Footer: why(ctx, h)}
}

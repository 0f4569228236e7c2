package membership

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
)

// letters collects what one change says to people, to be enqueued together.
type letters struct {
	post     *mail.Post
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
	readers, err := officersOf(ctx, tx, h, tx.Now)
	if err != nil {
		return err
	}
	for _, r := range readers {
		if r.Person == tx.Permit().Actor().ID {
			continue
		}
		if err := l.to(ctx, r, kind, about, note); err != nil {
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
		return i18n.T(ctx, "It begins on %s and has no end date.", from)
	}
	return i18n.T(ctx, "It begins on %s and ends on %s.", from, until.Add(-time.Microsecond))
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
			said = append(said, i18n.T(ctx, "Your term now ends on %s.", next.Until.Add(-time.Microsecond)))
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

package document

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// tell writes the letters that a step of a document calls for: to the officers
// what waits for them, to its author what they decided.
func (s *Service) tell(ctx context.Context, tx *journal.Tx, d Document) error {
	actor := tx.Permit().Actor().ID
	var readers []mail.Reader
	var err error
	var kind string
	var note func(context.Context) mail.Note
	switch {
	case d.Waiting():
		kind, note = "document.submitted", func(ctx context.Context) mail.Note { return submitted(ctx, d) }
		readers, err = s.deciders(ctx, tx, d.CommissionID, tx.Now)
	case d.AuthorID == nil || *d.AuthorID == actor:
		return nil
	case d.Review != nil:
		kind, note = "document.returned", func(ctx context.Context) mail.Note { return returned(ctx, d) }
		readers, err = readerOf(ctx, tx, *d.AuthorID)
	case d.Status == Withdrawn:
		kind, note = "document.withdrawn", func(ctx context.Context) mail.Note { return withdrawn(ctx, d) }
		readers, err = readerOf(ctx, tx, *d.AuthorID)
	case d.Status == Available && d.StatusSince.Equal(tx.Now) && tx.Permit().Action() != "restore": // which accepts nothing
		kind, note = "document.accepted", func(ctx context.Context) mail.Note { return accepted(ctx, d) }
		readers, err = readerOf(ctx, tx, *d.AuthorID)
	}
	if err != nil {
		return err
	}
	return s.send(ctx, tx, readers, kind, "/documents/"+d.ID.String(), note)
}

// send enqueues the letter for every reader but who caused it.
func (s *Service) send(ctx context.Context, tx *journal.Tx, readers []mail.Reader, kind, about string, note func(context.Context) mail.Note) error {
	var messages []mail.Message
	for _, r := range readers {
		if r.Person == tx.Permit().Actor().ID {
			continue
		}
		m, err := s.post.Compose(ctx, r, kind, about, note)
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	if len(messages) == 0 {
		return nil
	}
	return s.post.Enqueue(ctx, tx.SQL(), messages...)
}

// Reads reports whether the actor may read all of these documents.
func (s *Service) Reads(ctx context.Context, who access.Actor, ids []uuid.UUID) (bool, error) {
	var w postgres.Where
	all := w.Arg(postgres.IDs(ids))
	w.And("d.id = x.id")
	w.And(access.See(ctx, who).Document(&w, "d", journal.Now(ctx)))
	return postgres.One[bool](ctx, s.db, nil, `SELECT NOT EXISTS (SELECT FROM unnest(`+all+`::uuid[]) x (id) WHERE NOT EXISTS (SELECT FROM document d WHERE `+w.SQL()+`))`, w.Args()...)
}

// subject makes a text fit for the subject of a letter.
func subject(text string) string { return strings.Join(strings.Fields(text), " ") }

func submitted(ctx context.Context, d Document) mail.Note {
	text := i18n.T(ctx, "“%s” was submitted to the register of %s. Accept it, which gives it a number, or return it with a reason.", d.Title, d.CommissionName)
	if d.OrganizationName != nil {
		text = i18n.T(ctx, "%[3]s submitted “%[1]s” to the register of %[2]s. Accept it, which gives it a number, or return it with a reason.", d.Title, d.CommissionName, *d.OrganizationName)
	}
	return mail.Note{Subject: subject(i18n.T(ctx, "A document waits in %s", d.CommissionName)), Paragraphs: []string{text}, Button: i18n.T(ctx, "Open the document"),
		Needs: mail.ToRead(d.ID), Path: "/documents/" + d.ID.String(), Footer: i18n.T(ctx, "You get this because you are an officer or the convener of %s.", d.CommissionName)}
}

func footer(ctx context.Context, d Document) string {
	return i18n.T(ctx, "You get this because you submitted a document to %s.", d.CommissionName)
}

func accepted(ctx context.Context, d Document) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "Your document is %s now", d.Reference())),
		Paragraphs: []string{i18n.T(ctx, "The officers of %s accepted “%s”. Its number is %s.", d.CommissionName, d.Title, d.Reference())},
		Button:     i18n.T(ctx, "Open the document"), Path: d.Path(), Footer: footer(ctx, d), Needs: mail.ToRead(d.ID)}
}

func returned(ctx context.Context, d Document) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "Your document was returned")),
		Paragraphs: []string{i18n.T(ctx, "The officers of %s returned “%s”. Change it and submit it again.", d.CommissionName, d.Title), i18n.T(ctx, "The reason given: %s", d.ReviewReason)},
		Button:     i18n.T(ctx, "Open the document"), Path: d.Path(), Footer: footer(ctx, d)}
}

func withdrawn(ctx context.Context, d Document) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "%s was withdrawn", d.Reference())),
		Paragraphs: []string{i18n.T(ctx, "“%s” was withdrawn from the register of %s. Its number stays.", d.Title, d.CommissionName), i18n.T(ctx, "The reason given: %s", d.StatusReason)},
		Button:     i18n.T(ctx, "Open the document"), Path: d.Path(), Footer: footer(ctx, d)}
}

func shared(ctx context.Context, d Document, by string, with Grant, to Recipient, until *time.Time) mail.Note {
	text := i18n.T(ctx, "%s shares “%s” of %s with you.", by, d.Title, d.owner())
	footer := i18n.T(ctx, "You get this because a document is shared with you.")
	switch with.With {
	case WithCommission:
		text = i18n.T(ctx, "%s shares “%s” of %s with %s. All its members can read it.", by, d.Title, d.owner(), to.Name)
		footer = i18n.T(ctx, "You get this because you are an officer or the convener of %s.", to.Name)
	case WithOrganization:
		text = i18n.T(ctx, "%s shares “%s” of %s with %s. All who act for it can read it.", by, d.Title, d.owner(), to.Name)
		footer = i18n.T(ctx, "You get this because you are a primary representative of %s.", to.Name)
	}
	n := mail.Note{Subject: subject(i18n.T(ctx, "%s is shared with you", d.Reference())), Paragraphs: []string{text}, Button: i18n.T(ctx, "Open the document"), Path: d.Path(), Footer: footer, Needs: mail.ToRead(d.ID)}
	if with.Reason != "" {
		n.Paragraphs = append(n.Paragraphs, i18n.T(ctx, "The reason given: %s", with.Reason))
	}
	if with.Level == "see" {
		n.Paragraphs = append(n.Paragraphs, i18n.T(ctx, "It can be seen here, but its files cannot be downloaded."))
	}
	if until != nil {
		n.Paragraphs = append(n.Paragraphs, i18n.T(ctx, "It is shared until %s.", i18n.LastDay(ctx, *until)))
	}
	return n
}

package document

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/blob"
	"commissionportal/internal/clamd"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Scanner finds the virus in what r yields; "" for none.
type Scanner interface {
	Scan(ctx context.Context, r io.Reader) (virus string, err error)
}

// What a search for viruses came to.
const (
	unscanned  = "none"
	clean      = "clean"
	tooLarge   = "too_large" // for the scanner
	unsearched = "waiting"   // an upload that is whole and not searched yet
	infected   = "infected"
)

// scan searches content in the store, and says what came of it; virus is set if it
// is infected.
func (s *Service) scan(ctx context.Context, d blob.Digest) (verdict, virus string, err error) {
	r, err := s.files.Reader(ctx, d, 0, -1)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	virus, err = s.Scanner.Scan(ctx, r)
	switch {
	case errors.Is(err, clamd.ErrTooLarge):
		return tooLarge, "", nil
	case err != nil:
		return "", "", err
	case virus != "":
		return infected, virus, nil
	}
	return clean, "", nil
}

// check searches an upload that is whole, if that is still to be done. What is
// infected is refused: no row names its content, which is swept away.
func (s *Service) check(ctx context.Context, who access.Actor, u Upload) (Upload, error) {
	if u.Scan != unsearched {
		return u, nil
	}
	verdict, virus := unscanned, ""
	if s.Scanner != nil { // it may have been switched off meanwhile
		var err error
		if verdict, virus, err = s.scan(ctx, *u.Digest); err != nil {
			return u, err
		}
	}
	if verdict != infected {
		u.Scan = verdict
		return u, postgres.ExecOne(ctx, s.db, access.ErrNotFound, `UPDATE upload SET scan = $2 WHERE id = $1`, u.ID, verdict)
	}
	permit, err := s.access.Require(ctx, who, access.Portal, "upload", "send")
	if err != nil {
		return u, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := postgres.ExecOne(ctx, tx, access.ErrNotFound, `DELETE FROM upload WHERE id = $1`, u.ID); err != nil {
			return err
		}
		readers, err := secretariat(ctx, tx)
		if err != nil {
			return err
		}
		if err := s.send(ctx, tx, readers, "document.infected", "", func(ctx context.Context) mail.Note {
			return mail.Note{Subject: i18n.T(ctx, "A virus was refused"),
				Paragraphs: []string{i18n.T(ctx, "%[1]s sent the file “%[2]s”, in which %[3]s was found. It was not taken.", who.Name, u.FileName, virus)},
				Footer:     i18n.T(ctx, "You get this because you are of the secretariat.")}
		}); err != nil {
			return err
		}
		return tx.RecordAs("upload", "refuse", u.ID, journal.Say("Refused the file %s, in which %s was found", u.FileName, virus))
	})
	return u, errors.Join(err, problem.Field("file", "A virus was found in this file: %s. It is not taken.", virus))
}

// mostScanned bounds what one round of ScanRest takes up.
const mostScanned = 2000

// ScanRest searches files that were taken before there was a scanner.
func (s *Service) ScanRest(ctx context.Context) error {
	if s.Scanner == nil {
		return nil
	}
	rest, err := postgres.All[blob.Digest](ctx, s.db, `SELECT digest FROM file WHERE scan = 'none' ORDER BY digest LIMIT $1`, mostScanned)
	if err != nil {
		return err
	}
	for _, d := range rest {
		verdict, virus, err := s.scan(ctx, d)
		switch {
		case problem.Of(err, problem.NotFound): // `portal documents verify` says so
			continue
		case err != nil:
			return fmt.Errorf("scan %s: %w", d, err)
		case verdict == infected:
			err = s.quarantine(ctx, d, virus)
		default:
			_, err = s.db.Exec(ctx, `UPDATE file SET scan = $2 WHERE digest = $1 AND scan = 'none'`, d, verdict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// quarantine keeps a file that is infected from everybody, and tells those who
// brought it and the secretariat.
func (s *Service) quarantine(ctx context.Context, d blob.Digest, virus string) error {
	permit := access.System("document.scan", access.Portal, "file", "quarantine")
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		news, err := postgres.All[bool](ctx, tx, `UPDATE file SET scan = 'infected' WHERE digest = $1 AND scan = 'none' RETURNING true`, d)
		if err != nil {
			return err
		}
		if len(news) == 0 {
			return errToldAlready
		}
		found, err := postgres.All[struct {
			ID     uuid.UUID  `db:"id"`
			Title  string     `db:"title"`
			Person *uuid.UUID `db:"person_id"`
		}](ctx, tx, `SELECT DISTINCT d.id, d.title, v.person_id FROM document_version v JOIN document d ON d.id = v.document_id WHERE v.digest = $1 ORDER BY d.id LIMIT 1000`, d)
		if err != nil {
			return err
		}
		staff, err := secretariat(ctx, tx)
		if err != nil {
			return err
		}
		brought, err := postgres.All[mail.Reader](ctx, tx, `
			SELECT id AS person_id, email, name AS person_name, language, time_zone FROM person
			WHERE state = 'active' AND id IN (SELECT person_id FROM document_version WHERE digest = $1) ORDER BY id LIMIT 1000`, d)
		if err != nil {
			return err
		}
		note := func(footer string) func(context.Context) mail.Note {
			return func(ctx context.Context) mail.Note {
				n := mail.Note{Subject: i18n.T(ctx, "A virus was found in a document"),
					Paragraphs: []string{i18n.T(ctx, "%s was found in a file of the documents below. It is not given to anybody any more. Add a version without it.", virus)},
					Footer:     i18n.T(ctx, footer)}
				for _, f := range found[:min(len(found), 20)] {
					n.Details = append(n.Details, [2]string{i18n.T(ctx, "Title"), f.Title})
				}
				if len(found) > 0 {
					n.Button, n.Path = i18n.T(ctx, "Open the document"), "/documents/"+found[0].ID.String()
				}
				return n
			}
		}
		if err := errors.Join(s.send(ctx, tx, brought, "document.infected", "", note("You get this because you brought the file.")),
			s.send(ctx, tx, staff, "document.infected", "", note("You get this because you are of the secretariat."))); err != nil {
			return err
		}
		for _, f := range found {
			if err := tx.RecordAs("document", "quarantine", f.ID, journal.Say("%s was found in a file of %s, which is given to nobody any more", virus, f.Title)); err != nil {
				return err
			}
		}
		if len(found) == 0 {
			return tx.RecordAs("file", "quarantine", uuid.Nil, journal.Say("%s was found in the file %s", virus, d.String()))
		}
		return nil
	})
	if errors.Is(err, errToldAlready) {
		return nil
	}
	return err
}

// errToldAlready ends what another server, which found the same, has done.
var errToldAlready = errors.New("the file is in quarantine")

// secretariat are its members, to write to.
func secretariat(ctx context.Context, q postgres.Q) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, q, `SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone
		FROM person p WHERE p.state = 'active' AND p.id IN (SELECT person_id FROM portal_role WHERE role = 'secretariat') ORDER BY p.id LIMIT 100`)
}

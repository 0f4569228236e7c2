package document

import (
	"context"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/blob"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// MostSeveral is how many documents can be submitted at once.
const MostSeveral = 50

// Piece is one of several documents that are submitted at once: what it does not
// share with the others.
type Piece struct {
	Title  string
	Upload uuid.UUID
}

// TitleOf guesses the title of a document from the name of its file.
func TitleOf(fileName string) string {
	title := strings.Join(strings.FieldsFunc(strings.TrimSuffix(fileName, path.Ext(fileName)), func(r rune) bool { return r == '_' || r == ' ' }), " ")
	if utf8.RuneCountInString(title) < 3 {
		return fileName
	}
	return title
}

// Uploads reads the files of the actor's that have these ids and are whole.
func (s *Service) Uploads(ctx context.Context, who access.Actor, ids []uuid.UUID) (map[uuid.UUID]Upload, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "upload", "send"); err != nil {
		return nil, err
	}
	list, err := postgres.All[Upload](ctx, s.db, `
		SELECT `+uploadColumns+` FROM upload WHERE id = ANY($1::uuid[]) AND person_id = $2 AND digest IS NOT NULL AND scan <> 'waiting' AND expires_at > $3 LIMIT $4`,
		pq.Array(ids), who.ID, journal.Now(ctx), MostSeveral)
	found := make(map[uuid.UUID]Upload, len(list))
	for _, u := range list {
		found[u.ID] = u
	}
	return found, err
}

// SubmitSeveral is Submit for several files at once, all of them or none: each
// becomes a document of its own with what common says and a title of its own, and
// an entry in the journal. What is wrong with one is said of title.N or file.N,
// counted from 0. The officers get one letter for all.
func (s *Service) SubmitSeveral(ctx context.Context, who access.Actor, slug string, common Draft, pieces []Piece, submit bool) ([]Document, error) {
	h, permit, err := s.home(ctx, who, slug, "document", "submit")
	if err != nil {
		return nil, err
	}
	if err := checkSeveral(&common, pieces, today(ctx)); err != nil {
		return nil, err
	}
	direct := s.access.May(who, h.Scope(), "document", "accept")
	var made []Document
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		common, r, err := s.begin(ctx, tx, h, common)
		if err != nil {
			return err
		}
		accept := submit && (direct || !r.Review)
		files, err := takeSeveral(ctx, tx, pieces)
		if err != nil {
			return err
		}
		made = make([]Document, len(pieces))
		for i, p := range pieces {
			d, note := common, journal.Say("Prepared %s", p.Title)
			d.ID, d.Title, d.Versions, d.Languages = uuid.Must(uuid.NewV7()), p.Title, 1, pq.StringArray{d.Language}
			if submit {
				d, note = d.submit(r, tx.Now), journal.Say("Submitted %s", p.Title)
			}
			if accept {
				if d, err = d.Accept(r.Last+1+i, tx.Now); err != nil {
					return err
				}
				note = journal.Say("Submitted %s as %s", d.Title, d.Reference())
			}
			made[i] = d
			if err := tx.RecordAs("document", permit.Action(), d.ID, note); err != nil {
				return err
			}
		}
		if err := s.insertSeveral(ctx, tx, made, files, r); err != nil {
			return err
		}
		if !submit || accept {
			return nil
		}
		return s.tellOfSeveral(ctx, tx, made)
	})
	if err != nil {
		return nil, constraint(err)
	}
	return made, nil
}

func checkSeveral(common *Draft, pieces []Piece, today string) error {
	var f problem.Fields
	switch {
	case len(pieces) == 0:
		f.Add("file", "Choose at least one file.")
	case len(pieces) > MostSeveral:
		f.Add("file", "Choose at most %d files.", MostSeveral)
	}
	common.Title = "of each its own"
	if p := problem.As(common.Check(today)); p != nil {
		for _, w := range p.Fields {
			f.Add(w.Field, w.Format, w.Args...)
		}
	}
	for i := range pieces {
		check.Line(&f, fmt.Sprintf("title.%d", i), &pieces[i].Title, 3, 500)
	}
	return f.Err()
}

// takeSeveral is take for the file of every piece, in their order.
func takeSeveral(ctx context.Context, tx *journal.Tx, pieces []Piece) ([]File, error) {
	ids := make([]uuid.UUID, len(pieces))
	for i, p := range pieces {
		ids[i] = p.Upload
	}
	list, err := postgres.All[Upload](ctx, tx, `
		DELETE FROM upload WHERE id = ANY($1::uuid[]) AND person_id = $2 AND digest IS NOT NULL AND scan <> 'waiting' AND expires_at > $3 RETURNING `+uploadColumns,
		pq.Array(ids), tx.Permit().Actor().ID, tx.Now)
	if err != nil {
		return nil, err
	}
	taken := make(map[uuid.UUID]Upload, len(list))
	for _, u := range list {
		taken[u.ID] = u
	}
	var f problem.Fields
	files := make([]File, len(pieces))
	for i, id := range ids {
		u, ok := taken[id]
		if !ok {
			f.Add(fmt.Sprintf("file.%d", i), "This file is not here any more. Choose it again.")
			continue
		}
		delete(taken, id) // one file makes one document
		files[i] = File{Digest: *u.Digest, Size: u.Size, Type: *u.Type, Name: u.FileName, scan: u.Scan}
	}
	return files, f.Err()
}

// insertSeveral writes new documents of one register that differ in id, number,
// title and file alone.
func (s *Service) insertSeveral(ctx context.Context, tx *journal.Tx, made []Document, files []File, r Register) error {
	n, d := len(made), made[0]
	ids, titles, names, types, scans, sizes, contents := make([]uuid.UUID, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n), make(pq.ByteaArray, n)
	var all int64
	for i, f := range files {
		ids[i], titles[i], names[i], types[i], scans[i], sizes[i], contents[i] = made[i].ID, made[i].Title, f.Name, f.Type, f.scan, f.Size, f.Digest[:]
		all += f.Size
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO document (id, commission_id, number, title, type, organization_id, author_id, status, status_since, review, submitted_at, late,
		                      language, languages, versions, visibility, created_at, updated_at)
		SELECT x.id, $3, $4::int + x.n - 1, x.title, $5, $6, $7, $8, $9, $10, $11, $12, $13, ARRAY[$13], 1, $14, $9, $9
		FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS x (id, title, n)`,
		pq.Array(ids), pq.Array(titles), d.CommissionID, d.Number, d.Type, d.OrganizationID, d.AuthorID, d.Status, d.StatusSince, d.Review, d.SubmittedAt, d.Late, d.Language, d.Visibility); err != nil {
		return err
	}
	added, err := postgres.All[blob.Digest](ctx, tx, `
		INSERT INTO file (digest, size, type, scan, created_at)
		SELECT DISTINCT ON (digest) digest, size, type, scan, $5::timestamptz FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[]) AS x (digest, size, type, scan)
		ON CONFLICT (digest) DO NOTHING RETURNING digest`, contents, pq.Array(sizes), pq.Array(types), pq.Array(scans), d.CreatedAt)
	if err != nil {
		return err
	}
	unread := make([]jobs.Job, len(added))
	for i, digest := range added {
		unread[i] = toRead{Digest: digest}
	}
	if len(unread) > 0 {
		if err := s.queue.Enqueue(ctx, tx.SQL(), unread...); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO document_version (document_id, number, language, digest, size, file_name, person_id, created_at)
		SELECT x.id, 1, $5, x.digest, x.size, x.name, $6, $7 FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::text[]) AS x (id, digest, size, name)`,
		pq.Array(ids), contents, pq.Array(sizes), pq.Array(names), d.Language, d.AuthorID, d.CreatedAt); err != nil {
		return err
	}
	last := r.Last
	if d.Number != nil {
		last += n
	}
	return postgres.ExecOne(ctx, tx, errStale, `UPDATE register SET last_number = $2, used = used + $3 WHERE commission_id = $1 AND last_number = $4`, r.CommissionID, last, all, r.Last)
}

// tellOfSeveral writes to the officers what waits for them, in one letter.
func (s *Service) tellOfSeveral(ctx context.Context, tx *journal.Tx, made []Document) error {
	if len(made) == 1 {
		return s.tell(ctx, tx, made[0])
	}
	readers, err := s.deciders(ctx, tx, made[0].CommissionID, tx.Now)
	if err != nil {
		return err
	}
	return s.send(ctx, tx, readers, "document.submitted", "/commissions/"+made[0].Commission+"/documents", func(ctx context.Context) mail.Note {
		d := made[0]
		note := mail.Note{Subject: subject(i18n.N(ctx, len(made), "%d document waits in %s", "%d documents wait in %s", d.CommissionName)),
			Paragraphs: []string{i18n.T(ctx, "They were submitted to the register of %s. Accept each, which gives it a number, or return it with a reason.", d.CommissionName)},
			Button:     i18n.T(ctx, "Open the register"), Path: "/commissions/" + d.Commission + "/documents",
			Footer: i18n.T(ctx, "You get this because you are an officer or the convener of %s.", d.CommissionName)}
		for _, d := range made {
			note.Details = append(note.Details, [2]string{i18n.T(ctx, "Title"), d.Title})
			note.Needs = append(note.Needs, mail.ToRead(d.ID)...)
		}
		return note
	})
}

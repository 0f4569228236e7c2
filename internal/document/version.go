package document

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/blob"
	"commissionportal/internal/check"
	"commissionportal/internal/extract"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// File is content that is durable in the blob store, with the name it came with.
type File struct {
	Digest blob.Digest // SHA-256
	Size   int64
	Type   string // media type, by its content
	Name   string
	scan   string
}

// Version is one file of a document.
type Version struct {
	Number    int           `db:"number" json:"number"`
	Language  string        `db:"language" json:"language"`
	Digest    blob.Digest   `db:"digest" json:"sha256"`
	Size      int64         `db:"size" json:"size"`
	Type      string        `db:"type" json:"type"`
	FileName  string        `db:"file_name" json:"file_name"`
	Note      string        `db:"note" json:"note,omitempty"`
	Person    *string       `db:"person" json:"added_by,omitempty"`
	Outcome   *string       `db:"outcome" json:"outcome,omitempty" doc:"What came of reading it: read, nothing, encrypted, broken, too_large or timed_out; absent while it is not read yet."`
	Unread    string        `db:"unread" json:"outcome_note,omitempty" doc:"Why it was not read, or there are no pictures of its pages."`
	Pages     int           `db:"pages" json:"pages,omitempty"`
	Pictures  int           `db:"pictures" json:"pictures,omitempty" doc:"Pages of which there is a picture, from the first."`
	Undrawn   pq.Int64Array `db:"undrawn" json:"-"`
	Cut       bool          `db:"cut" json:"-"`
	Scan      string        `db:"scan" json:"-"`
	CreatedAt time.Time     `db:"created_at" json:"created_at"`
}

const versionColumns = `v.number, v.language, v.digest, v.size, f.type, v.file_name, v.note, p.name AS person,
	f.outcome, f.note AS unread, f.pages, f.pictures, f.undrawn, f.cut, f.scan, v.created_at`

// Mismatch reports whether the name of the file says that it is something else
// than it is.
func (v Version) Mismatch() bool { return extract.Type(v.Type).Mismatch(v.FileName) }

// Pictured reports whether there is a picture of a page; 1: and a small one.
func (v Version) Pictured(page int) bool {
	return page <= v.Pictures && !slices.Contains(v.Undrawn, int64(page))
}

// mostVersions bounds what one document keeps, in all languages.
const mostVersions = 1000

// Versions are the files of a document that Show gave, the newest first.
func (s *Service) Versions(ctx context.Context, d Document) ([]Version, error) {
	return versions(ctx, s.db, d)
}

// versions are the files of a document, the newest first.
func versions(ctx context.Context, q postgres.Q, d Document) ([]Version, error) {
	return postgres.All[Version](ctx, q, `
		SELECT `+versionColumns+` FROM document_version v JOIN file f USING (digest) LEFT JOIN person p ON p.id = v.person_id
		WHERE v.document_id = $1 ORDER BY v.number DESC, v.language = $2 DESC, v.language LIMIT $3`, d.ID, d.Language, mostVersions)
}

// insertVersion writes the newest version of d, counts its bytes in the register,
// and names the content if nothing did yet, which is then read.
func (s *Service) insertVersion(ctx context.Context, tx *journal.Tx, d Document, r Register, f File, person uuid.UUID) error {
	return s.writeVersion(ctx, tx, d.ID, Version{Number: d.Versions, Language: d.Language}, r, f, person)
}

func (s *Service) writeVersion(ctx context.Context, tx *journal.Tx, document uuid.UUID, v Version, r Register, f File, person uuid.UUID) error {
	added, err := tx.Exec(ctx, `INSERT INTO file (digest, size, type, scan, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO NOTHING`, f.Digest, f.Size, f.Type, f.scan, tx.Now)
	if err == nil && added > 0 {
		err = s.queue.Enqueue(ctx, tx.SQL(), toRead{Digest: f.Digest})
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO document_version (document_id, number, language, digest, size, file_name, note, person_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		document, v.Number, v.Language, f.Digest, f.Size, f.Name, v.Note, person, tx.Now); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE register SET used = used + $2 WHERE commission_id = $1`, r.CommissionID, f.Size)
	return err
}

// Revision is what is said of a new version or of a variant in another language.
type Revision struct {
	Language string // "" or the source language: a new version; another: its variant
	Note     string
}

// Revise adds a version, which keeps all old ones, or the variant of the newest
// version in another language.
func (s *Service) Revise(ctx context.Context, who access.Actor, name string, with Revision, upload uuid.UUID) (Document, error) {
	before, permit, err := s.require(ctx, who, name, "document", "revise")
	if err != nil {
		return before, err
	}
	var f problem.Fields
	if with.Language == "" {
		with.Language = before.Language
	}
	checkLanguage(&f, &with.Language)
	check.Line(&f, "note", &with.Note, 0, 500)
	if err := f.Err(); err != nil {
		return before, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		r, err := lockRegister(ctx, tx, before.CommissionID)
		if err != nil {
			return err
		}
		d, err := lock(ctx, tx, before.ID)
		if err != nil {
			return err
		}
		if err := d.Revisable(); err != nil {
			return err
		}
		v := Version{Number: d.Versions + 1, Language: with.Language, Note: with.Note}
		if variant := with.Language != d.Language; variant {
			if v.Number = d.Versions; v.Number == 0 {
				return problem.Field("language", "Add the file in the source language first.")
			}
		}
		file, err := take(ctx, tx, upload)
		if err != nil {
			return err
		}
		if err := s.writeVersion(ctx, tx, d.ID, v, r, file, who.ID); err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `
			UPDATE document SET versions = $3, updated_at = $4, version = version + 1, languages = (SELECT array_agg(DISTINCT l ORDER BY l) FROM unnest(languages || $5::text) l)
			WHERE id = $1 AND version = $2`, d.ID, d.Version, v.Number, tx.Now, v.Language); err != nil {
			return err
		}
		// A number that was reserved has its file now.
		if d.Status == Prepared && d.Number != nil {
			if _, err := tx.Exec(ctx, `UPDATE document SET status = 'available', status_since = $2 WHERE id = $1 AND status = 'draft' AND number IS NOT NULL`, d.ID, tx.Now); err != nil {
				return err
			}
			d.Status = Available
			if err := s.callMembers(ctx, tx, d); err != nil {
				return err
			}
		}
		if err := s.reindex(ctx, tx); err != nil {
			return err
		}
		tx.Represents(d.OrganizationID)
		return tx.Record(d.ID, journal.Say("Added version %s of %s in %s", strconv.Itoa(v.Number), d.Title, v.Language))
	})
	if err != nil {
		return before, constraint(err)
	}
	return s.Show(ctx, who, before.ID.String())
}

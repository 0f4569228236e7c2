package document

import (
	"context"
	"io"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Content is one file of a document, to be downloaded.
type Content struct {
	Version
	open func(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// Open reads length bytes of it from offset.
func (c Content) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	return c.open(ctx, offset, length)
}

// harmless are the types that a browser may show by itself: nothing in them acts.
var harmless = map[string]bool{"image/png": true, "image/jpeg": true, "image/webp": true, "image/gif": true, "text/plain": true}

// Inline reports whether a browser may show it in place of saving it.
func (c Content) Inline() bool { return harmless[c.Type] }

// Content finds the file of a version in a language ("" is the source language),
// for somebody who may download it. Of a withdrawn document it says why not.
func (s *Service) Content(ctx context.Context, who access.Actor, name string, number int, language string) (Document, Content, error) {
	d, err := s.Show(ctx, who, name)
	if err != nil {
		return d, Content{}, err
	}
	if _, err := s.access.Require(ctx, who, d.Scope(), "file", d.Reading()); err != nil {
		return d, Content{}, err
	}
	if !s.MayDownload(who, d) {
		return d, Content{}, problem.New(problem.Forbidden, "It is withdrawn: %s", d.StatusReason)
	}
	if language == "" {
		language = d.Language
	}
	v, err := postgres.One[Version](ctx, s.db, access.ErrNotFound, `
		SELECT `+versionColumns+` FROM document_version v JOIN file f USING (digest) LEFT JOIN person p ON p.id = v.person_id
		WHERE v.document_id = $1 AND v.number = $2 AND v.language = $3`, d.ID, number, language)
	if err != nil {
		return d, Content{}, err
	}
	return d, Content{v, func(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
		return s.files.Reader(ctx, v.Digest, offset, length)
	}}, nil
}

// NoteDownload writes down who downloaded what, under which grant if by one: part
// of the trace. Reading changes no state, so it is not in the journal.
func (s *Service) NoteDownload(ctx context.Context, who access.Actor, d Document, v Version) error {
	now := journal.Now(ctx)
	sight := access.See(ctx, who)
	var w postgres.Where
	id, document, number, language := w.Arg(uuid.Must(uuid.NewV7())), w.Arg(d.ID), w.Arg(v.Number), w.Arg(v.Language)
	person, at := w.Arg(sight.Person), w.Arg(now)
	_, err := s.db.Exec(ctx, `
		INSERT INTO document_access (id, document_id, kind, number, language, person_id, at, organization_id)
		VALUES (`+id+`, `+document+`, 'download', `+number+`, `+language+`, `+person+`, `+at+`,
		        (SELECT t.organization_id FROM seat t WHERE t.person_id = `+person+` AND t.commission_id = `+w.Arg(d.CommissionID)+` AND t.period @> `+at+`::timestamptz AND NOT t.suspended
		         ORDER BY t.rank LIMIT 1))`, w.Args()...)
	return err
}

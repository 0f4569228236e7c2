package document

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"commissionportal/internal/access"
	"commissionportal/internal/extract"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Kinds of preview.
const (
	BeingRead   = "reading"  // it is not known yet
	NoPreview   = "none"     // there is none, and Version.Unread says why
	PagePreview = "page"     // a picture of a page, with its text
	SheetTable  = "table"    // the first rows
	Formatted   = "markdown" // Markdown, as it is meant to look
	PlainText   = "text"     // a page or a part of its text
)

// Preview is what a reader sees of a version without downloading it.
type Preview struct {
	Document
	Of     Version
	Kind   string
	Page   int // which one this is, of Last
	Last   int
	Drawn  bool   // there is a picture of it
	Coming bool   // it is being drawn
	Text   string // of the page, or as Markdown
	Table  extract.Table
	More   bool // there is more in the file than can be turned to
}

// look finds a version that the actor may look into. Of a withdrawn document it
// says why not.
func (s *Service) look(ctx context.Context, who access.Actor, name string, number int, language string) (Document, Version, error) {
	d, err := s.Show(ctx, who, name)
	if err != nil {
		return d, Version{}, err
	}
	if !s.MayLook(who, d) {
		return d, Version{}, problem.New(problem.Forbidden, "It is withdrawn: %s", d.StatusReason)
	}
	v, err := s.version(ctx, d, number, language)
	if err == nil && v.Scan == infected {
		err = errInfected
	}
	return d, v, err
}

// Preview shows a page of a version, for somebody who may read the document. Pages
// that nobody has turned to before are drawn then.
func (s *Service) Preview(ctx context.Context, who access.Actor, name string, number int, language string, page int) (Preview, error) {
	d, v, err := s.look(ctx, who, name, number, language)
	if err != nil {
		return Preview{Document: d, Of: v}, err
	}
	return s.preview(ctx, d, v, page)
}

func (s *Service) preview(ctx context.Context, d Document, v Version, page int) (Preview, error) {
	var err error
	p := Preview{Document: d, Of: v, Page: max(page, 1), Last: 1}
	kind := extract.Type(v.Type)
	switch {
	case v.Outcome == nil:
		p.Kind = BeingRead
		return p, nil
	case v.Pictures > 0:
		p.Kind, p.Last, p.More = PagePreview, min(v.Pages, mostDrawn), v.Pages > mostDrawn
		if p.Page > p.Last {
			return p, access.ErrNotFound
		}
		p.Drawn = v.Pictured(p.Page)
		if first := v.next(); first > 0 && p.Page >= first {
			p.Coming = true
			if err := s.enqueue(ctx, toDraw{Digest: v.Digest, First: first}); err != nil {
				return p, err
			}
		}
	case kind == extract.Markdown:
		if p.Text, p.More, err = s.markdown(ctx, v); err != nil {
			return p, err
		}
		if p.Text != "" {
			p.Kind = Formatted
			return p, nil
		}
	case kind.Tabular():
		data, err := s.files.Side(ctx, v.Digest, sideTable)
		if err == nil {
			p.Kind = SheetTable
			return p, json.Unmarshal(data, &p.Table)
		}
		if !problem.Of(err, problem.NotFound) {
			return p, err
		}
	}
	text, last, err := s.textOf(ctx, v, p.Page)
	if err != nil {
		return p, err
	}
	p.Text = text
	switch {
	case p.Kind != "":
	case last > 0:
		p.Kind, p.Last, p.More = PlainText, last, v.Cut
		if p.Page > last {
			return p, access.ErrNotFound
		}
	default:
		p.Kind = NoPreview
	}
	return p, nil
}

// next is the first page that can still be drawn; 0 for none.
func (v Version) next() int { return next(v.Type, v.Outcome != nil, v.Pages, v.Pictures, v.Unread) }

// textOf reads the text of a page or part of a file, and the number of the last one
// that has text.
func (s *Service) textOf(ctx context.Context, v Version, page int) (string, int, error) {
	type row struct {
		Text string `db:"text"`
		Last int    `db:"last"`
	}
	r, err := postgres.One[row](ctx, s.db, nil, `
		SELECT coalesce((SELECT text FROM file_text WHERE digest = $1 AND page = $2), '') AS text, coalesce((SELECT max(page) FROM file_text WHERE digest = $1), 0) AS last`, v.Digest, page)
	return r.Text, r.Last, err
}

// mostMarkdown is how much of a file is shown as Markdown.
const mostMarkdown = 100_000

// markdown is the beginning of a file in UTF-8; "" for another encoding.
func (s *Service) markdown(ctx context.Context, v Version) (_ string, more bool, err error) {
	r, err := s.files.Reader(ctx, v.Digest, 0, min(v.Size, mostMarkdown))
	if err != nil {
		return "", false, err
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return "", false, err
	}
	text := string(data)
	if more = v.Size > mostMarkdown; more {
		text = text[:boundary(text, len(text)-1)]
		if i := strings.LastIndex(text, "\n\n"); i > 0 {
			text = text[:i]
		}
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", false, nil
	}
	return text, more, nil
}

// Picture is a picture of a page as it is sent.
type Picture struct {
	Tag  string // changes if the picture does
	Type string
	Data []byte
}

// Picture reads the picture of a page for somebody who may read the document; 0 is
// the small one of the first page.
func (s *Service) Picture(ctx context.Context, who access.Actor, name string, number int, language string, page int) (Picture, error) {
	d, v, err := s.look(ctx, who, name, number, language)
	if err != nil {
		return Picture{}, err
	}
	if page > 0 && who.SignedIn() { // for a visitor the page that it stands on is
		s.NotePreview(ctx, who, d, v)
	}
	return s.picture(ctx, v, page)
}

func (s *Service) picture(ctx context.Context, v Version, page int) (Picture, error) {
	side := sideThumbnail
	if page > 0 {
		side = sidePage(page)
	}
	if !v.Pictured(max(page, 1)) {
		return Picture{}, access.ErrNotFound
	}
	data, err := s.files.Side(ctx, v.Digest, side)
	if problem.Of(err, problem.NotFound) {
		return Picture{}, access.ErrNotFound
	}
	kind := "image/jpeg"
	if strings.HasPrefix(string(data), "\x89PNG") {
		kind = "image/png"
	}
	return Picture{v.Digest.String()[:32] + "-" + side, kind, data}, err
}

// Text reads a page or part of the text in a file for somebody who may read the
// document, and the number of the last one.
func (s *Service) Text(ctx context.Context, who access.Actor, name string, number int, language string, page int) (text string, last int, err error) {
	d, v, err := s.look(ctx, who, name, number, language)
	switch {
	case err != nil:
		return "", 0, err
	case v.Outcome == nil:
		return "", 0, problem.New(problem.Conflict, "This file is being read. Ask again in a moment.")
	}
	if page == 1 || who.SignedIn() {
		s.NotePreview(ctx, who, d, v)
	}
	text, last, err = s.textOf(ctx, v, page)
	switch {
	case err != nil:
	case last == 0 && v.Unread != "":
		err = problem.New(problem.NotFound, "There is no text of this file. %s", v.Unread)
	case last == 0:
		err = problem.New(problem.NotFound, "There is no text in this file.")
	case page > last:
		err = access.ErrNotFound
	}
	return text, last, err
}

package document

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"commissionportal/internal/blob"
	"commissionportal/internal/extract"
	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// What comes of a file is found out once, by a job, in a child process: its text,
// pictures of its first pages, the first rows of its table. All of it is derived
// from the content and can be found out again, so it is not in the journal.

const (
	thumbnailWidth = 400
	pictureWidth   = 1200
	// pagesAtOnce are drawn by one job.
	pagesAtOnce = 10
	// mostDrawn bounds the pages of one file that are ever drawn.
	mostDrawn = 500
	// largestRead is the size of a file that is still copied beside a child to be read.
	largestRead = 1 << 30
	// mostTries is how often a file is read again that a busy machine had no time for.
	mostTries = 3
	// readTimeout has room for the copy, and for the PDF engine that is compiled
	// once. It is less than what jobs takes for a sign that a process has died.
	readTimeout = 4 * time.Minute
)

// toRead is the job that reads a file for the first time.
type toRead struct {
	jobs.Heavy
	Digest blob.Digest `json:"digest"`
}

// Kind names the job.
func (toRead) Kind() string { return "document.read" }

// Timeout of the job.
func (toRead) Timeout() time.Duration { return readTimeout }

// toDraw is the job that draws the next pages of a file, from First.
type toDraw struct {
	jobs.Heavy
	Digest blob.Digest `json:"digest"`
	First  int         `json:"first"`
}

// Kind names the job.
func (toDraw) Kind() string { return "document.pages" }

// Timeout of the job.
func (toDraw) Timeout() time.Duration { return readTimeout }

// content is a file and how far it has been read.
type content struct {
	Digest   blob.Digest `db:"digest"`
	Size     int64       `db:"size"`
	Type     string      `db:"type"`
	Scan     string      `db:"scan"`
	Pages    int         `db:"pages"`
	Pictures int         `db:"pictures"`
	Note     string      `db:"note"`
	ReadAt   *time.Time  `db:"read_at"`
}

// contentOf reads the row of a file, or none.
func contentOf(ctx context.Context, q postgres.Q, d blob.Digest) (*content, error) {
	rows, err := postgres.All[content](ctx, q, `SELECT digest, size, type, scan, pages, pictures, note, read_at FROM file WHERE digest = $1`, d)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// found is what came of reading a file.
type found struct {
	outcome string
	note    string // why there is less than one would want, for readers
	pages   int
	cut     bool
	text    []textPage
	drawn
}

// drawn are the pages of which pictures were tried.
type drawn struct {
	upTo  int
	not   []int  // of these, those that have none
	stuck string // why it makes no sense to go on
}

// read carries out the job toRead. Done twice, it comes to the same.
func (s *Service) read(ctx context.Context, j toRead) (err error) {
	f, err := contentOf(ctx, s.db, j.Digest)
	if err != nil || f == nil || f.ReadAt != nil {
		return err
	}
	got, err := s.extract(ctx, *f)
	if err != nil {
		return fmt.Errorf("read %s: %w", f.Digest, err)
	}
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	n, err := tx.Exec(ctx, `
		UPDATE file SET outcome = $2, note = $3, pages = $4, cut = $5, pictures = $6, undrawn = $7, read_at = $8 WHERE digest = $1 AND read_at IS NULL`,
		f.Digest, got.outcome, got.note, got.pages, got.cut, got.upTo, numbers(got.not), journal.Now(ctx))
	if err != nil {
		return err
	}
	if n == 0 { // another process was faster
		return tx.Rollback()
	}
	if err := insertText(ctx, tx, f.Digest, got.text); err != nil {
		return err
	}
	if err := s.queue.Enqueue(ctx, tx.Tx.Tx, indexing{}); err != nil {
		return err
	}
	return tx.Commit()
}

// numbers is an array that is empty and not null.
func numbers(list []int) pq.Int64Array {
	out := make(pq.Int64Array, len(list))
	for i, n := range list {
		out[i] = int64(n)
	}
	return out
}

// extract finds out what is in a file, and puts pictures and table beside it. All
// of it together takes no longer than a file gets.
func (s *Service) extract(ctx context.Context, f content) (found, error) {
	kind := extract.Type(f.Type)
	if kind.Readable() && f.Size > largestRead {
		return found{outcome: "too_large", note: "Files of more than 1 GB are not read."}, nil
	}
	if f.Scan == infected {
		return found{outcome: "nothing", note: "A virus was found in it."}, nil
	}
	file, err := s.spool(ctx, f)
	if err != nil {
		return found{}, err
	}
	defer func() { _ = file.Close() }()        // it was read only
	r := extract.Result{Outcome: extract.Done} // an image has no text
	if !kind.Image() {
		if r, err = extract.Run(ctx, extract.Job{File: file, Type: kind, Wish: extract.Wish{Text: true, Table: true}}); err != nil {
			return found{}, err
		}
		if err := again(ctx, r); err != nil {
			return found{}, err
		}
	}
	got := found{outcome: outcomes[r.Outcome], note: r.Reason, pages: r.Pages, cut: r.Cut, text: paged(r)}
	if r.Table != nil {
		data, err := json.Marshal(r.Table)
		if err == nil {
			err = s.files.PutSide(ctx, f.Digest, sideTable, data)
		}
		if err != nil {
			return found{}, err
		}
	}
	if r.Outcome == extract.Done && drawable(f.Type) {
		p, pictures, err := s.pictures(ctx, f, file, 1, r)
		if err != nil {
			return found{}, err
		}
		got.drawn, got.note = pictures, pictures.stuck
		if got.pages = max(r.Pages, p.Pages); len(got.text) == 0 && p.Outcome != extract.Done {
			got.outcome = outcomes[p.Outcome]
		}
	}
	return got, nil
}

// outcomes as they are kept.
var outcomes = map[extract.Outcome]string{extract.Done: "read", extract.Unsupported: "nothing", extract.Encrypted: "encrypted", extract.Broken: "broken",
	extract.TooLarge: "too_large", extract.TimedOut: "timed_out"}

// spool copies a file beside the child that reads it; what no child reads is not
// copied.
func (s *Service) spool(ctx context.Context, f content) (*os.File, error) {
	if !extract.Type(f.Type).Readable() {
		return nil, nil
	}
	r, err := s.files.Reader(ctx, f.Digest, 0, f.Size)
	if err != nil {
		return nil, err
	}
	file, err := extract.Spool(r)
	if e := r.Close(); err == nil && e != nil {
		err = errors.Join(e, file.Close())
	}
	return file, err
}

// Names of what lies beside a file.
const (
	sideThumbnail = "thumb"
	sideTable     = "table.json"
)

func sidePage(n int) string { return fmt.Sprintf("page-%d", n) }

// drawable are the types whose pages can be pictures.
func drawable(kind string) bool {
	return extract.Type(kind) == extract.PDF || extract.Type(kind).Image()
}

// again is an error, by which the job is tried again later, if it was the machine that
// took too long for a file and not the file. Some time it has to come to an end.
func again(ctx context.Context, r extract.Result) error {
	if r.Busy && jobs.Attempt(ctx) < mostTries {
		return fmt.Errorf("in %s the machine had %s for it", r.Took.Round(time.Second), r.Time.Round(100*time.Millisecond))
	}
	return nil
}

// pictures draws pages from first, with the first one a thumbnail, and puts them
// beside the file, in what time is left of before.
func (s *Service) pictures(ctx context.Context, f content, file *os.File, first int, before extract.Result) (extract.Result, drawn, error) {
	left, wait := extract.MaxTime-before.Time, extract.MaxWait-before.Took
	wish := extract.Wish{First: first, Last: min(first+pagesAtOnce-1, mostDrawn), Width: pictureWidth}
	if first == 1 {
		wish.Thumbnail = thumbnailWidth
	}
	r := extract.Result{Outcome: extract.TimedOut, Reason: "Reading this file took too long for pictures of it."}
	if left > 0 && wait > 0 {
		var err error
		if r, err = extract.Run(ctx, extract.Job{File: file, Type: extract.Type(f.Type), Wish: wish, Time: left, Wait: wait}); err != nil {
			return r, drawn{}, err
		}
	}
	if len(r.Pictures) == 0 {
		if err := again(ctx, r); err != nil {
			return r, drawn{}, err
		}
	}
	there := map[int]bool{}
	d := drawn{upTo: first - 1}
	for _, p := range r.Pictures {
		name := sideThumbnail
		if p.Page > 0 {
			name, there[p.Page], d.upTo = sidePage(p.Page), true, max(d.upTo, p.Page)
		}
		if err := s.files.PutSide(ctx, f.Digest, name, p.Data); err != nil {
			return r, d, err
		}
	}
	if r.Outcome == extract.Done {
		d.upTo = min(wish.Last, r.Pages)
	} else if d.upTo < first { // nothing came of it, and nothing would the next time
		d.stuck = r.Reason
	}
	for n := first; n <= d.upTo; n++ {
		if !there[n] {
			d.not = append(d.not, n)
		}
	}
	return r, d, nil
}

// draw carries out the job toDraw.
func (s *Service) draw(ctx context.Context, j toDraw) error {
	f, err := contentOf(ctx, s.db, j.Digest)
	if err != nil || f == nil || f.next() != j.First {
		return err
	}
	file, err := s.spool(ctx, *f)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was read only
	_, d, err := s.pictures(ctx, *f, file, j.First, extract.Result{})
	if err != nil {
		return fmt.Errorf("draw %s: %w", f.Digest, err)
	}
	_, err = s.db.Exec(ctx, `UPDATE file SET pictures = $3, undrawn = undrawn || $4::int[], note = $5 WHERE digest = $1 AND pictures = $2`,
		f.Digest, j.First-1, d.upTo, numbers(d.not), d.stuck)
	return err
}

// next is the first page that has not been drawn and can be; 0 for none.
func (c content) next() int { return next(c.Type, c.ReadAt != nil, c.Pages, c.Pictures, c.Note) }

func next(kind string, read bool, pages, pictures int, note string) int {
	if !read || note != "" || !drawable(kind) || pictures >= min(pages, mostDrawn) {
		return 0
	}
	return pictures + 1
}

// mostUnread bounds what one round of ReadRest takes up.
const mostUnread = 5000

// ReadRest has files read whose job is not there any more, or never was.
func (s *Service) ReadRest(ctx context.Context) error {
	rest, err := postgres.All[blob.Digest](ctx, s.db, `SELECT digest FROM file WHERE read_at IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2`,
		journal.Now(ctx).Add(-time.Hour), mostUnread)
	if err != nil || len(rest) == 0 {
		return err
	}
	list := make([]jobs.Job, len(rest))
	for i, d := range rest {
		list[i] = toRead{Digest: d}
	}
	return s.enqueue(ctx, list...)
}

// enqueue writes jobs that come with no change.
func (s *Service) enqueue(ctx context.Context, list ...jobs.Job) error {
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error { return s.queue.Enqueue(ctx, tx.SQL(), list...) })
}

// textPage is the text of a page, or of a part of what has no pages.
type textPage struct {
	page int
	text string
}

const (
	partSize      = 32 << 10
	largestPage   = 256 << 10 // bytes of text of a page; what a page has more is left out
	mostTextParts = 5000
)

// paged parts the text of a file: by its pages, and where it has none, or they
// are no use, at ends of paragraphs.
func paged(r extract.Result) []textPage {
	pages := strings.Split(r.Text, "\f")
	if r.Pages == 0 && !(len(pages) > 1 && len(pages) <= mostTextParts && longest(pages) <= 2*partSize) {
		pages = parts(strings.ReplaceAll(r.Text, "\f", "\n\n"))
	}
	var out []textPage
	for i, p := range pages[:min(len(pages), mostTextParts)] {
		p = strings.TrimSpace(p)
		if len(p) > largestPage {
			p = p[:boundary(p, largestPage)]
		}
		if p != "" {
			out = append(out, textPage{i + 1, p})
		}
	}
	return out
}

func longest(list []string) int {
	n := 0
	for _, s := range list {
		n = max(n, len(s))
	}
	return n
}

// parts cuts a text into parts of at most partSize bytes: after a paragraph, or
// else after a line, or else a word.
func parts(text string) []string {
	var out []string
	for len(text) > partSize {
		head := text[:boundary(text, partSize)]
		at := len(head)
		for _, end := range []string{"\n\n", "\n", " "} {
			if i := strings.LastIndex(head, end); i >= partSize/2 {
				at = i + len(end)
				break
			}
		}
		out, text = append(out, text[:at]), text[at:]
	}
	return append(out, text)
}

// boundary is the last place up to n where a character begins.
func boundary(s string, n int) int {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// textBatch is how many bytes of text one statement writes.
const textBatch = 1 << 20

// insertText writes the text of a file.
func insertText(ctx context.Context, q postgres.Q, d blob.Digest, pages []textPage) error {
	for len(pages) > 0 {
		var numbers pq.Int64Array
		var texts pq.StringArray
		size := 0
		for len(numbers) < len(pages) && size < textBatch {
			p := pages[len(numbers)]
			numbers, texts, size = append(numbers, int64(p.page)), append(texts, p.text), size+len(p.text)
		}
		if _, err := q.Exec(ctx, `INSERT INTO file_text (digest, page, text) SELECT $1, page, text FROM unnest($2::int[], $3::text[]) p (page, text)`, d, numbers, texts); err != nil {
			return err
		}
		pages = pages[len(numbers):]
	}
	return nil
}

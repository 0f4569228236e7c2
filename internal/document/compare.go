package document

import (
	"context"

	"commissionportal/internal/access"
	"commissionportal/internal/blob"
	"commissionportal/internal/postgres"
	"commissionportal/internal/textdiff"
)

// mostCompared is how many bytes of text of a version are compared; the rest is
// not, which is said.
const mostCompared = 1 << 20

// around is how many lines a difference shows around a change.
const around = 2

// mostHunks and mostLines bound what a page shows of a difference.
const (
	mostHunks = 300
	mostLines = 3000
)

// Compared is one of two versions whose texts are compared.
type Compared struct {
	Version
	Cut bool // there is more text than was compared
}

// Read reports whether its text is there to be compared.
func (c Compared) Read() bool { return c.Outcome != nil && *c.Outcome == "read" }

// Difference is what leads from the text of one version to that of another.
type Difference struct {
	From, To Compared
	Hunks    []textdiff.Hunk
	More     bool // there are more changes than these
}

// Readable reports whether there are two texts to compare.
func (d Difference) Readable() bool { return d.From.Read() && d.To.Read() }

// Compare reads the difference between the texts of two versions in a language
// (""is the source language), for those who may download them.
func (s *Service) Compare(ctx context.Context, who access.Actor, name string, from, to int, language string) (Document, Difference, error) {
	d, older, err := s.Content(ctx, who, name, from, language)
	if err != nil {
		return d, Difference{}, err
	}
	newer, err := s.content(ctx, d, to, language)
	if err != nil {
		return d, Difference{}, err
	}
	diff := Difference{From: Compared{Version: older.Version}, To: Compared{Version: newer.Version}}
	if !diff.Readable() {
		return d, diff, nil
	}
	var texts [2]string
	for i, c := range []*Compared{&diff.From, &diff.To} {
		if texts[i], c.Cut, err = textOf(ctx, s.db, c.Digest); err != nil {
			return d, diff, err
		}
	}
	diff.Hunks, diff.More = bounded(textdiff.Compare(texts[0], texts[1], around))
	return d, diff, nil
}

// bounded are the first hunks, as many as a page shows.
func bounded(all []textdiff.Hunk) ([]textdiff.Hunk, bool) {
	lines := 0
	for i, h := range all {
		lines += len(h.Lines)
		if i == mostHunks || lines > mostLines {
			if i == 0 { // one change of everything
				all[0].Lines = h.Lines[:mostLines]
				i = 1
			}
			return all[:i], true
		}
	}
	return all, false
}

// textOf is the text inside a file up to mostCompared, and whether there is more.
func textOf(ctx context.Context, q postgres.Q, digest blob.Digest) (text string, more bool, err error) {
	row, err := postgres.One[struct {
		Text string `db:"text"`
		More bool   `db:"more"`
	}](ctx, q, access.ErrNotFound, `
		SELECT coalesce(string_agg(p.text, E'\n' ORDER BY p.page) FILTER (WHERE p.size <= $2), '') AS text, f.cut OR coalesce(bool_or(p.size > $2), false) AS more
		FROM file f LEFT JOIN (SELECT digest, page, text, sum(octet_length(text)) OVER (ORDER BY page) AS size FROM file_text WHERE digest = $1) p ON p.digest = f.digest
		WHERE f.digest = $1 GROUP BY f.digest`, digest, mostCompared)
	return row.Text, row.More, err
}

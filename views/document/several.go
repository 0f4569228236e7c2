package document

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// Several is what the form for several documents at once shows: what they share,
// in Write, and a row for each file.
type Several struct {
	Write
	Rows    []SeveralRow // their files are there
	Refused []SeveralRow // files that were not taken
}

// SeveralRow is one file of a Several.
type SeveralRow struct {
	Upload            uuid.UUID
	Name              string // "" for one that is not there any more
	Size              int64
	Title, TitleError string
	Error             string // of the file
}

func (r SeveralRow) title(ctx context.Context, i int) part.Field {
	return part.Field{Name: "title", ID: fmt.Sprintf("f-title-%d", i), Label: i18n.T(ctx, "Title"), Value: r.Title, Error: r.TitleError, Required: true, MaxLength: 500}
}

func (r SeveralRow) sent(ctx context.Context, i int) part.SentFile {
	f := part.SentFile{Name: r.Name, Error: r.Error}
	switch {
	case i >= 0 && r.Name != "":
		f.Upload, f.Size, f.Title = r.Upload.String(), Size(ctx, r.Size), r.title(ctx, i)
	case r.Name == "":
		f.Name = r.Title
	}
	return f
}

// wrong are the fields for the summary above the form, with those of the rows.
func (p Several) wrong(ctx context.Context, fields ...part.Field) []part.Field {
	for _, r := range p.Refused {
		fields = append(fields, part.Field{Name: "file", Label: r.Name, Error: r.Error})
	}
	for i, r := range p.Rows {
		if r.Error != "" {
			fields = append(fields, part.Field{Name: "file", Label: r.Title, Error: r.Error})
		} else {
			fields = append(fields, r.title(ctx, i))
		}
	}
	return fields
}

func (p Several) severalLead(ctx context.Context) string {
	if p.Direct {
		return i18n.T(ctx, "Each gets the next number of the register at once.")
	}
	return i18n.T(ctx, "The officers accept each, which gives it its number, or return it with a reason. You hear by mail.")
}

// SeveralDone says what has become of the documents.
func SeveralDone(ctx context.Context, made []document.Document) string {
	first, last, n := made[0], made[len(made)-1], len(made)
	switch {
	case first.Number != nil:
		return i18n.N(ctx, n, "%[1]d document submitted: %[2]s.", "%[1]d documents submitted: %[2]s to %[3]s.", first.Reference(), last.Reference())
	case first.Waiting():
		return i18n.N(ctx, n, "%d document submitted. The officers decide on it.", "%d documents submitted. The officers decide on each.")
	}
	return i18n.N(ctx, n, "%d document kept as a draft, which you alone and the representatives of its source see.", "%d documents kept as drafts, which you alone and the representatives of their source see.")
}

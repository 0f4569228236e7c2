package document

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Archive is many documents to be downloaded as one ZIP.
type Archive struct {
	Home
	service *Service
	who     access.Actor
	list    []Document
	files   map[uuid.UUID][]Version
	left    []string // why documents are not in it
}

// Archive finds the documents, which the actor sees, for a ZIP of the newest file
// of each in every language. Conflict if none of them may be downloaded.
func (s *Service) Archive(ctx context.Context, who access.Actor, slug string, names []string) (*Archive, error) {
	h, _, err := s.home(ctx, who, slug, "register", "read")
	if err != nil {
		return nil, err
	}
	var f problem.Fields
	c := choose(&f, names)
	if err := f.Err(); err != nil {
		return nil, err
	}
	list, err := chosenDocuments(ctx, s.db, access.See(ctx, who), c, journal.Now(ctx), false)
	if err != nil {
		return nil, err
	}
	a := &Archive{Home: h, service: s, who: who, files: map[uuid.UUID][]Version{}}
	var ids pq.StringArray
	for _, d := range list {
		ids = append(ids, d.ID.String())
	}
	type row struct {
		Document uuid.UUID `db:"document_id"`
		Version
	}
	files, err := postgres.All[row](ctx, s.db, `
		SELECT DISTINCT ON (v.document_id, v.language) v.document_id, `+versionColumns+`
		FROM document_version v JOIN file f USING (digest) LEFT JOIN person p ON p.id = v.person_id
		WHERE v.document_id = ANY($1::uuid[]) ORDER BY v.document_id, v.language, v.number DESC`, ids)
	if err != nil {
		return nil, err
	}
	for _, v := range files {
		a.files[v.Document] = append(a.files[v.Document], v.Version)
	}
	for _, d := range list {
		if why := a.bars(ctx, d); why != "" {
			a.left = append(a.left, why)
		} else {
			a.list = append(a.list, d)
		}
	}
	if len(a.list) == 0 {
		return nil, problem.New(problem.Conflict, "None of these has a file that you may download.")
	}
	return a, nil
}

// bars says why a document is not in the archive; "" if it is.
func (a *Archive) bars(ctx context.Context, d Document) string {
	switch {
	case len(a.files[d.ID]) == 0:
		return i18n.T(ctx, "%s: it has no file.", d.Name())
	case a.service.MayDownload(a.who, d):
		return ""
	case d.Status == Withdrawn:
		return i18n.T(ctx, "%s: it is withdrawn.", d.Name())
	}
	return i18n.T(ctx, "%s: you may read about it, but not download it.", d.Name())
}

// Write sends the ZIP, file by file from the store, and notes each download. Each
// document is asked for again when its turn comes, so that one withdrawn or taken
// away meanwhile is not in it. What is left out is said in a text at the end. After
// an error the ZIP has no end, and nobody takes it for whole.
func (a *Archive) Write(ctx context.Context, to io.Writer) error {
	z := zip.NewWriter(to)
	for _, before := range a.list {
		d, err := a.service.Show(ctx, a.who, before.ID.String())
		if problem.Of(err, problem.NotFound) {
			a.left = append(a.left, i18n.T(ctx, "%s: you may not see it any more.", before.Name()))
			continue
		}
		if err != nil {
			return err
		}
		if why := a.bars(ctx, d); why != "" {
			a.left = append(a.left, why)
			continue
		}
		for _, v := range a.files[d.ID] {
			if v.Scan == infected {
				a.left = append(a.left, i18n.T(ctx, "%s: its file in %s is infected.", d.Name(), v.Language))
				continue
			}
			if err := a.add(ctx, z, d, v); err != nil {
				return fmt.Errorf("%s: %w", d.Name(), err)
			}
		}
	}
	if len(a.left) > 0 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "not-included.txt", Method: zip.Deflate, Modified: journal.Now(ctx)})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, strings.Join(a.left, "\r\n")+"\r\n"); err != nil {
			return err
		}
	}
	return z.Close()
}

func (a *Archive) add(ctx context.Context, z *zip.Writer, d Document, v Version) (err error) {
	r, err := a.service.files.Reader(ctx, v.Digest, 0, v.Size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := a.service.NoteDownload(ctx, a.who, d, v, false); err != nil {
		return err
	}
	method := zip.Deflate
	if packed(v.Type) {
		method = zip.Store
	}
	w, err := z.CreateHeader(&zip.FileHeader{Name: v.archived(d), Method: method, Modified: v.CreatedAt})
	if err != nil {
		return err
	}
	n, err := io.Copy(w, r)
	if err == nil && n != v.Size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// packed are the types that do not become smaller.
func packed(kind string) bool {
	for _, p := range []string{"application/pdf", "application/zip", "application/vnd.openxmlformats", "application/vnd.oasis", "image/", "audio/", "video/"} {
		if strings.HasPrefix(kind, p) {
			return kind != "image/bmp" && kind != "image/svg+xml"
		}
	}
	return false
}

// archived is what a version is called in a ZIP: "ENERGY-N0012v2 en Title.pdf". No
// two of one ZIP are called the same.
func (v Version) archived(d Document) string {
	title, extension := savable(d.Title), savableExtension(v.FileName)
	return fmt.Sprintf("%sv%d %s %s%s", d.Name(), v.Number, v.Language, cmp.Or(shortened(title), "Untitled"), extension)
}

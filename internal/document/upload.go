package document

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"
	"golang.org/x/text/unicode/norm"

	"commissionportal/internal/access"
	"commissionportal/internal/blob"
	"commissionportal/internal/extract"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Upload is a file on its way into the portal: in parts until all of it is there,
// then whole, until a document takes it.
type Upload struct {
	ID        uuid.UUID    `db:"id" json:"id"`
	PersonID  uuid.UUID    `db:"person_id" json:"-"`
	FileName  string       `db:"file_name" json:"file_name"`
	Size      int64        `db:"size" json:"size"`
	Digest    *blob.Digest `db:"digest" json:"sha256,omitempty" doc:"Absent until all of it is there."`
	Type      *string      `db:"type" json:"type,omitempty" doc:"Media type, by its content."`
	Scan      string       `db:"scan" json:"-"`
	CreatedAt time.Time    `db:"created_at" json:"created_at"`
	ExpiresAt time.Time    `db:"expires_at" json:"expires_at" doc:"What no document has taken by then is deleted."`
}

// Finished reports whether all of it is there, and was searched for viruses where
// that is done.
func (u Upload) Finished() bool { return u.Digest != nil && u.Scan != unsearched }

// Path is where its bytes are sent to.
func (u Upload) Path() string { return "/api/v1/uploads/" + u.ID.String() }

const (
	// keepUploads is how long a file waits for a document.
	keepUploads = 7 * 24 * time.Hour
	// mostUploads is how many files of one person may wait at once.
	mostUploads = 200
)

// CleanName is the name of a file as it is kept: without folders, characters that
// cannot be seen or turn the reading direction, and what some systems trip over.
func CleanName(name string) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, "\uFFFD"))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' { // joiners are part of words
			return -1
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimSpace(name), ". ")
	const most = 200
	if utf8.RuneCountInString(name) > most {
		end := []rune(path.Ext(name))
		if len(end) > 20 {
			end = nil
		}
		name = string([]rune(name)[:most-len(end)]) + string(end)
	}
	if name == "" {
		return "file"
	}
	return name
}

const uploadColumns = `id, person_id, file_name, size, digest, type, scan, created_at, expires_at`

// upload reads a file of the actor's own; anybody else's is not there.
func (s *Service) upload(ctx context.Context, q postgres.Q, who access.Actor, id uuid.UUID) (Upload, error) {
	return postgres.One[Upload](ctx, q, access.ErrNotFound, `SELECT `+uploadColumns+` FROM upload WHERE id = $1 AND person_id = $2 AND expires_at > $3`, id, who.ID, journal.Now(ctx))
}

// BeginUpload announces a file of that size, whose bytes come with Append.
func (s *Service) BeginUpload(ctx context.Context, who access.Actor, name string, size int64) (Upload, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "upload", "send"); err != nil {
		return Upload{}, err
	}
	switch {
	case size <= 0:
		return Upload{}, problem.Field("file", "This file is empty.")
	case size > s.maxFile:
		return Upload{}, problem.New(problem.TooLarge, "A file may have at most %d MB.", s.maxFile/1e6)
	}
	now := journal.Now(ctx)
	u := Upload{ID: uuid.Must(uuid.NewV7()), PersonID: who.ID, FileName: CleanName(name), Size: size, CreatedAt: now, ExpiresAt: now.Add(keepUploads)}
	return u, s.insertUpload(ctx, u)
}

func (s *Service) insertUpload(ctx context.Context, u Upload) error {
	return postgres.ExecOne(ctx, s.db, problem.New(problem.TooMany, "Too many files of yours wait for a document. Submit or discard some first."), `
		INSERT INTO upload (id, person_id, file_name, size, digest, type, created_at, expires_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8
		WHERE (SELECT count(*) FROM upload WHERE person_id = $2) < $9`,
		u.ID, u.PersonID, u.FileName, u.Size, u.Digest, u.Type, u.CreatedAt, u.ExpiresAt, mostUploads)
}

// Upload reads how far a file of the actor's has come.
func (s *Service) Upload(ctx context.Context, who access.Actor, id uuid.UUID) (Upload, int64, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "upload", "send"); err != nil {
		return Upload{}, 0, err
	}
	u, err := s.upload(ctx, s.db, who, id)
	if err != nil || u.Finished() {
		return u, u.Size, err
	}
	if u.Digest != nil { // the scanner was not there when the last byte came
		u, err = s.check(ctx, who, u)
		return u, u.Size, err
	}
	n, err := s.files.Offset(ctx, id.String())
	if err != nil || n < u.Size {
		return u, n, err
	}
	u, err = s.join(ctx, who, u) // the server was killed after the last byte
	return u, n, err
}

// Append adds what r yields at offset, and returns how much of the file is there:
// also with an error, since what came before it is kept. Whoever appends at
// another place than the end is told so. The last byte makes the file whole.
func (s *Service) Append(ctx context.Context, who access.Actor, id uuid.UUID, offset int64, r io.Reader) (Upload, int64, error) {
	u, at, err := s.Upload(ctx, who, id)
	if err != nil {
		return u, at, err
	}
	if at != offset {
		return u, at, problem.New(problem.Conflict, "The upload stands at byte %d.", at)
	}
	if at < u.Size {
		n, err := s.files.Part(ctx, id.String(), offset, r, u.Size)
		if at += n; err != nil {
			return u, at, err
		}
	}
	if at < u.Size || u.Finished() {
		return u, at, nil
	}
	u, err = s.join(ctx, who, u)
	return u, at, err
}

// join makes a file of an upload of which every byte has arrived. The parts go when
// its row names the content, so that a server that is killed before does it again.
func (s *Service) join(ctx context.Context, who access.Actor, u Upload) (Upload, error) {
	b, err := s.files.Join(ctx, u.ID.String(), u.Size)
	if problem.Of(err, problem.Conflict) { // another request has done it meanwhile
		return s.upload(ctx, s.db, who, u.ID)
	}
	if err != nil {
		return u, err
	}
	u, err = s.identify(ctx, u, b)
	if err != nil && !problem.Of(err, problem.Invalid) {
		return u, err
	}
	_ = s.files.Abandon(ctx, u.ID.String()) // if that fails, they are swept
	if err != nil {
		return u, err
	}
	return s.check(ctx, who, u)
}

// identify says what a file is that is whole, and refuses what must not be taken.
func (s *Service) identify(ctx context.Context, u Upload, b blob.Blob) (Upload, error) {
	sniffed, err := extract.Sniff(stored{ctx, s.files, b}, b.Size, u.FileName)
	if err != nil {
		return u, err
	}
	if sniffed.Refuse != "" {
		_, err := s.db.Exec(ctx, `DELETE FROM upload WHERE id = $1`, u.ID)
		return u, errors.Join(err, problem.Field("file", sniffed.Refuse))
	}
	kind := string(sniffed.Type)
	u.Digest, u.Type, u.Size, u.Scan = &b.Digest, &kind, b.Size, unscanned
	if s.Scanner != nil {
		u.Scan = unsearched
	}
	return u, postgres.ExecOne(ctx, s.db, access.ErrNotFound, `UPDATE upload SET digest = $2, type = $3, size = $4, scan = $5 WHERE id = $1`, u.ID, u.Digest, u.Type, u.Size, u.Scan)
}

// Receive takes a whole file at once, of a length that need not be known before.
func (s *Service) Receive(ctx context.Context, who access.Actor, name string, r io.Reader) (Upload, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "upload", "send"); err != nil {
		return Upload{}, err
	}
	b, err := s.files.Put(ctx, r, s.maxFile)
	if err != nil {
		return Upload{}, err
	}
	if b.Size == 0 {
		return Upload{}, problem.Field("file", "This file is empty.")
	}
	now := journal.Now(ctx)
	u := Upload{ID: uuid.Must(uuid.NewV7()), PersonID: who.ID, FileName: CleanName(name), Size: b.Size, CreatedAt: now, ExpiresAt: now.Add(keepUploads)}
	if err := s.insertUpload(ctx, u); err != nil {
		return u, err
	}
	if u, err = s.identify(ctx, u, b); err == nil {
		u, err = s.check(ctx, who, u)
	}
	if err != nil && u.Scan == unsearched { // who sends it whole sends it again
		_, e := s.db.Exec(ctx, `DELETE FROM upload WHERE id = $1`, u.ID)
		err = errors.Join(err, e)
	}
	return u, err
}

// Discard throws a file away that no document has taken.
func (s *Service) Discard(ctx context.Context, who access.Actor, id uuid.UUID) error {
	u, _, err := s.Upload(ctx, who, id)
	if err != nil {
		return err
	}
	if err := postgres.ExecOne(ctx, s.db, access.ErrNotFound, `DELETE FROM upload WHERE id = $1 AND person_id = $2`, id, who.ID); err != nil || u.Finished() {
		return err // content that is whole goes when nothing names it
	}
	return s.files.Abandon(ctx, id.String())
}

// take makes an upload of the actor's the file of a document, inside its change:
// it can be taken once.
func take(ctx context.Context, tx *journal.Tx, id uuid.UUID) (File, error) {
	missing := problem.Field("file", "Choose a file.")
	if id == uuid.Nil {
		return File{}, missing
	}
	u, err := postgres.One[Upload](ctx, tx, missing, `
		DELETE FROM upload WHERE id = $1 AND person_id = $2 AND digest IS NOT NULL AND scan <> 'waiting' AND expires_at > $3 RETURNING `+uploadColumns, id, tx.Permit().Actor().ID, tx.Now)
	if err != nil {
		return File{}, err
	}
	return File{Digest: *u.Digest, Size: u.Size, Type: *u.Type, Name: u.FileName, scan: u.Scan}, nil
}

// stored is content of the store, read at any place.
type stored struct {
	ctx   context.Context
	files *blob.Store
	blob  blob.Blob
}

// ReadAt implements io.ReaderAt.
func (c stored) ReadAt(p []byte, off int64) (n int, err error) {
	if off >= c.blob.Size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), c.blob.Size-off)
	r, err := c.files.Reader(c.ctx, c.blob.Digest, off, want)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	n, err = io.ReadFull(r, p[:want])
	if err == nil && want < int64(len(p)) {
		err = io.EOF
	}
	return n, err
}

// grace is how long content without a name is left alone: a file is durable
// before its row is written.
const grace = 24 * time.Hour

// Sweep deletes uploads that have expired, and content that nothing names.
func (s *Service) Sweep(ctx context.Context) error {
	now := journal.Now(ctx)
	gone, err := postgres.All[uuid.UUID](ctx, s.db, `DELETE FROM upload WHERE expires_at <= $1 RETURNING id`, now)
	if err != nil {
		return err
	}
	for _, id := range gone {
		if err := s.files.Abandon(ctx, id.String()); err != nil {
			return err
		}
	}
	if _, err := s.files.Sweep(ctx, now.Add(-grace-keepUploads)); err != nil {
		return err
	}
	const batch = 500
	var old []blob.Digest
	drop := func() error {
		named, err := postgres.All[blob.Digest](ctx, s.db, `SELECT digest FROM file WHERE digest = ANY($1) UNION SELECT digest FROM upload WHERE digest = ANY($1)`, digests(old))
		if err != nil {
			return err
		}
		keep := map[blob.Digest]bool{}
		for _, d := range named {
			keep[d] = true
		}
		for _, d := range old {
			if keep[d] {
				continue
			}
			// Conflict: it was put again meanwhile, so somebody is about to name it.
			if err := s.files.Delete(ctx, d, now.Add(-grace)); err != nil && !problem.Of(err, problem.Conflict) && !problem.Of(err, problem.NotFound) {
				return err
			}
		}
		old = old[:0]
		return nil
	}
	if err := s.files.Walk(ctx, func(b blob.Blob, put time.Time) error {
		if put.After(now.Add(-grace)) {
			return nil
		}
		if old = append(old, b.Digest); len(old) < batch {
			return nil
		}
		return drop()
	}); err != nil {
		return err
	}
	return drop()
}

// digests is a set of them as an argument of = ANY($1).
func digests(list []blob.Digest) any {
	raw := make(pq.ByteaArray, len(list))
	for i, d := range list {
		raw[i] = d[:]
	}
	return raw
}

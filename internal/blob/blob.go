// Package blob keeps files under their SHA-256, in a folder or in a store that
// speaks S3. It knows nothing of documents, a database or HTTP.
//
// What it promises, on either store:
//   - Whatever Put, Join or PutSide answered is durable: written, verified by its
//     digest as it came in, and flushed.
//   - Under a digest lies the whole file or nothing, whatever is killed when.
//   - The same content is stored once, and putting it again takes as long and
//     answers the same as the first time.
//   - What broken writes leave behind lies apart, and Sweep removes it.
//
// The keys in the store:
//
//	blob/ab/abcd…              a file, by its digest
//	side/ab/abcd…/page-1.png   what was derived from it
//	upload/ID/OFFSET-RANDOM    a part of an upload that is still coming in
//	incoming/RANDOM            being written
package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"commissionportal/internal/problem"
)

// MaxSize is the largest file a store takes, whatever a caller allows: S3 copies
// no larger object in one request.
const MaxSize = 5 << 30

// ErrDamaged is what Verify says of a file whose content is not what its digest says.
var ErrDamaged = errors.New("the content does not match its digest")

// Digest is the SHA-256 of a file, its only name in the store.
type Digest [sha256.Size]byte

// ParseDigest reads a digest as String writes it: 64 hexadecimal digits, in lower case.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) || s != strings.ToLower(s) {
		return Digest{}, badDigest()
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, badDigest()
	}
	return d, nil
}

func badDigest() error {
	return problem.New(problem.Invalid, "A digest has 64 hexadecimal digits, in lower case.")
}

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes the digest as String does.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDigest.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDigest(string(text))
	return err
}

// Value and Scan keep a digest in a column of 32 bytes.
func (d Digest) Value() (driver.Value, error) { return d[:], nil }

// Scan is described at Value.
func (d *Digest) Scan(column any) error {
	b, ok := column.([]byte)
	if !ok || len(b) != len(d) {
		return fmt.Errorf("a digest has %d bytes, not %T", len(d), column)
	}
	copy(d[:], b)
	return nil
}

func (d Digest) key() string { return "blob/" + d.fan() }

// fan spreads digests over 256 folders.
func (d Digest) fan() string {
	s := d.String()
	return s[:2] + "/" + s
}

// Blob is a file in the store.
type Blob struct {
	Digest Digest
	Size   int64
}

// Store keeps files. It is safe for concurrent use, and several servers may work
// on one store.
type Store struct {
	bucket *gocloud.Bucket
	place  place
}

// place is what the two stores do each in its own way, mostly because gocloud
// neither flushes nor renames files, and buffers a multiple of what is needed
// when it writes to S3.
type place interface {
	// begin opens a draft: for key, or with key "" for one that is known only
	// when all is written.
	begin(ctx context.Context, key string) (draft, error)
	// present reports an error if the store itself is not there.
	present(ctx context.Context) error
	// remove deletes key, or answers errRecent if it was written since before.
	remove(ctx context.Context, key string, before time.Time) error
	// prune is called after everything below prefix was deleted.
	prune(prefix string)
	// sweep removes what gocloud does not list of the drafts that nobody has
	// touched since before, and counts it.
	sweep(ctx context.Context, before time.Time) (int, error)
	// segment is how large the parts of an upload are: what a crash may lose.
	segment() int64
}

// draft is an object being written. It is seen by nobody until it is settled.
type draft interface {
	io.Writer
	// settle makes it durable under key, in one step, in place of what may be there.
	settle(ctx context.Context, key string) error
	// discard throws it away, unless it is settled.
	discard()
}

var errRecent = errors.New("written since")

// Open opens the store at address: file:///path is a folder, which is created;
// s3://bucket?region=…&endpoint=… a bucket, with the parameters of gocloud.dev and
// the credentials of the environment.
func Open(ctx context.Context, address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of the file store: %w", err)
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || u.RawQuery != "" || !filepath.IsAbs(u.Path) {
			return nil, fmt.Errorf("address of the file store: %s is no folder; write it as file:///var/lib/portal/files", u.Redacted())
		}
		f, err := openFolder(filepath.Clean(u.Path))
		if err != nil {
			return nil, fmt.Errorf("file store: %w", err)
		}
		bucket, err := fileblob.OpenBucket(string(f), &fileblob.Options{
			NoTempDir: true, DirFileMode: 0o700, Metadata: fileblob.MetadataDontWrite,
		})
		if err != nil {
			return nil, fmt.Errorf("file store: %w", err)
		}
		return &Store{bucket, f}, nil
	case "s3":
		bucket, err := new(s3blob.URLOpener).OpenBucketURL(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("file store: %w", err)
		}
		r := &remote{bucket: bucket, name: u.Host}
		if !bucket.As(&r.client) {
			return nil, errors.New("file store: no S3 client")
		}
		return &Store{bucket, r}, nil
	}
	return nil, fmt.Errorf("address of the file store: %s begins with neither file:// nor s3://", u.Redacted())
}

// Close gives up what the store holds open.
func (s *Store) Close() error { return s.bucket.Close() }

// Put stores what r yields, and answers once it is durable. It reports TooLarge
// if that is more than max bytes, Full if there is no room for it, Unavailable if
// the store fails, and an error of r as it is; then nothing is stored.
func (s *Store) Put(ctx context.Context, r io.Reader, max int64) (Blob, error) {
	d, err := s.place.begin(ctx, "")
	if err != nil {
		return Blob{}, s.failed(ctx, err)
	}
	defer d.discard()
	hash := sha256.New()
	n, err := pour(ctx, io.MultiWriter(hash, d), limit(r, max), math.MaxInt64)
	if err != nil {
		return Blob{}, s.unpoured(ctx, err)
	}
	b := Blob{Digest(hash.Sum(nil)), n}
	// Also if it is there already: that takes the same time, heals what was
	// damaged, and tells Delete that the content is wanted again.
	if err := d.settle(ctx, b.Digest.key()); err != nil {
		return Blob{}, s.failed(ctx, err)
	}
	return b, nil
}

// Stat answers what is stored under a digest, or NotFound.
func (s *Store) Stat(ctx context.Context, d Digest) (Blob, error) {
	asked, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	a, err := s.bucket.Attributes(asked, d.key())
	if err != nil {
		return Blob{}, s.unread(ctx, err)
	}
	return Blob{d, a.Size}, nil
}

// Reader reads length bytes from offset on, or all that follow if length is
// negative; past the end there is nothing. The caller closes it.
func (s *Store) Reader(ctx context.Context, d Digest, offset, length int64) (io.ReadCloser, error) {
	return s.read(ctx, d.key(), offset, length)
}

func (s *Store) read(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	asked, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(silence, cancel) // what follows the beginning may take as long as it needs
	r, err := s.bucket.NewRangeReader(asked, key, offset, length, nil)
	late.Stop()
	if err != nil {
		cancel()
	}
	if beyondEnd(err) {
		return io.NopCloser(strings.NewReader("")), nil
	}
	if err != nil {
		return nil, s.unread(ctx, err)
	}
	return &reading{r, cancel}, nil
}

// silence is how long the store may leave unanswered what it has at once, and what is no
// larger than a piece: then it counts as not there. A variable for tests.
var silence = 20 * time.Second

// reading is a file being read.
type reading struct {
	*gocloud.Reader
	end context.CancelFunc
}

// Close implements io.Closer.
func (r *reading) Close() error {
	defer r.end()
	return r.Reader.Close()
}

// Verify reads the whole file again. It reports NotFound if it is not there, and
// ErrDamaged, with the size it has now, if it is not what it was.
func (s *Store) Verify(ctx context.Context, d Digest) (Blob, error) {
	r, err := s.Reader(ctx, d, 0, -1)
	if err != nil {
		return Blob{}, err
	}
	defer r.Close() //nolint:errcheck // it was read only
	hash := sha256.New()
	n, err := pour(ctx, hash, r, math.MaxInt64)
	if err != nil {
		return Blob{}, s.failed(ctx, err)
	}
	if Digest(hash.Sum(nil)) != d {
		return Blob{d, n}, fmt.Errorf("%s: %w", d, ErrDamaged)
	}
	return Blob{d, n}, nil
}

// Delete removes a file and what was derived from it, for good: the caller knows
// that nothing names it. A file that was put since before is a Conflict, as
// somebody is about to name it; one that is not there is no error.
//
// On S3 a Put that falls between that question and the removal is not seen. Who
// cannot accept these milliseconds holds a lock of the database while he deletes,
// and asks Stat under it before he names a file.
func (s *Store) Delete(ctx context.Context, d Digest, before time.Time) error {
	a, err := s.bucket.Attributes(ctx, d.key())
	if err == nil && !a.ModTime.Before(before) {
		return recent()
	}
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return s.unread(ctx, err)
	}
	// Before the file, so that a crash in between leaves the file, for the next
	// collection; and after it, for a side that was put meanwhile: see PutSide.
	if err := s.DropSides(ctx, d); err != nil {
		return err
	}
	switch err := s.place.remove(ctx, d.key(), before); {
	case errors.Is(err, errRecent):
		return recent()
	case err != nil:
		return s.failed(ctx, err)
	}
	return s.DropSides(ctx, d)
}

func recent() error {
	return problem.New(problem.Conflict, "This file has been stored again meanwhile.")
}

// Walk calls fn for every file, in the order of digests, with the time it was put
// last. It stops at the first error of fn and returns it.
func (s *Store) Walk(ctx context.Context, fn func(b Blob, put time.Time) error) error {
	if err := s.place.present(ctx); err != nil {
		return s.failed(ctx, err)
	}
	for i := range 256 { // a folder is listed anew for each page, so not all at once
		err := s.list(ctx, fmt.Sprintf("blob/%02x/", i), func(o *gocloud.ListObject) error {
			d, err := ParseDigest(o.Key[strings.LastIndexByte(o.Key, '/')+1:])
			if err != nil || d.key() != o.Key {
				return nil //nolint:nilerr // somebody else's file
			}
			return fn(Blob{d, o.Size}, o.ModTime)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes what broken writes have left behind, and the uploads that nobody
// went on with, if it was last touched before that time: an hour that is longer
// ago than any upload without a pause may take. It answers how many objects it
// removed.
func (s *Store) Sweep(ctx context.Context, before time.Time) (int, error) {
	swept := 0
	err := s.list(ctx, "incoming/", func(o *gocloud.ListObject) error {
		if !o.ModTime.Before(before) {
			return nil
		}
		swept++
		return s.remove(ctx, o.Key)
	})
	if err != nil {
		return swept, err
	}

	// An upload is as old as its newest part. Parts are listed upload by upload.
	var of string
	var newest time.Time
	var keys []string
	drop := func() error {
		if of == "" || !newest.Before(before) {
			return nil
		}
		for _, key := range keys {
			if err := s.remove(ctx, key); err != nil {
				return err
			}
			swept++
		}
		s.place.prune(of)
		return nil
	}
	err = s.list(ctx, "upload/", func(o *gocloud.ListObject) error {
		folder := o.Key[:strings.LastIndexByte(o.Key, '/')+1]
		if folder != of {
			if err := drop(); err != nil {
				return err
			}
			of, newest, keys = folder, time.Time{}, nil
		}
		if o.ModTime.After(newest) {
			newest = o.ModTime
		}
		keys = append(keys, o.Key)
		return nil
	})
	if err == nil {
		err = drop()
	}
	if err != nil {
		return swept, err
	}
	n, err := s.place.sweep(ctx, before)
	return swept + n, s.failed(ctx, err)
}

// list calls fn for every object below prefix, in the order of keys.
func (s *Store) list(ctx context.Context, prefix string, fn func(*gocloud.ListObject) error) error {
	for it := s.bucket.List(&gocloud.ListOptions{Prefix: prefix}); ; {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.failed(ctx, err)
		}
		if err := fn(o); err != nil {
			return err
		}
	}
}

// remove deletes an object that may be gone already.
func (s *Store) remove(ctx context.Context, key string) error {
	if err := s.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return s.failed(ctx, err)
	}
	return nil
}

// drop deletes all objects below prefix.
func (s *Store) drop(ctx context.Context, prefix string) error {
	err := s.list(ctx, prefix, func(o *gocloud.ListObject) error { return s.remove(ctx, o.Key) })
	if err == nil {
		s.place.prune(prefix)
	}
	return err
}

// incoming is a key for a draft.
func incoming() string { return "incoming/" + rand.Text() }

package blob

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	gocloud "gocloud.dev/blob"

	"commissionportal/internal/problem"
)

// An upload is a set of parts, each an object of its own that is written whole
// and never changes. The name of a part carries the offset at which it begins
// and a random tail, so that two servers which write at the same offset at once
// (a client that lost its connection goes on while the old one is still being
// read) write two parts and harm nothing.
//
// The rule by which parts make up a file: a place in the file is reached if it
// is 0, or the end of a part that begins at a place that is reached. The offset
// of the upload is the furthest place reached. A place that several parts reach
// is reached by the longest of them, and of those by the first in the order of
// names. Hence what the offset has been told to be is reached for ever, as parts
// are only added; every server that sees the same parts answers the same; and
// each byte is one that the client sent for this place.

// maxParts is how many parts an upload may have: 10,000 pieces of a connection
// that breaks all the time.
const maxParts = 10_000

var (
	uploadName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	partName   = regexp.MustCompile(`^([0-9]{19})-[A-Z2-7]{26}$`)
)

type part struct {
	key      string
	from, to int64
}

// uploadPrefix is where the parts of an upload lie. Its name is the caller's.
func uploadPrefix(upload string) (string, error) {
	if !uploadName.MatchString(upload) {
		return "", problem.New(problem.NotFound, "There is no such upload.")
	}
	return "upload/" + upload + "/", nil
}

// Offset answers how much of an upload has arrived; of one nobody began, nothing.
func (s *Store) Offset(ctx context.Context, upload string) (int64, error) {
	prefix, err := uploadPrefix(upload)
	if err != nil {
		return 0, err
	}
	parts, err := s.parts(ctx, prefix)
	if err != nil {
		return 0, err
	}
	_, to := join(parts)
	return to, nil
}

// parts lists those of an upload, in the order of offsets and names.
func (s *Store) parts(ctx context.Context, prefix string) ([]part, error) {
	if err := s.place.present(ctx); err != nil {
		return nil, s.failed(ctx, err)
	}
	var parts []part
	err := s.list(ctx, prefix, func(o *gocloud.ListObject) error {
		m := partName.FindStringSubmatch(strings.TrimPrefix(o.Key, prefix))
		if m == nil || o.Size == 0 {
			return nil
		}
		from, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || from > MaxSize {
			return nil //nolint:nilerr // no part that we wrote
		}
		parts = append(parts, part{o.Key, from, from + o.Size})
		return nil
	})
	return parts, err
}

// join applies the rule to parts: those that make up the file, and where it ends.
func join(parts []part) (path []part, to int64) {
	parts = slices.SortedFunc(slices.Values(parts), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.key, b.key))
	})
	// Parts go forwards, so that when one is looked at, all that could reach its
	// beginning were. The first to reach a place is the longest that does.
	by := map[int64]part{0: {}}
	for _, p := range parts {
		if _, reached := by[p.from]; !reached || p.to <= p.from {
			continue
		}
		if _, reached := by[p.to]; !reached {
			by[p.to] = p
			to = max(to, p.to)
		}
	}
	for at := to; at > 0; at = by[at].from {
		path = append(path, by[at])
	}
	slices.Reverse(path)
	return path, to
}

// Part appends what r yields to an upload, which must have arrived up to offset,
// and of which no more than max bytes may arrive in all. It answers how much of r
// is durable, also with an error: what arrived before a connection broke is kept.
// It reports Conflict if the upload goes on elsewhere, TooLarge, Full, Unavailable,
// and an error of r as it is.
func (s *Store) Part(ctx context.Context, upload string, offset int64, r io.Reader, max int64) (n int64, err error) {
	prefix, err := uploadPrefix(upload)
	if err != nil {
		return 0, err
	}
	parts, err := s.parts(ctx, prefix)
	if err != nil {
		return 0, err
	}
	if _, at := join(parts); at != offset {
		return 0, problem.New(problem.Conflict, "This upload goes on at byte %d, not %d.", at, offset)
	}
	max = min(max, MaxSize)
	if offset > max {
		return 0, tooLarge(max)
	}
	in := &limited{r, max - offset, max}
	for count := len(parts); ; count++ {
		if count >= maxParts {
			return n, problem.New(problem.Conflict, "This upload has come in too many pieces. Begin it again.")
		}
		k, err := s.segment(ctx, prefix, offset+n, in)
		n += k
		if err != nil || k == 0 {
			return n, err
		}
	}
}

// segment stores the next part, and answers how much that is: 0 if r has ended.
func (s *Store) segment(ctx context.Context, prefix string, at int64, r io.Reader) (int64, error) {
	// What has arrived is kept even if whoever sent it has left.
	keep, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	key := fmt.Sprintf("%s%019d-%s", prefix, at, rand.Text())
	d, err := s.place.begin(keep, key)
	if err != nil {
		return 0, s.failed(ctx, err)
	}
	defer d.discard()
	n, err := pour(ctx, d, r, s.place.segment())
	if _, ok := errors.AsType[writeError](err); ok {
		return 0, s.failed(ctx, err)
	}
	if n == 0 {
		return 0, err
	}
	defer time.AfterFunc(time.Minute, cancel).Stop()
	if err := d.settle(keep, key); err != nil {
		return 0, s.failed(keep, err)
	}
	return n, err
}

// Join makes a file of an upload of size bytes. Its parts stay until Abandon, so that
// who calls it again after a crash gets the same answer: call that once something
// names the file. It reports Conflict if not exactly so much has arrived.
func (s *Store) Join(ctx context.Context, upload string, size int64) (Blob, error) {
	prefix, err := uploadPrefix(upload)
	if err != nil {
		return Blob{}, err
	}
	parts, err := s.parts(ctx, prefix)
	if err != nil {
		return Blob{}, err
	}
	path, to := join(parts)
	if to != size {
		return Blob{}, problem.New(problem.Conflict, "Of this upload, %d of %d bytes have arrived.", to, size)
	}
	all := &chain{ctx: ctx, from: s, rest: path}
	defer all.close()
	return s.Put(ctx, all, size)
}

// Abandon drops an upload.
func (s *Store) Abandon(ctx context.Context, upload string) error {
	prefix, err := uploadPrefix(upload)
	if err != nil {
		return err
	}
	return s.drop(ctx, prefix)
}

// chain reads parts one after the other.
type chain struct {
	ctx  context.Context // of the reading, which has none in io.Reader
	from *Store
	rest []part
	open io.ReadCloser
	left int64 // of the open part
}

func (c *chain) Read(p []byte) (int, error) {
	for c.left == 0 {
		c.close()
		if len(c.rest) == 0 {
			return 0, io.EOF
		}
		next := c.rest[0]
		r, err := c.from.read(c.ctx, next.key, 0, -1)
		if problem.Of(err, problem.NotFound) {
			return 0, problem.New(problem.Conflict, "This upload has been finished or given up meanwhile.")
		}
		if err != nil {
			return 0, err
		}
		c.open, c.left, c.rest = r, next.to-next.from, c.rest[1:]
	}
	n, err := c.open.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = nil
		if c.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		return n, c.from.failed(c.ctx, err)
	}
	return n, nil
}

func (c *chain) close() {
	if c.open != nil {
		_ = c.open.Close() // it was read only
		c.open = nil
	}
}

package blob

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	gocloud "gocloud.dev/blob"

	"commissionportal/internal/problem"
)

// MaxSide is the largest side of a file, such as the picture of a page.
const MaxSide = 16 << 20

// sideName leaves out what a folder could misread, and the endings that gocloud
// keeps for itself.
var sideName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}(\.[a-z0-9]{1,4})?$`)

// PutSide stores something small that was derived from a file beside it, under a
// name such as "page-1.png", in place of what may be there. It reports NotFound
// if the file is not there (any more).
func (s *Store) PutSide(ctx context.Context, d Digest, name string, data []byte) error {
	key, err := sideKey(d, name)
	if err != nil {
		return err
	}
	if len(data) > MaxSide {
		return tooLarge(MaxSide)
	}
	to, err := s.place.begin(ctx, key)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer to.discard()
	if _, err := to.Write(data); err != nil {
		return s.failed(ctx, err)
	}
	if err := to.settle(ctx, key); err != nil {
		return s.failed(ctx, err)
	}
	// Delete removes the file first and then looks for sides: either it finds
	// this one, or the file is missing here.
	if _, err := s.Stat(ctx, d); err != nil {
		if problem.Of(err, problem.NotFound) {
			if err := s.DropSides(ctx, d); err != nil {
				return err
			}
		}
		return err
	}
	return nil
}

// Side reads what PutSide stored, or reports NotFound.
func (s *Store) Side(ctx context.Context, d Digest, name string) ([]byte, error) {
	key, err := sideKey(d, name)
	if err != nil {
		return nil, err
	}
	r, err := s.read(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // it was read only
	data, err := io.ReadAll(io.LimitReader(r, MaxSide))
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return data, nil
}

// Sides calls fn for all that was derived from a file, by name.
func (s *Store) Sides(ctx context.Context, d Digest, fn func(name string, data []byte) error) error {
	prefix := "side/" + d.fan() + "/"
	return s.list(ctx, prefix, func(o *gocloud.ListObject) error {
		name := strings.TrimPrefix(o.Key, prefix)
		if !sideName.MatchString(name) {
			return nil // somebody else's file
		}
		data, err := s.Side(ctx, d, name)
		if problem.Of(err, problem.NotFound) { // removed meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		return fn(name, data)
	})
}

// DropSides removes all that was derived from a file.
func (s *Store) DropSides(ctx context.Context, d Digest) error {
	return s.drop(ctx, "side/"+d.fan()+"/")
}

func sideKey(d Digest, name string) (string, error) {
	if !sideName.MatchString(name) {
		return "", fmt.Errorf("%q names no side of a file", name)
	}
	return "side/" + d.fan() + "/" + name, nil
}

package blob

import (
	"context"
	"errors"
	"io"
	"sync"

	"commissionportal/internal/problem"
)

var buffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// writeError is the store's, in contrast to one of whoever sends a file.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

// pour copies from r to w until r ends or most bytes are copied.
func pour(ctx context.Context, w io.Writer, r io.Reader, most int64) (n int64, err error) {
	buf := buffers.Get().(*[128 << 10]byte)
	defer buffers.Put(buf)
	for idle := 0; n < most; {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		k, err := r.Read(buf[:min(int64(len(buf)), most-n)])
		if k > 0 {
			idle = 0
			if _, err := w.Write(buf[:k]); err != nil {
				return n, writeError{err}
			}
			n += int64(k)
		} else if idle++; idle > 100 {
			return n, io.ErrNoProgress
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// limit reads from r, and reports TooLarge if there is more than max.
func limit(r io.Reader, max int64) io.Reader {
	max = min(max, MaxSize)
	return &limited{r, max, max}
}

type limited struct {
	r         io.Reader
	left, max int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left > 0 {
		n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
		l.left -= int64(n)
		return n, err
	}
	var one [1]byte
	n, err := l.r.Read(one[:])
	if n > 0 {
		return 0, tooLarge(l.max)
	}
	return 0, err
}

func tooLarge(max int64) error {
	if max < 1<<20 {
		return problem.New(problem.TooLarge, "This file is larger than %d bytes, the limit.", max)
	}
	return problem.New(problem.TooLarge, "This file is larger than %d MB, the limit.", max>>20)
}

package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"commissionportal/internal/problem"
)

func FuzzUploadName(f *testing.F) {
	for _, s := range []string{"", "abc", "..", "../../etc", "a/b", "a\x00b", strings.Repeat("a", 65), "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		prefix, err := uploadPrefix(s)
		if err == nil && filepath.Clean("/"+prefix) != "/upload/"+s {
			t.Errorf("%q lies in %q", s, prefix)
		}
	})
}

func TestPart(t *testing.T) {
	lost := errors.New("connection lost")
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, content := t.Context(), noise(12<<20)
		// The connection breaks; what arrived is kept.
		n, err := s.Part(ctx, "abc", 0, io.MultiReader(bytes.NewReader(content[:7<<20]), iotest.ErrReader(lost)), int64(len(content)))
		if n != 7<<20 || !errors.Is(err, lost) {
			t.Fatalf("%d, %v", n, err)
		}
		if at, err := s.Offset(ctx, "abc"); at != n || err != nil {
			t.Errorf("goes on at %d, %v", at, err)
		}
		// Who goes on elsewhere is told where.
		for _, wrong := range []int64{0, n - 1, n + 1} {
			_, err = s.Part(ctx, "abc", wrong, bytes.NewReader(content), int64(len(content)))
			wantProblem(t, err, problem.Conflict)
		}
		_, err = s.Join(ctx, "abc", int64(len(content)))
		wantProblem(t, err, problem.Conflict)
		// Whoever sent it has left: kept as well.
		leave, cancel := context.WithCancel(ctx)
		k, err := s.Part(leave, "abc", n, io.MultiReader(bytes.NewReader(content[n:8<<20]), after(cancel), bytes.NewReader(content[8<<20:])), int64(len(content)))
		if n += k; n < 8<<20 || n > 9<<20 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d, %v", n, err)
		}
		k, err = s.Part(ctx, "abc", n, bytes.NewReader(content[n:]), int64(len(content)))
		if n += k; n != int64(len(content)) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		k, err = s.Part(ctx, "abc", n, strings.NewReader("more"), n)
		if wantProblem(t, err, problem.TooLarge); k != 0 {
			t.Errorf("took %d more", k)
		}
		b, err := s.Join(ctx, "abc", n)
		if err != nil || b != (Blob{sum(content), n}) {
			t.Errorf("%v, %v", b, err)
		}
		if again, err := s.Join(ctx, "abc", n); err != nil || again != b { // as after a crash
			t.Errorf("again: %v, %v", again, err)
		}
		if err := s.Abandon(ctx, "abc"); err != nil {
			t.Error(err)
		}
		wantKeys(t, s, b.Digest.key())
		_, err = s.Join(ctx, "abc", n)
		wantProblem(t, err, problem.Conflict)

		if b, err := s.Join(ctx, "empty", 0); err != nil || b.Size != 0 {
			t.Errorf("an empty file: %v, %v", b, err)
		}
		if _, err := s.Part(ctx, "given-up", 0, strings.NewReader("x"), 1); err != nil {
			t.Error(err)
		}
		if err := s.Abandon(ctx, "given-up"); err != nil {
			t.Error(err)
		}
		want := []string{b.Digest.key(), sum(nil).key()}
		slices.Sort(want)
		wantKeys(t, s, want...)
		for _, bad := range []string{"", "..", "a/b", strings.Repeat("a", 65)} {
			_, err := s.Offset(ctx, bad)
			wantProblem(t, err, problem.NotFound)
			wantProblem(t, s.Abandon(ctx, bad), problem.NotFound)
		}
	})
}

// Several servers write one upload at once, each as far as its connection
// carries, and all go on from where they are told.
func TestPartsAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		content := noise(1 << 20)
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(w)))
				for {
					at, err := s.Offset(t.Context(), "abc")
					if err != nil || at == int64(len(content)) {
						if err != nil {
							t.Error(err)
						}
						return
					}
					most := min(int64(len(content)), at+1+r.Int64N(300<<10))
					n, err := s.Part(t.Context(), "abc", at, bytes.NewReader(content[at:most]), int64(len(content)))
					if err != nil && !problem.Of(err, problem.Conflict) {
						t.Error(err)
						return
					}
					if err == nil && n != most-at {
						t.Errorf("took %d of %d", n, most-at)
					}
					if now, err := s.Offset(t.Context(), "abc"); err != nil || now < at+n {
						t.Errorf("acknowledged %d, goes on at %d, %v", at+n, now, err)
					}
				}
			})
		}
		wg.Wait()
		b, err := s.Join(t.Context(), "abc", int64(len(content)))
		if err != nil || b.Digest != sum(content) {
			t.Errorf("%v, %v", b, err)
		}
		if err := s.Abandon(t.Context(), "abc"); err != nil {
			t.Error(err)
		}
		wantKeys(t, s, b.Digest.key())
	})
}

// The rule by which parts make up a file, whatever parts there are.
func TestJoinRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var parts []part
		reached, last := map[int64]bool{0: true}, int64(0)
		for i := range rapid.IntRange(0, 30).Draw(t, "parts") {
			from := rapid.Int64Range(0, 40).Draw(t, "from")
			p := part{fmt.Sprintf("%02d-%d", from, i), from, from + rapid.Int64Range(1, 12).Draw(t, "length")}
			parts = append(parts, p)
			path, to := join(parts)
			if to < last {
				t.Fatalf("the offset fell from %d to %d", last, to)
			}
			last = to
			at := int64(0)
			for _, p := range path {
				if p.from != at {
					t.Fatalf("a gap or overlap at %d: %v", at, path)
				}
				at = p.to
			}
			if at != to {
				t.Fatalf("%v ends at %d, not %d", path, at, to)
			}
			shuffled := rapid.Permutation(parts).Draw(t, "order")
			if other, _ := join(shuffled); !slices.Equal(path, other) {
				t.Fatalf("another order gives another file: %v, %v", path, other)
			}
		}
		for range parts { // what is reached, found the slow way
			for _, p := range parts {
				if reached[p.from] {
					reached[p.to] = true
				}
			}
		}
		for at := range reached {
			if at > last {
				t.Fatalf("%d is reached, beyond %d", at, last)
			}
		}
	})
}

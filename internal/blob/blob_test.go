package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"commissionportal/internal/problem"
)

// openTest is a store of the test's own: a folder and, where a server that
// speaks S3 is given (make test-s3), a bucket.
func openTest(t testing.TB, address string) *Store {
	t.Helper()
	if address == "" {
		address = "file://" + t.TempDir() + "/files"
	}
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// onBoth runs a test on each kind of store.
func onBoth(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Parallel()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		test(t, openTest(t, ""))
	})
	if os.Getenv("S3_URL") != "" {
		t.Run("s3", func(t *testing.T) {
			t.Parallel()
			test(t, openTest(t, bucket(t)))
		})
	}
}

func sum(b []byte) Digest { return sha256.Sum256(b) }

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = r.Read(b)
	return b
}

func put(t testing.TB, s *Store, content []byte) Blob {
	t.Helper()
	b, err := s.Put(t.Context(), bytes.NewReader(content), MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keys are all objects of a store, as they lie there.
func keys(t testing.TB, s *Store) []string {
	t.Helper()
	var all []string
	for it := s.bucket.List(nil); ; {
		o, err := it.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return slices.DeleteFunc(all, func(k string) bool { return k == "lock" })
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Key)
	}
}

func wantKeys(t testing.TB, s *Store, want ...string) {
	t.Helper()
	if got := keys(t, s); !slices.Equal(got, want) {
		t.Errorf("the store holds %q, want %q", got, want)
	}
}

func wantProblem(t testing.TB, err error, kind problem.Kind) {
	t.Helper()
	if !problem.Of(err, kind) {
		t.Errorf("got error %v, want %s", err, kind)
	}
}

func readAll(t testing.TB, s *Store, d Digest, offset, length int64) []byte {
	t.Helper()
	r, err := s.Reader(t.Context(), d, offset, length)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPut(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for _, size := range []int{0, 1, 127 << 10, 5 << 20, 5<<20 + 1, 11 << 20} {
			content := noise(size)
			for range 2 { // the second time is like the first
				b := put(t, s, content)
				if b.Digest != sum(content) || b.Size != int64(size) {
					t.Errorf("%d bytes: stored as %v", size, b)
				}
			}
			if b, err := s.Verify(t.Context(), sum(content)); err != nil || b.Size != int64(size) {
				t.Errorf("%d bytes: verified as %v, %v", size, b, err)
			}
			wantKeys(t, s, sum(content).key())
			if err := s.Delete(t.Context(), sum(content), time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
			wantKeys(t, s)
		}
	})
}

func TestPutRefuses(t *testing.T) {
	lost := errors.New("connection lost")
	onBoth(t, func(t *testing.T, s *Store) {
		content := noise(6 << 20)
		if _, err := s.Put(t.Context(), bytes.NewReader(content), int64(len(content))); err != nil {
			t.Errorf("as large as may be: %v", err)
		}
		if err := s.Delete(t.Context(), sum(content), time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		_, err := s.Put(t.Context(), bytes.NewReader(content), int64(len(content))-1)
		wantProblem(t, err, problem.TooLarge)

		_, err = s.Put(t.Context(), io.MultiReader(bytes.NewReader(content), iotest.ErrReader(lost)), MaxSize)
		if !errors.Is(err, lost) || problem.As(err) != nil {
			t.Errorf("a reader that fails: %v", err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		_, err = s.Put(ctx, io.MultiReader(bytes.NewReader(content), after(cancel), bytes.NewReader(content)), MaxSize)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}

		_, err = s.Put(t.Context(), idle{}, MaxSize)
		if !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("a reader that yields nothing: %v", err)
		}
		wantKeys(t, s)
		if n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
			t.Errorf("left %d behind, %v", n, err)
		}
	})
}

// after is an empty reader that calls fn.
func after(fn func()) io.Reader {
	return readerFunc(func([]byte) (int, error) { fn(); return 0, io.EOF })
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestPutAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		content := noise(300 << 10)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				b, err := s.Put(t.Context(), bytes.NewReader(content), MaxSize)
				if err != nil || b != (Blob{sum(content), int64(len(content))}) {
					t.Errorf("%v, %v", b, err)
				}
				if got := readAll(t, s, b.Digest, 0, -1); !bytes.Equal(got, content) {
					t.Errorf("read %d other bytes", len(got))
				}
			})
		}
		wg.Wait()
		wantKeys(t, s, sum(content).key())
	})
}

func TestReader(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		content := noise(1000)
		b, empty := put(t, s, content), put(t, s, nil)
		for _, tt := range []struct {
			of             Digest
			offset, length int64
			want           []byte
		}{
			{b.Digest, 0, -1, content},
			{b.Digest, 10, -1, content[10:]},
			{b.Digest, 10, 20, content[10:30]},
			{b.Digest, 999, 1, content[999:]},
			{b.Digest, 990, 100, content[990:]},
			{b.Digest, 10, 0, nil},
			{b.Digest, 1000, -1, nil},
			{b.Digest, 5000, 10, nil},
			{empty.Digest, 0, -1, nil},
			{empty.Digest, 0, 0, nil},
		} {
			if got := readAll(t, s, tt.of, tt.offset, tt.length); !bytes.Equal(got, tt.want) {
				t.Errorf("%d bytes from %d: got %d others", tt.length, tt.offset, len(got))
			}
		}
		none := sum([]byte("nowhere"))
		_, err := s.Reader(t.Context(), none, 0, -1)
		wantProblem(t, err, problem.NotFound)
		_, err = s.Stat(t.Context(), none)
		wantProblem(t, err, problem.NotFound)
		_, err = s.Verify(t.Context(), none)
		wantProblem(t, err, problem.NotFound)
	})
}

func TestWalk(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		want := map[Digest]int64{}
		for i := range 20 {
			b := put(t, s, noise(i))
			want[b.Digest] = b.Size
		}
		got := map[Digest]int64{}
		err := s.Walk(t.Context(), func(b Blob, put time.Time) error {
			if time.Since(put) > time.Hour || time.Since(put) < -time.Minute {
				t.Errorf("put %v", put)
			}
			got[b.Digest] = b.Size
			return nil
		})
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d files, %v", len(got), err)
		}
		for d, size := range want {
			if got[d] != size {
				t.Errorf("%s: %d bytes, want %d", d, got[d], size)
			}
		}
		enough := errors.New("enough")
		if err := s.Walk(t.Context(), func(Blob, time.Time) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("stopped by %v", err)
		}
	})
}

func TestDelete(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		b, kept := put(t, s, noise(10)), put(t, s, noise(11))
		for _, of := range []Digest{b.Digest, kept.Digest} {
			if err := s.PutSide(t.Context(), of, "page-1.png", []byte("picture")); err != nil {
				t.Fatal(err)
			}
		}
		wantProblem(t, s.Delete(t.Context(), b.Digest, time.Now().Add(-time.Hour)), problem.Conflict)
		for range 2 { // again is no error
			if err := s.Delete(t.Context(), b.Digest, time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
		}
		wantKeys(t, s, kept.Digest.key(), "side/"+kept.Digest.fan()+"/page-1.png")
	})
}

func TestSide(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		b := put(t, s, noise(12))
		for _, picture := range []string{"first", "second"} {
			if err := s.PutSide(t.Context(), b.Digest, "page-1.png", []byte(picture)); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Side(t.Context(), b.Digest, "page-1.png"); err != nil || string(got) != picture {
				t.Errorf("%q, %v", got, err)
			}
		}
		_, err := s.Side(t.Context(), b.Digest, "page-2.png")
		wantProblem(t, err, problem.NotFound)
		for _, name := range []string{"", "../x", "a/b", "a.attrs", "A", ".", "..", "a\x00", strings.Repeat("a", 61)} {
			if err := s.PutSide(t.Context(), b.Digest, name, nil); err == nil || problem.As(err) != nil {
				t.Errorf("side %q: %v", name, err)
			}
		}
		wantProblem(t, s.PutSide(t.Context(), b.Digest, "large", make([]byte, MaxSide+1)), problem.TooLarge)
		if err := s.DropSides(t.Context(), b.Digest); err != nil {
			t.Error(err)
		}
		// Of a file that is not there, or not any more, nothing is kept.
		wantProblem(t, s.PutSide(t.Context(), sum([]byte("gone")), "page-1.png", []byte("x")), problem.NotFound)
		wantKeys(t, s, b.Digest.key())
	})
}

func TestSweep(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		kept := put(t, s, noise(13))
		d, err := s.place.begin(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Write(noise(12 << 20)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Part(t.Context(), "abc", 0, bytes.NewReader(noise(100)), 1000); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			before time.Time
			want   int
		}{{time.Now().Add(-time.Hour), 0}, {time.Now().Add(time.Hour), 2}, {time.Now().Add(time.Hour), 0}} {
			if n, err := s.Sweep(t.Context(), tt.before); n != tt.want || err != nil {
				t.Errorf("swept %d, %v; want %d", n, err, tt.want)
			}
		}
		// Who was swept away while writing hears of it, and nothing came of it.
		if err := d.settle(t.Context(), sum(nil).key()); err == nil {
			t.Error("a draft that was swept is stored")
		}
		wantKeys(t, s, kept.Digest.key())
	})
}

// An upload is as old as its newest part.
func TestSweepKeepsWhatGoesOn(t *testing.T) {
	t.Parallel()
	s := openTest(t, "")
	dir := string(s.place.(folder))
	for i := range 2 {
		if _, err := s.Part(t.Context(), "abc", int64(i*100), bytes.NewReader(noise(100)), 1000); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			old := time.Now().Add(-48 * time.Hour)
			for _, k := range keys(t, s) {
				if err := os.Chtimes(filepath.Join(dir, k), old, old); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(-24*time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	// And a folder that a crash left empty goes too.
	if err := os.Mkdir(filepath.Join(dir, "upload/empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "upload")); len(left) != 0 || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestFolderIsPrivate(t *testing.T) {
	t.Parallel()
	s := openTest(t, "")
	b := put(t, s, noise(1))
	if err := s.PutSide(t.Context(), b.Digest, "page-1.png", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Part(t.Context(), "abc", 0, strings.NewReader("x"), 10); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(string(s.place.(folder)), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	s := openTest(t, "")
	content := noise(1000)
	b := put(t, s, content)
	if err := os.WriteFile(s.place.(folder).path(b.Digest.key()), content[:999], 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Verify(t.Context(), b.Digest); !errors.Is(err, ErrDamaged) || got.Size != 999 {
		t.Errorf("%v, %v", got, err)
	}
	put(t, s, content) // heals it
	if _, err := s.Verify(t.Context(), b.Digest); err != nil {
		t.Error(err)
	}
}

// A disk that is not mounted must not look like files that never were.
func TestStoreIsGone(t *testing.T) {
	t.Parallel()
	s := openTest(t, "")
	b := put(t, s, noise(1))
	dir := string(s.place.(folder))
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for what, err := range map[string]error{
		"put":    second(s.Put(ctx, strings.NewReader("x"), 10)),
		"stat":   second(s.Stat(ctx, b.Digest)),
		"read":   second(s.Reader(ctx, b.Digest, 0, -1)),
		"verify": second(s.Verify(ctx, b.Digest)),
		"walk":   s.Walk(ctx, func(Blob, time.Time) error { return nil }),
		"offset": second(s.Offset(ctx, "abc")),
		"part":   second(s.Part(ctx, "abc", 0, strings.NewReader("x"), 10)),
		"side":   s.PutSide(ctx, b.Digest, "page-1.png", nil),
	} {
		if !problem.Of(err, problem.Unavailable) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestFailed(t *testing.T) {
	t.Parallel()
	s := openTest(t, "")
	for _, tt := range []struct {
		err  error
		want problem.Kind
	}{
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, problem.Full},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, problem.Full},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EIO}, problem.Unavailable},
		{problem.New(problem.TooLarge, "x"), problem.TooLarge},
	} {
		err := s.failed(t.Context(), tt.err)
		wantProblem(t, err, tt.want)
		if !errors.Is(err, tt.err) {
			t.Errorf("%v hides its cause", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.failed(ctx, syscall.EIO); problem.As(err) != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("after leaving: %v", err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"", "files", "/var/files", "file://files", "file://./files", "file:///x?create_dir=1", "mem://", "s3://",
		"s3://bucket?unheard=of", "http://files", "file://" + file, "file:///proc/files", "file://%zz"} {
		if s, err := Open(t.Context(), address); err == nil {
			t.Errorf("%q is opened: %v", address, s)
		}
	}
}

// What is put uses no memory that grows with it.
func TestPutIsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("writes much")
	}
	addresses := []string{""}
	if os.Getenv("S3_URL") != "" {
		addresses = append(addresses, bucket(t))
	}
	for _, address := range addresses {
		s := openTest(t, address)
		const size = 64 << 20 // a GiB shows the same, and takes longer: go test -bench Put
		least, most := heapWhile(func() {
			if _, err := s.Put(t.Context(), io.LimitReader(pattern{}, size), MaxSize); err != nil {
				t.Error(err)
			}
		})
		t.Logf("%d to %d MB", least>>20, most>>20)
		if most > 20<<20 && address == "" || most > 40<<20 {
			t.Errorf("the heap had %d to %d bytes", least, most)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	s := openTest(b, os.Getenv("S3_URL"))
	b.SetBytes(1 << 30)
	for b.Loop() {
		_, most := heapWhile(func() {
			if _, err := s.Put(b.Context(), io.LimitReader(pattern{}, 1<<30), MaxSize); err != nil {
				b.Error(err)
			}
		})
		b.ReportMetric(float64(most)/(1<<20), "MB-heap")
	}
}

// pattern never ends and costs nothing.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := 0; i < len(p); i += 4096 {
		p[i]++
	}
	return len(p), nil
}

// heapWhile answers how large the heap was while fn ran.
func heapWhile(fn func()) (least, most uint64) {
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as in production
	runtime.GC()
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		var m runtime.MemStats
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			runtime.ReadMemStats(&m)
			if least == 0 {
				least = m.HeapInuse
			}
			least, most = min(least, m.HeapInuse), max(most, m.HeapInuse)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	fn()
	close(done)
	<-watched
	return least, most
}

func TestDigest(t *testing.T) {
	t.Parallel()
	d := sum([]byte("x"))
	if got, err := ParseDigest(d.String()); got != d || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	var back Digest
	text, err := d.MarshalText()
	if err != nil || back.UnmarshalText(text) != nil || back != d {
		t.Errorf("text %s: %v, %v", text, back, err)
	}
	column, err := d.Value()
	var row Digest
	if err != nil || row.Scan(column) != nil || row != d {
		t.Errorf("column %v: %v, %v", column, row, err)
	}
	if row.Scan([]byte("short")) == nil || row.Scan(nil) == nil {
		t.Error("another column is a digest")
	}
}

func FuzzParseDigest(f *testing.F) {
	good := sum(nil).String()
	for _, s := range []string{"", good, strings.ToUpper(good), good[1:], good + "0", "../" + good[3:], good[:60] + "/../", good[:63] + "\x00", good[:61] + "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDigest(s)
		if err != nil {
			wantProblem(t, err, problem.Invalid)
			return
		}
		if d.String() != s || strings.ContainsAny(s, `/\.`) || filepath.Base(d.key()) != s {
			t.Errorf("%q is a digest", s)
		}
	})
}

// TestSilentStore asks a store that takes connections and says nothing.
func TestSilentStore(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	was := silence
	silence = 200 * time.Millisecond
	t.Cleanup(func() { silence = was })
	s, err := Open(t.Context(), "s3://b?region=us-east-1&use_path_style=true&endpoint=http://"+l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for what, ask := range map[string]func() error{
		"put":        func() error { _, err := s.Put(t.Context(), strings.NewReader("x"), 10); return err },
		"put, large": func() error { _, err := s.Put(t.Context(), io.LimitReader(zeros{}, piece+1), piece+1); return err },
		"stat":       func() error { _, err := s.Stat(t.Context(), Digest{}); return err },
		"read":       func() error { _, err := s.Reader(t.Context(), Digest{}, 0, -1); return err },
	} {
		began := time.Now()
		if err := ask(); !problem.Of(err, problem.Unavailable) || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %v after %v", what, err, time.Since(began))
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

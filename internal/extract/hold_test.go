package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	traps["memory"] = func(io.Writer) error {
		var held [][]byte
		for {
			b := make([]byte, 16<<20)
			for i := range b {
				b[i] = 1
			}
			held = append(held, b)
			runtime.KeepAlive(held)
		}
	}
	traps["stack"] = func(io.Writer) error { return deeper(0) }
	traps["spin"] = func(io.Writer) error {
		for n := 0; ; n++ {
			runtime.KeepAlive(n)
		}
	}
	traps["sleep"] = func(io.Writer) error { time.Sleep(time.Hour); return nil }
	traps["flood"] = func(out io.Writer) error {
		b := bytes.Repeat([]byte("text "), 10_000)
		for {
			if err := writeFrame(out, frameText, b); err != nil {
				return err
			}
		}
	}
	traps["long"] = func(out io.Writer) error {
		_, err := out.Write([]byte{frameText, 0xff, 0xff, 0xff, 0xff})
		return err
	}
	traps["dirty"] = func(out io.Writer) error { return writeFrame(out, frameText, []byte("a\xff")) }
	traps["false picture"] = func(out io.Writer) error {
		return writeJSON(out, framePicture, Picture{Page: 1}, []byte{0}, []byte("<script>"))
	}
	traps["panic"] = func(io.Writer) error { panic("a bug") }
	traps["unfinished"] = func(io.Writer) error { return nil }
	// What a file that took the child over would try.
	traps["break out"] = func(out io.Writer) error {
		var got []string
		for name, try := range map[string]func() error{
			"open":    func() error { _, err := os.Open("/etc/hostname"); return err },
			"create":  func() error { return os.WriteFile("/tmp/extract-broke-out", nil, 0o600) },
			"remove":  func() error { return os.Remove("/tmp/extract-broke-out") },
			"network": func() error { _, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second); return err },
			"run":     func() error { return exec.CommandContext(context.Background(), "/bin/true").Run() },
			"kill":    func() error { return syscall.Kill(os.Getppid(), 0) },
			"trace":   func() error { return syscall.PtraceAttach(os.Getppid()) },
		} {
			if err := try(); !errors.Is(err, syscall.EPERM) {
				got = append(got, fmt.Sprint(name, ": ", err))
			}
		}
		for _, e := range os.Environ() {
			if name, _, _ := strings.Cut(e, "="); name != mark && !strings.HasPrefix(name, "GO") {
				got = append(got, e)
			}
		}
		return writeJSON(out, frameEnd, ending{Outcome: Done, Reason: strings.Join(got, "; ")})
	}
}

func deeper(n int) error {
	if n < 0 {
		return nil
	}
	var b [1024]byte
	b[n%1024] = 1
	if err := deeper(n + 1); err != nil {
		return err
	}
	runtime.KeepAlive(b)
	return nil
}

// TestHeld does in a child what a file must not achieve there.
func TestHeld(t *testing.T) {
	t.Parallel()
	_ = os.Getenv("TEST_RUN") // private.Uncached: the kernel holds it
	if runtime.GOOS != "linux" {
		t.Skip("children are held on Linux alone")
	}
	fast := limits{20 * time.Second, time.Minute, 160 << 20}
	short := limits{20 * time.Second, 300 * time.Millisecond, MaxMemory}
	for _, tt := range []struct {
		trap   string
		limits limits
		want   Outcome
		reason string
	}{
		{"memory", fast, TooLarge, "memory"},
		{"stack", limits{20 * time.Second, time.Minute, MaxMemory}, TooLarge, "memory"},
		{"spin", limits{time.Second, time.Minute, MaxMemory}, TimedOut, "processor"}, // by the kernel, however long it waited for its turns
		{"sleep", short, TimedOut, "longer"},
		{"flood", fast, TooLarge, "10 MB of text"},
		{"long", fast, TooLarge, "more than is taken"},
		{"dirty", fast, Broken, "gave up"},
		{"false picture", fast, Broken, "gave up"},
		{"panic", fast, Broken, "gave up"},
		{"unfinished", fast, Broken, "gave up"},
		{"break out", fast, Done, ""},
	} {
		t.Run(tt.trap, func(t *testing.T) {
			t.Parallel()
			r, err := run(context.Background(), nil, order{Type: Text, Trap: tt.trap}, tt.limits)
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != tt.want || !strings.Contains(r.Reason, tt.reason) || tt.want == Done && r.Reason != "" {
				t.Errorf("%s: %s\n%s", r.Outcome, r.Reason, r.Log)
			}
			if busy := tt.trap == "sleep"; r.Busy != busy || tt.trap == "spin" && (r.Time < tt.limits.time || r.Time > tt.limits.time+2*time.Second) {
				t.Errorf("busy %v, after %v of the processor and %v by the clock", r.Busy, r.Time, r.Took)
			}
			if r.Memory > tt.limits.memory*5/4 {
				t.Errorf("%d MB of %d", r.Memory>>20, tt.limits.memory>>20)
			}
			if r.Outcome != Done && r.Outcome != TimedOut && r.Text != "" {
				t.Errorf("%d bytes of text", len(r.Text))
			}
		})
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	started := time.Now()
	if _, err := run(ctx, nil, order{Type: Text, Trap: "sleep"}, childLimits); !errors.Is(err, context.DeadlineExceeded) || time.Since(started) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(started))
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r, err := Run(ctx, Job{From: strings.NewReader("a stream"), Name: "a.txt", Wish: Wish{Text: true}})
	if err != nil || r.Outcome != Done || r.Text != "a stream" || r.Type != Text {
		t.Errorf("%+v %v", r, err)
	}
	// A file that was read before, is open for writing, and has no name.
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString("a file"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	if r, err = Run(ctx, Job{File: f, Wish: Wish{Text: true}}); err != nil || r.Text != "a file" {
		t.Errorf("%+v %v", r, err)
	}
	if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != 6 {
		t.Errorf("the child moved it to %d", at)
	}
	if r, err = Run(ctx, Job{From: bytes.NewReader(zipped(t, "a", "b")), Wish: Wish{Text: true}}); err != nil || r.Outcome != Unsupported || r.Reason == "" {
		t.Errorf("%+v %v", r, err)
	}
	failing := errors.New("the disk is on fire")
	if _, err = Run(ctx, Job{From: io.MultiReader(strings.NewReader("x"), errReader{failing})}); !errors.Is(err, failing) {
		t.Error(err)
	}
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	if _, err = Run(ctx, Job{File: folder}); err == nil {
		t.Error("a folder was read")
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestPDF(t *testing.T) {
	t.Parallel()
	read := func(b []byte, w Wish) Result {
		r, err := Run(context.Background(), Job{From: bytes.NewReader(b), Name: "a.pdf", Wish: w})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	// JavaScript that it would run on opening, if it ran any.
	script := "/OpenAction<</S/JavaScript/JS(while\\(true\\){})>>"
	r := read(pdfOf(script, "first page", "second", "third page"), Wish{Text: true, Thumbnail: 100, First: 2, Last: 9, Width: 300})
	if r.Outcome != Done || r.Pages != 3 || r.Text != "first page\fsecond\fthird page" || r.Cut {
		t.Errorf("%s %s %d %q %s", r.Outcome, r.Reason, r.Pages, r.Text, r.Log)
	}
	var got []string
	for _, p := range r.Pictures {
		got = append(got, fmt.Sprintf("%d: %d×%d %s", p.Page, p.Width, p.Height, p.MIME))
	}
	if want := "0: 100×142 image/png, 2: 300×425 image/png, 3: 300×425 image/png"; strings.Join(got, ", ") != want {
		t.Errorf("%q", got)
	}
	if r := read([]byte("%PDF-1.7\nand nothing"), Wish{Text: true}); r.Outcome != Broken || r.Reason == "" {
		t.Errorf("%+v", r)
	}
}

// TestCache does not run code that others could have put there.
func TestCache(t *testing.T) {
	t.Parallel()
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil { // Mkdir is under the umask
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), Job{From: bytes.NewReader(pdfOf("", "x")), Cache: open}); err == nil || !strings.Contains(err.Error(), "alone") {
		t.Errorf("%v", err)
	}
}

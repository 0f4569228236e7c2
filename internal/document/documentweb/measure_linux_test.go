package documentweb_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

// mostMemory is what the portal may take while files are sent to it.
const mostMemory = 150 << 20

// TestMeasureUploads is run by `make measure-uploads`: it says how much memory the
// portal itself took at most (VmHWM), and how long it took.
func TestMeasureUploads(t *testing.T) {
	if os.Getenv("MEASURE") == "" {
		t.Skip("make measure-uploads")
	}
	w := newWorld(t, func(c *app.Config) { c.MaxFile = 5 << 30 })
	portal := w.Process()
	l := w.line(w.member)
	t.Logf("started: %d MB", peak(t, portal)>>20)
	for _, m := range []struct {
		name  string
		files int
		size  int64
		send  func(seed byte, size int64) (string, error)
	}{
		{"2 GiB as one body", 1, 2 << 30, l.whole},
		{"2 GiB by tus", 1, 2 << 30, l.resumable},
		{"ten of 200 MiB side by side, as bodies", 10, 200 << 20, l.whole},
		{"ten of 200 MiB side by side, by tus", 10, 200 << 20, l.resumable},
	} {
		began := time.Now()
		paths := make([]string, m.files)
		var wait sync.WaitGroup
		for i := range m.files {
			wait.Go(func() {
				var err error
				if paths[i], err = m.send(byte(i), m.size); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		took, most := time.Since(began), peak(t, portal)
		t.Logf("%s: %.1f s, %d MB a second, at most %d MB of memory so far", m.name, took.Seconds(), int64(float64(m.size*int64(m.files))/took.Seconds()/1e6), most>>20)
		if most > mostMemory {
			t.Errorf("%s: %d MB", m.name, most>>20)
		}
		for _, path := range paths { // room for the next
			if status, _, _, err := l.ask("DELETE", path, nil); status != 204 {
				t.Errorf("%s: %d %v", path, status, err)
			}
		}
		if err := w.Documents.Sweep(journal.WithNow(t.Context(), time.Now().Add(48*time.Hour))); err != nil {
			t.Error(err)
		}
	}
}

// noise is size bytes that no store has seen.
func noise(seed byte, size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed, byte(time.Now().UnixNano())}), size)
}

func (l line) whole(seed byte, size int64) (string, error) {
	status, text, h, err := l.ask("POST", "/uploads?name=noise.bin", noise(seed, size))
	if err != nil || status != 201 {
		return "", fmt.Errorf("%d %s %w", status, text, err)
	}
	return strings.TrimPrefix(h.Get("Location"), "/api/v1"), nil
}

func (l line) resumable(seed byte, size int64) (string, error) {
	status, text, h, err := l.ask("POST", "/uploads", nil, "Upload-Length", fmt.Sprint(size))
	if err != nil || status != 201 {
		return "", fmt.Errorf("%d %s %w", status, text, err)
	}
	at := strings.TrimPrefix(h.Get("Location"), "/api/v1")
	status, text, _, err = l.ask("PATCH", at, noise(seed, size), "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream")
	if err != nil || status != 204 {
		return "", fmt.Errorf("%d %s %w", status, text, err)
	}
	return at, nil
}

// peak is the most memory that the process has had: VmHWM.
func peak(t *testing.T, p *apptest.Process) int64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	var kB int64
	_, after, _ := strings.Cut(string(raw), "VmHWM:")
	if _, err := fmt.Sscan(after, &kB); err != nil {
		t.Fatal(err)
	}
	return kB << 10
}

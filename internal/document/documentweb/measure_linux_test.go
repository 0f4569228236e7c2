package documentweb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// TestMeasureDownloads is run by `make measure-downloads`: the same for what is
// downloaded, as one ZIP of 20 GiB and as many at once. Many documents have one
// content, which the store keeps once: a ZIP has it as often as it is asked for.
func TestMeasureDownloads(t *testing.T) {
	if os.Getenv("MEASURE") == "" {
		t.Skip("make measure-downloads")
	}
	w := newWorld(t, func(c *app.Config) { c.MaxFile = 5 << 30 })
	portal := w.Process()
	l := w.line(w.member)
	const documents, size = 105, int64(200 << 20)
	w.Exec(`INSERT INTO register (commission_id, prefix, last_number) VALUES ($1, 'ENERGY', $2)`, w.energy, documents)
	w.Exec(`INSERT INTO document (commission_id, number, title, type, status, status_since, visibility, versions, languages, created_at, updated_at)
		SELECT $1, i, 'Study ' || i, 'report', 'available', now(), 'commission', 1, '{en}', now(), now() FROM generate_series(1, $2::int) i`, w.energy, documents)
	// Five are such that a ZIP makes them smaller, or tries to.
	for _, kind := range []string{"application/pdf", "application/octet-stream"} {
		b, err := w.Files.Put(t.Context(), noise(byte(len(kind)), size), size)
		if err != nil {
			t.Fatal(err)
		}
		w.Exec(`INSERT INTO file (digest, size, type, outcome, read_at, created_at) VALUES ($1, $2, $3, 'nothing', now(), now())`, b.Digest, b.Size, kind)
		w.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, person_id, created_at)
			SELECT id, 1, 'en', $1, $2, 'study.bin', $3, now() FROM document WHERE number % 21 = 0 AND $4 = 'application/octet-stream' OR number % 21 > 0 AND $4 = 'application/pdf'`, b.Digest, b.Size, w.member.ID, kind)
	}
	names := func(from, to int) string {
		var list []string
		for i := from; i <= to; i++ {
			list = append(list, fmt.Sprintf("ENERGY-N%04d", i))
		}
		return "/commissions/energy/documents.zip?documents=" + strings.Join(list, ",")
	}
	t.Logf("started: %d MB", peak(t, portal)>>20)
	for _, m := range []struct {
		name  string
		paths []string
		zips  int // documents in each
	}{
		{"20 GiB as one ZIP of 105 documents", []string{names(1, documents)}, documents},
		{"ten ZIPs of 1 GiB side by side", slices.Repeat([]string{names(1, 5)}, 10), 5},
		{"ten files of 200 MiB side by side", slices.Repeat([]string{"/documents/ENERGY-N0001/versions/1/content"}, 10), 0},
	} {
		began := time.Now()
		var all atomic.Int64
		var wait sync.WaitGroup
		for _, path := range m.paths {
			wait.Go(func() {
				n, end, err := l.drain(path)
				all.Add(n)
				if err != nil {
					t.Error(err)
				}
				if m.zips == 0 && n != size || m.zips > 0 && (n < size*int64(m.zips) || entries(end) != m.zips) {
					t.Errorf("%s: %d bytes, and %d entries are named at the end", m.name, n, entries(end))
				}
			})
		}
		wait.Wait()
		took, most := time.Since(began), peak(t, portal)
		t.Logf("%s: %.1f GiB in %.0f s, at most %d MB of memory so far", m.name, float64(all.Load())/(1<<30), took.Seconds(), most>>20)
		if most > mostMemory {
			t.Errorf("%s: %d MB", m.name, most>>20)
		}
	}
}

// drain reads an answer to its end: how much it is, and its last bytes.
func (l line) drain(path string) (n int64, end []byte, err error) {
	r, err := l.open("GET", path, nil)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != 200 {
		return 0, nil, fmt.Errorf("%s: %d", path, r.StatusCode)
	}
	const tail = 64 << 10
	buffer := make([]byte, 4*tail)
	for {
		k, err := r.Body.Read(buffer)
		n += int64(k)
		if end = append(end, buffer[:k]...); len(end) > tail {
			end = append([]byte(nil), end[len(end)-tail:]...)
		}
		if errors.Is(err, io.EOF) {
			return n, end, nil
		}
		if err != nil {
			return n, end, err
		}
	}
}

// entries is how many files the end of a ZIP says that it has.
func entries(end []byte) int {
	if at := bytes.LastIndex(end, []byte("PK\x06\x06")); at >= 0 { // of a large one
		return int(binary.LittleEndian.Uint64(end[at+32:]))
	}
	if at := bytes.LastIndex(end, []byte("PK\x05\x06")); at >= 0 {
		return int(binary.LittleEndian.Uint16(end[at+10:]))
	}
	return 0
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

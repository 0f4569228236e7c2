package clamd

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"commissionportal/internal/problem"
)

// TestRealDaemon scans with ClamAV itself, where it is installed, which knows one
// virus: a file that this test made up.
func TestRealDaemon(t *testing.T) {
	t.Parallel()
	_ = os.Getenv("TEST_RUN") // private.Uncached: it may be installed meanwhile
	path, err := exec.LookPath("clamd")
	if err != nil {
		path = "/usr/sbin/clamd"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("no clamd here: apt-get install clamav-daemon")
	}
	dir, err := os.MkdirTemp("", "clamd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	bad := strings.Repeat("This is taken for a virus. ", 5000)
	socket := filepath.Join(dir, "s")
	for name, content := range map[string]string{
		"test.hdb": fmt.Sprintf("%x:%d:Made.Up\n", md5.Sum([]byte(bad)), len(bad)),
		"conf":     "Foreground yes\nLocalSocket " + socket + "\nDatabaseDirectory " + dir + "\nStreamMaxLength 1M\nLogFile " + dir + "/log\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), path, "-c", filepath.Join(dir, "conf"))
	out := &strings.Builder{}
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("unix", socket); err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("clamd does not start: %s", out)
		}
	}
	s, err := New("unix://" + socket)
	if err != nil {
		t.Fatal(err)
	}
	if virus, err := s.Scan(t.Context(), strings.NewReader(bad)); !strings.HasPrefix(virus, "Made.Up") || err != nil {
		t.Errorf("%q, %v", virus, err)
	}
	if virus, err := s.Scan(t.Context(), strings.NewReader("harmless")); virus != "" || err != nil {
		t.Errorf("%q, %v", virus, err)
	}
	if _, err := s.Scan(t.Context(), io.LimitReader(zeros{}, 8<<20)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("larger than it takes: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// speaks is not clamd: it reads what clamd reads and answers as it is told, for
// what the real one does not do on demand.
func speaks(t *testing.T, answer string, read bool) *Scanner {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(c)
			_, _ = in.ReadString(0)
			for read {
				var n uint32
				if binary.Read(in, binary.BigEndian, &n) != nil || n == 0 {
					break
				}
				_, _ = io.CopyN(io.Discard, in, int64(n))
			}
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	}()
	s, err := New("tcp://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer, virus string
		want          error
	}{
		{"stream: OK\x00", "", nil},
		{"stream: Win.Test.EICAR FOUND\x00", "Win.Test.EICAR", nil},
		{"INSTREAM size limit exceeded. ERROR\x00", "", ErrTooLarge},
		{"stream: Can't allocate memory ERROR\x00", "", problem.New(problem.Unavailable, "")},
		{"stream: OK", "", problem.New(problem.Unavailable, "")}, // cut off
		{"stream:  FOUND\x00", "", problem.New(problem.Unavailable, "")},
		{"", "", problem.New(problem.Unavailable, "")},
	} {
		virus, err := speaks(t, tt.answer, true).Scan(t.Context(), strings.NewReader(strings.Repeat("x", 200_000)))
		if virus != tt.virus || !errors.Is(err, tt.want) {
			t.Errorf("%q: %q, %v", tt.answer, virus, err)
		}
	}
	// It never takes for clean what it did not get whole.
	if virus, err := speaks(t, "stream: OK\x00", false).Scan(t.Context(), io.LimitReader(zeros{}, 64<<20)); virus != "" || !problem.Of(err, problem.Unavailable) {
		t.Errorf("%q, %v", virus, err)
	}
	lost := errors.New("lost")
	if _, err := speaks(t, "stream: OK\x00", true).Scan(t.Context(), iotest.ErrReader(lost)); !errors.Is(err, lost) {
		t.Errorf("a reader that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := speaks(t, "stream: OK\x00", true).Scan(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	none := &Scanner{"unix", filepath.Join(t.TempDir(), "none")}
	if _, err := none.Scan(t.Context(), strings.NewReader("x")); !problem.Of(err, problem.Unavailable) {
		t.Errorf("nobody is there: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"clamd", "/run/clamd", "unix://run/clamd", "tcp://host", "http://host:1", "tcp://host:1/x", "%zz"} {
		if _, err := New(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if s, err := New(""); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
}

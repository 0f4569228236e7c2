package blob

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"commissionportal/internal/problem"
)

// As a child of its own, the test's program does what is to be killed, or needs a
// disk that is mounted for it alone.
func TestMain(m *testing.M) {
	switch os.Getenv("BLOB_CHILD") {
	case "":
		os.Exit(m.Run())
	case "writes":
		writes(os.Getenv("BLOB_ADDRESS"))
	case "fills":
		if err := fills(os.Getenv("BLOB_ADDRESS")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func child(t *testing.T, what, address string) *exec.Cmd {
	t.Helper()
	_ = os.Getenv("TEST_RUN") // private.Uncached: what the disk and the kernel do is seen at every run
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), "BLOB_CHILD="+what, "BLOB_ADDRESS="+address)
	return c
}

// writes puts one file after the other and goes on with an upload, and says what
// was answered, until it is killed.
func writes(address string) {
	s, err := Open(context.Background(), address)
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		content := noise(500<<10 + i)
		b, err := s.Put(context.Background(), bytes.NewReader(content), MaxSize)
		if err != nil {
			panic(err)
		}
		at, err := s.Offset(context.Background(), "abc")
		if err != nil {
			panic(err)
		}
		n, err := s.Part(context.Background(), "abc", at, bytes.NewReader(content), MaxSize)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stdout, b.Digest, at+n)
	}
}

func TestKilled(t *testing.T) {
	t.Parallel()
	address := "file://" + t.TempDir() + "/files"
	s := openTest(t, address)
	var answered []Digest
	var arrived int64
	for range 6 {
		c := child(t, "writes", address)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		lines.Scan() // it has begun
		time.AfterFunc(time.Duration(rand.Int64N(int64(40*time.Millisecond))), func() { _ = c.Process.Kill() })
		for ok := true; ok; ok = lines.Scan() {
			var hex string
			if _, err := fmt.Sscan(lines.Text(), &hex, &arrived); err != nil {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
			d, err := ParseDigest(hex)
			if err != nil {
				t.Fatal(err)
			}
			answered = append(answered, d)
		}
		_ = c.Wait()

		// What was answered is there, and whatever is there is whole.
		for _, d := range answered {
			if _, err := s.Stat(t.Context(), d); err != nil {
				t.Errorf("%s was answered: %v", d, err)
			}
		}
		err = s.Walk(t.Context(), func(b Blob, _ time.Time) error {
			_, err := s.Verify(t.Context(), b.Digest)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if at, err := s.Offset(t.Context(), "abc"); err != nil || at < arrived {
			t.Errorf("%d had arrived, goes on at %d, %v", arrived, at, err)
		}
	}
	at, err := s.Offset(t.Context(), "abc")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.Join(t.Context(), "abc", at); err != nil || b.Size != at {
		t.Errorf("%v, %v", b, err)
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	for _, k := range keys(t, s) {
		if !strings.HasPrefix(k, "blob/") {
			t.Errorf("%s is left", k)
		}
	}
}

// In the middle of one file: nothing is stored, and Sweep finds what is left.
func TestKilledWithinAFile(t *testing.T) {
	t.Parallel()
	s := openTest(t, "")
	d, err := s.place.begin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(noise(1 << 20)); err != nil {
		t.Fatal(err)
	}
	if err := d.(*sheet).Close(); err != nil { // as the kernel does
		t.Fatal(err)
	}
	err = s.Walk(t.Context(), func(b Blob, _ time.Time) error { return fmt.Errorf("%s is there", b.Digest) })
	if err != nil {
		t.Error(err)
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	wantKeys(t, s)
}

// TestFull runs in name spaces of its own, where anybody may mount a small disk.
func TestFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := child(t, "fills", "file://"+filepath.Join(dir, "files"))
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || bytes.Contains(out, []byte("no disk")) {
		t.Skipf("a disk cannot be mounted here: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// fills fills a disk of 4 MB.
func fills(address string) error {
	ctx, dir := context.Background(), filepath.Dir(strings.TrimPrefix(address, "file://"))
	if err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"),
	); err != nil {
		return fmt.Errorf("no disk: %w", err)
	}
	s, err := Open(ctx, address)
	if err != nil {
		return err
	}
	kept, err := s.Put(ctx, bytes.NewReader(noise(1<<20)), MaxSize)
	if err != nil {
		return err
	}
	if _, err := s.Put(ctx, bytes.NewReader(noise(5<<20)), MaxSize); !problem.Of(err, problem.Full) {
		return fmt.Errorf("more than there is room for: %w", err)
	}
	n, err := s.Part(ctx, "abc", 0, bytes.NewReader(noise(2<<20)), MaxSize)
	if err != nil || n != 2<<20 {
		return fmt.Errorf("a part of %d: %w", n, err)
	}
	n, err = s.Part(ctx, "abc", 2<<20, io.LimitReader(pattern{}, 2<<20), MaxSize)
	if !problem.Of(err, problem.Full) || n != 0 {
		return fmt.Errorf("a part of %d that has no room: %w", n, err)
	}
	if at, err := s.Offset(ctx, "abc"); at != 2<<20 || err != nil {
		return fmt.Errorf("goes on at %d: %w", at, err)
	}
	if _, err := s.Join(ctx, "abc", 2<<20); !problem.Of(err, problem.Full) {
		return fmt.Errorf("joined: %w", err)
	}
	// Nothing half done, and there is room again at once.
	if err := s.Abandon(ctx, "abc"); err != nil {
		return err
	}
	if _, err := s.Put(ctx, bytes.NewReader(noise(2<<20)), MaxSize); err != nil {
		return err
	}
	if _, err := s.Verify(ctx, kept.Digest); err != nil {
		return err
	}
	return s.Walk(ctx, func(b Blob, _ time.Time) error {
		if b.Size != 1<<20 && b.Size != 2<<20 {
			return fmt.Errorf("%d bytes are stored", b.Size)
		}
		return nil
	})
}

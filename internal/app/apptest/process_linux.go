package apptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"commissionportal/internal/app"
)

// A test binary is also a portal that can be killed: see Process.
func init() {
	if os.Getenv("APPTEST_SERVE") == "" {
		return
	}
	if err := serveAlone(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveAlone is `portal serve`.
func serveAlone() error {
	c, err := app.FromEnvironment()
	if err != nil {
		return err
	}
	if size := os.Getenv("APPTEST_DISK"); size != "" { // a small disk, which only this process sees
		dir := strings.TrimPrefix(c.Files, "file://")
		if err := errors.Join(os.MkdirAll(dir, 0o700), syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""), syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)); err != nil {
			return fmt.Errorf("no disk: %w", err)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Address())
	if err != nil {
		return err
	}
	a, err := app.New(c, app.Logger("error", os.Stderr), nil)
	if err != nil {
		return err
	}
	return a.Serve(ctx, l)
}

// Process is a portal in a process of its own, on the database and the files of a
// test, that can be killed and started again at the same address.
type Process struct {
	p       *Portal
	environ []string
	command *exec.Cmd
}

// Process starts one. From then on the clients of p, and browsers that are opened,
// talk to it. environ are settings besides, NAME=value; with APPTEST_DISK=4m its
// files are on a disk of that size, for which the test has to be run by root.
func (p *Portal) Process(environ ...string) *Process {
	p.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	s := &Process{p: p, environ: append([]string{"APPTEST_SERVE=1", "DATABASE_URL=" + p.DatabaseURL, "FILES=" + p.Config.Files, fmt.Sprint("PORT=", port), "HOST=127.0.0.1",
		fmt.Sprint("MAX_FILE=", p.MaxFile), fmt.Sprint("PASSWORD_MEMORY=", p.PasswordMemory), "DATABASE_CONNECTIONS=8", "DATABASE_PATIENCE=10s"}, environ...)}
	s.Start()
	p.t.Cleanup(func() {
		if s.command != nil {
			s.Kill()
		}
	})
	return s
}

// Start starts it again, and waits until it answers.
func (s *Process) Start() {
	s.p.t.Helper()
	s.command = exec.Command(os.Args[0])
	disk := slices.ContainsFunc(s.environ, func(e string) bool { return strings.HasPrefix(e, "APPTEST_DISK=") })
	if program := os.Getenv("APPTEST_PORTAL"); program != "" && !disk { // the program itself
		s.command = exec.Command(program, "serve")
	}
	s.command.Env = append(os.Environ(), s.environ...)
	s.command.Stderr = testWriter{s.p.t}
	endWithUs(s.command)
	if disk {
		s.command.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS
	}
	if err := s.command.Start(); err != nil {
		s.p.t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.Get(s.p.URL + "/healthz")
		if err == nil {
			_ = r.Body.Close()
			return
		}
		if time.Now().After(end) {
			s.p.t.Fatalf("the portal does not start: %v", err)
		}
	}
}

// Kill ends it with SIGKILL, in the middle of whatever it does.
func (s *Process) Kill() {
	s.p.t.Helper()
	if err := s.command.Process.Kill(); err != nil {
		s.p.t.Fatal(err)
	}
	_ = s.command.Wait() // it says that it was killed
	s.command = nil
}

// Stop asks it to stop (SIGTERM); the channel has how it ended.
func (s *Process) Stop() <-chan error {
	s.p.t.Helper()
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		s.p.t.Fatal(err)
	}
	ended, command := make(chan error, 1), s.command
	s.command = nil
	go func() { ended <- command.Wait() }()
	return ended
}

// PID is its process number.
func (s *Process) PID() int { return s.command.Process.Pid }

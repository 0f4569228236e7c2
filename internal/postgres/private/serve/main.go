// Command serve runs a command with a fresh PostgreSQL server for tests, whose
// address it puts into TEST_DATABASE_URL, and ends as the command ends:
//
//	go run ./internal/postgres/private/serve -- go test ./...
//
// If the variable is set already, the command uses that server.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"commissionportal/internal/postgres/private"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return 2, errors.New("usage: serve -- command [argument …]")
	}
	// A signal interrupts the start; later it is passed on to the command and
	// all that the command has started, and the server stops after them.
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if os.Getenv(private.TestURL) == "" {
		server, err := private.StartTest(ctx, os.Stderr)
		if err != nil {
			return 1, err
		}
		defer func() {
			if stopped := server.Stop(); stopped != nil {
				code, err = 1, errors.Join(err, stopped)
			}
		}()
		if err := os.Setenv(private.TestURL, server.URL("postgres")); err != nil {
			return 1, err
		}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code := exit.ExitCode(); code > 0 {
			return code, nil // it has said why itself
		}
		return 1, err // a signal ended it
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

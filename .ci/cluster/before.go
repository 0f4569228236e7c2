package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// before builds the program of the commit before the newest migration, from which an
// upgrade has a migration to pass over. Where there is no history it is today's.
func before(ctx context.Context) (string, error) {
	git := func(args ...string) string {
		out, err := exec.CommandContext(ctx, "git", args...).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	commit := git("rev-parse", "--short", git("log", "-1", "--format=%H", "--diff-filter=A", "--", "migrations/*.sql")+"^")
	if commit == "" {
		fmt.Fprintln(os.Stderr, "There is no history to build an older program of: the upgrade is from today's, without a migration.")
		return filepath.Abs(filepath.Join("var", "portal"))
	}
	program, err := filepath.Abs(filepath.Join("var", "cluster", "portal-"+commit))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	fmt.Fprintf(os.Stderr, "building the program of %s, once …\n", commit)
	source, err := os.MkdirTemp("", "portal-"+commit+"-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(source) }()
	unpack := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", `git archive "$0" | tar -x -C "$1"`, commit, source)
	build := exec.CommandContext(ctx, "go", "build", "-C", source, "-trimpath", "-ldflags", "-s -w -X commissionportal/internal/app.Version="+commit, "-o", program, "./cmd/portal")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, cmd := range []*exec.Cmd{unpack, build} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", errors.Join(fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, out), ctx.Err())
		}
	}
	return program, nil
}

package private

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"commissionportal/internal/problem"
)

// Account is who runs the server. PostgreSQL refuses to run as root, so root
// lends it an ordinary account; anyone else runs it as themselves (nil).
type Account struct {
	credential *syscall.Credential
}

// AccountFor returns the account for a cluster in data: whose it is already, or
// for a new one "postgres", else "nobody".
func AccountFor(data string) (Account, error) {
	info, err := os.Stat(data)
	owner := uint32(0)
	if err == nil {
		owner = info.Sys().(*syscall.Stat_t).Uid
	} else if !os.IsNotExist(err) {
		return Account{}, fmt.Errorf("private server: %w", err)
	}
	if me := uint32(os.Geteuid()); me != 0 {
		if err == nil && owner != me {
			return Account{}, problem.New(problem.Conflict,
				"The data in %s belong to the account %d, not to yours: run the portal as before (as root?), or remove that directory.", data, owner)
		}
		return Account{}, nil
	}
	if owner != 0 {
		gid := info.Sys().(*syscall.Stat_t).Gid
		return Account{&syscall.Credential{Uid: owner, Gid: gid}}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			return Account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
		}
	}
	return Account{}, problem.New(problem.Unavailable,
		"PostgreSQL does not run as root, and there is neither an account “postgres” nor “nobody” to run it: run the portal as an ordinary user.")
}

// Command prepares a program to run as the account, away from a working
// directory it may not enter and from the caller's PG… variables.
func (a Account) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	// A process group of its own: Ctrl-C in the terminal is for the portal,
	// which stops its server last.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential, Setpgid: true}
	return cmd
}

// Own gives a file to the account.
func (a Account) Own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// fallback is where root keeps what cannot be under dir, because the account
// may not reach it (a checkout in /root). A variable for tests.
var fallback = func(dir string) string {
	return fmt.Sprintf("/var/lib/commissionportal-%x", sha256.Sum256([]byte(dir)))[:len("/var/lib/commissionportal-")+12]
}

// Place returns dir if the account can reach it, else root's fallback. Data
// that are in the fallback already stay there.
func (a Account) Place(ctx context.Context, dir string) (string, error) {
	if a.credential == nil {
		return dir, nil
	}
	other := fallback(dir)
	if _, err := os.Stat(filepath.Join(other, "data")); err == nil {
		return other, nil
	}
	// Ask as the account instead of reading modes: access lists count too.
	if a.Command(ctx, "/bin/sh", "-c", `cd "$1"`, "sh", dir).Run() == nil {
		return dir, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(other, 0o755); err != nil {
		return "", fmt.Errorf("private server: %w", err)
	}
	return other, nil
}

// servers lists the processes of a server that works in data, wherever /proc
// tells: every process of a PostgreSQL server has its cluster as working directory.
func servers(data string) []int {
	var pids []int
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is good
	for _, link := range links {
		cwd, err := os.Readlink(link)
		if err != nil || cwd != data {
			continue // gone meanwhile, somebody else's, or elsewhere
		}
		exe, err := os.Readlink(filepath.Join(filepath.Dir(link), "exe"))
		if err != nil || strings.TrimSuffix(filepath.Base(exe), " (deleted)") != "postgres" {
			continue // somebody's shell in that directory
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// stopLeftover ends a server that outlived a portal that was killed. Usually it
// is about to end by itself, because it was asked to when the portal died.
func stopLeftover(ctx context.Context, data string) error {
	for _, step := range []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		if len(servers(data)) == 0 {
			return unlock(data)
		}
		for _, pid := range servers(data) {
			// SIGINT makes the postmaster stop fast; in the others it only
			// cancels a query. It is an error if the process is gone, and then all is well.
			_ = syscall.Kill(pid, step.signal)
		}
		for end := time.Now().Add(step.timeout); time.Now().Before(end); {
			if len(servers(data)) == 0 {
				return unlock(data)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return problem.New(problem.Unavailable, "An earlier PostgreSQL server still runs in %s and cannot be stopped (processes %v).", data, servers(data))
}

// unlock removes the lock files of a server that was killed. PostgreSQL does so
// itself, unless its old process number is taken: by a stranger, or by its own
// remains until somebody waits for them. Where there is no /proc to tell that
// nobody works in data, PostgreSQL decides.
func unlock(data string) error {
	if runtime.GOOS != "linux" {
		return nil
	}
	for _, name := range []string{"postmaster.pid", ".s.PGSQL.5432.lock"} {
		if err := os.Remove(filepath.Join(data, name)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("private server: %w", err)
		}
	}
	return nil
}

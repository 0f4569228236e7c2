package private

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"commissionportal/internal/problem"
)

// oldest is the first major version that has all we use, multiranges being the
// newest of it.
const oldest = 14

// debianBinaries is where Debian and Ubuntu put the server's programs, which
// are not in PATH there. A variable, so that a test can look elsewhere.
var debianBinaries = "/usr/lib/postgresql/*/bin"

// installation is one set of the server's programs.
type installation struct {
	dir   string
	major int
}

// Find returns the directory of initdb and postgres: the ones in PATH, else the
// newest of Debian's. A version older than 14 counts as missing. The error is
// an Unavailable problem that says what to install.
func Find() (binDir string, err error) {
	in, err := find(0)
	return in.dir, err
}

// find returns an installation of that major version, or with 0 the preferred one.
func find(major int) (installation, error) {
	for _, in := range installations() {
		if in.major == major || major == 0 {
			return in, nil
		}
	}
	if major != 0 {
		return installation{}, problem.New(problem.Unavailable,
			"The data were written by PostgreSQL %d, which is not installed: apt-get install postgresql-%d", major, major)
	}
	return installation{}, problem.New(problem.Unavailable,
		"PostgreSQL %d or newer is missing: apt-get install postgresql (or set DATABASE_URL to a server of yours)", oldest)
}

// installations lists what is usable, best first.
func installations() []installation {
	var all []installation
	if initdb, err := exec.LookPath("initdb"); err == nil {
		all = appendInstallation(all, filepath.Dir(initdb))
	}
	dirs, _ := filepath.Glob(debianBinaries) // fails for a bad pattern only, and ours is a constant
	var debian []installation
	for _, dir := range dirs {
		debian = appendInstallation(debian, dir)
	}
	slices.SortFunc(debian, func(a, b installation) int { return cmp.Compare(b.major, a.major) })
	return append(all, debian...)
}

var version = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func appendInstallation(all []installation, dir string) []installation {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return all
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return all // half an installation (only the client's programs, say) is none
	}
	m := version.FindSubmatch(out)
	if m == nil {
		return all
	}
	major, err := strconv.Atoi(string(m[1]))
	if err != nil || major < oldest {
		return all
	}
	return append(all, installation{dir, major})
}

// noMainCluster keeps Debian's package from making and starting a server of its
// own, which would listen on port 5432 for nobody.
var noMainCluster = "/etc/postgresql-common/createcluster.d/commissionportal.conf"

// Install installs PostgreSQL with apt-get and tells out what it does. Where it
// cannot (not root, no apt-get) it returns the same problem as Find.
func Install(ctx context.Context, out io.Writer) (err error) {
	_, missing := find(0)
	if missing == nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return missing
	}
	say(out, "PostgreSQL is missing: installing it with apt-get …")
	if err := os.MkdirAll(filepath.Dir(noMainCluster), 0o755); err != nil {
		return fmt.Errorf("install PostgreSQL: %w", err)
	}
	if err := os.WriteFile(noMainCluster, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return fmt.Errorf("install PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(noMainCluster)) }() // later installations are not our business

	apt := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	}
	install := []string{"install", "-y", "--no-install-recommends", "postgresql"}
	if apt(install...) != nil { // a fresh machine has no package lists, or old ones
		if err := apt("update"); err != nil {
			return fmt.Errorf("apt-get update: %w", err)
		}
		if err := apt(install...); err != nil {
			return fmt.Errorf("apt-get install postgresql: %w", err)
		}
	}
	_, err = find(0)
	return err
}

// say tells a person what takes time; that a message is lost changes nothing.
func say(out io.Writer, format string, args ...any) {
	if out != nil {
		_, _ = fmt.Fprintf(out, format+"\n", args...)
	}
}

package private

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"commissionportal/internal/problem"
)

// fake makes an installation that only knows its version, and returns its directory.
func fake(t *testing.T, dir string, major int) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script(t, filepath.Join(dir, "initdb"), "")
	script(t, filepath.Join(dir, "postgres"), fmt.Sprintf("echo 'postgres (PostgreSQL) %d.4 (Debian)'", major))
	return dir
}

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// noPostgres hides the machine's installations; what is in the directory
// returned counts as Debian's.
func noPostgres(t *testing.T, path string) (debian string) {
	t.Helper()
	debian = t.TempDir()
	old := debianBinaries
	debianBinaries = filepath.Join(debian, "*", "bin")
	t.Cleanup(func() { debianBinaries = old })
	t.Setenv("PATH", path)
	return debian
}

func TestFind(t *testing.T) {
	debian := noPostgres(t, t.TempDir())
	if _, err := Find(); !problem.Of(err, problem.Unavailable) || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("none: %v", err)
	}
	fake(t, filepath.Join(debian, "13", "bin"), 13)
	if dir, err := Find(); err == nil {
		t.Errorf("too old: found %s", dir)
	}
	fake(t, filepath.Join(debian, "9.6", "bin"), 9)
	fake(t, filepath.Join(debian, "15", "bin"), 15)
	newest := fake(t, filepath.Join(debian, "17", "bin"), 17)
	if dir, err := Find(); dir != newest || err != nil {
		t.Errorf("newest: %q, %v", dir, err)
	}
	if in, err := find(15); in.dir != filepath.Join(debian, "15", "bin") || err != nil {
		t.Errorf("the one that wrote the data: %v, %v", in, err)
	}
	if _, err := find(16); !problem.Of(err, problem.Unavailable) || !strings.Contains(err.Error(), "postgresql-16") {
		t.Errorf("the one that wrote the data is missing: %v", err)
	}
	inPath := fake(t, t.TempDir(), 16)
	t.Setenv("PATH", inPath)
	if dir, err := Find(); dir != inPath || err != nil {
		t.Errorf("in PATH: %q, %v", dir, err)
	}
}

func TestInstall(t *testing.T) {
	programs := t.TempDir()
	debian := noPostgres(t, programs)
	oldMain := noMainCluster
	noMainCluster = filepath.Join(t.TempDir(), "createcluster.d", "portal.conf")
	t.Cleanup(func() { noMainCluster = oldMain })

	var out strings.Builder
	if err := Install(t.Context(), &out); !problem.Of(err, problem.Unavailable) {
		t.Errorf("without apt-get: %v", err)
	}
	if os.Geteuid() != 0 {
		t.Skip("installing is for root")
	}
	// An apt-get with empty package lists, that sees whether it may make a cluster.
	bin := filepath.Join(debian, "15", "bin")
	for _, program := range []string{"cat", "mkdir", "printf", "chmod"} {
		if err := os.Symlink(filepath.Join("/bin", program), filepath.Join(programs, program)); err != nil {
			t.Fatal(err)
		}
	}
	script(t, filepath.Join(programs, "apt-get"), fmt.Sprintf(`
case "$1" in
update) : > %[1]q/lists ;;
install)
  [ -f %[1]q/lists ] || exit 100
  cat %[2]q
  mkdir -p %[3]q
  printf '#!/bin/sh\n' > %[3]q/initdb
  printf '#!/bin/sh\necho "postgres (PostgreSQL) 15.4"\n' > %[3]q/postgres
  chmod 755 %[3]q/initdb %[3]q/postgres ;;
esac`, programs, noMainCluster, bin))
	if err := Install(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "create_main_cluster = false") {
		t.Errorf("Debian would have made a server of its own: %s", out.String())
	}
	if _, err := os.Stat(noMainCluster); !os.IsNotExist(err) {
		t.Errorf("the setting stays behind: %v", err)
	}
	if dir, err := Find(); dir != bin || err != nil {
		t.Errorf("after: %q, %v", dir, err)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"commissionportal/internal/app"
	"commissionportal/internal/postgres/private"
)

// TestBeside gives commands beside a portal that runs in a checkout with a database
// of its own, and where none runs.
func TestBeside(t *testing.T) {
	private.Uncached()
	for _, name := range []string{"DATABASE_URL", "FILES"} {
		t.Setenv(name, "")
	}
	root, err := os.MkdirTemp("/tmp", "beside-test-") // one that PostgreSQL's account can enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil { //nolint:gosec // that account is another
		t.Fatal(err)
	}
	t.Chdir(root)
	add := func() error {
		return personAddCommand{Email: "ada@example.org", Name: "Ada Lovelace"}.Run(t.Context())
	}
	if err := add(); err == nil || !strings.Contains(err.Error(), "set DATABASE_URL") {
		t.Errorf("outside of a checkout: %v", err)
	}
	if err := os.WriteFile("go.mod", []byte("module x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := add(); err == nil || !strings.Contains(err.Error(), "start one with `make run`, or set DATABASE_URL") {
		t.Errorf("nothing runs: %v", err)
	}
	s, err := private.Start(t.Context(), private.Config{Dir: filepath.Join("var", "postgres"), Database: "portal", Temporary: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := app.Migrate(t.Context(), s.URL("portal")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("below", 0o750); err != nil {
		t.Fatal(err)
	}
	t.Chdir("below") // the files are those of the checkout still
	if said, err := output(t, add); err != nil || !strings.Contains(said, "added Ada Lovelace") {
		t.Errorf("%q, %v", said, err)
	}
	if said, err := output(t, func() error { return doctorCommand{}.Run(t.Context()) }); err != nil || !strings.Contains(said, "ok    schema") {
		t.Errorf("%q, %v", said, err)
	}
	if c, err := beside(); err != nil || c.Files != "file://"+filepath.Join(root, "var", "files") {
		t.Errorf("files: %q, %v", c.Files, err)
	}
	for name, command := range map[string]func() error{
		"serve":   func() error { return serveCommand{}.Run(t.Context()) },
		"migrate": func() error { return migrateCommand{}.Run(t.Context()) },
		"restore": func() error { return restoreCommand{Dir: root}.Run(t.Context()) },
	} {
		if err := command(); err == nil || !strings.Contains(err.Error(), "set DATABASE_URL") {
			t.Errorf("%s takes the private database: %v", name, err)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestImportEnds: a script learns from how the command ends whether all went in.
func TestImportEnds(t *testing.T) {
	p := apptest.New(t)
	t.Setenv("DATABASE_URL", p.DatabaseURL)
	t.Setenv("FILES", p.Config.Files)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.csv", "name,kind,country\nNordwind,company,DE\n")
	bad := file("bad.csv", "name,kind,country\n,company,DE\n,company,FR\n")
	for _, tt := range []struct {
		name   string
		files  []string
		dry    bool
		said   string
		refuse string
	}{
		{"all would go in", []string{good}, true, "1 would be created", ""},
		{"all refused, tried", []string{bad}, true, "2 refused", "refused: 2"},
		{"all refused, and the next goes in", []string{bad, good}, false, "1 created", "refused: 2"},
		{"there already", []string{good}, false, "1 skipped", ""},
	} {
		said, err := output(t, func() error {
			return importCommand{Kind: "organizations", Files: tt.files, DryRun: tt.dry, Lines: "none"}.Run(t.Context())
		})
		if (err != nil) != (tt.refuse != "") || err != nil && !strings.Contains(err.Error(), tt.refuse) || !strings.Contains(said, tt.said) {
			t.Errorf("%s: %q, %v", tt.name, said, err)
		}
	}
}

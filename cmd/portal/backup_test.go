package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

// TestBackup saves a portal while it is written to, restores it beside itself, and
// has every command that proves something prove it; and refuses what is no whole backup.
func TestBackup(t *testing.T) {
	p := apptest.New(t)
	chair, energy := p.Person("Carla Chair"), uuid.Must(uuid.NewV7())
	p.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, 'energy', 'ENERGY', 'Energy', 'commission', 'active')`, energy)
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES ('[2020-01-01,)', $1, $2, $3, 'chair', 'secretariat')`, energy, chair.ID, chair.Name)
	for range 3 { // a journal
		chair.API("POST", "/commissions/energy/milestones", map[string]any{"title": "Draft", "due_on": "2030-01-01"}).Want(201)
	}
	b, err := p.Files.Put(t.Context(), strings.NewReader("what the document says"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Files.PutSide(t.Context(), b.Digest, "page-1.png", []byte("\x89PNG")); err != nil {
		t.Fatal(err)
	}
	p.Exec(`INSERT INTO file (digest, size, type, outcome, read_at, created_at) VALUES ($1, $2, 'text/plain', 'read', now(), now())`, b.Digest, b.Size)

	t.Setenv("DATABASE_URL", p.DatabaseURL)
	t.Setenv("FILES", p.Config.Files)
	dir := filepath.Join(t.TempDir(), "backup")
	stop, written := make(chan struct{}), make(chan int)
	go func() { // the portal goes on
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				written <- n
				return
			default:
				chair.API("POST", "/commissions/energy/milestones", map[string]any{"title": "Meanwhile", "due_on": "2030-01-01"})
			}
		}
	}()
	said, err := output(t, func() error { return backupCommand{Dir: dir, Quiet: true}.Run(t.Context()) })
	close(stop)
	if n := <-written; err != nil || n == 0 || !strings.Contains(said, "Saved 1 files") {
		t.Fatalf("%d written meanwhile: %q, %v", n, said, err)
	}
	if _, err := output(t, func() error { return backupCommand{Dir: dir, Quiet: true}.Run(t.Context()) }); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a second backup in the same folder: %v", err)
	}
	if _, err := output(t, func() error { return restoreCommand{Dir: dir, Quiet: true}.Run(t.Context()) }); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a database that is in use: %v", err)
	}

	fresh := func() {
		t.Helper()
		name := "restored_" + strings.ReplaceAll(uuid.NewString(), "-", "")
		p.Exec(`CREATE DATABASE ` + name + ` TEMPLATE template0`)
		t.Cleanup(func() { p.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`) })
		u, err := url.Parse(p.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		t.Setenv("DATABASE_URL", u.String())
		t.Setenv("FILES", "file://"+t.TempDir())
	}
	fresh()
	if said, err = output(t, func() error { return restoreCommand{Dir: dir, Quiet: true}.Run(t.Context()) }); err != nil || !strings.Contains(said, "every row, every file and the journal are what they were") {
		t.Fatalf("%q, %v", said, err)
	}
	for want, prove := range map[string]func() error{
		"All 1 files are what they were": func() error { return documentsVerifyCommand{Quiet: true}.Run(t.Context()) },
		"The journal is whole":           func() error { return journalVerifyCommand{}.Run(t.Context()) },
	} {
		if said, err := output(t, prove); err != nil || !strings.Contains(said, want) {
			t.Errorf("%q, %v", said, err)
		}
	}
	side := filepath.Join(strings.TrimPrefix(os.Getenv("FILES"), "file://"), "side", b.Digest.String()[:2], b.Digest.String(), "page-1.png")
	if got, err := os.ReadFile(side); err != nil || string(got) != "\x89PNG" {
		t.Errorf("what was derived from the file: %q, %v", got, err)
	}

	content := filepath.Join(dir, "files", "blob", b.Digest.String()[:2], b.Digest.String())
	for _, tt := range []struct{ name, path, text, want string }{
		{"a file is altered", content, "what somebody else says", "file " + b.Digest.String()},
		{"a table had another row", filepath.Join(dir, "manifest.json"), "", "table milestone: "},
		{"the dump is altered", filepath.Join(dir, "database.dump"), "PGDMP", "is not what it was"},
		{"it was not finished", filepath.Join(dir, "manifest.json"), "gone", "is no backup"},
	} {
		fresh()
		was, err := os.ReadFile(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		switch tt.text {
		case "":
			err = os.WriteFile(tt.path, []byte(strings.Replace(string(was), `"milestone": {
      "rows": `, `"milestone": {
      "rows": 1`, 1)), 0o600)
		case "gone":
			err = os.Remove(tt.path)
		default:
			err = os.WriteFile(tt.path, []byte(tt.text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := output(t, func() error { return restoreCommand{Dir: dir, Quiet: true}.Run(t.Context()) }); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if err := os.WriteFile(tt.path, was, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

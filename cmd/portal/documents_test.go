package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/blob"
)

// TestVerify damages files behind the portal's back, and has the command find it.
func TestVerify(t *testing.T) {
	p := apptest.New(t)
	t.Setenv("DATABASE_URL", p.DatabaseURL)
	t.Setenv("FILES", p.Config.Files)
	energy := uuid.Must(uuid.NewV7())
	p.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, 'energy', 'ENERGY', 'Energy', 'commission', 'active')`, energy)
	p.Exec(`INSERT INTO register (commission_id, prefix, last_number) VALUES ($1, 'ENERGY', 1)`, energy)
	p.Exec(`INSERT INTO document (commission_id, number, title, type, status, status_since, visibility, created_at, updated_at) VALUES ($1, 1, 'First', 'report', 'available', now(), 'public', now(), now())`, energy)
	var files []blob.Blob
	for _, content := range []string{"kept", "gone", "longer", "other"} {
		b, err := p.Files.Put(t.Context(), strings.NewReader(content), 100)
		if err != nil {
			t.Fatal(err)
		}
		p.Exec(`INSERT INTO file (digest, size, type, created_at) VALUES ($1, $2, 'text/plain', now())`, b.Digest, b.Size)
		files = append(files, b)
	}
	p.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, created_at) SELECT id, 1, 'en', $1, 4, 'a.txt', now() FROM document`, files[1].Digest)

	run := func() (string, error) {
		t.Helper()
		return output(t, func() error { return documentsVerifyCommand{}.Run(t.Context()) })
	}
	if said, err := run(); err != nil || said != "All 4 files are what they were (19 bytes).\n" {
		t.Errorf("%q, %v", said, err)
	}
	path := func(i int) string {
		d := files[i].Digest.String()
		return filepath.Join(p.FilesDir(), "blob", d[:2], d)
	}
	if err := os.Remove(path(1)); err != nil {
		t.Fatal(err)
	}
	for i, content := range map[int]string{2: "longest", 3: "OTHER"} {
		if err := os.WriteFile(path(i), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said, err := run()
	if err == nil || err.Error() != "3 of 4 files are not what they were" {
		t.Errorf("it ends with %v", err)
	}
	for i, want := range map[int]string{1: "is not in the store: ENERGY-N0001", 2: "has another size: no document has it", 3: "has other content: no document has it"} {
		if !strings.Contains(said, files[i].Digest.String()+" "+want+"\n") {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if strings.Contains(said, files[0].Digest.String()) {
		t.Errorf("what is right is named:\n%s", said)
	}
}

// output is what a command prints, and how it ends.
func output(t *testing.T, command func() error) (string, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	fault := command()
	os.Stdout = stdout
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(said), fault
}

package documentweb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// write makes files in a folder of the test's own, name and content in turn.
func write(t *testing.T, pairs ...string) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i+1 < len(pairs); i += 2 {
		path := filepath.Join(dir, pairs[i])
		if err := os.WriteFile(path, []byte(pairs[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// arrived waits until some bytes of the only upload are in the store, and fewer
// than all.
func (w *world) arrived(t *testing.T, least int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var n int64
		files, err := filepath.Glob(filepath.Join(w.FilesDir(), "upload", "*", "*"))
		incoming, _ := filepath.Glob(filepath.Join(w.FilesDir(), "incoming", "*")) // the pattern is good
		for _, name := range append(files, incoming...) {
			if info, err := os.Stat(name); err == nil {
				n += info.Size()
			}
		}
		if err == nil && n >= int64(least) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes arrived, want %d", n, least)
		}
	}
}

var long = strings.Repeat("All that is known of grids, in many words.\n", 60_000) // 2.6 MB

// TestChosenEarly: a file that is chosen before the script is there is sent by it.
func TestChosenEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tab := w.member.Browser()
	release := tab.Hold("/static/upload.")
	tab.Open("/commissions/energy/documents/new")
	tab.Upload("file", write(t, "An early study.txt", "Early.\n")[0])
	tab.SeeNot("Drop a file here") // the script says so
	release()
	tab.See("An early study.txt") // a line of the script's own
}

// TestSending drops a file on the form of a document, and pauses it, leaves the
// page, comes back and loses the connection before all of it is there.
func TestSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := write(t, "A long_study.txt", long)[0]
	tab := w.member.Browser()
	tab.Open("/commissions/energy/documents/new")
	tab.See("Drop a file here")
	tab.Connect(true, 50_000) // a minute, of which some seconds are needed
	tab.Drop(".upload-zone", file)
	tab.See("A long_study.txt")
	tab.See("left")
	w.arrived(t, 60_000)
	tab.Look("upload-running")
	tab.Click("Pause")
	tab.See("Paused at")
	tab.Look("upload-paused")

	tab.Open("/commissions/energy/documents/new")
	tab.See("of it is here from before")
	tab.Click("main .btn-primary")
	tab.See("Choose the file that is named below again")
	tab.Upload("file", file)
	tab.See("left")
	tab.Shaky()
	tab.Connect(false, 0)
	tab.See("The connection is lost")
	tab.Look("upload-lost")
	tab.Fill("Title", "A long study")
	tab.Click("main .btn-primary") // waits for the file
	tab.See("It is submitted as soon as all is there")
	tab.Connect(true, 0)
	tab.See("It waits for the officers")
	if got := w.member.Get(tab.Path() + "/versions/1/content").Want(200).Body; got != long {
		t.Errorf("%d bytes came, and other ones than the %d that were sent", len(got), len(long))
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM upload`); n != 0 {
		t.Errorf("%d uploads are left: it was begun anew", n)
	}
	// Nothing is remembered of what is done.
	tab.Open("/commissions/energy/documents/new")
	tab.SeeNot("A long_study.txt")
}

// TestSendingSeveral submits many files at once, one of which is not taken.
func TestSendingSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := write(t, "First_study.pdf", pdf, "setup.pdf", "MZ\x90\x00"+strings.Repeat("\x00", 300)+"This program cannot be run in DOS mode.", "Second study.txt", "text", "notes.md", "# Notes", "empty.txt", "")
	tab := w.member.Browser()
	tab.Open("/commissions/energy/documents/several")
	tab.Look("several-empty")
	// Dropped on the register, they are taken to that page, once.
	tab.Open("/commissions/energy/documents")
	tab.Expect(422) // the empty one at once
	tab.Expect(422)
	tab.Drop("main h1", files...)
	tab.See("Submit several documents")
	if got := tab.Path(); got != "/commissions/energy/documents/several" {
		t.Errorf("the files went to %s", got)
	}
	tab.See("This file is empty.")
	tab.In("setup.pdf").See("program")
	tab.In("notes.md").See("It is here.")
	tab.In("Second study.txt").Fill("Title", "The second study")
	tab.Look("several-refused")
	tab.Click("main .btn-primary")
	tab.See("Choose the file that is named below again, or remove it")
	tab.In("setup.pdf").Click("Remove")
	tab.In("empty.txt").Click("Remove")
	tab.SeeNot("This file is empty.")
	tab.Choose("organization", "Acme")
	tab.Click("main .btn-primary")
	tab.See("3 documents submitted")
	tab.See("First study")
	tab.See("The second study")
	tab.Look("several-done")
	if got := apptest.Value[string](w.Portal, `SELECT string_agg(title || ' ' || v.file_name, ', ' ORDER BY title) FROM document d JOIN document_version v ON v.document_id = d.id`); got !=
		"First study First_study.pdf, notes notes.md, The second study Second study.txt" {
		t.Error(got)
	}
}

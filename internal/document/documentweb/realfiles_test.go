package documentweb_test

import (
	"encoding/csv"
	"encoding/json"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/postgres/private"
)

// TestRealFiles sends every real and hostile file, and every hostile name, through
// the front door.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	root, err := private.Checkout()
	if err != nil {
		t.Fatal(err)
	}
	files := filepath.Join(root, "..", "shared", "data", "files")
	if _, err := os.Stat(files); err != nil {
		t.Skip("no ../shared/data here")
	}
	w := newWorld(t)
	refused := map[string]bool{"html_named_pdf.pdf": true, "exe_named_docx.docx": true, "zip_named_docx.docx": true, "zero_bytes.pdf": true}
	submit := func(name, content string) apptest.Reply {
		body, kind := form(t, name, content, "title", "File "+name[:min(len(name), 30)], "type", "report")
		return w.chair.Send("POST", "/commissions/energy/documents", body, "Content-Type", kind)
	}
	n, pages := 0, map[string]string{}
	for _, dir := range []string{"good", "hostile"} {
		entries, err := os.ReadDir(filepath.Join(files, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			content, err := os.ReadFile(filepath.Join(files, dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			n++
			r := submit(e.Name(), string(content))
			if refused[e.Name()] {
				r.Want(422, "file-error")
				continue
			}
			pages[e.Name()] = r.Want(303).Location()
			got := w.chair.Get(pages[e.Name()] + "/versions/1/content").Want(200)
			if got.Body != string(content) {
				t.Errorf("%s came back otherwise than it was sent", e.Name())
			}
			if !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment;") {
				t.Errorf("%s is not saved but shown", e.Name())
			}
		}
		if dir == "good" {
			w.findPhrases(t, phrases(t, files))
		}
	}
	if n < 40 {
		t.Errorf("only %d files", n)
	}
	w.read(t)
	for _, m := range manifest(t, filepath.Join(files, "good_manifest.csv")) {
		if got := w.outcome(pages[m["file"]]); got != "read" {
			t.Errorf("%s: %s", m["file"], got)
		}
		w.chair.Get(pages[m["file"]]+"/versions/1/preview").Want(200).Lacks("There is no preview", "It is being read")
		text := apptest.Value[string](w.Portal, `SELECT coalesce(string_agg(text, ' ' ORDER BY page), '') FROM file_text WHERE encode(digest, 'hex') = $1`, m["sha256"])
		if !strings.Contains(strings.Join(strings.Fields(text), " "), m["known_phrase"]) {
			t.Errorf("%s: no %q in %.300q", m["file"], m["known_phrase"], text)
		}
	}
	for _, m := range manifest(t, filepath.Join(files, "hostile_manifest.csv")) {
		at := pages[m["file"]]
		if refused[m["file"]] {
			continue
		}
		if got := w.outcome(at); got != hostile[m["file"]] {
			t.Errorf("%s: %s, want %s", m["file"], got, hostile[m["file"]])
		}
		preview := w.chair.Get(at + "/versions/1/preview").Want(200)
		if hostile[m["file"]] != "read" {
			preview.Want(200, "There is no preview", "No preview could be made: ")
			if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM file_text WHERE encode(digest, 'hex') = $1`, m["sha256"]); n > 0 {
				t.Errorf("%s: it is %s, and %d pages of text were kept", m["file"], hostile[m["file"]], n)
			}
		}
		w.chair.Get(at + "/versions/1/content").Want(200) // it stays there
	}
	raw, err := os.ReadFile(filepath.Join(files, "hostile_filenames.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []struct{ Filename, Kind string }
	if err := json.Unmarshal(raw, &names); err != nil {
		t.Fatal(err)
	}
	for _, f := range names {
		r := submit(f.Filename, pdf)
		if r.Status != 303 && r.Status != 422 {
			t.Errorf("%s: %d", f.Kind, r.Status)
		}
		if r.Status == 303 {
			got := w.chair.Get(r.Location() + "/versions/1/content").Want(200).Header.Get("Content-Disposition")
			if _, params, err := mime.ParseMediaType(got); err != nil || !strings.HasPrefix(params["filename"], "ENERGY-N") || len(params["filename"]) > 200 || strings.ContainsAny(params["filename"], "/\\:*?\"<>|\x00\n\u202e") {
				t.Errorf("%s: the header %q cannot be read: %v", f.Kind, got, err)
			}
		}
	}
	submit("会议记录（第三次）.pdf", pdf).Want(303)
	last := w.chair.Get("/documents/" + apptest.Value[string](w.Portal, `SELECT id::text FROM document ORDER BY number DESC LIMIT 1`))
	got := w.chair.Get(last.Location() + "/versions/1/content").Header.Get("Content-Disposition")
	if _, params, err := mime.ParseMediaType(got); err != nil || !strings.HasSuffix(params["filename"], "v1 会议记录（第三次）.pdf") {
		t.Errorf("%q: %v", got, err)
	}
}

// hostile says what comes of reading the hostile files that are taken.
var hostile = map[string]string{
	"corrupted.pdf": "broken", "pdf_page_tree_recursive.pdf": "broken", "enc_openpassword.pdf": "encrypted", "enc_word.docx": "encrypted", "xlsx_xml_bomb.xlsx": "broken",
	"docx_truncated_763b.docx": "broken", "zip_slip.zip": "nothing", "pdf_javascript.pdf": "read", "polyglot_pdf_html.pdf": "read", "svg_script.svg": "nothing",
	"csv_formula_injection.csv": "read", "nul_and_controls.txt": "read", "invalid_utf8.txt": "read", "docx_zip_bomb_300MB.docx": "too_large",
}

// read waits until every file is read.
func (w *world) read(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if apptest.Value[bool](w.Portal, `SELECT NOT EXISTS (SELECT FROM file WHERE read_at IS NULL)`) {
			return
		}
	}
	t.Fatalf("%s are still not read", apptest.Value[string](w.Portal, `SELECT string_agg(v.file_name, ', ') FROM file f JOIN document_version v USING (digest) WHERE f.read_at IS NULL`))
}

// outcome is what came of reading the file of a document.
func (w *world) outcome(page string) string {
	name := page[strings.LastIndex(page, "/")+1:]
	r := apptest.JSON[struct{ Items []struct{ Outcome string } }](w.chair.API("GET", "/documents/"+name+"/versions", nil).Want(200))
	return r.Items[0].Outcome
}

func manifest(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, l := range lines[1:] {
		m := map[string]string{}
		for i, v := range l {
			m[lines[0][i]] = v
		}
		out = append(out, m)
	}
	return out
}

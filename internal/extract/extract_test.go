package extract

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// This test binary is its own child.
func TestMain(m *testing.M) {
	Child()
	os.Exit(m.Run())
}

// shared is the folder of real and hostile files, beside the checkout.
func shared(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SHARED_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "files", "good_manifest.csv")); err != nil {
		t.Skipf("THE REAL FILES ARE NOT TRIED: %v", err)
	}
	return filepath.Join(dir, "files")
}

func manifest(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(name)
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

func runFile(t *testing.T, path string, w Wish) Result {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := Run(context.Background(), Job{File: f, Name: filepath.Base(path), Wish: w})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestGood(t *testing.T) {
	t.Parallel()
	dir := shared(t)
	for _, m := range manifest(t, filepath.Join(dir, "good_manifest.csv")) {
		t.Run(m["file"], func(t *testing.T) {
			t.Parallel()
			r := runFile(t, filepath.Join(dir, "good", m["file"]), Wish{Text: true, Table: true, Thumbnail: 100})
			if r.Outcome != Done {
				t.Fatalf("%s: %s %s", r.Outcome, r.Reason, r.Log)
			}
			if !strings.Contains(flat(r.Text), m["known_phrase"]) {
				t.Errorf("no %q in %.3000q", m["known_phrase"], r.Text)
			}
			if n, err := strconv.Atoi(m["pages"]); err == nil && r.Pages != n {
				t.Errorf("%d pages, not %d", r.Pages, n)
			}
			t.Logf("%s %v %d KB, %d bytes of text, %d pictures", r.Type, r.Took, r.Memory>>10, len(r.Text), len(r.Pictures))
		})
	}
}

// hostile says how each file ends; "" for what is refused at the door.
var hostile = map[string]Outcome{
	"corrupted.pdf": Broken, "pdf_page_tree_recursive.pdf": Broken, "enc_openpassword.pdf": Encrypted, "enc_word.docx": Encrypted,
	"xlsx_xml_bomb.xlsx": Broken, "docx_truncated_763b.docx": Broken, "zip_slip.zip": Unsupported, "pdf_javascript.pdf": Done,
	"polyglot_pdf_html.pdf": Done, "svg_script.svg": Unsupported, "html_named_pdf.pdf": "", "exe_named_docx.docx": "", "zip_named_docx.docx": "",
	"zero_bytes.pdf": "", "csv_formula_injection.csv": Done, "nul_and_controls.txt": Done, "invalid_utf8.txt": Done, "docx_zip_bomb_300MB.docx": TooLarge,
}

func TestHostile(t *testing.T) {
	t.Parallel()
	dir := shared(t)
	for _, m := range manifest(t, filepath.Join(dir, "hostile_manifest.csv")) {
		t.Run(m["file"], func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, "hostile", m["file"])
			want, known := hostile[m["file"]]
			if !known {
				t.Fatal("this file is new")
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found, err := Sniff(bytes.NewReader(content), int64(len(content)), m["file"])
			if err != nil {
				t.Fatal(err)
			}
			if (found.Refuse != "") != (want == "") || (found.Refuse != "") != strings.HasPrefix(m["expected"], "reject") && m["category"] != "archive" {
				t.Errorf("%+v, to be: %s", found, m["expected"])
			}
			if found.Polyglot != (m["category"] == "polyglot") {
				t.Errorf("%+v is a %s", found, m["category"])
			}
			if m["category"] == "size" {
				return
			}
			r := runFile(t, path, Wish{Text: true, Table: true, Thumbnail: 100, First: 1, Last: 3, Width: 300})
			t.Logf("%+v %s: %s %v, %d KB, %d bytes of text, %d pictures; %s", found, r.Outcome, r.Reason, r.Took, r.Memory>>10, len(r.Text), len(r.Pictures), r.Log)
			if want != "" && r.Outcome != want {
				t.Errorf("%s, not %s", r.Outcome, want)
			}
			if r.Took > MaxWait+5*time.Second || r.Time > MaxTime+2*time.Second || !racing && r.Memory > MaxMemory {
				t.Errorf("it took %v and %d MB", r.Took, r.Memory>>20)
			}
			if r.Outcome != Done && (r.Text != "" || len(r.Pictures) > 0 || r.Reason == "") {
				t.Errorf("%s with %d bytes of text, %d pictures, %q", r.Outcome, len(r.Text), len(r.Pictures), r.Reason)
			}
		})
	}
}

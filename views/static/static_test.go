package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func TestLookup(t *testing.T) {
	address := URL("app.css")
	if !regexp.MustCompile(`^/static/app\.[0-9a-f]{12}\.css$`).MatchString(address) {
		t.Fatalf("URL is %q", address)
	}
	f, ok := Lookup(address)
	if !ok || f.Type != "text/css; charset=utf-8" || f.ETag == "" {
		t.Fatalf("Lookup: %v, %q, %q", ok, f.Type, f.ETag)
	}
	unpacked, err := io.ReadAll(brotli.NewReader(bytes.NewReader(f.Brotli)))
	if err != nil || !bytes.Equal(unpacked, f.Body) {
		t.Errorf("brotli does not give the file back: %v", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(f.Gzip))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err = io.ReadAll(z); err != nil || !bytes.Equal(unpacked, f.Body) {
		t.Errorf("gzip does not give the file back: %v", err)
	}
	for _, path := range []string{"", "/static/", "/static/app.css", "/static/app.000000000000.css", "/static/../static.go", strings.ToUpper(address)} {
		if _, ok := Lookup(path); ok {
			t.Errorf("Lookup(%q) found something", path)
		}
	}
}

func TestURLOfNothingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a file that does not exist has an address")
		}
	}()
	URL("no.css")
}

// The Content-Security-Policy allows neither data: URLs nor other hosts.
func TestNothingFromElsewhere(t *testing.T) {
	for _, name := range []string{"app.css", "app.js"} {
		f, _ := Lookup(URL(name))
		for _, bad := range []string{"data:", "@import", "http://", "eval("} {
			if bytes.Contains(f.Body, []byte(bad)) {
				t.Errorf("%s has %q", name, bad)
			}
		}
	}
}

// hooks are classes that are there for the script, for htmx, or for a test; they
// have no style.
var hooks = map[string]bool{}

var (
	literal   = regexp.MustCompile(`class="([^"{]*)"`)
	computed  = regexp.MustCompile(`class=\{([^}]*)\}`)
	quoted    = regexp.MustCompile(`"([^"]*)"`)
	className = regexp.MustCompile(`^-?[a-zA-Z][\w-]*$`)
	selector  = regexp.MustCompile(`\.(-?[a-zA-Z_][\w-]*)`)
	iconName  = regexp.MustCompile(`\bIcon\("([^"]+)"\)`)
)

// TestClasses fails for a class in a template that the built style sheet lacks: it
// was misspelled, or Tabler has it and npm run build has not been run since.
func TestClasses(t *testing.T) {
	css, _ := Lookup(URL("app.css"))
	styled := map[string]bool{}
	for _, m := range selector.FindAllStringSubmatch(string(css.Body), -1) {
		styled[m[1]] = true
	}
	icons, _ := Lookup(URL("icons.svg"))
	seen := 0
	for _, file := range templates(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("<style")) {
			continue // a letter has its styles in itself
		}
		var used []string
		for _, m := range literal.FindAllStringSubmatch(string(raw), -1) {
			used = append(used, strings.Fields(m[1])...)
		}
		for _, m := range computed.FindAllStringSubmatch(string(raw), -1) {
			for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
				used = append(used, strings.Fields(q[1])...)
			}
		}
		for _, class := range used {
			if !className.MatchString(class) || strings.HasSuffix(class, "-") {
				continue // a prefix or a state, completed by code
			}
			seen++
			if !styled[class] && !hooks[class] {
				t.Errorf("%s: class %q is not in app.css", file, class)
			}
		}
		for _, m := range iconName.FindAllStringSubmatch(string(raw), -1) {
			if !bytes.Contains(icons.Body, []byte(`id="`+m[1]+`"`)) {
				t.Errorf("%s: icon %q is not in icons.svg", file, m[1])
			}
		}
	}
	if seen < 100 {
		t.Fatalf("only %d classes found: the search is broken", seen)
	}
}

func templates(t *testing.T) []string {
	var files []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".templ") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

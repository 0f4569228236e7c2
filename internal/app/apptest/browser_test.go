package apptest

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"commissionportal/internal/postgres/private"
)

const policy = "default-src 'self'; form-action 'self'"

// site serves pages by path under the portal's policy, and /echo, which shows
// the form it is sent.
func site(t *testing.T, pages map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body, ok := pages[r.URL.Path]
		switch {
		case strings.HasSuffix(r.URL.Path, ".js"):
			w.Header().Set("Content-Type", "text/javascript")
		case strings.HasSuffix(r.URL.Path, ".css"):
			w.Header().Set("Content-Type", "text/css")
		}
		switch {
		case ok:
			fmt.Fprint(w, body)
		case r.URL.Path == "/favicon.ico":
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/echo":
			time.Sleep(200 * time.Millisecond) // as a page that works a little
			if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
				t.Error(err)
			}
			fmt.Fprint(w, document("Echo", "<p>"+strings.ReplaceAll(r.Form.Encode(), "&", " ")+"</p>"))
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, document("Nothing", "<p>No such page.</p>"))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestBrowserEndsWithUs holds the program that was started, and which the kernel ends
// with this one, to be the browser, and no shell that stays before it.
func TestBrowserEndsWithUs(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the kernel ends no children here")
	}
	Browser(t, site(t, nil))
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	started, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", browser.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if name := filepath.Base(started); !strings.Contains(name, "chrom") {
		t.Errorf("the tests started %s, and what that started outlives them", started)
	}
}

// TestBrowserThatEnds starts one that is killed as it starts: the first time, and always.
func TestBrowserThatEnds(t *testing.T) {
	t.Parallel()
	real, err := findChromium()
	need(t, err)
	for name, again := range map[string]string{"once": `exec ` + real + ` "$@"`, "always": `echo no memory; kill -9 $$`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			program := filepath.Join(dir, "browser")
			text := "#!/bin/sh\nif mkdir " + dir + "/started 2>/dev/null; then kill -9 $$; fi\n" + again + "\n"
			if err := os.WriteFile(program, []byte(text), 0o700); err != nil { //nolint:gosec // it is run
				t.Fatal(err)
			}
			profile, err := os.MkdirTemp("", "browser-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(profile) }) // best effort: the browser may still be writing its last
			browser, err := launch(program, profile)
			if name == "always" {
				if err == nil || !strings.Contains(err.Error(), "no memory") || !strings.Contains(err.Error(), "signal: killed") {
					t.Errorf("a browser that always ends gives %v, want what it said and how it ended", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := browser.process.Kill(); err != nil {
				t.Error(err)
			}
		})
	}
}

func document(title, body string) string {
	return `<!doctype html><html lang="en"><head><title>` + title + `</title><link rel="stylesheet" href="/page.css"><script src="/page.js" defer></script></head>` +
		`<body><main><h1>` + title + `</h1>` + body + `</main></body></html>`
}

// witness is a test that is allowed to fail.
type witness struct {
	testing.TB
	mu      sync.Mutex
	said    strings.Builder
	cleanup []func()
}

func (w *witness) say(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said.WriteString(s + "\n")
}
func (w *witness) Helper()           {}
func (w *witness) Name() string      { return "witness" }
func (w *witness) Cleanup(f func())  { w.cleanup = append(w.cleanup, f) }
func (w *witness) Error(args ...any) { w.say(fmt.Sprint(args...)) }
func (w *witness) Fatal(args ...any) { w.say(fmt.Sprint(args...)); runtime.Goexit() }
func (w *witness) Fatalf(format string, args ...any) {
	w.say(fmt.Sprintf(format, args...))
	runtime.Goexit()
}
func (w *witness) Skip(args ...any) { w.say("skipped: " + fmt.Sprint(args...)); runtime.Goexit() }

// said is what a journey that may fail complains of.
func said(t *testing.T, base string, journey func(*Tab)) string {
	t.Helper()
	w := &witness{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range w.cleanup {
				f()
			}
		}()
		journey(Browser(w, base))
	}()
	<-done
	return w.said.String()
}

func TestJourney(t *testing.T) {
	t.Parallel()
	form := `<form method="post" action="/echo" enctype="multipart/form-data">
		<label for="n">Name <span aria-hidden="true">*</span></label><input id="n" name="name" value="old">
		<label>About <textarea name="about"></textarea></label>
		<label>From <input type="date" name="from"></label>
		<label>Country <select name="country"><option value="">Choose</option><option value="KE">Kenya</option></select></label>
		<fieldset><legend>Kind</legend><label><input type="radio" name="kind" value="a"> Association</label> <label><input type="radio" name="kind" value="c"> Company</label></fieldset>
		<label><input type="checkbox" name="terms" value="yes"> I agree</label>
		<label>File <input type="file" name="file"></label>
		<button>Send</button></form>
		<table><tr><td>Ada</td><td><a href="/ada">Show</a></td></tr><tr><td>Bo</td><td><a href="/bo">Show</a></td></tr></table>`
	base := site(t, map[string]string{
		"/": document("Form", form), "/bo": document("This is Bo", ""), "/page.css": "", "/page.js": "",
	})
	tab := Browser(t, base)
	tab.Open("/")
	tab.Fill("Name", "Ada Lovelace")
	tab.Fill("about", "Two\nlines")
	tab.Fill("From", "2026-03-01")
	tab.Choose("Country", "Kenya")
	tab.Choose("Kind", "Company")
	tab.Click("I agree")
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tab.Upload("File", file)
	tab.Click("Send")
	if got, want := tab.Text("main p"), "about=Two%0D%0Alines country=KE from=2026-03-01 kind=c name=Ada+Lovelace terms=yes"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	tab.Open("/")
	tab.Fill("name", "")
	tab.In("Bo").Click("Show")
	tab.See("this is  BO")
	tab.SeeNot("Ada")
	if tab.Path() != "/bo" {
		t.Errorf("at %s", tab.Path())
	}
}

func TestCookiesAreTheTabsOwn(t *testing.T) {
	t.Parallel()
	base := site(t, map[string]string{"/": document("Here", ""), "/page.css": "", "/page.js": "document.cookie = document.cookie ? 'again=1' : 'first=1'; document.querySelector('h1').textContent = document.cookie"})
	for range 2 {
		tab := Browser(t, base)
		tab.Open("/")
		tab.See("first=1")
		tab.SeeNot("again")
	}
}

// Every fault of a page makes its test fail.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, js, want string }{
		{"nothing wrong", "", "", ""},
		{"console error", "", `console.error("oh", "dear")`, "console: oh dear"},
		{"exception", "", `null.x`, "script error"},
		{"late exception", "", `setTimeout(() => null.x, 100)`, "script error"},
		{"inline style", `<p style="color:red">x</p>`, "", "Content Security Policy"},
		{"inline script", `<script>1</script>`, "", "Content Security Policy"},
		{"eval", "", `new Function("1")`, "unsafe-eval"},
		{"missing picture", `<img src="/none.png" alt="">`, "", "answer 404 for"},
		{"missing script data", "", `fetch("/none.json")`, "answer 404 for"},
		{"picture of another host", `<img src="http://example.com/x.png" alt="">`, "", "example.com"},
		{"fetch from another host", "", `fetch("https://example.com/").catch(() => {})`, "example.com"},
		{"dead address", "", `fetch("/gone").catch(() => {})`, "request failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := site(t, map[string]string{"/": document("Page", tt.body), "/page.css": "", "/page.js": tt.js})
			if strings.Contains(tt.js, "/gone") {
				base = hangUp(t, document("Page", ""), tt.js)
			}
			got := said(t, base, func(tab *Tab) { tab.Open("/"); tab.See("Page"); time.Sleep(150 * time.Millisecond) })
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// hangUp serves a page and its script, and breaks the connection for /gone.
func hangUp(t *testing.T, page, js string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, page)
		case "/page.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, js)
		case "/gone":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestExpect(t *testing.T) {
	t.Parallel()
	base := site(t, map[string]string{"/": document("Page", ""), "/page.css": "", "/page.js": ""})
	for _, tt := range []struct {
		name    string
		journey func(*Tab)
		want    string
	}{
		{"announced", func(tab *Tab) { tab.Expect(404); tab.Open("/none"); tab.See("No such page") }, ""},
		{"not announced", func(tab *Tab) { tab.Open("/none") }, "answer 404"},
		{"announced once, came twice", func(tab *Tab) { tab.Expect(404); tab.Open("/none"); tab.Open("/none") }, "answer 404"},
		{"did not come", func(tab *Tab) { tab.Expect(422); tab.Open("/") }, "expected answer 422 did not come"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := said(t, base, tt.journey); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What is not as the journey says ends it, with the page's text and a picture.
func TestFailures(t *testing.T) {
	t.Parallel()
	base := site(t, map[string]string{
		"/": document("Page", `<p>Here I am.</p><button disabled>Off</button><label>Name <input name="name" maxlength="3"></label>
			<label>List <select name="list"><option>One</option></select></label><div class="low"><button>Under</button><div class="over"></div></div>`),
		"/page.css": ".low { position: relative } .over { position: absolute; inset: 0 }", "/page.js": "",
	})
	for _, tt := range []struct {
		name    string
		journey func(*Tab)
		want    string
	}{
		{"See", func(tab *Tab) { tab.See("There you are") }, "“There you are” is not to be seen"},
		{"SeeNot", func(tab *Tab) { tab.SeeNot("Here I am") }, "“Here I am” is still to be seen"},
		{"Click", func(tab *Tab) { tab.Click("Nowhere") }, "not there"},
		{"Click disabled", func(tab *Tab) { tab.Click("Off") }, "disabled"},
		{"Click covered", func(tab *Tab) { tab.Click("Under") }, `covered by <div class="over">`},
		{"Fill cut", func(tab *Tab) { tab.Fill("Name", "long") }, `it took "lon" of "long"`},
		{"Choose", func(tab *Tab) { tab.Choose("List", "Two") }, "no such option, but: One"},
		{"Text", func(tab *Tab) { tab.Text("#none") }, "not there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := said(t, base, func(tab *Tab) {
				tab.patience = 300 * time.Millisecond
				tab.Open("/")
				tt.journey(tab)
				t.Error("the journey went on")
			})
			if !strings.Contains(got, tt.want) || !strings.Contains(got, "Here I am.") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAxe(t *testing.T) {
	t.Parallel()
	base := site(t, map[string]string{
		"/good": document("Good", "<p>Fine.</p>"), "/page.js": "",
		"/bad":  document("Bad", `<img src="data:," ><input name="x">`),
		"/dark": document("Dark", "<p>Fine in the light.</p>"),
		"/long": document("Long", `<button></button><p>Seen.</p><details><summary>Closed</summary><div><b>Unseen.</b> <map name="m"><area href="/"></map>`+
			strings.Repeat("<i></i>", 1000)+`</div><em>Line 999.</em> <em>End.</em></details>`),
		"/page.css": "@media (prefers-color-scheme: dark) { p, b { color: #333; background: #222 } }",
	})
	tab := Browser(t, base)
	tab.Open("/good")
	if got := tab.Axe(); got != "" {
		t.Errorf("good: %s", got)
	}
	tab.Open("/dark")
	if got := tab.Axe(); got != "" {
		t.Errorf("light: %s", got)
	}
	tab.SetDark(true)
	if got := tab.Axe(); !strings.Contains(got, "color-contrast") {
		t.Errorf("dark: %q", got)
	}
	// Much that is closed is out of the page while it is looked at, and back then.
	tab.Open("/long")
	if got := tab.Axe(); !strings.Contains(got, "color-contrast (serious)") || !strings.Contains(got, "<p>Seen.</p>") || strings.Contains(got, "<b>Unseen.</b>") ||
		!strings.Contains(got, "area-alt (critical)") || !strings.Contains(got, "button-name (critical)") {
		t.Errorf("long: %q", got)
	}
	if got := tab.Axe(Looks...); !strings.Contains(got, "<p>Seen.</p>") || strings.Contains(got, "button-name") {
		t.Errorf("long, by its looks: %q", got)
	}
	tab.Click("Closed")
	tab.See("Unseen. Line 999. End.")
	if got := tab.Axe(Looks...); !strings.Contains(got, "<b>Unseen.</b>") {
		t.Errorf("opened: %q", got)
	}
	said(t, base, func(tab *Tab) {
		tab.Open("/bad")
		if got := tab.Axe(); !strings.Contains(got, "image-alt (critical)") || !strings.Contains(got, "label (critical)") {
			t.Errorf("bad: %q", got)
		}
	})
}

func TestNoScript(t *testing.T) {
	t.Parallel()
	base := site(t, map[string]string{"/": document("Page", `<noscript>Without</noscript><form action="/echo"><label>Q <input name="q"></label><button>Go</button></form>`),
		"/page.css": "", "/page.js": `document.querySelector("h1").textContent = "Scripted"`})
	tab := Browser(t, base)
	tab.Open("/")
	tab.See("Scripted")
	tab.NoScript()
	tab.Open("/")
	tab.See("Without")
	tab.SeeNot("Scripted")
	tab.Fill("Q", "ada")
	tab.Click("Go")
	tab.See("q=ada")
}

func TestScreenshot(t *testing.T) {
	t.Parallel()
	base := site(t, map[string]string{"/": document("Page", `<p class="tall">Tall</p>`), "/page.js": "", "/page.css": ".tall { height: 2000px }"})
	tab := Browser(t, base)
	tab.Open("/")
	tab.Screenshot("test-screenshot", 360, true)
	root, err := private.Checkout()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "var", "shots", "test-screenshot.png")
	picture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
	size, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil || size.Width != 360 || size.Height < 2000 {
		t.Errorf("the picture is %d by %d (%v)", size.Width, size.Height, err)
	}
}

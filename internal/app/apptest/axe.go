package apptest

import (
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"commissionportal/internal/postgres/private"
)

var (
	//go:embed testdata/axe.min.js
	axe string // axe-core 4.14.1, MPL-2.0: testdata/axe.LICENSE
	//go:embed axe.js
	examine string
)

// Looks are the rules of axe-core that colors and width can break; all others find
// the same in every theme.
var Looks = []string{"color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"}

// Axe returns what axe-core finds wrong with the page for people who cannot
// see, hear or point well: one line each, or "" if all is well. With rules it
// looks for those alone, which takes a third of the time. A page in which nothing
// was found is not looked at again before it changes, as Go runs no test again
// whose code did not; `make clean` forgets.
func (tab *Tab) Axe(rules ...string) string {
	tab.t.Helper()
	var page string // of the page as it is: what is shown, and how
	tab.do("axe", chromedp.Evaluate("{const page = "+script+"; page.digest()}", &page, awaited))
	known := filepath.Join(sound(), fmt.Sprintf("%s-%d-%v-%v-%d", page, tab.width, tab.dark, tab.forced, len(rules)))
	if now := time.Now(); os.Chtimes(known, now, now) == nil {
		return ""
	}
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct {
			HTML, FailureSummary string
		}
	}
	var loaded bool // it is half a megabyte, sent once a page
	tab.do("axe", chromedp.Evaluate("!!window.axe", &loaded))
	if !loaded {
		tab.do("axe", chromedp.Evaluate(axe+"\n; undefined", nil))
	}
	asked, err := json.Marshal([][]string{rules, Looks})
	if err != nil {
		tab.fail("axe: %v", err)
	}
	tab.do("axe", chromedp.Evaluate("("+examine+")(..."+string(asked)+")", &found, awaited))
	var lines strings.Builder
	for _, v := range found {
		for _, n := range v.Nodes {
			fmt.Fprintf(&lines, "%s (%s): %s: %s: %s\n", v.ID, v.Impact, v.Help, n.HTML,
				strings.Join(strings.Fields(n.FailureSummary), " "))
		}
	}
	if lines.Len() == 0 {
		if err := os.WriteFile(known, nil, 0o600); err != nil {
			tab.fail("axe: %v", err)
		}
	}
	return lines.String()
}

func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// sound is the folder of pages in which axe found nothing, by what looked: another
// browser or another version of axe begins anew. What no test has shown for a
// week is forgotten.
var sound = sync.OnceValue(func() string {
	root, err := private.Checkout()
	if err != nil {
		panic(err) // the browser was started from it
	}
	browser, err := findChromium()
	if err == nil {
		browser, err = filepath.EvalSymlinks(browser)
	}
	if err != nil {
		panic(err)
	}
	program, err := os.Stat(browser)
	if err != nil {
		panic(err)
	}
	by := sha256.Sum256(fmt.Append(nil, axe, examine, script, browser, program.Size(), program.ModTime()))
	dir := filepath.Join(root, "var", "test", fmt.Sprintf("sound-%x", by[:8]))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err)
	}
	pages, _ := os.ReadDir(dir) // best effort, as is the removal
	for _, page := range pages {
		if info, err := page.Info(); err == nil && time.Since(info.ModTime()) > 7*24*time.Hour {
			_ = os.Remove(filepath.Join(dir, page.Name()))
		}
	}
	return dir
})

// Look holds the page that is open to what everybody needs of it: axe finds
// nothing, in both themes and on a phone, and nothing is wider than the window.
// With LOOK set it takes pictures, var/shots/NAME-….png. The tab stays wide and light.
func (tab *Tab) Look(name string) {
	tab.t.Helper()
	for _, as := range []struct {
		width int
		dark  bool
		rules []string
	}{{360, true, Looks}, {1280, false, nil}} {
		tab.SetDark(as.dark)
		tab.SetWidth(as.width)
		if found := tab.Axe(as.rules...); found != "" {
			tab.t.Errorf("%s, %d wide, dark %v:\n%s", name, as.width, as.dark, found)
		}
		if tab.Overflows() {
			tab.t.Errorf("%s is wider than %d", name, as.width)
		}
		if os.Getenv("LOOK") != "" {
			tab.Screenshot(fmt.Sprintf("%s-%d", name, as.width), as.width, as.dark)
		}
	}
}

// Overflows reports whether the page is wider than its window, so that a person
// with a phone has to scroll sideways.
func (tab *Tab) Overflows() bool {
	tab.t.Helper()
	var wide bool
	tab.do("measure", chromedp.Evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1", &wide))
	return wide
}

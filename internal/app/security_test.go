package app_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
)

// TestSecurityPage holds docs/security.md to what there is: every test that it names, as
// package.Test, and every file; each requirement once, in the order of the standard; and
// the sum of what holds.
func TestSecurityPage(t *testing.T) {
	t.Parallel()
	const root = "../.."
	raw, err := os.ReadFile(filepath.Join(root, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	tests, test := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, dir := range []string{"cmd", "internal", "views"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			code, err := os.ReadFile(path)
			for _, m := range test.FindAllStringSubmatch(string(code), -1) {
				tests[filepath.Base(filepath.Dir(path))+"."+m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		name := m[1]
		switch {
		case regexp.MustCompile(`^\w+\.Test\w+$`).MatchString(name):
			if named[name] = true; !tests[name] {
				t.Errorf("there is no %s", name)
			}
		case regexp.MustCompile(`^Test\w+$`).MatchString(name) && !tests["app."+name]:
			t.Errorf("there is no %s in internal/app", name)
		case regexp.MustCompile(`^(internal|docs|policies|deploy|views|cmd)(/|$)|^[\w.]+\.(md|mod|sum)$`).MatchString(name):
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Error(err)
			}
		}
	}
	if len(named) < 50 {
		t.Errorf("only %d tests are named: they were looked for in the wrong way", len(named))
	}

	// Each attack that is named has a test, or says that there is no such thing here.
	_, attacks, _ := strings.Cut(text, "\n## Attacks\n")
	attacks, _, _ = strings.Cut(attacks, "\n## ")
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|([^|]*)\|$`).FindAllStringSubmatch(attacks, -1)
	for _, row := range rows {
		if row[1] != "attack" && !regexp.MustCompile("`\\w+\\.Test\\w+`").MatchString(row[3]) && !strings.HasPrefix(row[2], "n/a: ") {
			t.Errorf("%s: no test is named", row[1])
		}
	}
	for _, attack := range []string{"without a check", "id of another place", "attachment by its address", "somebody else's file", "draft by its address", "search and counts", "feeds", "people picker", "autocomplete", "error texts", "ETag",
		"notices", "mail", "event streams", "tokens", "links", "role, organization or status", "moved into one's own", "on pages", "/c/1 for /c/10", "deduplication", "invitation used", "mailed link", "set a password", "a code used", "200 at once", "fixation", "CSRF", "JSON",
		"Host", "X-Forwarded", "open redirect", "SVG", "Markdown", "names of files", "organizations", "formulas", "HTML and line ends in mail", "iCal", "path traversal", "zip and XML bombs", "SSRF", "smuggling", "oversized headers", "slow requests", "clickjacking", "cache poisoning", "shared caches"} {
		if !slices.ContainsFunc(rows, func(row []string) bool { return strings.Contains(row[1], attack) }) {
			t.Errorf("no attack is about %s", attack)
		}
	}

	// How many requirements of levels 1 and 2 each chapter of ASVS 5.0.0 has.
	want := map[int]int{1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16, 17: 7}
	got, count, last := map[int]int{}, map[string]int{}, 0
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+)\.(\d+)\.(\d+) \| ([12]) \| [^|]+ \| \**(holds|in part|no|n/a)\** \| ([^|]+) \|$`).FindAllStringSubmatch(text, -1) {
		var chapter, section, n int
		if _, err := fmt.Sscan(m[1]+" "+m[2]+" "+m[3], &chapter, &section, &n); err != nil {
			t.Fatal(err)
		}
		if at := chapter*1_000_000 + section*1000 + n; at <= last {
			t.Errorf("%s.%s.%s is out of order, or there twice", m[1], m[2], m[3])
		} else {
			last = at
		}
		got[chapter]++
		count[m[5]]++
		if strings.TrimSpace(m[6]) == "" {
			t.Errorf("%s.%s.%s says nothing", m[1], m[2], m[3])
		}
	}
	all := 0
	for chapter, n := range want {
		if got[chapter] != n {
			t.Errorf("V%d has %d requirements here, and %d in the standard", chapter, got[chapter], n)
		}
		all += n
	}
	if sum := fmt.Sprintf("Of %d requirements %d apply; %d of them hold, %d in part, %d not.", all, all-count["n/a"], count["holds"], count["in part"], count["no"]); !strings.Contains(text, sum) {
		t.Errorf("the page does not say: %s", sum)
	}
}

// TestScanners: what `make attack` begins with are addresses that the portal has.
func TestScanners(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile("../../.ci/attack.go")
	if err != nil {
		t.Fatal(err)
	}
	_, lists, _ := strings.Cut(string(code), "var entrances = ")
	lists, _, _ = strings.Cut(lists, "\n}\n\n// finding")
	routes, parameter, n := apptest.New(t).Web.Routes(), regexp.MustCompile(`:\w+`), 0
	places := strings.NewReplacer("{commission}", "/commissions/:slug", "{organization}", "/organizations/:slug", "{document}", "/documents/:name")
	for _, m := range regexp.MustCompile(`"!?([/{][^" ?]*)(\?[^" ]*)?( [^"]+)?"`).FindAllStringSubmatch(lists, -1) {
		method, path := "GET", places.Replace(m[1])
		if m[3] != "" {
			method = "POST"
		}
		if n++; !slices.ContainsFunc(routes, func(r web.Route) bool {
			return r.Method == method && regexp.MustCompile("^"+parameter.ReplaceAllString(r.Path, "[^/]+")+"$").MatchString(path)
		}) {
			t.Errorf("there is no %s %s", method, path)
		}
	}
	if n < 50 {
		t.Errorf("only %d addresses were found", n)
	}
}

// TestLetters: outside development, what the portal has written is the secretariat's alone.
func TestLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, func(c *app.Config) { c.Development = false })
	for _, path := range []string{"/dev/mail", "/dev/mail/" + w.ids["mail"], "/dev/mail/" + w.ids["mail"] + "/body"} {
		w.sam.Get(path).Want(200)
		w.Visitor().Get(path).Want(303)
		w.Person("Pat " + path[len(path)-4:]).Get(path).Want(404)
	}
}

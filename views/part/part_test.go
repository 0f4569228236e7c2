package part_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// wellFormed checks what a browser repairs silently: unique ids, labels, described
// fields that exist, nothing that the Content-Security-Policy forbids.
func wellFormed(t *testing.T, name, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(name, err)
	}
	ids, refs := map[string]int{}, map[string]string{}
	headings := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "h1" {
			headings++
		}
		if n.Data == "style" {
			t.Errorf("%s: <style>", name)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val]++
			case a.Key == "for", a.Key == "aria-describedby", a.Key == "aria-labelledby":
				for ref := range strings.FieldsSeq(a.Val) {
					refs[ref] = a.Key
				}
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
			case strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
				t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s: %d h1", name, headings)
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %q %d times", name, id, n)
		}
	}
	for ref, by := range refs {
		if ids[ref] == 0 {
			t.Errorf("%s: %s=%q names nothing", name, by, ref)
		}
	}
}

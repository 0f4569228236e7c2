package markdown_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"commissionportal/internal/markdown"
	"commissionportal/internal/problem"
)

func TestRender(t *testing.T) {
	const rel = ` rel="nofollow noopener ugc"`
	for _, tt := range []struct{ name, in, want string }{
		{"text", "a *b* **c** ~~d~~ `e`", "<p>a <em>b</em> <strong>c</strong> <del>d</del> <code>e</code></p>"},
		{"headings move under the page's", "# A\n## B\n# C", `<h2 id="s-a">A</h2><h3 id="s-b">B</h3><h2 id="s-c">C</h2>`},
		{"headings close gaps", "### A\n##### B\n## C\n###### D", `<h2 id="s-a">A</h2><h3 id="s-b">B</h3><h2 id="s-c">C</h2><h3 id="s-d">D</h3>`},
		{"headings alike", "# Aims scope 2\n# Aims & *scope*\n# Aims, scope!\n# 目的\n# !!", `<h2 id="s-aims-scope-2">Aims scope 2</h2><h2 id="s-aims-scope">Aims &amp; <em>scope</em></h2><h2 id="s-aims-scope-3">Aims, scope!</h2><h2 id="s-目的">目的</h2><h2 id="s-section">!!</h2>`},
		{"table", "|a|b|\n|-|:-:|\n|1|2|", `<table><thead><tr><th>a</th><th align="center">b</th></tr></thead><tbody><tr><td>1</td><td align="center">2</td></tr></tbody></table>`},
		{"tasks", "- [x] done\n- [ ] open", "<ul><li>☑ done</li><li>☐ open</li></ul>"},
		{"code", "```go\n<b>\n```", "<pre><code class=\"language-go\">&lt;b&gt;\n</code></pre>"},
		{"list from 3", "3. a\n4. b", `<ol start="3"><li>a</li><li>b</li></ol>`},

		{"link out", "[a](https://example.org \"t\")", `<p><a href="https://example.org" title="t"` + rel + `>a</a></p>`},
		{"link without scheme", "[a](//example.org/x)", `<p><a href="//example.org/x"` + rel + `>a</a></p>`},
		{"links inside", "[a](/c/energy) [b](#s-aims) [c](mailto:x@example.org)", `<p><a href="/c/energy">a</a> <a href="#s-aims">b</a> <a href="mailto:x@example.org">c</a></p>`},
		{"bare addresses", "https://example.org/ and x@example.org", `<p><a href="https://example.org/"` + rel + `>https://example.org/</a> and <a href="mailto:x@example.org">x@example.org</a></p>`},
		{"link that runs", "[a *b*](javascript:alert(1)) [c](JaVaScRiPt&#58;x) [d](data:text/html,x) [e](vbscript:x) [f](java\tscript:x) <javascript:x>", "<p>a <em>b</em> c d e [f](java\tscript:x) javascript:x</p>"},
		{"link with a control character", "[a](<java&#10;script:x>) [b](/\\example.org)", "<p>a b</p>"},
		{"reference", "[a]\n\n[a]: javascript:x", "<p>a</p>"},

		{"own image", "![a \"q\"](/files/x.png)", `<p><img src="/files/x.png" alt="a &#34;q&#34;"></p>`},
		{"image from elsewhere", "![the *map*](https://example.org/x.png)", `<p><a href="https://example.org/x.png"` + rel + `>the <em>map</em></a></p>`},
		{"image from elsewhere, no name", "![](//example.org/x.png)", `<p><a href="//example.org/x.png"` + rel + `>//example.org/x.png</a></p>`},
		{"image in a link", "[![a](https://example.org/x.png)](https://example.com)", `<p><a href="https://example.com"` + rel + `>a</a></p>`},
		{"image that runs", "![a](data:image/svg+xml;base64,xxxx) ![b](javascript:x)", "<p>a b</p>"},

		{"HTML", "<script>alert(1)</script>\n\na <b onclick=x>b</b> <img src=x onerror=y> <!-- c -->", "<p>a b  </p>"},
		{"entities", "&lt;script&gt; &amp; <x", "<p>&lt;script&gt; &amp; &lt;x</p>"},
		{"code with a class that is none", "```a\"onclick=x\nb\n```", "<pre><code>b\n</code></pre>"},
		{"broken UTF-8 and NUL", "a\xffb\x00c", "<p>a\uFFFDb\uFFFDc</p>"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := regexp.MustCompile(`>\n+`).ReplaceAllString(strings.TrimSpace(markdown.Render(tt.in, 2)), ">")
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
	if got := markdown.Render("# A\n## B\n### C", 5); !strings.Contains(got, "<h5") || strings.Count(got, "<h6") != 2 {
		t.Errorf("under a heading of level 4: %s", got)
	}
	var b strings.Builder
	if err := markdown.HTML("*a*", 2).Render(context.Background(), &b); err != nil || b.String() != "<p><em>a</em></p>\n" {
		t.Errorf("component: %q, %v", b.String(), err)
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"# Title\n\nThe *quick* [fox](/x)\njumps &amp; runs. \\*", 100, "The quick fox jumps & runs. *"},
		{"- a\n- b\n\n| c | d |\n|-|-|\n| e | f |", 100, "a b c d e f"},
		{"a\n\n```\ncode\n```\n<b>b</b> `x`", 100, "a b x"},
		{"![map](https://example.org/x.png) https://example.org", 100, "map https://example.org"},
		{"one two three four", 12, "one two…"},
		{"one, two three", 6, "one…"},
		{"one", 3, "one"},
		{"委员会每年举行两次会议", 5, "委员会每…"},
		{"aaae\u0301e\u0301", 5, "aaa…"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, ""},
		{strings.Repeat("> ", 50) + "a", 100, strings.TrimSpace(strings.Repeat("> ", 50)) + "…"},
		{"a b", -1, ""},
	} {
		got := markdown.Text(tt.in, tt.n)
		if got != tt.want {
			t.Errorf("Text(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
	long := strings.Repeat("word ", 100_000)
	if got := markdown.Text(long, 200); utf8.RuneCountInString(got) > 200 || !strings.HasSuffix(got, " word…") {
		t.Errorf("of a long text: %q", got)
	}
	if got := markdown.Text(strings.Repeat("# Title\n\n", 10_000), 20); got != "…" {
		t.Errorf("of a text that begins with nothing but headings: %q", got)
	}
}

// worst are sources of about size bytes that cost a Markdown parser most.
func worst(size int) map[string]string {
	rep := func(s string) string { return strings.Repeat(s, size/len(s)) }
	build := func(add func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(add(i))
		}
		return b.String()
	}
	half := size / 2
	return map[string]string{
		"quotes":           rep(">"),
		"quotes, spaced":   rep("> "),
		"quotes grow":      build(func(i int) string { return strings.Repeat(">", i%20) + "x\n" }),
		"quotes, at limit": rep(strings.Repeat(">", 20) + "x\n\n"),
		"ordered":          rep("1. "),
		"lists in quotes":  rep("> - "),
		"lists indented":   build(func(i int) string { return strings.Repeat("  ", i) + "- x\n" }),
		"brackets":         rep("["),
		"brackets close":   strings.Repeat("[", half) + strings.Repeat("]", half),
		"images":           rep("!["),
		"links unclosed":   rep("[a]("),
		"links in links":   strings.Repeat("[a](", size/5) + strings.Repeat(")", size/5),
		"links, by line":   rep(strings.Repeat("[a](", 900) + "\n\n"),
		"empty items":      rep(strings.Repeat("[a](", 900) + "\n1. \n"),
		"indented items":   rep(strings.Repeat("[a](", 900) + "\n    - x\n"),
		"indented quotes":  rep(strings.Repeat("[a](", 900) + "\n     >\n"),
		"stars":            rep("*a_ "),
		"stars, tight":     rep("*a_"),
		"strikes":          rep("~~a "),
		"ticks":            build(func(i int) string { return strings.Repeat("`", i+1) + " " }),
		"tags":             rep("a<a "),
		"comments":         rep("a<!--"),
		"instructions":     rep("a<?"),
		"declarations":     rep("a<!A "),
		"CDATA":            rep("a<![CDATA["),
		"addresses":        rep("http://a "),
		"www":              rep("www."),
		"mails":            rep("a@b.c"),
		"mails, dotted":    rep("a."),
		"table, wide":      "|" + strings.Repeat("a|", size/100) + "\n|" + strings.Repeat("-|", size/100) + "\n" + strings.Repeat("x\n", size/3),
		"table, plain":     strings.Repeat("a|", size/100) + "b\n" + strings.Repeat("-|", size/100) + "-\n" + strings.Repeat("x\n", size/3),
		"table, quoted":    "> |" + strings.Repeat("a|", size/100) + "\n> |" + strings.Repeat("-|", size/100) + "\n" + strings.Repeat("> x\n", size/6),
		"tables":           rep("|a|b|c|d|e|f|g|h|\n|-|-|-|-|-|-|-|-|\n" + strings.Repeat("x\n", 1000) + "\n"),
		"definitions":      build(func(i int) string { return "[a" + strings.Repeat("x", i%50) + "]: b\n" }),
		"definition, long": "[a]: " + strings.Repeat("b", half) + "\n\n" + strings.Repeat("[a]\n\n", size/10),
		"titles":           rep("[a]: b '\n"),
		"headings":         rep("# a\n"),
		"underlined":       rep("a\n-\n"),
		"entities":         rep("&a"),
		"tasks":            rep("- [ ] \n"),
		"lines":            rep("\n"),
		"tabs":             rep("\t"),
	}
}

// TestWorstCases holds that any source is either refused at once or shown soon;
// without the limits some of these take minutes and all the memory there is.
func TestWorstCases(t *testing.T) {
	refused := 0
	for name, in := range worst(199_990) {
		t.Run(name, func(t *testing.T) {
			if worstCase(t, in) {
				refused++
			}
		})
	}
	if refused == 0 {
		t.Error("none is refused")
	}
}

// spent is the processor time of this process: what others do does not count.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// worstCase reports whether the source is refused.
func worstCase(t *testing.T, in string) bool {
	start := spent(t)
	err := markdown.Check("text", in)
	out := ""
	if err != nil { // else it is what Check has done already
		out = markdown.Render(in, 2)
	}
	text := markdown.Text(in, 200)
	took := spent(t) - start
	if took > 10*time.Second { // with the race detector; without it a tenth of that
		t.Errorf("%v", took)
	}
	if err != nil {
		if p := problem.As(err); p == nil || len(p.Fields) != 1 || p.Fields[0].Field != "text" {
			t.Errorf("%v", err)
		}
		if !strings.HasPrefix(out, "<pre>") {
			t.Errorf("refused, but shown as %.40q", out)
		}
	}
	if utf8.RuneCountInString(text) > 200 {
		t.Errorf("an excerpt of %d", utf8.RuneCountInString(text))
	}
	if took > time.Second {
		t.Logf("%v, %v", took, err)
	}
	return err != nil
}

func TestCheck(t *testing.T) {
	long := strings.Repeat("A *paragraph* with [links](https://example.org) and `code`, as people write them.\n", 40) + "\n"
	ordinary := strings.Repeat("## Scope\n\n"+long+strings.Repeat("- item [a](b)\n", 50)+"\n| a | b |\n|---|---|\n"+strings.Repeat("| 1 | - |\n", 200)+"\n", 20)
	for in, want := range map[string]string{
		"":                                 "",
		ordinary:                           "",
		strings.Repeat("a\n", 1e5):         "",
		strings.Repeat("a", 200_001):       "This text has 201 kB. The limit is 200 kB.",
		"a\n\n" + strings.Repeat("> ", 21): "In line 3, quotes or lists are nested more than 20 deep.",
		strings.Repeat("[", 4001):          "The paragraph in line 1 has too many brackets, stars and the like. Put blank lines between its parts.",
		strings.Repeat("|a|b|c|d|e|f|g|h|\n|-|-|-|-|-|-|-|-|\n"+strings.Repeat("x\n", 1000)+"\n", 20): "The tables up to line 10020 have more than 100000 cells together.",
		"|a|b|\n|-|-|\n" + strings.Repeat("x\n", 9_999):                                               "The table in line 5002 has more than 20000 cells.",
		"[a]: " + strings.Repeat("b", 90_000) + "\n\n" + strings.Repeat("[a]\n\n", 1000):              "This text is far longer when it is shown than as it is written. Split its tables, and shorten its addresses.",
	} {
		got := ""
		if err := markdown.Check("charter", in); err != nil {
			got = problem.As(err).Detail()
		}
		if got != want {
			t.Errorf("%.30q: %q, want %q", in, got, want)
		}
	}
}

// A real charter is shown whole.
func TestRealCharter(t *testing.T) {
	dir := os.Getenv("SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	in, err := os.ReadFile(filepath.Join(dir, "files", "good", "cabforum_scwg_charter.md"))
	if err != nil {
		t.Skipf("the shared data is not here: %v", err)
	}
	if err := markdown.Check("text", string(in)); err != nil {
		t.Error(err)
	}
	out := markdown.Render(string(in), 2)
	safe(t, out)
	if strings.Count(out, "<p>") < 20 || !strings.Contains(out, `<h2 id="s-server-certificate`) || strings.Contains(out, "<pre>") {
		t.Errorf("%.2000s", out)
	}
}

var attributes = map[string]string{ // what each may look like
	"href": `^(https?://|mailto:|/|#|[^:]*$|[^:/?#]*[/?#])`, "src": `^/([^/\\]|$)`, "rel": `^nofollow noopener ugc$|^nofollow$`, "title": ``, "alt": ``,
	"id": `^s-[\p{L}\p{M}\p{N}-]+$`, "align": `^(left|center|right)$`, "class": `^language-`, "start": `^-?\d+$`,
}

// safe holds what Render promises of any source, as a browser's parser sees it.
func safe(t interface{ Fatalf(string, ...any) }, out string) {
	z := html.NewTokenizer(strings.NewReader(out))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%s in %q", z.Raw(), out)
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			switch token.Data {
			case "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "del", "table", "thead", "tbody", "tr", "th", "td", "a", "img":
			default:
				t.Fatalf("<%s> in %q", token.Data, out)
			}
			for _, a := range token.Attr {
				if re, ok := attributes[a.Key]; !ok || !regexp.MustCompile(re).MatchString(a.Val) {
					t.Fatalf("%s=%q in %q", a.Key, a.Val, out)
				}
			}
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, in := range worst(2000) {
		f.Add(in)
	}
	for _, in := range []string{"[a](javascript:x)", "![a](//h/x)", "[![a](b)](c)", "<script>", "# \u0301\n# a", "|a|\n|-|\n|`|`|", "[a]: <j\n>", "- [x] a", "&#x6a;avascript:x", "![](/\\h)", "[a](\u0001javascript:x)", "<https://a\"onclick=x>"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		start := time.Now()
		out := markdown.Render(in, 2)
		safe(t, out)
		excerpt := markdown.Text(in, 80)
		if utf8.RuneCountInString(excerpt) > 80 || strings.ContainsAny(excerpt, "\n\r") || !utf8.ValidString(excerpt) {
			t.Fatalf("excerpt %q", excerpt)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(in), took)
		}
	})
}

// Package markdown shows what people write in Markdown: tables, task lists,
// strikethrough and bare addresses included, HTML not. What comes out is safe to
// put into a page of the portal: nothing runs, nothing loads from another host,
// headings fit under the page's own, and no source takes long.
package markdown

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/a-h/templ"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

var language = goldmark.New(goldmark.WithExtensions(
	// As an attribute: the Content-Security-Policy forbids style="…".
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
	extension.Strikethrough,
	extension.TaskList,
	extension.NewLinkify(extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"})),
))

// rel goes on links to elsewhere: what members write earns nobody a rank.
const rel = "nofollow noopener ugc"

// policy is the second lock: the parser lets no HTML through, and this would let
// no other HTML out.
var policy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "del",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^s-[\p{L}\p{M}\p{N}-]+$`)).OnElements("h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[\w+#.-]{1,30}$`)).OnElements("code")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("th", "td")
	p.AllowAttrs("href", "title").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^` + rel + `$`)).OnElements("a")
	p.AllowAttrs("src", "alt", "title").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnFullyQualifiedLinks(true)
	return p
}()

// HTML is source as a component of a page. Its highest heading becomes one of
// level top (2 to 6), so that the page keeps the one h1 it has; the others follow
// without a gap, and each has an id that starts with "s-".
func HTML(source string, top int) templ.Component { return templ.Raw(Render(source, top)) }

// Render is HTML as text, for mails and the API. A source that Check refuses is
// shown as it was typed.
func Render(source string, top int) string {
	out, err := render(source, top)
	if err != nil {
		return "<pre>" + templ.EscapeString(strings.ToValidUTF8(source, "\uFFFD")) + "</pre>\n"
	}
	return out
}

func render(source string, top int) (string, error) {
	if err := within(source); err != nil {
		return "", err
	}
	src := []byte(strings.ToValidUTF8(source, "\uFFFD"))
	doc := language.Parser().Parse(text.NewReader(src))
	out := &limited{left: 16<<10 + 20*len(src)}
	if addresses(doc) > out.left {
		return "", errGrows
	}
	arrange(doc, src, min(max(top, 2), 6))
	if err := language.Renderer().Render(out, src, doc); err != nil {
		return "", err
	}
	return policy.Sanitize(out.String()), nil
}

// addresses is how long the addresses of all links are. One that is defined once
// can be repeated by a thousand links, and rendering would take it a thousand times.
func addresses(doc ast.Node) int {
	total := 0
	each(doc, func(n ast.Node) {
		switch n := n.(type) {
		case *ast.Link:
			total += len(n.Destination) + len(n.Title)
		case *ast.Image:
			total += len(n.Destination) + len(n.Title)
		}
	})
	return total
}

// limited refuses a page out of proportion to its source.
type limited struct {
	bytes.Buffer
	left int
}

var errGrows = errors.New("markdown: grows beyond its source")

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errGrows
	}
	return l.Buffer.Write(p)
}

// arrange makes of what was written what may stand in a page.
func arrange(doc ast.Node, src []byte, top int) {
	var nodes []ast.Node // collected first: they are replaced
	each(doc, func(n ast.Node) { nodes = append(nodes, n) })
	var levels []int // of the headings that the present one is under
	used := map[string]int{}
	for _, n := range nodes {
		switch n := n.(type) {
		case *ast.Heading:
			for len(levels) > 0 && levels[len(levels)-1] >= n.Level {
				levels = levels[:len(levels)-1]
			}
			levels = append(levels, n.Level)
			n.Level = min(top+len(levels)-1, 6)
			n.SetAttributeString("id", []byte(anchor(plain(n, src), used)))
		case *ast.Link:
			switch where(string(n.Destination)) {
			case nowhere:
				unwrap(n)
			case elsewhere:
				n.SetAttributeString("rel", []byte(rel))
			}
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkEmail {
				break
			}
			switch where(string(n.URL(src))) {
			case nowhere:
				replace(n, ast.NewString(n.Label(src)))
			case elsewhere:
				n.SetAttributeString("rel", []byte(rel))
			}
		case *ast.Image:
			image(n)
		case *extast.TaskCheckBox:
			// A sign, not an <input>: nobody can tick it here, and it would need a label.
			sign := "☐ "
			if n.IsChecked {
				sign = "☑ "
			}
			replace(n, ast.NewString([]byte(sign)))
		}
	}
}

// image keeps an image of our own; one from another host would tell that host who
// reads, and the Content-Security-Policy forbids it: it becomes a link.
func image(n *ast.Image) {
	place := where(string(n.Destination))
	if place == ours && bytes.HasPrefix(n.Destination, []byte("/")) {
		return
	}
	if !n.HasChildren() {
		n.AppendChild(n, ast.NewString(bytes.Clone(n.Destination)))
	}
	if place != elsewhere || inLink(n) {
		unwrap(n)
		return
	}
	link := ast.NewLink()
	link.Destination = n.Destination
	link.SetAttributeString("rel", []byte(rel))
	for c := n.FirstChild(); c != nil; c = n.FirstChild() {
		link.AppendChild(link, c)
	}
	replace(n, link)
}

func inLink(n ast.Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == ast.KindLink {
			return true
		}
	}
	return false
}

func replace(n, by ast.Node) {
	n.Parent().ReplaceChild(n.Parent(), n, by)
}

// unwrap puts the contents of n in its place.
func unwrap(n ast.Node) {
	p := n.Parent()
	for c := n.FirstChild(); c != nil; c = n.FirstChild() {
		p.InsertBefore(p, n, c)
	}
	p.RemoveChild(p, n)
}

type place int

const (
	nowhere   place = iota // an address that must not be followed
	ours                   // an address of the portal, or mailto:
	elsewhere              // another host
)

func where(address string) place {
	// Browsers drop tabs and line ends from addresses and take \ for /.
	if strings.ContainsFunc(address, unicode.IsControl) || strings.Contains(address, `\`) {
		return nowhere
	}
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || address == "" {
		return nowhere
	}
	switch {
	case u.Scheme == "http" || u.Scheme == "https":
		if u.Host == "" {
			return nowhere
		}
		return elsewhere
	case u.Scheme == "mailto":
		return ours
	case u.Scheme != "":
		return nowhere
	case u.Host != "" || strings.HasPrefix(address, "//"):
		return elsewhere
	}
	return ours
}

// anchor makes an id of a heading's text, in any script, that no other heading of
// the source has. The prefix keeps it apart from the ids of the page.
func anchor(heading string, used map[string]int) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case unicode.In(r, unicode.L, unicode.M, unicode.N):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 80 {
			break
		}
	}
	base := "s-" + strings.TrimRight(b.String(), "-")
	if base == "s-" {
		base = "s-section"
	}
	for {
		used[base]++
		if n := used[base]; n > 1 { // "aims-2" may be another heading's own
			if id := fmt.Sprintf("%s-%d", base, n); used[id] == 0 {
				used[id] = 1
				return id
			}
			continue
		}
		return base
	}
}

// each visits the nodes of a tree, parents first.
func each(n ast.Node, visit func(ast.Node)) {
	visit(n)
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		each(c, visit)
	}
}

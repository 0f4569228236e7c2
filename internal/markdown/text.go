package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Text is the beginning of source as plain text of at most n characters, for
// lists and descriptions: on one line, without headings and code, ending in "…"
// between two words if something was left out.
func Text(source string, n int) string {
	// What is shown of a long text stands at its beginning.
	part := head(strings.ToValidUTF8(source, "\uFFFD"), 2000+20*max(n, 0))
	if within(part) != nil {
		return shorten(strings.Join(strings.Fields(part), " "), n, true)
	}
	src := []byte(part)
	var b strings.Builder
	doc := language.Parser().Parse(text.NewReader(src))
	for c := doc.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Kind() != ast.KindHeading {
			write(&b, c, src)
			b.WriteByte(' ')
		}
	}
	out := strings.Join(strings.Fields(b.String()), " ")
	return shorten(out, n, len(part) < len(source))
}

// head is the beginning of s, of about limit bytes, up to the end of a line if
// there is one.
func head(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	if i := strings.LastIndexByte(s[:limit], '\n'); i > limit/2 {
		return s[:i]
	}
	return s[:limit]
}

// plain is the text of one node.
func plain(n ast.Node, src []byte) string {
	var b strings.Builder
	write(&b, n, src)
	return strings.Join(strings.Fields(b.String()), " ")
}

func write(b *strings.Builder, n ast.Node, src []byte) {
	switch n := n.(type) {
	case *ast.Text:
		v := n.Value(src)
		if !n.IsRaw() {
			v = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(v)))
		}
		b.Write(v)
		if n.SoftLineBreak() || n.HardLineBreak() {
			b.WriteByte(' ')
		}
	case *ast.String:
		b.Write(n.Value)
	case *ast.AutoLink:
		b.Write(n.Label(src))
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		write(b, c, src)
		if c.Type() == ast.TypeBlock {
			b.WriteByte(' ')
		}
	}
}

// shorten cuts s to n characters, between two words where there are any; more
// says that something was left out after s already.
func shorten(s string, n int, more bool) string {
	runes := []rune(s)
	if len(runes) <= n && !more {
		return s
	}
	if n < 1 {
		return ""
	}
	cut := len(runes)
	if cut >= n {
		cut = n - 1
		for cut > 0 && (unicode.IsMark(runes[cut]) || runes[cut] == '\u200d') {
			cut-- // a mark stays with its letter
		}
		for i := cut; i > cut/2; i-- {
			if runes[i] == ' ' {
				cut = i
				break
			}
		}
	}
	return strings.TrimRight(string(runes[:cut]), " ,;:.–-") + "…"
}

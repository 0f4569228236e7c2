package extract

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// maxTag bounds a tag, which may have a picture in it.
const maxTag = 32 << 20

// htmlText reads what a reader of the page would see.
func htmlText(in *source, t *text) error {
	head, err := in.head(4 << 10)
	if err != nil {
		return err
	}
	r := in.reader()
	if e, name, certain := charset.DetermineEncoding(head, ""); certain || name != "windows-1252" {
		r = e.NewDecoder().Reader(r)
	} else if r, err = decoded(in); err != nil { // it only knew no better
		return err
	}
	z := html.NewTokenizer(bufio.NewReader(r))
	z.SetMaxBuf(maxTag)
	hidden := 0 // open elements that show nothing
	for {
		switch z.Next() {
		case html.ErrorToken:
			switch err := z.Err(); {
			case errors.Is(err, io.EOF):
				return nil
			case errors.Is(err, html.ErrBufferExceeded):
				return tooLarge("This file has a tag or a text without end.")
			default:
				return err
			}
		case html.TextToken:
			if hidden == 0 {
				// Line ends in the source are blanks on the page.
				if err := t.write(strings.NewReplacer("\n", " ", "\r", " ").Replace(string(z.Text()))); err != nil {
					return err
				}
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch a := atom.Lookup(name); {
			case silent[a]:
				hidden++
			case a == atom.Br:
				t.newline()
			case a == atom.Td, a == atom.Th:
				t.space()
			case !inline[a]:
				t.line()
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch a := atom.Lookup(name); {
			case silent[a]:
				hidden = max(hidden-1, 0)
			case a == atom.P, a == atom.Div, a == atom.Table, a == atom.H1, a == atom.H2, a == atom.H3, a == atom.Ul, a == atom.Ol:
				t.paragraph()
			case !inline[a] && a != atom.Td && a != atom.Th:
				t.line()
			}
		}
	}
}

// silent elements show nothing of what is in them.
var silent = map[atom.Atom]bool{atom.Script: true, atom.Style: true, atom.Template: true, atom.Noscript: true, atom.Iframe: true}

// inline elements part no words.
var inline = map[atom.Atom]bool{
	0: true, atom.A: true, atom.Abbr: true, atom.B: true, atom.Bdi: true, atom.Bdo: true, atom.Cite: true, atom.Code: true, atom.Data: true,
	atom.Del: true, atom.Dfn: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Img: true, atom.Ins: true, atom.Kbd: true, atom.Label: true,
	atom.Mark: true, atom.Q: true, atom.S: true, atom.Samp: true, atom.Small: true, atom.Span: true, atom.Strong: true, atom.Sub: true, atom.Sup: true,
	atom.Time: true, atom.U: true, atom.Var: true, atom.Wbr: true, atom.Tt: true, atom.Big: true, atom.Strike: true,
}

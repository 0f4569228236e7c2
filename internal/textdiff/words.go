package textdiff

import (
	"strings"
	"unicode"
)

// maxWords is the greatest number of words of one change that are compared
// with each other: that of a page or two. A bigger change is shown by lines.
const maxWords = 20_000

// words marks, in lines that were replaced by others, what changed inside.
// They are compared as one text, so that a sentence wrapped anew shows only the
// words that are new.
func words(removed, added []string, steps *int) (old, renewed [][]Span) {
	a, b := tokens(removed), tokens(added)
	if len(a) == 0 || len(b) == 0 || len(a)+len(b) > maxWords {
		return whole(Removed, removed), whole(Added, added)
	}
	found := tidy(a, b, changes(a, b, steps))
	// Texts that have little in common would be a speckle of single words.
	if kept := common(a, found); 10*kept < 3*min(letters(a), letters(b)) || kept == 0 {
		return whole(Removed, removed), whole(Added, added)
	}
	var o, n marker
	x := 0
	for _, c := range found {
		o.add(Same, a[x:c.oldFrom])
		n.add(Same, a[x:c.oldFrom])
		o.add(Removed, a[c.oldFrom:c.oldTo])
		n.add(Added, b[c.newFrom:c.newTo])
		x = c.oldTo
	}
	o.add(Same, a[x:])
	n.add(Same, a[x:])
	return append(o.rows, o.row), append(n.rows, n.row)
}

func whole(kind Kind, texts []string) [][]Span {
	all := make([][]Span, len(texts))
	for i, t := range texts {
		all[i] = spans(kind, t)
	}
	return all
}

// marker collects spans and cuts them into lines at "\n".
type marker struct {
	rows [][]Span
	row  []Span
}

func (m *marker) add(kind Kind, tokens []string) {
	for i, part := range strings.Split(strings.Join(tokens, ""), "\n") {
		if i > 0 {
			m.rows, m.row = append(m.rows, m.row), nil
		}
		if part == "" {
			continue
		}
		if last := len(m.row) - 1; last >= 0 && m.row[last].Kind == kind {
			m.row[last].Text += part
			continue
		}
		m.row = append(m.row, Span{kind, part})
	}
}

// tidy turns a short same part between two changes, a space or a single sign,
// into a part of the change: "the old house" reads better whole than in pieces.
func tidy(a, b []string, found []change) []change {
	var out []change
	for _, c := range found {
		if n := len(out); n > 0 {
			between := strings.Join(a[out[n-1].oldTo:c.oldFrom], "")
			if !strings.Contains(between, "\n") && !strings.ContainsFunc(between, wordRune) {
				out[n-1].oldTo, out[n-1].newTo = c.oldTo, c.newTo
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

// common counts the letters and digits that stand in both texts.
func common(a []string, found []change) int {
	n := letters(a)
	for _, c := range found {
		n -= letters(a[c.oldFrom:c.oldTo])
	}
	return n
}

func letters(tokens []string) int {
	n := 0
	for _, t := range tokens {
		for _, r := range t {
			if wordRune(r) {
				n++
			}
		}
	}
	return n
}

// tokens cuts lines, joined by "\n", into words, runs of spaces, and single signs.
// A sign of a script that writes no spaces between words is a word by itself.
func tokens(texts []string) []string {
	var out []string
	text := strings.Join(texts, "\n")
	start, last := 0, other
	for i, r := range text {
		kind := class(r)
		if i > 0 && (kind != last || kind == other || kind == ideograph) && kind != mark {
			out = append(out, text[start:i])
			start = i
		}
		if kind != mark || i == 0 {
			last = kind
		}
	}
	if start < len(text) {
		out = append(out, text[start:])
	}
	return out
}

const (
	other = iota
	space
	letter
	ideograph
	mark // stays with what it stands on
)

func class(r rune) int {
	switch {
	case r == '\n':
		return other
	case unicode.IsSpace(r):
		return space
	case unicode.IsMark(r), r == '\u200d', r == '\u200c':
		return mark
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return ideograph
	case wordRune(r):
		return letter
	}
	return other
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

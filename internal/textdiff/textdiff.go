// Package textdiff shows people what changed between two texts: hunks of lines
// with some lines around them, and the changed words marked inside the changed
// lines. Its work is bounded, whatever the texts are.
package textdiff

import "strings"

// Kind says what happened to a line or to a part of one.
type Kind string

// The kinds of lines and spans.
const (
	Same    Kind = "same"
	Removed Kind = "removed" // stands in the old text only
	Added   Kind = "added"   // stands in the new text only
)

// Hunk is a run of lines with changes, and the unchanged lines next to them.
// There is always a gap between two hunks.
type Hunk struct{ Lines []Line }

// Line is one line without its line end. Numbers count from 1; the number in
// the text that does not have the line is 0.
type Line struct {
	Kind                 Kind
	OldNumber, NewNumber int
	Spans                []Span // together the line; none for an empty one
}

// Span is a part of a line. In a removed or added line, Same marks what its
// counterpart has too; a line wholly new is one span of the line's kind.
type Span struct {
	Kind Kind
	Text string
}

// Text is the line in one piece.
func (l Line) Text() string {
	var b strings.Builder
	for _, s := range l.Spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Compare returns the hunks that lead from the old text to the new one, each
// with up to around unchanged lines before and after; none if the texts have the
// same lines. "\r\n" and "\r" end a line as "\n" does; a line end at the end of
// a text makes no further line.
func Compare(older, newer string, around int) []Hunk {
	a, b := lines(older), lines(newer)
	var all []Line
	x, y, steps := 0, 0, budget
	same := func(to int) {
		for ; x < to; x, y = x+1, y+1 {
			all = append(all, Line{Same, x + 1, y + 1, spans(Same, a[x])})
		}
	}
	for _, c := range changes(a, b, &steps) {
		same(c.oldFrom)
		removed, added := words(a[c.oldFrom:c.oldTo], b[c.newFrom:c.newTo], &steps)
		for i, s := range removed {
			all = append(all, Line{Removed, c.oldFrom + i + 1, 0, s})
		}
		for i, s := range added {
			all = append(all, Line{Added, 0, c.newFrom + i + 1, s})
		}
		x, y = c.oldTo, c.newTo
	}
	same(len(a))
	return cut(all, max(around, 0))
}

// cut takes out of all lines those that are farther than around from a change.
func cut(all []Line, around int) []Hunk {
	var hunks []Hunk
	end := 0 // all before it is in a hunk or left out
	for i := 0; i < len(all); i++ {
		if all[i].Kind == Same {
			continue
		}
		last := i
		for j := i + 1; j < len(all) && j <= last+2*around+1; j++ {
			if all[j].Kind != Same {
				last = j
			}
		}
		from, to := max(end, i-around), min(len(all), last+around+1)
		hunks = append(hunks, Hunk{all[from:to:to]})
		i, end = to-1, to
	}
	return hunks
}

func lines(text string) []string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func spans(kind Kind, text string) []Span {
	if text == "" {
		return nil
	}
	return []Span{{kind, text}}
}

package extract

import (
	"math"
	"slices"
	"strings"
)

// glyph is a character where it stands on a page.
type glyph struct {
	text string
	box
}

// box is in points, from the bottom left of the page.
type box struct{ left, bottom, right, top float64 }

func (b box) height() float64 { return b.top - b.bottom }

func (b box) join(o box) box {
	return box{min(b.left, o.left), min(b.bottom, o.bottom), max(b.right, o.right), max(b.top, o.top)}
}

// hasLamAlef reports an alef followed by a lam, which may be a ligature the
// wrong way round.
func hasLamAlef(s string) bool {
	for _, alef := range alefs {
		if strings.Contains(s, alef+"ل") {
			return true
		}
	}
	return false
}

var alefs = []string{"ا", "أ", "إ", "آ"}

// mendLigatures turns round the letters of a ligature of lam and alef: it is one
// glyph whose letters stand in the order they are read in, and PDFium, which
// turns round the glyphs of a line, turns them too.
func mendLigatures(g []glyph) {
	for i := range len(g) - 1 {
		a, b := &g[i], &g[i+1]
		if b.text == "ل" && slices.Contains(alefs, a.text) && a.right > a.left && near(a.box, b.box) {
			a.text, b.text = b.text, a.text
		}
	}
}

func near(a, b box) bool {
	return math.Abs(a.left-b.left) < 0.01 && math.Abs(a.right-b.right) < 0.01
}

// phrase is a piece of a line without a gap in it.
type phrase struct {
	text string
	box
}

// readingOrder puts the pieces of a page in the order they are read in: blocks
// from top to bottom, where a block has columns one after the other.
func readingOrder(ps []phrase) string {
	var b strings.Builder
	arrange(ps, &b, 0)
	return b.String()
}

// phrases cuts glyphs, in the order they were written in, where a line ends or a
// gap is wider than blanks are.
func phrases(g []glyph) []phrase {
	var out []phrase
	var now phrase
	end := func() {
		if now.text = strings.TrimSpace(now.text); now.text != "" {
			out = append(out, now)
		}
		now = phrase{}
	}
	for _, c := range g {
		if strings.ContainsAny(c.text, "\r\n") {
			end()
			continue
		}
		if strings.TrimSpace(c.text) == "" {
			if now.text != "" {
				now.text += " "
			}
			continue
		}
		if now.text != "" {
			gap := max(c.left-now.right, now.left-c.right)
			apart := max(c.bottom-now.top, now.bottom-c.top)
			if h := max(c.height(), now.height()); gap > h || apart > 0 {
				end()
			}
		}
		if now.text == "" {
			now.box = c.box
		} else {
			now.box = now.join(c.box)
		}
		now.text += c.text
	}
	end()
	return out
}

// arrange writes runs, cut by the white that goes right through them: first
// across, where it is higher than between lines, then down.
func arrange(rs []phrase, b *strings.Builder, depth int) {
	if len(rs) > 1 && depth < 64 {
		var heights []float64
		for _, r := range rs {
			heights = append(heights, r.height())
		}
		slices.Sort(heights)
		line := heights[len(heights)/2]
		down := func(r phrase) (from, to float64) { return -r.top, -r.bottom }
		across := func(r phrase) (from, to float64) { return r.left, r.right }
		for _, cut := range []struct {
			along func(phrase) (from, to float64)
			gap   float64
		}{{down, line}, {across, 2 * line}, {down, 0}} {
			if parts := split(rs, cut.along, cut.gap); len(parts) > 1 {
				for _, p := range parts {
					arrange(p, b, depth+1)
				}
				return
			}
		}
		slices.SortStableFunc(rs, func(a, b phrase) int { // one line
			if a.left < b.left {
				return -1
			}
			return 1
		})
	}
	for i, r := range rs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(r.text)
	}
	b.WriteByte('\n')
}

// split parts runs where nothing stands for more than gap.
func split(rs []phrase, along func(phrase) (from, to float64), gap float64) [][]phrase {
	slices.SortStableFunc(rs, func(a, b phrase) int {
		x, _ := along(a)
		y, _ := along(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	var out [][]phrase
	start, end := 0, math.Inf(-1)
	for i, r := range rs {
		from, to := along(r)
		if i > 0 && from-end > gap {
			out = append(out, rs[start:i])
			start = i
		}
		end = max(end, to)
	}
	return append(out, rs[start:])
}

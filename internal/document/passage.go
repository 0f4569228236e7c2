package document

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Of what was found, the page shows the words that were looked for in their place.

const (
	passageRunes = 260 // how much of a text is shown
	before       = 60  // and of it, before the first word that is marked
)

// needles are texts in the words of a document where what was looked for stands,
// what says most first.
func (q query) needles(also more) []string {
	var phrases, words, stems []string
	for _, c := range q.clauses {
		for _, t := range c {
			if t.not {
				continue
			}
			if t.exact() {
				phrases = append(phrases, t.needle())
				continue
			}
			for _, w := range t.words {
				if w.char {
					words = append(words, w.text)
					continue
				}
				words = append(words, " "+w.text+" ")
				for _, l := range also[w.text] {
					words = append(words, " "+strings.TrimPrefix(l, "/")+" ")
				}
				for _, l := range q.stems.of(w.text, "") {
					stems = append(stems, " "+l)
				}
				if n := utf8.RuneCountInString(w.text); n > 2 {
					stems = append(stems, " "+w.text)
					if _, last := utf8.DecodeLastRuneInString(w.text); n > 3 { // cities, city
						stems = append(stems, " "+w.text[:len(w.text)-last])
					}
				}
				stems = append(stems, q.stems.of(w.text, "")...) // Arabic puts letters before the stem
			}
		}
	}
	long := func(a, b string) int { return len(b) - len(a) }
	slices.SortStableFunc(words, long)
	return append(append(phrases, words...), stems...)
}

// marks says which words of a text were looked for.
func (q query) marks(list []word, also more) []bool {
	marks := make([]bool, len(list))
	for _, c := range q.clauses {
		for _, t := range c {
			if t.not {
				continue
			}
			if t.phrase || t.exact() {
				for i := 0; i+len(t.words) <= len(list); i++ {
					last := i + len(t.words) - 1
					if slices.EqualFunc(t.words[:len(t.words)-1], list[i:last], func(a, b word) bool { return a.text == b.text }) &&
						(list[last].text == t.words[last-i].text || t.begun && strings.HasPrefix(list[last].text, t.words[last-i].text)) {
						for k := range t.words {
							marks[i+k] = true
						}
					}
				}
				continue
			}
			for k, asked := range t.words {
				if len(t.words) > 1 && len(asked.text) == 1 { // l'énergie
					continue
				}
				forms := append([]string{asked.text}, q.stems.of(asked.text, "")...)
				for _, l := range also[asked.text] {
					forms = append(forms, strings.TrimPrefix(l, "/"))
				}
				begun := t.begun && k == len(t.words)-1
				for i, w := range list {
					marks[i] = marks[i] || slices.Contains(forms, w.text) || begun && strings.HasPrefix(w.text, asked.text) ||
						mayStem(w.text, forms) && slices.ContainsFunc(q.stems.of(w.text, ""), func(stem string) bool { return slices.Contains(forms, stem) })
				}
			}
		}
	}
	return marks
}

// mayStem reports whether a word may have one of the forms for its stem, which it
// begins with in all languages but Arabic: so that not every word is cut.
func mayStem(text string, forms []string) bool {
	r, size := utf8.DecodeRuneInString(text)
	return unicode.Is(unicode.Arabic, r) || slices.ContainsFunc(forms, func(f string) bool { return strings.HasPrefix(f, text[:size]) })
}

// whole is a short text in pieces, all of it.
func (q query) whole(text string, also more) []Span {
	text = plain(text)
	list := split(text)
	return pieces(text, list, q.marks(list, also), 0, len(text))
}

// passage is the part of a text that has most of what was looked for, in pieces;
// nil if it has nothing of it.
func (q query) passage(text string, also more) []Span {
	text = plain(untabled(text))
	list := split(text)
	marks := q.marks(list, also)
	best, most := -1, 0
	for i := range list {
		if !marks[i] || i > 0 && marks[i-1] {
			continue
		}
		seen := map[string]bool{}
		for k := i; k < len(list) && list[k].end-list[i].start < passageRunes-before; k++ {
			if marks[k] {
				seen[list[k].text] = true
			}
		}
		if len(seen) > most {
			best, most = i, len(seen)
		}
	}
	if best < 0 {
		return nil
	}
	from, to := list[best].start, list[best].end
	for i := best; i > 0 && utf8.RuneCountInString(text[list[i-1].start:list[best].start]) <= before; i-- {
		from = list[i-1].start
	}
	for i := best; i < len(list) && utf8.RuneCountInString(text[from:list[i].end]) <= passageRunes; i++ {
		to = list[i].end
	}
	if rest := strings.TrimSpace(text[to:]); rest == "" || utf8.RuneCountInString(rest) < 3 {
		to = len(text)
	}
	out := pieces(text, list, marks, from, to)
	if strings.TrimSpace(text[:from]) != "" {
		out = append([]Span{{Text: "… "}}, out...)
	}
	if to < len(text) {
		out = append(out, Span{Text: " …"})
	}
	return out
}

// untabled is a text without the marks of tables in Markdown: rules fall out, and
// cells stand beside each other. A part of a long text may begin within a table, so
// a row between two bars is one without its head, too.
func untabled(text string) string {
	if !strings.Contains(text, "|") {
		return text
	}
	lines, out := strings.Split(text, "\n"), make([]string, 0, 16)
	within := false
	for i, line := range lines {
		bare := strings.TrimSpace(line)
		framed := len(bare) > 1 && bare[0] == '|' && strings.HasSuffix(bare, "|")
		switch {
		case ruled(bare) && (framed || i > 0 && strings.Contains(lines[i-1], "|")):
			within = true
			continue
		case !strings.Contains(bare, "|"):
			within = false
		case within, framed, i+1 < len(lines) && ruled(strings.TrimSpace(lines[i+1])):
			line = cells(bare)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// ruled reports whether a line parts the head of a table from its rows.
func ruled(line string) bool {
	return strings.Contains(line, "|") && strings.Contains(line, "--") && strings.Trim(line, "|-: \t") == ""
}

// cells are the cells of a row of a table that are not empty.
func cells(row string) string {
	const bar = "\x00" // one that is meant
	var list []string
	for cell := range strings.SplitSeq(strings.ReplaceAll(row, `\|`, bar), "|") {
		if cell = strings.TrimSpace(cell); cell != "" {
			list = append(list, strings.ReplaceAll(cell, bar, "|"))
		}
	}
	return strings.Join(list, " · ")
}

// pieces cuts a text into what is marked and what is not, with one space for any
// that is white.
func pieces(text string, list []word, marks []bool, from, to int) []Span {
	var out []Span
	at := from
	add := func(end int, mark bool) {
		if piece := oneSpace(text[at:end]); piece != "" {
			out = append(out, Span{piece, mark})
		}
		at = end
	}
	for i := 0; i < len(list); i++ {
		if !marks[i] || list[i].start < from || list[i].end > to {
			continue
		}
		add(list[i].start, false)
		for i+1 < len(list) && marks[i+1] && list[i+1].end <= to && utf8.RuneCountInString(strings.TrimSpace(text[list[i].end:list[i+1].start])) < 2 {
			i++
		}
		add(list[i].end, true)
	}
	add(to, false)
	return out
}

func oneSpace(text string) string {
	var b strings.Builder
	white := false
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			if !white {
				b.WriteByte(' ')
			}
			white = true
			continue
		}
		white = false
		b.WriteRune(r)
	}
	return b.String()
}

package document

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"commissionportal/internal/problem"
)

// query is what somebody looks for: documents that have one term of each clause.
type query struct {
	clauses   [][]term
	reference string // lexeme of the one that the whole query may name, or ""
	stems     Stems
}

// term is a word, or words that follow each other.
type term struct {
	words  []word
	phrase bool // in this order, as they stand
	not    bool // documents that have it are left out
	begun  bool // its last word is still being typed
}

const (
	longestQuery = 200
	mostTerms    = 24
)

// parse reads a query as people write them: words, "phrases", -not, this or that.
// Nothing that anybody types is an error, but for too much of it.
func parse(text string) (query, error) {
	q := query{stems: Stems{}}
	if n := utf8.RuneCountInString(text); n > longestQuery {
		return q, problem.Field("q", "Use at most %d characters; these are %d.", longestQuery, n)
	}
	text = plain(text)
	if m := named.FindStringSubmatch(text); m != nil {
		q.reference = referred(m[1], m[2])
	}
	n, or := 0, false
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		if unicode.IsSpace(r) {
			text = text[size:]
			continue
		}
		var t term
		if r == '-' || r == '−' {
			t.not, text = true, text[size:]
			r, size = utf8.DecodeRuneInString(text)
		}
		var chunk string
		if end, ok := quotes[r]; ok {
			var closed bool
			chunk, text, closed = strings.Cut(text[size:], end)
			t.phrase, t.begun = true, !closed && !t.not && strings.TrimRightFunc(chunk, unicode.IsSpace) == chunk
		} else {
			i := strings.IndexFunc(text, func(r rune) bool { _, ok := quotes[r]; return ok || unicode.IsSpace(r) })
			if t.begun = i < 0 && !t.not; i < 0 {
				i = len(text)
			}
			if chunk, text = text[:i], text[i:]; strings.EqualFold(chunk, "or") && len(q.clauses) > 0 && !t.begun && !t.not {
				or = true
				continue
			}
		}
		if t.words = split(chunk); len(t.words) == 0 {
			continue
		}
		if strings.ContainsRune(strings.Trim(chunk, "-"), '-') && !cited.MatchString(chunk) { // state-of-the-art
			t.phrase, t.begun = true, false
		}
		if n += len(t.words); n > longestQuery/2 || len(q.clauses) > mostTerms {
			return q, problem.Field("q", "Use at most %d words.", mostTerms)
		}
		if last := len(q.clauses) - 1; or && !t.not && !q.clauses[last][0].not {
			q.clauses[last] = append(q.clauses[last], t)
		} else {
			q.clauses = append(q.clauses, []term{t})
		}
		or = false
	}
	return q, nil
}

// quotes are what a phrase stands in.
var quotes = map[rune]string{'"': `"`, '“': "”", '„': "“", '«': "»", '「': "」", '『': "』", '״': "״"}

// asks reports whether there is anything to find: leaving out alone is not.
func (q query) asks() bool {
	return slices.ContainsFunc(q.clauses, func(c []term) bool { return !c[0].not })
}

// begun is the word that is still being typed, "" for none: it stands for all that
// begin with it. A character of Chinese, Japanese or Korean alone always does.
func (q query) begun() []string {
	var list []string
	for _, c := range q.clauses {
		for _, t := range c {
			if w := t.words[len(t.words)-1]; t.begun && !w.char && utf8.RuneCountInString(w.text) > 1 || len(t.words) == 1 && w.char {
				list = append(list, w.text)
			}
		}
	}
	return list
}

// misspelled are words that may be meant otherwise: long enough to be like others, and
// short enough to be words.
func (q query) misspelled() []string {
	var list []string
	for _, c := range q.clauses {
		for _, t := range c {
			for _, w := range t.words {
				if n := utf8.RuneCountInString(w.text); !t.not && !t.phrase && !w.char && n > 3 && n < 25 && !slices.Contains(list, w.text) {
					list = append(list, w.text)
				}
			}
		}
	}
	return list
}

// mistakes is how many letters are wrong, missing, too many or changed about in one
// word for it to be the other; more than most is only more.
func mistakes(a, b string, most int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > most || len(y)-len(x) > most {
		return most + 1
	}
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range x {
		old, last, now := rows[0], rows[1], rows[2]
		now[0] = i + 1
		for j := range y {
			same := 1
			if x[i] == y[j] {
				same = 0
			}
			now[j+1] = min(last[j]+same, last[j+1]+1, now[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				now[j+1] = min(now[j+1], old[j-1]+1)
			}
		}
		rows = [3][]int{last, now, old}
	}
	return rows[1][len(y)]
}

// more are further lexemes that a word of a query is found by.
type more map[string][]string

// tsqueries are the query as Postgres reads it: a document must match each. Apart
// from each other, the index goes on from what matches the rarest of them; as one
// it would look at all that the commonest matches. title asks for words of the
// title alone.
func (q query) tsqueries(also more, title bool) []string {
	var all, not []string
	for _, c := range q.clauses {
		if c[0].not {
			if t := c[0]; !t.exact() { // a phrase that is left out is compared as it stands
				not = append(not, "!("+t.tsquery(nil, q.stems, false)+")")
			}
			continue
		}
		var any []string
		for _, t := range c {
			any = append(any, t.tsquery(also, q.stems, title))
		}
		all = append(all, "("+strings.Join(any, "|")+")")
	}
	all[0] = strings.Join(append(all[:1:1], not...), "&") // alone, what is left out would match nearly everything
	if q.reference != "" {
		return []string{"(" + strings.Join(all, "&") + "|" + either([]string{q.reference}) + ")"}
	}
	return all
}

// words are all that the query is looked up by, but for pairs of words.
func (q query) words() []string {
	var list []string
	for _, c := range q.clauses {
		for _, t := range c {
			for _, forms := range t.forms(nil, q.stems) {
				list = append(list, forms...)
			}
		}
	}
	return list
}

// about is in how many documents, at most, what is asked for may be: as many as have
// the rarest of what they all must have.
func (q query) about(also more, documents map[string]int) int {
	least := -1
	for _, c := range q.clauses {
		if c[0].not {
			continue
		}
		any := 0
		for _, t := range c {
			rarest := -1
			for _, forms := range t.forms(also, q.stems) {
				n := 0
				for _, f := range forms {
					n += documents[f]
				}
				if rarest < 0 || n < rarest {
					rarest = n
				}
			}
			any += rarest
		}
		if least < 0 || any < least {
			least = any
		}
	}
	return least
}

// forms are, for each word, what may stand in its place; for characters, for each two.
func (t term) forms(also more, stems Stems) [][]string {
	var list [][]string
	for i, w := range t.words {
		forms := []string{w.text}
		switch {
		case w.char && i+1 < len(t.words) && t.words[i+1].follows:
			forms = []string{w.text + t.words[i+1].text}
		case w.char && w.follows:
			continue
		case !t.phrase:
			forms = append(append(forms, numbered(w.text)...), stems.of(w.text, "")...)
		}
		for _, a := range also[w.text] {
			forms = append(forms, strings.TrimPrefix(a, "/"))
		}
		slices.Sort(forms)
		list = append(list, slices.Compact(forms))
	}
	return list
}

// exact reports whether t is words that must stand as they are: a phrase, or a run
// of characters.
func (t term) exact() bool {
	return len(t.words) > 1 && (t.phrase || slices.ContainsFunc(t.words, func(w word) bool { return w.follows }))
}

func (t term) tsquery(also more, stems Stems, title bool) string {
	mark := ""
	if title {
		mark = "/"
	}
	var all []string
	for i, w := range t.words {
		forms := []string{w.text} // what may stand in its place
		if t.begun && i == len(t.words)-1 || len(t.words) == 1 && w.char {
			forms = append(forms, also[w.text]...)
		} else if !t.exact() && !t.phrase {
			forms = append(forms, also[w.text]...)
		}
		if !t.exact() {
			list := forms
			if !t.phrase {
				list = append(append(list, numbered(w.text)...), stems.of(w.text, "")...)
			}
			all = append(all, either(marked(mark, list)))
			continue
		}
		if next := i+1 < len(t.words); w.char && next && t.words[i+1].follows {
			all = append(all, either(marked(mark, []string{w.text + t.words[i+1].text})))
		} else if !w.char {
			all = append(all, either(marked(mark, forms)))
		}
		if i > 0 && !w.follows && !title {
			pairs := []string{everyPair}
			for _, f := range forms {
				pairs = append(pairs, pair(t.words[i-1].text, f))
			}
			all = append(all, either(pairs))
		}
	}
	if len(all) == 0 { // characters that stand apart, in a phrase
		return either([]string{mark + t.words[0].text})
	}
	return "(" + strings.Join(all, "&") + ")"
}

// named is a reference in any form: ENERGY-N0012, energy n12, Energy 12.
var named = regexp.MustCompile(`(?i)^\s*([a-z0-9]+(?:-[a-z0-9]+)*?)[-\s]*\bn?[-\s]*0*([1-9][0-9]{0,8})\s*$`)

// referred is the lexeme of a reference, for the document itself: what only cites it
// has the words.
func referred(prefix, number string) string { return "&" + strings.ToLower(prefix) + "-n" + number }

// cited is a reference, ENERGY-N0012, or the beginning of one.
var cited = regexp.MustCompile(`(?i)^[a-z0-9-]+-n?[0-9]*$`)

// marked are lexemes with a mark before them, if they have none.
func marked(mark string, list []string) []string {
	out := make([]string, len(list))
	for i, l := range list {
		if out[i] = l; l[0] != '/' {
			out[i] = mark + l
		}
	}
	return out
}

var numberedLike = regexp.MustCompile(`^n0+([1-9][0-9]*)$`)

// numbered is N0012 without its zeros, which documents are found by too.
func numbered(text string) []string {
	if m := numberedLike.FindStringSubmatch(text); m != nil {
		return []string{"n" + m[1]}
	}
	return nil
}

func either(lexemes []string) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, l := range lexemes {
		if i > 0 {
			b.WriteByte('|')
		}
		quote(&b, l)
	}
	b.WriteByte(')')
	return b.String()
}

// needle is what t reads like in the words of a document.
func (t term) needle() string {
	n := spaced(t.words)
	if t.words[0].char {
		n = strings.TrimPrefix(n, " ")
	}
	if t.begun || t.words[len(t.words)-1].char {
		n = strings.TrimSuffix(n, " ")
	}
	return n
}

// ranked are lexemes whose being in the head of a document makes it a better
// result, as a tsquery.
func (q query) ranked(also more) string {
	var list []string
	if q.reference != "" {
		list = append(list, q.reference)
	}
	for _, c := range q.clauses {
		for _, t := range c {
			if t.not {
				continue
			}
			list = append(list, lexemesOf(t.words, "", q.stems)...)
			for _, w := range t.words {
				list = append(append(list, numbered(w.text)...), also[w.text]...)
			}
		}
	}
	for i, l := range list {
		list[i] = strings.TrimPrefix(l, "/")
	}
	return either(list)
}

package sheet

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Field is something an import wants to find a column for.
type Field struct {
	Name     string   // the field's own name: key of the result
	Label    string   // what people call it
	Aliases  []string // what else it is called; the earlier the likelier
	Required bool
}

// Guess finds the column of each field: first by name, label or an alias,
// compared without case, diacritics and punctuation; then by the words they
// share. A column is used once; of two fields alike for it the required one gets
// it, then the earlier. A field without a column is not in the result.
func Guess(header []string, fields []Field) map[string]int {
	type match struct {
		field, column int
		score         float64
	}
	var matches []match
	for f, field := range fields {
		names := append([]string{field.Name, field.Label}, field.Aliases...)
		for c, title := range header {
			best := 0.0
			for rank, name := range names {
				best = max(best, similar(name, title)-float64(rank)/1000)
			}
			// Below a half, one word of three is shared: as likely wrong as right.
			if best >= 0.5 {
				matches = append(matches, match{f, c, best})
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int {
		required := func(m match) int {
			if fields[m.field].Required {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.score, a.score), required(a)-required(b), a.field-b.field, a.column-b.column)
	})
	found, used := map[string]int{}, map[int]bool{}
	for _, m := range matches {
		if _, has := found[fields[m.field].Name]; !has && !used[m.column] {
			found[fields[m.field].Name], used[m.column] = m.column, true
		}
	}
	return found
}

// similar is 2 for titles that are the same but for case, diacritics and
// punctuation; else the share of their words that they have in common, at most 1.
func similar(a, b string) float64 {
	x, y := titleWords(a), titleWords(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	if strings.Join(x, "") == strings.Join(y, "") {
		return 2
	}
	common := 0
	left := slices.Clone(y)
	for _, w := range x {
		if i := slices.Index(left, w); i >= 0 {
			common++
			left = slices.Delete(left, i, i+1)
		}
	}
	return 2 * float64(common) / float64(len(x)+len(y))
}

// titleWords cuts a column's title into words: "countryName", "Country-Name" and
// "COUNTRY NAME" are the same two; "organizations" and "organisation" one.
func titleWords(s string) []string {
	var b strings.Builder
	lower := false
	for _, r := range norm.NFKD.String(s) {
		switch {
		case r >= 0x300 && r <= 0x36F:
			continue
		case unicode.IsUpper(r) && lower:
			b.WriteByte(' ')
			fallthrough
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
	}
	words := strings.Fields(norm.NFC.String(b.String()))
	for i, w := range words {
		w = strings.ReplaceAll(w, "organis", "organiz")
		if len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") {
			w = w[:len(w)-1]
		}
		words[i] = w
	}
	return words
}

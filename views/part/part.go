// Package part is what the portal's pages are made of: form fields, tables, lists,
// badges, pictures of numbers. Each is a small typed component that works without
// JavaScript, in both themes and in both directions of writing. Texts given to a
// part are in the reader's language already (i18n.T); what a part says by itself
// it translates. docs/views.md shows a page made of them.
package part

import (
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// initials are up to two letters that stand for a name.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	first := firstLetter(words[0])
	if len(words) == 1 || !unicode.IsUpper(unicode.ToUpper(firstRune(words[0]))) {
		return first // a script without capitals: one character stands for itself
	}
	return first + firstLetter(words[len(words)-1])
}

func firstRune(word string) rune {
	r, _ := utf8.DecodeRuneInString(word)
	return r
}

func firstLetter(word string) string { return string(unicode.ToUpper(firstRune(word))) }

// hue is one of the palette's classes, always the same for a name.
func hue(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	return "hue-" + itoa(int(h.Sum32()%8))
}

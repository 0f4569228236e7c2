package account

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"commissionportal/internal/problem"
)

// Lengths of a password, in characters.
const (
	MinPassword = 10
	MaxPassword = 200
)

//go:embed common.txt
var commonText string

// common are the words that the most common passwords are made of.
var common = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(commonText) {
		m[plain(word)] = true
	}
	return m
})

// checkPassword notes what is wrong with a new password: length, and what
// guessing programs try first. There are no rules about kinds of characters;
// they make passwords worse (NIST SP 800-63B, 3.1.1).
func checkPassword(f *problem.Fields, field, password, email, name string) {
	switch n := utf8.RuneCountInString(norm.NFC.String(password)); {
	case n == 0:
		f.Add(field, "Fill this in.")
	case n < MinPassword:
		f.Add(field, "Use at least %d characters.", MinPassword)
	case n > MaxPassword:
		f.Add(field, "Use at most %d characters; these are %d.", MaxPassword, n)
	case guessable(password, email, name):
		f.Add(field, "This is among the first that others would guess. Three or four words that do not belong together are better.")
	}
}

func guessable(password, email, name string) bool {
	lower := strings.ToLower(norm.NFC.String(strings.TrimSpace(password)))
	local, _, _ := strings.Cut(email, "@")
	for _, known := range []string{email, local, name} {
		if known != "" && (squeezed(lower) == squeezed(known) || plain(lower) != "" && plain(lower) == plain(known)) {
			return true
		}
	}
	return monotonous(lower) || common()[plain(lower)] || common()[half(plain(lower))]
}

// squeezed is text without what people put between words.
func squeezed(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '@' {
			return r
		}
		return -1
	}, s))
}

var leet = strings.NewReplacer("0", "o", "1", "i", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "8", "b", "9", "g")

// plain is the word a password is made of: without the digits and signs at its
// ends, with those inside read as the letters they stand for.
func plain(s string) string {
	s = strings.TrimFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune("@$", r) })
	s = leet.Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
}

// half is the first half of a word that was typed twice, else "".
func half(s string) string {
	if n := len(s) / 2; len(s)%2 == 0 && s[:n] == s[n:] {
		return s[:n]
	}
	return ""
}

// rows are the runs that hands find on a keyboard.
var rows = []string{"01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "abcdefghijklmnopqrstuvwxyz",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "йцукенгшщзхъфывапролджэячсмитьбю"}

// monotonous reports whether text has hardly any characters, repeats a short
// piece, or runs along a row of keys.
func monotonous(s string) bool {
	different := map[rune]bool{}
	for _, r := range s {
		different[r] = true
	}
	if len(different) < 5 {
		return true
	}
	for n := 1; n <= 4 && n < len(s); n++ {
		if strings.Repeat(s[:n], len(s)/n+1)[:len(s)] == s {
			return true
		}
	}
	for _, row := range rows {
		if strings.Contains(row, s) || strings.Contains(reversed(row), s) {
			return true
		}
	}
	return false
}

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

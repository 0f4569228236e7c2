package document

import (
	"encoding/base64"
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"golang.org/x/text/unicode/norm"
)

// How texts and queries become words. What indexes a document, reads a query and
// marks what was found is one function, so that they never differ.

// word is a word of a text: how it is compared, and where it stands. A character
// of Chinese, Japanese or Korean is a word, because nothing stands between words
// there.
type word struct {
	text       string
	start, end int
	char       bool // one such character
	follows    bool // and the word before is another, right before it
}

// longestWord is how many bytes of a word count.
const longestWord = 128

// split finds the words of a text that is in the form plain gives it.
func split(text string) []word {
	list := make([]word, 0, len(text)/6)
	var b strings.Builder
	start := -1
	flush := func(end int) {
		if start >= 0 && b.Len() > 0 {
			list = append(list, word{text: b.String(), start: start, end: end})
		}
		b.Reset()
		start = -1
	}
	for i, r := range text {
		switch {
		case unspaced(r):
			flush(i)
			n := len(list)
			list = append(list, word{text: text[i : i+utf8.RuneLen(r)], start: i, end: i + utf8.RuneLen(r), char: true,
				follows: n > 0 && list[n-1].char && strings.Trim(text[list[n-1].end:i], "\r\n") == ""}) // a line ends anywhere there
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r):
			if start < 0 {
				start = i
			}
			if b.Len() < longestWord {
				fold(&b, r)
			}
		case r == '\u00ad', r >= '\u200b' && r <= '\u200f', r == '\u2060', r == '\ufeff': // not seen, and part of the word they are in
		default:
			flush(i)
		}
	}
	flush(len(text))
	return list
}

// plain is a text with one way to write each character: ligatures, full-width and
// presentation forms are what they stand for.
func plain(text string) string { return norm.NFKC.String(strings.ToValidUTF8(text, " ")) }

// unspaced reports whether r is of a script that puts nothing between words.
func unspaced(r rune) bool {
	if r < 0x1100 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー'
}

// fold writes r as it is compared: small, without accents and vowel points.
func fold(b *strings.Builder, r rune) {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		b.WriteByte(byte(r))
		return
	}
	switch {
	case r >= 0x300 && r <= 0x36f, // accents that stand alone
		r >= 0x591 && r <= 0x5c7,                                                                 // Hebrew points
		r >= 0x610 && r <= 0x61a, r >= 0x64b && r <= 0x65f, r == 0x670, r >= 0x6d6 && r <= 0x6ed, // Arabic vowels
		r == 'ـ':
		return
	case r >= '٠' && r <= '٩':
		b.WriteByte(byte('0' + r - '٠'))
		return
	case r >= '۰' && r <= '۹':
		b.WriteByte(byte('0' + r - '۰'))
		return
	}
	r = unicode.ToLower(r)
	if same, ok := alike[r]; ok {
		b.WriteString(same)
		return
	}
	if unicode.In(r, unicode.Latin, unicode.Greek) {
		var buf [utf8.UTFMax]byte
		if d := norm.NFD.Properties(buf[:utf8.EncodeRune(buf[:], r)]).Decomposition(); d != nil {
			r, _ = utf8.DecodeRune(d)
		}
	}
	b.WriteRune(r)
}

// alike are letters that people write for each other.
var alike = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ł': "l", 'ı': "i", 'ς': "σ", 'ё': "е",
	'أ': "ا", 'إ': "ا", 'آ': "ا", 'ٱ': "ا", 'ى': "ي", 'ی': "ي", 'ة': "ه", 'ک': "ك",
}

// Stems cuts words to their stems, each once. It is for one goroutine.
type Stems map[string][]string

// of are the stems of a word of a text in a language: by its letters first, since
// a Russian text has English words in it. "" is any of the languages.
func (m Stems) of(text, language string) []string {
	if language = base(language); language != "" && language != "fr" && language != "es" {
		language = "en"
	}
	if list, ok := m[language+text]; ok {
		return list
	}
	var list []string
	for _, by := range stemmers(text, language) {
		env := snowballstem.NewEnv(text)
		by(env)
		if stem := env.Current(); stem != "" && stem != text && (len(list) == 0 || list[len(list)-1] != stem) {
			list = append(list, stem)
		}
	}
	m[language+text] = list
	return list
}

// stemSpanish gives endings back the accent that folding took, and that people
// leave out: without it the Stems does not know them.
func stemSpanish(env *snowballstem.Env) bool {
	if text := env.Current(); strings.HasSuffix(text, "cion") || strings.HasSuffix(text, "sion") {
		env.SetCurrent(text[:len(text)-2] + "ón")
	}
	return spanish.Stem(env)
}

func stemmers(text, language string) []func(*snowballstem.Env) bool {
	r, _ := utf8.DecodeRuneInString(text)
	switch {
	case unicode.Is(unicode.Cyrillic, r):
		return []func(*snowballstem.Env) bool{russian.Stem}
	case unicode.Is(unicode.Arabic, r):
		return []func(*snowballstem.Env) bool{arabic.Stem}
	case !unicode.Is(unicode.Latin, r):
		return nil
	}
	switch language {
	case "":
		return []func(*snowballstem.Env) bool{english.Stem, french.Stem, stemSpanish}
	case "fr":
		return []func(*snowballstem.Env) bool{french.Stem}
	case "es":
		return []func(*snowballstem.Env) bool{stemSpanish}
	}
	return []func(*snowballstem.Env) bool{english.Stem}
}

// base is a language without region and script: "pt-BR" is "pt".
func base(language string) string {
	language, _, _ = strings.Cut(language, "-")
	return language
}

// pair is the lexeme of two words that follow each other: what a phrase is looked
// up by. It is short, so that there are few enough of them; that two pairs may
// share one is mended by comparing the words themselves.
func pair(a, b string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(a + " " + b)) // never fails
	sum := h.Sum32()
	sum ^= sum >> 18
	return "=" + base64.RawURLEncoding.EncodeToString([]byte{byte(sum >> 10), byte(sum >> 2), byte(sum << 6)})[:3]
}

// spaced are words as one text: a space around each, none between characters that
// follow each other.
func spaced(list []word) string {
	var b strings.Builder
	for i, w := range list {
		if !w.follows || i == 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.text)
	}
	b.WriteByte(' ')
	return b.String()
}

// Package slug makes short names: the slug in an address, the normal form of an
// organization's name by which near-duplicates are found, and the domain that
// an organization's website belongs to. All of it is pure.
package slug

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxLength is the greatest length of a slug, in bytes: long enough for a
// name, short enough for an address that is read aloud.
const MaxLength = 60

// Make turns a name into a slug that matches ^[a-z0-9]+(-[a-z0-9]+)*$ and is at
// most MaxLength long, cut between words where it can be. Latin, Greek and
// Cyrillic are transliterated; a name of which nothing is left (Chinese,
// Arabic, …) gives "", and the caller falls back on an id.
func Make(name string) string {
	var b strings.Builder
	gap := false // something that is no letter or digit stood before the next one
	for _, r := range strings.ToLower(norm.NFC.String(name)) {
		s, ok := romanize(r)
		if !ok {
			// An apostrophe joins: "O'Neill's" is "oneills", not "o-neill-s".
			gap = gap || r != '\'' && r != '’' && !unicode.Is(unicode.Mn, r)
			continue
		}
		if s == "" { // a sign without a sound, as ь
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteString(s)
		if b.Len() > 4*MaxLength {
			break // the rest is cut off anyway
		}
	}
	return cut(b.String(), MaxLength)
}

// Unique returns base, or base-2, base-3, … : the first that is not taken. The
// result is never longer than MaxLength.
func Unique(base string, taken func(slug string) bool) string {
	if base != "" && !taken(base) {
		return base
	}
	for n := 2; ; n++ {
		suffix := strconv.Itoa(n)
		if s := strings.TrimPrefix(cut(base, MaxLength-1-len(suffix))+"-"+suffix, "-"); !taken(s) {
			return s
		}
	}
}

// cut shortens a slug to at most limit bytes, between two words unless that
// would take away more than half of it.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	if s[limit] != '-' {
		if i := strings.LastIndexByte(s[:limit], '-'); i >= limit/2 {
			return s[:i]
		}
	}
	return strings.TrimRight(s[:limit], "-")
}

// romanize returns r, a lower case letter or digit, in a-z0-9; false if it is
// neither or belongs to a script we have no letters for.
func romanize(r rune) (string, bool) {
	if ascii(r) {
		return string(r), true
	}
	if s, ok := letters[r]; ok {
		return s, true
	}
	// é is e and an accent, ﬁ is f and i, ２ is 2.
	var b strings.Builder
	for _, d := range strings.ToLower(norm.NFKD.String(string(r))) {
		if ascii(d) {
			b.WriteRune(d)
		} else if s, ok := letters[d]; ok {
			b.WriteString(s)
		}
	}
	return b.String(), b.Len() > 0
}

func ascii(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }

// letters are those that Unicode does not decompose into a-z. Cyrillic follows
// the common English (BGN/PCGN-like) use, Greek ISO 843 without accents.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h",
	'ı': "i", 'ŋ': "ng", 'ĸ': "k", 'ŧ': "t", 'ƒ': "f", 'ə': "e", 'ɓ': "b", 'ɗ': "d", 'ƙ': "k", 'ơ': "o", 'ư': "u",

	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k",
	'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t",
	'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",

	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "zh", 'з': "z", 'и': "i",
	'й': "y", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t",
	'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "",
	'э': "e", 'ю': "yu", 'я': "ya",
	'і': "i", 'ї': "yi", 'є': "ye", 'ґ': "g", 'ў': "u", // Ukrainian, Belarusian
	'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'ђ': "dj", 'џ': "dz", 'ѕ': "dz", 'ќ': "k", 'ѓ': "g", // Serbian, Macedonian
	'қ': "q", 'ғ': "g", 'ң': "n", 'ө': "o", 'ұ': "u", 'ү': "u", 'һ': "h", 'ә': "a", // Kazakh, Mongolian
}

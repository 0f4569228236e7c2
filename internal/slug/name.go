package slug

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Name is the normal form of an organization's name, for finding near-duplicates:
// lower case, no diacritics, punctuation folded, "The" and the legal forms at the
// ends dropped, an acronym in parentheses that only repeats the name dropped.
// "Siemens", "Siemens AG" and "SIEMENS A.G." have the same. It is for comparing,
// not for showing; it is empty only if name holds no letter, digit or symbol.
func Name(name string) string {
	folded := abbreviated.Replace(fold(name))
	words := strings.Fields(separate(dropAcronym(folded)))
	if len(words) == 0 { // nothing but punctuation, or a script of symbols
		return strings.Join(strings.Fields(folded), " ")
	}
	for again := true; again; { // "ООО «The X Ltd.»": one form may hide another
		words, again = dropForm(words)
	}
	return strings.Join(words, " ")
}

// fold lowers a name and takes off what only looks different: width,
// compatibility forms, Latin, Greek and Cyrillic diacritics. Marks of other
// scripts carry meaning (カ and ガ) and stay.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, " ")) {
		if r >= 0x300 && r <= 0x36F || unicode.Is(unicode.Cc, r) && !unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		r = unicode.ToLower(r)
		if r >= 0x300 && r <= 0x36F {
			continue
		}
		switch r {
		case 'ß':
			b.WriteString("ss")
		case 'æ':
			b.WriteString("ae")
		case 'œ':
			b.WriteString("oe")
		case 'ø':
			b.WriteByte('o')
		case 'ł':
			b.WriteByte('l')
		case 'đ', 'ð':
			b.WriteByte('d')
		case 'þ':
			b.WriteString("th")
		case 'ı':
			b.WriteByte('i')
		default:
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// separate replaces punctuation by spaces, joins single letters that dots or
// slashes hold together ("s.p.a." and "a/s" become "spa" and "as"), and keeps
// what is part of a word, as the plus in "c++".
func separate(s string) string {
	runes := []rune(s)
	at := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return ' '
		}
		return runes[i]
	}
	single := func(i int) bool { // a letter alone between two that are not
		return unicode.IsLetter(at(i)) && !wordy(at(i-1)) && !wordy(at(i+1))
	}
	var b strings.Builder
	for i, r := range runes {
		switch {
		case wordy(r), unicode.IsSymbol(r) && r != '|' && r != '`' && r != '<' && r != '>' && r != '^' && r != '~' && r != '=':
			b.WriteRune(r)
		case r == '&':
			b.WriteString(" and ")
		case r == '\'' || r == '’' || r == 'ʼ':
			// "O'Reilly" and "OReilly" are the same
		case (r == '.' || r == '/') && single(i-1) && (single(i+1) || at(i+1) == ' ' && single(i+2) && at(i+3) == '.'):
			// joined: the space after the dot, if any, goes with it below
		case r == ' ' && at(i-1) == '.' && single(i-2) && single(i+1) && at(i+2) == '.':
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// dropAcronym takes out a parenthesized word that only abbreviates the rest:
// "(NUST) National University of Science & Technology". One that says
// something else, as "(UK)" or "(China)", stays.
func dropAcronym(s string) string {
	open := strings.IndexByte(s, '(')
	if open < 0 {
		return s
	}
	length := strings.IndexByte(s[open:], ')')
	if length < 0 {
		return s
	}
	acronym := strings.ReplaceAll(s[open+1:open+length], ".", "")
	rest := s[:open] + " " + s[open+length+1:]
	if n := len([]rune(acronym)); n < 2 || n > 10 || strings.ContainsFunc(acronym, func(r rune) bool { return !wordy(r) }) {
		return s
	}
	words := strings.Fields(separate(rest))
	if len(words) < 2 || !abbreviates([]rune(acronym), words) {
		return s
	}
	return rest
}

// abbreviates reports whether the letters of acronym come in order in words,
// most of them at the start of a word.
func abbreviates(acronym []rune, words []string) bool {
	next, starts := 0, 0
	for _, w := range words {
		for i, r := range []rune(w) {
			if next < len(acronym) && r == acronym[next] && (i == 0 || next > 0) {
				next++
				if i == 0 {
					starts++
				}
			}
		}
	}
	return next == len(acronym) && 2*starts > len(acronym)
}

// dropForm takes one "the" or legal form off the end or the beginning, but never
// the last word: a company may be called "AS".
func dropForm(words []string) ([]string, bool) {
	for n := min(len(formsLast), len(words)-1); n > 0; n-- { // the longest first: "sa de cv" before "cv"
		rest := words[:len(words)-n]
		if slices.Contains(formsLast[n-1], strings.Join(words[len(rest):], " ")) {
			if len(rest) > 1 && rest[len(rest)-1] == "and" { // "GmbH & Co. KG"
				rest = rest[:len(rest)-1]
			}
			return rest, true
		}
	}
	if len(words) > 1 && slices.Contains(formsFirst, words[0]) {
		return words[1:], true
	}
	// Scripts that write without spaces glue the form to the name.
	for _, form := range formsGlued {
		first, last := words[0], words[len(words)-1]
		if rest, ok := strings.CutSuffix(last, form); ok && (rest != "" || len(words) > 1) {
			return strings.Fields(strings.Join(words[:len(words)-1], " ") + " " + rest), true
		}
		if rest, ok := strings.CutPrefix(first, form); ok && (rest != "" || len(words) > 1) {
			return strings.Fields(rest + " " + strings.Join(words[1:], " ")), true
		}
	}
	return words, false
}

// formsLast are the legal forms that stand last, by their number of words, as
// separate leaves them: no dots, no diacritics.
var formsLast = [4][]string{
	{
		// English, India, South-East Asia
		"inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc", "llp", "lllp", "lp",
		"plc", "pllc", "pty", "pte", "pvt", "bhd", "tbk", "cic",
		// German
		"ag", "se", "gmbh", "ggmbh", "mbh", "kg", "kgaa", "ohg", "ug", "ev", "eg",
		// French, Italian, Spanish, Portuguese, Romanian
		"sa", "sas", "sasu", "sarl", "sca", "spa", "srl", "srls", "sapa", "sl", "slu", "sau", "sab", "ltda", "eireli",
		// Dutch, Nordic, Baltic
		"bv", "nv", "bvba", "vzw", "ab", "as", "asa", "aps", "oy", "oyj", "abp", "hf", "ehf", "ou", "sia", "uab",
		// Central and Eastern Europe, Türkiye
		"sro", "kft", "zrt", "nyrt", "doo", "dd", "ood", "eood", "ead",
		// Japan, Cyrillic, Israel
		"kk", "gk", "ооо", "оао", "зао", "пао", "ао", "тоо", "тов", "בעמ",
	},
	{"private limited", "pvt ltd", "sdn bhd", "sp zoo", "ltd sti", "gesellschaft mbh", "eg mbh", "sa rl", "kabushiki kaisha", "spol sro", "public limited"},
	{"sa de cv", "sab de cv", "sapi de cv", "sp z oo", "gesellschaft mit haftung", "public limited company", "spol s ro"},
	{"s de rl de", "srl de c v", "gesellschaft mit beschrankter haftung", "s de rl cv"},
}

// formsFirst are those that stand first, and the English article.
var formsFirst = []string{"the", "ооо", "оао", "зао", "пао", "нао", "ао", "тоо", "тов", "пат", "ат", "pt", "주식회사"}

// abbreviated are forms that are written in parentheses or, as ㈱, one sign.
var abbreviated = strings.NewReplacer("(株)", "株式会社", "(有)", "有限会社", "(주)", "주식회사")

// formsGlued have no space before or after them; longer ones first.
var formsGlued = []string{
	"股份有限公司", "有限责任公司", "有限責任公司", "有限公司", "公司",
	"株式会社", "有限会社", "合同会社", "주식회사",
}

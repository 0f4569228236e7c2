// Package country knows the countries and territories of ISO 3166-1 (and Kosovo,
// under the user-assigned XK): their codes, their names in six languages, the
// region of the United Nations' M49 they are in, and where they are on a map.
// Names are those of the Unicode CLDR; a name here is not a position on a status.
package country

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Country is a country or territory.
type Country struct {
	Code    string // ISO 3166-1 alpha-2: "FR"
	Alpha3  string // "FRA"
	Numeric string // three digits, also the M49 code: "250"
	Region  string // M49 continent: "150"; see Region
	Sub     string // M49 subregion: "155"

	names [6]string // in the order of languages
	also  []string  // other names it is known by, in any language
}

// languages is the order of the columns of names in countries.tsv.
var languages = []language.Tag{language.English, language.French, language.Spanish, language.Russian, language.Chinese, language.Arabic}

var matcher = language.NewMatcher(languages)

// regions are the continents of M49 and their names in English, which are also
// the keys of the catalog.
var regions = map[string]string{
	"002": "Africa", "019": "Americas", "142": "Asia", "150": "Europe", "009": "Oceania", "001": "Antarctica",
}

// RegionName is the English name of an M49 continent ("150" is Europe), or "".
func RegionName(m49 string) string { return regions[m49] }

// Regions lists the M49 codes of the continents in the order of their names.
func Regions() []string { return []string{"002", "019", "001", "142", "150", "009"} }

//go:embed data/countries.tsv
var table string

var (
	all    = parse(table)
	byCode = indexed(all, func(c Country) []string { return []string{c.Code} })
	byName = sync.OnceValue(func() map[string]*Country { return indexed(all, known) }) // only imports need it
)

func parse(tsv string) []Country {
	var list []Country
	for line := range strings.Lines(tsv) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		c := Country{Code: f[0], Alpha3: f[1], Numeric: f[2], Region: f[3], Sub: f[4]}
		copy(c.names[:], f[5:11])
		if f[11] != "" {
			c.also = strings.Split(f[11], "|")
		}
		list = append(list, c)
	}
	return list
}

func indexed(list []Country, keys func(Country) []string) map[string]*Country {
	index := make(map[string]*Country, len(list))
	for i, c := range list {
		for _, k := range keys(c) {
			if _, taken := index[k]; !taken && k != "" {
				index[k] = &list[i]
			}
		}
	}
	return index
}

// ByCode finds a country by its alpha-2 code in capitals.
func ByCode(code string) (Country, bool) {
	if c, ok := byCode[code]; ok {
		return *c, true
	}
	return Country{}, false
}

// Name is the name of the country with that alpha-2 code in the language nearest
// to tag, or the code itself if there is no such country.
func Name(code string, tag language.Tag) string {
	if c, ok := byCode[code]; ok {
		return c.Name(tag)
	}
	return code
}

// Name is the country's name in the language nearest to tag, English if none is.
func (c Country) Name(tag language.Tag) string { return c.names[column(tag)] }

func column(tag language.Tag) int {
	if tag == language.English {
		return 0
	}
	_, i, confidence := matcher.Match(tag)
	if confidence == language.No {
		return 0
	}
	return i
}

// Flag is the country's flag as an emoji: two regional indicator letters, which
// systems without flags show as the code.
func (c Country) Flag() string { return Flag(c.Code) }

// Flag is the flag of an alpha-2 code, or "" for what is none.
func Flag(code string) string {
	if len(code) != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z' {
		return ""
	}
	const a = '🇦'
	return string([]rune{a + rune(code[0]-'A'), a + rune(code[1]-'A')})
}

// All lists every country in the alphabetical order of the language nearest to tag.
func All(tag language.Tag) []Country {
	i := column(tag)
	return slices.Clone(sorted[i]())
}

// sorted is the list in the order of each of languages, made when first asked for.
var sorted = func() (lists [6]func() []Country) {
	for i, tag := range languages {
		lists[i] = sync.OnceValue(func() []Country { return sortedBy(i, tag) })
	}
	return lists
}()

func sortedBy(i int, tag language.Tag) []Country {
	order := collate.New(tag)
	keys := make(map[string][]byte, len(all))
	for _, c := range all {
		keys[c.Code] = order.KeyFromString(new(collate.Buffer), c.names[i])
	}
	list := slices.Clone(all)
	slices.SortFunc(list, func(a, b Country) int {
		return cmp.Or(slices.Compare(keys[a.Code], keys[b.Code]), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// Find recognizes a country as people write it: a code of two or three letters or
// three digits, or a name in any of the six languages, whatever its accents,
// capitals, punctuation and word order ("Korea, Republic of").
func Find(text string) (Country, bool) {
	text = strings.TrimSpace(text)
	if code := strings.ToUpper(text); len(code) == 2 && code != "UK" {
		return ByCode(code)
	}
	for _, key := range []string{strings.ToLower(text), plain(text)} {
		if c, ok := byName()[key]; ok {
			return *c, true
		}
	}
	return Country{}, false
}

// known is every plain form under which a country is found.
func known(c Country) []string {
	keys := []string{strings.ToLower(c.Alpha3), c.Numeric}
	for _, n := range c.names {
		keys = append(keys, plain(n))
	}
	for _, n := range c.also {
		keys = append(keys, plain(n))
	}
	for _, n := range aliases[c.Code] {
		keys = append(keys, plain(n))
	}
	return keys
}

// plain is what stays of a name when accents, capitals, punctuation, articles and
// the order of words do not count.
func plain(name string) string {
	name = norm.NFKD.String(strings.ToLower(name))
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == '.', r == '\'', r == '’', r == '`':
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return r
		}
		return ' '
	}, name)
	words := strings.Fields(name)
	words = slices.DeleteFunc(words, func(w string) bool {
		return w == "the" || w == "of" || w == "and" || w == "le" || w == "la" || w == "les" || w == "el" || w == "de" || w == "du" || w == "y" || w == "et"
	})
	for i, w := range words {
		switch w {
		case "st", "ste", "sainte":
			words[i] = "saint"
		case "rep":
			words[i] = "republic"
		case "dem":
			words[i] = "democratic"
		case "is", "isl":
			words[i] = "islands"
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

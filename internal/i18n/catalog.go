package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed languages
var files embed.FS

// known is every language the portal speaks. The files are our own and embedded:
// one that does not load is a fault of the build, and a test loads it first.
var known = func() *catalog {
	c, err := load(files, "languages")
	if err != nil {
		panic(err)
	}
	return c
}()

// spoken is one language of the portal, as its file languages/<tag>.json has it.
type spoken struct {
	Name        string                       `json:"name"` // in the language itself
	RightToLeft bool                         `json:"rightToLeft"`
	Dates       dates                        `json:"dates"`
	Texts       map[string]string            `json:"texts"`   // English text: what to say
	Plurals     map[string]map[string]string `json:"plurals"` // English singular: CLDR form (one, few, many, other…): what to say

	tag     language.Tag
	printer *message.Printer

	plainDigits bool // writes numbers below a thousand as Go does
}

// dates is how a language writes dates: names of months from January, and
// patterns of y, M, MM, MMM, MMMM, d, dd, HH, mm and text in 'quotes'.
type dates struct {
	Months      [12]string `json:"months"`      // MMMM
	ShortMonths [12]string `json:"shortMonths"` // MMM
	Date        string     `json:"date"`
	DateTime    string     `json:"dateTime"`
	Month       string     `json:"month"`
}

type catalog struct {
	english *spoken
	all     []*spoken // english first, in the order of matcher
	matcher language.Matcher

	mu      sync.RWMutex
	matches map[string]language.Tag // by what was wished
}

// load reads a folder of languages. English is its en.json, which has no texts.
func load(fsys fs.FS, folder string) (*catalog, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, err
	}
	c := new(catalog)
	for _, e := range entries {
		name, isCatalog := strings.CutSuffix(e.Name(), ".json")
		if !isCatalog {
			continue
		}
		s, err := loadOne(fsys, path.Join(folder, e.Name()), name)
		if err != nil {
			return nil, fmt.Errorf("language file %s: %w", e.Name(), err)
		}
		if s.tag == language.English {
			c.english = s
			c.all = append([]*spoken{s}, c.all...)
		} else {
			c.all = append(c.all, s)
		}
	}
	if c.english == nil {
		return nil, fmt.Errorf("no en.json in %s", folder)
	}
	tags := make([]language.Tag, len(c.all))
	for i, s := range c.all {
		tags[i] = s.tag
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

func loadOne(fsys fs.FS, file, name string) (*spoken, error) {
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	s := new(spoken)
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, err
	}
	if s.tag, err = language.Parse(name); err != nil {
		return nil, err
	}
	for key, forms := range s.Plurals {
		if forms["other"] == "" {
			return nil, fmt.Errorf("%q lacks the plural form other", key)
		}
	}
	for i := range 12 {
		if s.Dates.Months[i] == "" || s.Dates.ShortMonths[i] == "" {
			return nil, fmt.Errorf("month %d has no name", i+1)
		}
	}
	if s.Name == "" || s.Dates.Date == "" || s.Dates.DateTime == "" || s.Dates.Month == "" {
		return nil, fmt.Errorf("name and date patterns are required")
	}
	s.printer = message.NewPrinter(s.tag)
	s.plainDigits = s.printer.Sprint(number.Decimal(907)) == "907"
	return s, nil
}

func (c *catalog) nearest(tag language.Tag) *spoken {
	_, i, confidence := c.matcher.Match(tag)
	if confidence == language.No {
		return c.english
	}
	return c.all[i]
}

// mostMatches bounds how many wishes are remembered, and longestWish which: there are a
// few hundred that browsers send.
const mostMatches, longestWish = 1024, 200

func (c *catalog) match(acceptLanguage, choice string) language.Tag {
	if len(choice)+len(acceptLanguage) > longestWish {
		return c.find(acceptLanguage, choice)
	}
	wish := choice + " " + acceptLanguage
	c.mu.RLock()
	tag, ok := c.matches[wish]
	c.mu.RUnlock()
	if ok {
		return tag
	}
	tag = c.find(acceptLanguage, choice)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.matches == nil || len(c.matches) >= mostMatches {
		c.matches = map[string]language.Tag{}
	}
	c.matches[wish] = tag
	return tag
}

func (c *catalog) find(acceptLanguage, choice string) language.Tag {
	if tag, err := language.Parse(choice); err == nil && choice != "" {
		if _, i, confidence := c.matcher.Match(tag); confidence >= language.High {
			return c.all[i].tag
		}
	}
	// A header that cannot be read is a reader without a wish.
	wishes, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wishes) == 0 {
		return language.English
	}
	_, i, confidence := c.matcher.Match(wishes...)
	if confidence == language.No {
		return language.English
	}
	return c.all[i].tag
}

func (c *catalog) choices() []Language {
	all := make([]Language, len(c.all))
	for i, s := range c.all {
		all[i] = Language{s.tag, s.Name}
	}
	return all
}

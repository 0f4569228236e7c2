// Package i18n says things in the reader's language and time zone. Both travel
// in the context. The English text is itself the key of the catalog, so a page
// reads as what it says; a language is one file in languages/, and a text that
// a language lacks is said in English.
package i18n

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/number"

	"commissionportal/internal/country"
	"commissionportal/internal/problem"
)

// Locale is the language a reader reads and the time zone their clock shows.
type Locale struct {
	Language language.Tag
	Zone     *time.Location
}

type contextKey struct{}

// With gives a context the locale of its reader. A language the portal does not
// have becomes the nearest one that it has; no zone means UTC.
func With(ctx context.Context, l Locale) context.Context {
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	return context.WithValue(ctx, contextKey{}, reader{l, known.nearest(l.Language)})
}

var zones sync.Map // by name; there are some six hundred

// Zone is the time zone of that name, as a person chose it; UTC if there is none.
func Zone(name string) *time.Location {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location) //nolint:forcetypeassert // nothing else is in there
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, zone)
	return zone
}

// From is the locale that With put into ctx: English and UTC where nobody did.
func From(ctx context.Context) Locale { return readerOf(ctx).Locale }

// reader is a locale with its language's catalog found once.
type reader struct {
	Locale
	*spoken
}

func readerOf(ctx context.Context) reader {
	if r, ok := ctx.Value(contextKey{}).(reader); ok {
		return r
	}
	return reader{Locale{language.English, time.UTC}, known.english}
}

// Match chooses the language to answer in: the reader's own choice where it is
// one the portal has (an empty or unknown choice counts as none), otherwise the
// best for the Accept-Language header, otherwise English.
func Match(acceptLanguage, choice string) language.Tag { return known.match(acceptLanguage, choice) }

// Language is a language that a reader may choose.
type Language struct {
	Tag  language.Tag
	Name string // in the language itself
}

// Languages lists what a reader may choose from, English first.
func Languages() []Language { return known.choices() }

// Key is an argument of T that is itself a text of the catalog, such as the
// state in "This commission is %s already."; it is translated before it is put in.
type Key string

// T says an English text in the reader's language. With arguments it is a format
// as in fmt, except that numbers are written the reader's way (1,234), so what is
// a name rather than an amount (a year, N0012) goes in as a string. Without
// arguments it is said as it stands, so a percent sign needs no care.
func T(ctx context.Context, english string, args ...any) string {
	r := readerOf(ctx)
	return r.format(r.text(english), args)
}

// N says how many there are: n picks the form of the reader's language and is the
// first argument of the format. English has the two forms given; the catalogs of
// other languages have theirs under the key of the first.
func N[Int int | int32 | int64](ctx context.Context, n Int, one, other string, args ...any) string {
	r := readerOf(ctx)
	text, ok := r.plural(one, int64(n))
	if !ok {
		if text = other; n == 1 {
			text = one
		}
	}
	return r.format(text, append([]any{n}, args...))
}

// Number writes an amount with the reader's separators.
func Number[Int int | int32 | int64](ctx context.Context, n Int) string {
	r := readerOf(ctx)
	if r.plainDigits && 0 <= n && n < 1000 {
		return strconv.Itoa(int(n)) // most numbers of a page, forty times faster
	}
	return r.printer.Sprint(number.Decimal(n))
}

// Decimal writes x with a fixed number of digits after the reader's decimal sign.
func Decimal(ctx context.Context, x float64, digits int) string {
	return readerOf(ctx).printer.Sprint(number.Decimal(x, number.Scale(digits)))
}

// Dir is the direction the reader's language is written in, for the dir attribute.
func Dir(ctx context.Context) string {
	if readerOf(ctx).RightToLeft {
		return "rtl"
	}
	return "ltr"
}

// Lang is the language that texts come out in, for the lang attribute.
func Lang(ctx context.Context) string { return readerOf(ctx).tag.String() }

// Problem is the sentence of a problem in the reader's language; for a problem
// of fields alone, the first of theirs; for nil, nothing.
func Problem(ctx context.Context, p *problem.Error) string {
	switch {
	case p == nil:
		return ""
	case p.Format == "" && len(p.Fields) > 0:
		return FieldProblem(ctx, p.Fields[0])
	}
	return T(ctx, p.Format, p.Args...)
}

// FieldProblem is the sentence of one field's problem in the reader's language.
func FieldProblem(ctx context.Context, f problem.FieldError) string {
	return T(ctx, f.Format, f.Args...)
}

// FieldProblems is what is wrong with each field of a form, by the field's name:
// the first sentence of each. It is nil if no field is wrong.
func FieldProblems(ctx context.Context, p *problem.Error) map[string]string {
	if p == nil || len(p.Fields) == 0 {
		return nil
	}
	said := make(map[string]string, len(p.Fields))
	for _, f := range p.Fields {
		if _, twice := said[f.Field]; !twice {
			said[f.Field] = FieldProblem(ctx, f)
		}
	}
	return said
}

func (r reader) format(text string, args []any) string {
	if len(args) == 0 {
		return text
	}
	for i, a := range args {
		switch a := a.(type) {
		case Key:
			args = replaced(args, i, r.text(string(a)))
		case time.Time:
			args = replaced(args, i, r.date(a, r.Dates.Date))
		}
	}
	if r.plain(args) {
		return fmt.Sprintf(text, args...)
	}
	return r.printer.Sprintf(text, args...)
}

// plain reports whether fmt writes args as the reader's printer does: words, and
// amounts that have no separators. It is ten times faster.
func (r reader) plain(args []any) bool {
	for _, a := range args {
		switch a := a.(type) {
		case string:
		case int:
			if !r.plainDigits || a < 0 || a >= 1000 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// replaced copies args before it changes one: they belong to the caller, and a
// problem's are said again in other languages.
func replaced(args []any, i int, with any) []any {
	copied := append([]any(nil), args...)
	copied[i] = with
	return copied
}

func (s *spoken) text(english string) string {
	if said, ok := s.Texts[english]; ok {
		return said
	}
	return english
}

func (s *spoken) plural(key string, n int64) (string, bool) {
	forms, ok := s.Plurals[key]
	if !ok {
		return "", false
	}
	if n < 0 {
		n = -n
	}
	form := plural.Cardinal.MatchPlural(s.tag, int(n), 0, 0, 0, 0)
	if text, ok := forms[formNames[form]]; ok {
		return text, true
	}
	return forms["other"], true
}

var formNames = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two",
	plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

// Country is the name of a country in the reader's language, by its ISO alpha-2
// code; a code that is none is said as it stands.
func Country(ctx context.Context, code string) string { return country.Name(code, readerOf(ctx).tag) }

// Countries lists every country in the order of the reader's alphabet.
func Countries(ctx context.Context) []country.Country { return country.All(readerOf(ctx).tag) }

// LanguageName is what a language is called, by its tag: "French" for fr; the tag
// itself where it is none.
func LanguageName(ctx context.Context, tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return tag
	}
	if name := display.Tags(readerOf(ctx).tag).Name(t); name != "" {
		return name
	}
	return tag
}

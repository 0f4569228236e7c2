// Package check holds what the edge asks of input, field by field: each function
// trims and normalizes the value it is given a pointer to, and notes in a
// problem.Fields what is wrong, in words for the person who typed it.
package check

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"commissionportal/internal/country"
	"commissionportal/internal/problem"
)

// Line is one line of text of least to most characters; inner white space folds.
func Line(f *problem.Fields, field string, v *string, least, most int) {
	*v = strings.Join(strings.Fields(*v), " ")
	length(f, field, *v, least, most)
}

// Text is text of many lines.
func Text(f *problem.Fields, field string, v *string, least, most int) {
	*v = strings.TrimSpace(*v)
	length(f, field, *v, least, most)
}

func length(f *problem.Fields, field, v string, least, most int) {
	switch n := utf8.RuneCountInString(v); {
	case n == 0 && least > 0:
		f.Add(field, "Fill this in.")
	case n < least:
		f.Add(field, "Use at least %d characters.", least)
	case n > most:
		f.Add(field, "Use at most %d characters; these are %d.", most, n)
	}
}

// OneOf is a word from a list.
func OneOf(f *problem.Fields, field, v string, words ...string) {
	switch {
	case slices.Contains(words, v):
	case v == "":
		f.Add(field, "Choose one.")
	default:
		f.Add(field, "Choose one of: %s.", strings.Join(words, ", "))
	}
}

// Email is an address, kept in lower case.
func Email(f *problem.Fields, field string, v *string) {
	*v = strings.ToLower(strings.TrimSpace(*v))
	a, err := mail.ParseAddress(*v)
	_, host, _ := strings.Cut(*v, "@")
	switch {
	case *v == "":
		f.Add(field, "Fill this in.")
	case err != nil || a.Address != *v || len(*v) > 254 || !strings.Contains(host, ".") || strings.ContainsAny(*v, "\r\n"):
		f.Add(field, "This is not an e-mail address.")
	}
}

// Website is the address of a site, or empty; without a scheme it is https.
func Website(f *problem.Fields, field string, v *string) {
	*v = strings.TrimSpace(*v)
	if *v == "" {
		return
	}
	if !strings.Contains(*v, "://") {
		*v = "https://" + *v
	}
	u, err := url.Parse(*v)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || !strings.Contains(u.Hostname(), ".") || u.User != nil || len(*v) > 300 {
		f.Add(field, "This is not the address of a website.")
	}
}

// Country is an ISO 3166 alpha-2 code, or empty where that is allowed.
func Country(f *problem.Fields, field string, v *string, required bool) {
	*v = strings.ToUpper(strings.TrimSpace(*v))
	if *v == "" && !required {
		return
	}
	if _, ok := country.ByCode(*v); !ok {
		f.Add(field, "Choose a country.")
	}
}

// Number is a whole number from least to most, or 0 for empty where that is allowed.
func Number(f *problem.Fields, field, v string, required bool, least, most int) int {
	v = strings.TrimSpace(v)
	if v == "" && !required {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		f.Add(field, "Give a whole number from %d to %d.", least, most)
		return 0
	}
	return n
}

// Date is a day as YYYY-MM-DD in the zone, or the zero time for empty where
// that is allowed.
func Date(f *problem.Fields, field, v string, required bool, zone *time.Location) time.Time {
	v = strings.TrimSpace(v)
	if v == "" && !required {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, v, zone)
	if err != nil || t.Year() < 1800 || t.Year() > 9000 {
		if written.MatchString(v) {
			f.Add(field, "There is no such day in the calendar: %s.", v)
		} else {
			f.Add(field, "Give a date as YYYY-MM-DD.")
		}
		return time.Time{}
	}
	return t
}

// written is a date by its looks.
var written = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// AsOf is the instant that a list is asked for: as RFC 3339, or as a day, which
// means what held when it was over in the zone, or now if that is today; now for
// empty. What is to come is refused.
func AsOf(f *problem.Fields, field, v string, zone *time.Location, now time.Time) time.Time {
	v = strings.TrimSpace(v)
	if v == "" {
		return now
	}
	at, err := time.Parse(time.RFC3339, v)
	if err != nil || at.Year() < 1800 || at.Year() > 9000 {
		day := Date(f, field, v, true, zone)
		if day.IsZero() {
			return now
		}
		if at = day.AddDate(0, 0, 1).Add(-time.Microsecond); !day.After(now) && at.After(now) {
			return now
		}
	}
	if at.After(now) {
		f.Add(field, "What holds on a day to come is not known. Choose today or a day that has passed.")
		return now
	}
	return at.UTC().Truncate(time.Microsecond)
}

package i18n

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/number"

	"commissionportal/internal/calendar"
)

// Date writes the day of t in the reader's zone: 2 Jan 2026, with spaces that do
// not break. The zero time is nothing. It is for when something happened; the
// days of terms are the convention's (DayOf, LastDay), and a day that has no time
// of day goes to Day.
func Date(ctx context.Context, t time.Time) string {
	r := readerOf(ctx)
	return r.date(t, r.Dates.Date)
}

// Day writes a calendar day as it stands, whatever the reader's zone.
func Day(ctx context.Context, day time.Time) string {
	r := readerOf(ctx)
	r.Zone = day.Location()
	return r.date(day, r.Dates.Date)
}

// DayOf writes the day of the convention's calendar that t falls on, the same one
// for every reader.
func DayOf(ctx context.Context, t time.Time) string { return Day(ctx, calendar.Day(ctx, t)) }

// LastDay writes the last day of what ends at end, such as a term, the same one
// for every reader.
func LastDay(ctx context.Context, end time.Time) string { return Day(ctx, calendar.Last(ctx, end)) }

// Elsewhere is the convention's zone where it is not the reader's, "" where it is:
// there the days that one is asked for are not those of one's own clock.
func Elsewhere(ctx context.Context) string {
	if zone := calendar.Zone(ctx).String(); zone != readerOf(ctx).Zone.String() {
		return zone
	}
	return ""
}

// Written writes a date that came as YYYY-MM-DD, or an instant that came as RFC
// 3339, the reader's way; any other text is said as it stands.
func Written(ctx context.Context, text string) string {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return Day(ctx, day)
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return DateTime(ctx, at)
	}
	return text
}

// DateTime writes the minute of t in the reader's zone, and the zone's name.
func DateTime(ctx context.Context, t time.Time) string {
	r := readerOf(ctx)
	if t.IsZero() {
		return ""
	}
	zone, _ := t.In(r.Zone).Zone()
	return r.date(t, r.Dates.DateTime) + " " + zone
}

// Month writes the month of t in the reader's zone: January 2026.
func Month(ctx context.Context, t time.Time) string {
	r := readerOf(ctx)
	return r.date(t, r.Dates.Month)
}

// Ago says how far t is from now, before or after: "5 minutes ago", "in 3 days".
// Farther away than four weeks it is the date.
func Ago(ctx context.Context, t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	passed := now.Sub(t)
	past := passed >= 0
	if !past {
		passed = -passed
	}
	const day = 24 * time.Hour
	switch {
	case passed < time.Minute:
		return T(ctx, "just now")
	case passed < time.Hour:
		n := int(passed / time.Minute)
		if past {
			return N(ctx, n, "%d minute ago", "%d minutes ago")
		}
		return N(ctx, n, "in %d minute", "in %d minutes")
	case passed < day:
		n := int(passed / time.Hour)
		if past {
			return N(ctx, n, "%d hour ago", "%d hours ago")
		}
		return N(ctx, n, "in %d hour", "in %d hours")
	case passed <= 28*day:
		n := int(passed / day)
		if past {
			return N(ctx, n, "%d day ago", "%d days ago")
		}
		return N(ctx, n, "in %d day", "in %d days")
	}
	return Date(ctx, t)
}

func (r reader) date(t time.Time, pattern string) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(r.Zone)
	var b strings.Builder
	for len(pattern) > 0 {
		if pattern[0] == '\'' {
			quoted, rest, _ := strings.Cut(pattern[1:], "'")
			b.WriteString(quoted)
			pattern = rest
			continue
		}
		n := 1
		for n < len(pattern) && pattern[n] == pattern[0] {
			n++
		}
		switch symbol := pattern[:n]; symbol {
		case "y":
			b.WriteString(r.digits(t.Year(), 1))
		case "M", "MM":
			b.WriteString(r.digits(int(t.Month()), n))
		case "MMM":
			b.WriteString(r.Dates.ShortMonths[t.Month()-1])
		case "MMMM":
			b.WriteString(r.Dates.Months[t.Month()-1])
		case "d", "dd":
			b.WriteString(r.digits(t.Day(), n))
		case "HH":
			b.WriteString(r.digits(t.Hour(), n))
		case "mm":
			b.WriteString(r.digits(t.Minute(), n))
		case " ": // a date is not torn apart at the end of a line, only from its time
			if strings.HasSuffix(b.String(), ",") {
				b.WriteString(symbol)
			} else {
				b.WriteString("\u00a0")
			}
		default:
			b.WriteString(symbol)
		}
		pattern = pattern[n:]
	}
	return b.String()
}

// digits writes a number that is no amount: no separators, at least width digits.
func (r reader) digits(n, width int) string {
	if r.plainDigits && n >= 0 {
		return fmt.Sprintf("%0*d", width, n)
	}
	return r.printer.Sprint(number.Decimal(n, number.NoSeparator(), number.MinIntegerDigits(width)))
}

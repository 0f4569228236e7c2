package membership

import (
	"context"
	"strings"
	"time"

	"commissionportal/internal/calendar"
	"commissionportal/internal/check"
	"commissionportal/internal/problem"
)

// Term is from when to when a seat holds; Until nil is without end.
type Term struct {
	From  time.Time
	Until *time.Time
}

// Terms is a term as it is written: days of the convention as YYYY-MM-DD. An empty
// From is now; a nil Until is the commission's usual term, an empty one without
// end.
type Terms struct {
	From  string
	Until *string
}

// Term reads t in the convention's zone. Until names the last day, so the
// term ends as the next one begins. What is wrong is noted at the fields "from"
// and "until".
func (t Terms) Term(f *problem.Fields, now time.Time, zone *time.Location, months *int) Term {
	term := Term{From: now}
	if from := check.Date(f, "from", t.From, false, zone); !from.IsZero() {
		switch today := calendar.Start(now, zone); {
		case from.Before(today):
			f.Add("from", "Choose today or a later day.")
		case from.After(today):
			term.From = from.UTC()
		}
	}
	if t.Until == nil {
		term.Until = Usual(term.From, months, zone)
		return term
	}
	term.Until = lastDay(f, *t.Until, now, zone)
	if term.Until != nil && !term.Until.After(term.From) {
		f.Add("until", "The term ends before it begins.")
	}
	return term
}

// lastDay is the end of a term whose last day is written; nil for none.
func lastDay(f *problem.Fields, written string, now time.Time, zone *time.Location) *time.Time {
	if strings.TrimSpace(written) == "" {
		return nil
	}
	last := check.Date(f, "until", written, true, zone)
	if last.IsZero() {
		return nil
	}
	end := last.AddDate(0, 0, 1).UTC()
	if !end.After(now) {
		f.Add("until", "Choose a day that lies ahead.")
		return nil
	}
	return &end
}

// Until reads the last day of a term for an edit: the instant at which the term
// ends, nil for none.
func Until(written string, now time.Time, zone *time.Location) (*time.Time, error) {
	var f problem.Fields
	until := lastDay(&f, written, now, zone)
	return until, f.Err()
}

// Usual is when a term of the commission's usual length ends; nil for none. It
// counts whole days, that on which it begins among them, so that its last day is
// whole as that of any other: 12 months from 10 March end with 9 March, however
// late on the 10th it begins. Where a month has no such day it ends with the month.
func Usual(from time.Time, months *int, zone *time.Location) *time.Time {
	if months == nil {
		return nil
	}
	day := calendar.Start(from, zone)
	end := day.AddDate(0, *months, 0)
	if end.Day() < day.Day() { // 31 January and a month is 3 March
		end = end.AddDate(0, 0, 1-end.Day())
	}
	end = end.UTC()
	return &end
}

// LastDay writes the last day of a term that ends at until, for a form.
func LastDay(ctx context.Context, until *time.Time) string {
	if until == nil {
		return ""
	}
	return calendar.Last(ctx, *until).Format(time.DateOnly)
}

// NoticeDays are how many days before its end the holder of a seat is told, and
// on the day itself.
var NoticeDays = []int{30, 7, 0}

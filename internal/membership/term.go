package membership

import (
	"strings"
	"time"

	"commissionportal/internal/check"
	"commissionportal/internal/problem"
)

// Term is from when to when a seat holds; Until nil is without end.
type Term struct {
	From  time.Time
	Until *time.Time
}

// Terms is a term as it is written: days as YYYY-MM-DD. An empty From is now; a
// nil Until is the commission's usual term, an empty one without end.
type Terms struct {
	From  string
	Until *string
}

// Term reads t in the zone of who wrote it. Until names the last day, so the
// term ends as the next one begins. What is wrong is noted at the fields "from"
// and "until".
func (t Terms) Term(f *problem.Fields, now time.Time, zone *time.Location, months *int) Term {
	term := Term{From: now}
	if from := check.Date(f, "from", t.From, false, zone); !from.IsZero() {
		switch today := day(now, zone); {
		case from.Before(today):
			f.Add("from", "Choose today or a later day.")
		case from.After(today):
			term.From = from.UTC()
		}
	}
	if t.Until == nil {
		term.Until = usual(term.From, months)
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

// usual is when a term of the commission's usual length ends; nil for none.
func usual(from time.Time, months *int) *time.Time {
	if months == nil {
		return nil
	}
	end := from.AddDate(0, *months, 0)
	return &end
}

// LastDay writes the last day of a term that ends at until, for a form.
func LastDay(until *time.Time, zone *time.Location) string {
	if until == nil {
		return ""
	}
	return until.Add(-time.Microsecond).In(zone).Format(time.DateOnly)
}

func day(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// AsOf is the instant that a roster is asked for: a day means what held when it
// was over, today and nothing mean now. A day to come is refused.
func AsOf(written string, now time.Time, zone *time.Location) (time.Time, error) {
	var f problem.Fields
	at := check.AsOf(&f, "as_of", written, zone, now)
	switch {
	case !at.After(now):
	case day(at, zone).Equal(day(now, zone)):
		at = now
	default:
		f.Add("as_of", "The roster of a day to come is not known. Choose today or a day that has passed.")
	}
	return at.UTC().Truncate(time.Microsecond), f.Err()
}

// NoticeDays are how many days before its end the holder of a seat is told, and
// on the day itself.
var NoticeDays = []int{30, 7, 0}

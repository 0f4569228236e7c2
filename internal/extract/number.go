package extract

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// number is n as Excel shows it in a wide cell: 15 digits are what it keeps.
func number(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64)
	if err != nil {
		short = n
	}
	return strconv.FormatFloat(short, 'g', -1, 64)
}

// dateStyle is what a number format makes of a number of days.
type dateStyle byte

const (
	noDate dateStyle = iota
	justDate
	justTime
	dateTime
)

// dateStyleOf sees from a number format whether it shows dates: those that are
// built in by their number, others by their letters.
func dateStyleOf(id int, code string) dateStyle {
	switch {
	case code != "":
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 58:
		return justDate
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id >= 45 && id <= 47:
		return justTime
	case id == 22:
		return dateTime
	}
	var day, clock, quoted, bracket, escaped bool
	for _, c := range strings.ToLower(strings.SplitN(code, ";", 2)[0]) {
		switch {
		case escaped:
			escaped = false
		case c == '\\' || c == '_' || c == '*':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case bracket:
		case c == 'y' || c == 'd' || c == 'm' && !clock:
			day = true
		case c == 'h' || c == 's':
			clock = true
		}
	}
	if clock && day && !strings.ContainsAny(strings.ToLower(code), "yd") {
		day = false // the m are minutes
	}
	switch {
	case day && clock:
		return dateTime
	case day:
		return justDate
	case clock:
		return justTime
	}
	return noDate
}

// show is the day number n of a workbook that counts from epoch.
func (d dateStyle) show(n float64, epoch int) string {
	if n < 0 || n > 2_958_466 { // the year 10000
		return number(n)
	}
	from := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if epoch == 1904 {
		from = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	at := from.Add(time.Duration(math.Round(n*86400)) * time.Second)
	switch d {
	case justTime:
		return at.Format("15:04:05")
	case dateTime:
		return at.Format("2006-01-02 15:04:05")
	default:
		return at.Format(time.DateOnly)
	}
}

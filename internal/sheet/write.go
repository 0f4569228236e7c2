package sheet

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/width"

	"commissionportal/internal/problem"
)

// Writer writes a table row by row. A value is a text, a number, a bool, a
// time.Time (with its clock, in its own zone), a Day, a fmt.Stringer, a pointer
// to one of these, or nil, which is an empty cell, as the zero time is. Close
// completes the table and must be called; it leaves what is written to open.
type Writer interface {
	WriteRow(values ...any) error
	Close() error
}

// Day is a time written as a date without a clock.
type Day time.Time

// CSV writes comma-separated UTF-8 with the given columns. Excel takes a file
// for UTF-8 only with a byte order mark in front; programs rather want none.
//
// A text that a spreadsheet program would run as a formula gets an apostrophe in
// front, which Open takes off again.
func CSV(w io.Writer, header []string, mark bool) (Writer, error) {
	b := bufio.NewWriter(w)
	if mark {
		_, _ = b.WriteString("\uFEFF") // an error of b stays, and is told by Flush
	}
	c := &csvWriter{out: csv.NewWriter(b), buffer: b, columns: len(header)}
	c.out.UseCRLF = true
	return c, c.WriteRow(texts(header)...)
}

func texts(header []string) []any {
	values := make([]any, len(header))
	for i, h := range header {
		values[i] = h
	}
	return values
}

type csvWriter struct {
	out     *csv.Writer
	buffer  *bufio.Writer
	columns int
	record  []string
}

func (c *csvWriter) WriteRow(values ...any) error {
	if err := fits(values, c.columns); err != nil {
		return err
	}
	c.record = c.record[:0]
	for _, v := range values {
		v, err := plainValue(v)
		if err != nil {
			return err
		}
		var s string
		switch v := v.(type) {
		case nil:
		case string:
			s = guardFormula(v)
		case Day:
			s = time.Time(v).Format(time.DateOnly)
		case time.Time:
			s = v.Format(time.RFC3339)
		default:
			s = fmt.Sprint(v)
		}
		c.record = append(c.record, s)
	}
	return c.out.Write(c.record)
}

func (c *csvWriter) Close() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return err
	}
	return c.buffer.Flush()
}

func fits(values []any, columns int) error {
	if len(values) != columns {
		return fmt.Errorf("sheet: a row of %d values for %d columns", len(values), columns)
	}
	return nil
}

// plainValue reduces a value to nil, string, bool, int64, uint64, float64, Day
// or time.Time.
func plainValue(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		if v.IsZero() {
			return nil, nil
		}
		return v, nil
	case Day:
		if time.Time(v).IsZero() {
			return nil, nil
		}
		return v, nil
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil, nil
		}
		if _, ok := v.(fmt.Stringer); !ok || reflect.PointerTo(reflect.TypeFor[time.Time]()) == r.Type() {
			return plainValue(r.Elem().Interface())
		}
	}
	if s, ok := v.(fmt.Stringer); ok {
		return legible(s.String()), nil
	}
	switch {
	case r.Kind() == reflect.String:
		return legible(r.String()), nil
	case r.Kind() == reflect.Bool:
		return r.Bool(), nil
	case r.CanInt():
		return r.Int(), nil
	case r.CanUint():
		return r.Uint(), nil
	case r.CanFloat():
		return r.Float(), nil
	}
	return nil, fmt.Errorf("sheet: cannot write a %T", v)
}

// legible takes out what neither XML nor a CSV reader bears.
func legible(s string) string {
	text, _ := cleanText(s)
	return text
}

// formula reports whether a spreadsheet program may run s, which is trimmed and
// so begins with no tab or line end, as a formula. The full-width signs count in East Asian versions; the apostrophe is for those of
// our own, so that unguard finds back what was written.
func formula(s string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " '"))
	return strings.ContainsRune("=+-@＝＋－＠", r)
}

func guardFormula(s string) string {
	if formula(s) {
		return "'" + s
	}
	return s
}

func unguard(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && formula(rest) {
		return rest
	}
	return s
}

const (
	measured = 50 // rows by which the widths of the columns are found
	maxText  = 32_767
)

// XLSX writes a workbook of one sheet with the given columns, bold and always in
// sight. Texts are texts, whatever they begin with; one longer than a cell can
// hold ends in "…". The rows go through a temporary file; the workbook is put
// together by Close.
func XLSX(w io.Writer, header []string) (Writer, error) {
	x := &xlsxWriter{to: w, file: excelize.NewFile(), header: header, widths: make([]int, len(header))}
	for i, h := range header {
		x.widths[i] = cells(h) + 2
	}
	var err error
	styles := []struct {
		id    *int
		style excelize.Style
	}{
		{&x.bold, excelize.Style{Font: &excelize.Font{Bold: true}}},
		{&x.day, excelize.Style{CustomNumFmt: new("yyyy-mm-dd")}},
		{&x.clock, excelize.Style{CustomNumFmt: new("yyyy-mm-dd hh:mm:ss")}},
	}
	for _, s := range styles {
		if *s.id, err = x.file.NewStyle(&s.style); err != nil {
			return nil, err
		}
	}
	x.out, err = x.file.NewStreamWriter("Sheet1")
	return x, err
}

type xlsxWriter struct {
	to               io.Writer
	file             *excelize.File
	out              *excelize.StreamWriter
	header           []string
	widths           []int
	waiting          [][]any // rows that wait for the widths, which come first in the file
	started          bool
	rows             int
	bold, day, clock int
}

func (x *xlsxWriter) WriteRow(values ...any) error {
	if err := fits(values, len(x.header)); err != nil {
		return err
	}
	row := make([]any, len(values))
	for i, v := range values {
		v, err := plainValue(v)
		if err != nil {
			return err
		}
		var length int
		switch v := v.(type) {
		case string:
			v = shorten(v)
			length = cells(v)
			row[i] = v
		case Day:
			row[i], length = excelize.Cell{StyleID: x.day, Value: wall(time.Time(v)).Truncate(24 * time.Hour)}, 10
		case time.Time:
			row[i], length = excelize.Cell{StyleID: x.clock, Value: wall(v)}, 19
		default:
			row[i] = v
			length = 8
		}
		x.widths[i] = max(x.widths[i], length+1)
	}
	if x.started {
		return x.put(row)
	}
	if x.waiting = append(x.waiting, row); len(x.waiting) >= measured {
		return x.start()
	}
	return nil
}

// wall is what the clock shows in t's zone: Excel knows no zones.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := 0 // Excel counts in UTF-16
	for i, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
		if n > maxText {
			// Take off at least as much as the sign that says so needs.
			for range 2 {
				_, size := utf8.DecodeLastRuneInString(s[:i])
				i -= size
			}
			return s[:i] + "…"
		}
	}
	return s
}

// cells is about how wide the longest line of s is shown, in Latin letters.
func cells(s string) int {
	longest, n := 0, 0
	for _, r := range s {
		if r == '\n' {
			n = 0
			continue
		}
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
		if longest = max(longest, n); longest > 60 {
			return 60
		}
	}
	return longest
}

func (x *xlsxWriter) start() error {
	x.started = true
	for i, n := range x.widths {
		if err := x.out.SetColWidth(i+1, i+1, float64(min(max(n, 8), 60))); err != nil {
			return err
		}
	}
	if err := x.out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	names := make([]any, len(x.header))
	for i, h := range x.header {
		names[i] = excelize.Cell{StyleID: x.bold, Value: shorten(legible(h))}
	}
	if err := x.put(names); err != nil {
		return err
	}
	for _, row := range x.waiting {
		if err := x.put(row); err != nil {
			return err
		}
	}
	x.waiting = nil
	return nil
}

func (x *xlsxWriter) put(row []any) error {
	x.rows++
	if x.rows > lastRow {
		return problem.New(problem.TooLarge, "An Excel sheet has room for %d rows. Take CSV.", lastRow-1)
	}
	return x.out.SetRow(fmt.Sprintf("A%d", x.rows), row)
}

func (x *xlsxWriter) Close() (err error) {
	defer func() { // removes the temporary file
		if e := x.file.Close(); err == nil {
			err = e
		}
	}()
	if !x.started {
		if err := x.start(); err != nil {
			return err
		}
	}
	if err := x.out.Flush(); err != nil {
		return err
	}
	_, err = x.file.WriteTo(x.to)
	return err
}

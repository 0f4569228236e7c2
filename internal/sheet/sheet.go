// Package sheet reads and writes tables: CSV in whatever encoding and with
// whatever delimiter people send it, and XLSX. Both directions stream; reading
// is bounded in memory and time by Limits, whatever the file is.
//
// XLSX is written with excelize but read by the code here: excelize takes a file
// whose XML breaks off or is malformed for a shorter table without a word, which
// an import must never do, unpacks all of it before the first row, and gives
// dates as they are displayed ("03-04-26").
package sheet

import (
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"commissionportal/internal/problem"
)

// Limits bound what is read. A zero field means the default.
type Limits struct {
	Bytes    int64 // of the file: 100 MB
	Unpacked int64 // of one part inside an XLSX: 1 GB, streamed and never held
	Rows     int   // without the header and blank rows: 1,000,000
	Columns  int   // 200
	Cell     int   // characters of a cell: 32,767, which is Excel's own limit
}

func (l Limits) orDefault() Limits {
	or := func(n, otherwise int) int {
		if n > 0 {
			return n
		}
		return otherwise
	}
	return Limits{
		Bytes:    int64(or(int(l.Bytes), 100<<20)),
		Unpacked: int64(or(int(l.Unpacked), 1<<30)),
		Rows:     or(l.Rows, 1_000_000),
		Columns:  or(l.Columns, 200),
		Cell:     or(l.Cell, 32_767),
	}
}

// Options correct what Open would guess. The zero value guesses all of it.
type Options struct {
	Sheet      string // name of the XLSX sheet; else the first that is not hidden
	Encoding   string // of a CSV by its web name ("windows-1251", "gbk"); else UTF-8, UTF-16 or Windows-1252
	Delimiter  rune   // of a CSV: one of , ; | and tab
	HeaderLine int    // line of the file with the column names; else the first that is not blank
	Limits     Limits
}

// Row is one row below the header.
type Row struct {
	Line   int      // in the file, from 1: where the row starts, as an editor or Excel counts
	Cells  []string // as many as the header has; trimmed, without control characters
	Faults []Fault  // what is wrong with it, in the order of the columns
}

// Fault says what is wrong with a cell. One that is Refused could not be taken
// and is empty; the others are cleaned, and hold the best that could be read.
type Fault struct {
	Column  int // from 0; -1 for the row as a whole
	Refused bool
	Problem *problem.Error
}

// Refused is the first reason not to take the row as it is, nil if there is none.
func (r Row) Refused() *problem.Error {
	for _, f := range r.Faults {
		if f.Refused {
			return f.Problem
		}
	}
	return nil
}

// Reader gives the rows of a table one by one.
type Reader struct {
	from   source
	file   *file
	limits Limits
	header []string
	rows   int
	err    error // that ended it

	format, encoding string
	sheets           []string
}

// source gives rows as they stand in the file; io.EOF after the last. Of a row
// with more than Limits.Columns cells it gives one more than that.
type source interface {
	next() (Row, error)
}

// Open reads the header of a table of size bytes. The kind of file is seen from
// its contents. What is no table, is damaged, or goes over a limit is a
// problem.Invalid or problem.TooLarge with a sentence for who sent it; any other
// error comes from r.
func Open(r io.ReaderAt, size int64, o Options) (*Reader, error) {
	t := &Reader{limits: o.Limits.orDefault(), file: &file{from: r, size: size}}
	if size > t.limits.Bytes {
		return nil, problem.New(problem.TooLarge, "This file has %d MB. The limit is %d MB: split it.", (size+1<<20-1)>>20, t.limits.Bytes>>20)
	}
	if err := t.open(size, o); err != nil {
		return nil, t.file.fault(err)
	}
	return t, nil
}

func (t *Reader) open(size int64, o Options) (err error) {
	head := make([]byte, min(size, 4096))
	if _, err := t.file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch kind := sniff(head); kind {
	case "xlsx":
		t.format = "xlsx"
		t.from, t.sheets, err = openXLSX(t.file, size, o.Sheet, t.limits)
	case "csv":
		t.format = "csv"
		t.from, t.encoding, err = openCSV(t.file, size, o, t.limits)
	default:
		err = problem.New(problem.Invalid, kind)
	}
	if err != nil {
		return err
	}
	return t.readHeader(o.HeaderLine)
}

// file remembers that reading failed, so that a failing disk is never told to
// the sender as a damaged table.
type file struct {
	from io.ReaderAt
	size int64
	err  error
}

func (f *file) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= f.size { // a forged archive points anywhere
		return 0, io.EOF
	}
	n, err := f.from.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

func (f *file) fault(err error) error {
	if f.err != nil {
		return f.err
	}
	return err
}

// sniff tells the kind of file from its beginning: "xlsx", "csv", or a sentence
// that says why it is neither.
func sniff(head []byte) string {
	begins := func(s string) bool { return strings.HasPrefix(string(head), s) }
	switch {
	case len(strings.TrimSpace(string(head))) == 0:
		return "This file is empty."
	case begins("PK\x03\x04"):
		return "xlsx" // or another archive: openXLSX looks inside
	case begins("\xD0\xCF\x11\xE0"):
		return "This is an old Excel file (.xls) or one with a password. Save it as .xlsx without a password, or as CSV."
	case begins("%PDF"), begins("MZ"), begins("\x7FELF"), begins("\x1F\x8B"), begins("{\\rtf"), begins("Rar!"), begins("7z\xBC\xAF"),
		begins("\x89PNG"), begins("\xFF\xD8\xFF"), begins("GIF8"), begins("<!DOCTYPE"), begins("<!doctype"), begins("<html"), begins("<?xml"), begins("<svg"):
		return notTable
	}
	return "csv"
}

const notTable = "This is not a table. Send a CSV or XLSX file."

// Header is the names of the columns, without empty ones at the end.
func (t *Reader) Header() []string { return t.header }

// Format is "csv" or "xlsx".
func (t *Reader) Format() string { return t.format }

// Encoding is the character encoding a CSV was taken for, "" for XLSX.
func (t *Reader) Encoding() string { return t.encoding }

// Sheets are the names of the sheets of an XLSX, in order.
func (t *Reader) Sheets() []string { return t.sheets }

func (t *Reader) readHeader(line int) error {
	for {
		row, err := t.from.next()
		if errors.Is(err, io.EOF) {
			return problem.New(problem.Invalid, "This table has no column names.")
		}
		if err != nil {
			return err
		}
		if row.Line < line {
			continue
		}
		t.clean(&row)
		for n := len(row.Cells); n > 0 && row.Cells[n-1] == ""; n-- {
			row.Cells = row.Cells[:n-1]
		}
		if len(row.Cells) == 0 && len(row.Faults) == 0 {
			continue
		}
		if len(row.Cells) > t.limits.Columns {
			return problem.New(problem.TooLarge, "This table has more than %d columns.", t.limits.Columns)
		}
		if p := row.Refused(); p != nil {
			return problem.New(problem.Invalid, "The column names in line %d cannot be read: %s", row.Line, p.Detail())
		}
		t.header = row.Cells
		return nil
	}
}

// Next returns the next row that is not blank, io.EOF after the last. Rows with
// faults are rows; an error ends the table.
func (t *Reader) Next() (Row, error) {
	for t.err == nil {
		var row Row
		if row, t.err = t.from.next(); t.err != nil {
			t.err = t.file.fault(t.err)
			break
		}
		t.clean(&row)
		if blank(row) {
			continue
		}
		if t.rows++; t.rows > t.limits.Rows {
			t.err = problem.New(problem.TooLarge, "This table has more than %d rows: split it.", t.limits.Rows)
			break
		}
		for i := len(t.header); i < len(row.Cells); i++ {
			if row.Cells[i] != "" {
				row.Faults = append(row.Faults, refuse(-1, "This row has more cells than there are column names."))
				break
			}
		}
		for len(row.Cells) < len(t.header) {
			row.Cells = append(row.Cells, "")
		}
		row.Cells = row.Cells[:len(t.header):len(t.header)]
		return row, nil
	}
	return Row{}, t.err
}

func blank(r Row) bool {
	for _, c := range r.Cells {
		if c != "" {
			return false
		}
	}
	return len(r.Faults) == 0
}

func refuse(column int, format string, args ...any) Fault {
	return Fault{column, true, problem.New(problem.Invalid, format, args...)}
}

// clean trims the cells of a row and takes out what no name or text may hold.
func (t *Reader) clean(row *Row) {
	for i, c := range row.Cells {
		if plain(c, t.limits.Cell) {
			continue
		}
		text, dropped := cleanText(c)
		row.Cells[i] = text
		switch {
		case utf8.RuneCountInString(text) > t.limits.Cell:
			row.Cells[i] = ""
			row.Faults = append(row.Faults, refuse(i, "This cell has more than %d characters.", t.limits.Cell))
		case strings.ContainsRune(text, utf8.RuneError):
			row.Faults = append(row.Faults, Fault{i, false, problem.New(problem.Invalid, "This cell has characters that could not be read.")})
		case dropped:
			row.Faults = append(row.Faults, Fault{i, false, problem.New(problem.Invalid, "Control characters were taken out of this cell.")})
		}
	}
}

// plain reports whether a cell needs no look: most do not.
func plain(s string, limit int) bool {
	if len(s) > limit || s != "" && (s[0] == ' ' || s[len(s)-1] == ' ') {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

func cleanText(s string) (text string, dropped bool) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r == '\uFEFF': // a byte order mark that was pasted along shows nowhere
			return -1
		case unicode.IsControl(r):
			dropped = true
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s), dropped
}

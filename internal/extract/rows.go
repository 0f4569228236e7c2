package extract

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of the table that is shown.
const (
	tableRows    = 100
	tableColumns = 30
	tableCell    = 300 // characters
	maxColumns   = 16_384
)

// cell is one of a table. A number is told apart from what looks like one.
type cell struct {
	text   string
	number bool
}

// eachRow takes the rows of the sheets of a table in turn. An empty row may be
// left out.
type eachRow func(sheet string, cells []cell) error

// readRows gathers the text of a table, and its beginning, in one pass. Of each
// sheet the words come first and the numbers after them, so that a phrase is
// found that goes from cell to cell.
func readRows(read func(*source, eachRow) error, in *source, wish Wish, a *answer) error {
	var first Table
	var numbers strings.Builder
	sheets, now, full := 0, "", false
	endSheet := func() error {
		a.text.line()
		err := a.text.write(numbers.String())
		numbers.Reset()
		a.text.paragraph()
		return err
	}
	err := read(in, func(sheet string, cells []cell) error {
		if sheets == 0 || sheet != now {
			if err := endSheet(); err != nil {
				return err
			}
			sheets, now = sheets+1, sheet
			if wish.Text {
				if err := a.text.write(sheet + "\n"); err != nil {
					return err
				}
			}
		}
		if sheets == 1 && !full {
			first.Sheet = sheet
			full = !first.add(cells)
		}
		switch {
		case wish.Text:
			return writeRow(a.text, &numbers, cells)
		case full || sheets > 1:
			return errFull
		}
		return nil
	})
	if err == nil {
		err = endSheet()
	}
	if wish.Table && (err == nil || errors.Is(err, errFull)) {
		if err := a.table(first); err != nil {
			return err
		}
	}
	return err
}

// add reports whether there was room for the row.
func (t *Table) add(cells []cell) bool {
	if len(t.Rows) == tableRows {
		t.More = true
		return false
	}
	if len(cells) > tableColumns {
		cells, t.More = cells[:tableColumns], true
	}
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = cleanCell(c.text)
	}
	t.Rows = append(t.Rows, row)
	return true
}

func cleanCell(s string) string {
	if len(s) > tableCell*utf8.UTFMax {
		s = s[:tableCell*utf8.UTFMax]
	}
	var b strings.Builder
	t := &text{out: io.Discard, limit: 1 << 20}
	if err := t.write(s); err == nil {
		b.Write(t.b)
	}
	out := []rune(b.String())
	if len(out) > tableCell {
		out = append(out[:tableCell-1], '…')
	}
	return string(out)
}

func writeRow(t *text, numbers *strings.Builder, cells []cell) error {
	for _, c := range cells {
		if !c.number {
			if err := t.write(c.text); err != nil {
				return err
			}
			t.space()
		} else if numbers.Len() < MaxText {
			numbers.WriteString(c.text)
			numbers.WriteByte(' ')
		}
	}
	t.line()
	if n := numbers.Len(); n > 0 && n < MaxText {
		numbers.WriteByte('\n')
	}
	return nil
}

// csvRows reads a CSV, whatever parts its cells.
func csvRows(in *source, row eachRow) error {
	r, err := decoded(in)
	if err != nil {
		return err
	}
	b := bufio.NewReaderSize(r, sample)
	head, err := b.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.HasPrefix(string(head), "\uFEFF") {
		if _, err := b.Discard(len("\uFEFF")); err != nil {
			return err
		}
	}
	bounded := &counting{from: b} // a quote that is not closed takes no more than its limit
	c := csv.NewReader(bounded)
	c.Comma, c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = delimiter(string(head)), -1, true, true
	for {
		bounded.reset()
		fields, err := c.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, csv.ErrFieldCount), errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		case err != nil:
			return err
		}
		cells := make([]cell, len(fields))
		for i, f := range fields {
			cells[i].text = f
		}
		if err := row("", cells); err != nil {
			return err
		}
	}
}

// delimiter is what parts the most cells of the first lines, alike in each.
func delimiter(head string) rune {
	lines := strings.SplitN(head, "\n", 12)
	if len(lines) > 1 {
		lines = lines[:len(lines)-1]
	}
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t', '|'} {
		n := 0
		for _, l := range lines {
			n += min(strings.Count(l, string(d)), 50)
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

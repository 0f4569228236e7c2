package sheet_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
)

func open(s string, o sheet.Options) (*sheet.Reader, error) {
	return sheet.Open(strings.NewReader(s), int64(len(s)), o)
}

// dump shows a table: the header, then each row with its line, its cells and
// its faults; at last the error that ended it, if it was not the end.
func dump(r *sheet.Reader, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s", strings.Join(r.Header(), "|"))
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			return b.String() + "\nerror: " + err.Error()
		}
		fmt.Fprintf(&b, "\n%d: %s", row.Line, strings.ReplaceAll(strings.Join(row.Cells, "|"), "\n", `\n`))
		for _, f := range row.Faults {
			fmt.Fprintf(&b, " <%d %t %s>", f.Column, f.Refused, f.Problem.Detail())
		}
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	encode := func(s string, e interface{ Bytes([]byte) ([]byte, error) }) string {
		b, err := e.Bytes([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	utf16 := func(s string, e unicode.Endianness, b unicode.BOMPolicy) string {
		return encode(s, unicode.UTF16(e, b).NewEncoder())
	}
	const accents = "name,country\nÉnergie,France\nŁódź 中国,x\n"
	const accented = "name|country\n2: Énergie|France\n3: Łódź 中国|x"
	for _, tt := range []struct {
		name, in string
		o        sheet.Options
		want     string
	}{
		{"plain", "a,b\n1,2\n", sheet.Options{}, "a|b\n2: 1|2"},
		{"no line end at the end", "a,b\n1,2", sheet.Options{}, "a|b\n2: 1|2"},
		{"CRLF", "a,b\r\n1,2\r\n3,4\r\n", sheet.Options{}, "a|b\n2: 1|2\n3: 3|4"},
		{"CR, as old Macs write", "a,b\r1,2\r3,4\r", sheet.Options{}, "a|b\n2: 1|2\n3: 3|4"},
		{"semicolons, with commas inside", "a;b\n1,5;2\n3;4,25\n", sheet.Options{}, "a|b\n2: 1,5|2\n3: 3|4,25"},
		{"tabs, with bare quotes", "a\tb\n5\" disk\tx\n", sheet.Options{}, "a|b\n2: 5\" disk|x"},
		{"bars", "a|b\n1|2\n", sheet.Options{}, "a|b\n2: 1|2"},
		{"sep= line", "sep=;\r\na;b\r\n1;2\r\n", sheet.Options{}, "a|b\n3: 1|2"},
		{"delimiter given", "a;b,c\n1;2,3\n", sheet.Options{Delimiter: ';'}, "a|b,c\n2: 1|2,3"},
		{"delimiter unknown", "a,b\n", sheet.Options{Delimiter: 'x'}, "error: invalid: Cells cannot be delimited by 'x'."},
		{"one column", "mail\nx@example.org\ny@example.org\n", sheet.Options{}, "mail\n2: x@example.org\n3: y@example.org"},
		{"quoted line ends count", "a,b\n\"x\ny\r\nz\",1\n2,3\n", sheet.Options{}, "a|b\n2: x\\ny\\nz|1\n5: 2|3"},
		{"doubled quotes", "a,b\n\"say \"\"hi\"\"\",\"\"\n", sheet.Options{}, "a|b\n2: say \"hi\"|"},
		{"blank rows are passed over and counted", "\n,,\na,b\n\n , \n1,2\n", sheet.Options{}, "a|b\n6: 1|2"},
		{"short and long rows", "a,b\n1\n1,2,,\n1,2,3\n", sheet.Options{}, "a|b\n2: 1|\n3: 1|2\n4: 1|2 <-1 true This row has more cells than there are column names.>"},
		{"header further down", "Title,,\nof it,,\na,b,c\n1,2,3\n", sheet.Options{HeaderLine: 3}, "a|b|c\n4: 1|2|3"},
		{"cells are trimmed", "a,b\n  x\u00a0,\ty \n", sheet.Options{Delimiter: ','}, "a|b\n2: x|y"},
		{"a stray quote costs its line", "a,b\n\"x\"y,1\n2,3\n", sheet.Options{}, "a|b\n2: x| <0 true A quotation mark inside a quoted cell is not doubled.>\n3: 2|3"},
		{"a quote never closed", "a,b\n1,2\n\"x,3\n4,5\n", sheet.Options{}, "a|b\n2: 1|2\n3: x,3\\n4,5| <0 true A quotation mark is opened and never closed.>"},
		{"control characters", "a,b\nx\x00y\x07,\x1bz\u0085\n", sheet.Options{}, "a|b\n2: xy|z <0 false Control characters were taken out of this cell.> <1 false Control characters were taken out of this cell.>"},
		{"long cell", "a,b\n" + strings.Repeat("é", 11) + ",x\n" + strings.Repeat("é", 10) + ",y\n", sheet.Options{Limits: sheet.Limits{Cell: 10}}, "a|b\n2: |x <0 true This cell has more than 10 characters.>\n3: éééééééééé|y"},
		{"too many rows", "a\n1\n2\n3\n", sheet.Options{Limits: sheet.Limits{Rows: 2}}, "a\n2: 1\n3: 2\nerror: too-large: This table has more than 2 rows: split it."},
		{"too many columns", "a,b,c\n", sheet.Options{Limits: sheet.Limits{Columns: 2}}, "error: too-large: This table has more than 2 columns."},
		{"too many bytes", "a,b,c\n", sheet.Options{Limits: sheet.Limits{Bytes: 2}}, "error: too-large: This file has 1 MB. The limit is 0 MB: split it."},
		{"formulas are texts", "a\n=1+1\n'=1+1\n'quoted'\n", sheet.Options{}, "a\n2: =1+1\n3: =1+1\n4: 'quoted'"},

		{"UTF-8", accents, sheet.Options{}, accented},
		{"UTF-8 with a mark", "\uFEFF" + accents, sheet.Options{}, accented},
		{"UTF-16LE with a mark", utf16(accents, unicode.LittleEndian, unicode.UseBOM), sheet.Options{}, accented},
		{"UTF-16BE with a mark", utf16(accents, unicode.BigEndian, unicode.UseBOM), sheet.Options{}, accented},
		{"UTF-16LE", utf16(accents, unicode.LittleEndian, unicode.IgnoreBOM), sheet.Options{}, accented},
		{"UTF-16BE", utf16(accents, unicode.BigEndian, unicode.IgnoreBOM), sheet.Options{}, accented},
		{"Windows-1252", encode("a,b\nÉnergie – “x”,€\n", charmap.Windows1252.NewEncoder()), sheet.Options{}, "a|b\n2: Énergie – “x”|€"},
		{"Windows-1251, told", encode("a,b\nМосква,x\n", charmap.Windows1251.NewEncoder()), sheet.Options{Encoding: "windows-1251"}, "a|b\n2: Москва|x"},
		{"encoding unknown", "a\n", sheet.Options{Encoding: "klingon"}, "error: invalid: There is no encoding \"klingon\"."},
		{"UTF-8 with a broken byte", "a,b\né,ü\nö\xff,x\n", sheet.Options{}, "a|b\n2: é|ü\n3: ö\uFFFD|x <0 false This cell has characters that could not be read.>"},

		{"empty", "", sheet.Options{}, "error: invalid: This file is empty."},
		{"blank", " \r\n\t", sheet.Options{}, "error: invalid: This file is empty."},
		{"only delimiters", ",,,\n", sheet.Options{}, "error: invalid: This table has no column names."},
		{"PDF", "%PDF-1.7\n", sheet.Options{}, "error: invalid: This is not a table. Send a CSV or XLSX file."},
		{"binary", "ab\x01\x02\x03\x04\x05\x06\x00\x01\x02\x03\x04\x05", sheet.Options{}, "error: invalid: This is not a table. Send a CSV or XLSX file."},
		{"old Excel", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", sheet.Options{}, "error: invalid: This is an old Excel file (.xls) or one with a password. Save it as .xlsx without a password, or as CSV."},
		{"archive cut off", "PK\x03\x04abc", sheet.Options{}, "error: invalid: This workbook is damaged. Open it in a spreadsheet program and save it again."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dump(open(tt.in, tt.o)); got != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

// The one accent may stand behind everything that is looked at quickly.
func TestEncodingIsDecidedByTheWholeFile(t *testing.T) {
	t.Parallel()
	for tail, want := range map[string]string{"\xe9": "windows-1252", "é": "utf-8", "中": "utf-8"} {
		for pad := range 4 { // the chunks end inside the character for some of them
			in := "name\n" + strings.Repeat("x", pad) + strings.Repeat("0123456789abcde\n", 12_287/3+pad) + tail
			r, err := open(in, sheet.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Encoding() != want {
				t.Errorf("%q at the end: taken for %s", tail, r.Encoding())
			}
		}
	}
}

// What encoding/csv writes comes back as it was.
func TestCSVAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	cell := rapid.StringOf(rapid.SampledFrom([]rune{'a', 'é', '"', ',', ';', '\n', '中', '1', '\'', '=', '.'}))
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 5).Draw(t, "width")
		records := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 0, 10).Draw(t, "records")
		comma := rapid.SampledFrom([]rune{',', ';', '\t'}).Draw(t, "comma")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = comma, rapid.Bool().Draw(t, "CRLF")
		header := []string{"h1", "h2", "h3", "h4", "h5"}[:width]
		want := [][]string{}
		if err := w.WriteAll(append([][]string{header}, records...)); err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			blank := true
			clean := make([]string, len(r))
			for i, c := range r {
				clean[i] = strings.TrimSpace(c)
				if rest, ok := strings.CutPrefix(c, "'"); ok && strings.HasPrefix(strings.TrimLeft(rest, "'"), "=") {
					clean[i] = strings.TrimSpace(rest) // an apostrophe that guards a formula
				}
				blank = blank && clean[i] == ""
			}
			if !blank {
				want = append(want, clean)
			}
		}
		r, err := sheet.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), sheet.Options{Delimiter: comma})
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, w := range want {
			row, err := r.Next()
			if err != nil || len(row.Faults) > 0 || strings.Join(row.Cells, "|") != strings.Join(w, "|") {
				t.Fatalf("%q, %v, %v; want %q", row.Cells, row.Faults, err, w)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("then %v", err)
		}
	})
}

// brokenAfter fails as a disk does.
type brokenAfter struct {
	io.ReaderAt
	n int64
}

func (b brokenAfter) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > b.n {
		return 0, iotest.ErrTimeout
	}
	return b.ReaderAt.ReadAt(p, at)
}

func TestFailingFileIsNotTheSendersFault(t *testing.T) {
	t.Parallel()
	csvText := "a,b\n" + strings.Repeat("1,2\n", 100_000)
	xlsxText := workbookOf(t, strings.Repeat(`<row><c t="inlineStr"><is><t>x</t></is></c></row>`, 100_000))
	for name, in := range map[string]string{"csv": csvText, "xlsx": xlsxText} {
		for _, n := range []int64{1, 10_000} {
			_, err := sheet.Open(brokenAfter{strings.NewReader(in), n}, int64(len(in)), sheet.Options{})
			if !errors.Is(err, iotest.ErrTimeout) || problem.As(err) != nil {
				t.Errorf("%s failing after %d bytes: %v", name, n, err)
			}
		}
	}
}

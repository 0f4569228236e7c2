package sheet_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"commissionportal/internal/sheet"
)

type state string

type code int

func (c code) String() string { return fmt.Sprintf("N%04d", int(c)) }

var (
	tokyo  = time.FixedZone("JST", 9*3600)
	moment = time.Date(2026, 3, 10, 14, 5, 6, 789, tokyo)
	phone  = "+49 30 1234"
)

func values() []any {
	return []any{"=1+1", "\t=1+1", "@SUM(A1)", phone, &phone, -3, uint8(7), 2.5, true, nil, (*string)(nil), time.Time{}, moment, sheet.Day(moment), state("active"), code(12), "a\x00b", "é, \"中\"", "＝1", "'=1", "'tis"}
}

func names() []string {
	h := make([]string, len(values()))
	for i := range h {
		h[i] = fmt.Sprintf("column %d", i)
	}
	return h
}

func TestCSVWriter(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := sheet.CSV(&b, names(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteRow(values()...), w.Close()); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(b.String(), "\uFEFF")
	if !marked {
		t.Error("no byte order mark")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"'=1+1", "'=1+1", "'@SUM(A1)", "'+49 30 1234", "'+49 30 1234", "-3", "7", "2.5", "true", "", "", "", "2026-03-10T14:05:06+09:00", "2026-03-10", "active", "N0012", "ab", "é, \"中\"", "'＝1", "''=1", "'tis"}
	if strings.Join(rows[1], "|") != strings.Join(want, "|") {
		t.Errorf("got\n%q\nwant\n%q", rows[1], want)
	}
}

func TestXLSXWriter(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := sheet.XLSX(&b, names())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteRow(values()...), w.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range values() {
		ref, _ := excelize.CoordinatesToCellName(i+1, 2)
		formula, err := f.GetCellFormula("Sheet1", ref)
		if err != nil || formula != "" {
			t.Errorf("%s is the formula %q, %v", ref, formula, err)
		}
		kind, err := f.GetCellType("Sheet1", ref)
		if _, isText := values()[i].(string); err != nil || isText && kind != excelize.CellTypeInlineString {
			t.Errorf("%s has type %v, %v", ref, kind, err)
		}
	}
	row, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"=1+1", "=1+1", "@SUM(A1)", phone, phone, "-3", "7", "2.5", "TRUE", "", "", "", "2026-03-10 14:05:06", "2026-03-10", "active", "N0012", "ab", "é, \"中\"", "＝1", "'=1", "'tis"}
	if strings.Join(row[1], "|") != strings.Join(want, "|") {
		t.Errorf("got\n%q\nwant\n%q", row[1], want)
	}
	id, err := f.GetCellStyle("Sheet1", "B1")
	if err != nil {
		t.Fatal(err)
	}
	if st, err := f.GetStyle(id); err != nil || st.Font == nil || !st.Font.Bold {
		t.Errorf("the header is not bold: %+v, %v", st, err)
	}
	if p, err := f.GetPanes("Sheet1"); err != nil || !p.Freeze || p.YSplit != 1 {
		t.Errorf("the header is not frozen: %+v, %v", p, err)
	}
	if n, err := f.GetColWidth("Sheet1", "M"); err != nil || n < 20 || n > 25 {
		t.Errorf("the column of times is %v wide, %v", n, err)
	}
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(io.Writer, []string) (sheet.Writer, error){
		"csv":  func(w io.Writer, h []string) (sheet.Writer, error) { return sheet.CSV(w, h, false) },
		"xlsx": sheet.XLSX,
	} {
		w, err := make(io.Discard, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteRow(1); err == nil {
			t.Errorf("%s takes a row that is too short", name)
		}
		if err := w.WriteRow(1, struct{}{}); err == nil {
			t.Errorf("%s takes a struct", name)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		w, err = make(failing{}, []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.WriteRow("x"), w.Close()); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s on a full disk: %v", name, err)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestXLSXShortens(t *testing.T) {
	t.Parallel()
	for text, ends := range map[string]string{
		strings.Repeat("x", 32_767):       "x",
		strings.Repeat("x", 32_768):       "x…",
		strings.Repeat("😀", 20_000):       "😀…",
		"x" + strings.Repeat("😀", 16_383): "😀",
	} {
		var b bytes.Buffer
		w, err := sheet.XLSX(&b, []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.WriteRow(text), w.Close()); err != nil {
			t.Fatal(err)
		}
		r, err := sheet.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		row, err := r.Next()
		if err != nil || row.Refused() != nil || !strings.HasSuffix(row.Cells[0], ends) || !strings.HasPrefix(text, strings.TrimSuffix(row.Cells[0], "…")) || len(row.Cells[0]) < 32_000 {
			t.Errorf("%d bytes became %d, ending in %q: %v", len(text), len(row.Cells[0]), row.Cells[0][max(0, len(row.Cells[0])-8):], err)
		}
	}
}

// What is exported and imported again has not changed.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	cell := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune{'=', '\'', '+', '-', '@', ' ', '\t', '\r', '\n', '"', ',', ';', 'a', '_', 'x', '0', '＝', '中'})))
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 2, 2), 1, 5).Draw(t, "rows")
		for name, make := range map[string]func(io.Writer) (sheet.Writer, error){
			"csv":  func(w io.Writer) (sheet.Writer, error) { return sheet.CSV(w, []string{"a", "b", "n"}, true) },
			"xlsx": func(w io.Writer) (sheet.Writer, error) { return sheet.XLSX(w, []string{"a", "b", "n"}) },
		} {
			var b bytes.Buffer
			w, err := make(&b)
			if err != nil {
				t.Fatalf("%v", err)
			}
			for i, r := range rows {
				if err := w.WriteRow(r[0], r[1], i); err != nil {
					t.Fatalf("%v", err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatalf("%v", err)
			}
			in, err := sheet.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), sheet.Options{})
			if err != nil {
				t.Fatalf("%v", err)
			}
			for i, r := range rows {
				row, err := in.Next()
				if err != nil {
					t.Fatalf("%v", err)
				}
				for j, c := range append(r, fmt.Sprint(i)) {
					if want := legible(c); row.Cells[j] != want {
						t.Fatalf("%s: %q became %q", name, want, row.Cells[j])
					}
				}
			}
		}
	})
}

// legible is what of a text is kept: its line ends made one, no controls, trimmed.
func legible(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7F && r < 0xA0 || r == '\uFEFF' {
			return -1
		}
		return r
	}, s))
}

// TestManyRows streams rows out and in: what lives does not grow with them.
func TestManyRows(t *testing.T) {
	const n = 20_000
	header := []string{"name", "country", "website", "joined"}
	for name, make := range map[string]func(io.Writer) (sheet.Writer, error){
		"csv":  func(w io.Writer) (sheet.Writer, error) { return sheet.CSV(w, header, false) },
		"xlsx": func(w io.Writer) (sheet.Writer, error) { return sheet.XLSX(w, header) },
	} {
		start := time.Now()
		var b bytes.Buffer
		w, err := make(&b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if err := w.WriteRow(fmt.Sprintf("Organization %d", i), "DE", fmt.Sprintf("https://org%d.example", i), sheet.Day(moment)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		written := time.Since(start)

		r, err := sheet.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var base, m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&base)
		var live uint64
		start = time.Now()
		rows := 0
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || row.Line != rows+2 || row.Cells[3] != "2026-03-10" {
				t.Fatalf("row %d: %+v, %v", rows, row, err)
			}
			if rows++; rows%5_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				live = max(live, m.HeapAlloc-min(m.HeapAlloc, base.HeapAlloc))
			}
		}
		if rows != n || live > 2<<20 {
			t.Errorf("%s: %d rows, %d kB live", name, rows, live>>10)
		}
		t.Logf("%s: written in %v, %d kB; read in %v with %d kB live", name, written, b.Len()>>10, time.Since(start), live>>10)
	}
}

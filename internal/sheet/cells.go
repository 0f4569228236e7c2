package sheet

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"

	"commissionportal/internal/problem"
)

// read turns a cell into text, as an import wants it: numbers plainly, dates as
// 2026-03-10, truth as TRUE and FALSE.
func (w *workbook) read(c *cell) (string, *problem.Error, error) {
	raw := c.value.String()
	switch c.kind {
	case "s":
		if !c.seen {
			return "", nil, nil
		}
		if w.texts == nil {
			if err := w.readShared(); err != nil {
				return "", nil, err
			}
		}
		i, err := strconv.Atoi(strings.TrimSpace(raw))
		value, ok := w.texts.at(i)
		if err != nil || !ok {
			return "", problem.New(problem.Invalid, "This cell refers to a text that is not in the workbook."), nil
		}
		return value, nil, nil
	case "inlineStr", "str":
		return unescape(raw), nil, nil
	case "b":
		return map[bool]string{true: "TRUE", false: "FALSE"}[strings.TrimSpace(raw) == "1"], nil, nil
	case "e":
		return "", problem.New(problem.Invalid, "This cell holds the error %s.", raw), nil
	case "d": // an ISO 8601 date
		return raw, nil, nil
	}
	if !c.seen {
		if c.formula {
			return "", problem.New(problem.Invalid, "This cell holds a formula whose value was not saved."), nil
		}
		return "", nil, nil
	}
	var st style
	if c.style != "" {
		if w.styles == nil {
			if err := w.readStyles(); err != nil {
				return "", nil, err
			}
		}
		if i, err := strconv.Atoi(c.style); err == nil && i >= 0 && i < len(w.styles) {
			st = w.styles[i]
		}
	}
	return number(strings.TrimSpace(raw), st, w.epoch), nil, nil
}

// style is what of a cell's number format matters here.
type style struct {
	date   bool
	digits int // written with leading zeros to this many, as a postal code
}

func (w *workbook) readStyles() error {
	w.styles = []style{{}}
	f := w.parts[w.styled]
	if f == nil {
		return nil
	}
	in, err := openPart(f, maxSmall)
	if err != nil {
		return err
	}
	formats := map[string]style{}
	var styles []style
	inCells := false // <xf> stands also in <cellStyleXfs>, which cells do not refer to
	err = in.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			formats[attribute(e, "numFmtId")] = styleOf(attribute(e, "formatCode"))
		case "cellXfs":
			inCells = true
		case "cellStyles", "dxfs":
			inCells = false
		case "xf":
			if inCells && len(styles) < 1<<16 {
				id := attribute(e, "numFmtId")
				st, custom := formats[id]
				if n, err := strconv.Atoi(id); err == nil && !custom {
					// The built-in dates: 14 to 22, and those of East Asia.
					st.date = n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58
				}
				styles = append(styles, st)
			}
		}
		return nil
	})
	if len(styles) > 0 {
		w.styles = styles
	}
	return err
}

// styleOf reads a number format: `dd/mm/yyyy` is a date, `00000` a code, and
// `#,##0.00 "days"` neither.
func styleOf(format string) style {
	if format != "" && strings.Trim(format, "0") == "" {
		return style{digits: len(format)}
	}
	quoted, bracket := false, false
	for i := 0; i < len(format); i++ {
		switch b := format[i]; {
		case b == '\\' || b == '_' || b == '*':
			i++ // the next character is shown as it is
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '[':
			// [h]:mm is a length of time, not a time; [Red] and [$-409] are neither
			if rest := strings.ToLower(format[i+1:]); rest != "" && strings.ContainsRune("hms", rune(rest[0])) && strings.Trim(rest[:max(strings.IndexByte(rest, ']'), 0)], "hms") == "" {
				return style{}
			}
			bracket = true
		case b == ']':
			bracket = false
		case bracket:
		case b == ';':
			return style{} // the formats of negative numbers and of text
		case strings.IndexByte("yYmMdDhHsS", b) >= 0:
			return style{date: true}
		}
	}
	return style{}
}

// epoch is the day that Excel counts as number 0.
type epoch bool

const epoch1904 epoch = true // workbooks made on old Macs

// number writes a number as a person would.
func number(raw string, st style, from epoch) string {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return raw
	}
	if st.date && n >= 0 && n < 2_958_466 { // to the year 9999
		return moment(n, from)
	}
	out := raw
	if len(raw) > 15 || strings.ContainsAny(raw, "eE+") {
		// Excel counts to 15 digits: 0.1+0.2 is 0.3 there.
		n, _ = strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64) // of a float: cannot fail
		if out = strconv.FormatFloat(n, 'f', -1, 64); len(out) > 30 {
			out = strconv.FormatFloat(n, 'g', -1, 64)
		}
	}
	if n >= 0 && n == math.Trunc(n) && len(out) < st.digits && st.digits < 100 {
		out = strings.Repeat("0", st.digits-len(out)) + out
	}
	return out
}

func moment(n float64, from epoch) string {
	day := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from == epoch1904:
		day = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case n >= 1 && n < 61:
		day = day.AddDate(0, 0, 1) // Excel believes that 1900 had a February 29
	}
	whole, part := math.Modf(n)
	t := day.AddDate(0, 0, int(whole)).Add(time.Duration(math.Round(part*86400)) * time.Second)
	switch {
	case n < 1 && from != epoch1904:
		return t.Format("15:04:05")
	case part == 0:
		return t.Format("2006-01-02")
	}
	return t.Format("2006-01-02T15:04:05")
}

package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"commissionportal/internal/problem"
)

const (
	maxParts  = 10_000    // files in a workbook
	maxSmall  = 16 << 20  // bytes of a part that is held: the list of sheets, the styles
	maxShared = 256 << 20 // bytes of the table of shared texts, of which the texts alone are held
	maxSheets = 1_000
	lastRow   = 1_048_576
)

// workbook is an XLSX of which one sheet is read.
type workbook struct {
	parts  map[string]*zip.File
	limits Limits
	shared string // part names, "" if absent
	styled string

	texts  *sharedTexts // read when the first cell needs them
	styles []style
	epoch  epoch
}

func openXLSX(r io.ReaderAt, size int64, name string, limits Limits) (source, []string, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, nil, damaged()
	}
	if len(archive.File) > maxParts {
		return nil, nil, problem.New(problem.TooLarge, "This archive has more than %d files. It is not read.", maxParts)
	}
	w := &workbook{parts: map[string]*zip.File{}, limits: limits}
	for _, f := range archive.File {
		key := partName("", f.Name)
		if _, twice := w.parts[key]; !twice {
			w.parts[key] = f
		}
	}
	root, err := w.relations("")
	if err != nil {
		return nil, nil, err
	}
	main := ""
	for _, r := range root {
		if strings.HasSuffix(r.kind, "/officeDocument") {
			main = r.target
		}
	}
	switch {
	case w.parts["content.xml"] != nil:
		return nil, nil, problem.New(problem.Invalid, "This is an OpenDocument file. Save it as .xlsx or CSV.")
	case strings.HasSuffix(main, ".bin"):
		return nil, nil, problem.New(problem.Invalid, "This is a binary Excel workbook (.xlsb). Save it as .xlsx or CSV.")
	case w.parts[main] == nil:
		return nil, nil, problem.New(problem.Invalid, notTable)
	}
	sheets, err := w.sheets(main)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	var chosen *sheetRef
	for i, s := range sheets {
		names = append(names, s.name)
		if name == "" && !s.hidden && chosen == nil || name != "" && strings.EqualFold(s.name, name) {
			chosen = &sheets[i]
		}
	}
	switch {
	case len(sheets) == 0:
		return nil, nil, problem.New(problem.Invalid, notTable)
	case chosen == nil && name != "":
		return nil, nil, problem.New(problem.Invalid, "There is no sheet %q. There are: %s.", name, strings.Join(names, ", "))
	case chosen == nil:
		chosen = &sheets[0]
	}
	part := w.parts[chosen.part]
	if part == nil {
		return nil, nil, damaged()
	}
	in, err := openPart(part, limits.Unpacked)
	if err != nil {
		return nil, nil, err
	}
	return &xlsxSource{book: w, in: in}, names, nil
}

// partName is the key of a part: they are compared without case.
func partName(folder, target string) string {
	target = strings.ReplaceAll(target, `\`, "/")
	if !strings.HasPrefix(target, "/") {
		target = "/" + folder + "/" + target
	}
	return strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))
}

type relation struct{ id, kind, target string }

// relations reads where a part, or for "" the archive, keeps its other parts.
func (w *workbook) relations(part string) ([]relation, error) {
	folder, file := path.Split(part)
	f := w.parts[partName(folder, "_rels/"+file+".rels")]
	if f == nil {
		return nil, nil
	}
	in, err := openPart(f, maxSmall)
	if err != nil {
		return nil, err
	}
	var out []relation
	err = in.each(func(e xml.StartElement) error {
		if e.Name.Local == "Relationship" && attribute(e, "TargetMode") != "External" && len(out) < maxParts {
			out = append(out, relation{attribute(e, "Id"), attribute(e, "Type"), partName(folder, attribute(e, "Target"))})
		}
		return nil
	})
	return out, err
}

type sheetRef struct {
	name, part string
	hidden     bool
}

// sheets reads the list of worksheets, and where texts and styles are.
func (w *workbook) sheets(main string) ([]sheetRef, error) {
	relations, err := w.relations(main)
	if err != nil {
		return nil, err
	}
	worksheets := map[string]string{}
	for _, r := range relations {
		switch {
		case strings.HasSuffix(r.kind, "/worksheet"):
			worksheets[r.id] = r.target
		case strings.HasSuffix(r.kind, "/sharedStrings"):
			w.shared = r.target
		case strings.HasSuffix(r.kind, "/styles"):
			w.styled = r.target
		}
	}
	in, err := openPart(w.parts[main], maxSmall)
	if err != nil {
		return nil, err
	}
	var out []sheetRef
	err = in.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			if v := attribute(e, "date1904"); v == "1" || v == "true" {
				w.epoch = epoch1904
			}
		case "sheet":
			for _, a := range e.Attr {
				if part := worksheets[a.Value]; a.Name.Local == "id" && part != "" && len(out) < maxSheets {
					state := attribute(e, "state")
					out = append(out, sheetRef{attribute(e, "name"), part, state == "hidden" || state == "veryHidden"})
				}
			}
		}
		return nil
	})
	return out, err
}

// sharedTexts is the table of texts that cells refer to, in one piece.
type sharedTexts struct {
	all  string
	ends []uint32
}

func (s *sharedTexts) at(i int) (string, bool) {
	if i < 0 || i >= len(s.ends) {
		return "", false
	}
	from := uint32(0)
	if i > 0 {
		from = s.ends[i-1]
	}
	return unescape(s.all[from:s.ends[i]]), true
}

func (w *workbook) readShared() error {
	w.texts = &sharedTexts{}
	f := w.parts[w.shared]
	if f == nil {
		return nil
	}
	in, err := openPart(f, min(maxShared, w.limits.Unpacked))
	if err != nil {
		return err
	}
	var all strings.Builder
	one := text{limit: (w.limits.Cell + 1) * utf8.UTFMax}
	inText, phonetic := false, false
	for {
		token, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			inText = e.Name.Local == "t" && !phonetic
			phonetic = phonetic || e.Name.Local == "rPh"
		case xml.CharData:
			if inText {
				one.add(e)
			}
		case xml.EndElement:
			inText = false
			switch e.Name.Local {
			case "rPh":
				phonetic = false
			case "si":
				all.WriteString(one.String())
				one.Reset()
				w.texts.ends = append(w.texts.ends, uint32(all.Len()))
			}
		}
	}
	w.texts.all = all.String()
	return nil
}

// xlsxSource reads the rows of one sheet.
type xlsxSource struct {
	book *workbook
	in   *tokens
	line int
	end  bool
}

// cell is what XLSX says of one.
type cell struct {
	kind, style   string
	value         text
	formula, seen bool // has a formula, has a value
}

func (s *xlsxSource) next() (Row, error) {
	var row Row
	c := cell{value: text{limit: (s.book.limits.Cell + 1) * utf8.UTFMax}}
	open, take, phonetic, column := false, false, false, -1
	for !s.end {
		token, err := s.in.next()
		if errors.Is(err, io.EOF) { // the sheet breaks off: what came so far is not the table
			return Row{}, damaged()
		}
		if err != nil {
			return Row{}, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			take = false
			switch e.Name.Local {
			case "row":
				s.line++
				if r := attribute(e, "r"); r != "" {
					if s.line, err = strconv.Atoi(r); err != nil || s.line < 1 || s.line > lastRow {
						return Row{}, damaged()
					}
				}
				row, open, column = Row{Line: s.line}, true, -1
			case "c":
				if column++; open {
					if r := attribute(e, "r"); r != "" {
						if column = columnOf(r); column < 0 {
							return Row{}, damaged()
						}
					}
				}
				c.kind, c.style, c.formula, c.seen = attribute(e, "t"), attribute(e, "s"), false, false
				c.value.Reset()
			case "f":
				c.formula = true
			case "v":
				take, c.seen = true, true
			case "rPh":
				phonetic = true
			case "t":
				take, c.seen = !phonetic, true
			}
		case xml.CharData:
			if take {
				c.value.add(e)
			}
		case xml.EndElement:
			take = false
			switch e.Name.Local {
			case "rPh":
				phonetic = false
			case "c":
				if err := s.put(&row, column, &c); err != nil {
					return Row{}, err
				}
			case "row":
				return row, nil
			case "sheetData":
				s.end = true
			}
		}
	}
	return Row{}, io.EOF
}

// put stores a cell in its column.
func (s *xlsxSource) put(row *Row, column int, c *cell) error {
	value, fault, err := s.book.read(c)
	if err != nil || value == "" && fault == nil {
		return err
	}
	// One column over the limit is enough to see that it is.
	column = min(max(column, 0), s.book.limits.Columns)
	for len(row.Cells) <= column {
		row.Cells = append(row.Cells, "")
	}
	row.Cells[column] = value
	if fault != nil {
		row.Faults = append(row.Faults, Fault{column, true, fault})
	}
	return nil
}

// columnOf is the column, from 0, of a reference as "AB12"; -1 if it is none.
func columnOf(ref string) int {
	n := 0
	for i := range len(ref) {
		switch b := ref[i] | 0x20; {
		case b >= 'a' && b <= 'z' && i < 3:
			n = 26*n + int(b-'a') + 1
		case ref[i] >= '0' && ref[i] <= '9' && i > 0:
			return n - 1
		default:
			return -1
		}
	}
	return n - 1
}

package extract

import (
	"encoding/xml"
	"errors"
	"io"
	"sort"
	"strconv"
	"strings"
)

// docxText reads a Word document: its headers, its text, its notes.
func docxText(in *source, t *text) error {
	a, err := openArchive(in, maxInflated)
	if err != nil {
		return err
	}
	main := a.main()
	rs, err := a.relations(main)
	if err != nil {
		return err
	}
	headings, err := wordHeadings(a, rs)
	if err != nil {
		return err
	}
	parts := []string{main}
	for _, kind := range []string{"header", "footer", "footnotes", "endnotes", "comments"} {
		for _, r := range rs {
			if r.kind == kind && a.files[r.part] != nil && len(parts) < maxParts {
				parts = append(parts, r.part)
			}
		}
	}
	for _, p := range parts {
		if err := wordPart(a, p, headings, t); err != nil {
			return err
		}
		t.paragraph()
	}
	return nil
}

// wordHeadings are the ids of the styles that make a paragraph a heading or a title:
// the names of Word's own are English in every language, those of others have a
// level in the outline.
func wordHeadings(a *archive, rs []relation) (map[string]bool, error) {
	headings := map[string]bool{}
	for _, r := range rs {
		if r.kind != "styles" || a.files[r.part] == nil {
			continue
		}
		in, err := a.tokens(r.part)
		if err != nil {
			return nil, err
		}
		style := ""
		if err := in.each(func(e xml.StartElement) error {
			switch e.Name.Local {
			case "style":
				if style = attribute(e, "styleId"); attribute(e, "type") != "paragraph" || len(headings) >= maxStyles {
					style = ""
				}
			case "name":
				if name := strings.ToLower(attribute(e, "val")); style != "" && (strings.HasPrefix(name, "heading ") || name == "title" || name == "subtitle") {
					headings[style] = true
				}
			case "outlineLvl":
				if style != "" && attribute(e, "val") < "9" { // which is body text
					headings[style] = true
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
		break
	}
	return headings, nil
}

// maxStyles is how many headings a document may know.
const maxStyles = 500

// wordPart reads the paragraphs of one part, headings apart from what they stand
// over. Of what is offered twice, for new and for old programs, the first is taken.
func wordPart(a *archive, part string, headings map[string]bool, t *text) error {
	in, err := a.tokens(part)
	if err != nil {
		return err
	}
	taking, fallback, heading := false, 0, false
	for {
		token, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "Fallback":
				fallback++
			case "pStyle":
				if heading = headings[attribute(e, "val")]; heading {
					t.paragraph()
				}
			case "t":
				taking = fallback == 0
			case "tab", "ptab":
				t.space()
			case "br":
				if attribute(e, "type") == "page" && fallback == 0 {
					t.page()
				} else {
					t.newline()
				}
			case "lastRenderedPageBreak":
				// Word puts these where its last layout had pages.
				if fallback == 0 {
					t.page()
				}
			case "cr":
				t.newline()
			case "noBreakHyphen":
				if fallback == 0 {
					if err := t.write("-"); err != nil {
						return err
					}
				}
			}
		case xml.EndElement:
			taking = false
			switch e.Name.Local {
			case "Fallback":
				fallback--
			case "p", "tr":
				if t.line(); heading {
					t.paragraph()
				}
				heading = false
			case "tc":
				t.space()
			}
		case xml.CharData:
			if taking {
				if err := t.write(string(e)); err != nil {
					return err
				}
			}
		}
	}
}

// pptxText reads the slides of a presentation in their order, each a page, with
// their notes.
func pptxText(in *source, t *text) error {
	a, err := openArchive(in, maxInflated)
	if err != nil {
		return err
	}
	main := a.main()
	rs, err := a.relations(main)
	if err != nil {
		return err
	}
	slides := map[string]string{}
	for _, r := range rs {
		if r.kind == "slide" {
			slides[r.id] = r.part
		}
	}
	show, err := a.tokens(main)
	if err != nil {
		return err
	}
	var order []string
	err = show.each(func(e xml.StartElement) error {
		if e.Name.Local != "sldId" {
			return nil
		}
		for _, at := range e.Attr { // r:id, whatever the prefix
			if part := slides[at.Value]; part != "" && len(order) < maxParts {
				order = append(order, part)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, part := range order {
		if i > 0 {
			t.page()
		}
		if err := drawing(a, part, t); err != nil {
			return err
		}
		more, err := a.relations(part)
		if err != nil {
			return err
		}
		for _, r := range more {
			switch r.kind {
			case "notesSlide", "diagramData", "comments":
				if a.files[r.part] != nil {
					t.paragraph()
					if err := drawing(a, r.part, t); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// drawing reads the paragraphs of DrawingML.
func drawing(a *archive, part string, t *text) error {
	in, err := a.tokens(part)
	if err != nil {
		return err
	}
	taking, fallback := false, 0
	for {
		token, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "Fallback":
				fallback++
			case "t", "text":
				taking = fallback == 0
			case "br":
				t.newline()
			}
		case xml.EndElement:
			taking = false
			switch e.Name.Local {
			case "Fallback":
				fallback--
			case "p", "tr", "cm":
				t.line()
			case "tc":
				t.space()
			}
		case xml.CharData:
			if taking {
				if err := t.write(string(e)); err != nil {
					return err
				}
			}
		}
	}
}

// xlsxRows reads the sheets of a workbook in their order, the hidden ones last.
func xlsxRows(in *source, row eachRow) error {
	a, err := openArchive(in, maxInflated)
	if err != nil {
		return err
	}
	b, err := openWorkbook(a)
	if err != nil {
		return err
	}
	for _, s := range b.sheets {
		if err := b.rows(s, row); err != nil {
			return err
		}
	}
	return nil
}

type workbook struct {
	a      *archive
	sheets []workbookSheet
	texts  []string
	dates  []dateStyle // of each cell format
	epoch  int         // 1904 or 1900
}

type workbookSheet struct {
	name, part string
	hidden     bool
}

func openWorkbook(a *archive) (*workbook, error) {
	b := &workbook{a: a, epoch: 1900}
	main := a.main()
	rs, err := a.relations(main)
	if err != nil {
		return nil, err
	}
	parts := map[string]string{}
	for _, r := range rs {
		switch {
		case r.kind == "worksheet":
			parts[r.id] = r.part
		case a.files[r.part] == nil:
		case r.kind == "sharedStrings":
			err = b.readTexts(r.part)
		case r.kind == "styles":
			err = b.readStyles(r.part)
		}
		if err != nil {
			return nil, err
		}
	}
	t, err := a.tokens(main)
	if err != nil {
		return nil, err
	}
	err = t.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			if v := attribute(e, "date1904"); v == "1" || v == "true" {
				b.epoch = 1904
			}
		case "sheet":
			for _, at := range e.Attr {
				if part := parts[at.Value]; at.Name.Local == "id" && part != "" && len(b.sheets) < maxParts {
					b.sheets = append(b.sheets, workbookSheet{attribute(e, "name"), part, attribute(e, "state") != "" && attribute(e, "state") != "visible"})
				}
			}
		}
		return nil
	})
	sort.SliceStable(b.sheets, func(i, j int) bool { return !b.sheets[i].hidden && b.sheets[j].hidden })
	return b, err
}

// maxTexts bounds the shared texts, which are held.
const maxTexts = 64 << 20

func (b *workbook) readTexts(part string) error {
	t, err := b.a.tokens(part)
	if err != nil {
		return err
	}
	var one strings.Builder
	held, taking, phonetic := 0, false, false
	for {
		token, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "rPh":
				phonetic = true
			case "t":
				taking = !phonetic
			}
		case xml.CharData:
			if taking {
				one.Write(e)
			}
		case xml.EndElement:
			taking = false
			switch e.Name.Local {
			case "rPh":
				phonetic = false
			case "si":
				if held += one.Len() + 16; held > maxTexts {
					return tooLarge("The texts of this workbook take more than %d MB.", maxTexts>>20)
				}
				b.texts = append(b.texts, one.String())
				one.Reset()
			}
		}
	}
}

func (b *workbook) readStyles(part string) error {
	t, err := b.a.tokens(part)
	if err != nil {
		return err
	}
	own := map[string]string{}
	inCells := false
	return t.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			own[attribute(e, "numFmtId")] = attribute(e, "formatCode")
		case "cellXfs":
			inCells = true
		case "cellStyles", "dxfs":
			inCells = false
		case "xf":
			if inCells && len(b.dates) < 1<<16 {
				id, err := strconv.Atoi(attribute(e, "numFmtId"))
				if err != nil {
					id = 0
				}
				b.dates = append(b.dates, dateStyleOf(id, own[attribute(e, "numFmtId")]))
			}
		}
		return nil
	})
}

func (b *workbook) rows(s workbookSheet, row eachRow) error {
	t, err := b.a.tokens(s.part)
	if err != nil {
		return err
	}
	var cells []cell
	var kind, style string
	var value strings.Builder
	column, taking, phonetic := 0, false, false
	for {
		token, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "row":
				cells, column = cells[:0], 0
			case "c":
				if at := columnOf(attribute(e, "r")); at >= 0 {
					column = at
				}
				kind, style = attribute(e, "t"), attribute(e, "s")
				value.Reset()
			case "rPh":
				phonetic = true
			case "v":
				taking = true
			case "t":
				taking = !phonetic
			}
		case xml.CharData:
			if taking {
				value.Write(e)
			}
		case xml.EndElement:
			taking = false
			switch e.Name.Local {
			case "rPh":
				phonetic = false
			case "c":
				if v := b.value(kind, style, value.String()); v.text != "" && column < maxColumns {
					for len(cells) <= column {
						cells = append(cells, cell{})
					}
					cells[column] = v
				}
				column++
			case "row":
				if len(cells) > 0 {
					if err := row(s.name, cells); err != nil {
						return err
					}
				}
			}
		}
	}
}

// value is a cell as it is shown, nearly: dates as dates, numbers as they are.
func (b *workbook) value(kind, style, v string) cell {
	switch kind {
	case "s":
		if i, err := strconv.Atoi(v); err == nil && i >= 0 && i < len(b.texts) {
			return cell{text: b.texts[i]}
		}
		return cell{}
	case "b":
		if v == "1" {
			return cell{"TRUE", true}
		}
		return cell{"FALSE", true}
	case "", "n":
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return cell{text: v}
		}
		if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(b.dates) && b.dates[i] != noDate {
			return cell{b.dates[i].show(n, b.epoch), true}
		}
		return cell{number(n), true}
	}
	return cell{text: v}
}

// columnOf is the column, from 0, of a reference as "AB12"; -1 if it is none.
func columnOf(ref string) int {
	n := 0
	for i := range len(ref) {
		switch c := ref[i] | 0x20; {
		case c >= 'a' && c <= 'z' && i < 3:
			n = 26*n + int(c-'a') + 1
		case ref[i] >= '0' && ref[i] <= '9' && i > 0:
			return n - 1
		default:
			return -1
		}
	}
	return n - 1
}

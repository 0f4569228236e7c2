package extract

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// openODF opens an OpenDocument file that is not encrypted.
func openODF(in *source) (*archive, error) {
	a, err := openArchive(in, maxInflated)
	if err != nil {
		return nil, err
	}
	if a.files["meta-inf/manifest.xml"] == nil {
		return a, nil
	}
	t, err := a.tokens("meta-inf/manifest.xml")
	if err != nil {
		return nil, err
	}
	return a, t.each(func(e xml.StartElement) error {
		if e.Name.Local == "encryption-data" {
			return errEncrypted
		}
		return nil
	})
}

// odtText reads the text of a document or a presentation, whose slides are
// pages: the headers and footers, then the content.
func odtText(in *source, t *text) error {
	a, err := openODF(in)
	if err != nil {
		return err
	}
	if err := odfPart(a, "content.xml", t); err != nil {
		return err
	}
	if a.files["styles.xml"] == nil {
		return nil
	}
	t.paragraph()
	return odfPart(a, "styles.xml", t)
}

// odfPart writes the paragraphs of a part: characters count only inside one.
func odfPart(a *archive, part string, t *text) error {
	in, err := a.tokens(part)
	if err != nil {
		return err
	}
	paragraphs, slides, hidden := 0, 0, 0
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
			case "h": // apart from what it stands over
				t.paragraph()
				paragraphs++
			case "p":
				paragraphs++
			case "tracked-changes": // what was deleted
				hidden++
			case "s", "tab":
				t.space()
			case "line-break":
				t.newline()
			case "soft-page-break":
				t.page()
			case "page":
				if slides++; slides > 1 {
					t.page()
				}
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "h":
				paragraphs--
				t.paragraph()
			case "p":
				paragraphs--
				t.line()
			case "tracked-changes":
				hidden--
			}
		case xml.CharData:
			if paragraphs > 0 && hidden == 0 {
				// Line ends in the XML are blanks.
				if err := t.write(strings.ReplaceAll(string(e), "\n", " ")); err != nil {
					return err
				}
			}
		}
	}
}

// odsRows reads the sheets of a spreadsheet.
func odsRows(in *source, row eachRow) error {
	a, err := openODF(in)
	if err != nil {
		return err
	}
	t, err := a.tokens("content.xml")
	if err != nil {
		return err
	}
	var cells []cell
	isNumber := false
	var value strings.Builder
	sheet := ""
	repeat, paragraphs, notes, tracked := 1, 0, 0, 0
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
			case "table":
				sheet = attribute(e, "name")
			case "tracked-changes":
				tracked++
			case "table-row":
				cells = cells[:0]
			case "table-cell", "covered-table-cell":
				value.Reset()
				kind := attribute(e, "value-type")
				isNumber = kind != "" && kind != "string"
				if repeat, err = strconv.Atoi(attribute(e, "number-columns-repeated")); err != nil || repeat < 1 {
					repeat = 1
				}
			case "annotation":
				notes++
			case "p":
				if paragraphs++; value.Len() > 0 {
					value.WriteByte('\n')
				}
			case "s", "tab":
				value.WriteByte(' ')
			}
		case xml.CharData:
			if paragraphs > 0 && tracked == 0 && value.Len() < maxToken {
				value.Write(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "tracked-changes":
				tracked--
			case "annotation":
				notes--
			case "p":
				paragraphs--
			case "table-cell", "covered-table-cell":
				if notes > 0 {
					break
				}
				// An empty cell that is repeated to the edge of the sheet costs
				// nothing; one with a value a row of it at most.
				for range min(repeat, maxColumns-len(cells), repeated(value.Len())) {
					cells = append(cells, cell{value.String(), isNumber})
				}
			case "table-row":
				for n := len(cells); n > 0 && cells[n-1].text == ""; n-- {
					cells = cells[:n-1]
				}
				if len(cells) > 0 && tracked == 0 {
					if err := row(sheet, cells); err != nil {
						return err
					}
				}
			}
		}
	}
}

// repeated bounds how often a value of n bytes is repeated.
func repeated(n int) int {
	if n == 0 {
		return maxColumns
	}
	return max(1, min(1024, (64<<10)/n))
}

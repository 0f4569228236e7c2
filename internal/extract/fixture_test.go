package extract

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

// zipped is an archive of name, content pairs.
func zipped(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(pairs); i += 2 {
		w, err := z.Create(pairs[i])
		if err == nil {
			_, err = w.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// officeXML is an Office Open XML file whose main part is of a kind.
func officeXML(t testing.TB, main, kind string, pairs ...string) []byte {
	t.Helper()
	return zipped(t, append([]string{
		"[Content_Types].xml", `<Types><Override PartName="/` + main + `" ContentType="application/vnd.openxmlformats-officedocument.` + kind + `.main+xml"/></Types>`,
		"_rels/.rels", `<Relationships><Relationship Id="r1" Type="http://x/relationships/officeDocument" Target="` + main + `"/></Relationships>`,
	}, pairs...)...)
}

func docx(t testing.TB, body string, pairs ...string) []byte {
	t.Helper()
	return officeXML(t, "word/document.xml", "wordprocessingml.document",
		append([]string{"word/document.xml", `<w:document xmlns:w="w"><w:body>` + body + `</w:body></w:document>`}, pairs...)...)
}

func xlsx(t testing.TB, sheet string) []byte {
	t.Helper()
	return officeXML(t, "xl/workbook.xml", "spreadsheetml.sheet",
		"xl/workbook.xml", `<workbook xmlns:r="r"><sheets><sheet name="Members" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>`+
			`<Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Relationships>`,
		"xl/sharedStrings.xml", `<sst><si><t>Grid code</t></si><si><r><t>two </t></r><r><t>runs</t></r><rPh><t>reading</t></rPh></si></sst>`,
		"xl/styles.xml", `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy\ hh:mm"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+sheet+`</sheetData></worksheet>`)
}

func pptx(t testing.TB) []byte {
	t.Helper()
	slide := func(s string) string { return `<p:sld xmlns:a="a"><a:p><a:r><a:t>` + s + `</a:t></a:r></a:p></p:sld>` }
	return officeXML(t, "ppt/presentation.xml", "presentationml.presentation",
		"ppt/presentation.xml", `<p:presentation xmlns:r="r"><p:sldIdLst><p:sldId id="2" r:id="b"/><p:sldId id="1" r:id="a"/></p:sldIdLst></p:presentation>`,
		"ppt/_rels/presentation.xml.rels", `<Relationships><Relationship Id="a" Type="x/slide" Target="slides/slide1.xml"/><Relationship Id="b" Type="x/slide" Target="slides/slide2.xml"/></Relationships>`,
		"ppt/slides/slide1.xml", slide("shown second"), "ppt/slides/slide2.xml", slide("shown first"),
		"ppt/slides/_rels/slide2.xml.rels", `<Relationships><Relationship Id="n" Type="x/notesSlide" Target="../notesSlides/n.xml"/></Relationships>`,
		"ppt/notesSlides/n.xml", slide("a note"))
}

func openDocumentFile(t testing.TB, kind Type, body string, pairs ...string) []byte {
	t.Helper()
	return zipped(t, append([]string{"mimetype", string(kind), "content.xml", `<office:document-content>` + body + `</office:document-content>`}, pairs...)...)
}

// pdfOf is a PDF with a line of text on each page, which says what it is given
// as its catalog has.
func pdfOf(catalog string, pages ...string) []byte {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	kids := ""
	for i := range pages {
		kids += fmt.Sprintf("%d 0 R ", 10+2*i)
	}
	fmt.Fprintf(&b, "1 0 obj<</Type/Catalog/Pages 2 0 R%s>>endobj\n", catalog)
	fmt.Fprintf(&b, "2 0 obj<</Type/Pages/Kids[%s]/Count %d>>endobj\n3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n", kids, len(pages))
	for i, p := range pages {
		content := "BT /F 24 Tf 40 700 Td (" + p + ") Tj ET"
		fmt.Fprintf(&b, "%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>endobj\n", 10+2*i, 11+2*i)
		fmt.Fprintf(&b, "%d 0 obj<</Length %d>>stream\n%s\nendstream endobj\n", 11+2*i, len(content), content)
	}
	b.WriteString("trailer<</Root 1 0 R>>\n%%EOF\n")
	return []byte(b.String())
}

func pngOf(t testing.TB, width, height int, c color.Color) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Set(i%width, i/width, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

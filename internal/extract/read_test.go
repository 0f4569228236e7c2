package extract

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/color"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	textunicode "golang.org/x/text/encoding/unicode"
)

// here reads content in this process, as the child would.
func here(t testing.TB, kind Type, content []byte, w Wish) (Result, error) {
	t.Helper()
	var out bytes.Buffer
	a := &answer{out: &out, text: newText(&out)}
	err := read(order{Type: kind, Wish: w}, nil, &source{bytes.NewReader(content), int64(len(content))}, a)
	if errors.Is(err, errFull) {
		err = nil
	}
	if err := a.text.flush(); err != nil {
		t.Fatal(err)
	}
	var g gathering
	if err := g.gather(&out); err != nil {
		t.Fatalf("the parent refuses it: %v", err)
	}
	g.result.Text, g.result.Cut, g.result.Pages = g.text.String(), a.text.full, a.pages
	return g.result, err
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		content    []byte
		kind       Type
		text       string
	}{
		{"word", "a.docx", docx(t,
			`<w:p><w:r><w:t>First</w:t><w:tab/><w:t>half</w:t></w:r></w:p><w:p><w:r><w:t xml:space="preserve">hy </w:t><w:t>phen</w:t><w:noBreakHyphen/><w:t>ated</w:t></w:r></w:p>`+
				`<w:p><w:r><w:br w:type="page"/><w:t>page two</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>`+
				`<mc:AlternateContent><mc:Choice><w:t>once</w:t></mc:Choice><mc:Fallback><w:t>twice</w:t></mc:Fallback></mc:AlternateContent>`,
			"word/_rels/document.xml.rels", `<Relationships><Relationship Id="1" Type="x/footnotes" Target="footnotes.xml"/></Relationships>`,
			"word/footnotes.xml", `<w:footnotes><w:p><w:t>a footnote</w:t></w:p></w:footnotes>`),
			DOCX, "First half\nhy phen-ated\fpage two\nonce\n\na footnote"},
		{"word with headings", "a.docx", docx(t,
			`<w:p><w:pPr><w:pStyle w:val="Titre"/></w:pPr><w:r><w:t>Minutes</w:t></w:r></w:p><w:p><w:r><w:t>of May</w:t></w:r></w:p><w:p><w:r><w:t>in Oslo</w:t></w:r></w:p>`+
				`<w:p><w:pPr><w:pStyle w:val="1"/></w:pPr><w:r><w:t>Grids</w:t></w:r></w:p><w:p><w:pPr><w:pStyle w:val="Own"/></w:pPr><w:r><w:t>Old ones</w:t></w:r></w:p><w:p><w:pPr><w:pStyle w:val="Body"/></w:pPr><w:r><w:t>They last.</w:t></w:r></w:p>`,
			"word/_rels/document.xml.rels", `<Relationships><Relationship Id="1" Type="x/styles" Target="styles.xml"/></Relationships>`,
			"word/styles.xml", `<w:styles xmlns:w="w"><w:style w:type="paragraph" w:styleId="Titre"><w:name w:val="Title"/></w:style><w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/></w:style>`+
				`<w:style w:type="paragraph" w:styleId="Own"><w:name w:val="Own"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style><w:style w:type="paragraph" w:styleId="Body"><w:name w:val="Body Text"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style></w:styles>`),
			DOCX, "Minutes\n\nof May\nin Oslo\n\nGrids\n\nOld ones\n\nThey last."},
		{"slides in their order", "a.pptx", pptx(t), PPTX, "shown first\n\na note\fshown second"},
		{"sheet: words, then numbers", "a.xlsx", xlsx(t, `<row><c r="A1" t="s"><v>0</v></c><c r="C1"><v>0.30000000000000004</v></c></row>`+
			`<row><c r="A2" t="s"><v>1</v></c><c r="B2" s="1"><v>46000</v></c><c r="C2" s="2"><v>46000.5</v></c><c t="inlineStr"><is><t>inline</t></is></c></row>`),
			XLSX, "Members\nGrid code\ntwo runs inline\n0.3\n2025-12-09 2025-12-09 12:00:00"},
		{"odt", "a.odt", openDocumentFile(t, ODT, `<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes><text:h>Head<text:s text:c="2"/>line</text:h> <text:p>one
			two<text:line-break/>three</text:p><text:soft-page-break/><text:p>next</text:p>`), ODT, "Head line\n\none two\nthree\fnext"},
		{"odp", "a.odp", openDocumentFile(t, ODP, `<draw:page><text:p>one</text:p></draw:page><draw:page><text:p>two</text:p></draw:page>`), ODP, "one\ftwo"},
		{"ods", "a.ods", openDocumentFile(t, ODS, `<table:table table:name="S"><table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell>`+
			`<table:table-cell table:number-columns-repeated="3"/><table:table-cell office:value-type="float"><text:p>5</text:p></table:table-cell></table:table-row>`+
			`<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="1024"/></table:table-row></table:table>`), ODS, "S\na\n5"},
		{"rtf", "a.rtf", []byte(`{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}}{\*\generator x;}{\info{\title hidden}}` +
			`caf\'e9 \u8364?5\par {\f1\'cf\'f0\'e8\'e2\'e5\'f2} \uc2\u-10179??\u-8704?? {\field{\*\fldinst HYPERLINK "x"}{\fldrslt link}}\page next\emdash{\pict 0102}}`),
			RTF, "café €5\nПривет 😀 link\fnext—"},
		{"html", "a.html", []byte(`<!DOCTYPE html><title>T</title><style>x{}</style><p>One<b>word</b> &amp; a&nbsp;half</p><ul><li>x<li>y</ul><script>evil()</script><br>z`), HTML, "T\nOneword & a half\n\nx\ny\n\nz"},
		{"html in its own encoding", "a.htm", []byte("<html><meta charset=windows-1251><p>\xcf\xf0\xe8\xe2\xe5\xf2"), HTML, "Привет"},
		{"markdown", "a.md", []byte("<!-- x -->\n# Head\r\n\r\n\r\n\r\ntext"), Markdown, "<!-- x -->\n# Head\n\ntext"},
		{"csv with semicolons", "a.csv", []byte("\xEF\xBB\xBFname;n\n\"Smith;\nJohn\";5\n"), CSV, "name n\nSmith;\nJohn 5"},
		{"text is made clean", "a.txt", []byte("a\x00b\x1b[31m\u00adc\xff \t d\u2028e\ufffe\f\fg"), Text, "ab[31mc\uFFFD d\ne\f\fg"},
		{"UTF-16", "a.txt", []byte("\xFF\xFEa\x00\xe9\x00\r\x00\n\x00b\x00"), Text, "aé\nb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := Sniff(bytes.NewReader(tt.content), int64(len(tt.content)), tt.file)
			if err != nil || found != (Sniffed{Type: tt.kind}) {
				t.Errorf("%+v %v", found, err)
			}
			r, err := here(t, tt.kind, tt.content, Wish{Text: true})
			if err != nil {
				t.Fatal(err)
			}
			if r.Text != tt.text {
				t.Errorf("%q, not\n%q", r.Text, tt.text)
			}
		})
	}
}

func TestSniff(t *testing.T) {
	t.Parallel()
	plain := zipped(t, "a.txt", "x")
	for _, tt := range []struct {
		name     string
		content  string
		kind     Type
		mismatch bool
		refuse   string // contained
	}{
		{"a.pdf", "", Empty, false, "empty"},
		{"a.pdf", "<html><script>", HTML, true, "named .pdf"},
		{"a.pdf", "<html><!--\n%PDF-1.4", PDF, false, ""},
		{"a.html", "<html><!--\n%PDF-1.4", HTML, false, ""},
		{"a.docx", string(plain), ZIP, true, "named .docx"},
		{"a.docx", string(zipped(t, "[Content_Types].xml", "<Types/>", "word/document.xml", "<x/>")), ZIP, true, "named .docx"},
		{"a.docx", string(docx(t, ""))[:200], DOCX, false, ""},
		{"a.docx. ", string(docx(t, "")), DOCX, false, ""},
		{"a.xlsx", string(docx(t, "")), DOCX, true, ""},
		{"a.zip", string(plain), ZIP, false, ""},
		{"a.zip", string(zipped(t, "META-INF/MANIFEST.MF", "Main-Class: X")), Program, true, "Programs"},
		{"a.docx", "MZ\x90\x00" + strings.Repeat("\x00", 100), Program, true, "Programs"},
		{"a", "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60), Program, false, "Programs"},
		{"report\u202efdp.exe", "harmless", Text, false, "Programs"},
		{"report.exe.pdf", string(pdfOf("", "x")), PDF, false, ""},
		{"a.doc", `{\rtf1 x}`, RTF, true, ""},
		{"a.png", string(pngOf(t, 2, 2, color.White)), PNG, false, ""},
		{"a.jpg", string(pngOf(t, 2, 2, color.White)), PNG, true, ""},
		{"a.png", `<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>`, SVG, true, "named .png"},
		{"a.txt", "alpha beta gamma\x00\x01", Text, false, ""},
		{"a.bin", strings.Repeat("\x00\x01\x02\x80", 50), Binary, false, ""},
		{"a.csv", "a,b\n", CSV, false, ""},
		{"MZ.txt", "MZ is how it begins", Text, false, ""},
	} {
		found, err := Sniff(strings.NewReader(tt.content), int64(len(tt.content)), tt.name)
		if err != nil || found.Type != tt.kind || found.Mismatch != tt.mismatch || (found.Refuse != "") != (tt.refuse != "") || !strings.Contains(found.Refuse, tt.refuse) {
			t.Errorf("%q named %q: %+v %v", tt.content[:min(20, len(tt.content))], tt.name, found, err)
		}
		if found.Polyglot != (tt.kind == PDF && !strings.HasPrefix(tt.content, "%PDF")) {
			t.Errorf("%q named %q: %+v", tt.content[:min(20, len(tt.content))], tt.name, found)
		}
	}
	failing := errors.New("the disk is on fire")
	if _, err := Sniff(failingReader{failing}, 100, "a.pdf"); !errors.Is(err, failing) {
		t.Error(err)
	}
}

type failingReader struct{ err error }

func (f failingReader) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestEncodings(t *testing.T) {
	t.Parallel()
	const (
		russian  = "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью."
		french   = "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison."
		japanese = "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"
		chinese  = "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"
		trad     = "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。"
		korean   = "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."
		hebrew   = "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם."
		arabic   = "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا"
		greek    = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."
		polish   = "Wszyscy ludzie rodzą się wolni i równi pod względem swojej godności i swych praw. Są oni obdarzeni rozumem i sumieniem, żądań"
	)
	for _, tt := range []struct{ encoding, text string }{
		{"windows-1251", russian}, {"koi8-r", russian}, {"ibm866", russian}, {"windows-1252", french}, {"shift_jis", japanese}, {"euc-jp", japanese}, {"iso-2022-jp", japanese},
		{"gb18030", chinese}, {"big5", trad}, {"euc-kr", korean}, {"windows-1255", hebrew}, {"windows-1256", arabic}, {"windows-1253", greek}, {"windows-1250", polish},
		{"utf-8", russian}, {"windows-1252", "“It’s” 5 € – naïve"}, {"windows-1251", "Протокол"}, {"utf-8", "x"},
	} {
		e, err := htmlindex.Get(tt.encoding)
		if err != nil {
			t.Fatal(err)
		}
		content, err := e.NewEncoder().Bytes([]byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		r, err := here(t, Text, content, Wish{Text: true})
		if want := strings.Join(strings.Fields(strings.ReplaceAll(tt.text, "\u3000", " ")), " "); err != nil || r.Text != want {
			t.Errorf("%s: %q %v", tt.encoding, r.Text, err)
		}
	}
	for _, order := range []textunicode.Endianness{textunicode.LittleEndian, textunicode.BigEndian} { // without a mark
		content, err := textunicode.UTF16(order, textunicode.IgnoreBOM).NewEncoder().Bytes([]byte(french))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := here(t, Text, content, Wish{Text: true}); err != nil || r.Text != french {
			t.Errorf("%q %v", r.Text, err)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	r, err := here(t, CSV, []byte("a,b\n=1+1,\"x\ny\"\n"), Wish{Table: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := (&Table{Rows: [][]string{{"a", "b"}, {"=1+1", "x\ny"}}}); !reflect.DeepEqual(r.Table, want) || r.Text != "" {
		t.Errorf("%+v %q", r.Table, r.Text)
	}
	long := strings.Repeat(strings.Repeat("x", 2000)+strings.Repeat(",y", 40)+"\n", 200)
	if r, err = here(t, CSV, []byte(long), Wish{Table: true}); err != nil {
		t.Fatal(err)
	}
	if n := r.Table; len(n.Rows) != tableRows || len(n.Rows[0]) != tableColumns || utf8.RuneCountInString(n.Rows[0][0]) != tableCell || !n.More {
		t.Errorf("%d × %d", len(n.Rows), len(n.Rows[0]))
	}
	if r, err = here(t, XLSX, xlsx(t, `<row><c r="B1" t="b"><v>1</v></c></row>`), Wish{Table: true, Text: true}); err != nil || r.Table == nil || !reflect.DeepEqual(r.Table.Rows, [][]string{{"", "TRUE"}}) || r.Table.Sheet != "Members" {
		t.Errorf("%+v %v", r.Table, err)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<w:p>", maxDepth+1)
	for _, tt := range []struct {
		name    string
		kind    Type
		content []byte
		want    Outcome
	}{
		{"text without end", DOCX, docx(t, strings.Repeat("A", maxToken+1<<16)), TooLarge},
		{"tag without end", DOCX, docx(t, "<w:p "+strings.Repeat("a", maxToken+1<<16)), TooLarge},
		{"deep", DOCX, docx(t, deep), Broken},
		{"entities", DOCX, docx(t, `<!DOCTYPE x [<!ENTITY a "b">]><w:t>&a;</w:t>`), Broken},
		{"an entity of nobody", DOCX, docx(t, `<w:t>&a;</w:t>`), Broken},
		{"cut off", DOCX, docx(t, "")[:300], Broken},
		{"no part", DOCX, officeXML(t, "word/document.xml", "x"), Broken},
		{"a part of itself", DOCX, docx(t, "", "word/_rels/document.xml.rels", `<Relationships>`+strings.Repeat(`<Relationship Id="1" Type="x/header" Target="document.xml"/>`, 10)+`</Relationships>`), Done},
		{"encrypted", ODT, openDocumentFile(t, ODT, "", "META-INF/manifest.xml", `<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>`), Encrypted},
		{"groups", RTF, []byte(`{\rtf1` + strings.Repeat("{", maxDepth+1)), Broken},
		{"not compound", DOC, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and no more"), Broken},
		{"pixels", PNG, pngHeader(60_000, 60_000), TooLarge},
		{"no pixels", PNG, pngOf(t, 40, 40, color.White)[:60], Broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := here(t, tt.kind, tt.content, Wish{Text: true, Table: true, Thumbnail: 100})
			got := Done
			var own *trouble
			if errors.As(err, &own) {
				got = own.outcome
			} else if err != nil {
				got = Broken
			}
			if got != tt.want {
				t.Errorf("%s: %v", got, err)
			}
		})
	}
	// What one part unpacks to is bounded by its size in the file, and by all.
	zeros := zipped(t, "a", strings.Repeat("\x00", ratioFrom+1<<20))
	for _, left := range []int64{maxInflated, 1 << 20} {
		a, err := openArchive(&source{bytes.NewReader(zeros), int64(len(zeros))}, left)
		if err != nil {
			t.Fatal(err)
		}
		in, err := a.open("a")
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, in)
		var own *trouble
		if !errors.As(err, &own) || own.outcome != TooLarge || n > min(left, ratioFrom) {
			t.Errorf("%d bytes of a bomb: %v", n, err)
		}
	}
	var out bytes.Buffer
	short := &text{out: &out, limit: 10}
	if err := short.write("word wörd"); err != nil || short.full {
		t.Error(err)
	}
	if err := short.write("\n\n"); err != nil {
		t.Error(err)
	}
	if err := short.write("x"); !errors.Is(err, errFull) || !short.full || short.total > 10 {
		t.Errorf("%d bytes, %v", short.total, err)
	}
}

// pngHeader is a PNG that says how large it is, and has no more.
func pngHeader(width, height uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, width)
	chunk = binary.BigEndian.AppendUint32(chunk, height)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	b := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	b = append(b, chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}

func TestPictures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		content       []byte
		width, height int
		mime          string
	}{
		{"colors", pngOf(t, 400, 100, color.RGBA{200, 30, 30, 255}), 100, 25, "image/jpeg"},
		{"see-through is white", pngOf(t, 400, 100, color.Transparent), 100, 25, "image/png"},
		{"never larger", pngOf(t, 40, 10, color.Black), 40, 10, "image/png"},
		{"high", pngOf(t, 10, 4000, color.Black), 1, 300, "image/png"},
	} {
		r, err := here(t, PNG, tt.content, Wish{Thumbnail: 100, First: 1, Last: 5, Width: 100})
		if err != nil || len(r.Pictures) != 2 || r.Pages != 1 {
			t.Fatalf("%s: %+v %v", tt.name, r, err)
		}
		for i, p := range r.Pictures {
			if p.Width != tt.width || p.Height != tt.height || p.MIME != tt.mime || p.Page != i {
				t.Errorf("%s: page %d, %d × %d %s", tt.name, p.Page, p.Width, p.Height, p.MIME)
			}
		}
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(docx(f, `<w:p><w:t>x</w:t></w:p>`))
	f.Add(xlsx(f, `<row><c r="A1" t="s"><v>0</v></c></row>`))
	f.Add(pptx(f))
	f.Add(openDocumentFile(f, ODS, `<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row></table:table>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []Type{DOCX, XLSX, PPTX, ODT, ODS} {
			fuzzed(t, kind, b)
		}
	})
}

// FuzzXML puts what it is given into the part that is read.
func FuzzXML(f *testing.F) {
	f.Add(`<w:p><w:t>x</w:t></w:p>`)
	f.Add(`<row><c r="A1" t="s"><v>0</v></c></row>`)
	f.Add(`<table:table-row><table:table-cell table:number-columns-repeated="9"><text:p>a</text:p></table:table-cell></table:table-row>`)
	f.Fuzz(func(t *testing.T, s string) {
		fuzzed(t, DOCX, docx(t, s))
		fuzzed(t, XLSX, xlsx(t, s))
		fuzzed(t, ODS, openDocumentFile(t, ODS, s))
	})
}

func FuzzRTF(f *testing.F) {
	f.Add([]byte(`{\rtf1\ansi{\fonttbl{\f0\fcharset128 x;}}\f0\'82\'a0\u12354?\bin3 abc\par}`))
	f.Fuzz(func(t *testing.T, b []byte) { fuzzed(t, RTF, b) })
}

// FuzzOld tries the readers of streams of old office files, which an index of
// theirs leads anywhere.
func FuzzOld(f *testing.F) {
	f.Add([]byte("\x09\x08\x10\x00\x00\x06\x05\x00"), true)
	f.Fuzz(func(t *testing.T, b []byte, wide bool) {
		x := &xls{row: func(string, []cell) error { return nil }, epoch: 1900, page: 1252, names: map[int]string{}, formats: map[int]string{}, at: -1, inside: true, old: !wide}
		for at := 0; at+4 <= len(b); at += 4 {
			_ = x.record(at, uint16At(b, at), b[at+4:], [][]byte{b[:at]})
		}
		for _, kind := range []Type{DOC, XLS, PPT} {
			fuzzed(t, kind, b)
		}
	})
}

// fuzzed reads what may be anything: it must end, and its text must be clean.
func fuzzed(t *testing.T, kind Type, b []byte) {
	t.Helper()
	r, _ := here(t, kind, b, Wish{Text: true, Table: true}) // whatever is wrong with it
	if !utf8.ValidString(r.Text) || strings.ContainsRune(r.Text, 0) {
		t.Errorf("%q", r.Text)
	}
}

package sample

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// pdf is a document of plain pages (ISO 32000-1): title, a line under it, and
// paragraphs. What is not of Windows-1252, which the standard fonts know, is left
// out.
func pdf(title, under, text string) []byte {
	const most = 42 // lines a page, of 90 characters
	var lines []string
	for _, paragraph := range strings.Split(text, "\n\n") {
		lines = append(lines, wrap(paragraph, 90)...)
		lines = append(lines, "")
	}
	var pages [][]byte
	for first := true; first || len(lines) > 0; first = false {
		var b bytes.Buffer
		b.WriteString("BT 60 780 Td 16 TL ")
		if first {
			for _, line := range wrap(title, 48) {
				fmt.Fprintf(&b, "/F2 20 Tf 26 TL (%s) Tj T* ", escape(line))
			}
			fmt.Fprintf(&b, "/F1 11 Tf 30 TL (%s) Tj T* 16 TL ", escape(under))
		}
		n := min(most, len(lines))
		b.WriteString("/F1 11 Tf ")
		for _, line := range lines[:n] {
			fmt.Fprintf(&b, "(%s) Tj T* ", escape(line))
		}
		b.WriteString("ET")
		lines = lines[n:]
		pages = append(pages, b.Bytes())
	}
	var out bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n", len(at))
		fmt.Fprintf(&out, format, args...)
		out.WriteString("\nendobj\n")
	}
	out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	kids := make([]string, len(pages))
	for i := range pages {
		kids[i] = fmt.Sprintf("%d 0 R", 6+2*i)
	}
	object("<</Type/Catalog/Pages 2 0 R>>")
	object("<</Type/Pages/Kids[%s]/Count %d>>", strings.Join(kids, " "), len(pages))
	object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
	object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>")
	object("<</Title(%s)>>", escape(title))
	for i, page := range pages {
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>/Contents %d 0 R>>", 7+2*i)
		object("<</Length %d>>stream\n%s\nendstream", len(page), page)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer<</Size %d/Root 1 0 R/Info 5 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	return out.Bytes()
}

// wrap breaks a paragraph into lines of at most so many characters.
func wrap(paragraph string, most int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(paragraph) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > most:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// escape is a text inside a string of a PDF, in Windows-1252.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		c, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			continue
		}
		if c == '(' || c == ')' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"commissionportal/internal/problem"
)

// maxToken bounds the memory one tag or one run of text takes before it can be
// looked at: more than the longest cell with every character escaped (320 kB).
// A tag of nothing but attributes takes some twenty times as much.
const maxToken = 1 << 19

// tokens reads the XML of one part of a workbook, tag by tag, as it is unpacked.
type tokens struct {
	*xml.Decoder
	guard *guard
}

func openPart(f *zip.File, limit int64) (*tokens, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, tooMuch(limit)
	}
	in, err := f.Open()
	if err != nil {
		return nil, damaged()
	}
	g := &guard{from: in, left: limit}
	return &tokens{xml.NewDecoder(g), g}, nil
}

func tooMuch(limit int64) error {
	return problem.New(problem.TooLarge, "This workbook unpacks to more than %d MB. Save the sheet as CSV, or split it.", limit>>20)
}

// damaged says so to the sender, whom it would not help to know where exactly.
// A failure to read the file is told apart by Reader.
func damaged() error {
	return problem.New(problem.Invalid, "This workbook is damaged. Open it in a spreadsheet program and save it again.")
}

// next returns the next token, io.EOF after the last. A document type
// declaration, with which an attacker defines entities that grow, is refused
// unread: no workbook has one.
func (t *tokens) next() (xml.Token, error) {
	t.guard.since = 0
	// RawToken keeps no stack of open tags: depth costs nothing.
	token, err := t.RawToken()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		if problem.As(err) == nil {
			err = damaged()
		}
		return nil, err
	}
	if _, ok := token.(xml.Directive); ok {
		return nil, problem.New(problem.Invalid, "This workbook has a document type declaration, which no spreadsheet program writes. It is not read.")
	}
	return token, nil
}

// each calls start for every opening tag of the part.
func (t *tokens) each(start func(xml.StartElement) error) error {
	for {
		token, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := start(e); err != nil {
				return err
			}
		}
	}
}

// guard counts what is read, over all and since the last token.
type guard struct {
	from        io.Reader
	left, since int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.from.Read(p)
	g.left -= int64(n)
	g.since += int64(n)
	switch {
	case g.left < 0:
		return 0, problem.New(problem.TooLarge, "This workbook unpacks to more than is allowed. Save the sheet as CSV, or split it.")
	case g.since > maxToken:
		return 0, problem.New(problem.TooLarge, "This workbook has a cell that is too long.")
	case err != nil && !errors.Is(err, io.EOF):
		return n, damaged() // bad compression, a wrong checksum
	}
	return n, err
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// text collects runs of text. Excel writes characters that XML cannot hold, and
// "_x" before four hexadecimal digits, as _x000D_.
type text struct {
	strings.Builder
	limit int
}

func (t *text) add(data []byte) {
	if room := t.limit - t.Len(); room > 0 {
		t.Write(data[:min(len(data), room)])
	}
}

func unescape(s string) string {
	i := strings.Index(s, "_x")
	if i < 0 {
		return s
	}
	var b strings.Builder
	for ; i >= 0; i = strings.Index(s, "_x") {
		b.WriteString(s[:i])
		if len(s) >= i+7 && s[i+6] == '_' {
			if n, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil {
				b.WriteRune(rune(n))
				s = s[i+7:]
				continue
			}
		}
		b.WriteString("_x")
		s = s[i+2:]
	}
	b.WriteString(s)
	return b.String()
}

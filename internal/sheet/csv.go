package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	utf "golang.org/x/text/encoding/unicode"

	"commissionportal/internal/problem"
)

// csvSource reads delimited text: RFC 4180, and what Excel writes and takes
// besides (any line end, a quote inside an unquoted cell). encoding/csv is
// close, but holds a cell of any length, and does not know "\r" as a line end.
type csvSource struct {
	in        *bufio.Reader
	delimiter byte
	limits    Limits
	line      int // ends passed so far
	text      []byte
	ends      []int
}

func openCSV(r io.ReaderAt, size int64, o Options, limits Limits) (source, string, error) {
	name, enc, err := charset(io.NewSectionReader(r, 0, size), o.Encoding)
	if err != nil {
		return nil, "", err
	}
	open := func() *bufio.Reader {
		var in io.Reader = io.NewSectionReader(r, 0, size)
		if enc != nil {
			in = enc.NewDecoder().Reader(in)
		}
		b := bufio.NewReaderSize(in, 64<<10)
		if mark, err := b.Peek(3); err == nil && string(mark) == "\uFEFF" {
			_, _ = b.Discard(3) // cannot fail: they are in the buffer
		}
		return b
	}
	s := &csvSource{in: open(), limits: limits}
	sample, err := s.in.Peek(32 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	if binary(sample) {
		return nil, "", problem.New(problem.Invalid, notTable)
	}
	s.delimiter = guessDelimiter(bytes.Clone(sample), err == nil, limits)
	// Excel writes and obeys a first line "sep=;".
	if line, _, found := bytes.Cut(sample, []byte("\n")); found && len(bytes.TrimSuffix(line, []byte("\r"))) == 5 && strings.EqualFold(string(line[:4]), "sep=") {
		s.delimiter = line[4]
		_, _ = s.in.Discard(len(line) + 1)
		s.line = 1
	}
	if o.Delimiter != 0 {
		if !strings.ContainsRune(",;|\t", o.Delimiter) {
			return nil, "", problem.New(problem.Invalid, "Cells cannot be delimited by %q.", o.Delimiter)
		}
		s.delimiter = byte(o.Delimiter)
	}
	return s, name, nil
}

// charset tells the encoding of a text; a nil one is UTF-8. Nothing but the whole
// file decides between UTF-8 and Windows-1252: the first name with an accent may
// stand in its last row.
func charset(r io.Reader, wanted string) (string, encoding.Encoding, error) {
	if wanted != "" {
		enc, err := htmlindex.Get(wanted)
		if err != nil {
			return "", nil, problem.New(problem.Invalid, "There is no encoding %q.", wanted)
		}
		name, err := htmlindex.Name(enc)
		return name, enc, err
	}
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, err
	}
	little, big := utf.UTF16(utf.LittleEndian, utf.UseBOM), utf.UTF16(utf.BigEndian, utf.UseBOM)
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		return "utf-8", nil, nil
	case bytes.HasPrefix(head, []byte("\xFF\xFE")):
		return "utf-16le", little, nil
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return "utf-16be", big, nil
	}
	// Without a mark: commas, spaces and line ends have a zero byte beside them.
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	if half := len(head) / 8; zeros[1] > half && zeros[0] == 0 {
		return "utf-16le", little, nil
	} else if zeros[0] > half && zeros[1] == 0 {
		return "utf-16be", big, nil
	}
	right, wrong := 0, 0 // sequences beyond ASCII that are UTF-8, and bytes that are not
	for {
		chunk, err := in.Peek(64 << 10)
		if len(chunk) == 0 {
			if err != nil && !errors.Is(err, io.EOF) {
				return "", nil, err
			}
			break
		}
		done := 0
		for done < len(chunk) {
			if chunk[done] < utf8.RuneSelf {
				done++
				continue
			}
			if err == nil && !utf8.FullRune(chunk[done:]) {
				break // its end is in the next chunk
			}
			_, n := utf8.DecodeRune(chunk[done:])
			if done += n; n == 1 {
				wrong++
			} else {
				right++
			}
		}
		_, _ = in.Discard(done)
	}
	if wrong > right {
		return "windows-1252", charmap.Windows1252, nil
	}
	return "utf-8", nil, nil
}

// binary reports whether a text is none: a tenth of it is control characters.
func binary(sample []byte) bool {
	n := 0
	for _, b := range sample {
		if b < 9 || b > 13 && b < 27 {
			n++
		}
	}
	return n > 8 && 10*n > len(sample)
}

// guessDelimiter takes the delimiter that cuts the first lines most evenly.
func guessDelimiter(sample []byte, more bool, limits Limits) byte {
	best, bestEven, bestWidth := byte(','), 0.0, 0
	for _, d := range []byte{',', ';', '\t', '|'} {
		s := csvSource{in: bufio.NewReaderSize(bytes.NewReader(sample), len(sample)), delimiter: d, limits: limits}
		count, rows := map[int]int{}, 0
		for rows < 50 {
			row, err := s.next()
			if err != nil || more && s.in.Buffered() == 0 && rows > 0 {
				break // the last line of the sample may be cut
			}
			if len(row.Cells) > 1 || row.Cells[0] != "" {
				rows++
				count[len(row.Cells)]++
			}
		}
		for width, n := range count {
			even := float64(n) / float64(rows)
			if width > 1 && (even > bestEven || even == bestEven && width > bestWidth) {
				best, bestEven, bestWidth = d, even, width
			}
		}
	}
	return best
}

// next reads one record. A cell is held up to the limit and one character more.
func (s *csvSource) next() (Row, error) {
	row := Row{Line: s.line + 1}
	s.text, s.ends = s.text[:0], s.ends[:0]
	for first := true; ; first = false {
		end, err := s.cell(&row, first)
		if err != nil {
			return Row{}, err
		}
		if len(s.ends) <= s.limits.Columns {
			s.ends = append(s.ends, len(s.text))
		} else {
			s.text = s.text[:s.ends[len(s.ends)-1]]
		}
		if end {
			break
		}
	}
	text, from := string(s.text), 0
	row.Cells = make([]string, len(s.ends))
	for i, to := range s.ends {
		row.Cells[i] = unguard(text[from:to])
		from = to
	}
	return row, nil
}

// cell reads one cell and what ends it; true at the end of the record. io.EOF
// comes only where a record would begin.
func (s *csvSource) cell(row *Row, first bool) (last bool, err error) {
	start := len(s.text)
	keep := func(b byte) {
		if len(s.text)-start <= s.limits.Cell*utf8.UTFMax {
			s.text = append(s.text, b)
		}
	}
	b, err := s.in.ReadByte()
	if errors.Is(err, io.EOF) && !first {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	quoted := b == '"'
	if quoted {
		b, err = s.in.ReadByte()
	}
	for ; ; b, err = s.in.ReadByte() {
		switch {
		case errors.Is(err, io.EOF):
			if quoted {
				row.Faults = append(row.Faults, refuse(len(s.ends), "A quotation mark is opened and never closed."))
			}
			return true, nil
		case err != nil:
			return true, err
		case quoted && b == '"':
			next, err := s.in.Peek(1)
			if err == nil && next[0] == '"' {
				_, _ = s.in.Discard(1)
				keep('"')
				continue
			}
			if err == nil && next[0] != s.delimiter && next[0] != '\r' && next[0] != '\n' {
				row.Faults = append(row.Faults, refuse(len(s.ends), "A quotation mark inside a quoted cell is not doubled."))
				return true, s.skipLine()
			}
			quoted = false
		case b == '\n' || b == '\r':
			s.lineEnd(b)
			if !quoted {
				return true, nil
			}
			keep('\n')
		case b == s.delimiter && !quoted:
			return false, nil
		default:
			keep(b)
		}
	}
}

// lineEnd counts a line end, of which b is the first byte.
func (s *csvSource) lineEnd(b byte) {
	s.line++
	if b == '\r' {
		if next, err := s.in.Peek(1); err == nil && next[0] == '\n' {
			_, _ = s.in.Discard(1)
		}
	}
}

// skipLine finds the next record after one that cannot be read.
func (s *csvSource) skipLine() error {
	for {
		b, err := s.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if b == '\n' || b == '\r' {
			s.lineEnd(b)
			return nil
		}
	}
}

package extract

import (
	"io"
	"unicode"
	"unicode/utf8"
)

// text is where readers put what they find. It makes clean what comes, whatever
// it was: valid UTF-8, no control characters, no runs of blanks, at most one
// empty line; and it ends them with errFull when there is enough.
type text struct {
	out   io.Writer
	b     []byte
	total int // bytes given, and held
	limit int
	full  bool
	gap   rune // what is to come before the next character: 0, ' ', '\n', 'p' (an empty line), '\f'
	began bool
}

const textChunk = 64 << 10

func newText(out io.Writer) *text { return &text{out: out, limit: MaxText} }

// write adds text as it stands in the file: with "\n" between lines.
func (t *text) write(s string) error {
	for i, r := range s {
		switch {
		case r == '\n' || r == '\u2028' || r == '\v':
			t.newline()
		case r == '\u2029':
			t.paragraph()
		case r == '\f':
			t.page()
		case r == utf8.RuneError: // invalid here too, as it should be shown
			if err := t.put(utf8.RuneError); err != nil {
				return err
			}
		case unicode.IsSpace(r), r == '\u200B': // a zero width space parts words
			if t.gap == 0 {
				t.gap = ' '
			}
		case unicode.IsControl(r), r == '\uFEFF', r == '\u00AD', noncharacter(r):
			// Soft hyphens too: the word is whole without them.
		default:
			if err := t.put(r); err != nil {
				return err
			}
		}
		_ = i
	}
	return nil
}

func noncharacter(r rune) bool { return r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF }

func (t *text) newline() {
	switch t.gap {
	case 0, ' ':
		t.gap = '\n'
	case '\n':
		t.gap = 'p'
	}
}

// paragraph ends one.
func (t *text) paragraph() {
	if t.gap != '\f' {
		t.gap = 'p'
	}
}

// space parts words.
func (t *text) space() {
	if t.gap == 0 {
		t.gap = ' '
	}
}

// line ends a line, if one has begun.
func (t *text) line() {
	if t.gap == 0 || t.gap == ' ' {
		t.gap = '\n'
	}
}

// page ends a page. Each one counts, so that the pages before a text can be
// counted.
func (t *text) page() {
	if t.gap == '\f' {
		_ = t.add("\f") // no room: the text is full, which the next character finds
	}
	t.gap, t.began = '\f', true
}

func (t *text) put(r rune) error {
	if t.full {
		return errFull
	}
	between := ""
	switch t.gap {
	case ' ', '\n', '\f':
		between = string(t.gap)
	case 'p':
		between = "\n\n"
	}
	t.gap = 0
	if !t.began {
		between, t.began = "", true
	}
	return t.add(between + string(r))
}

func (t *text) add(s string) error {
	if t.total+len(s) > t.limit {
		t.full = true
		return errFull
	}
	t.b = append(t.b, s...)
	t.total += len(s)
	if len(t.b) >= textChunk {
		return t.flush()
	}
	return nil
}

func (t *text) flush() error {
	if len(t.b) == 0 {
		return nil
	}
	err := writeFrame(t.out, frameText, t.b)
	t.b = t.b[:0]
	return err
}

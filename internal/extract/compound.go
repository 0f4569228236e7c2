package extract

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/richardlehane/mscfb"
	"golang.org/x/text/encoding/charmap"
)

// maxStream bounds a stream of an old office file, which is held.
const maxStream = 96 << 20

// streams reads the named streams at the root of a compound file; one that is
// not there is nil.
func streams(in *source, names ...string) (map[string][]byte, error) {
	damaged := broken("This file is damaged: its container cannot be read.")
	c, err := mscfb.New(in)
	if err != nil {
		return nil, damaged
	}
	out := map[string][]byte{}
	for f, err := c.Next(); !errors.Is(err, io.EOF); f, err = c.Next() {
		if err != nil {
			return nil, damaged
		}
		for _, name := range names {
			if len(f.Path) > 0 || !strings.EqualFold(f.Name, name) || out[name] != nil || f.Size == 0 {
				continue
			}
			if f.Size < 0 || f.Size > in.size {
				return nil, damaged
			}
			if f.Size > maxStream {
				return nil, tooLarge("A part of this file is larger than %d MB.", maxStream>>20)
			}
			if out[name], err = io.ReadAll(io.LimitReader(f, f.Size)); err != nil {
				return nil, damaged
			}
		}
	}
	return out, nil
}

// bytesAt are n bytes of b, if it has them.
func bytesAt(b []byte, at, n int64) ([]byte, bool) {
	if at < 0 || n < 0 || at > int64(len(b)) || n > int64(len(b))-at {
		return nil, false
	}
	return b[at : at+n], true
}

func uint16At(b []byte, at int) int {
	if at < 0 || at+2 > len(b) {
		return 0
	}
	return int(binary.LittleEndian.Uint16(b[at:]))
}

func uint32At(b []byte, at int) int64 {
	if at < 0 || at+4 > len(b) {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(b[at:]))
}

// utf16Text decodes little-endian UTF-16.
func utf16Text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func windows1252(b []byte) string {
	s, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return ""
	}
	return string(s)
}

// docText reads a Word 97 document through its table of pieces, or an older one
// as it lies.
func docText(in *source, t *text) error {
	parts, err := streams(in, "WordDocument", "0Table", "1Table")
	if err != nil {
		return err
	}
	damaged := broken("This file is damaged: its text cannot be found.")
	doc := parts["WordDocument"]
	if len(doc) < 0x60 || uint16At(doc, 0) != 0xA5EC && uint16At(doc, 0) != 0xA5DC {
		return damaged
	}
	flags := uint16At(doc, 0x0A)
	if flags&0x0100 != 0 {
		return errEncrypted
	}
	w := &wordText{t: t}
	if uint16At(doc, 2) < 101 { // before Word 97
		from, to := uint32At(doc, 0x18), uint32At(doc, 0x1C)
		b, ok := bytesAt(doc, from, to-from)
		if !ok {
			return damaged
		}
		return w.write(windows1252(b))
	}
	table := parts["0Table"]
	if flags&0x0200 != 0 {
		table = parts["1Table"]
	}
	clx, ok := bytesAt(table, uint32At(doc, 0x1A2), uint32At(doc, 0x1A6))
	for ok && len(clx) >= 3 && clx[0] == 1 { // formatting before the table
		clx, ok = bytesAt(clx, 3+int64(uint16At(clx, 1)), max(int64(len(clx))-3-int64(uint16At(clx, 1)), 0))
	}
	if !ok || len(clx) < 5 || clx[0] != 2 {
		return damaged
	}
	pieces, ok := bytesAt(clx, 5, uint32At(clx, 1))
	if !ok {
		return damaged
	}
	n := (len(pieces) - 4) / 12
	for i := range n {
		length := uint32At(pieces, 4*i+4) - uint32At(pieces, 4*i)
		at := uint32At(pieces, 4*(n+1)+8*i+2)
		if length < 0 {
			return damaged
		}
		var s string
		if at&(1<<30) != 0 {
			b, ok := bytesAt(doc, (at&(1<<30-1))/2, length)
			if !ok {
				return damaged
			}
			s = windows1252(b)
		} else {
			b, ok := bytesAt(doc, at, 2*length)
			if !ok {
				return damaged
			}
			s = utf16Text(b)
		}
		if err := w.write(s); err != nil {
			return err
		}
	}
	return nil
}

// wordText writes the text of old Word, in which controls mark what ends.
type wordText struct {
	t      *text
	fields []bool // open fields: whether their result has begun
}

func (w *wordText) write(s string) error {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case 0x13:
			if len(w.fields) < maxDepth {
				w.fields = append(w.fields, false)
			}
			continue
		case 0x14:
			if n := len(w.fields); n > 0 {
				w.fields[n-1] = true
			}
			continue
		case 0x15:
			if n := len(w.fields); n > 0 {
				w.fields = w.fields[:n-1]
			}
			continue
		}
		if n := len(w.fields); n > 0 && !w.fields[n-1] {
			continue // the instruction of a field
		}
		switch r {
		case '\r':
			b.WriteByte('\n')
		case 0x07:
			b.WriteByte('\t')
		case 0x1E:
			b.WriteByte('-')
		default:
			b.WriteRune(r)
		}
	}
	return w.t.write(b.String())
}

// pptText reads the texts of a PowerPoint 97 presentation.
func pptText(in *source, t *text) error {
	parts, err := streams(in, "PowerPoint Document", "Current User")
	if err != nil {
		return err
	}
	if uint32At(parts["Current User"], 12) == 0xF3D1C4DF {
		return errEncrypted
	}
	b := parts["PowerPoint Document"]
	slides := 0
	for len(b) >= 8 {
		kind, n := uint16At(b, 2), uint32At(b, 4)
		container := b[0]&0xF == 0xF
		switch {
		case kind == 0x03F8: // a master, which says where to click
		case container:
			b = b[8:]
			continue
		case kind == 0x03F3: // a slide of the list begins
			if slides++; slides > 1 {
				t.page()
			}
		case kind == 0x0FA0 || kind == 0x0FA8:
			body, ok := bytesAt(b, 8, n)
			if !ok {
				return broken("This file is damaged: it breaks off.")
			}
			var s string
			if kind == 0x0FA0 {
				s = utf16Text(body)
			} else {
				s = windows1252(body)
			}
			if err := t.write(strings.ReplaceAll(s, "\r", "\n") + "\n"); err != nil {
				return err
			}
		}
		rest, ok := bytesAt(b, 8+n, int64(len(b))-8-n)
		if !ok {
			return nil
		}
		b = rest
	}
	return nil
}

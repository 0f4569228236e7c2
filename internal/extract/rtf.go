package extract

import (
	"bufio"
	"errors"
	"io"
	"strconv"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// codePages are Windows' code pages by their number.
var codePages = map[int]encoding.Encoding{
	437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 855: charmap.CodePage855, 866: charmap.CodePage866, 874: charmap.Windows874,
	932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR, 950: traditionalchinese.Big5,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253, 1254: charmap.Windows1254,
	1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258, 10000: charmap.Macintosh,
}

// rtfCharsets are the code pages of the charsets of fonts.
var rtfCharsets = map[int]int{
	0: 1252, 77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250,
}

// rtfState is what a group of RTF inherits and restores.
type rtfState struct {
	skip bool // a destination that shows nothing
	skin int  // how many characters stand in for a Unicode one
	font int
}

type rtf struct {
	in    *bufio.Reader
	t     *text
	stack []rtfState
	rtfState
	page, base int         // code page of the document; font it begins with
	fonts      map[int]int // code page of each font
	naming     int         // font of the table that is being described
	table      int         // depth of the group of the font table, 0 outside
	pending    []byte      // characters of a code page that wait to be decoded
	skipping   int         // stand-ins that are still to come
	high       rune        // first half of a pair
}

// rtfText reads RTF as its writers mean it: text of code pages by font, Unicode
// with stand-ins, and destinations that show nothing.
func rtfText(in *source, t *text) error {
	r := &rtf{in: bufio.NewReader(in.reader()), t: t, rtfState: rtfState{skin: 1, font: -1}, page: 1252, base: -1, fonts: map[int]int{}}
	for {
		b, err := r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return r.decode()
		}
		if err != nil {
			return err
		}
		if err := r.step(b); err != nil {
			return err
		}
	}
}

func (r *rtf) step(b byte) error {
	switch b {
	case '{':
		if err := r.decode(); err != nil {
			return err
		}
		if len(r.stack) >= maxDepth {
			return broken("This file is damaged: its groups are nested more than %d deep.", maxDepth)
		}
		r.stack = append(r.stack, r.rtfState)
		r.skipping = 0
	case '}':
		if err := r.decode(); err != nil {
			return err
		}
		if n := len(r.stack); n > 0 {
			r.rtfState, r.stack = r.stack[n-1], r.stack[:n-1]
		}
		if r.table > len(r.stack) {
			r.table = 0
		}
		r.skipping = 0
	case '\\':
		return r.control()
	case '\r', '\n', 0:
	default:
		r.char(b)
		if len(r.pending) >= textChunk && b < 0x80 { // not within a character
			return r.decode()
		}
	}
	return nil
}

// char is one byte of text.
func (r *rtf) char(b byte) {
	switch {
	case r.skipping > 0:
		r.skipping--
	case !r.skip:
		r.pending = append(r.pending, b)
	}
}

// decode writes what waits, in the code page of the font.
func (r *rtf) decode() error {
	if len(r.pending) == 0 {
		return nil
	}
	page, ok := r.fonts[r.font]
	if !ok {
		page = r.page
	}
	s := string(r.pending)
	if e := codePages[page]; e != nil {
		if b, err := e.NewDecoder().Bytes(r.pending); err == nil {
			s = string(b)
		}
	}
	r.pending = r.pending[:0]
	return r.t.write(s)
}

const maxWord = 64 // bytes of a control word and its number

func (r *rtf) control() error {
	b, err := r.in.ReadByte()
	if errors.Is(err, io.EOF) {
		return nil // which is found again
	}
	if err != nil {
		return err
	}
	if b|0x20 < 'a' || b|0x20 > 'z' {
		return r.symbol(b)
	}
	word := []byte{b}
	var digits []byte
	for len(word)+len(digits) < maxWord {
		b, err := r.in.ReadByte()
		if err != nil {
			break
		}
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		switch {
		case letter && len(digits) == 0:
			word = append(word, b)
			continue
		case b >= '0' && b <= '9', b == '-' && len(digits) == 0:
			digits = append(digits, b)
			continue
		case b != ' ':
			_ = r.in.UnreadByte() // just read: it can be
		}
		break
	}
	n, err := strconv.Atoi(string(digits))
	return r.word(string(word), n, err == nil)
}

func (r *rtf) symbol(b byte) error {
	switch b {
	case '\'':
		var hex [2]byte
		_, err := io.ReadFull(r.in, hex[:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n, err := strconv.ParseUint(string(hex[:]), 16, 8); err == nil {
			r.char(byte(n))
		}
		return nil
	case '\\', '{', '}':
		r.char(b)
		return nil
	case '*':
		// What follows is for programs that know it, and shows nothing, but for
		// some that are let in by their word.
		r.skip = true
		return nil
	}
	if err := r.decode(); err != nil || r.skip {
		return err
	}
	switch b {
	case '~':
		r.t.space()
	case '_':
		return r.t.write("\u2011")
	case '\r', '\n':
		r.t.line()
	}
	return nil
}

// unseen are the destinations without text of the document.
var unseen = map[string]bool{
	"fonttbl": true, "colortbl": true, "stylesheet": true, "info": true, "pict": true, "object": true, "objdata": true, "themedata": true,
	"colorschememapping": true, "datastore": true, "latentstyles": true, "listtable": true, "listoverridetable": true, "rsidtbl": true,
	"generator": true, "fldinst": true, "filetbl": true, "revtbl": true, "xmlnstbl": true, "bkmkstart": true, "bkmkend": true, "nonshppict": true,
	"pntext": true, "listtext": true, "pnseclvl": true, "mmathPr": true, "wgrffmtfilter": true, "private": true, "template": true,
	"passwordhash": true, "blipuid": true, "sp": true, "xe": true, "tc": true, "falt": true, "panose": true,
}

func (r *rtf) word(word string, n int, has bool) error {
	if word == "u" {
		if !r.skip {
			if err := r.unicode(n); err != nil {
				return err
			}
		}
		r.skipping = r.skin
		return nil
	}
	if r.skipping > 0 && word != "uc" {
		r.skipping--
		return nil
	}
	if err := r.decode(); err != nil {
		return err
	}
	switch word {
	case "uc":
		r.skin = min(max(n, 0), 16)
	case "ansicpg":
		if codePages[n] != nil {
			r.page = n
		}
	case "mac":
		r.page = 10000
	case "pc":
		r.page = 437
	case "pca":
		r.page = 850
	case "deff":
		r.base, r.font = n, n
	case "fonttbl":
		r.table, r.skip = len(r.stack), true
	case "f":
		if r.table > 0 {
			r.naming = n
		} else {
			r.font = n
		}
	case "fcharset":
		if p := rtfCharsets[n]; p != 0 && r.table > 0 && len(r.fonts) < maxEntries {
			r.fonts[r.naming] = p
		}
	case "cpg":
		if codePages[n] != nil && r.table > 0 && len(r.fonts) < maxEntries {
			r.fonts[r.naming] = n
		}
	case "plain":
		r.font = r.base
	case "bin":
		_, err := io.CopyN(io.Discard, r.in, int64(max(n, 0)))
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	case "shpinst":
		// In a group that programs may skip, and all read.
		if n := len(r.stack); n > 0 && r.table == 0 {
			r.skip = r.stack[n-1].skip
		}
	default:
		if unseen[word] {
			r.skip = true
			return nil
		}
	}
	if r.skip {
		return nil
	}
	switch word {
	case "par", "line", "row", "sect", "nestrow":
		r.t.newline()
	case "tab", "cell", "nestcell", "emspace", "enspace", "qmspace":
		r.t.space()
	case "page", "pagebb":
		r.t.page()
	default:
		if s := rtfSigns[word]; s != "" {
			return r.t.write(s)
		}
	}
	return nil
}

var rtfSigns = map[string]string{
	"emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•",
}

// unicode writes a character, which is 16 bits with a sign, or half of one.
func (r *rtf) unicode(n int) error {
	if err := r.decode(); err != nil {
		return err
	}
	c := rune(uint16(n))
	if n > 0xFFFF {
		c = rune(min(n, 0x10FFFF))
	}
	switch {
	case c >= 0xD800 && c < 0xDC00:
		r.high = c
		return nil
	case c >= 0xDC00 && c < 0xE000:
		if r.high != 0 {
			c = (r.high-0xD800)<<10 | (c - 0xDC00) + 0x10000
		}
	case c >= 0xF000 && c <= 0xF0FF: // a symbol font
		c -= 0xF000
	}
	r.high = 0
	return r.t.write(string(c))
}

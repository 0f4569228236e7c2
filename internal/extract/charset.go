package extract

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	textunicode "golang.org/x/text/encoding/unicode"
)

// encodingNamed is an encoding by its web name, nil if there is none.
func encodingNamed(name string) encoding.Encoding {
	e, err := htmlindex.Get(strings.TrimSpace(name))
	if err != nil {
		return nil
	}
	return e
}

// wideText is UTF-16, as its mark or its zero bytes tell; nil if it is not.
func wideText(head []byte) encoding.Encoding {
	little := textunicode.UTF16(textunicode.LittleEndian, textunicode.UseBOM)
	big := textunicode.UTF16(textunicode.BigEndian, textunicode.UseBOM)
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")):
		return little
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return big
	}
	// Without a mark: every line end, blank and Latin letter has a zero on the
	// same side, and the other side has none.
	var zero [2]int
	for i, b := range head {
		if b == 0 {
			zero[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case half < 8:
		return nil
	case zero[1] > half/2 && zero[0] == 0:
		return little
	case zero[0] > half/2 && zero[1] == 0:
		return big
	}
	return nil
}

// sample is how much of a text is looked at to tell its encoding.
const sample = 64 << 10

// encodingOf tells the encoding of a text that begins so; whole says that it is
// all of it.
func encodingOf(head []byte, whole bool) encoding.Encoding {
	if e := wideText(head); e != nil {
		return e
	}
	if (bytes.Contains(head, []byte("\x1b$B")) || bytes.Contains(head, []byte("\x1b$@"))) && highBytes(head) == 0 {
		return japanese.ISO2022JP
	}
	if bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")) || validUTF8(head, whole) {
		return textunicode.UTF8
	}
	best, most := encoding.Encoding(charmap.Windows1252), math.Inf(-1)
	for _, c := range candidates {
		if s := c.score(head); s > most {
			best, most = c.Encoding, s
		}
	}
	// UTF-8 with some bytes gone wrong is still that.
	if s := scoreUTF8(head); s > most {
		return textunicode.UTF8
	}
	return best
}

func validUTF8(b []byte, whole bool) bool {
	if utf8.Valid(b) {
		return true
	}
	if whole {
		return false
	}
	for cut := 1; cut < utf8.UTFMax && cut < len(b); cut++ { // a sample may end within a character
		if utf8.Valid(b[:len(b)-cut]) {
			return true
		}
	}
	return false
}

func highBytes(b []byte) int {
	n := 0
	for _, c := range b {
		if c >= 0x80 {
			n++
		}
	}
	return n
}

// scoreUTF8 is high if most high bytes belong to characters of several bytes.
func scoreUTF8(b []byte) float64 {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case n > 1:
			good += n
		case r == utf8.RuneError:
			bad++
		}
		i += n
	}
	if good == 0 || bad*4 > good {
		return math.Inf(-1)
	}
	return float64(good)
}

// candidate is an old encoding, with what tells a text in it from one that only
// happens to be readable in it.
type candidate struct {
	encoding.Encoding
	common func(r, before rune) float64 // how expected a character beyond ASCII is after another, -3 to 1
	bytes  float64                      // of the file for one such character
}

var candidates = []candidate{
	{charmap.Windows1252, western, 1},
	{charmap.Windows1251, cyrillic, 1},
	{charmap.KOI8R, cyrillic, 1},
	{charmap.CodePage866, cyrillic, 1},
	{charmap.Windows1250, latin("ąćęłńóśźżáčďéěíňřšťúůýžőűöüäăâîșşţ„”"), 1},
	{charmap.Windows1253, greek, 1},
	{charmap.Windows1254, latin("ğışçöüİĞŞÇÖÜâ"), 1},
	{charmap.Windows1255, hebrew, 1},
	{charmap.Windows1256, arabic, 1},
	{charmap.Windows1257, latin("āčēģīķļņšūžąęėįųõäöü„"), 1},
	{japanese.ShiftJIS, kana, 2},
	{japanese.EUCJP, kana, 2},
	{simplifiedchinese.GB18030, hanzi(firstLevel(simplifiedchinese.GBK, 0xB0, 0xD7, 0xA1)), 2},
	{traditionalchinese.Big5, hanzi(firstLevel(traditionalchinese.Big5, 0xA4, 0xC6, 0x40)), 2},
	{korean.EUCKR, hangul(firstLevel(korean.EUCKR, 0xB0, 0xC8, 0xA1)), 2},
}

// score weighs head read in the encoding. It counts bytes, so that one character
// of two bytes is worth as much as two of one.
func (c candidate) score(head []byte) float64 {
	decoded, _ := c.NewDecoder().Bytes(head) // what cannot be read is there as U+FFFD
	var sum float64
	before := ' '
	for _, r := range string(decoded) {
		if r >= 0x80 {
			switch {
			case r == utf8.RuneError:
				sum -= 6
			case r < 0xA0 || r >= 0xE000 && r <= 0xF8FF: // controls, private
				sum -= 3
			default:
				sum += c.bytes * c.common(r, before)
			}
		}
		before = r
	}
	return sum
}

// western takes the letters of the languages of Western Europe; where one of
// them stands between letters it is most likely.
func western(r, before rune) float64 {
	switch {
	case strings.ContainsRune("éèêëàâäáãåæçíìîïñóòôöõøœúùûüÿßÉÈÀÂÄÁÅÇÍÎÓÖÔØÚÜÑ", r):
		if unicode.IsUpper(r) && unicode.IsLower(before) {
			return -1
		}
		if before >= 0x80 && unicode.IsLetter(before) { // two in a row are rare
			return -0.5
		}
		return 0.8
	case strings.ContainsRune("«»’‘“”–—…°€§©®•¿¡·ºª\u00a0", r):
		return 0.6
	case unicode.IsLetter(r):
		return -0.5
	}
	return -1
}

// latin takes the letters of other languages of Europe. Where a text can be of
// both Western wins.
func latin(letters string) func(r, before rune) float64 {
	return func(r, before rune) float64 {
		switch {
		case strings.ContainsRune(letters, unicode.ToLower(r)):
			if unicode.IsUpper(r) && unicode.IsLower(before) {
				return -1
			}
			if before >= 0x80 && unicode.IsLetter(before) {
				return -0.4
			}
			return 0.75
		case strings.ContainsRune("«»’‘“”–—…°€§\u00a0", r):
			return 0.3
		}
		return -1
	}
}

// greek knows which letters are rare, which Hebrew ones would be taken for.
func greek(r, before rune) float64 {
	switch {
	case strings.ContainsRune("ΰϊϋΪΫ", r), before < 0x80 && unicode.IsLetter(before), unicode.IsUpper(r) && unicode.IsLower(before), before == 'ς' && unicode.IsLetter(r):
		return -2
	case strings.ContainsRune("αοιετσνηυρπκμλςωάέήίόύώ", r):
		return 0.9
	case unicode.Is(unicode.Greek, r):
		return 0.4
	case strings.ContainsRune("«»’‘“”–—…\u00a0", r):
		return 0.3
	}
	return -1
}

func hebrew(r, before rune) float64 {
	switch {
	case unicode.Is(unicode.Hebrew, r):
		if before < 0x80 && unicode.IsLetter(before) {
			return -1
		}
		return 0.9
	case strings.ContainsRune("„”“–—…₪\u00a0", r):
		return 0.3
	}
	return -1
}

// cyrillic tells the three encodings apart by how frequent the letters are, and
// by capitals, which stand within words in the wrong one.
func cyrillic(r, before rune) float64 {
	switch {
	case unicode.IsUpper(r) && unicode.Is(unicode.Cyrillic, before) && unicode.IsLower(before):
		return -2
	case strings.ContainsRune("оеаинтсрвлкмдпуяыьгзб", r):
		return 1
	case r >= 'а' && r <= 'я' || r == 'ё':
		return 0.5
	case r >= 'А' && r <= 'Я':
		return 0.4
	case unicode.Is(unicode.Cyrillic, r):
		return 0.2
	case strings.ContainsRune("«»–—…№„“\u00a0", r):
		return 0.2
	}
	return -2
}

func arabic(r, before rune) float64 {
	switch {
	case r >= 0x621 && r <= 0x64A:
		if before < 0x80 && unicode.IsLetter(before) {
			return -1
		}
		return 0.9
	case unicode.Is(unicode.Arabic, r), r == '،', r == '؟', r == '؛':
		return 0.5
	}
	return -0.8
}

// kana are in every Japanese text, and in no other.
func kana(r, _ rune) float64 {
	switch {
	case r >= 0x3041 && r <= 0x30FE:
		return 1
	case r >= 0xFF61 && r <= 0xFF9F: // half width: one byte, and what other texts look like
		return -0.6
	case unicode.Is(unicode.Han, r):
		return 0.55
	case r >= 0x3000 && r <= 0x303F, r >= 0xFF00 && r <= 0xFF5E:
		return 0.6
	}
	return -0.7
}

// firstLevel are the characters of the first level of an East Asian standard,
// which are most of any text: their first byte is from first to last, and the
// second is of the old standard too.
func firstLevel(e encoding.Encoding, first, last, second byte) func(rune) bool {
	encoder := e.NewEncoder()
	return func(r rune) bool {
		b, err := encoder.Bytes([]byte(string(r)))
		return err == nil && len(b) == 2 && b[0] >= first && b[0] <= last && b[1] >= second
	}
}

func hanzi(common func(rune) bool) func(r, before rune) float64 {
	return func(r, _ rune) float64 {
		switch {
		case unicode.Is(unicode.Han, r):
			if common(r) {
				return 0.85
			}
			return -0.3
		case r >= 0x3000 && r <= 0x303F, r >= 0xFF00 && r <= 0xFF5E, strings.ContainsRune("“”‘’…—", r):
			return 0.7
		case r >= 0x3041 && r <= 0x30FE: // rather Japanese
			return 0.2
		}
		return -0.8
	}
}

func hangul(common func(rune) bool) func(r, before rune) float64 {
	return func(r, _ rune) float64 {
		switch {
		case r >= 0xAC00 && r <= 0xD7A3:
			if common(r) {
				return 0.9
			}
			return -0.5
		case r >= 0x3000 && r <= 0x303F, r >= 0xFF00 && r <= 0xFF5E:
			return 0.5
		case unicode.Is(unicode.Han, r):
			return -0.2
		}
		return -0.8
	}
}

// decoded reads a text in whatever encoding it is.
func decoded(in *source) (io.Reader, error) {
	head, err := in.head(sample)
	if err != nil {
		return nil, err
	}
	e := encodingOf(head, in.size <= sample)
	if e == textunicode.UTF8 {
		return in.reader(), nil // what is wrong in it is replaced rune by rune
	}
	return e.NewDecoder().Reader(in.reader()), nil
}

// plainText reads text, and Markdown as it stands.
func plainText(in *source, t *text) error {
	r, err := decoded(in)
	if err != nil {
		return err
	}
	return writeRunes(bufio.NewReaderSize(r, textChunk), t)
}

// writeRunes writes all of r, where a line is whatever length it has.
func writeRunes(r *bufio.Reader, t *text) error {
	var piece strings.Builder
	for {
		c, _, err := r.ReadRune()
		switch {
		case errors.Is(err, io.EOF):
			return t.write(strings.ReplaceAll(piece.String(), "\r", "\n"))
		case err != nil:
			return err
		case c == '\r':
			if next, err := r.Peek(1); err == nil && next[0] == '\n' {
				continue
			}
			c = '\n'
		}
		piece.WriteRune(c)
		if piece.Len() >= 4<<10 {
			if err := t.write(piece.String()); err != nil {
				return err
			}
			piece.Reset()
		}
	}
}

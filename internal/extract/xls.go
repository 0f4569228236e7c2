package extract

import (
	"encoding/binary"
	"math"
)

// xlsRows reads an Excel 97 workbook, or one of Excel 5.
func xlsRows(in *source, row eachRow) error {
	parts, err := streams(in, "Workbook", "Book")
	if err != nil {
		return err
	}
	b := parts["Workbook"]
	if b == nil {
		b = parts["Book"]
	}
	if uint16At(b, 0)&0xFF != 0x09 {
		return broken("This file is damaged: its workbook cannot be found.")
	}
	x := &xls{row: row, epoch: 1900, page: 1252, names: map[int]string{}, formats: map[int]string{}, at: -1}
	for at := 0; at+4 <= len(b); {
		kind, n := uint16At(b, at), uint16At(b, at+2)
		body, ok := bytesAt(b, int64(at)+4, int64(n))
		if !ok {
			return broken("This file is damaged: it breaks off.")
		}
		next := at + 4 + n
		var more [][]byte
		if kind == 0x00FC || kind == 0x0207 { // texts go on in further records
			for uint16At(b, next) == 0x003C && next+4 <= len(b) {
				c, ok := bytesAt(b, int64(next)+4, int64(uint16At(b, next+2)))
				if !ok {
					break
				}
				more = append(more, c)
				next += 4 + len(c)
			}
		}
		if err := x.record(at, kind, body, more); err != nil {
			return err
		}
		at = next
	}
	return x.end()
}

type xls struct {
	row     eachRow
	names   map[int]string // of sheets, by where they begin
	sheet   string
	inside  bool // in a worksheet
	texts   []string
	formats map[int]string
	xfs     []int
	epoch   int
	page    int
	old     bool // Excel 5: texts of bytes

	at      int // row of cells
	cells   []cell
	formula int // column whose result is the text that follows
}

func (x *xls) record(at, kind int, b []byte, more [][]byte) error {
	switch kind {
	case 0x0809: // a part begins
		x.old = uint16At(b, 0) == 0x0500
		if err := x.end(); err != nil {
			return err
		}
		x.inside = uint16At(b, 2) == 0x0010
		x.sheet = x.names[at]
	case 0x002F:
		return errEncrypted
	case 0x0022:
		if uint16At(b, 0) == 1 {
			x.epoch = 1904
		}
	case 0x0042:
		if p := uint16At(b, 0); codePages[p] != nil {
			x.page = p
		}
	case 0x0085: // a sheet's name
		if len(b) > 7 && len(x.names) < maxParts {
			x.names[int(uint32At(b, 0))] = x.short(b[6:], 1)
		}
	case 0x041E: // a number format
		if len(b) > 4 && len(x.formats) < maxEntries {
			x.formats[uint16At(b, 0)] = x.short(b[2:], 2)
		}
	case 0x00E0: // a cell format
		if len(x.xfs) < 1<<16 {
			x.xfs = append(x.xfs, uint16At(b, 2))
		}
	case 0x00FC:
		return x.shared(b, more)
	}
	if !x.inside {
		return nil
	}
	line, column := uint16At(b, 0), uint16At(b, 2)
	switch kind {
	case 0x00FD: // a shared text
		if i := uint32At(b, 6); i < int64(len(x.texts)) {
			return x.put(line, column, cell{text: x.texts[i]})
		}
	case 0x0204, 0x00D6: // a text of its own
		if len(b) > 8 {
			return x.put(line, column, cell{text: x.short(b[6:], 2)})
		}
	case 0x0203:
		if len(b) >= 14 {
			return x.put(line, column, x.number(uint16At(b, 4), math.Float64frombits(binary.LittleEndian.Uint64(b[6:]))))
		}
	case 0x027E:
		return x.put(line, column, x.number(uint16At(b, 4), rk(uint32At(b, 6))))
	case 0x00BD: // several of them
		for i := 4; i+6 <= len(b)-2; i += 6 {
			if err := x.put(line, column, x.number(uint16At(b, i), rk(uint32At(b, i+2)))); err != nil {
				return err
			}
			column++
		}
	case 0x0205:
		if len(b) >= 8 && b[7] == 0 {
			return x.put(line, column, truth(b[6]))
		}
	case 0x0006: // a formula with its result
		if len(b) < 14 {
			return nil
		}
		if uint16At(b, 12) != 0xFFFF {
			return x.put(line, column, x.number(uint16At(b, 4), math.Float64frombits(binary.LittleEndian.Uint64(b[6:]))))
		}
		x.formula = column
		switch b[6] {
		case 0: // the text follows
			return x.put(line, column, cell{})
		case 1:
			return x.put(line, column, truth(b[8]))
		}
	case 0x0207:
		if x.at >= 0 && len(b) > 2 {
			return x.put(x.at, x.formula, cell{text: x.short(b, 2)})
		}
	}
	return nil
}

func (x *xls) put(line, column int, value cell) error {
	if line != x.at {
		if err := x.end(); err != nil {
			return err
		}
		x.at = line
	}
	if column >= maxColumns {
		return nil
	}
	for len(x.cells) <= column {
		x.cells = append(x.cells, cell{})
	}
	x.cells[column] = value
	return nil
}

// end gives the row that was gathered.
func (x *xls) end() error {
	cells := x.cells
	x.at, x.cells = -1, nil
	if len(cells) == 0 {
		return nil
	}
	return x.row(x.sheet, cells)
}

func truth(b byte) cell {
	if b == 1 {
		return cell{"TRUE", true}
	}
	return cell{"FALSE", true}
}

func (x *xls) number(format int, n float64) cell {
	if format < len(x.xfs) {
		id := x.xfs[format]
		if d := dateStyleOf(id, x.formats[id]); d != noDate {
			return cell{d.show(n, x.epoch), true}
		}
	}
	return cell{number(n), true}
}

// rk is a number in four bytes.
func rk(v int64) float64 {
	var n float64
	if v&2 != 0 {
		n = float64(int32(uint32(v)) >> 2)
	} else {
		n = math.Float64frombits(uint64(v&^3) << 32)
	}
	if v&1 != 0 {
		n /= 100
	}
	return n
}

// short is a text in one record, whose length has size bytes.
func (x *xls) short(b []byte, size int) string {
	n := int(b[0])
	if size == 2 {
		n = uint16At(b, 0)
	}
	b = b[size:]
	if x.old {
		b = b[:min(n, len(b))]
		s, err := codePages[x.page].NewDecoder().Bytes(b)
		if err != nil {
			return ""
		}
		return string(s)
	}
	if len(b) == 0 {
		return ""
	}
	wide, b := b[0]&1 != 0, b[1:]
	if wide {
		return utf16Text(b[:min(2*n, len(b))])
	}
	return latin1(b[:min(n, len(b))])
}

// latin1 is UTF-16 without its high bytes.
func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// shared reads the table of texts, which is cut into records at any place.
func (x *xls) shared(b []byte, more [][]byte) error {
	p := &pieces{b: b, more: more}
	p.skip(4)
	count := p.number(4)
	held := 0
	for range count {
		if p.done() {
			return nil
		}
		n := p.number(2)
		flags := p.number(1)
		rich, extra := 0, 0
		if flags&8 != 0 {
			rich = p.number(2)
		}
		if flags&4 != 0 {
			extra = p.number(4)
		}
		s := p.text(n, flags&1 != 0)
		p.skip(4*rich + extra)
		if held += len(s) + 16; held > maxTexts {
			return tooLarge("The texts of this workbook take more than %d MB.", maxTexts>>20)
		}
		x.texts = append(x.texts, s)
	}
	return nil
}

// pieces reads through records that continue each other.
type pieces struct {
	b    []byte
	more [][]byte
}

func (p *pieces) done() bool { return len(p.b) == 0 && !p.next() }

func (p *pieces) next() bool {
	for len(p.more) > 0 {
		p.b, p.more = p.more[0], p.more[1:]
		if len(p.b) > 0 {
			return true
		}
	}
	p.b = nil
	return false
}

func (p *pieces) skip(n int) {
	for n > 0 && !p.done() {
		k := min(n, len(p.b))
		p.b, n = p.b[k:], n-k
	}
}

func (p *pieces) number(size int) int {
	n := 0
	for i := range size {
		if p.done() {
			return 0
		}
		n |= int(p.b[0]) << (8 * i)
		p.b = p.b[1:]
	}
	return n
}

// text reads n characters. Where they go on in another record, it says anew how
// wide they are.
func (p *pieces) text(n int, wide bool) string {
	s := ""
	for n > 0 {
		if len(p.b) == 0 {
			if !p.next() {
				return s
			}
			wide, p.b = p.b[0]&1 != 0, p.b[1:]
			continue
		}
		if wide {
			k := min(2*n, len(p.b)&^1)
			if k == 0 { // half a character
				p.b = nil
				continue
			}
			s, p.b, n = s+utf16Text(p.b[:k]), p.b[k:], n-k/2
		} else {
			k := min(n, len(p.b))
			s, p.b, n = s+latin1(p.b[:k]), p.b[k:], n-k
		}
	}
	return s
}

package extract

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
)

// The child answers in frames: a letter, a length, that many bytes. The parent
// believes none of it: lengths are bounded, text is checked, pictures are
// looked at.
const (
	frameText    = 'T' // a piece of the text
	framePicture = 'P' // JSON of a Picture without Data, a zero byte, the data
	frameTable   = 'R' // JSON of a Table
	frameEnd     = 'E' // JSON of an ending; without it the child has failed
)

// order is what the child is told to do.
type order struct {
	Type    Type
	Wish    Wish
	Cache   string
	Prepare bool   // nothing but to compile the PDF engine into Cache
	Trap    string // what a test has the child do instead

	Seconds int   // time of the processor, and
	Memory  int64 // bytes, that the child allows itself
}

// ending is how the child says its work ended.
type ending struct {
	Outcome Outcome
	Reason  string
	Pages   int
	Cut     bool
}

func writeFrame(w io.Writer, kind byte, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(n))
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func writeJSON(w io.Writer, kind byte, v any, data ...[]byte) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, kind, append([][]byte{b}, data...)...)
}

var errFrame = errors.New("a frame of the child's answer is too long")

// readFrame reads the next frame; io.EOF after the last.
func readFrame(r io.Reader) (kind byte, data []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxPicture {
		return 0, nil, errFrame
	}
	data = make([]byte, n)
	_, err = io.ReadFull(r, data)
	return head[0], data, err
}

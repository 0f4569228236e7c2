package extract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"
)

// Child does the work and ends the process if this process was started by Run;
// otherwise it returns at once.
func Child() {
	line, ok := os.LookupEnv(mark)
	if !ok {
		return
	}
	if err := serve([]byte(line), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

const maxStack = 64 << 20

func serve(line []byte, in *os.File, out io.Writer) error {
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	if o.Prepare {
		if _, err := newEngine(o.Cache); err != nil {
			return err
		}
		return writeJSON(out, frameEnd, ending{Outcome: Done})
	}
	debug.SetMaxStack(maxStack)
	if err := limitSelf(limits{time: time.Duration(o.Seconds) * time.Second, memory: o.Memory}); err != nil {
		return err
	}
	// The engine is loaded before the file is looked at: after that nothing can
	// be opened.
	var e *engine
	if o.Type == PDF {
		var err error
		if e, err = newEngine(o.Cache); err != nil {
			return err
		}
	}
	if err := lock(); err != nil {
		return err
	}
	if o.Trap != "" {
		return traps[o.Trap](out)
	}
	stat, err := in.Stat()
	if err != nil {
		return err
	}
	a := &answer{out: out, text: newText(out)}
	err = read(o, e, &source{in, stat.Size()}, a)
	if errors.Is(err, errFull) {
		err = nil
	}
	end := ending{Outcome: Done, Pages: a.pages}
	var t *trouble
	switch {
	case errors.As(err, &t):
		end.Outcome, end.Reason = t.outcome, t.reason
	case err != nil:
		end.Outcome, end.Reason = Broken, "This file is damaged."
		fmt.Fprintln(os.Stderr, err)
	}
	if err := a.text.flush(); err != nil {
		return err
	}
	end.Cut = a.text.full
	return writeJSON(out, frameEnd, end)
}

// traps are what tests have a child do, to see that it is held.
var traps = map[string]func(out io.Writer) error{}

// source is the file in the child.
type source struct {
	io.ReaderAt
	size int64
}

func (s *source) reader() io.Reader { return io.NewSectionReader(s, 0, s.size) }

// head is the first n bytes.
func (s *source) head(n int) ([]byte, error) {
	b := make([]byte, min(int64(n), s.size))
	got, err := s.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:got], err
}

// answer is what the child has to say.
type answer struct {
	out   io.Writer
	text  *text
	pages int
}

func (a *answer) picture(p Picture) error {
	data := p.Data
	p.Data = nil
	return writeJSON(a.out, framePicture, p, []byte{0}, data)
}

func (a *answer) table(t Table) error { return writeJSON(a.out, frameTable, t) }

// read hands the file to the reader of its type.
func read(o order, e *engine, in *source, a *answer) error {
	switch rows, words := sheets[o.Type], texts[o.Type]; {
	case o.Type == PDF:
		return readPDF(e, in, o.Wish, a)
	case o.Type.Image():
		return readImage(in, o.Wish, a)
	case rows != nil:
		return readRows(rows, in, o.Wish, a)
	case words != nil && o.Wish.Text:
		return words(in, a.text)
	}
	return nil
}

// texts has the readers of text.
var texts = map[Type]func(*source, *text) error{
	DOCX: docxText, PPTX: pptxText, ODT: odtText, ODP: odtText, DOC: docText, PPT: pptText,
	RTF: rtfText, HTML: htmlText, Markdown: plainText, Text: plainText,
}

// sheets has the readers of tables.
var sheets = map[Type]func(*source, eachRow) error{
	XLSX: xlsxRows, ODS: odsRows, XLS: xlsRows, CSV: csvRows,
}

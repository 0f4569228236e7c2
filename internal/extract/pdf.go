package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// engine is PDFium in WebAssembly: without JavaScript, without a file system,
// in memory of its own.
type engine struct{ pdfium.Pdfium }

// maxEngine bounds the memory of the engine, in pages of 64 KB. It is in the
// child's as well; Go needs the rest for the picture and its encoding.
const maxEngine = 240 << 20 >> 16

func newEngine(cache string) (*engine, error) {
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).WithMemoryLimitPages(maxEngine)
	compiled, err := wazero.NewCompilationCacheWithDir(cache)
	if err != nil {
		return nil, err
	}
	config = config.WithCompilationCache(compiled)
	pool, err := webassembly.Init(webassembly.Config{
		Context:  experimental.WithCompilationWorkers(context.Background(), 2),
		MaxIdle:  1,
		MaxTotal: 1, RuntimeConfig: config, FSConfig: wazero.NewFSConfig(), Stdout: io.Discard, Stderr: io.Discard,
	})
	if err != nil {
		return nil, err
	}
	p, err := pool.GetInstance(time.Minute)
	if err != nil {
		return nil, err
	}
	return &engine{p}, nil
}

// maxPages bounds the pages whose text is read.
const maxPages = 5_000

func readPDF(e *engine, in *source, w Wish, a *answer) error {
	doc, err := e.OpenDocument(&requests.OpenDocument{FileReader: io.NewSectionReader(in, 0, in.size), FileReaderSize: in.size})
	switch {
	case errors.Is(err, pdfiumerrors.ErrPassword), errors.Is(err, pdfiumerrors.ErrSecurity):
		return errEncrypted
	case err != nil:
		return broken("This PDF is damaged: it cannot be opened.")
	}
	count, err := e.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc.Document})
	if err != nil || count.PageCount <= 0 {
		return broken("This PDF is damaged: it has no pages.")
	}
	a.pages = count.PageCount
	form, err := e.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: doc.Document})
	d := &pdf{engine: e, doc: doc.Document, form: err == nil && form.FormType != enums.FPDF_FORMTYPE_NONE}
	return d.read(w, a)
}

type pdf struct {
	*engine
	doc  references.FPDF_DOCUMENT
	form bool
}

func (d *pdf) read(w Wish, a *answer) error {
	good := 0
	var last error
	if w.Text {
		for i := range min(a.pages, maxPages) {
			if i > 0 {
				a.text.page()
			}
			s, err := d.text(i)
			if err != nil {
				last = err // the other pages are worth reading
				continue
			}
			good++
			err = a.text.write(tidy(s))
			if errors.Is(err, errFull) {
				break
			}
			if err == nil {
				err = a.text.flush() // what there is, should the next page take too long
			}
			if err != nil {
				return err
			}
		}
	}
	if w.Thumbnail > 0 {
		if err := d.picture(0, 0, w.Thumbnail, a); err != nil {
			last = err
		} else {
			good++
		}
	}
	for i := max(w.First, 1); i <= min(w.Last, a.pages); i++ {
		if err := d.picture(i-1, i, w.Width, a); err != nil {
			last = err
		} else {
			good++
		}
	}
	if good == 0 && last != nil {
		var own *trouble
		if errors.As(last, &own) {
			return last
		}
		return broken("This PDF is damaged: none of its pages can be read.")
	}
	return nil
}

func (d *pdf) page(i int) requests.Page {
	return requests.Page{ByIndex: &requests.PageByIndex{Document: d.doc, Index: i}}
}

// text is the text of a page in the order it was written in, which is the order
// it is read in; but what is filled into a form stands where it is seen.
func (d *pdf) text(i int) (string, error) {
	plain, err := d.GetPageText(&requests.GetPageText{Page: d.page(i)})
	if err != nil {
		return "", err
	}
	fields := d.fields(i)
	if len(fields) == 0 && !hasLamAlef(plain.Text) {
		return plain.Text, nil
	}
	placed, err := d.GetPageTextStructured(&requests.GetPageTextStructured{Page: d.page(i), Mode: requests.GetPageTextStructuredModeChars})
	if err != nil {
		return "", err
	}
	glyphs := make([]glyph, len(placed.Chars))
	for i, c := range placed.Chars {
		p := c.PointPosition
		glyphs[i] = glyph{c.Text, box{p.Left, p.Bottom, p.Right, p.Top}}
	}
	mendLigatures(glyphs)
	if len(fields) > 0 {
		return readingOrder(append(phrases(glyphs), fields...)), nil
	}
	var b strings.Builder
	for _, g := range glyphs {
		b.WriteString(g.text)
	}
	return b.String(), nil
}

// maxFields bounds the fields of a page.
const maxFields = 2_000

// fields are the values that are filled into the form on a page.
func (d *pdf) fields(i int) []phrase {
	if !d.form {
		return nil
	}
	n, err := d.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: d.page(i)})
	if err != nil {
		return nil
	}
	var out []phrase
	for k := range min(n.Count, maxFields) {
		a, err := d.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: d.page(i), Index: k})
		if err != nil {
			continue
		}
		if f := d.field(a.Annotation); f.text != "" {
			out = append(out, f)
		}
		if _, err := d.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: a.Annotation}); err != nil {
			return out
		}
	}
	return out
}

// field is the value of a field, where it stands; none of one that is ticked.
func (d *pdf) field(a references.FPDF_ANNOTATION) phrase {
	kind, err := d.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: a})
	if err != nil || kind.Subtype != enums.FPDF_ANNOT_SUBTYPE_WIDGET {
		return phrase{}
	}
	get := func(key string) string {
		v, err := d.FPDFAnnot_GetStringValue(&requests.FPDFAnnot_GetStringValue{Annotation: a, Key: key})
		if err != nil {
			return ""
		}
		return strings.TrimSpace(v.Value)
	}
	value := get("V")
	at, err := d.FPDFAnnot_GetRect(&requests.FPDFAnnot_GetRect{Annotation: a})
	if err != nil || value == "" || value == "Off" || get("FT") == "Btn" {
		return phrase{}
	}
	b := box{float64(at.Rect.Left), float64(at.Rect.Bottom), float64(at.Rect.Right), float64(at.Rect.Top)}
	// The field is wider than what stands in it.
	b.right = min(b.right, b.left+b.height()*float64(utf8.RuneCountInString(value))/2)
	return phrase{value, b}
}

// picture renders a page, i from 0, with what is drawn on it and filled in.
func (d *pdf) picture(i, number, width int, a *answer) error {
	width = min(max(width, 16), maxSide)
	r, err := d.RenderPageInPixels(&requests.RenderPageInPixels{
		Page: d.page(i), Width: width, Height: min(3*width, maxSide), RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT, RenderForm: d.form,
	})
	if err != nil {
		return err
	}
	defer r.CleanupFunc()
	if r.Result.RenderedImage == nil {
		return fmt.Errorf("page %d has no picture", i+1)
	}
	return sendPicture(r.Result.RenderedImage, number, a)
}

// tidy takes out the carriage returns of PDFium, and the vowel signs that it
// leaves without their letter.
func tidy(s string) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		stray := r >= 0x64B && r <= 0x652 && unicode.IsSpace(before)
		if before = r; stray || r == '\r' {
			return -1
		}
		return r
	}, s)
}

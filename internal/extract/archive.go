package extract

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
)

// Limits of archives and the XML in them.
const (
	maxEntries  = 20_000
	maxInflated = 256 << 20 // bytes, of all parts that are read
	maxRatio    = 150       // between what comes out of a part and what is in the file, once…
	ratioFrom   = 16 << 20  // …so much has come out
	maxDepth    = 1_000     // open tags
	maxToken    = 1 << 20   // bytes of one tag or run of text
	maxParts    = 2_000     // slides, sheets
)

// archive is a ZIP with the XML of an office program.
type archive struct {
	files map[string]*zip.File // by name in lower case, as these programs compare
	left  int64
}

func openArchive(in *source, inflated int64) (*archive, error) {
	z, err := zip.NewReader(in, in.size)
	if err != nil {
		return nil, broken("This file is damaged: its archive cannot be read.")
	}
	if len(z.File) > maxEntries {
		return nil, tooLarge("This file has more than %d parts.", maxEntries)
	}
	a := &archive{files: map[string]*zip.File{}, left: inflated}
	for _, f := range z.File {
		if name := partName("", f.Name); a.files[name] == nil {
			a.files[name] = f
		}
	}
	return a, nil
}

// partName is the key of a part that another part in folder points to.
func partName(folder, target string) string {
	target = strings.ReplaceAll(target, `\`, "/")
	if !strings.HasPrefix(target, "/") {
		target = "/" + folder + "/" + target
	}
	return strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))
}

// open reads a part, within what is left.
func (a *archive) open(name string) (io.Reader, error) {
	f := a.files[name]
	if f == nil {
		return nil, broken("This file is damaged: a part of it is missing.")
	}
	if f.Flags&1 != 0 {
		return nil, errEncrypted
	}
	in, err := f.Open()
	if err != nil {
		return nil, broken("This file is damaged: a part of it cannot be unpacked.")
	}
	return &inflating{from: in, packed: int64(f.CompressedSize64), left: &a.left}, nil
}

// inflating bounds what comes out of a part.
type inflating struct {
	from        io.Reader
	packed, out int64
	left        *int64
}

func (i *inflating) Read(p []byte) (int, error) {
	n, err := i.from.Read(p)
	i.out += int64(n)
	if *i.left -= int64(n); *i.left < 0 {
		return 0, tooLarge("This file unpacks to more than is read of one.")
	}
	if i.out > ratioFrom && i.out/maxRatio > i.packed {
		return 0, tooLarge("This file unpacks to far more than its size: it is made to do harm.")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, broken("This file is damaged: a part of it cannot be unpacked.")
	}
	return n, err
}

// tokens reads XML tag by tag.
type tokens struct {
	d     *xml.Decoder
	in    *counting
	depth int
}

func (a *archive) tokens(name string) (*tokens, error) {
	in, err := a.open(name)
	if err != nil {
		return nil, err
	}
	return newTokens(in), nil
}

func newTokens(in io.Reader) *tokens {
	c := &counting{from: in}
	d := xml.NewDecoder(c)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if e := encodingNamed(label); e != nil {
			return e.NewDecoder().Reader(in), nil
		}
		return nil, broken("This file is damaged: its XML is in an unknown encoding.")
	}
	d.Strict = true
	return &tokens{d: d, in: c}
}

// next is the next token, io.EOF after the last. A document type, with which an
// attacker defines entities that grow, is refused unread.
func (t *tokens) next() (xml.Token, error) {
	t.in.reset()
	token, err := t.d.RawToken() // keeps no stack
	if err != nil {
		var own *trouble
		if !errors.Is(err, io.EOF) && !errors.As(err, &own) {
			err = broken("This file is damaged: its XML cannot be read.")
		}
		return nil, err
	}
	switch token.(type) {
	case xml.Directive:
		return nil, broken("This file has a document type declaration, which no office program writes. It is not read.")
	case xml.StartElement:
		if t.depth++; t.depth > maxDepth {
			return nil, broken("This file is damaged: its XML has more than %d open tags.", maxDepth)
		}
	case xml.EndElement:
		t.depth--
	}
	return token, nil
}

// each calls start for every opening tag.
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

// counting stops a token that has no end.
type counting struct {
	from  io.Reader
	since int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if c.since += n; c.since > maxToken {
		return 0, tooLarge("This file has a tag or a text without end.")
	}
	return n, err
}

// reset begins the next token.
func (c *counting) reset() { c.since = 0 }

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// relation is a line of a part's list of other parts.
type relation struct{ id, kind, part string }

// relations are what a part, or for "" the archive, points to.
func (a *archive) relations(part string) ([]relation, error) {
	folder, file := path.Split(part)
	name := partName(folder, "_rels/"+file+".rels")
	if a.files[name] == nil {
		return nil, nil
	}
	t, err := a.tokens(name)
	if err != nil {
		return nil, err
	}
	var out []relation
	err = t.each(func(e xml.StartElement) error {
		if e.Name.Local == "Relationship" && attribute(e, "TargetMode") != "External" && len(out) < maxEntries {
			kind := attribute(e, "Type")
			out = append(out, relation{attribute(e, "Id"), kind[strings.LastIndexByte(kind, '/')+1:], partName(folder, attribute(e, "Target"))})
		}
		return nil
	})
	return out, err
}

// main is the part that an Office Open XML file begins with, "" if it has none.
func (a *archive) main() string {
	rs, err := a.relations("")
	if err != nil {
		return ""
	}
	for _, r := range rs {
		if r.kind == "officeDocument" {
			return r.part
		}
	}
	return ""
}

// openDocument is the type an OpenDocument file says it has, "" if it is none.
func (a *archive) openDocument() Type {
	if a.files["mimetype"] == nil || a.files["content.xml"] == nil {
		return ""
	}
	in, err := a.open("mimetype")
	if err != nil {
		return ""
	}
	said, err := io.ReadAll(io.LimitReader(in, 100))
	if err != nil {
		return ""
	}
	for _, t := range []Type{ODT, ODS, ODP} {
		if strings.HasPrefix(strings.TrimSpace(string(said)), string(t)) { // also -template and -web
			return t
		}
	}
	return ""
}

// openXML is the type that an Office Open XML file gives the part it begins
// with; ZIP if it is none.
func (a *archive) openXML() Type {
	main := a.main()
	if a.files[main] == nil || a.files["[content_types].xml"] == nil {
		return ZIP
	}
	t, err := a.tokens("[content_types].xml")
	if err != nil {
		return ZIP
	}
	found := ""
	err = t.each(func(e xml.StartElement) error {
		if part := attribute(e, "PartName"); part != "" && partName("", part) == main {
			found = attribute(e, "ContentType")
		}
		if end := attribute(e, "Extension"); end != "" && found == "" && strings.HasSuffix(main, "."+strings.ToLower(end)) && strings.HasSuffix(attribute(e, "ContentType"), "main+xml") {
			found = attribute(e, "ContentType")
		}
		return nil
	})
	if err != nil || !strings.HasSuffix(found, "main+xml") { // binary workbooks have none
		return ZIP
	}
	for _, kind := range []struct {
		sign string
		t    Type
	}{{"wordprocessingml", DOCX}, {"ms-word", DOCX}, {"spreadsheetml", XLSX}, {"ms-excel", XLSX}, {"presentationml", PPTX}, {"ms-powerpoint", PPTX}} {
		if strings.Contains(found, kind.sign) {
			return kind.t
		}
	}
	return ZIP
}

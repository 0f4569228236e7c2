package extract

import (
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
	"github.com/richardlehane/mscfb"
)

// Type is what a file is by its content: a media type.
type Type string

// The types that are known here. Sniff may find others, as mimetype names them.
const (
	PDF      Type = "application/pdf"
	DOCX     Type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	XLSX     Type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	PPTX     Type = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	ODT      Type = "application/vnd.oasis.opendocument.text"
	ODS      Type = "application/vnd.oasis.opendocument.spreadsheet"
	ODP      Type = "application/vnd.oasis.opendocument.presentation"
	DOC      Type = "application/msword"
	XLS      Type = "application/vnd.ms-excel"
	PPT      Type = "application/vnd.ms-powerpoint"
	RTF      Type = "text/rtf"
	HTML     Type = "text/html"
	SVG      Type = "image/svg+xml"
	Markdown Type = "text/markdown"
	Text     Type = "text/plain"
	CSV      Type = "text/csv"
	PNG      Type = "image/png"
	JPEG     Type = "image/jpeg"
	WebP     Type = "image/webp"
	GIF      Type = "image/gif"
	ZIP      Type = "application/zip"
	Binary   Type = "application/octet-stream"
	Empty    Type = "inode/x-empty"

	// EncryptedOffice is any office file with a password.
	EncryptedOffice Type = "application/x-encrypted-office"
	// Program is anything that runs when it is opened.
	Program Type = "application/x-executable"
)

// Image reports whether it is a picture that can be shown.
func (t Type) Image() bool { return t == PNG || t == JPEG || t == WebP || t == GIF }

// Tabular reports whether it is read as a table.
func (t Type) Tabular() bool { return sheets[t] != nil }

// Readable reports whether there is a reader for files of the type.
func (t Type) Readable() bool {
	return t == PDF || t.Image() || texts[t] != nil || sheets[t] != nil
}

// Sniffed is what a file was found to be.
type Sniffed struct {
	Type     Type
	Mismatch bool   // the name says it is something else
	Polyglot bool   // a program may take it for something else: never show it inline
	Refuse   string // a sentence that says why it must not be taken, "" if it may be
}

// claims are the types that a file may have whose name ends like this. The
// first is told to who sent something else.
var claims = map[string][]Type{
	".pdf": {PDF}, ".docx": {DOCX, EncryptedOffice}, ".xlsx": {XLSX, EncryptedOffice}, ".pptx": {PPTX, EncryptedOffice},
	".docm": {DOCX, EncryptedOffice}, ".xlsm": {XLSX, EncryptedOffice}, ".pptm": {PPTX, EncryptedOffice}, ".dotx": {DOCX}, ".ppsx": {PPTX}, ".xltx": {XLSX},
	".odt": {ODT}, ".ods": {ODS}, ".odp": {ODP}, ".ott": {ODT}, ".ots": {ODS}, ".otp": {ODP},
	".doc": {DOC, EncryptedOffice}, ".dot": {DOC}, ".xls": {XLS, EncryptedOffice}, ".ppt": {PPT, EncryptedOffice}, ".pps": {PPT}, ".rtf": {RTF},
	".html": {HTML}, ".htm": {HTML}, ".xhtml": {HTML}, ".svg": {SVG}, ".md": {Markdown}, ".markdown": {Markdown},
	".txt": {Text}, ".text": {Text}, ".log": {Text}, ".csv": {CSV}, ".tsv": {CSV},
	".png": {PNG}, ".jpg": {JPEG}, ".jpeg": {JPEG}, ".webp": {WebP}, ".gif": {GIF}, ".zip": {ZIP},
}

// programs are the ends of names that systems run when they are opened.
var programs = []string{".exe", ".com", ".scr", ".pif", ".bat", ".cmd", ".ps1", ".psm1", ".vbs", ".vbe", ".jse", ".wsf", ".wsh", ".hta",
	".msi", ".msp", ".msc", ".cpl", ".dll", ".lnk", ".reg", ".jar", ".apk", ".appx", ".msix", ".dmg", ".pkg", ".deb", ".rpm", ".scf", ".url", ".desktop", ".app"}

const headSize = 8 << 10

// Sniff tells what a file is from its content. It reads little of it and holds
// less: the beginning, and the directory of an archive if it is small. An error
// comes from r.
func Sniff(r io.ReaderAt, size int64, name string) (Sniffed, error) {
	if size == 0 {
		return Sniffed{Type: Empty, Refuse: "This file is empty."}, nil
	}
	in := &source{&remembering{from: r}, size}
	head, err := in.head(headSize)
	if err != nil {
		return Sniffed{}, err
	}
	end := extension(name)
	s := Sniffed{Type: typeOf(in, head, end)}
	if err := in.ReaderAt.(*remembering).err; err != nil {
		return Sniffed{}, err
	}
	claimed := claims[end]
	s.Mismatch = s.Type.mismatch(claimed)
	if s.Type == PDF && !bytes.HasPrefix(head, []byte("%PDF-")) {
		s.Polyglot = true
	}
	switch {
	case s.Type == Program || slices.Contains(programs, end):
		s.Refuse = "Programs are not taken."
	case s.Mismatch && claimed[0].solid() && !s.Type.solid():
		s.Refuse = "This file is named " + end + " but its content is something else. Save it in the right format, or give it the right name."
	}
	return s, nil
}

// Mismatch reports whether the name of a file of this type says that it is
// something else.
func (t Type) Mismatch(name string) bool { return t.mismatch(claims[extension(name)]) }

func (t Type) mismatch(claimed []Type) bool {
	return len(claimed) > 0 && !slices.Contains(claimed, t) && !(claimed[0] == Text && t == Binary)
}

// solid types are those that nothing else is mistaken for; a name that claims
// one and a content that is another of them is a slip, not a trick.
func (t Type) solid() bool {
	switch t {
	case PDF, DOCX, XLSX, PPTX, ODT, ODS, ODP, DOC, XLS, PPT, RTF, EncryptedOffice:
		return true
	}
	return t.Image()
}

// extension is the end of a name as a system sees it that shows the name: in
// lower case, without the dots and blanks that Windows drops.
func extension(name string) string {
	return strings.ToLower(path.Ext(strings.TrimRight(name, ". \u00a0")))
}

func typeOf(in *source, head []byte, end string) Type {
	found := mimetype.Detect(head)
	is := func(types ...string) bool { return mimetype.EqualsAny(strings.Split(found.String(), ";")[0], types...) }
	pdf := bytes.Index(head[:min(len(head), 1024)], []byte("%PDF-")) // where readers look for it
	switch {
	case pdf == 0 || pdf > 0 && end == ".pdf":
		return PDF
	case bytes.HasPrefix(head, []byte("MZ")): // which a text may begin with
		if bytes.IndexByte(head, 0) >= 0 {
			return Program
		}
	case is("application/x-elf", "application/x-executable", "application/x-object", "application/x-sharedlib",
		"application/x-mach-binary", "application/x-java-applet", "application/x-ms-installer", "application/vnd.android.package-archive",
		"application/x-ms-shortcut", "application/vnd.debian.binary-package", "application/x-rpm", "application/wasm"):
		return Program
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return archiveType(in, head, end)
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return compoundType(in)
	case is(string(PNG)):
		return PNG
	case is(string(JPEG)):
		return JPEG
	case is(string(WebP)):
		return WebP
	case is(string(GIF)):
		return GIF
	case is(string(RTF)), bytes.HasPrefix(head, []byte(`{\rtf`)):
		return RTF
	case end == ".svg" && is("text/html", "text/xml", "application/xml"), is(string(SVG)):
		return SVG
	case is("application/xhtml+xml"):
		return HTML
	case is("text/html"):
		// A Markdown file may begin with a tag or a comment.
		if end == ".md" || end == ".markdown" {
			return Markdown
		}
		return HTML
	}
	if !looksText(head) {
		if t := Type(strings.Split(found.String(), ";")[0]); !strings.HasPrefix(string(t), "text/") {
			return t
		}
		return Binary
	}
	switch end {
	case ".md", ".markdown":
		return Markdown
	case ".csv", ".tsv":
		return CSV
	case ".html", ".htm", ".xhtml":
		return HTML
	}
	return Text
}

// looksText reports whether a beginning is text in some encoding: few control
// characters, or UTF-16.
func looksText(head []byte) bool {
	if wideText(head) != nil {
		return true
	}
	control := 0
	for _, b := range head {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f' && b != '\x1b' {
			control++
		}
	}
	// Someone's text with stray bytes. Of a compressed or a random file a tenth are
	// control characters.
	return control*20 <= len(head) || control*5 < len(head) && (utf8.Valid(head) || mostlyASCII(head))
}

func mostlyASCII(b []byte) bool {
	n := 0
	for _, c := range b {
		if c >= ' ' && c < 0x7f {
			n++
		}
	}
	return n*4 > len(b)*3 || len(b) < 64 && n*2 > len(b)
}

// archiveType looks into a ZIP: one that only claims to be an office file is a
// ZIP. One that breaks off is what it is named if it begins like that.
func archiveType(in *source, head []byte, end string) Type {
	z, err := openArchive(&source{&miserly{in, maxDirectory}, in.size}, maxDirectory)
	if err != nil {
		first := head[min(30, len(head)):]
		for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "mimetype"} {
			if bytes.HasPrefix(first, []byte(name)) && len(claims[end]) > 0 && claims[end][0].solid() {
				return claims[end][0]
			}
		}
		return ZIP
	}
	if z.files["meta-inf/manifest.mf"] != nil || z.files["androidmanifest.xml"] != nil {
		return Program
	}
	if t := z.openDocument(); t != "" {
		return t
	}
	return z.openXML()
}

// compoundType looks into an OLE compound file for the stream that names its
// program.
func compoundType(in *source) Type {
	streams, err := mscfb.New(&miserly{in, maxDirectory})
	if err != nil {
		return Binary
	}
	for f, err := streams.Next(); err == nil; f, err = streams.Next() {
		if len(f.Path) > 0 {
			continue
		}
		switch strings.ToLower(f.Name) {
		case "encryptedpackage", "encryptioninfo":
			return EncryptedOffice
		case "worddocument":
			return DOC
		case "workbook", "book":
			return XLS
		case "powerpoint document":
			return PPT
		}
	}
	return "application/x-ole-storage"
}

// remembering keeps the error that reading failed with, which is told apart from
// what is wrong with the content.
type remembering struct {
	from io.ReaderAt
	err  error
}

func (r *remembering) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.from.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// maxDirectory bounds what is read of an archive to see what it is.
const maxDirectory = 4 << 20

// miserly ends after so many bytes.
type miserly struct {
	from io.ReaderAt
	left int
}

func (m *miserly) ReadAt(p []byte, at int64) (int, error) {
	if m.left -= len(p); m.left < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return m.from.ReadAt(p, at)
}

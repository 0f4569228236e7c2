// Package static holds the files that pages need beside their HTML: one style
// sheet, two scripts, a sprite of icons and one of the world map. Their addresses carry a digest of
// their content, so that a browser keeps them for ever and a new release is
// never mixed with an old one. vendor/build.mjs makes dist/ from src/ and from
// Tabler; the result is committed, so that building the portal needs no Node.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"path"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"commissionportal/internal/country"
)

//go:embed dist
var dist embed.FS

// Prefix is the path under which all files are.
const Prefix = "/static/"

// File is one static file, as a handler needs it.
type File struct {
	Body   []byte
	Type   string // the media type, for Content-Type
	ETag   string // in quotes
	Brotli []byte // Body compressed; nil if that saves nothing
	Gzip   []byte // the same
}

type entry struct {
	path string
	read func() File
}

var (
	byName = map[string]entry{} // "app.css"
	byPath = map[string]entry{} // "/static/app.0123456789ab.css"
)

func init() {
	files, err := dist.ReadDir("dist")
	if err != nil {
		panic(err) // embedded: cannot be missing at run time
	}
	for _, f := range files {
		body, err := dist.ReadFile("dist/" + f.Name())
		if err != nil {
			panic(err)
		}
		add(f.Name(), body)
	}
	add("world.svg", country.Sprite())
}

func add(name string, body []byte) {
	sum := sha256.Sum256(body)
	digest, ext := hex.EncodeToString(sum[:6]), path.Ext(name)
	e := entry{
		path: Prefix + strings.TrimSuffix(name, ext) + "." + digest + ext,
		read: sync.OnceValue(func() File {
			return File{Body: body, Type: mediaType(ext), ETag: `"` + digest + `"`, Brotli: brotlied(body), Gzip: gzipped(body)}
		}),
	}
	byName[name], byPath[e.path] = e, e
}

// URL is the address of a file by its name, "app.css". A name that
// does not exist is a mistake in a template, and panics.
func URL(name string) string {
	e, ok := byName[name]
	if !ok {
		panic(fmt.Sprintf("static: no file %q", name))
	}
	return e.path
}

// Lookup finds the file at a path that URL gave. It is compressed at the first
// request, once.
func Lookup(path string) (File, bool) {
	e, ok := byPath[path]
	if !ok {
		return File{}, false
	}
	return e.read(), true
}

func mediaType(ext string) string {
	switch ext { // not left to the system's own table
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(ext)
}

func brotlied(body []byte) []byte {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotli.BestCompression)
	return packed(body, &b, w)
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	return packed(body, &b, w)
}

func packed(body []byte, b *bytes.Buffer, w interface {
	Write([]byte) (int, error)
	Close() error
}) []byte {
	if _, err := w.Write(body); err != nil {
		return nil // a buffer takes everything; uncompressed is right in any case
	}
	if err := w.Close(); err != nil || b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

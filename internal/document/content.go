package document

import (
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Content is one file of a document, to be downloaded.
type Content struct {
	Version
	Name string // what it is called where it is saved
	open func(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// Open reads length bytes of it from offset.
func (c Content) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	return c.open(ctx, offset, length)
}

// harmless are the types that a browser may show by itself: nothing in them acts.
var harmless = map[string]bool{"image/png": true, "image/jpeg": true, "image/webp": true, "image/gif": true, "text/plain": true}

// Inline reports whether a browser may show it in place of saving it.
func (c Content) Inline() bool { return harmless[c.Type] }

// Content finds the file of a version in a language ("" is the source language),
// for somebody who may download it. Of a withdrawn document it says why not.
func (s *Service) Content(ctx context.Context, who access.Actor, name string, number int, language string) (Document, Content, error) {
	d, err := s.Show(ctx, who, name)
	if err != nil {
		return d, Content{}, err
	}
	if _, err := s.access.Require(ctx, who, d.Scope(), "file", d.Reading()); err != nil {
		return d, Content{}, err
	}
	if !s.MayDownload(who, d) {
		return d, Content{}, problem.New(problem.Forbidden, "It is withdrawn: %s", d.StatusReason)
	}
	c, err := s.content(ctx, d, number, language)
	return d, c, err
}

// content finds a file of a document, whoever asks.
func (s *Service) content(ctx context.Context, d Document, number int, language string) (Content, error) {
	v, err := s.version(ctx, d, number, language)
	if err != nil {
		return Content{}, err
	}
	if v.Scan == infected {
		return Content{}, errInfected
	}
	return Content{v, v.saved(d), func(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
		return s.files.Reader(ctx, v.Digest, offset, length)
	}}, nil
}

var errInfected = problem.New(problem.Forbidden, "A virus was found in this file. It is given to nobody.")

// version reads a version of a document in a language, "" its source language.
func (s *Service) version(ctx context.Context, d Document, number int, language string) (Version, error) {
	if language == "" {
		language = d.Language
	}
	return postgres.One[Version](ctx, s.db, access.ErrNotFound, `
		SELECT `+versionColumns+` FROM document_version v JOIN file f USING (digest) LEFT JOIN person p ON p.id = v.person_id
		WHERE v.document_id = $1 AND v.number = $2 AND v.language = $3`, d.ID, number, language)
}

// saved is what a version is called where it is saved: "ENERGY-N0012v2 Minutes.pdf",
// and "ENERGY-N0012v2 fr Minutes.pdf" of a document in several languages. What
// somebody saved, corrected and sent again does not get its number twice.
func (v Version) saved(d Document) string {
	extension := savableExtension(v.FileName)
	stem := savable(strings.TrimSuffix(v.FileName, path.Ext(v.FileName)))
	if extension == "" {
		stem = savable(v.FileName)
	}
	if d.Number == nil {
		return shortened(stem) + extension
	}
	of := regexp.MustCompile(`^(?i:` + regexp.QuoteMeta(d.Reference()) + `)(?:[ _-]?v[0-9]+)?(?:[ _-]+` + regexp.QuoteMeta(v.Language) + `\b)?(?:[ _.-]+|$)`)
	name := fmt.Sprintf("%sv%d", d.Reference(), v.Number)
	if len(d.Languages) > 1 {
		name += " " + v.Language
	}
	if stem = shortened(of.ReplaceAllString(stem, "")); stem != "" {
		name += " " + stem
	}
	return name + extension
}

// savable is text that any file system takes as a part of a name, and that reads in
// one direction.
func savable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d':
			return -1
		case strings.ContainsRune(`/\:*?"<>|`, r) || r == utf8.RuneError:
			return '-'
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// savableExtension is the end of a file's name that says what it is: ".pdf".
func savableExtension(name string) string {
	extension := path.Ext(name)
	if len(extension) < 2 || len(extension) > 12 || strings.ContainsFunc(extension[1:], func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return ""
	}
	return extension
}

// longestName bounds what a file's name has of a title or of another name, in bytes:
// file systems take 255 in all.
const longestName = 150

func shortened(text string) string {
	for len(text) > longestName {
		_, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n]
	}
	return strings.Trim(text, " .")
}

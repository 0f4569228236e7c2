package document

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// Preview is what the page shows that a version is looked into on.
type Preview struct {
	document.Preview
	Zoom     string
	Download bool
	Link     string // the link that it is looked into by; "" for the document's own page
}

// home is the page that its reader knows the document by.
func (p Preview) home() string {
	if p.Link != "" {
		return p.Link
	}
	return p.Path()
}

// crumbs lead nowhere from a link, which gives no more than itself.
func (p Preview) crumbs(ctx context.Context) []part.Crumb {
	if p.Link != "" {
		return nil
	}
	return crumbs(ctx, p.CommissionName, "/commissions/"+p.Commission, part.Crumb{Label: heading(p.Document), Path: p.Path()})
}

func (p Preview) active() string {
	if p.Link != "" {
		return ""
	}
	return "/commissions"
}

// zooms are the widths a page can be shown in; "" fits into the window.
var zooms = []string{"", "100", "150", "200"}

// zoom is the class of the width that was asked for.
func (p Preview) zoom() string {
	for _, z := range zooms[1:] {
		if p.Zoom == z {
			return "leaf-" + z
		}
	}
	return "leaf-fit"
}

func (p Preview) zoomed(zoom string) bool {
	return zoom == p.Zoom || zoom == "" && p.zoom() == "leaf-fit"
}

// at is the address of another page or width of the same.
func (p Preview) at(page int, zoom string) string {
	q := url.Values{"language": {p.Of.Language}}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if zoom != "" {
		q.Set("zoom", zoom)
	}
	return version(p.home(), p.Of) + "/preview?" + q.Encode()
}

// version is the address that what belongs to a version is under; home is the page
// of its document, or a link to it.
func version(home string, v document.Version) string {
	return fmt.Sprintf("%s/versions/%d", home, v.Number)
}

func look(home string, v document.Version) string {
	return version(home, v) + "/preview?language=" + url.QueryEscape(v.Language)
}

func picture(home string, v document.Version, page int) string {
	return fmt.Sprintf("%s/preview/pages/%d?language=%s", version(home, v), page, url.QueryEscape(v.Language))
}

func thumbnail(home string, v document.Version) string {
	return version(home, v) + "/thumbnail?language=" + url.QueryEscape(v.Language)
}

// small is the small picture of a document in a list.
func small(r document.Row) string {
	return fmt.Sprintf("%s/versions/%d/thumbnail?language=%s", r.Path(), r.Versions, url.QueryEscape(r.Source))
}

func content(home string, v document.Version) string {
	return version(home, v) + "/content?language=" + url.QueryEscape(v.Language)
}

// kinds are what files are called by their content.
var kinds = map[string]string{
	"application/pdf": "PDF document",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   "Word document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         "Excel workbook",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint presentation",
	"application/vnd.oasis.opendocument.text":                                   "OpenDocument text",
	"application/vnd.oasis.opendocument.spreadsheet":                            "OpenDocument spreadsheet",
	"application/vnd.oasis.opendocument.presentation":                           "OpenDocument presentation",
	"application/msword": "Word document (before 2007)", "application/vnd.ms-excel": "Excel workbook (before 2007)",
	"application/vnd.ms-powerpoint": "PowerPoint presentation (before 2007)", "application/x-encrypted-office": "Office file with a password",
	"text/rtf": "Rich text", "text/html": "Web page", "image/svg+xml": "SVG drawing", "text/markdown": "Markdown text", "text/plain": "Plain text", "text/csv": "CSV table",
	"image/png": "PNG picture", "image/jpeg": "JPEG picture", "image/webp": "WebP picture", "image/gif": "GIF picture", "application/zip": "ZIP archive",
	"application/octet-stream": "File of an unknown kind",
}

// Kind is what a file is, by its content.
func Kind(ctx context.Context, mediaType string) string {
	if name, ok := kinds[mediaType]; ok {
		return i18n.T(ctx, name)
	}
	return mediaType
}

// unread says why there is no preview.
func unread(ctx context.Context, v document.Version) string {
	switch {
	case v.Unread != "":
		return i18n.T(ctx, "No preview could be made: %s", i18n.T(ctx, v.Unread))
	case v.Outcome != nil && *v.Outcome == "nothing":
		return i18n.T(ctx, "Files of this type have no preview.")
	}
	return i18n.T(ctx, "There is nothing in it that could be shown.")
}

// office are the types whose pages nothing here can draw.
var office = map[string]bool{
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document": true, "application/vnd.openxmlformats-officedocument.presentationml.presentation": true,
	"application/vnd.oasis.opendocument.text": true, "application/vnd.oasis.opendocument.presentation": true, "application/msword": true, "application/vnd.ms-powerpoint": true,
	"text/rtf": true, "text/html": true,
}

// textAlone reports whether only the text of a file that has a look of its own is shown.
func (p Preview) textAlone() bool { return p.Kind == document.PlainText && office[p.Of.Type] }

// glimpsed reports whether there is something to look into.
func glimpsed(v document.Version) bool {
	return v.Scan != "infected" && v.Outcome != nil && (*v.Outcome == "read" || v.Pictures > 0)
}

// columns are the letters over the columns of a table.
func (p Preview) columns() []string {
	n := 0
	for _, r := range p.Table.Rows {
		n = max(n, len(r))
	}
	list := make([]string, n)
	for i := range list {
		if list[i] = string(rune('A' + i%26)); i >= 26 {
			list[i] = string(rune('A'+i/26-1)) + list[i]
		}
	}
	return list
}

// cell is one of a row that may be shorter than others.
func cell(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

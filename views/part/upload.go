package part

import (
	"context"
	"strconv"

	"commissionportal/internal/i18n"
	"commissionportal/views/static"

	"github.com/a-h/templ"
)

// Sending is a field for files that, where there is JavaScript, are sent as soon as
// they are chosen or dropped, with progress, and go on where a lost connection
// stopped them. The form then names them by a hidden field "upload" each. Without
// JavaScript it is a field for files like any other.
type Sending struct {
	Field
	For  string // names what the files are for: what is under way is found under it when the page is opened again
	Most int    // how many files; each has a title of its own if there may be several
	More string // where several files can be sent, if Most is 1
}

// SentFile is a file in the list of a Sending.
type SentFile struct {
	Upload string // its id; "" for one that was refused
	Name   string
	Size   string
	Title  Field // of a Sending of several
	Error  string
}

// words are what the script says; {name} stands for what it fills in.
func (s Sending) words(ctx context.Context) templ.Attributes {
	one := s.Most == 1
	a := templ.Attributes{
		"data-upload": s.For, "data-most": strconv.Itoa(s.Most), "data-to": "/api/v1/uploads",
		"data-script": static.URL("upload.js"), "data-tus": static.URL("tus.js"),
		"data-line":     i18n.T(ctx, "%[1]s of %[2]s, %[3]s", "{sent}", "{size}", "{percent}"),
		"data-pace":     i18n.T(ctx, "%[1]s, about %[2]s left", "{speed}", "{time}"),
		"data-queued":   i18n.T(ctx, "Waits for its turn"),
		"data-checking": i18n.T(ctx, "All of it is there. It is being checked."),
		"data-paused":   i18n.T(ctx, "Paused at %s", "{percent}"),
		"data-lost":     i18n.T(ctx, "The connection is lost at %s. It goes on by itself once it is back.", "{percent}"),
		"data-sign-in":  i18n.T(ctx, "You are not signed in any more. Sign in in another tab, then press Resume."),
		"data-again":    i18n.T(ctx, "%s of it is here from before. Choose the same file again to go on.", "{percent}"),
		"data-here":     i18n.T(ctx, "It is here."),
		"data-wrong":    i18n.T(ctx, "It could not be sent. Try it again later."),
		"data-pause":    i18n.T(ctx, "Pause"), "data-resume": i18n.T(ctx, "Resume"), "data-remove": i18n.T(ctx, "Remove"), "data-cancel": i18n.T(ctx, "Cancel"),
		"data-later":      i18n.T(ctx, "It is submitted as soon as all is there."),
		"data-first":      i18n.T(ctx, "Choose the file that is named below again, or remove it. Then submit."),
		"data-said-start": i18n.T(ctx, "%s is being sent", "{name}"), "data-said-at": i18n.T(ctx, "%[1]s: %[2]s", "{name}", "{percent}"),
		"data-said-here": i18n.T(ctx, "%s is here", "{name}"), "data-said-paused": i18n.T(ctx, "%s is paused", "{name}"), "data-said-gone": i18n.T(ctx, "%s is removed", "{name}"),
		"data-bar":  i18n.T(ctx, "How much of %s is sent", "{name}"),
		"data-many": i18n.N(ctx, s.Most, "Choose %d file.", "Choose at most %d files."),
	}
	if one && s.More != "" {
		a["data-many"] = i18n.T(ctx, "One file makes one document. For several, go to “Submit several documents”.")
	}
	return a
}

func (s Sending) hint(ctx context.Context) string {
	if s.Most == 1 {
		return i18n.T(ctx, "Drop a file here, or choose it.")
	}
	return i18n.T(ctx, "Drop files here, or choose them.")
}

// blank is the row that the script copies: its upload and its title are filled in.
func (s Sending) blank(ctx context.Context) SentFile {
	f := SentFile{Upload: "new"}
	if s.Most > 1 {
		f.Title = Field{Name: "title", ID: "f-title-new", Label: i18n.T(ctx, "Title"), Required: true, MaxLength: 500}
	}
	return f
}

// Package layout is what stands around every page: the head, the bar at the top
// with menu, search and account, the messages, the footer. What varies from
// request to request comes from the context, so that a page says only its own.
package layout

import (
	"context"
	"strings"
)

// Frame is what the surroundings of a page show; web puts it into the context of
// every request with With.
type Frame struct {
	Person Person
	Menu   []Entry // the main menu
	Own    []Entry // what the account menu lists after desk and profile
	Flash  []Flash // said once, at the top of the page
	Theme  string  // "light", "dark", or "" for what the system wishes
	Path   string  // path and query of this request: where preferences and signing in lead back to
	Rests  bool    // the roles of who reads rest until there is a second factor
	Why    string  // where it is explained that this page is shown, or refused; "" for nowhere

	OpenMail bool // letters are not sent, and everybody reads them at /dev/mail
}

// Person is who is signed in; the zero Person is nobody.
type Person struct {
	ID   string
	Name string
}

// SignedIn reports whether somebody is.
func (p Person) SignedIn() bool { return p.ID != "" }

// Entry is a line of a menu. Label is an English text of the catalog.
type Entry struct {
	Label  string
	Path   string
	Active bool
}

// Flash is a message about what has just happened, in the reader's language.
// Kind is success, info, warning or danger.
type Flash struct {
	Kind string
	Text string
}

type contextKey struct{}

// With gives the pages rendered under ctx their surroundings.
func With(ctx context.Context, f Frame) context.Context {
	return context.WithValue(ctx, contextKey{}, f)
}

// From is the frame that With put into ctx, or an empty one.
func From(ctx context.Context) Frame {
	f, _ := ctx.Value(contextKey{}).(Frame)
	return f
}

// Head is what a page says about itself.
type Head struct {
	Title       string // in the reader's language; without the portal's name
	Description string // one sentence, for search engines and previews
	Canonical   string // absolute address, if the page has one besides this
	Active      string // Path of the menu entry to mark; "" leaves what the Frame says
	Wide        bool   // uses the whole width of the window: large tables
	Public      bool   // an airy page for the public: no grey behind it
	NoIndex     bool   // search engines are asked to leave it out
	Meta        []Meta // what programs read of the page: citation_title
	Feed        string // path of its Atom feed
	Live        bool   // parts of it come anew when the server says so: it has an sse-connect
}

// Meta is a value that programs read.
type Meta struct{ Name, Content string }

func (h Head) active(e Entry) bool {
	if h.Active == "" {
		return e.Active
	}
	return e.Path == h.Active
}

func (h Head) bodyClass() string {
	var classes []string
	if h.Wide {
		classes = append(classes, "is-wide")
	}
	if h.Public {
		classes = append(classes, "is-public")
	}
	return strings.Join(classes, " ")
}

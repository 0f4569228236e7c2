package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strings"
)

// Letter is what a letter says, in the language of its reader. Its text and its
// HTML both come from it, so that they say the same.
type Letter struct {
	Portal     string // name of the portal, at the head
	Home       string // its address
	Language   string // BCP 47: "en"
	Dir        string // "ltr" or "rtl"; empty is ltr
	Greeting   string
	Paragraphs []string // a line break in one stays one
	Details    [][2]string
	Sections   []Section // their paths absolute
	Action     *Action
	Footer     string // why the reader gets this
	// Unsubscribe ends letters like this; nil where nobody asked for them.
	Unsubscribe *Action
}

// Action is the one thing the reader is asked to do.
type Action struct {
	Label string
	URL   string // absolute; see Links
}

// Message makes the letter a message of that kind. It refuses addresses that are
// not absolute, which would lead nowhere from a mailbox.
func (l Letter) Message(to netmail.Address, kind, subject string) (Message, error) {
	addresses := nonempty(l.Home)
	for _, a := range []*Action{l.Action, l.Unsubscribe} {
		if a != nil {
			addresses = append(addresses, a.URL)
		}
	}
	for _, s := range l.Sections {
		for _, i := range s.Items {
			addresses = append(addresses, i.Path)
		}
	}
	for _, a := range addresses {
		if !absolute(url.Parse(a)) {
			return Message{}, fmt.Errorf("mail: %s: %q is not an absolute web address", kind, a)
		}
	}
	var html strings.Builder
	if err := layout(l, subject).Render(context.Background(), &html); err != nil {
		return Message{}, fmt.Errorf("mail: %s: %w", kind, err)
	}
	return Message{To: to, Subject: subject, Text: l.Text(), HTML: html.String(), Kind: kind}, nil
}

func absolute(u *url.URL, err error) bool {
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// Text is the letter as plain text.
func (l Letter) Text() string {
	var parts []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			parts = append(parts, s)
		}
	}
	add(l.Greeting)
	for _, p := range l.Paragraphs {
		add(p)
	}
	var details strings.Builder
	for _, d := range l.Details {
		fmt.Fprintf(&details, "%s: %s\n", d[0], strings.ReplaceAll(d[1], "\n", "\n  "))
	}
	add(details.String())
	for _, s := range l.Sections {
		add(strings.ToUpper(s.Title))
		for _, i := range s.Items {
			add(strings.Join(nonempty(i.Title, i.Line, i.Path), "\n"))
		}
	}
	if l.Action != nil {
		add(l.Action.Label + ":\n" + l.Action.URL)
	}
	if l.Footer != "" || l.Portal != "" {
		// "-- " alone on its line is how mail programs know a signature.
		stop := ""
		if l.Unsubscribe != nil {
			stop = l.Unsubscribe.Label + ": " + l.Unsubscribe.URL
		}
		add("-- \n" + strings.Join(nonempty(l.Footer, stop, l.Portal, l.Home), "\n"))
	}
	return strings.Join(parts, "\n\n") + "\n"
}

func nonempty(all ...string) (some []string) {
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return some
}

// lines splits a paragraph where it has line breaks.
func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

// preview is what mail programs show beside the subject.
func (l Letter) preview() string {
	if len(l.Paragraphs) == 0 {
		return ""
	}
	return lines(l.Paragraphs[0])[0]
}

func (l Letter) dir() string {
	if l.Dir == "rtl" {
		return "rtl"
	}
	return "ltr"
}

// Links makes absolute addresses from the portal's configured one: what a
// request says in its Host header is anyone's to write.
type Links struct{ base string }

// NewLinks takes the portal's address, such as https://portal.example.org.
func NewLinks(base string) (Links, error) {
	u, err := url.Parse(base)
	if !absolute(u, err) || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return Links{}, errors.Join(fmt.Errorf("%q is not the address of a portal, such as https://portal.example.org", base), err)
	}
	return Links{strings.TrimRight(base, "/")}, nil
}

// To is the address of a path of the portal, which begins with a slash.
func (l Links) To(path string) string { return l.base + path }

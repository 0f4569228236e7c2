package document

import (
	"context"
	"fmt"
	"time"

	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// Ledger is what the share ledger of a document shows.
type Ledger struct {
	document.Document
	Shares []document.Share
	Now    time.Time
	Link   string // the address of a link that has just been made
	Paging part.Paging
	Grant  bool // the reader may share it
	Revoke bool
}

// Share is what the form that shares a document shows.
type Share struct {
	document.Document
	Grant      document.Grant
	Query      string
	Recipients []document.Recipient
	More       bool // there are others
	Links      bool // the portal allows them
	Today      string
	Form
}

// Shared is what a list of shares shows: of an organization, a commission or the
// reader.
type Shared struct {
	Of     string        // organization, commission or account
	Home   document.Home // the commission
	Name   string
	Path   string
	Given  bool // what it shares, in place of what is shared with it
	Shares []document.Share
	Now    time.Time
	Tabs   []part.Tab
	Paging part.Paging
}

// Link is what somebody sees who came by a link.
type Link struct {
	document.Opened
	Path string
}

// Sharing is what the form of what the portal allows shows.
type Sharing struct {
	document.Sharing
	Stale bool
	Key   string
}

// kinds are the kinds of recipient, as tabs of the form.
func (p Share) kinds(ctx context.Context) []part.Tab {
	tabs := []part.Tab{
		{Label: i18n.T(ctx, "A commission"), Path: document.WithCommission}, {Label: i18n.T(ctx, "An organization"), Path: document.WithOrganization},
		{Label: i18n.T(ctx, "A person"), Path: document.WithPerson},
	}
	if p.Links {
		tabs = append(tabs, part.Tab{Label: i18n.T(ctx, "A link"), Path: document.WithLink})
	}
	for i := range tabs {
		tabs[i].Active = tabs[i].Path == p.Grant.With
		tabs[i].Path = p.Path() + "/share?with=" + tabs[i].Path
	}
	return tabs
}

func (p Share) lead(ctx context.Context) string {
	switch p.Grant.With {
	case document.WithOrganization:
		return i18n.T(ctx, "All who act for it can read the document. Its primary representatives hear of it by mail.")
	case document.WithPerson:
		return i18n.T(ctx, "You find those by name whose rosters you may see, and your colleagues. The person hears of it by mail.")
	case document.WithLink:
		return i18n.T(ctx, "Everybody who has the link can read the document, without an account. How often it is opened is counted; by whom is not known.")
	}
	return i18n.T(ctx, "All its members can read the document. Its officers hear of it by mail.")
}

func (p Share) recipients(ctx context.Context) []part.Option {
	list := make([]part.Option, len(p.Recipients))
	for i, r := range p.Recipients {
		list[i] = part.Option{Value: r.Value, Label: r.Name, Help: r.Detail}
		if p.Grant.With == document.WithOrganization {
			list[i].Help = i18n.Country(ctx, r.Detail)
		}
	}
	return list
}

// fields are the inputs of the form, in order.
func (p Share) fields(ctx context.Context) (list struct{ recipient, level, until, reason part.Field }) {
	f := func(name, label, value string) part.Field {
		return part.Field{Name: name, Label: label, Value: value, Error: p.Errors[name]}
	}
	list.recipient = f("recipient", i18n.T(ctx, "With whom"), p.Grant.Recipient)
	list.recipient.Required, list.recipient.Options = true, p.recipients(ctx)
	if p.More {
		list.recipient.Help = i18n.T(ctx, "These are the first %d. Type a part of the name above to find the others.", len(p.Recipients))
	}
	list.level = f("level", i18n.T(ctx, "What they may do"), p.Grant.Level)
	list.level.Required = true
	list.level.Options = []part.Option{
		{Value: "see", Label: i18n.T(ctx, "See it"), Help: i18n.T(ctx, "Its page and what can be previewed there, but not its files.")},
		{Value: "download", Label: i18n.T(ctx, "Download it"), Help: i18n.T(ctx, "Its files too, of all versions.")},
	}
	list.until = f("until", i18n.T(ctx, "Until"), p.Grant.Until)
	list.until.Min, list.until.Help = p.Today, i18n.T(ctx, "The last day. Empty: until somebody revokes it.")
	list.reason = f("reason", i18n.T(ctx, "Reason"), p.Grant.Reason)
	list.reason.MaxLength, list.reason.Help = 500, i18n.T(ctx, "Those it is shared with read it.")
	if p.Grant.With == document.WithLink {
		list.until.Required, list.until.Help = true, i18n.T(ctx, "The last day, within a year.")
		list.reason.Help = i18n.T(ctx, "It stands in the ledger.")
		list.level.Options[0].Help = i18n.T(ctx, "What it is: title, summary and the list of its versions.")
	}
	return list
}

func (p Share) action() string {
	if p.Grant.With == document.WithLink {
		return p.Path() + "/links"
	}
	return p.Path() + "/shares"
}

// noRecipient says what to do where there is nobody to choose.
func (p Share) noRecipient(ctx context.Context) (title, next string) {
	if p.Grant.With == document.WithPerson && p.Query == "" {
		return i18n.T(ctx, "Whom do you look for?"), i18n.T(ctx, "Type a part of the name above.")
	}
	return i18n.T(ctx, "Nobody of this name is found"), i18n.T(ctx, "Type another part of the name. Of persons you find those whose rosters you may see; others you reach by their commission or organization.")
}

// with is whom a share is with.
func with(ctx context.Context, s document.Share) string {
	if s.RecipientName == nil {
		return i18n.T(ctx, "Whoever has the link")
	}
	return *s.RecipientName
}

// withPath is the page of whom a share is with; "" for a link.
func withPath(s document.Share) string {
	switch s.With {
	case document.WithCommission:
		return "/commissions/" + text(s.Recipient)
	case document.WithOrganization:
		return "/organizations/" + text(s.Recipient)
	case document.WithPerson:
		return "/persons/" + text(s.Recipient)
	}
	return ""
}

// kind is what kind of recipient that is.
func kind(ctx context.Context, s document.Share) string {
	switch s.With {
	case document.WithCommission:
		return i18n.T(ctx, "Commission")
	case document.WithOrganization:
		return i18n.T(ctx, "Organization")
	case document.WithPerson:
		return i18n.T(ctx, "Person")
	}
	return i18n.N(ctx, s.Opened, "Link, opened %d time", "Link, opened %d times")
}

// level is what a share lets its recipients do.
func level(ctx context.Context, s document.Share) string {
	if s.Level == "download" {
		return i18n.T(ctx, "Download it")
	}
	return i18n.T(ctx, "See it")
}

func until(ctx context.Context, s document.Share) string {
	if s.ExpiresAt == nil {
		return i18n.T(ctx, "Without an end")
	}
	return i18n.LastDay(ctx, *s.ExpiresAt)
}

// ended says when and by whom a share was revoked; "" if it was not.
func ended(ctx context.Context, s document.Share) string {
	if s.State != "revoked" || s.RevokedAt == nil {
		return ""
	}
	return i18n.T(ctx, "%s, by %s", i18n.Date(ctx, *s.RevokedAt), text(s.RevokedBy))
}

// reader is who read a document under a share.
func reader(ctx context.Context, a document.Access) string {
	switch {
	case a.Person == nil:
		return i18n.T(ctx, "Somebody with the link")
	case a.Organization != nil:
		return i18n.T(ctx, "%s for %s", *a.Person, *a.Organization)
	}
	return *a.Person
}

// did is what a reader did.
func did(ctx context.Context, a document.Access) string {
	version := ""
	if a.Version != nil {
		version = number(*a.Version)
	}
	switch {
	case a.Kind == "download":
		return i18n.T(ctx, "downloaded version %s", version)
	case a.Kind == "preview" && version != "":
		return i18n.T(ctx, "read version %s here", version)
	}
	return i18n.T(ctx, "opened its page")
}

// through says to a recipient by which share the document is there.
func through(ctx context.Context, s document.Share) string {
	switch {
	case s.With == document.WithPerson && s.ExpiresAt != nil:
		return i18n.T(ctx, "%s shares it with you until %s.", s.OwnerName, i18n.LastDay(ctx, *s.ExpiresAt))
	case s.With == document.WithPerson:
		return i18n.T(ctx, "%s shares it with you.", s.OwnerName)
	case s.ExpiresAt != nil:
		return i18n.T(ctx, "%s shares it with %s until %s.", s.OwnerName, text(s.RecipientName), i18n.LastDay(ctx, *s.ExpiresAt))
	}
	return i18n.T(ctx, "%s shares it with %s.", s.OwnerName, text(s.RecipientName))
}

// allowed says what that share lets them do.
func allowed(ctx context.Context, s document.Share) string {
	if s.Level == "download" {
		return i18n.T(ctx, "By that you may read and download it.")
	}
	return i18n.T(ctx, "By that you may see it, but not download its files.")
}

func (p Shared) title(ctx context.Context) string {
	switch {
	case p.Given:
		return i18n.T(ctx, "Shared by %s", p.Name)
	case p.Of == "account":
		return i18n.T(ctx, "Shared with me")
	}
	return i18n.T(ctx, "Shared with %s", p.Name)
}

func (p Shared) heading(ctx context.Context) string {
	if p.Of == "account" {
		return i18n.T(ctx, "Shared with me")
	}
	return p.Name
}

func (p Shared) lead(ctx context.Context) string {
	switch {
	case p.Given:
		return i18n.T(ctx, "Documents of this organization that others may read by a share. Each leads to its ledger: who has it, and who read it.")
	case p.Of == "organization":
		return i18n.T(ctx, "Documents of others that all who act for this organization may read.")
	case p.Of == "commission":
		return i18n.T(ctx, "Documents of other registers that the members of this commission may read.")
	}
	return i18n.T(ctx, "Documents that you may read because somebody shares them with you in person.")
}

func (p Shared) empty(ctx context.Context) (title, next string) {
	if p.Given {
		return i18n.T(ctx, "Nothing is shared"), i18n.T(ctx, "Open a document of this organization and choose “Share…”.")
	}
	return i18n.T(ctx, "Nothing is shared here"), i18n.T(ctx, "What others share stands here until it ends or is revoked.")
}

func (p Shared) crumbs(ctx context.Context) []part.Crumb {
	switch p.Of {
	case "organization":
		return []part.Crumb{{Label: i18n.T(ctx, "Organizations"), Path: "/organizations"}}
	}
	return nil
}

// active is the entry of the menu.
func (p Shared) active() string {
	if p.Of == "account" {
		return ""
	}
	return "/" + p.Of + "s"
}

func (p Shared) tabsLabel(ctx context.Context) string {
	switch p.Of {
	case "organization":
		return i18n.T(ctx, "Pages of this organization")
	case "commission":
		return i18n.T(ctx, "Pages of this commission")
	}
	return i18n.T(ctx, "Pages of your account")
}

func (p Link) content(v document.Version) string {
	return fmt.Sprintf("%s/versions/%d/content?language=%s", p.Path, v.Number, v.Language)
}

// newest is the version that a glimpse is given of; nil if there is none that may be
// looked into.
func (p Link) newest() *document.Version {
	for i, v := range p.Versions {
		if v.Language == p.Language && v.Scan != "infected" {
			return &p.Versions[i]
		}
	}
	return nil
}

func (p Link) owner() string {
	if p.OrganizationName != nil {
		return *p.OrganizationName
	}
	return p.CommissionName
}

// revoking is the page that asks before a share is revoked.
func revoking(ctx context.Context, d document.Document, s document.Share, key string) part.Ending {
	e := part.Ending{Title: i18n.T(ctx, "Revoke the share with %s?", with(ctx, s)), Intro: title(d), Button: i18n.T(ctx, "Revoke"), Cancel: d.Path() + "/shares",
		Ends:  []string{i18n.T(ctx, "Reading and downloading by this share, from their next click on: page, previews, search and API")},
		Stays: []string{i18n.T(ctx, "Its line in the ledger, with who read what until now"), i18n.T(ctx, "What they may read without it, and files that they downloaded")},
		Post:  part.Post{Action: "/shares/" + s.ID.String() + "/revoke", Key: key}}
	if s.RecipientName == nil {
		e.Title = i18n.T(ctx, "Revoke this link?")
		e.Ends = []string{i18n.T(ctx, "The link: whoever opens it is told that there is no such page")}
		e.Stays[1] = i18n.T(ctx, "Files that were downloaded by it")
	}
	return e
}

// other is the head of the column of the other side.
func (p Shared) other(ctx context.Context) string {
	if p.Given {
		return i18n.T(ctx, "Shared with")
	}
	return i18n.T(ctx, "Shared by")
}

// open is where a line leads: its recipients to the document, its owner to the ledger.
func (p Shared) open(s document.Share) string {
	if p.Given {
		return s.Path() + "/shares"
	}
	return s.Path()
}

// Package membership has the pages of seats: rosters, applications, invitations,
// nominations.
package membership

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"commissionportal/internal/calendar"
	"commissionportal/internal/i18n"
	"commissionportal/internal/membership"
	"commissionportal/views/part"
)

var roleNames = map[string]string{
	membership.Chair: "Chair", membership.ViceChair: "Vice chair", membership.Secretary: "Secretary",
	membership.VotingRepresentative: "Voting representative", membership.AlternateRepresentative: "Alternate representative",
	membership.LiaisonOfficer: "Liaison officer", membership.InvitedExpert: "Invited expert", membership.Observer: "Observer", membership.Emeritus: "Emeritus",
}

var roleHelp = map[string]string{
	membership.VotingRepresentative:    "Speaks and votes for the organization.",
	membership.AlternateRepresentative: "Stands in when the voting representative cannot.",
	membership.LiaisonOfficer:          "Keeps the two bodies informed of each other's work.",
	membership.Observer:                "Follows the work without a vote.",
	membership.InvitedExpert:           "Contributes knowledge in a personal capacity.",
}

var appointed = map[string]string{
	membership.ByChair: "an officer of the commission", membership.ByOrganization: "the organization", membership.ByElection: "an election",
	membership.BySecretariat: "the secretariat", membership.BySelf: "joining an open commission",
}

// Appointer is who gave a seat, in the reader's language.
func Appointer(ctx context.Context, by string) string { return i18n.T(ctx, appointed[by]) }

// RoleName is the role in the reader's language.
func RoleName(ctx context.Context, role string) string { return i18n.T(ctx, roleNames[role]) }

func roles(ctx context.Context, list []string, explained bool) []part.Option {
	options := make([]part.Option, len(list))
	for i, r := range list {
		options[i] = part.Option{Value: r, Label: RoleName(ctx, r)}
		if explained {
			options[i].Help = i18n.T(ctx, roleHelp[r])
		}
	}
	return options
}

// Form is what a page with a form knows besides its own: what was typed, what is
// wrong, and the key that makes it count once.
type Form struct {
	Values map[string]string
	Errors map[string]string
	Error  string // of no field
	Key    string
	Picked map[string]bool // of a list: what was ticked
}

func (f Form) field(name, label string) part.Field {
	return part.Field{Name: name, Label: label, Value: f.Values[name], Error: f.Errors[name]}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// term is "12 Mar 2026 – 11 Mar 2028" or "since 12 Mar 2026".
func term(ctx context.Context, from time.Time, until *time.Time) string {
	if until == nil {
		return i18n.T(ctx, "since %s", i18n.DayOf(ctx, from))
	}
	return i18n.DayOf(ctx, from) + " – " + i18n.LastDay(ctx, *until)
}

func forWhom(ctx context.Context, organization *string) string {
	if organization == nil {
		return i18n.T(ctx, "In a personal capacity")
	}
	return *organization
}

// body is the commission at the top of its pages.
func body(h membership.Home) part.Body {
	return part.Body{Name: h.Name, Path: h.Path(), Acronym: h.Acronym, Kind: h.Kind, State: h.State}
}

// crumbs lead from the commissions to a page of one.
func crumbs(ctx context.Context, h membership.Home, more ...part.Crumb) []part.Crumb {
	return append([]part.Crumb{{Label: i18n.T(ctx, "Commissions"), Path: "/commissions"}, {Label: h.Name, Path: h.Path()}}, more...)
}

func rosterCrumb(ctx context.Context, h membership.Home) part.Crumb {
	return part.Crumb{Label: i18n.T(ctx, "Roster"), Path: h.Path() + "/roster"}
}

func queueCrumb(ctx context.Context, h membership.Home) part.Crumb {
	return part.Crumb{Label: i18n.T(ctx, "Applications"), Path: h.Path() + "/applications"}
}

func partyCrumbs(ctx context.Context, p membership.Party) []part.Crumb {
	return []part.Crumb{{Label: i18n.T(ctx, "Organizations"), Path: "/organizations"}, {Label: p.Name, Path: p.Path()}, {Label: i18n.T(ctx, "Seats"), Path: p.Path() + "/seats"}}
}

// Roster is what the roster of a commission shows.
type Roster struct {
	membership.Roster
	Tabs     []part.Tab
	Filter   membership.Filter
	Day      string // as asked for, YYYY-MM-DD; "" is now
	Today    string
	Chips    []part.Chip
	Paging   part.Paging
	Export   string // the query of the exports
	On       string // the query of this very part of the roster
	Unknown  bool   // it was asked for a day that there is not, or not yet
	Keep     bool   // the reader keeps the seats: bulk acts, invitations
	Appoint  bool
	Join     bool // the reader can ask for a seat
	SignedIn bool
	Form     Form
}

func (p Roster) current() bool { return !p.Unknown && (p.Day == "" || p.Day == p.Today) }

// wrong is what a refused act on many says of none of its fields: whom to choose.
func (p Roster) wrong() string {
	if p.Form.Errors["ids"] != "" {
		return p.Form.Errors["ids"]
	}
	return p.Form.Error
}

// preview is where the form of acts on many posts to.
func (p Roster) preview() string {
	if p.On == "" {
		return p.Path() + "/roster/preview"
	}
	return p.Path() + "/roster/preview?on=" + url.QueryEscape(p.On)
}

// count says how many seats there are to see.
func (p Roster) count(ctx context.Context) string {
	if p.Unknown {
		return ""
	}
	return i18n.N(ctx, len(p.Rows), "%d seat on this page", "%d seats on this page")
}

func (p Roster) pick(r membership.RosterSeat) string { return fmt.Sprintf("%s:%d", r.ID, r.Version) }

// Seat is what the page of a seat shows.
type Seat struct {
	membership.History
	Tabs []part.Tab
	Now  time.Time
	Key  string
}

// ending reports whether the reader's own term ends soon, as the desk says too, and
// it is for others to extend it.
func (p Seat) ending() bool {
	return p.Leave && !p.Keep && p.Seat.Until != nil && p.Seat.Until.Before(p.Now.AddDate(0, 0, 31))
}

// renewal says who extends a term.
func renewal(ctx context.Context, p Seat) string {
	last := i18n.LastDay(ctx, *p.Seat.Until)
	if p.Seat.OrganizationName != nil {
		return i18n.T(ctx, "Your term ends on %s. If you want to go on, ask an officer of %s to extend it, or a primary representative of %s, who can ask for you.", last, p.Name, *p.Seat.OrganizationName)
	}
	return i18n.T(ctx, "Your term ends on %s. If you want to go on, ask an officer of %s to extend it.", last, p.Name)
}

// events are the rows of a seat as a story, the newest first.
func (p Seat) events(ctx context.Context) []part.Event {
	var list []part.Event
	for i, r := range p.Parts {
		if r.Until != nil && !r.Until.After(p.Now) && (r.Ended == nil || *r.Ended != membership.Changed) {
			e := part.Event{At: *r.Until, Icon: "user-minus", Tone: "muted", Text: i18n.T(ctx, endings[text(r.Ended)])}
			if r.NextSeat != nil {
				e.Text = i18n.T(ctx, "Replaced by %s", text(r.NextName))
				e.Path = p.Path() + "/seats/" + r.NextSeat.String()
			}
			if r.Ended == nil { // with its last day, not at an instant
				last := calendar.Last(ctx, *r.Until)
				e.At, e.Daily = time.Date(last.Year(), last.Month(), last.Day(), 0, 0, 0, 0, time.UTC), true
			}
			if p.Private && r.Ended != nil {
				e.Detail = r.Reason
			}
			list = append(list, e)
		}
		e := part.Event{At: r.Since, Icon: "user-check", Tone: "good"}
		if i+1 < len(p.Parts) {
			was := p.Parts[i+1]
			e.Icon, e.Tone, e.Text = "edit", "accent", changes(ctx, was, r)
			if p.Private {
				e.Detail = was.Reason
			}
		} else {
			e.Text = i18n.T(ctx, "%s took the seat as %s, appointed by %s", r.Name, membership.Word(r.Role), i18n.Key(appointed[r.AppointedBy]))
			if r.Follows != nil {
				e.Text = i18n.T(ctx, "%s followed %s as %s", r.Name, text(r.BeforeName), membership.Word(r.Role))
				e.Path = p.Path() + "/seats/" + r.Follows.String()
			}
		}
		list = append(list, e)
	}
	return list
}

var endings = map[string]string{
	"": "The term ended", membership.Left: "Left the seat", membership.Replaced: "Replaced by the organization", membership.Recalled: "Recalled by the organization",
	membership.Removed: "Ended by an officer", membership.Organization: "Ended with the organization's place", membership.Merged: "Ended when organizations merged",
	membership.Concluded: "Ended when the commission concluded",
}

func changes(ctx context.Context, was, r membership.Part) string {
	var said []string
	if was.Role != r.Role {
		said = append(said, i18n.T(ctx, "From %s to %s", membership.Word(was.Role), membership.Word(r.Role)))
	}
	switch {
	case r.Suspended && !was.Suspended:
		said = append(said, i18n.T(ctx, "Suspended"))
	case was.Suspended && !r.Suspended:
		said = append(said, i18n.T(ctx, "Suspension lifted"))
	}
	switch {
	case r.Voting && !was.Voting:
		said = append(said, i18n.T(ctx, "Given a vote"))
	case was.Voting && !r.Voting:
		said = append(said, i18n.T(ctx, "Without a vote"))
	}
	if text(was.Organization) != text(r.Organization) {
		said = append(said, i18n.T(ctx, "Now for %s", text(r.OrganizationName)))
	}
	if len(said) == 0 {
		return i18n.T(ctx, "Changed")
	}
	return strings.Join(said, " · ")
}

// Edit is the form that changes a seat.
type Edit struct {
	membership.History
	Form
	Roles []string
}

// Appoint is the form that gives a seat.
type Appoint struct {
	membership.Home
	Form
	Roles  []string
	Name   string // of the person, where one was chosen
	Invite bool   // the reader may
}

// Asking is a page that asks before something ends.
type Asking struct {
	part.Ending
	Reason         bool // asks for one
	ReasonRequired bool
	Form
	Version int
}

// Plan is the preview of an act on many.
type Plan struct {
	membership.Plan
	Action string // where confirming posts to
	Back   string
	Crumbs []part.Crumb
	Key    string
}

// outcome is what becomes of one, in words.
func (p Plan) outcome(ctx context.Context, l membership.Planned) string {
	switch {
	case l.Skipped != nil:
		return i18n.Problem(ctx, l.Skipped)
	case l.After == nil:
		return i18n.T(ctx, "The seat ends now")
	case p.Act == membership.BulkTerm && l.After.Until == nil:
		return i18n.T(ctx, "Term without end")
	case p.Act == membership.BulkTerm:
		return i18n.T(ctx, "Term ends on %s", i18n.LastDay(ctx, *l.After.Until))
	case p.Act == membership.BulkApprove:
		return i18n.T(ctx, "Gets a seat as %s", membership.Word(l.After.Role))
	case l.Before.Voting && !l.After.Voting:
		return i18n.T(ctx, "%s, without a vote", RoleName(ctx, l.After.Role))
	}
	return RoleName(ctx, l.After.Role)
}

func (p Plan) before(ctx context.Context, l membership.Planned) string {
	switch {
	case p.Act == membership.BulkApprove:
		return i18n.T(ctx, "Application pending")
	case p.Act == membership.BulkTerm && l.Before.Until == nil:
		return i18n.T(ctx, "Term without end")
	case p.Act == membership.BulkTerm:
		return i18n.T(ctx, "Term ends on %s", i18n.LastDay(ctx, *l.Before.Until))
	}
	return RoleName(ctx, l.Before.Role)
}

// Apply is the form that asks for a seat.
type Apply struct {
	membership.Applying
	Form
}

// Queue is the list of applications.
type Queue struct {
	membership.Home
	Tabs    []part.Tab
	Rows    []membership.Application
	Decided bool
	Decide  bool
	Invite  bool // the reader may
	Paging  part.Paging
	Now     time.Time
	Error   string
}

// Application is the page of one application.
type Application struct {
	membership.Home
	membership.Application
	Own    bool // the reader's, or of a person the reader nominated
	Known  bool // the reader may see the applicant's page
	Decide bool
	Form
	Roles []string
	Now   time.Time
}

// Invitations is the list of invitations.
type Invitations struct {
	membership.Home
	Tabs   []part.Tab
	Rows   []membership.Invitation
	State  string
	Own    bool // those that the reader sent alone
	Send   bool
	Paging part.Paging
	Now    time.Time
}

// Invite is the form to invite, and its preview.
type Invite struct {
	membership.Understood
	Form
	Roles   []string
	Preview bool
}

// Invitation is what the link of an invitation shows.
type Invitation struct {
	membership.Opened
	Token    string
	Key      string
	SignedIn bool
	Error    string
	Now      time.Time
}

// Holdings are the seats of an organization.
type Holdings struct {
	membership.Party
	Tabs   []part.Tab
	Rows   []membership.Held
	Day    string
	Today  string
	Error  string // of the day asked for: nothing is listed
	AsOf   time.Time
	Paging part.Paging
	Act    bool // as of now: seats can be replaced and recalled
}

// Nominate is the form that sends a person, or replaces one.
type Nominate struct {
	membership.Nominating
	Form
}

func (p Nominate) people() []part.Option {
	list := make([]part.Option, 0, len(p.People))
	for _, c := range p.People {
		if p.Held == nil || c.ID != p.Held.PersonID {
			list = append(list, part.Option{Value: c.ID.String(), Label: c.Name})
		}
	}
	return list
}

func (p Nominate) places(ctx context.Context) []part.Option {
	list := make([]part.Option, len(p.Places))
	for i, c := range p.Places {
		list[i] = part.Option{Value: c.Slug, Label: c.Name + " (" + c.Level + ")"}
	}
	return list
}

func (p Apply) organizations() []part.Option {
	list := make([]part.Option, len(p.Organizations))
	for i, o := range p.Organizations {
		list[i] = part.Option{Value: o.Slug, Label: o.Name}
	}
	return list
}

func version(n int) string { return fmt.Sprint(n) }

func lower(s string) string { return strings.ToLower(s) }

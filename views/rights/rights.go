// Package rights has the pages of the rules of commissions.
package rights

import (
	"context"
	"strconv"
	"strings"
	"time"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/i18n"
	"commissionportal/internal/rights"
	"commissionportal/views/part"
)

// names are what roles are called where they stand for all who hold them.
var names = map[string]string{
	"member": "Members", "officer": "Officers", "chair": "Chairs", "vice_chair": "Vice chairs", "secretary": "Secre\u00adtaries",
	"voting_representative": "Voting repre\u00adsen\u00adtatives", "alternate_representative": "Alter\u00adnates", "liaison_officer": "Liaison officers",
	"invited_expert": "Invited experts", "observer": "Observers", "emeritus": "Emeriti",
	"visitor": "Everybody", "person": "Whoever is signed in", "secretariat": "The secretariat", "convener": "The convener",
	"author": "Who submitted the document", "colleague": "Who acts for its source organization", "owner": "Primary representatives of its source organization",
	"recipient": "Who may see it by a share", "holder": "Who may download it by a share", "affiliate": "Who acts for the organization", "representative": "Its primary representatives",
}

func name(ctx context.Context, own rights.OwnRoles, role string) string {
	if n, ok := names[role]; ok {
		return i18n.T(ctx, n)
	}
	if r, ok := own.Find(role); ok {
		return r.Name
	}
	return role
}

func list(ctx context.Context, own rights.OwnRoles, roles []string) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = name(ctx, own, r)
	}
	return strings.Join(words, ", ")
}

func body(h rights.Home) part.Body {
	return part.Body{Name: h.Name, Path: h.Path(), Acronym: h.Acronym, Kind: h.Kind, State: h.State}
}

// Matrix is the page of who may do what.
type Matrix struct {
	rights.Matrix
	Tabs []part.Tab
	Edit bool
}

// key says all that its tables depend on.
func (p Matrix) key() []string {
	key := []string{"matrix", p.Path(), strconv.FormatBool(p.Edit)}
	for _, c := range p.Columns {
		key = append(key, c.Role, c.Name, strconv.Itoa(c.Persons))
	}
	for _, r := range p.Rules {
		key = append(key, r.Role, r.Object, r.Action, r.Effect)
	}
	return key
}

// holders is the address of the roster with those who hold a role; "" for a group.
func (p Matrix) holders(c rights.Column) string {
	if rights.Group(c.Role) {
		return ""
	}
	if c.Name != "" {
		return rolePath(p.Home, c.Role)
	}
	return p.Path() + "/roster?role=" + c.Role
}

func rowPath(h rights.Home, r rights.Row) string {
	return h.Path() + "/access/" + r.Object + "/" + r.Action
}

// says is what a cell says to somebody who does not see it.
func says(ctx context.Context, own rights.OwnRoles, role string, c rights.Cell) string {
	allowed := i18n.T(ctx, "Not allowed")
	if c.Allowed {
		allowed = i18n.T(ctx, "Allowed")
	}
	switch {
	case c.Own && c.By == role:
		return i18n.T(ctx, "%s, by a rule of its own", allowed)
	case c.Own:
		return i18n.T(ctx, "%s, by a rule for: %s", allowed, name(ctx, own, c.By))
	case c.Allowed && c.By != role:
		return i18n.T(ctx, "%s, as all of these: %s", allowed, name(ctx, own, c.By))
	}
	return allowed
}

func cellClass(c rights.Cell) string {
	class := "cell"
	if c.Allowed {
		class += " is-allowed"
	}
	if c.Own {
		class += " is-own"
	}
	return class
}

// Row is the form that changes one row.
type Row struct {
	rights.Home
	Columns []rights.Column
	Row     rights.Row
	Chosen  map[string]string
	Errors  map[string]string
	Error   string
	Reason  string
	Key     string
}

func (p Row) field(ctx context.Context, i int) part.Field {
	c, cell := p.Columns[i], p.Row.Cells[i]
	value := p.Chosen[c.Role]
	if value == "" {
		value = cell.Rule
	}
	f := part.Field{Name: c.Role, Label: name(ctx, p.Own, c.Role), Value: value, Required: true, Error: p.Errors[c.Role], Help: now(ctx, p.Own, c, cell),
		Options: []part.Option{{Value: "inherit", Label: i18n.T(ctx, "Inherit")}, {Value: "allow", Label: i18n.T(ctx, "Allow")}, {Value: "deny", Label: i18n.T(ctx, "Deny")}}}
	if c.Name != "" { // takes nothing away
		f.Options = []part.Option{{Value: "inherit", Label: i18n.T(ctx, "Only what the seat gives")}, {Value: "allow", Label: i18n.T(ctx, "Allow")}}
	}
	return f
}

func (p Row) fields(ctx context.Context) []part.Field {
	list := make([]part.Field, len(p.Columns))
	for i := range p.Columns {
		list[i] = p.field(ctx, i)
	}
	return list
}

// now is how it is at present, and for how many.
func now(ctx context.Context, own rights.OwnRoles, c rights.Column, cell rights.Cell) string {
	return i18n.N(ctx, c.Persons, "%d person now.", "%d persons now.") + " " + says(ctx, own, c.Role, cell) + "."
}

// Plan is the page before a change is made.
type Plan struct {
	rights.Home
	Plan         rights.Plan
	Action, Back string
	Fields       [][2]string
	Reason, Key  string
	Revert       bool
	Error        string
}

// becomes says what a cell will be.
func becomes(ctx context.Context, c rights.Change) string {
	label, role := i18n.T(ctx, rights.Label(c.Question())), name(ctx, nil, c.Role)
	if c.Name != "" { // as it was called when the rule was made
		role = c.Name
	}
	switch c.Effect {
	case "allow":
		return i18n.T(ctx, "%s — allowed: %s", role, label)
	case "deny":
		return i18n.T(ctx, "%s — denied: %s", role, label)
	}
	if c.Name != "" {
		return i18n.T(ctx, "%s — only what the seat gives: %s", role, label)
	}
	return i18n.T(ctx, "%s — as everywhere: %s", role, label)
}

// idle says what a right is of no use without.
func idle(ctx context.Context, i rights.Idle) string {
	role := i.Name
	if role == "" {
		role = name(ctx, nil, i.Role)
	}
	return i18n.T(ctx, "%s — “%s” is of no use to them without “%s”, which they may not: allow that as well.", role, i18n.T(ctx, rights.Label(i.Question)), i18n.T(ctx, rights.Label(i.Needs)))
}

// consequence says what becomes of people, in one sentence.
func consequence(ctx context.Context, own rights.OwnRoles, c rights.Consequence) string {
	who := i18n.N(ctx, c.Persons, "%d person", "%d persons") + " (" + list(ctx, own, c.Roles) + ")"
	label := i18n.T(ctx, c.Label)
	documents := ""
	if c.Documents != nil {
		documents = i18n.N(ctx, *c.Documents, "%d document", "%d documents")
	}
	switch {
	case c.Object == "document" && documents != "" && c.Gain:
		return i18n.T(ctx, "%s can from now on read %s.", who, documents)
	case c.Object == "document" && documents != "":
		return i18n.T(ctx, "%s can no longer read %s.", who, documents)
	case documents != "" && c.Gain:
		return i18n.T(ctx, "%s can from now on download the files of %s.", who, documents)
	case documents != "":
		return i18n.T(ctx, "%s can no longer download the files of %s.", who, documents)
	case c.Gain:
		return i18n.T(ctx, "%s can from now on do this: %s.", who, label)
	}
	return i18n.T(ctx, "%s can no longer do this: %s.", who, label)
}

func documents(p rights.Plan) bool {
	for _, c := range p.Consequences {
		if c.Documents != nil && !c.Gain {
			return true
		}
	}
	return false
}

// Why is the page that explains an answer.
type Why struct {
	rights.Answer
	Asked  string
	Self   bool
	Others bool // the reader may ask about other people
	Errors map[string]string
}

// about says what the question is about; in the words of who asked, if no rule
// speaks of that.
func (p Why) about(ctx context.Context) string {
	if l := rights.Label(p.Question); l != "" {
		return i18n.T(ctx, l)
	}
	return p.Action + " " + p.Object
}

func (p Why) verdict(ctx context.Context) string {
	switch {
	case p.Self && p.Allowed:
		return i18n.T(ctx, "You may do this")
	case p.Self:
		return i18n.T(ctx, "You may not do this")
	case p.Allowed:
		return i18n.T(ctx, "%s may do this", p.Person.Name)
	}
	return i18n.T(ctx, "%s may not do this", p.Person.Name)
}

func seat(ctx context.Context, h rights.Held) string {
	text := ""
	if h.Organization != nil {
		text = " · " + *h.Organization
	}
	if h.Until != nil {
		text += " · " + i18n.T(ctx, "until %s", i18n.Day(ctx, calendar.Last(ctx, *h.Until)))
	}
	if h.Suspended {
		text += " · " + i18n.T(ctx, "suspended: it gives nothing as long as it is")
	}
	return text
}

func title(ctx context.Context, p Why) string {
	if len(p.Errors) > 0 {
		return i18n.T(ctx, "Why?")
	}
	return p.verdict(ctx)
}

// commissionOf is the commission to ask in again: not beside a document, which has one.
func commissionOf(p Why) string {
	if p.Document != "" {
		return ""
	}
	return p.Commission
}

// decided says which row or rule speaks of a role, in a sentence.
func decided(ctx context.Context, own rights.OwnRoles, r access.Reason) string {
	role := name(ctx, own, r.Role)
	switch {
	case r.Own && r.Allowed:
		return i18n.T(ctx, "%s: allowed by a rule of this commission for: %s", role, name(ctx, own, r.By))
	case r.Own:
		return i18n.T(ctx, "%s: denied by a rule of this commission for: %s", role, name(ctx, own, r.By))
	case r.By != r.Role:
		return i18n.T(ctx, "%s: allowed, as all of these: %s", role, name(ctx, own, r.By))
	}
	return i18n.T(ctx, "%s: allowed", role)
}

// Changed is a change of the rules as the journal has it.
type Changed struct {
	Number            int64
	At                time.Time
	Text, Who, Reason string
	Cells             []rights.Change
}

func rolePath(h rights.Home, role string) string { return h.Path() + "/access/roles/" + role }

// Roles is the page of the roles that a commission made for itself.
type Roles struct {
	rights.Home
	Tabs   []part.Tab
	List   []rights.Own
	Edit   bool
	Draft  Naming
	Errors map[string]string
	Error  string
	Key    string
}

// Naming is what somebody typed about a role.
type Naming struct{ Name, Purpose string }

func (n Naming) fields(ctx context.Context, errors map[string]string) (name, purpose part.Field) {
	return part.Field{Name: "name", Label: i18n.T(ctx, "Name"), Value: n.Name, Error: errors["name"], Required: true, MaxLength: 40, Help: i18n.T(ctx, "What somebody is called who has it, such as rapporteur or editor.")},
		part.Field{Name: "purpose", Label: i18n.T(ctx, "What it is for"), Value: n.Purpose, Error: errors["purpose"], MaxLength: 500}
}

// gives lists what a role allows, in words.
func gives(ctx context.Context, list []access.Question) string {
	words := make([]string, len(list))
	for i, q := range list {
		words[i] = i18n.T(ctx, rights.Label(q))
	}
	return strings.Join(words, "; ")
}

// RoleOf is the page of one of them: what it gives, who holds it, whom to give it to.
type RoleOf struct {
	rights.Home
	Role       rights.Own
	Holders    []rights.Holder
	Paging     part.Paging
	Edit       bool
	Asked      bool // Candidates were looked for
	Query      string
	Candidates []rights.Holder
	Draft      Naming
	Errors     map[string]string
	Error      string
	Version    int
	Key        string
}

func (p RoleOf) path() string { return rolePath(p.Home, p.Role.Role) }

func (p RoleOf) more() bool { return len(p.Candidates) == rights.MostCandidates }

// Review is the page on which somebody confirms that roles and rules are right.
type Review struct {
	rights.Review
	Tabs []part.Tab
	Edit bool
	Now  time.Time
	Key  string
}

// standing says when it was confirmed, and when it is asked for again.
func (p Review) standing(ctx context.Context) string {
	due, late := i18n.Date(ctx, p.Due()), !p.Now.Before(p.Due())
	switch {
	case p.ReviewedAt == nil && late:
		return i18n.T(ctx, "Nobody has confirmed it yet. It is asked for every six months: it is due since %s.", due)
	case p.ReviewedAt == nil:
		return i18n.T(ctx, "Nobody has confirmed it yet. It is asked for every six months; the first time is %s.", due)
	case late:
		return i18n.T(ctx, "Last confirmed on %s. It is due again since %s.", i18n.Date(ctx, *p.ReviewedAt), due)
	}
	return i18n.T(ctx, "Last confirmed on %s. The next time is %s.", i18n.Date(ctx, *p.ReviewedAt), due)
}

func line(h rights.Holder) string {
	if h.Organization != nil {
		return *h.Organization
	}
	return ""
}

// ends are what ends when the role is removed.
func (p RoleOf) ends(ctx context.Context) []string {
	list := []string{i18n.N(ctx, p.Role.Persons, "%d person holds it no longer", "%d persons hold it no longer")}
	for _, q := range p.Role.Gives {
		list = append(list, i18n.T(ctx, "By it: %s", i18n.T(ctx, rights.Label(q))))
	}
	return list
}

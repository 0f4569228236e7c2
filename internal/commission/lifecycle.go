package commission

import (
	"slices"
	"strings"
	"unicode/utf8"

	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
)

// Act is a step in the life of a commission: from one state to another. Its name
// is also the action that access is asked for.
type Act struct {
	Name   string
	From   []string
	To     string
	Reason bool // it has to be given
	Ends   bool // nothing leads back
}

// Acts are all steps there are.
var Acts = []Act{
	{Name: "call", From: []string{Proposed}, To: Forming},
	{Name: "activate", From: []string{Forming}, To: Active},
	{Name: "rest", From: []string{Active}, To: Dormant, Reason: true},
	{Name: "revive", From: []string{Dormant}, To: Active},
	{Name: "conclude", From: []string{Active, Dormant}, To: Concluded, Reason: true, Ends: true},
	{Name: "abandon", From: []string{Proposed, Forming}, To: Abandoned, Reason: true, Ends: true},
}

// ActNamed is the act of that name.
func ActNamed(name string) (Act, bool) {
	return find(func(a Act) bool { return a.Name == name })
}

// ActTo is the act that leads from one state to another.
func ActTo(from, to string) (Act, bool) {
	return find(func(a Act) bool { return a.To == to && slices.Contains(a.From, from) })
}

func find(is func(Act) bool) (Act, bool) {
	if i := slices.IndexFunc(Acts, is); i >= 0 {
		return Acts[i], true
	}
	return Act{}, false
}

// Support is how much a proposed commission has, or needs.
type Support struct {
	Persons       int `db:"persons" json:"persons"`
	Organizations int `db:"organizations" json:"organizations"`
	Countries     int `db:"countries" json:"countries" doc:"Of the supporting organizations, and of those who support in person."`
}

// Reaches reports whether s is enough for need.
func (s Support) Reaches(need Support) bool {
	return s.Persons >= need.Persons && s.Organizations >= need.Organizations && s.Countries >= need.Countries
}

// Facts are what a transition is decided on.
type Facts struct {
	Support   Support `json:"support"`
	Threshold Support `json:"threshold"`
	Revisions int     `json:"revisions"` // of the charter
	Adopted   bool    `json:"adopted"`   // one of them is
	Chair     bool    `json:"chair"`     // a live seat that is not suspended
	Secretary bool    `json:"secretary"`
	Below     int     `json:"below"` // bodies under it that have not ended
	Reason    string  `json:"-"`
}

// Need is one thing that an act asks for. Label says what it is, Lack what to do
// where it is not met.
type Need struct {
	Field string
	Met   bool
	Label Sentence
	Lack  Sentence
}

// Sentence is an English text of the catalog with its arguments.
type Sentence struct {
	Format string
	Args   []any
}

func say(format string, args ...any) Sentence { return Sentence{format, args} }

// Needs are what the act asks for, met or not, besides its reason.
func (a Act) Needs(f Facts) []Need {
	switch a.Name {
	case "call":
		needs := []Need{{"persons", f.Support.Persons >= f.Threshold.Persons,
			say("Supporters: %d of %d", f.Support.Persons, f.Threshold.Persons),
			say("It needs %d supporters and has %d. Send people the address of its page.", f.Threshold.Persons, f.Support.Persons)}}
		if f.Threshold.Organizations > 0 {
			needs = append(needs, Need{"organizations", f.Support.Organizations >= f.Threshold.Organizations,
				say("Supporting organizations: %d of %d", f.Support.Organizations, f.Threshold.Organizations),
				say("It needs the support of %d organizations and has that of %d.", f.Threshold.Organizations, f.Support.Organizations)})
		}
		if f.Threshold.Countries > 0 {
			needs = append(needs, Need{"countries", f.Support.Countries >= f.Threshold.Countries,
				say("Countries of the supporters: %d of %d", f.Support.Countries, f.Threshold.Countries),
				say("It needs support from %d countries and has it from %d.", f.Threshold.Countries, f.Support.Countries)})
		}
		return append(needs, Need{"charter", f.Revisions > 0, say("A draft of the charter"), say("It needs a draft of its charter. Write one on the charter page.")})
	case "activate":
		return []Need{
			{"chair", f.Chair, say("A chair"), say("It needs a chair. Appoint one on the roster page.")},
			{"secretary", f.Secretary, say("A secretary"), say("It needs a secretary. Appoint one on the roster page.")},
			{"charter", f.Adopted, say("An adopted charter"), say("Its charter has not been adopted. Adopt it on the charter page.")},
		}
	case "conclude", "abandon":
		return []Need{{"below", f.Below == 0, say("No body sits under it"), say("Bodies under it that have not ended: %d. Conclude or move them first.", f.Below)}}
	}
	return nil
}

// mostReason is the most characters a reason has.
const mostReason = 2000

// Transition decides whether c may go to that state. It reports in one answer all
// that is lacking, each at its field: a Conflict, or Invalid if it is the reason
// alone.
func Transition(c Commission, to string, f Facts) error {
	a, ok := ActTo(c.State, to)
	if !ok {
		return problem.New(problem.Conflict, "It is %s now, and cannot become %s.", i18n.Key(c.State), i18n.Key(to))
	}
	p := &problem.Error{Kind: problem.Invalid}
	for _, n := range a.Needs(f) {
		if !n.Met {
			p.Kind = problem.Conflict
			p = p.And(n.Field, n.Lack.Format, n.Lack.Args...)
		}
	}
	switch n := utf8.RuneCountInString(strings.TrimSpace(f.Reason)); {
	case n == 0 && a.Reason:
		p = p.And("reason", "Say why. Everybody concerned reads it.")
	case n > mostReason:
		p = p.And("reason", "Use at most %d characters; these are %d.", mostReason, n)
	}
	if len(p.Fields) == 0 {
		return nil
	}
	return p
}

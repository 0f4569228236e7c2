package part

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"commissionportal/internal/i18n"
)

// Field is one input of a form. Value is what was typed, so that a form that was
// refused comes back as it was sent; Error is what is wrong with it.
type Field struct {
	Name  string // as the form sends it
	Label string
	Value string
	Help  string // one line under the label: what to write, and what it is for
	Error string // from i18n.FieldProblems

	Required     bool
	Depends      bool // on another field whether it has to be given, which Help says: "optional" is not said
	ReadOnly     bool
	Focus        bool   // gets the cursor when the page opens
	HideLabel    bool   // for screen readers only, where the place says it: filters
	MaxLength    int    // in characters; 0 is no limit
	Type         string // of Text: "" (text), email, password, url, tel, number, search, datetime-local
	Autocomplete string // the HTML autofill word: "email", "organization", "off"
	Placeholder  string
	Min, Max     string           // of number and date
	Rows         int              // of Area; 0 is 4
	Accept       string           // of File: ".csv,.xlsx"
	Options      []Option         // of Select and Radios
	Blank        string           // of Select: the first option, whose value is ""; "" for none
	ID           string           // only where one page has two fields of one name
	Attributes   templ.Attributes // hx-… and data-…
}

// Option is one choice of a Select or Radios.
type Option struct {
	Value string
	Label string
	Help  string // of Radios: a line under the label
	Group string // of Select: options of one group that follow each other stand together
}

func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return "f-" + asID.Replace(f.Name)
}

var asID = strings.NewReplacer(".", "-", "[", "-", "]", "", " ", "-")

func (f Field) helpID() string  { return f.id() + "-help" }
func (f Field) errorID() string { return f.id() + "-error" }

// describedBy is what a screen reader says after the label.
func (f Field) describedBy() string {
	var ids []string
	if f.Error != "" {
		ids = append(ids, f.errorID())
	}
	if f.Help != "" {
		ids = append(ids, f.helpID())
	}
	return strings.Join(ids, " ")
}

// attributes are those that every kind of input has.
func (f Field) attributes() templ.Attributes {
	a := templ.Attributes{"id": f.id(), "name": f.Name}
	if by := f.describedBy(); by != "" {
		a["aria-describedby"] = by
	}
	if f.Error != "" {
		a["aria-invalid"] = "true"
	}
	if f.Required {
		a["required"] = true
	}
	if f.ReadOnly {
		a["readonly"] = true
	}
	if f.Focus {
		a["autofocus"] = true
	}
	for name, value := range map[string]string{"autocomplete": f.Autocomplete, "placeholder": f.Placeholder, "min": f.Min, "max": f.Max} {
		if value != "" {
			a[name] = value
		}
	}
	if f.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(f.MaxLength)
	}
	for name, value := range f.Attributes {
		a[name] = value
	}
	return a
}

// optional reports whether the label says so: not where a choice has been made, and
// none of the others is to choose nothing.
func (f Field) optional() bool {
	if f.Required || f.Depends || f.ReadOnly || f.HideLabel {
		return false
	}
	return len(f.Options) == 0 || f.Blank != "" || f.Value == "" || slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == "" })
}

func (f Field) inputType() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) rows() string {
	if f.Rows == 0 {
		return "4"
	}
	return strconv.Itoa(f.Rows)
}

// class marks an input that is wrong; base is its own class.
func (f Field) class(base string) string {
	if f.Error != "" {
		return base + " is-invalid"
	}
	return base
}

type optionGroup struct {
	label   string
	options []Option
}

func grouped(options []Option) []optionGroup {
	var groups []optionGroup
	for _, o := range options {
		if n := len(groups); n > 0 && groups[n-1].label == o.Group {
			groups[n-1].options = append(groups[n-1].options, o)
		} else {
			groups = append(groups, optionGroup{o.Group, []Option{o}})
		}
	}
	return groups
}

func (f Field) withCountries(ctx context.Context) Field {
	all := i18n.Countries(ctx)
	f.Options = make([]Option, len(all))
	for i, c := range all {
		f.Options[i] = Option{Value: c.Code, Label: i18n.Country(ctx, c.Code)}
	}
	return f
}

func wrong(fields []Field) []Field {
	var list []Field
	for _, f := range fields {
		if f.Error != "" {
			list = append(list, f)
		}
	}
	return list
}

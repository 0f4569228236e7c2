package intake

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"commissionportal/internal/check"
	"commissionportal/internal/country"
	"commissionportal/internal/organization"
	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
	"commissionportal/internal/slug"
)

// row is one line on its way into staged.
type row struct {
	cells map[string]string // by field
	given map[string]any    // by column of staged
	notes []string
	wrong []string // reasons to refuse it
}

// unit separates the format of a note from its values.
const unit = "\x1f"

func note(format string, args ...string) string {
	return strings.Join(append([]string{format}, args...), unit)
}

func (r *row) set(column string, v any) { r.given[column] = v }

func (r *row) note(format string, args ...string) { r.notes = append(r.notes, note(format, args...)) }

func (r *row) refuse(format string, args ...string) { r.wrong = append(r.wrong, note(format, args...)) }

// say refuses the row for the problem of a field, if there is one.
func (r *row) say(label string, f problem.Fields) {
	if err := f.Err(); err != nil {
		r.refuse("%s: %s", label, problem.As(err).Detail())
	}
}

// shown cuts what a person typed to what fits into a sentence.
func shown(s string) string {
	if utf8.RuneCountInString(s) > 60 {
		return string([]rune(s)[:59]) + "…"
	}
	return s
}

// line reads a text of one line of at most most characters.
func (r *row) line(field, label string, required bool, most int) string {
	v, least := r.cells[field], 0
	if required {
		least = 1
	}
	var f problem.Fields
	check.Line(&f, field, &v, least, most)
	r.say(label, f)
	return v
}

// text reads a text; what is too long is cut, which is noted.
func (r *row) text(field, label string, most int) string {
	v := r.cells[field]
	if utf8.RuneCountInString(v) > most {
		r.note("%s was cut to %s characters.", label, strconv.Itoa(most))
		v = strings.TrimSpace(string([]rune(v)[:most]))
	}
	return v
}

// day reads a year, a month or a day; what is none is noted and left out. last
// means its end in the zone: a term until 2026 ends with that year.
func (r *row) day(field string, last bool, zone *time.Location) *time.Time {
	v := r.cells[field]
	if v == "" {
		return nil
	}
	for _, l := range []struct {
		layout              string
		years, months, days int
	}{{time.DateOnly, 0, 0, 1}, {"2006-01", 0, 1, 0}, {"2006", 1, 0, 0}, {"2006/01/02", 0, 0, 1}, {"2.1.2006", 0, 0, 1}, {time.DateTime, 0, 0, 0}, {time.RFC3339, 0, 0, 0}} {
		if t, err := time.ParseInLocation(l.layout, v, zone); err == nil && t.Year() >= 1800 && t.Year() < 3000 {
			if last {
				t = t.AddDate(l.years, l.months, l.days)
			}
			t = t.UTC()
			return &t
		}
	}
	r.note("“%s” is not understood as a date: left out. Write 2026-03-10.", shown(v))
	return nil
}

// country reads a country from the first of the fields that says one.
func (r *row) country(names ...string) string {
	said := ""
	for _, name := range names {
		if v := r.cells[name]; v != "" {
			if c, ok := country.Find(v); ok {
				return c.Code
			}
			said = v
		}
	}
	if said != "" {
		r.note("There is no country “%s”: left empty.", shown(said))
	}
	return ""
}

// reader turns rows of the sheet into rows of staged, as the plan says.
type reader struct {
	kind   string
	plan   Plan
	fields []Field
	column map[string]int
	now    time.Time
	zone   *time.Location // whose days terms go by
}

func newReader(kind string, oneRoster bool, plan Plan, header []string, now time.Time, zone *time.Location) *reader {
	r := &reader{kind, plan, Fields(kind, oneRoster), map[string]int{}, now, zone}
	for _, f := range r.fields {
		for i, h := range header {
			if _, has := r.column[f.Name]; h == plan.Columns[f.Name] && h != "" && !has {
				r.column[f.Name] = i
			}
		}
	}
	return r
}

// word reads a field that is one of a few words; "" where it says nothing known.
func (in *reader) word(r *row, name string) string {
	text := r.cells[name]
	if text == "" {
		return ""
	}
	for from, to := range in.plan.Words[name] {
		if plain(from) == plain(text) {
			return to
		}
	}
	for _, f := range in.fields {
		if f.Name == name {
			if w := f.words(text); w != "" {
				return w
			}
		}
	}
	return ""
}

func (in *reader) read(from sheet.Row) *row {
	r := &row{cells: make(map[string]string, len(in.fields)), given: make(map[string]any, 16)}
	for _, f := range in.fields {
		if word, constant := strings.CutPrefix(in.plan.Columns[f.Name], "="); constant {
			r.cells[f.Name] = word
		} else if i, ok := in.column[f.Name]; ok {
			r.cells[f.Name] = from.Cells[i]
			for _, fault := range from.Faults {
				if fault.Column != i {
					continue
				}
				if fault.Refused {
					r.refuse("%s: %s", f.Label, fault.Problem.Detail())
				} else {
					r.note("%s: %s", f.Label, fault.Problem.Detail())
				}
			}
		}
	}
	for _, fault := range from.Faults {
		if fault.Column < 0 && fault.Refused {
			r.refuse("%s", fault.Problem.Detail())
		}
	}
	switch in.kind {
	case "organizations":
		in.organization(r)
	case "persons":
		in.person(r)
	case "commissions":
		in.commission(r)
	case "participations":
		in.participation(r)
	case "seats":
		in.seat(r)
	case "documents":
		in.document(r)
	}
	return r
}

func (in *reader) key(r *row, derived ...string) {
	key := r.cells["id"]
	if key == "" {
		key = "~" + strings.ToLower(strings.Join(derived, "|")) // no source has ids like it
	}
	if len(key) > 500 {
		r.refuse("The identifier has more than %s characters.", "500")
	}
	r.set("key", key)
}

func (in *reader) organization(r *row) {
	name := r.line("name", "Name", true, 200)
	code := r.country("country", "country_else")
	website := r.cells["website"]
	if website != "" {
		var f problem.Fields
		if check.Website(&f, "website", &website); f.Err() != nil {
			r.note("“%s” is not the address of a website: left out.", shown(r.cells["website"]))
			website = ""
		}
	}
	domain := ""
	for _, address := range append([]string{website}, strings.FieldsFunc(r.cells["domain"], func(c rune) bool { return c == ',' || c == ';' || c == ' ' })...) {
		if domain == "" {
			domain = organization.Domain(address)
		}
	}
	r.set("plain", organization.Plain(name))
	r.set("name", name)
	r.set("base", orID(slug.Make(name)))
	r.set("country", code)
	r.set("website", website)
	r.set("domain", domain)
	r.set("about", r.text("about", "About", 5000))
	kind := in.word(r, "kind")
	if kind == "" {
		kind = in.word(r, "kind_else")
	}
	if kind != "" {
		r.set("kind", kind)
	}
	if kind = kindByName(name); kind == "" {
		kind = "company"
	}
	r.set("kind_else", kind)
	if c := in.word(r, "category"); c != "" {
		r.set("category", c)
	} else if v := r.cells["category"]; v != "" {
		r.note("“%s” is no category the portal knows: associate.", shown(v))
	}
	if t := r.day("joined", false, time.UTC); t != nil && !t.After(in.now) {
		r.set("since", *t)
	}
	in.key(r, name, code, domain)
}

// orID is a slug for a name of which no letter could be kept: null, and the id
// takes its place.
func orID(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (in *reader) address(r *row) string {
	v := r.cells["email"]
	var f problem.Fields
	check.Email(&f, "email", &v)
	r.say("E-mail address", f)
	r.set("email", v)
	return v
}

func (in *reader) person(r *row) {
	r.set("name", r.line("name", "Name", true, 200))
	address := in.address(r)
	r.set("country", r.country("country"))
	r.set("about", r.text("about", "About", 2000))
	r.set("title", r.text("title", "Position", 200))
	if v := r.cells["language"]; v != "" {
		if languageTag.MatchString(v) {
			r.set("language", v)
		} else {
			r.note("“%s” is not the code of a language: left out.", shown(v))
		}
	}
	if v := r.cells["time_zone"]; v != "" {
		if _, err := time.LoadLocation(v); err == nil && v != "Local" && len(v) <= 64 {
			r.set("time_zone", v)
		} else {
			r.note("“%s” is not a time zone: left out.", shown(v))
		}
	}
	in.standsFor(r)
	in.key(r, address)
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

// standsFor reads the organization that a line names.
func (in *reader) standsFor(r *row) {
	name := strings.Join(strings.Fields(r.cells["organization"]), " ")
	if noOrganization(name) != "" {
		name = ""
	}
	if id := r.cells["organization_id"]; id != "" {
		r.set("organization_key", id)
	}
	if name != "" {
		r.set("organization", name)
		r.set("organization_plain", organization.Plain(name))
	}
}

var (
	code       = regexp.MustCompile(`^[A-Z0-9][A-Z0-9 ./()-]*$`)
	notAcronym = regexp.MustCompile(`[^A-Z0-9]+`)
	inBrackets = regexp.MustCompile(`\(([A-Z][A-Za-z0-9.-]{1,14})\)`)
)

func (in *reader) commission(r *row) {
	name := r.line("name", "Name", true, 200)
	id := r.cells["id"]
	isCode := id != "" && code.MatchString(name) && (name == id || strings.HasSuffix(id, "/"+name))
	if isCode { // IEC names its committees by their codes only
		name = id
		if p := r.cells["publisher"]; p != "" && !strings.Contains(name, p) && !strings.Contains(name, "/") {
			name = p + " " + name
		}
		r.note("The file gives only a code for its name.")
		r.set("rank", 1)
	}
	r.set("name", name)
	r.set("base", orID(slug.Make(name)))
	r.set("acronym", acronymOf(r.cells["acronym"], id, name))
	k := in.word(r, "kind")
	if v := r.cells["kind"]; v != "" && k == "" {
		r.note("“%s” is no kind of commission that the portal knows: working group.", shown(v))
	}
	if k == "" {
		k = "working_group"
	}
	r.set("kind", k)
	if v := r.cells["parent"]; v != "" {
		r.set("parent", v)
	}
	if v := r.cells["sector"]; v != "" {
		s := in.word(r, "sector")
		if s == "" {
			s = slug.Make(v)
		}
		r.set("sector", s)
		r.set("title", shown(v))
	}
	since, last := r.day("since", false, time.UTC), r.day("last", false, time.UTC)
	s := in.word(r, "state")
	if v := r.cells["state"]; v != "" && s == "" {
		r.note("“%s” is no state that the portal knows.", shown(v))
	}
	if s == "" {
		s = "active"
		if last != nil && last.Before(in.now.AddDate(-10, 0, 0)) {
			s = "dormant"
		}
	}
	r.set("state", s)
	if since != nil && !since.After(in.now) {
		r.set("since", *since)
	}
	if last != nil && !last.After(in.now) && (since == nil || !last.Before(*since)) {
		r.set("last", *last)
	}
	r.set("about", r.text("purpose", "Purpose", 2000))
	in.key(r, name, r.cells["parent"])
}

// acronymOf is what stands before document numbers: the acronym given, else the
// identifier, else the one in brackets in the name, else the name itself.
func acronymOf(given, id, name string) string {
	clean := func(s string) string {
		s = strings.Trim(notAcronym.ReplaceAllString(strings.ToUpper(slug.Make(s)), "-"), "-")
		if len(s) > 34 { // room for a number that tells two apart
			s = strings.TrimRight(s[:34], "-")
		}
		return s
	}
	if a := clean(given); a != "" {
		return a
	}
	if code.MatchString(id) {
		if a := clean(id); a != "" {
			return a
		}
	}
	if m := inBrackets.FindStringSubmatch(name); m != nil {
		if a := clean(m[1]); a != "" {
			return a
		}
	}
	if a := clean(name); a != "" {
		return a
	}
	if a := clean(id); a != "" {
		return a
	}
	return "COMMISSION"
}

func (in *reader) period(r *row) {
	since, until := r.day("from", false, in.zone), r.day("until", true, in.zone)
	if since != nil {
		r.set("since", *since)
	}
	if until != nil {
		r.set("until", *until)
		if start := since; start != nil && !until.After(*start) || since == nil && !until.After(in.now) {
			r.refuse("It ends before it begins.")
		}
	}
}

func (in *reader) participation(r *row) {
	in.standsFor(r)
	if r.given["organization"] == nil && r.given["organization_key"] == nil {
		r.refuse("It names no organization.")
	}
	r.set("commission", r.line("commission", "Commission", true, 300))
	r.set("name", shown(r.cells["organization"]+" – "+r.cells["commission"]))
	l := in.word(r, "level")
	if v := r.cells["level"]; v != "" && l == "" {
		r.refuse("“%s” is no level of participation: P, O or L.", shown(v))
	}
	if l != "" {
		r.set("level", l)
	}
	in.period(r)
}

func (in *reader) seat(r *row) {
	in.standsFor(r)
	r.set("name", r.line("name", "Person", true, 200))
	in.address(r)
	r.set("commission", r.cells["commission"])
	given := in.word(r, "role")
	if v := r.cells["role"]; v != "" && given == "" {
		r.refuse("“%s” is no role that the portal knows.", shown(v))
	}
	if given != "" {
		r.set("role", given)
	}
	switch in.word(r, "voting") {
	case "true":
		r.set("voting", true)
	case "false":
		r.set("voting", false)
	}
	in.period(r)
}

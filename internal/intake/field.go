package intake

import (
	"slices"
	"strings"

	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
)

// Field is something an import can read from a column.
type Field struct {
	sheet.Field
	Help    string
	Options []string                   // the words of the portal that it becomes, if it is one of a few
	words   words                      // nil where any text will do
	exact   bool                       // found only under one of its names: an identifier of something else is worse than none
	looks   func(values []string) bool // whether the cells of a column can be it; nil: any
}

func field(name, label, help string, aliases ...string) Field {
	return Field{Field: sheet.Field{Name: name, Label: label, Aliases: aliases}, Help: help}
}

func (f Field) required() Field { f.Required = true; return f }

func (f Field) only() Field { f.exact = true; return f }

func (f Field) like(looks func([]string) bool) Field { f.looks = looks; return f }

func (f Field) of(w words, options ...string) Field { f.words, f.Options = w, options; return f }

// Kinds of import, in the order in which they build on each other.
var Kinds = []string{"organizations", "persons", "commissions", "participations", "seats", "documents"}

// ofOne are the kinds that can be imported into one commission, by its officers.
var ofOne = []string{"seats", "documents"}

var (
	about          = field("about", "About", "A few sentences.", "description", "profile", "notes")
	countryOf      = field("country", "Country", "A code or a name, in any of six languages.", "country code", "country name", "nation", "iso country")
	organizationOf = field("organization", "Organization", "Its name or slug.", "organisation", "org name", "company", "firm", "employer", "affiliation", "member", "represents", "on behalf of")
	organizationID = field("organization_id", "Organization's identifier", "What the source calls it.", "org id", "organisation id", "member id", "company id").only()
	commissionName = field("commission", "Commission", "Its identifier in the source, slug, acronym or name.", "group id", "group", "committee id", "committee", "commission id", "commission name", "body", "working group").required()
	email          = field("email", "E-mail address", "By which the person is known.", "e mail", "mail", "email address", "address").required()
	from           = field("from", "From", "Year, month or day.", "since", "start", "begin", "start date", "joined", "date joined", "valid from", "appointed", "term start")
	until          = field("until", "Until", "Empty: without end.", "to", "end", "end date", "valid until", "expires", "term end", "left")
)

var fields = map[string][]Field{
	"organizations": {
		field("id", "Identifier", "What the source calls it; a file that has it can be corrected and imported again.", "org id", "organization id", "organisation id", "member id", "identifier", "key").only(),
		field("name", "Name", "Its legal name.", "organization", "organisation", "org name", "organization name", "company", "company name", "firm", "member").required(),
		field("kind", "Kind", "Otherwise its name decides, then it is a company.", "type", "organization type", "stakeholder group", "organization kind", "sector").of(organizationKind, organizationKinds...),
		field("kind_else", "Kind, second column", "Read where the first says nothing.", "stakeholder group", "stakeholder").of(organizationKind, organizationKinds...),
		field("category", "Category of membership", "Otherwise associate.", "lf level", "level", "membership level", "membership", "membership category", "tier", "member category").of(category, categories...),
		countryOf,
		field("country_else", "Country, second column", "Read where the first says nothing.", "country name").only(),
		field("website", "Website", "", "url", "web", "homepage", "site", "web site", "link"),
		field("domain", "Domain", "Of the website or of e-mail addresses; the first of several.", "domains", "email domains", "email domain"),
		field("joined", "Member since", "Year, month or day.", "join date", "member since", "since", "date joined", "created", "start"),
		about,
	},
	"persons": {
		field("id", "Identifier", "What the source calls the person.", "person id", "user id", "identifier", "key").only(),
		field("name", "Name", "", "person", "full name", "display name", "person name", "participant").required(),
		email,
		countryOf,
		field("language", "Language", "A code such as en or pt-BR.", "locale", "lang"),
		field("time_zone", "Time zone", "Such as Europe/Paris.", "timezone", "tz", "zone"),
		organizationOf,
		organizationID,
		field("title", "Position", "In the organization.", "job title", "position", "function"),
		about,
	},
	"commissions": {
		field("id", "Identifier", "What the source calls it; parents and seats find it by this.", "committee id", "commission id", "group id", "identifier", "key", "code", "reference").only(),
		field("name", "Name", "", "commission", "committee", "group", "title", "commission name", "committee name", "group name").required(),
		field("acronym", "Acronym", "Otherwise made of the identifier or the name.", "abbreviation", "short name", "abbr").only(),
		field("kind", "Kind", "Otherwise a working group.", "type", "commission type", "committee type", "group type").of(commissionKind, commissionKinds...),
		field("parent", "Sits under", "Identifier, slug, acronym or name.", "parent id", "parent committee", "parent group", "parent commission", "under"),
		field("sector", "Sector", "A sector of the portal, or a field of the International Classification for Standards.", "area", "industry", "field", "domain").of(sector),
		field("state", "State", "Otherwise active, or dormant where the last activity is ten years ago.", "status").of(state, states...),
		field("purpose", "Purpose", "", "description", "scope", "mission", "about", "summary"),
		field("since", "Founded", "Year, month or day.", "first year", "start", "founded", "created", "established", "start date", "year"),
		field("last", "Last activity", "Year, month or day.", "last year", "end", "ended", "last activity", "concluded"),
		field("publisher", "Published by", "Stands before a name that is only a code.", "source", "register", "owner").only(),
	},
	"participations": {
		organizationID,
		organizationOf,
		commissionName,
		field("level", "Level", "P, O or L; otherwise P.", "participation", "status", "membership", "type").of(level, levels...),
		from,
		until,
	},
	"seats": {
		commissionName,
		field("name", "Person", "", "person", "full name", "member", "participant", "person name").required(),
		email,
		organizationOf,
		organizationID,
		field("role", "Role", "Otherwise voting representative, or invited expert without an organization.", "position", "function", "office").of(role, roles...),
		field("voting", "Votes", "Otherwise voting representatives do.", "vote", "voting status", "has vote").of(yes, "true", "false"),
		from,
		until,
	},
	"documents": {
		field("id", "Identifier", "What the source calls it. It becomes a keyword.", "doc id", "document id", "identifier", "key", "doi").only(),
		field("number", "Number in the register", "Kept where it goes on from the last of the register; otherwise it becomes a keyword.", "n number", "n no", "register number", "document number", "reference", "no").only().like(registerNumbers),
		field("title", "Title", "", "title en", "document title", "document", "name", "subject").required(),
		field("title_else", "Title, second column", "Read where the first says nothing.", "title fr", "title 2").only(),
		commissionName,
		field("type", "Type", "Otherwise other.", "document type", "doctype", "doc type", "kind", "category").of(documentType, documentTypes...),
		organizationOf.also("source organization", "submitted by").only(),
		organizationID,
		field("status", "Status", "Otherwise available.", "state", "stage").of(documentStatus, documentStatuses...),
		field("date", "Date", "Year, month or day that it is from.", "published", "publication date", "date of origin", "issued", "submitted", "created", "posted"),
		field("action", "Expected action", "Otherwise none.", "action required", "for").of(documentAction, documentActions...),
		field("due_on", "Due on", "Year, month or day.", "due", "due date", "action due", "deadline"),
		field("language", "Language", "A code such as en or pt-BR; the first of several.", "languages", "lang"),
		field("keywords", "Keywords", "Between commas or semicolons.", "keyword", "tags", "subjects", "topics"),
		field("summary", "Summary", "", "abstract", "description", "about"),
		field("link", "Link", "Stands at the end of the summary.", "url", "web address", "website", "href").only(),
		field("visibility", "Who may read it", "Otherwise what the register says.", "visibility", "access", "readers").of(documentVisibility, documentVisibilities...),
	},
}

func (f Field) also(aliases ...string) Field {
	f.Aliases = append(slices.Clone(f.Aliases), aliases...)
	return f
}

// registerNumbers reports whether cells are numbers of a register: N12 or
// ENERGY-N0012, or counting up or down by one. A column "number" may hold anything
// else, such as the number of a standard.
func registerNumbers(values []string) bool {
	up, down, named := true, true, true
	for i, v := range values {
		_, n, whole := registerNumber(v)
		named = named && n > 0 && whole
		if n == 0 {
			return false
		}
		if i > 0 {
			_, before, _ := registerNumber(values[i-1])
			up, down = up && n == before+1, down && n == before-1
		}
	}
	return named || len(values) > 1 && (up || down)
}

// Fields are what an import of that kind reads. The seats and the documents of
// one commission have no column for it.
func Fields(kind string, oneRoster bool) []Field {
	if !oneRoster {
		return fields[kind]
	}
	return slices.DeleteFunc(slices.Clone(fields[kind]), func(f Field) bool { return f.Name == "commission" })
}

// Plan says how a file is read: where the identifiers in it come from, the
// column of each field, and what words mean that the portal does not know.
type Plan struct {
	// Source names the register whose identifiers the file has; files of one
	// source know each other's.
	Source string `json:"source"`
	// Columns holds the title of a field's column, or "=word" for the same on
	// every line; a field without one is not read.
	Columns map[string]string `json:"columns"`
	// Words holds what a word of the file means, by field.
	Words map[string]map[string]string `json:"words,omitempty"`
}

// Guess finds the columns by their titles; the rows, the first of the file,
// decide where a title says one thing and the column holds another.
func Guess(kind string, oneRoster bool, header []string, rows [][]string) map[string]string {
	list := Fields(kind, oneRoster)
	var loose []sheet.Field
	found := map[string]string{}
	used := map[string]bool{}
	take := func(f, title string) { found[f], used[title] = title, true }
	for _, f := range list {
		for _, name := range append([]string{f.Name, f.Label}, f.Aliases...) {
			if i := slices.IndexFunc(header, func(h string) bool { return !used[h] && same(h, name) }); f.exact && i >= 0 && found[f.Name] == "" {
				take(f.Name, header[i])
			}
		}
		if !f.exact {
			loose = append(loose, f.Field)
		}
	}
	rest := slices.Clone(header)
	for i, h := range rest {
		if used[h] {
			rest[i] = ""
		}
	}
	for name, i := range sheet.Guess(rest, loose) {
		take(name, header[i])
	}
	column := func(title string) []string {
		if title == "" {
			return nil
		}
		var values []string
		for i, h := range header {
			for _, r := range rows {
				if h == title && r[i] != "" {
					values = append(values, r[i])
				}
			}
		}
		return values
	}
	for _, f := range list { // what the field does not understand is not its column
		values := column(found[f.Name])
		if len(values) > 0 && (len(f.Options) > 0 && understood(f, values) < 0.5 || f.looks != nil && !f.looks(values)) {
			delete(used, found[f.Name])
			delete(found, f.Name)
		}
	}
	for _, f := range list {
		if len(f.Options) == 0 || found[f.Name] != "" || len(f.Options) == 2 {
			continue
		}
		for _, h := range header {
			if values := column(h); !used[h] && h != "" && len(values) > 0 && understood(f, values) > 0.8 {
				take(f.Name, h)
				break
			}
		}
	}
	return found
}

func same(a, b string) bool {
	fold := func(s string) string { return strings.ReplaceAll(plain(s), " ", "") }
	return fold(a) == fold(b)
}

func understood(f Field, values []string) float64 {
	n := 0
	for _, v := range values {
		if f.words(v) != "" {
			n++
		}
	}
	return float64(n) / float64(len(values))
}

// Check reports every field of the plan that cannot be read from that header.
func (p *Plan) Check(kind string, oneRoster bool, header []string) error {
	var bad problem.Fields
	list := Fields(kind, oneRoster)
	for name := range p.Columns {
		if !slices.ContainsFunc(list, func(f Field) bool { return f.Name == name }) {
			bad.Add("columns", "There is no field %s. The fields are: %s.", name, names(list))
		}
	}
	for _, f := range list {
		title := strings.TrimSpace(p.Columns[f.Name])
		word, constant := strings.CutPrefix(title, "=")
		switch {
		case title == "" && f.Required:
			bad.Add("column_"+f.Name, "Choose the column with this.")
		case title == "":
			delete(p.Columns, f.Name)
		case constant && len(f.Options) > 0 && !slices.Contains(f.Options, word):
			bad.Add("column_"+f.Name, "Choose one of: %s.", strings.Join(f.Options, ", "))
		case !constant:
			i := slices.IndexFunc(header, func(h string) bool { return h == title })
			if i < 0 {
				i = slices.IndexFunc(header, func(h string) bool { return same(h, title) })
			}
			if i < 0 {
				bad.Add("column_"+f.Name, "There is no column %s in the file.", title)
				continue
			}
			p.Columns[f.Name] = header[i]
		}
		for from, to := range p.Words[f.Name] {
			if len(f.Options) > 0 && !slices.Contains(f.Options, to) {
				bad.Add("words", "%s cannot mean %s. Choose one of: %s.", from, to, strings.Join(f.Options, ", "))
			}
		}
	}
	for name := range p.Words {
		if !slices.ContainsFunc(list, func(f Field) bool { return f.Name == name && f.words != nil }) {
			bad.Add("words", "%s is no field whose words have a meaning.", name)
		}
	}
	p.Source = strings.Join(strings.Fields(p.Source), " ")
	if n := len([]rune(p.Source)); n < 1 || n > 100 {
		bad.Add("source", "Name the source in 1 to 100 characters.")
	}
	return bad.Err()
}

func names(list []Field) string {
	all := make([]string, len(list))
	for i, f := range list {
		all[i] = f.Name
	}
	return strings.Join(all, ", ")
}

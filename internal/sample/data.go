package sample

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

//go:embed data
var files embed.FS

// bodyText is what the file of a commission says: see data/commissions.
type bodyText struct {
	Slug, Name, Acronym, Kind, Sector, Under string
	ProposedBy                               string // the organization of the convener; "" for one by chance

	State      string
	Age        int    // months in which it has been active, or, before that, since it was proposed
	Since      int    // months since it rests, has concluded or was abandoned
	Supporters [3]int // persons, organizations, countries
	JoinMode   string
	Roster     string
	Term       int // months; 0 is without end
	Limit      int // seats of an organization; 0 is none
	Purpose    string
	Charter    string
	Revisions  []revisionText
	Milestones []milestoneText
}

// revisionText is what a revision of a charter changes in the one before.
type revisionText struct {
	When    string // "founding", or how many months ago
	Draft   bool
	Summary string
	Edits   [][2]string // old text, new text
}

type milestoneText struct {
	Title string
	Due   int // months from now
	Done  bool
}

// organizationText is a line of data/organizations.txt.
type organizationText struct {
	Name, Kind, Category, Country, Domain, About, State string

	Sectors []string
}

// nameText is a pool of names in data/names.txt.
type nameText struct {
	Countries                      []string
	FamilyFirst, Joined            bool
	Men, Women, MenLast, WomenLast []name
}

// name is a name in its own script and in Latin.
type name struct{ Own, Latin string }

// lines calls fn for each line of a data file but comments and empty ones.
func lines(file string, fn func(line string) error) error {
	raw, err := files.ReadFile("data/" + file)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(raw)) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if err := fn(line); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return nil
}

func readOrganizations() ([]organizationText, error) {
	var list []organizationText
	err := lines("organizations.txt", func(line string) error {
		f := strings.Split(line, "|")
		if len(f) != 8 {
			return fmt.Errorf("%d fields", len(f))
		}
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		list = append(list, organizationText{Name: f[0], Kind: f[1], Category: f[2], Country: f[3], Domain: f[4],
			Sectors: strings.Fields(f[5]), About: f[6], State: f[7]})
		return nil
	})
	return list, err
}

// Pool are names that are usual in some countries, in Latin letters.
type Pool struct {
	Countries     []string
	Given, Family []string
	FamilyFirst   bool
}

// Name is one of them.
func (p Pool) Name(r *rand.Rand) string {
	given, family := p.Given[r.IntN(len(p.Given))], p.Family[r.IntN(len(p.Family))]
	if p.FamilyFirst {
		return family + " " + given
	}
	return given + " " + family
}

// Names are the names of the sample, in an order that stays.
func Names() ([]Pool, error) {
	byCountry, err := readNames()
	var list []Pool
	for _, country := range slices.Sorted(maps.Keys(byCountry)) {
		n := byCountry[country]
		if country != n.Countries[0] {
			continue
		}
		p := Pool{Countries: n.Countries, FamilyFirst: n.FamilyFirst}
		for _, given := range slices.Concat(n.Men, n.Women) {
			p.Given = append(p.Given, given.Latin)
		}
		for _, family := range slices.Concat(n.MenLast, n.WomenLast) {
			if !slices.Contains(p.Family, family.Latin) {
				p.Family = append(p.Family, family.Latin)
			}
		}
		list = append(list, p)
	}
	return list, err
}

func readNames() (map[string]*nameText, error) {
	pools := map[string]*nameText{}
	var pool *nameText
	err := lines("names.txt", func(line string) error {
		if _, countries, ok := strings.Cut(line, "] "); ok && line[0] == '[' {
			pool = &nameText{Countries: strings.Fields(countries)}
			for _, c := range pool.Countries {
				pools[c] = pool
			}
			return nil
		}
		key, rest, _ := strings.Cut(line, " ")
		var names []name
		for _, word := range strings.Fields(rest) {
			own, latin, ok := strings.Cut(strings.ReplaceAll(word, "_", " "), "=")
			if !ok {
				latin = own
			}
			names = append(names, name{own, latin})
		}
		switch key {
		case "family":
			pool.FamilyFirst = true
		case "joined":
			pool.Joined = true
		case "m":
			pool.Men = names
		case "f":
			pool.Women = names
		case "s":
			pool.MenLast, pool.WomenLast = names, names
		case "sm":
			pool.MenLast = names
		case "sf":
			pool.WomenLast = names
		default:
			return fmt.Errorf("unknown key %q", key)
		}
		return nil
	})
	return pools, err
}

func readTexts() (map[string][]string, error) {
	texts := map[string][]string{}
	heading := ""
	err := lines("texts.txt", func(line string) error {
		if line[0] == '[' {
			heading = strings.Trim(line, "[]")
			return nil
		}
		texts[heading] = append(texts[heading], line)
		return nil
	})
	return texts, err
}

func readBodies() ([]*bodyText, error) {
	entries, err := fs.ReadDir(files, "data/commissions")
	if err != nil {
		return nil, err
	}
	bodies := make([]*bodyText, len(entries))
	for i, e := range entries {
		raw, err := files.ReadFile("data/commissions/" + e.Name())
		if err != nil {
			return nil, err
		}
		if bodies[i], err = parseBody(strings.TrimSuffix(e.Name(), ".md"), string(raw)); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	// Those above come before those below them.
	order := []string{"commission", "subcommission", "working_group", "task_force"}
	slices.SortStableFunc(bodies, func(a, b *bodyText) int { return slices.Index(order, a.Kind) - slices.Index(order, b.Kind) })
	return bodies, nil
}

// parseBody reads a file: a head of settings and the purpose, the first charter,
// perhaps what later revisions change in it, and the milestones; a line of three
// hyphens between them.
func parseBody(slug, text string) (*bodyText, error) {
	parts := strings.Split(strings.TrimSpace(text), "\n---\n")
	if len(parts) < 3 || len(parts) > 4 {
		return nil, fmt.Errorf("%d parts", len(parts))
	}
	b := &bodyText{Slug: slug, Kind: "commission", JoinMode: "application", Roster: "public", Charter: strings.TrimSpace(parts[1])}
	settings, purpose, ok := strings.Cut(parts[0], "\n\n")
	if !ok {
		return nil, fmt.Errorf("no purpose")
	}
	b.Purpose = strings.TrimSpace(purpose)
	for line := range strings.Lines(settings) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := b.set(key, value); err != nil {
			return nil, err
		}
	}
	if len(parts) == 4 {
		if err := b.parseRevisions(parts[2]); err != nil {
			return nil, err
		}
	}
	for line := range strings.Lines(parts[len(parts)-1]) {
		f := strings.SplitN(strings.TrimSpace(strings.ReplaceAll(line, "[ ]", "[-]")), " ", 3)
		due, err := strconv.Atoi(f[1])
		if err != nil {
			return nil, err
		}
		b.Milestones = append(b.Milestones, milestoneText{Title: f[2], Due: due, Done: f[0] == "[x]"})
	}
	return b, nil
}

func (b *bodyText) set(key, value string) (err error) {
	switch key {
	case "#":
		b.Name = value
	case "convener":
		b.ProposedBy = value
	case "acronym":
		b.Acronym = value
	case "kind":
		b.Kind = value
	case "under":
		b.Under = value
	case "sector":
		b.Sector = value
	case "proposed", "forming", "active", "dormant", "concluded", "abandoned":
		b.State = key
		b.Age, err = strconv.Atoi(value)
	case "since":
		b.Since, err = strconv.Atoi(value)
	case "supporters":
		_, err = fmt.Sscan(value, &b.Supporters[0], &b.Supporters[1], &b.Supporters[2])
	case "join":
		b.JoinMode = value
	case "roster":
		b.Roster = value
	case "term":
		b.Term, err = strconv.Atoi(value)
	case "limit":
		b.Limit, err = strconv.Atoi(value)
	default:
		err = fmt.Errorf("unknown setting %q", key)
	}
	return err
}

// parseRevisions reads what revisions change: runs of lines with "-" that become
// those with "+" after them.
func (b *bodyText) parseRevisions(text string) error {
	var from, to []string
	flush := func() error {
		if len(from) == 0 && len(to) == 0 {
			return nil
		}
		if len(b.Revisions) == 0 || len(from) == 0 {
			return fmt.Errorf("nothing is replaced by %q", to)
		}
		r := &b.Revisions[len(b.Revisions)-1]
		r.Edits = append(r.Edits, [2]string{strings.Join(from, "\n"), strings.Join(to, "\n")})
		from, to = nil, nil
		return nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "-"):
			if len(to) > 0 {
				if err := flush(); err != nil {
					return err
				}
			}
			from = append(from, strings.TrimPrefix(line[1:], " "))
		case strings.HasPrefix(line, "+"):
			to = append(to, strings.TrimPrefix(line[1:], " "))
		case strings.TrimSpace(line) != "":
			if err := flush(); err != nil {
				return err
			}
			head, summary, _ := strings.Cut(line, ": ")
			kind, when, _ := strings.Cut(head, " ")
			if kind != "revision" && kind != "draft" || summary == "" {
				return fmt.Errorf("%q begins no revision", line)
			}
			b.Revisions = append(b.Revisions, revisionText{When: when, Draft: kind == "draft", Summary: summary})
		}
	}
	return flush()
}

// apply is the charter with the revision's changes made.
func (r revisionText) apply(charter string) (string, error) {
	for _, e := range r.Edits {
		if strings.Count(charter, e[0]) != 1 {
			return "", fmt.Errorf("revision %q: %q is there %d times", r.Summary, e[0], strings.Count(charter, e[0]))
		}
		charter = strings.Replace(charter, e[0], e[1], 1)
	}
	return charter, nil
}

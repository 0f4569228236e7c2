package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// change is a row of a policy dropped or added.
type change struct {
	kind           string
	drop           bool
	role           string
	object, action string
	others         []string // roles that have it besides
}

// weaker is the next role that a right is widened to: whom it is for least by far is
// not the interesting mistake.
var weaker = map[string]map[string]string{
	"portal":       {"secretariat": "person", "person": "visitor"},
	"organization": {"secretariat": "representative", "representative": "affiliate", "affiliate": "person", "person": "visitor"},
	"commission": {"secretariat": "officer", "chair": "officer", "vice_chair": "officer", "secretary": "officer", "officer": "member", "convener": "member", "member": "person", "person": "visitor",
		"author": "colleague", "owner": "colleague", "colleague": "recipient", "holder": "recipient", "recipient": "person"},
}

// implies are the roles that come with a role: what these have, it has already.
var implies = map[string]string{"representative": "affiliate", "officer": "member", "owner": "colleague", "holder": "recipient"}

// rowsOf are the roles that have a right, by kind and "object, action".
var rowsOf = map[string]map[string][]string{}

// changes are the mutants of all rows.
func changes() ([]*mutant, error) {
	mutants := []*mutant{}
	for _, kind := range []string{"portal", "organization", "commission"} {
		file := "policies/" + kind + ".csv"
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		type row struct {
			role, question string
			line           int
		}
		rows, has := []row{}, map[string][]string{}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			line, _, _ = strings.Cut(line, "#")
			words := strings.Split(strings.TrimSpace(line), ",")
			if len(words) != 3 {
				continue
			}
			r := row{strings.TrimSpace(words[0]), strings.TrimSpace(words[1]) + ", " + strings.TrimSpace(words[2]), n}
			rows = append(rows, r)
			has[r.question] = append(has[r.question], r.role)
		}
		rowsOf[kind] = has
		added := map[string]bool{}
		for _, r := range rows {
			object, action, _ := strings.Cut(r.question, ", ")
			make := func(drop bool, role string) {
				sign, others := "+", has[r.question]
				if drop {
					sign, others = "-", slices.DeleteFunc(slices.Clone(others), func(o string) bool { return o == role })
				}
				mutants = append(mutants, &mutant{
					name: file + " " + sign + role + ", " + r.question, where: fmt.Sprintf("%s:%03d", file, r.line),
					env: "MUTANT=" + kind + ".csv" + sign + role + ", " + r.question,
					row: &change{kind, drop, role, object, action, others},
				})
			}
			make(true, r.role)
			role := weaker[kind][r.role]
			for role != "" && (slices.Contains(has[r.question], role) || slices.Contains(has[r.question], implies[role])) {
				role = weaker[kind][role]
			}
			if role != "" && !added[role+r.question] {
				added[role+r.question] = true
				make(false, role)
			}
		}
	}
	return mutants, nil
}

// decided are the units in which a question was asked whose answer the change turns:
// "kind object action yes|no own|table roles".
func (s *seen) decided(c *change) map[string]bool {
	units := map[string]bool{}
	for asked, in := range s.asked {
		words := strings.Fields(asked)
		if len(words) < 5 || words[0] != c.kind || words[1] != c.object || words[2] != c.action {
			continue
		}
		roles := words[5:]
		turned := slices.Contains(roles, c.role) && (words[3] == "yes") == c.drop
		if c.drop && words[4] == "table" {
			turned = turned && !slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(c.others, r) })
		}
		if turned {
			for u := range in {
				units[u] = true
			}
		}
	}
	return units
}

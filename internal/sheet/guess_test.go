package sheet_test

import (
	"maps"
	"strings"
	"testing"

	"commissionportal/internal/sheet"
)

var organization = []sheet.Field{
	{Name: "name", Label: "Name", Aliases: []string{"organization", "organization name", "company", "nom", "firma", "名称"}, Required: true},
	{Name: "website", Label: "Website", Aliases: []string{"url", "homepage", "web site"}},
	{Name: "country", Label: "Country", Aliases: []string{"country code", "pays", "land", "国家"}},
	{Name: "category", Label: "Category", Aliases: []string{"membership level", "level"}},
	{Name: "joined", Label: "Member since", Aliases: []string{"date joined"}},
}

func guess(header string, fields []sheet.Field) map[string]string {
	titles := strings.Split(header, ",")
	out := map[string]string{}
	for name, column := range sheet.Guess(titles, fields) {
		out[name] = titles[column]
	}
	return out
}

func TestGuess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header string
		want   map[string]string
	}{
		{"Name,Website,Country", map[string]string{"name": "Name", "website": "Website", "country": "Country"}},
		{"ORGANISATION_NAME,Home-Page,countryCode", map[string]string{"name": "ORGANISATION_NAME", "website": "Home-Page", "country": "countryCode"}},
		{"Pays,Nom", map[string]string{"country": "Pays", "name": "Nom"}},
		{"名称,国家", map[string]string{"name": "名称", "country": "国家"}},
		{"Ｎａｍｅ,Náme", map[string]string{"name": "Ｎａｍｅ"}},
		{"Member since (date),Company name", map[string]string{"joined": "Member since (date)", "name": "Company name"}},
		{"country_name,country", map[string]string{"country": "country", "name": "country_name"}},
		{"foo,bar,", map[string]string{}},
	} {
		if got := guess(tt.header, organization); !maps.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.header, got, tt.want)
		}
	}
	alike := []sheet.Field{{Name: "a", Label: "Title"}, {Name: "b", Label: "Title", Required: true}}
	if got := guess("title", alike); got["b"] != "title" || len(got) != 1 {
		t.Errorf("the required field does not come first: %v", got)
	}
}

func TestGuessRealHeaders(t *testing.T) {
	t.Parallel()
	commission := []sheet.Field{
		{Name: "code", Label: "Code", Aliases: []string{"committee id", "id", "acronym"}},
		{Name: "name", Label: "Name", Aliases: []string{"title"}, Required: true},
		{Name: "kind", Label: "Kind", Aliases: []string{"type"}},
		{Name: "parent", Label: "Parent", Aliases: []string{"parent id"}},
		{Name: "sector", Label: "Sector", Aliases: []string{"area"}},
		{Name: "purpose", Label: "Purpose", Aliases: []string{"description", "scope"}},
	}
	seat := []sheet.Field{
		{Name: "commission", Label: "Commission", Aliases: []string{"group id", "committee"}, Required: true},
		{Name: "person", Label: "Person", Aliases: []string{"person name"}, Required: true},
		{Name: "email", Label: "E-mail", Aliases: []string{"mail"}, Required: true},
		{Name: "organization", Label: "Organization"},
		{Name: "role", Label: "Role"},
	}
	participation := []sheet.Field{
		{Name: "organization", Label: "Organization", Aliases: []string{"organization name", "org name"}, Required: true},
		{Name: "commission", Label: "Commission", Aliases: []string{"group", "committee"}, Required: true},
	}
	for _, tt := range []struct {
		file   string
		fields []sheet.Field
		want   map[string]string
	}{
		{"organizations.csv", organization, map[string]string{"name": "name", "website": "website", "country": "country", "joined": "joined", "category": "lf_level"}},
		{"organizations_sdo.csv", organization, map[string]string{"name": "name", "country": "country", "category": "category"}},
		{"committees.csv", commission, map[string]string{"code": "committee_id", "name": "name", "kind": "type", "parent": "parent", "sector": "sector"}},
		{"groups.csv", commission, map[string]string{"code": "id", "name": "name", "kind": "type", "parent": "parent", "sector": "area", "purpose": "description"}},
		{"roles.csv", seat, map[string]string{"commission": "group_id", "person": "person", "email": "email", "organization": "organisation", "role": "role"}},
		{"organization_memberships.csv", participation, map[string]string{"organization": "org_name", "commission": "group"}},
	} {
		r, err := open(data(t, tt.file), sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := guess(strings.Join(r.Header(), ","), tt.fields); !maps.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.file, got, tt.want)
		}
	}
}

// Every table of the real data is read whole, and without a fault but the one it
// has: somebody lost a character of a name before us.
func TestRealTables(t *testing.T) {
	t.Parallel()
	for file, rows := range map[string]int{
		"organizations.csv": 2503, "organizations_sdo.csv": 1032, "organization_memberships.csv": 5363, "committees.csv": 1157,
		"groups.csv": 40, "roles.csv": 358, "meetings.csv": 77, "documents.csv": 1962, "countries.csv": 250,
	} {
		r, err := open(data(t, file), sheet.Options{})
		n := 0
		for err == nil {
			var row sheet.Row
			if row, err = r.Next(); err == nil {
				n++
				if lost := file == "organizations_sdo.csv" && row.Line == 373; len(row.Faults) > 0 != lost || row.Refused() != nil {
					t.Errorf("%s line %d: %v", file, row.Line, row.Faults)
				}
			}
		}
		if n != rows {
			t.Errorf("%s: %d rows, want %d (%v)", file, n, rows, err)
		}
	}
}

package intake

import (
	"maps"
	"strings"
	"testing"

	"commissionportal/internal/problem"
)

func TestGuess(t *testing.T) {
	for _, tt := range []struct {
		name, kind, header string
		rows               []string
		want               string // field=column, in the order of the fields
	}{
		{"titles", "organizations", "org_id,name,lf_level,website,domain,country,joined", []string{"1,X,Gold,,,DE,"},
			"id=org_id name=name category=lf_level country=country website=website domain=domain joined=joined"},
		{"a column that holds another thing than its title", "organizations", "name,category,stakeholder_group,country_name,country", []string{"X,Research Institution,Academia,France,FR", "Y,Software Provider,,,"},
			"name=name kind=category kind_else=stakeholder_group country=country country_else=country_name"},
		{"by contents alone", "participations", "Member,Body,?", []string{"X,A,P", "Y,A,O"}, "organization=Member commission=Body level=?"},
		{"an identifier of something else is none", "commissions", "org_id,org_name,group", []string{"1,X,Cloud"}, "name=group"},
		{"seats", "seats", "group_id,person,organisation,role,email", []string{"1,Ada,X,chair,a@b.org"}, "commission=group_id name=person email=email organization=organisation role=role"},
		{"other usual titles", "seats", "Participant,Mail,Firm,Post,Begin,End", []string{"Ada,a@b.org,X,Expert,2026-01-01,"}, "name=Participant email=Mail organization=Firm role=Post from=Begin until=End"},
		{"an exported roster", "seats", "Name,Role,Organization,Organization address,Votes,From,Until,Appointed by,E-mail", []string{"Ada,Chair,X,x,TRUE,2020-01-01,,chair,a@b.org"},
			"name=Name email=E-mail organization=Organization role=Role voting=Votes from=From until=Until"},
		{"a register of standards", "documents", "source,doc_id,number,doctype,stage,status,published,title_en,title_fr,committee_id,ics,url", []string{"ISO,ISO 1,62264,guide,90,published,2013,T,F,ISO/TC 1,1,https://a.example", "ISO,ISO 2,1,guide,90,withdrawn,2013,T,F,ISO/TC 1,1,"},
			"id=doc_id title=title_en title_else=title_fr commission=committee_id type=doctype status=status date=published link=url"},
		{"an exported register", "documents", "Number,Title,Type,Source organization,Status,Action,Due on,Languages,Version,Who may read it,Changed", []string{"E-N0012,T,Report,Acme,Available,For comment,2026-01-01,en fr,1,Commission,2026-01-01", "E-N0009,T,Report,,Available,,,en,1,Public,2026-01-01"},
			"number=Number title=Title type=Type organization=Source organization status=Status action=Action due_on=Due on language=Languages visibility=Who may read it"},
		{"numbers that count", "documents", "number,title", []string{"3,A", "2,B", "1,C"}, "number=number title=title"},
		{"numbers of something else", "documents", "number,title", []string{"3,A", "2,B", "7,C"}, "title=title"},
	} {
		var rows [][]string
		for _, r := range tt.rows {
			rows = append(rows, strings.Split(r, ","))
		}
		found := Guess(tt.kind, false, strings.Split(tt.header, ","), rows)
		var got []string
		for _, f := range Fields(tt.kind, false) {
			if c := found[f.Name]; c != "" {
				got = append(got, f.Name+"="+c)
			}
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.name, g, tt.want)
		}
	}
}

func TestPlanCheck(t *testing.T) {
	good := Plan{Source: "s", Columns: map[string]string{"name": "Name", "kind": "=company"}}
	for _, tt := range []struct {
		name   string
		change func(*Plan)
		field  string // "" for a plan that is right
	}{
		{"right", func(*Plan) {}, ""},
		{"a title written otherwise", func(p *Plan) { p.Columns["name"] = "NAME" }, ""},
		{"no name", func(p *Plan) { delete(p.Columns, "name") }, "column_name"},
		{"no such column", func(p *Plan) { p.Columns["country"] = "Land" }, "column_country"},
		{"no such field", func(p *Plan) { p.Columns["color"] = "Name" }, "columns"},
		{"no such word", func(p *Plan) { p.Columns["kind"] = "=planet" }, "column_kind"},
		{"no such meaning", func(p *Plan) { p.Words = map[string]map[string]string{"kind": {"Firm": "planet"}} }, "words"},
		{"words of a field without", func(p *Plan) { p.Words = map[string]map[string]string{"name": {"a": "b"}} }, "words"},
		{"no source", func(p *Plan) { p.Source = " " }, "source"},
	} {
		p := Plan{Source: good.Source, Columns: maps.Clone(good.Columns)}
		tt.change(&p)
		err := p.Check("organizations", false, []string{"Name", "Country"})
		switch e := problem.As(err); {
		case tt.field == "" && err != nil, tt.field != "" && e == nil:
			t.Errorf("%s: %v", tt.name, err)
		case e != nil && e.Fields[0].Field != tt.field:
			t.Errorf("%s: field %s, want %s", tt.name, e.Fields[0].Field, tt.field)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		words      words
		text, want string
	}{
		{organizationKind, "Research Institution, Consulting", "academia"},
		{organizationKind, "Goverment", "government"}, //nolint:misspell // as it stands in files
		{organizationKind, "Intergovernmental Organization", "intergovernmental"},
		{organizationKind, "Regional Standards Body", "standards_body"},
		{organizationKind, "Chipmaker, Consumer hardware ans software vendor", "company"},
		{organizationKind, "Xyzzy", ""},
		{kindByName, "Technische Universität Dresden", "academia"},
		{kindByName, "ALASCA e.V.", "association"},
		{category, "PLATINUM", "founding"},
		{category, "End User Supporter and Contributor", "observer"},
		{commissionKind, "Sub-Committee", "subcommission"},
		{commissionKind, "SIG", "working_group"},
		{role, "Co-Chair", "chair"},
		{role, "Vice-Chairman of the board", "vice_chair"},
		{role, "Technical Lead", "voting_representative"},
		{role, "emperor", ""},
		{level, "Observing", "O"},
		{sector, "Precision mechanics. Jewellery", "industry"}, //nolint:misspell // British, as in the classification
		{sector, "Generalities. Terminology. Standardization", ""},
		{noOrganization, "N/A", "none"},
	} {
		if got := tt.words(tt.text); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestAcronym(t *testing.T) {
	for _, tt := range []struct{ given, id, name, want string }{
		{"grid", "x1", "Grids", "GRID"},
		{"", "ISO/IEC JTC 1/SC 28", "Office equipment", "ISO-IEC-JTC-1-SC-28"},
		{"", "k8s-sig", "Energy (LFE)", "LFE"},
		{"", "", "Zephyr Project", "ZEPHYR-PROJECT"},
		{"", "", "能源", "COMMISSION"},
		{"", "", "A name that is very much longer than thirty-four", "A-NAME-THAT-IS-VERY-MUCH-LONGER-TH"},
	} {
		if got := acronymOf(tt.given, tt.id, tt.name); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

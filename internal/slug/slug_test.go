package slug_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"commissionportal/internal/slug"
)

var valid = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func TestMake(t *testing.T) {
	for name, want := range map[string]string{
		"Commission on Energy":                 "commission-on-energy",
		"  Énergie & Éau -- (2026) ":           "energie-eau-2026",
		"Straße Größe Łódź Ærø Þing":           "strasse-grosse-lodz-aero-thing",
		"O’Neill's Company":                    "oneills-company",
		"Россия: Комиссия по энергетике":       "rossiya-komissiya-po-energetike",
		"Щука Ёлка Йод Объект":                 "shchuka-elka-yod-obekt",
		"Київ Їжак":                            "kiyiv-yizhak",
		"Ελληνική Δημοκρατία":                  "elliniki-dimokratia",
		"İstanbul Şişli ığdır":                 "istanbul-sisli-igdir",
		"Nguyễn Đường Ơ":                       "nguyen-duong-o",
		"ﬁnance ２０２６":                          "finance-2026",
		"ISO/IEC JTC 1":                        "iso-iec-jtc-1",
		"e\u0301cole":                          "ecole",
		"中国移动":                                 "",
		"شركة":                                 "",
		"東京 Tokyo":                             "tokyo",
		"":                                     "",
		"---":                                  "",
		"a\x00b\xffc":                          "a-b-c",
		strings.Repeat("a", 100):               strings.Repeat("a", 60),
		strings.Repeat("commission ", 10):      "commission-commission-commission-commission-commission",
		"x " + strings.Repeat("y", 100):        "x-" + strings.Repeat("y", 58),
		strings.Repeat("abcde ", 9) + "abcdef": strings.Repeat("abcde-", 9) + "abcdef",
	} {
		if got := slug.Make(name); got != want {
			t.Errorf("Make(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestUnique(t *testing.T) {
	long := strings.Repeat("a", 60)
	for _, tt := range []struct {
		base  string
		taken []string
		want  string
	}{
		{"energy", nil, "energy"},
		{"energy", []string{"energy", "energy-2"}, "energy-3"},
		{long, []string{long}, strings.Repeat("a", 58) + "-2"},
		{"", nil, "2"},
	} {
		got := slug.Unique(tt.base, func(s string) bool {
			for _, x := range tt.taken {
				if x == s {
					return true
				}
			}
			return false
		})
		if got != tt.want {
			t.Errorf("Unique(%q) = %q, want %q", tt.base, got, tt.want)
		}
	}
}

// TestNameSame lists names that must meet, each line one organization.
func TestNameSame(t *testing.T) {
	for want, names := range map[string][]string{
		"siemens":                        {"Siemens", "Siemens AG", "SIEMENS A.G.", "siemens a. g.", "The Siemens AG", "Siemens, Ltd.", "Siemens S.p.A.", "Siemens S. p. A.", "Siemens S.A. de C.V.", "Siemens d.o.o.", "Siemens sp. z o.o.", "Siemens A/S", "PT Siemens Tbk", "Siemens Co., Ltd.", "ＳＩＥＭＥＮＳ　ＡＧ"},
		"huawei technologies":            {"HuaWei Technologies Co. Ltd", "Huawei Technologies Co., Ltd", "Huawei Technologies Co.,Ltd."},
		"nokia":                          {"Nokia", "Nokia Oyj", "Nokia Corporation"},
		"softel systems":                 {"Softel Systems Pty Ltd", "Softel Systems (Pty) Ltd"},
		"schwarz digits cloud":           {"Schwarz Digits Cloud GmbH & Co. KG", "Schwarz Digits Cloud"},
		"apple":                          {"Apple Inc.", "Apple Gesellschaft m.b.H.", "Apple Gesellschaft mit beschränkter Haftung"},
		"яндекс":                         {"ООО «Яндекс»", "Яндекс", "ООО \"Яндекс\"", "Яндекс, ООО"},
		"トヨタ自動車":                         {"トヨタ自動車株式会社", "トヨタ自動車", "㈱トヨタ自動車"},
		"华为技术":                           {"华为技术有限公司", "华为技术", "华为技术 有限公司"},
		"삼성전자":                           {"삼성전자 주식회사", "주식회사 삼성전자", "삼성전자"},
		"at and t":                       {"AT&T", "AT & T", "AT&T Inc."},
		"us bank":                        {"U.S. Bank", "US Bank"},
		"cast ai":                        {"Cast.ai", "Cast AI"},
		"entigo":                         {"Entigo OÜ", "Entigo"},
		"telefonica":                     {"Telefónica, S.A.", "TELEFONICA S.A."},
		"oreilly media":                  {"O'Reilly Media", "O’Reilly Media, Inc.", "OReilly Media"},
		"nippon telegraph and telephone": {"Nippon Telegraph and Telephone Corporation (NTT)", "Nippon Telegraph & Telephone", "(NTT) Nippon Telegraph and Telephone Corp."},
		"institut mines telecom":         {"Institut Mines-Télécom (IMT)", "Institut Mines-Telecom"},
	} {
		for _, name := range names {
			if got := slug.Name(name); got != want {
				t.Errorf("Name(%q) = %q, want %q", name, got, want)
			}
		}
	}
}

// TestNameDifferent lists pairs that must not meet.
func TestNameDifferent(t *testing.T) {
	for _, p := range [][2]string{
		{"Vodafone", "Vodafone (UK)"},
		{"Lenovo", "Lenovo (Beijing) Ltd"},
		{"SAP SE", "SAP Labs"},
		{"ガス", "カス"},
		{"C++ Alliance", "C Alliance"},
		{"Limited Ltd", "Unlimited Ltd"},
	} {
		if a, b := slug.Name(p[0]), slug.Name(p[1]); a == b {
			t.Errorf("%q and %q both give %q", p[0], p[1], a)
		}
	}
	for name, want := range map[string]string{"AS": "as", "The Company": "the", "Co. Ltd.": "co", "株式会社": "株式会社", "&": "and", "★": "★", "!!!": "!!!", "": ""} {
		if got := slug.Name(name); got != want {
			t.Errorf("Name(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestDomain(t *testing.T) {
	for website, want := range map[string]string{
		"https://www.siemens.com/de":                   "siemens.com",
		"siemens.com":                                  "siemens.com",
		"HTTP://WWW.Siemens.COM:8080/?a=b":             "siemens.com",
		"//www.siemens.com":                            "siemens.com",
		" team.telstra.com ":                           "telstra.com",
		"https://www.bbc.co.uk":                        "bbc.co.uk",
		"https://someone.github.io/project":            "someone.github.io",
		"https://github.io":                            "",
		"https://gov.uk/":                              "",
		"https://bücher.example.de":                    "example.de",
		"https://www.bücher.de":                        "xn--bcher-kva.de",
		"https://example.com.":                         "example.com",
		"https://user:pw@evil.com@good.org":            "good.org",
		"http://192.0.2.1/":                            "",
		"http://[2001:db8::1]/":                        "",
		"localhost":                                    "",
		"intranet.corp-internal":                       "",
		"not a site":                                   "",
		"https://":                                     "",
		"":                                             "",
		"mailto:x@siemens.com":                         "siemens.com",
		"https://a\x00b.com":                           "",
		"https://" + strings.Repeat("a", 300) + ".com": "",
	} {
		if got := slug.Domain(website); got != want {
			t.Errorf("Domain(%q) = %q, want %q", website, got, want)
		}
	}
}

func checkMake(t interface{ Fatalf(string, ...any) }, name string) {
	s := slug.Make(name)
	if s != "" && (!valid.MatchString(s) || len(s) > slug.MaxLength) {
		t.Fatalf("Make(%q) = %q", name, s)
	}
	if again := slug.Make(s); again != s {
		t.Fatalf("Make(%q) = %q, and of that %q", name, s, again)
	}
}

func checkName(t interface{ Fatalf(string, ...any) }, name string) {
	n := slug.Name(name)
	if again := slug.Name(n); again != n {
		t.Fatalf("Name(%q) = %q, and of that %q", name, n, again)
	}
	if n == "" && strings.ContainsFunc(name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		t.Fatalf("Name(%q) is empty", name)
	}
	if up := slug.Name(" " + n + " "); up != n {
		t.Fatalf("spaces change Name(%q): %q, %q", name, n, up)
	}
}

func TestProperties(t *testing.T) {
	word := rapid.OneOf(
		rapid.SampledFrom([]string{"AG", "S.p.A.", "The", "Co.", "&", "(UK)", "(AB)", "株式会社", "有限公司", "ООО", "z o.o.", "de", "C.V.", "a.", "É", "№", "1", "GmbH", "'", "/"}),
		rapid.StringN(1, 6, -1))
	names := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 0, 6).Draw(t, "words"), rapid.SampledFrom([]string{" ", "", ", "}).Draw(t, "between"))
	})
	rapid.Check(t, func(t *rapid.T) {
		name := names.Draw(t, "name")
		checkMake(t, name)
		checkName(t, name)
	})
	rapid.Check(t, func(t *rapid.T) { // a legal form never makes a difference
		name := rapid.StringMatching(`[B-DF-HJ-NP-Z][a-z]{4,9}( [B-DF-HJ-NP-Z][a-z]{4,9})?`).Draw(t, "name")
		form := rapid.SampledFrom([]string{" AG", " S.A.", ", Inc.", " GmbH", " Pty Ltd", " K.K.", " A/S", " S.r.l.", " (Pty) Ltd."}).Draw(t, "form")
		if a, b := slug.Name(name), slug.Name(strings.ToUpper(name)+form); a != b {
			t.Fatalf("%q: %q, with form %q", name, a, b)
		}
	})
}

func FuzzSlug(f *testing.F) {
	for _, s := range []string{"Siemens A.G.", "(NUST) National", "((", ")(", "a.b.c.", "S. p. A.", "\xff\x00", "İ", "ﷺ", "https://x@y/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkMake(t, s)
		checkName(t, s)
		if d := slug.Domain(s); d != "" && slug.Domain(d) != d {
			t.Fatalf("Domain(%q) = %q, and of that %q", s, d, slug.Domain(d))
		}
	})
}

// TestRealNames looks at real directories: some names must meet, and the normal
// form must not swallow the directory.
func TestRealNames(t *testing.T) {
	data := os.Getenv("SHARED_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	meet := map[string]map[string]bool{}
	total := 0
	for file, column := range map[string]int{"organizations.csv": 1, "organizations_sdo.csv": 0} {
		f, err := os.Open(filepath.Join(data, file))
		if err != nil {
			t.Skipf("the shared data is not here: %v", err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			name := row[column]
			checkMake(t, name)
			checkName(t, name)
			n := slug.Name(name)
			if meet[n] == nil {
				meet[n] = map[string]bool{}
			}
			if !meet[n][name] {
				meet[n][name] = true
				total++
			}
		}
	}
	for n, names := range map[string][]string{
		"akamai technologies": {"Akamai Technologies, Inc.", "Akamai Technologies"},
		"deutsche telekom":    {"Deutsche Telekom AG", "Deutsche Telekom"},
		"novo nordisk":        {"Novo Nordisk", "Novo Nordisk A/S"},
	} {
		for _, name := range names {
			if !meet[n][name] {
				t.Errorf("%q is not among %v", name, meet[n])
			}
		}
	}
	if len(meet) < total*9/10 {
		t.Errorf("%d names fall into %d forms", total, len(meet))
	}
}

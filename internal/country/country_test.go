package country

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

func TestEveryCountryIsWhole(t *testing.T) {
	if len(all) != 250 {
		t.Errorf("%d countries", len(all))
	}
	for _, c := range all {
		if len(c.Code) != 2 || len(c.Alpha3) != 3 || len(c.Numeric) != 3 || RegionName(c.Region) == "" {
			t.Errorf("%+v", c)
		}
		for i, n := range c.names {
			if n == "" {
				t.Errorf("%s has no name in %s", c.Code, languages[i])
			}
		}
		for _, text := range []string{c.Code, strings.ToLower(c.Code), c.Alpha3, c.Numeric, c.names[0], " " + strings.ToUpper(c.names[1]) + " ", c.names[2], c.names[3], c.names[4], c.names[5]} {
			if got, ok := Find(text); !ok || got.Code != c.Code {
				t.Errorf("Find(%q) = %q, want %s", text, got.Code, c.Code)
			}
		}
	}
}

// An alias that another country's name takes first would be dead.
func TestAliasesLead(t *testing.T) {
	for code, names := range aliases {
		if _, ok := ByCode(code); !ok {
			t.Errorf("alias of %s, which is no country", code)
		}
		for _, n := range names {
			if got, ok := Find(n); !ok || got.Code != code {
				t.Errorf("Find(%q) = %q, want %s", n, got.Code, code)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for text, want := range map[string]string{
		"Korea, Republic of": "KR", "korea (republic of)": "KR", "Republic of Korea": "KR", "Korea, Democratic People's Republic of": "KP",
		"USA": "US", "U.S.A.": "US", "United States of America": "US", "UK": "GB", "uk": "GB", "Viet Nam": "VN", "Vietnam": "VN",
		"Türkiye": "TR", "TURKIYE": "TR", "Turkey": "TR", "Czechia": "CZ", "Czech Republic": "CZ", "Hong Kong": "HK", "Hong Kong SAR, China": "HK",
		"Côte d'Ivoire": "CI", "Cote d’Ivoire": "CI", "The Netherlands": "NL", "Bosnia & Herzegovina": "BA", "Saint Kitts and Nevis": "KN", "St. Lucia": "LC",
		"Deutschland": "DE", "Российская Федерация": "", "Россия": "RU", "Китай": "CN", "日本": "JP", "Niger": "NE", "Nigeria": "NG", "Dominica": "DM",
		"Dominican Republic": "DO", "Congo": "CG", "Congo, The Democratic Republic of the": "CD", "Guinea": "GN", "Guinea-Bissau": "GW",
		"": "", "  ": "", "Atlantis": "", "ZZ": "", "A": "", "the of and": "", "\xff\x00": "", strings.Repeat("x", 100_000): "",
	} {
		c, ok := Find(text)
		if c.Code != want || ok != (want != "") {
			t.Errorf("Find(%.40q) = %q, want %q", text, c.Code, want)
		}
	}
}

func TestFlag(t *testing.T) {
	for code, want := range map[string]string{"FR": "🇫🇷", "": "", "f": "", "fr": "", "F1": "", "FRA": ""} {
		if got := Flag(code); got != want {
			t.Errorf("Flag(%q) = %q", code, got)
		}
	}
}

func TestName(t *testing.T) {
	for _, tt := range []struct{ code, lang, want string }{
		{"DE", "en", "Germany"}, {"DE", "en-GB", "Germany"}, {"DE", "fr-CA", "Allemagne"}, {"DE", "zh-Hans-CN", "德国"}, {"DE", "ja", "Germany"}, {"QQ", "en", "QQ"}, {"", "en", ""},
	} {
		if got := Name(tt.code, language.MustParse(tt.lang)); got != tt.want {
			t.Errorf("Name(%s, %s) = %q, want %q", tt.code, tt.lang, got, tt.want)
		}
	}
}

func TestAllIsInTheOrderOfTheLanguage(t *testing.T) {
	place := func(tag language.Tag) map[string]int {
		list := All(tag)
		if len(list) != len(all) {
			t.Fatalf("%d countries", len(list))
		}
		at := map[string]int{}
		for i, c := range list {
			at[c.Code] = i
		}
		list[0] = Country{} // a caller's own copy
		return at
	}
	english, french := place(language.English), place(language.French)
	if at := place(language.English); at["AF"] != 0 {
		t.Error("a caller changed the list of all")
	}
	if !(english["AX"] < english["AL"] && english["AT"] < english["ZW"] && english["DE"] > english["FR"]) {
		t.Error("English order: Åland stands with A")
	}
	if !(french["DE"] < french["FR"] && french["EG"] < french["ES"]) {
		t.Error("French order: Égypte stands with E")
	}
}

func TestMap(t *testing.T) {
	w := Map()
	at := map[string]Shape{}
	for _, s := range w.Shapes {
		at[s.Code] = s
		if s.X < 0 || s.X > w.Width || s.Y < 0 || s.Y > w.Height {
			t.Errorf("%s is off the map: %d, %d", s.Code, s.X, s.Y)
		}
		if s.Path == "" && !s.Marker {
			t.Errorf("%s cannot be seen", s.Code)
		}
	}
	for _, c := range all {
		if _, ok := at[c.Code]; !ok && c.Code != "AQ" {
			t.Errorf("%s is not on the map", c.Code)
		}
	}
	for _, code := range []string{"SG", "MT", "VA", "TV", "BH", "MV", "HK", "LI"} {
		if !at[code].Marker {
			t.Errorf("%s needs a marker", code)
		}
	}
	for _, code := range []string{"US", "FR", "NO", "NZ", "IS"} {
		if at[code].Marker {
			t.Errorf("%s has a marker", code)
		}
	}
	if !(at["US"].X < at["FR"].X && at["FR"].X < at["CN"].X && at["NO"].Y < at["ZA"].Y) {
		t.Error("the map is not the world")
	}
	for _, broken := range []string{"FR\tM0 0\t1\n", "FR\t\tx\t1\tmarker\n", "# size\t1\ty\n"} {
		if _, err := parseMap(broken); err == nil {
			t.Errorf("%q loads", broken)
		}
	}
}

// TestFindRealNames tries every name that the real data has for a country.
func TestFindRealNames(t *testing.T) {
	data := os.Getenv("SHARED_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(data, "countries.csv"))
	if err != nil {
		t.Skip("no shared data here: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		for i := range 6 {
			for _, name := range []string{r[3+i], r[12+i]} {
				if name == "" {
					continue
				}
				if got, ok := Find(name); ok && got.Code != r[0] {
					t.Errorf("Find(%q) = %s, want %s", name, got.Code, r[0])
				} else if !ok && i == 0 {
					t.Errorf("Find(%q) finds nothing, want %s", name, r[0])
				}
			}
		}
	}
}

package document

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Énergie RENOUVELABLE": " energie renouvelable ", "l’État": " l etat ", "Straße, Ærø, ŁÓDŹ": " strasse aero lodz ", "soft\u00adware zero\u200bwidth": " software zerowidth ",
		"ＦＵＬＬ ｗｉｄｔｈ ﬁne": " full width fine ", "Ёлка Йод": " елка йод ", "الْكِتَابُ الإسـلام ٢٠٢٤": " الكتاب الاسلام 2024 ", "הַוַּעֲדָה": " הועדה ", "समय पर": " समय पर ",
		"会议记录2024年": " 会议记录 2024 年 ", "会\n议": " 会议 ", "会 议": " 会 议 ", "コミュニティー": " コミュニティー ", "ｺﾐｭﾆﾃｨ": " コミュニティ ", "ENERGY-N0012": " energy n0012 ", "": " ", "…!?": " ",
	} {
		if got := spaced(split(plain(text))); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := split(strings.Repeat("a", 5000)); len(got) != 1 || len(got[0].text) != longestWord {
		t.Errorf("a word of 5,000 letters is %d words", len(got))
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Offices ":          `'offices'|'offic'`,
		"grid -storage ":    `'grid'&!'storage'|'storag'`,
		"grid or storage ":  `'grid'|'storage'|'storag'`,
		`"salt cavern"`:     `'salt'&'cavern'&'='|'` + pair("salt", "cavern") + `'`,
		"会议记录":              `'会议'&'议记'&'记录'`,
		"N0012 ":            `'n0012'|'n12'`,
		"Energy n 12 ":      `'energy'|'energi'&'n'&'12'|'&energy-n12'`,
		`it's "unfinished `: `'it'&'s'&'unfinished'`,
		"or grid ":          `'or'&'grid'`,
		`a\'b "c`:           `'a'&'b'&'c'`,
		"- -- \"\" “” ,;: ": "",
	} {
		q, err := parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := ""
		if q.asks() {
			got = strings.NewReplacer("(", "", ")", "").Replace(strings.Join(q.tsqueries(nil, false), "&"))
		}
		if got != want {
			t.Errorf("%s asks for %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{strings.Repeat("x", 201), strings.Repeat("a ", 60)} {
		if _, err := parse(text); err == nil {
			t.Errorf("%.20s… is not too much", text)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for pair, want := range map[string]int{"report report": 0, "reprot report": 1, "repot report": 1, "reeport report": 1, "rapport report": 2, "grid storage": 3, "энегрия энергия": 1} {
		a, b, _ := strings.Cut(pair, " ")
		if got := mistakes(a, b, 2); min(got, 3) != want {
			t.Errorf("%s: %d, want %d", pair, got, want)
		}
	}
}

func TestPassage(t *testing.T) {
	t.Parallel()
	q, err := parse("salt caverns ")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("Nothing is here but salt. ", 50) + "At last, a  salt\ncavern " + strings.Repeat("and more of it ", 50)
	var b strings.Builder
	for _, p := range q.passage(long, nil) {
		if p.Mark {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
	}
	got := b.String()
	if !strings.Contains(got, "At last, a [salt cavern] and more") || !strings.HasPrefix(got, "… ") || !strings.HasSuffix(got, " …") || len(got) > passageRunes+40 {
		t.Errorf("the passage is %q", got)
	}
	// The marks of tables in Markdown are no words of the text.
	for _, tt := range [][2]string{
		{"Sites:\n\n| Site | Use |\n|:---|---:|\n| Caverns of salt | Gas \\| air |\n\nAfter.", "Sites: Site · Use Caverns of salt · Gas | air After."},
		{"Site | Use\n--- | ---\nSalt | Gas\nAfter | it", "Site · Use Salt · Gas After · it"},
		{"| Salt | |\n|---|---|", "Salt"},
		{"| cut off from its head | salt |\n| next | row |", "cut off from its head · salt next · row"},
		{"Salt | or not\n\na || b", "Salt | or not a || b"},
		{"Salt\n----\nA heading is not a table | at all", "Salt ---- A heading is not a table | at all"},
	} {
		var b strings.Builder
		for _, p := range q.passage(tt[0], nil) {
			b.WriteString(p.Text)
		}
		if b.String() != tt[1] {
			t.Errorf("the passage of %q is %q, want %q", tt[0], b.String(), tt[1])
		}
	}
	if p := q.passage("Sugar alone.", nil); p != nil {
		t.Errorf("a passage that has nothing is %v", p)
	}
}

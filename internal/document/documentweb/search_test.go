package documentweb_test

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/document"
	"commissionportal/internal/home"
)

// text gives a document a version in a language, read already.
func (w *world) text(id uuid.UUID, number int, language string, pages ...string) {
	digest := sha256.Sum256([]byte(fmt.Sprint(id, number, language)))
	w.Exec(`INSERT INTO file (digest, size, type, created_at) VALUES ($1, 1, 'text/plain', now())`, digest[:])
	w.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, created_at) VALUES ($1, $2, $3, $4, 1, 'a.txt', now())`, id, number, language, digest[:])
	w.Exec(`UPDATE document SET versions = greatest(versions, $2), languages = (SELECT array_agg(DISTINCT l) FROM unnest(languages || $3::text) l) WHERE id = $1`, id, number, language)
	for i, p := range pages {
		w.Exec(`INSERT INTO file_text (digest, page, text) VALUES ($1, $2, $3)`, digest[:], i+1, p)
	}
	w.Exec(`UPDATE file SET outcome = 'read', read_at = now() WHERE digest = $1`, digest[:])
}

// indexed waits until all that has changed is indexed.
func (w *world) indexed(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err := w.Documents.IndexRest(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if apptest.Value[int](w.Portal, `SELECT count(*) FROM document_unindexed`) == 0 {
			return
		}
	}
	t.Fatal("what has changed was not indexed")
}

// found searches documents through the API.
func found(c *apptest.Client, query string, more ...string) document.Results {
	r := c.API("GET", "/search?kind=document&q="+url.QueryEscape(query)+strings.Join(more, ""), nil).Want(200)
	return apptest.JSON[home.Found](r).Documents
}

func titles(r document.Results) []string {
	var list []string
	for _, d := range r.Items {
		list = append(list, d.Title)
	}
	return list
}

// marked are the words that are marked in a result.
func marked(p *document.Passage) string {
	var list []string
	for _, piece := range p.Text {
		if piece.Mark {
			list = append(list, piece.Text)
		}
	}
	return strings.Join(list, "|")
}

// TestSearch asks for one document in many ways, and for others in many scripts.
func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	study := w.document(12, "Étude sur les réseaux électriques", "public", `UPDATE document SET language = 'fr', keywords = '{hydrogène,stockage}', summary = 'Une étude de la capacité.' WHERE id = $1`)
	w.text(study, 1, "fr", "Première page.", "Les élections du conseil sont une bibliothèque d’idées. L'énergie\nrenouvelable, "+strings.Repeat("mot ", 100)+"finale.")
	w.text(study, 1, "en", "The offices of the council met. Cities were running a statistical office; it’s state-of-the-art. Plainly <b>bold</b> & wild.")
	for i, d := range []struct{ language, title, text string }{
		{"ru", "Отчёт о работе", "Участники обсудили вопросы энергетики и приняли решение."},
		{"ar", "تقرير اللجنة", "وافَقَت اللجنة على المكتبات العـربية ثم أُرسِلَ التقرير إلى الأعضاء"},
		{"zh", "会议记录", "委员会通过了关于可再生能源的决议，\n并发表了会\n议纪要。"},
		{"ja", "議事録", "標準化コミュニティーの会合で再生可能エネルギーが議論された。"},
		{"he", "דו״ח הוועדה", "הַוַּעֲדָה אישרה את התקציב השנתי לאחר דיון"},
		{"es", "Informe del año", "Las organizaciones asociadas aprobaron el presupuesto de cooperación."},
	} {
		w.text(w.document(20+i, d.title, "portal", `UPDATE document SET language = '`+d.language+`' WHERE id = $1`), 1, d.language, d.text)
	}
	w.indexed(t)
	const etude = "Étude sur les réseaux électriques"
	for _, tt := range []struct{ query, title, marks string }{
		{"ENERGY-N0012", etude, ""}, {"energy n12", etude, ""}, {"Energy 12", etude, ""}, {"energy ", "", ""}, {"N0012", etude, ""}, {"energy-n00012 ", etude, ""}, {"ＥＮＥＲＧＹ-N12", etude, ""},
		{"reseaux electriques", etude, ""}, {"réseau électrique ", etude, ""}, {"résaeux", etude, ""}, {"electriqeus ", etude, ""}, {"hydrogene", etude, ""}, {"capacité", etude, "capacité"},
		{"élection", etude, "élections"}, {"election conseil ", etude, "élections|conseil"}, {"bibliothèques ", etude, "bibliothèque"}, {"énergie renouvelables ", etude, "énergie renouvelable"},
		{`"énergie renouvelable"`, etude, "énergie renouvelable"}, {`"renouvelable énergie"`, "", ""}, {`"statistical office"`, etude, "statistical office"}, {`"a statistical off`, etude, "a statistical office"}, {`"a statistical off `, "", ""}, {`"statistical offices"`, "", ""},
		{"city ", etude, "Cities"}, {"run ", etude, "running"}, {"statist", etude, "statistical"}, {"offic", etude, "offices|office"}, {"état or statistics ", etude, "statistical"},
		{"conseil cities ", etude, "conseil"}, {"office -wild ", "", ""}, {"office -absent ", etude, "offices|office"}, {`office -"council met"`, "", ""}, {`office -"met council"`, etude, "offices|office"},
		{"state-of-the-art", etude, "state-of-the-art"}, {"it's", etude, "it"},
		{"энергетика ", "Отчёт о работе", "энергетики"}, {"отчет", "Отчёт о работе", ""}, {"решения участников ", "Отчёт о работе", "Участники|решение"},
		{"مكتبة ", "تقرير اللجنة", "المكتبات"}, {"العربية", "تقرير اللجنة", "العـربية"}, {"ارسل", "تقرير اللجنة", "أُرسِلَ"}, {`"على المكتبات العربية"`, "تقرير اللجنة", "على المكتبات العـربية"},
		{"可再生能源", "会议记录", "可再生能源"}, {"\"关于可再生", "会议记录", "关于可再生"}, {"会议纪要", "会议记录", "会\n议纪要"}, {"能源决议", "", ""}, {"能源 决议", "会议记录", "能源|决议"}, {"源", "会议记录", "源"}, {"记录", "会议记录", ""}, {"要", "会议记录", "要"},
		{"再生可能エネルギー", "議事録", "再生可能エネルギー"}, {"コミュニティー", "議事録", "コミュニティー"}, {"ｴﾈﾙｷﾞｰ", "議事録", "エネルギー"},
		{"הועדה אישרה", "דו״ח הוועדה", "הַוַּעֲדָה אישרה"}, {"התקציב", "דו״ח הוועדה", "התקציב"}, {`"התקציב השנתי"`, "דו״ח הוועדה", "התקציב השנתי"},
		{"organización asociada ", "Informe del año", "organizaciones asociadas"}, {"cooperacio", "Informe del año", "cooperación"}, {"presupusto infrome ", "", ""},
		{"eutde ", etude, ""}, {"nforme ", "Informe del año", ""}, {"informne ", "Informe del año", ""}, {"ximforme ", "", ""}, {"eletcriquse ", etude, ""}, {"lectriquse ", "", ""},
		{"wordthatisnowhere", "", ""}, {"-office", "", ""}, {"%", "", ""},
	} {
		r := found(w.member, tt.query)
		if tt.title == "" {
			if len(r.Items) != 0 {
				t.Errorf("%q: found %v, want nothing", tt.query, titles(r))
			}
			continue
		}
		at := slices.Index(titles(r), tt.title)
		if at < 0 {
			t.Errorf("%q: found %v, want %s", tt.query, titles(r), tt.title)
			continue
		}
		if tt.marks == "" {
			continue
		}
		if p := r.Items[at].Passage; p == nil || marked(p) != strings.ReplaceAll(tt.marks, "\n", " ") {
			t.Errorf("%q: marks %+v, want %s", tt.query, p, tt.marks)
		}
	}
	r := found(w.member, `"énergie renouvelable"`).Items[0]
	if r.Passage.Page != 2 || r.Passage.Language != "fr" || r.Passage.Version != 1 {
		t.Errorf("it is on page %+v", r.Passage)
	}
	w.member.Get("/search?q=plainly").Want(200, "<mark>Plainly</mark> &lt;b&gt;bold&lt;/b&gt; &amp; wild.", "/documents/ENERGY-N0012/versions/1/preview?language=en&amp;page=1")

	// Narrowed, and counted.
	all := found(w.member, "commission or participants or conseil or organizaciones or office or отчёт or 会议 or العربية ")
	if all.Total < 5 || len(all.Facets) == 0 || all.Facets[0].Values[0].N != all.Total || all.Facets[0].Values[0].Label != "Energy" {
		t.Errorf("found %d, facets %+v", all.Total, all.Facets)
	}
	for narrow, want := range map[string]int{"&language=ru": 1, "&language=he": 0, "&commission=energy": all.Total, "&commission=rail": 0, "&organization=acme": all.Total, "&type=minutes": 0,
		"&type=report": all.Total, "&status=available": all.Total, "&status=superseded": 0, fmt.Sprintf("&year=%d", time.Now().UTC().Year()): all.Total, "&year=1999": 0} {
		if r := found(w.member, "commission or participants or conseil or organizaciones or office or отчёт or 会议 or العربية ", narrow); r.Total != want || len(r.Items) != want {
			t.Errorf("%s: %d and %d, want %d: %+v", narrow, r.Total, len(r.Items), want, r.Items)
		}
	}
	// By pages, without doubles and in one order.
	var seen []string
	for cursor := ""; ; {
		r := found(w.member, "commission or participants or conseil or organizaciones or office or отчёт or 会议 or العربية ", "&limit=2&cursor="+cursor)
		if seen = append(seen, titles(r)...); r.Next == "" {
			break
		}
		cursor = r.Next
	}
	slices.Sort(seen)
	if len(seen) != all.Total || len(slices.Compact(slices.Clone(seen))) != all.Total {
		t.Errorf("by pages %v, at once %d", seen, all.Total)
	}
	// Nothing that anybody types breaks it.
	for _, q := range []string{`"`, `""`, `'`, `\`, `-`, `--`, `"-`, `!`, `&`, `|`, `(`, `a:*`, `a & | b`, `<->`, `or`, `or or`, `OR "`, `- -a`, `'; DROP TABLE document; --`, "=", "@public", "#1", "/a", strings.Repeat("a ", 100), strings.Repeat("字", 66),
		strings.Repeat(`"a b" `, 20), "\u0300", "\u200b", "\ufffd", "ﷺ", "𝔘𝔫𝔦", "👩‍👩‍👧", "a\u00adb", "%00x", "NOT a", "a*", "n0", "\u202eabc", `“”`, `«a b`, "ا", "ﬁ"} {
		if r := w.member.API("GET", "/search?q="+url.QueryEscape(q), nil); r.Status != 200 && r.Status != 422 {
			t.Errorf("%q: %d %s", q, r.Status, r.Body)
		}
		if r := w.member.Get("/search?kind=document&q=" + url.QueryEscape(q)); r.Status != 200 && r.Status != 422 {
			t.Errorf("%q: the page says %d", q, r.Status)
		}
	}
	for _, bad := range []string{"&kind=nothing", "&type=nothing", "&language=%27", "&cursor=x", "&year=5"} {
		w.member.API("GET", "/search?q=a"+bad, nil).Want(422)
	}
}

// TestSearchInBrowser finds documents while the query is typed, and narrows the search.
func TestSearchInBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, d := range []struct{ title, kind, language, text string }{
		{"Study of hydrogen storage in salt caverns", "contribution", "en", "The pressure in a cavern follows the season. Salt caverns store hydrogen for months, and what leaks from them in a year is less than a hundredth. Where there is no salt, tanks do, at a higher price."},
		{"Minutes of the third meeting", "minutes", "en", "The commission took note of the contribution on hydrogen and asked its authors for figures on cost. The next meeting discusses storage."},
		{"Étude du stockage de l’hydrogène", "report", "fr", "Le stockage de l’hydrogène dans des cavités salines coûte moins cher que dans des réservoirs. (hydrogen storage)"},
		{"氢能储存研究", "report", "zh", "本报告研究了氢能储存 (hydrogen storage) 的成本和安全要求。"},
		{"دراسة تخزين الهيدروجين", "report", "ar", "تتناول هذه الدراسة تكلفة تخزين الهيدروجين (hydrogen storage) في الكهوف الملحية."},
	} {
		id := w.document(i+1, d.title, "commission", `UPDATE document SET type = '`+d.kind+`', language = '`+d.language+`' WHERE id = $1`)
		w.text(id, 1, d.language, strings.Repeat("A page before. ", 30), d.text)
	}
	w.Exec(`UPDATE document SET status = 'superseded' WHERE number = 2`)
	w.indexed(t)
	tab := w.member.Browser()
	tab.Open("/commissions/energy/documents")
	tab.Click("Search inside documents")
	tab.See("What are you looking for?")
	tab.Look("search-empty")
	tab.Fill("Words from a document", "hydrogen stor")
	tab.See("Salt caverns store hydrogen")
	tab.See("5 documents")
	tab.Look("search-found")
	tab.Click("Chinese")
	tab.See("1 document")
	tab.See("氢能储存研究")
	tab.Look("search-narrowed")
	tab.Open("/search?q=energy+hydrogen")
	tab.See("Nothing is like that")
	tab.Open("/search?q=hydrogen")
	tab.Look("search-everything")
	tab.NoScript()
	tab.Open("/search?q=caverns")
	tab.Click("Page 2, in English")
	tab.See("Study of hydrogen storage")
}

// TestSearchFollows: what is found follows the newest version, the title, the
// visibility, the status and the shares of a document.
func TestSearchFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.document(1, "A report about ferries", "commission")
	w.text(id, 1, "en", "The old text speaks of lighthouses.")
	w.text(id, 1, "fr", "Le texte parle de phares.")
	w.indexed(t)
	expect := func(when string, c *apptest.Client, query string, want int) {
		t.Helper()
		r := found(c, query)
		n := 0
		for _, f := range r.Facets {
			for _, v := range f.Values {
				n += v.N
			}
		}
		if len(r.Items) != want || r.Total != want || want == 0 && n != 0 {
			t.Errorf("%s, %s finds %d documents, says %d and counts %d, want %d", when, query, len(r.Items), r.Total, n, want)
		}
	}
	expect("at first", w.member, "lighthouse ", 1)
	expect("at first", w.outsider, "lighthouse ", 0)
	w.text(id, 2, "en", "The new text speaks of harbors.")
	expect("before it is indexed, the old text is not shown", w.member, "harbor ", 0)
	if r := found(w.member, "lighthouse "); len(r.Items) == 1 && r.Items[0].Passage != nil {
		t.Errorf("the old text is shown: %+v", r.Items[0].Passage)
	}
	w.indexed(t)
	expect("of the old version", w.member, "lighthouse ", 0)
	expect("of the new version", w.member, "harbor ", 1)
	expect("of the variant that is older", w.member, "phares", 1)

	w.Exec(`UPDATE file SET scan = 'infected' WHERE digest IN (SELECT digest FROM document_version WHERE language = 'fr')`)
	if r := found(w.member, "phares"); len(r.Items) == 1 && r.Items[0].Passage != nil {
		t.Errorf("text of an infected file is shown: %+v", r.Items[0].Passage)
	}
	w.indexed(t)
	expect("of an infected file", w.member, "phares", 0)

	d := w.chair.API("GET", "/documents/ENERGY-N0001", nil).Want(200)
	w.chair.API("PATCH", "/documents/ENERGY-N0001", map[string]any{"title": "A report about bridges", "keywords": []string{"tunnels"}}, "If-Match", d.Header.Get("ETag")).Want(200)
	w.indexed(t)
	expect("with another title", w.member, "ferries", 0)
	expect("with another title", w.member, "bridge tunnel ", 1)

	share := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO share (id, document_id, to_person, level, created_by, created_at) VALUES ($1, $2, $3, 'see', $4, now())`, share, id, w.outsider.ID, w.member.ID)
	expect("shared, at the next request", w.outsider, "harbor ", 1)
	w.outsider.Get("/search?q=harbor").Want(200, "<mark>harbors</mark>")
	w.Exec(`UPDATE share SET expires_at = now() + interval '1 hour'`)
	w.At(time.Now().Add(2 * time.Hour))
	expect("when the share has run out", w.outsider, "harbor ", 0)
	w.At(time.Time{})
	w.Exec(`UPDATE share SET revoked_at = now(), revoked_by = created_by`)
	expect("revoked, at the next request", w.outsider, "harbor ", 0)
	w.outsider.Get("/search?q=harbor").Want(200).Lacks("harbors", "bridges")
	w.indexed(t)
	expect("revoked, and indexed again", w.outsider, "harbor ", 0)

	w.Exec(`UPDATE document SET visibility = 'public' WHERE id = $1`, id)
	w.indexed(t)
	expect("made public", w.Visitor(), "harbor ", 1)
	w.Exec(`UPDATE document SET visibility = 'officers' WHERE id = $1`, id)
	expect("at the next request after it was closed", w.Visitor(), "harbor ", 0)
	expect("at the next request after it was closed", w.outsider, "bridges", 0)
	w.Exec(`UPDATE document SET visibility = 'commission' WHERE id = $1`, id)
	w.indexed(t)

	plain := w.Person("Pam Plain")
	w.seat(plain, nil, "observer")
	expect("to a member", plain, "harbor ", 1)
	w.chair.API("POST", "/documents/ENERGY-N0001/withdraw", map[string]string{"reason": "Wrong"}).Want(200)
	for _, query := range []string{"harbor ", "bridges", "energy-n1", "brdiges "} {
		expect("withdrawn", plain, query, 0)
	}
	expect("withdrawn, to the chair", w.chair, "harbor ", 1)
	expect("withdrawn, to its author", w.member, "harbor ", 1)
	w.indexed(t)
	expect("withdrawn, and indexed", plain, "harbor ", 0)
	w.chair.API("POST", "/documents/ENERGY-N0001/restore", nil).Want(200)
	w.indexed(t)
	expect("restored", plain, "harbor ", 1)
	w.Exec(`UPDATE seat SET suspended = true WHERE person_id = $1`, plain.ID)
	expect("at the next request of one whose seat is gone", plain, "harbor ", 0)
}

// phrases are the files of the manifest with a phrase known to be in each.
func phrases(t *testing.T, files string) map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(files, "good_manifest.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	file, phrase := slices.Index(rows[0], "file"), slices.Index(rows[0], "known_phrase")
	list := map[string]string{}
	for _, row := range rows[1:] {
		if row[phrase] != "" {
			list[row[file]] = row[phrase]
		}
	}
	return list
}

// findPhrases searches for the phrase that is known to be in each file, once they
// are read, as a phrase and as words, through the API and the page.
func (w *world) findPhrases(t *testing.T, list map[string]string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); apptest.Value[int](w.Portal, `SELECT count(*) FROM file WHERE read_at IS NULL`) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the files were not read")
		}
	}
	w.indexed(t)
	if len(list) < 20 {
		t.Errorf("only %d phrases are known", len(list))
	}
	for file, phrase := range list {
		title := "File " + file[:min(len(file), 30)]
		for _, query := range []string{`"` + phrase, phrase} { // one ends in the middle of a word
			r := found(w.chair, query)
			at := slices.Index(titles(r), title)
			if at < 0 {
				t.Errorf("%s: %s finds %v", file, query, titles(r))
				continue
			}
			if p := r.Items[at].Passage; p == nil || p.Page == 0 || marked(p) == "" {
				t.Errorf("%s: %s does not show where: %+v", file, query, p)
			}
			page := w.chair.Get("/search?kind=document&q="+url.QueryEscape(query)).Want(200, "<mark>").Body
			if !strings.Contains(strings.NewReplacer("<mark>", "", "</mark>", "").Replace(page), title) {
				t.Errorf("%s: %s is not on the page", file, query)
			}
		}
	}
}

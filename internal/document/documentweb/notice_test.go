package documentweb_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// settle waits until the jobs of a kind are done.
func (w *world) settle(t *testing.T, kind string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if apptest.Value[int](w.Portal, `SELECT count(*) FROM river_job WHERE kind = $1 AND finalized_at IS NULL`, kind) == 0 {
			return
		}
	}
	t.Fatalf("the jobs %s do not end", kind)
}

// letters are what a person got of a kind, the last first.
func (w *world) letters(c *apptest.Client, kind string) string {
	return apptest.Value[string](w.Portal, `SELECT coalesce(string_agg(subject || E'\n' || text || unsubscribe, E'\n====\n' ORDER BY id DESC), '') FROM mail WHERE kind = $1 AND person_id = $2`, kind, c.ID)
}

// TestDigest: each person hears of what is new in their commissions and of what
// was shared with them, as often as they chose, and of nothing they may not read.
func TestDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	observer, idle := w.Person("Olga Observer"), w.Person("Ida Idle")
	w.seat(observer, nil, "observer")
	w.seat(idle, nil, "observer")
	idle.API("PATCH", "/persons/me/letters", map[string]any{"digest": "never"}, "If-Match", idle.API("GET", "/persons/me/letters", nil).Want(200, `"digest":"weekly"`).Header.Get("ETag")).Want(200, `"digest":"never"`)
	run := func() {
		t.Helper()
		if err := w.Documents.Digests(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.settle(t, "document.digest")
	}
	run() // who has a seat hears from now on
	w.document(1, "Old news", "commission", `UPDATE document SET status_since = now() - interval '20 days' WHERE id = $1`)
	w.document(2, "Grid study", "commission", `UPDATE document SET status_since = now() - interval '1 day', action = 'comment', due_on = (now() + interval '5 days')::date WHERE id = $1`)
	w.document(3, "Officers only", "officers", `UPDATE document SET status_since = now() - interval '1 day', organization_id = NULL, author_id = NULL WHERE id = $1`)
	w.document(4, "Taken back", "commission", `UPDATE document SET status = 'withdrawn', before_withdrawal = 'available', status_reason = 'Wrong', status_since = now() - interval '1 day' WHERE id = $1`)
	w.Exec(`UPDATE document_notice SET digested_at = now() - interval '9 days'`)
	run()
	for _, tt := range []struct {
		who        *apptest.Client
		has, lacks []string
	}{
		{observer, []string{"1 new document", "Asked of you", "ENERGY-N0002 Grid study", "Energy, from Acme: for comment by", "/documents/ENERGY-N0002", "/unsubscribe/"}, []string{"Old news", "Officers only", "Taken back"}},
		{w.chair, []string{"2 new documents", "Officers only", "Grid study"}, []string{"Old news", "Taken back"}},
		{w.member, []string{"1 document waits for your comments or decision", "Grid study"}, []string{"new document", "Officers only"}}, // its own author knows it
	} {
		got := w.letters(tt.who, "document.digest")
		for _, text := range tt.has {
			if !strings.Contains(strings.ToLower(got), strings.ToLower(text)) {
				t.Errorf("%s: not told %q in\n%s", tt.who.Name, text, got)
			}
		}
		for _, text := range tt.lacks {
			if strings.Contains(got, text) {
				t.Errorf("%s: told %q in\n%s", tt.who.Name, text, got)
			}
		}
	}
	for _, c := range []*apptest.Client{idle, w.outsider} {
		if got := w.letters(c, "document.digest"); got != "" {
			t.Errorf("%s got %s", c.Name, got)
		}
	}
	// Run again, nothing is told twice; and without news there is no letter.
	run()
	w.Exec(`UPDATE document SET due_on = NULL, action = 'none'`)
	w.Exec(`UPDATE document_notice SET digested_at = now() - interval '9 days' WHERE person_id = $1`, observer.ID)
	w.Exec(`UPDATE document SET status_since = now() - interval '30 days'`)
	run()
	if n := strings.Count(w.letters(observer, "document.digest"), "===="); n != 0 {
		t.Errorf("told %d times more", n)
	}
}

// TestCalls: who is asked for something by a day hears at once and is reminded,
// once each.
func TestCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	observer := w.Person("Olga Observer")
	w.seat(observer, nil, "observer")
	editor := w.Person("Edda Editor") // has a role of the commission's own, which reads what is for officers
	w.seat(editor, nil, "observer")
	w.Exec(`INSERT INTO access_rules (commission_id) SELECT id FROM commission WHERE slug = 'energy'`)
	w.Exec(`INSERT INTO commission_role (commission_id, slot, name, created_at) SELECT commission_id, 'own_1', 'Editor', now() FROM access_rules`)
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT commission_id, 'own_1', 'document', 'read:officers', 'allow' FROM access_rules`)
	w.Exec(`INSERT INTO commission_role_holder (commission_id, slot, seat_id, person_id, since) SELECT commission_id, 'own_1', id, person_id, now() FROM seat WHERE person_id = $1`, editor.ID)
	post := func(title, visibility, due string) {
		t.Helper()
		w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": title, "type": "report", "action": "decision", "due_on": due, "visibility": visibility,
			"upload": send(w.chair, "a.pdf", pdf)}).Want(201, `"status":"available"`)
	}
	soon := time.Now().AddDate(0, 0, 2).UTC().Format(time.DateOnly)
	post("Budget of the year", "commission", soon)
	post("Terms of the chair", "officers", soon)
	// One that is accepted after its day asks nobody.
	late := apptest.JSON[struct{ ID string }](w.member.API("POST", "/commissions/energy/documents", map[string]any{"title": "Long past", "type": "report", "action": "decision", "due_on": soon,
		"upload": send(w.member, "a.pdf", pdf)}).Want(201)).ID
	w.Exec(`UPDATE document SET due_on = '2020-01-01' WHERE id = $1`, late)
	w.chair.API("POST", "/documents/"+late+"/accept", nil).Want(200)
	w.settle(t, "document.call")
	for c, want := range map[*apptest.Client]int{observer: 1, w.member: 1, w.chair: 0, w.outsider: 0} {
		if got := w.letters(c, "document.due"); strings.Count(got, "asks for a decision by") != want || strings.Contains(got, "Terms of the chair") {
			t.Errorf("%s: %s", c.Name, got)
		}
	}
	if got := w.letters(editor, "document.due"); strings.Count(got, "asks for a decision by") != 2 || !strings.Contains(got, "Terms of the chair") {
		t.Errorf("by a role of the commission's own: %s", got)
	}
	remind := func() {
		t.Helper()
		if err := w.Documents.Remind(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	remind() // it was told today
	w.Exec(`UPDATE document_call SET at = now() - interval '3 days'`)
	remind()
	remind()
	if got := w.letters(observer, "document.due"); strings.Count(got, "Reminder: ENERGY-N0001") != 1 {
		t.Errorf("reminded: %s", got)
	}

	// One click ends them (RFC 8058): no cookie, no page of ours before.
	stop := regexp.MustCompile(`/unsubscribe/[0-9a-f]{32}/due`).FindString(w.letters(observer, "document.due"))
	w.Visitor().Get(stop).Want(200, "Stop them")
	w.Visitor().Send("POST", stop, "List-Unsubscribe=One-Click", "Content-Type", "application/x-www-form-urlencoded").Want(200, "You get no more")
	w.Visitor().Post(stop).Want(200)
	w.Visitor().Get("/unsubscribe/" + strings.Repeat("0", 32) + "/due").Want(404)
	w.Visitor().Post("/unsubscribe/" + strings.Repeat("0", 32) + "/due").Want(404)
	w.Visitor().Post(strings.TrimSuffix(stop, "due") + "all").Want(404)
	observer.API("GET", "/persons/me/letters", nil).Want(200, `"due":false`, `"digest":"weekly"`)
	post("Another decision", "commission", soon)
	w.settle(t, "document.call")
	if got := w.letters(observer, "document.due"); strings.Contains(got, "Another decision") {
		t.Error("told after ending the letters")
	}

	// The page says the same as the API, and nobody's change is lost.
	page := observer.Get("/profile/letters").Want(200, "Once a week", "Every day")
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page.Body)[1]
	observer.Post("/profile/letters", "version", version, "digest", "hourly").Want(422, "Choose one of")
	observer.Post("/profile/letters", "version", version, "digest", "daily", "due", "true").Want(303)
	observer.Post("/profile/letters", "version", version, "digest", "never").Want(412, "Somebody changed this meanwhile")
	observer.API("GET", "/persons/me/letters", nil).Want(200, `"due":true`, `"digest":"daily"`)
	w.Visitor().Get("/profile/letters").Want(303)
	if n := apptest.Value[int](w.Portal, fmt.Sprintf(`SELECT count(*) FROM journal_entry WHERE object = 'notice' AND object_id = '%s'`, observer.ID)); n != 3 {
		t.Errorf("%d entries in the journal", n)
	}
}

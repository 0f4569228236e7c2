package documentweb_test

import (
	"os"
	"testing"
)

// TestSeen looks at the pages of documents as they are in the few colors that a
// system forces on them, and from right to left.
func TestSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const title = "دراسة عن شبكات الطاقة: ENERGY والتخزين"
	page := w.submitted("شبكات.pdf", twelve())
	w.Exec(`UPDATE document SET title = $1, language = 'ar', languages = '{ar,en}', summary = 'ملخص الدراسة وما وجدته.', keywords = '{شبكات,تخزين}', action = 'comment', due_on = '2099-05-06', created_at = now() - interval '20 days'`, title)
	w.Exec(`UPDATE document_version SET language = 'ar'`)
	w.document(2, "Minutes of the second meeting", "commission")
	w.document(3, "محضر الاجتماع الثالث", "public", `UPDATE document SET status = 'withdrawn', before_withdrawal = 'available', status_reason = 'خطأ في الأرقام' WHERE id = $1`)
	w.Exec(`INSERT INTO document_access (document_id, kind, number, language, person_id, organization_id, at)
		SELECT d.id, k, 1, 'ar', $1, $2, now() - i * i * interval '3 hours' FROM document d, generate_series(1, 12) i, unnest(ARRAY['view', 'view', 'preview', 'download']) WITH ORDINALITY x (k, n) WHERE d.number = 1 AND (n < 4 OR i % 3 = 0)`, w.member.ID, w.acme)
	w.read(t)
	tab := w.chair.Browser()
	for _, at := range []struct {
		name, path string
		show       func()
		told       [][3]string // in forced colors: what is told from what by which property
	}{
		{"register", "/commissions/energy/documents", func() { tab.Click("Choose all on this page") }, [][3]string{
			{".top-menu [aria-current]", ".top-menu a:not([aria-current])", "border-bottom-color"}, {".tabs [aria-current]", ".tabs a:not([aria-current])", "border-bottom-width"}}},
		{"document", page, nil, [][3]string{{".badge", "body", "border-top-width"}}},
		{"trace", page + "/trace", nil, [][3]string{{".lane-mark", ".chart-label", "fill"}, {".chart-grid", ".lane-mark", "stroke"}}},
		{"preview", page + "/versions/1/preview?language=ar", nil, [][3]string{{".turning [aria-current]", ".turning .btn:not([aria-current])", "background-color"}}},
		{"share", page + "/share?with=person&q=max", func() { tab.Click("Download it") }, [][3]string{{".radio-card:has(:checked)", ".radio-card:not(:has(:checked))", "outline-style"}}},
		{"upload", "/commissions/energy/documents/several", func() {
			tab.Connect(true, 30_000)
			tab.Upload("file", write(t, "دراسة الشبكات.txt", long)[0])
			tab.See("left")
		}, [][3]string{{".form-select", "body", "appearance"}}},
	} {
		tab.Open(at.path)
		if at.show != nil {
			at.show()
		}
		tab.SetForced(true)
		for _, dark := range []bool{true, false} {
			tab.SetDark(dark)
			for _, c := range at.told {
				if a, b := tab.Style(c[0], c[2]), tab.Style(c[1], c[2]); a == b {
					t.Errorf("%s, in forced colors, dark %v: %s of %s is %s as that of %s", at.name, dark, c[2], c[0], a, c[1])
				}
			}
			if os.Getenv("LOOK") != "" {
				tab.Screenshot("forced-"+at.name+map[bool]string{true: "-dark", false: "-light"}[dark], 1280, dark)
			}
		}
		tab.SetForced(false)
		tab.RightToLeft()
		for _, width := range []int{360, 1280} {
			tab.SetWidth(width)
			if tab.Overflows() {
				t.Errorf("%s is wider than %d from right to left", at.name, width)
			}
			if os.Getenv("LOOK") != "" {
				tab.Screenshot("rtl-"+at.name+map[bool]string{true: "-360", false: ""}[width == 360], width, false)
			}
		}
	}
}

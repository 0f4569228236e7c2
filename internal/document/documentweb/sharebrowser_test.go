package documentweb_test

import (
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestShareJourney shares a document in a real browser, reads it as a recipient and
// by a link, and revokes; each page is looked at on the way.
func TestShareJourney(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	n.filed(t, 1, "A study of grids")
	n.Exec(`UPDATE file SET outcome = 'read', read_at = now()`)
	n.Exec(`INSERT INTO file_text (digest, page, text) SELECT digest, 1, 'All that is known of grids.' FROM file`)
	n.Exec(`UPDATE sharing SET links = true`)
	n.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) VALUES ('initech', 'Initech', 'initech', 'company', 'member', 'US')`)
	owner := n.boss.Browser()
	owner.Open("/documents/ENERGY-N0001/shares")
	owner.Click("Share…")
	owner.Click("An organization")
	owner.See("Initech")
	owner.Fill("reason", "For your comments")
	owner.Fill("Part of the name", "glob")
	owner.SeeNot("Initech") // while it is typed
	owner.Press("Globex")
	owner.Click("Download it")
	owner.Fill("until", "2099-05-06")
	owner.Fill("Part of the name", "init")
	owner.See("Initech") // what was chosen and filled in stays
	owner.Look("share-form")
	owner.Click("main .btn-primary")
	owner.See("Shared with Globex.")
	owner.See("For your comments")
	owner.Open("/documents/ENERGY-N0001/share?with=person&q=pia")
	owner.Click("Pia Partner")
	owner.Fill("until", "2001-01-01")
	owner.Expect(422)
	owner.Click("main .btn-primary")
	owner.See("Choose a day that is yet to come.")
	owner.Look("share-form-refused")
	owner.Open("/documents/ENERGY-N0001/share?with=link")
	owner.Fill("until", n.day(30))
	owner.Click("main .btn-primary")
	owner.See("it is not shown again")
	link := linkIn.FindStringSubmatch(owner.Text("main .copy code"))
	if link == nil {
		t.Fatal("the page does not show the link")
	}
	n.Exec(`INSERT INTO document_access (document_id, kind, number, language, person_id, organization_id, share_id, at)
		SELECT document_id, CASE WHEN i < 3 THEN 'view' ELSE 'download' END, CASE WHEN i = 3 THEN 1 END, 'en', $1, $2, id, now() - interval '1 hour' * (10 - i) FROM share, generate_series(1, 3) i WHERE to_organization IS NOT NULL`, n.gus.ID, n.globex)
	n.boss.API("POST", "/documents/ENERGY-N0001/shares", map[string]string{"with": "commission", "recipient": "rail", "level": "see"}).Want(201)
	owner.Open("/documents/ENERGY-N0001/shares")
	owner.SeeNot("it is not shown again")
	owner.Look("share-ledger")
	owner.Open("/organizations/acme/shares/given")
	owner.See("Whoever has the link")

	reader := n.gus.Browser()
	reader.Open("/organizations/globex")
	reader.Click("Shared with us")
	reader.Look("share-received")
	reader.Click("A study of grids")
	reader.See("Acme shares it with Globex until")
	reader.Look("share-document-recipient")
	rail := n.ray.Browser()
	rail.Open("/commissions/rail")
	rail.Click("Shared with it")
	rail.See("A study of grids")
	pia := n.pia.Browser()
	pia.Open("/profile/shares")
	pia.Look("share-mine-empty")

	visitor := apptest.Browser(t, n.URL)
	n.Exec(`UPDATE file SET outcome = NULL, read_at = NULL`)
	visitor.Open(link[1])
	visitor.See("A study of grids")
	visitor.See("It is being read")
	n.Exec(`UPDATE file SET outcome = 'read', read_at = now()`)
	visitor.See("Look inside") // by itself
	visitor.Look("share-link")
	visitor.Click("Look inside")
	visitor.See("Version 1, English: Plain text")
	visitor.Look("share-link-preview")

	sam := n.sam.Browser()
	sam.Open("/settings/sharing")
	sam.Look("share-settings")

	owner.Open("/documents/ENERGY-N0001/shares")
	owner.Click("Revoke…")
	owner.See("Revoke the share with Rail?")
	owner.Look("share-revoke")
	owner.Click("dialog .btn-danger")
	owner.See("The share is revoked.")
	rail.Open("/commissions/rail/documents/shared")
	rail.See("Nothing is shared here")
	rail.Expect(404)
	rail.Open("/documents/ENERGY-N0001")
}

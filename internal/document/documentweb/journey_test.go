package documentweb_test

import (
	"net/url"
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestWholeJourney is what the capability is for: a member sends a PDF, the chair
// accepts it, its organization shares it with another commission for a week, a
// member there finds it by a phrase inside, looks into it and downloads it, the
// owner sees that live in the trace and revokes, and for the reader it is gone.
func TestWholeJourney(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	file := write(t, "Tidal study.pdf", pagesOf("An introduction", "Salt caverns hum quietly at spring tide"))[0]

	author := n.member.Browser()
	author.Open("/commissions/energy/documents")
	author.Click("Submit a document")
	author.Upload("file", file)
	author.See("It is here.")
	author.Fill("Title", "A study of tides")
	author.Choose("organization", "Acme")
	author.Click("Members of the commission")
	author.Click("main .btn-primary")
	author.See("It waits for the officers")

	chair := n.chair.Browser()
	chair.Open("/desk")
	chair.Click("“A study of tides” waits to be accepted")
	chair.Click("Accept")
	chair.See("ENERGY-N0001")
	n.read(t)
	n.indexed(t)

	owner := n.boss.Browser()
	owner.Open("/documents/ENERGY-N0001/share?with=commission")
	owner.Fill("Part of the name", "rail")
	owner.Click("Find")
	owner.Click("Rail")
	owner.Click("Download it")
	owner.Fill("until", n.day(7))
	owner.Fill("reason", "For your comments")
	owner.Click("main .btn-primary")
	owner.See("Shared with Rail.")
	owner.Open("/documents/ENERGY-N0001/trace")
	owner.See("Rail")
	owner.SeeNot("Ray Rider")

	reader := n.ray.Browser()
	reader.Open("/search?q=" + url.QueryEscape(`"hum quietly"`))
	reader.See("hum quietly at spring tide")
	reader.Click("A study of tides")
	reader.See("Acme shares it with Rail until")
	reader.Click("Look inside")
	reader.Click("Next page")
	reader.See("Previous page")
	n.ray.Get("/documents/ENERGY-N0001/versions/1/content").Want(200, "%PDF")

	owner.See("Ray Rider") // by itself: the page was not loaded again
	owner.Open("/documents/ENERGY-N0001/shares")
	owner.Click("Revoke…")
	owner.Click("dialog .btn-danger")
	owner.See("The share is revoked.")

	n.gone(t, `"hum quietly"`, "/documents/ENERGY-N0001")
	reader.Open("/search?q=" + url.QueryEscape(`"hum quietly"`))
	reader.SeeNot("A study of tides")
	reader.Expect(404)
	reader.Open("/documents/ENERGY-N0001/versions/1/preview")
	reader.See("There is no such page")
}

// gone holds every way to a document to the answer that it does not exist, for Ray.
func (n *neighborhood) gone(t *testing.T, phrase, page string) {
	t.Helper()
	for _, path := range []string{"", "/trace", "/shares", "/versions/1/preview", "/versions/1/content", "/versions/1/preview/pages/1", "/versions/1/thumbnail"} {
		n.ray.Get(page + path).Want(404)
	}
	for _, path := range []string{"", "/trace", "/shares", "/versions", "/versions/1/text", "/versions/1/content"} {
		n.ray.API("GET", page+path, nil).Want(404)
	}
	n.ray.API("GET", "/search?kind=document&q="+url.QueryEscape(phrase), nil).Want(200).Lacks("N0001")
	n.ray.Get("/commissions/rail/documents/shared").Want(200).Lacks("N0001")
	n.ray.API("GET", "/commissions/rail/shares", nil).Want(200).Lacks("N0001")
}

// TestWholeJourneyByAPI is the same without a browser.
func TestWholeJourneyByAPI(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	d := n.member.API("POST", "/commissions/energy/documents", map[string]any{"title": "A study of tides", "type": "contribution", "organization": "acme",
		"upload": send(n.member, "tides.pdf", pagesOf("Salt caverns hum quietly at spring tide"))}).Want(201, `"review":"submitted"`)
	n.chair.API("POST", "/documents/"+apptest.JSON[struct{ ID string }](d).ID+"/accept", nil).Want(200, `"reference":"ENERGY-N0001"`)
	n.read(t)
	n.indexed(t)
	const page = "/documents/ENERGY-N0001"
	share := apptest.JSON[struct{ ID string }](n.boss.API("POST", page+"/shares", map[string]string{"with": "commission", "recipient": "rail", "level": "download", "until": n.day(7), "reason": "For your comments"}).Want(201)).ID
	n.ray.API("GET", "/search?kind=document&q="+url.QueryEscape(`"hum quietly"`), nil).Want(200, "ENERGY-N0001")
	n.ray.API("GET", page, nil).Want(200, "A study of tides")
	n.ray.API("GET", page+"/versions/1/text", nil).Want(200, "hum quietly")
	n.ray.API("GET", page+"/versions/1/content", nil).Want(200, "%PDF")
	trace := n.boss.API("GET", page+"/trace", nil).Want(200, "Ray Rider", `"download"`)
	if !strings.Contains(trace.Body, share) {
		t.Errorf("the trace does not say under which share: %s", trace.Body)
	}
	n.boss.API("GET", page+"/shares", nil).Want(200, "Ray Rider")
	n.boss.API("DELETE", "/shares/"+share, nil).Want(204)
	n.gone(t, `"hum quietly"`, page)
}

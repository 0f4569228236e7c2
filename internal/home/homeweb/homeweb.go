// Package homeweb has the doors of the front page and the search.
package homeweb

import (
	"context"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/home"
	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
	views "commissionportal/views/home"
)

type pages struct {
	*web.Server
	home *home.Service
}

// Mount adds the routes of the front page and the search.
func Mount(s *web.Server, service *home.Service) {
	h := &pages{s, service}
	s.Page("GET", "/", "home.read", web.Kept(web.InPortal("home", "read")), h.getFront)
	s.Page("GET", "/search", "search.read", web.InPortal("search", "read"), h.getSearch)
	web.API(s, web.Call{Method: "GET", Path: "/home", Operation: "home.read.api", Need: web.InPortal("home", "read"),
		Summary: "Read the numbers of the portal: sectors, countries, kinds, growth", Tag: "Home"}, h.front)
	web.API(s, web.Call{Method: "GET", Path: "/search", Operation: "search.read.api", Need: web.InPortal("search", "read"),
		Summary: "Find commissions, organizations, the persons you may see, and documents by the text inside", Tag: "Search"}, h.search)
}

func (h *pages) getFront(c *fiber.Ctx) error {
	who := web.Actor(c)
	f, err := h.home.Front(c.UserContext(), who)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.FrontPage(f, who.SignedIn()))
}

type front struct{ Body home.Front }

func (h *pages) front(ctx context.Context, _ *struct{}) (*front, error) {
	f, err := h.home.Front(ctx, access.From(ctx))
	return &front{Body: f}, err
}

type searchQuery struct {
	Query        string `form:"q"`
	Kind         string `form:"kind"`
	Commission   string `form:"commission"`
	Organization string `form:"organization"`
	Type         string `form:"type"`
	Status       string `form:"status"`
	Language     string `form:"language"`
	Year         int    `form:"year"`
	Cursor       string `form:"cursor"`
}

func (q searchQuery) narrow() document.Narrow {
	return document.Narrow{Commission: q.Commission, Organization: q.Organization, Type: q.Type, Status: q.Status, Language: q.Language, Year: q.Year}
}

// link is the address of the search with one thing about it changed, from its
// start. What narrows documents leads to documents alone.
func (q searchQuery) link(name, value string) string {
	year := ""
	if q.Year != 0 {
		year = strconv.Itoa(q.Year)
	}
	kind := q.Kind
	if name != "kind" && name != "q" {
		kind = "document"
	}
	pairs := []string{}
	for _, p := range [][2]string{{"q", q.Query}, {"kind", kind}, {"commission", q.Commission}, {"organization", q.Organization}, {"type", q.Type}, {"status", q.Status},
		{"language", q.Language}, {"year", year}, {"cursor", ""}} {
		if p[0] == name {
			p[1] = value
		}
		if name == "kind" && p[0] != "q" && p[0] != "kind" {
			p[1] = ""
		}
		pairs = append(pairs, p[0], p[1])
	}
	return web.Query("/search", pairs...)
}

// few is how many documents are shown among other things, and shown how many by
// themselves.
const few, shown = 5, 20

func (h *pages) getSearch(c *fiber.Ctx) error {
	in, err := web.Decode[searchQuery](c)
	if err != nil {
		return err
	}
	limit := shown
	if in.Kind == "" {
		limit = few
	}
	page, err := keyset.Parse(in.Cursor, 2, limit)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	f, err := h.home.Search(ctx, web.Actor(c), in.Query, in.Kind, in.narrow(), page)
	p := views.Search{Query: in.Query, Kind: in.Kind, By: in.narrow(), Found: f, Link: in.link}
	if in.Cursor != "" {
		p.Paging.First = in.link("cursor", "")
	}
	if f.Documents.Next != "" {
		p.Paging.Next = in.link("cursor", f.Documents.Next)
	}
	if wrong := web.Invalid(err); wrong != nil {
		if p.Wrong = i18n.FieldProblems(ctx, wrong)["q"]; p.Wrong != "" {
			return h.Render(c, 422, views.SearchPage(p))
		}
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SearchPage(p))
}

type searchInput struct {
	web.Paged
	Query        string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Part of a name, where a small mistake does not matter; for documents: words, \"a phrase\", -not this, this or that. The last word may be unfinished, unless a space follows."`
	Kind         string `query:"kind" enum:"commission,organization,person,document" doc:"Only things of this kind. What follows is about documents."`
	Commission   string `query:"commission" maxLength:"80" doc:"Slug."`
	Organization string `query:"organization" maxLength:"80" doc:"Slug of the source."`
	Type         string `query:"type" enum:"contribution,working_draft,report,minutes,agenda,resolution,liaison_statement,reference_architecture,other"`
	Status       string `query:"status" enum:"draft,available,superseded,withdrawn"`
	Language     string `query:"language" maxLength:"35"`
	Year         int    `query:"year" minimum:"1900" maximum:"9999" doc:"In which it came into the portal."`
}

func (h *pages) search(ctx context.Context, in *searchInput) (*found, error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	f, err := h.home.Search(ctx, access.From(ctx), in.Query, in.Kind, document.Narrow{Commission: in.Commission, Organization: in.Organization, Type: in.Type, Status: in.Status,
		Language: in.Language, Year: in.Year}, page)
	return &found{Body: f}, err
}

type found struct{ Body home.Found }

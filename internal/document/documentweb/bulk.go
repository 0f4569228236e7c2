package documentweb

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/textdiff"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
)

func (h *pages) mountBulk() {
	accept, read := web.InCommission("document", "accept"), web.InCommission("register", "read")
	h.Page("POST", "/commissions/:slug/documents/preview", "document.bulk.preview", accept, h.postPlan)
	h.Page("POST", "/commissions/:slug/documents/bulk", "document.bulk", accept, h.postBulk)
	h.Page("GET", "/commissions/:slug/documents.zip", "document.archive", read, h.getArchive)
	h.Page("GET", "/api/v1/commissions/:slug/documents.zip", "document.archive.api", read, h.getArchive)
	h.Page("GET", "/documents/:name/compare", "version.compare", web.InCommission("file", "read:public"), h.getCompare)
	h.Page("GET", "/documents/:name/discard", "document.discard.form", web.InCommission("document", "discard"), h.getDiscard)
	h.Page("POST", "/documents/:name/discard", "document.discard", web.InCommission("document", "discard"), h.postDiscard)
	h.Describe(&huma.Operation{Method: http.MethodGet, Path: "/api/v1/commissions/{slug}/documents.zip", OperationID: "document.archive.api", Summary: "Download many documents as one ZIP: the newest file of each, in every language", Tags: []string{tag},
		Description: "It is built while it is sent. What may not be downloaded is named in not-included.txt. A ZIP that breaks off has no end.",
		Parameters: []*huma.Param{{Name: "slug", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}},
			{Name: "documents", In: "query", Required: true, Description: "References or ids, with commas between them; at most 200.", Schema: &huma.Schema{Type: "string"}}}}, "200", "The ZIP.")
}

type bulkForm struct {
	Act        string   `form:"act"`
	Documents  []string `form:"documents"`
	Visibility string   `form:"visibility"`
	Reason     string   `form:"reason"`
}

func (h *pages) postPlan(c *fiber.Ctx) error {
	in, err := web.Decode[bulkForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	plan, err := h.documents.PlanBulk(ctx, web.Actor(c), c.Params("slug"), document.Bulk(in))
	if status := refusal(err); status != 0 {
		return h.register(c, status, registerQuery{}, in, problem.As(err))
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.PlanPage(views.Plan{Plan: plan, Key: key()}))
}

func (h *pages) postBulk(c *fiber.Ctx) error {
	in, err := web.Decode[bulkForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	plan, err := h.documents.CarryBulk(ctx, web.Actor(c), c.Params("slug"), document.Bulk(in))
	if status := refusal(err); status != 0 {
		return h.register(c, status, registerQuery{}, in, problem.As(err))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, plan.Path()+"/documents", i18n.N(ctx, plan.Done, "Done for %d document.", "Done for %d documents."))
}

type archiveQuery struct {
	Documents []string `form:"documents"`
}

// getArchive is many documents as a ZIP, built while it is sent.
func (h *pages) getArchive(c *fiber.Ctx) error {
	in, err := web.Decode[archiveQuery](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	a, err := h.documents.Archive(ctx, web.Actor(c), c.Params("slug"), in.Documents)
	if status := refusal(err); status != 0 && c.Route().Path == "/commissions/:slug/documents.zip" {
		return h.register(c, status, registerQuery{}, bulkForm{Documents: in.Documents}, problem.As(err))
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/zip")
	c.Set(fiber.HeaderContentDisposition, disposition(false, a.Slug+"-documents-"+today(ctx)+".zip"))
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	if c.Method() == fiber.MethodHead {
		c.Response().SkipBody = true
		return nil
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(a.Write(context.WithoutCancel(ctx), w)) }() // ends with the reader, at the latest
	return web.SendStream(c, r, -1)
}

type compareQuery struct {
	Name     string `form:"name"`
	From     int    `form:"from"`
	To       int    `form:"to"`
	Language string `form:"language"`
}

func (h *pages) getCompare(c *fiber.Ctx) error {
	in, err := web.Decode[compareQuery](c)
	if err != nil {
		return err
	}
	d, diff, err := h.documents.Compare(c.UserContext(), web.Actor(c), in.Name, in.From, in.To, in.Language)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.ComparePage(d, diff))
}

func (h *pages) getDiscard(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Show(ctx, who, c.Params("name"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, d.Scope(), "document", "discard")
	}
	if err == nil {
		err = d.Discardable()
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.ActPage(views.Act{Document: d, Name: "discard", Form: views.Form{Key: key()}}))
}

func (h *pages) postDiscard(c *fiber.Ctx) error {
	d, err := h.documents.DiscardDraft(c.UserContext(), web.Actor(c), c.Params("name"))
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+d.Commission+"/documents", i18n.T(c.UserContext(), "Discarded."))
}

func mountBulkAPI(s *web.Server, h *api) {
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/documents/bulk", Operation: "document.bulk.api", Need: web.InCommission("document", "accept"), Summary: "Withdraw, restore or show many documents, or see what that would do", Tag: tag}, h.bulk)
	web.API(s, web.Call{Method: "GET", Path: "/documents/{name}/compare", Operation: "version.compare.api", Need: web.InCommission("file", "read:public"), Summary: "Compare the texts of two versions", Tag: tag}, h.compare)
	web.API(s, web.Call{Method: "DELETE", Path: "/documents/{name}", Operation: "document.discard.api", Need: web.InCommission("document", "discard"), Summary: "Discard a draft: a document that never got a number", Tag: tag, Status: 204},
		func(ctx context.Context, in *Named) (*struct{}, error) {
			_, err := h.documents.DiscardDraft(ctx, access.From(ctx), in.Name)
			return nil, err
		})
}

type bulkInput struct {
	Slugged
	Body struct {
		Act        string   `json:"act" enum:"withdraw,restore,visibility"`
		Documents  []string `json:"documents" maxItems:"200" doc:"References or ids; with :version, one that changed since is skipped."`
		Visibility string   `json:"visibility,omitempty" enum:"public,portal,commission,officers,organization,named"`
		Reason     string   `json:"reason,omitempty" doc:"Of withdrawing them."`
		DryRun     bool     `json:"dry_run,omitempty" doc:"Only say what would happen."`
	}
}

type planBody struct {
	Body struct {
		Done  int        `json:"done" doc:"How many it is, or would be, carried out for."`
		Lines []planLine `json:"lines"`
	}
}

type planLine struct {
	Document string `json:"document"`
	Version  int    `json:"version" doc:"That it was decided on."`
	Then     string `json:"then,omitempty" doc:"Its status, or who may read it, afterwards."`
	Skipped  string `json:"skipped,omitempty" doc:"Why nothing is done."`
}

func (h *api) bulk(ctx context.Context, in *bulkInput) (*planBody, error) {
	do := h.documents.CarryBulk
	if in.Body.DryRun {
		do = h.documents.PlanBulk
	}
	p, err := do(ctx, access.From(ctx), in.Slug, document.Bulk{Act: in.Body.Act, Documents: in.Body.Documents, Visibility: in.Body.Visibility, Reason: in.Body.Reason})
	out := &planBody{}
	out.Body.Done, out.Body.Lines = p.Done, make([]planLine, len(p.Lines))
	for i, l := range p.Lines {
		out.Body.Lines[i] = planLine{Document: l.Name(), Version: l.Version, Then: l.Then}
		if l.Skipped != nil {
			out.Body.Lines[i].Then, out.Body.Lines[i].Skipped = "", i18n.Problem(ctx, l.Skipped)
		}
	}
	return out, err
}

type compareInput struct {
	Named
	From     int    `query:"from" minimum:"1" required:"true"`
	To       int    `query:"to" minimum:"1" required:"true"`
	Language string `query:"language" maxLength:"35" doc:"The source language if absent."`
}

type difference struct {
	Body struct {
		From  compared   `json:"from"`
		To    compared   `json:"to"`
		Hunks []diffHunk `json:"hunks" doc:"Runs of lines with changes; none if the two have the same text, or one has none."`
		More  bool       `json:"more" doc:"There are more changes than these."`
	}
}

type compared struct {
	Version int  `json:"version"`
	Read    bool `json:"read" doc:"There is a text to compare."`
	Cut     bool `json:"cut" doc:"There is more text than was compared."`
}

type diffHunk struct {
	Lines []diffLine `json:"lines"`
}

type diffLine struct {
	Kind  textdiff.Kind `json:"kind" enum:"same,removed,added"`
	Old   int           `json:"old,omitempty" doc:"Its number in the text compared from."`
	New   int           `json:"new,omitempty" doc:"Its number in the text compared to."`
	Spans []diffSpan    `json:"spans"`
}

type diffSpan struct {
	Kind textdiff.Kind `json:"kind" enum:"same,removed,added"`
	Text string        `json:"text"`
}

func (h *api) compare(ctx context.Context, in *compareInput) (*difference, error) {
	_, d, err := h.documents.Compare(ctx, access.From(ctx), in.Name, in.From, in.To, in.Language)
	if err != nil {
		return nil, err
	}
	out := &difference{}
	out.Body.From, out.Body.To, out.Body.More = compared{d.From.Number, d.From.Read(), d.From.Cut}, compared{d.To.Number, d.To.Read(), d.To.Cut}, d.More
	out.Body.Hunks = make([]diffHunk, len(d.Hunks))
	for i, each := range d.Hunks {
		for _, l := range each.Lines {
			spans := make([]diffSpan, len(l.Spans))
			for k, s := range l.Spans {
				spans[k] = diffSpan(s)
			}
			out.Body.Hunks[i].Lines = append(out.Body.Hunks[i].Lines, diffLine{l.Kind, l.OldNumber, l.NewNumber, spans})
		}
	}
	return out, nil
}

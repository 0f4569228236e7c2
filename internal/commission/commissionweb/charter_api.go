package commissionweb

import (
	"context"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/keyset"
	"commissionportal/internal/textdiff"
	"commissionportal/internal/web"
)

func (h *api) mountCharter(s *web.Server) {
	read := web.InCommission("charter", "read")
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/charter", Operation: "charter.show.api", Need: read, Summary: "Read the charter of a commission", Tag: tag}, h.charter)
	web.API(s, web.Call{Method: "PUT", Path: "/commissions/{slug}/charter", Operation: "charter.revise.api", Need: web.InCommission("charter", "edit"), Summary: "Write a revision of the charter", Tag: tag}, h.revise)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/charter/adopt", Operation: "charter.adopt.api", Need: web.InCommission("charter", "adopt"), Summary: "Adopt the newest revision of the charter", Tag: tag}, h.adopt)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/charter/revisions", Operation: "charter.list.api", Need: read, Summary: "List the revisions of the charter", Tag: tag}, h.revisions)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/charter/revisions/{number}", Operation: "charter.revision.api", Need: read, Summary: "Read a revision of the charter", Tag: tag}, h.revision)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/charter/diff", Operation: "charter.compare.api", Need: read, Summary: "Compare two revisions of the charter", Tag: tag}, h.compare)
}

func (h *api) charter(ctx context.Context, in *Named) (*web.Versioned[commission.Charter], error) {
	_, c, err := h.commissions.Charter(ctx, access.From(ctx), in.Slug)
	return web.Version(c, c.Number()), err
}

type reviseInput struct {
	Named
	web.Matched
	Body struct {
		Body    string `json:"body" doc:"Markdown."`
		Summary string `json:"summary,omitempty" doc:"What changed, in a line."`
	}
}

func (h *api) revise(ctx context.Context, in *reviseInput) (*web.Versioned[commission.Revision], error) {
	who := access.From(ctx)
	if _, err := h.commissions.Show(ctx, who, in.Slug); err != nil {
		return nil, err
	}
	base, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	_, r, err := h.commissions.Revise(ctx, who, in.Slug, commission.Revise{Base: base, Body: in.Body.Body, Summary: in.Body.Summary})
	return web.Version(r, r.Number), err
}

type adoptInput struct {
	Named
	Body struct {
		Number int `json:"number" doc:"The revision that you read; it has to be the newest."`
	}
}

func (h *api) adopt(ctx context.Context, in *adoptInput) (*web.Versioned[commission.Revision], error) {
	_, r, err := h.commissions.Adopt(ctx, access.From(ctx), in.Slug, in.Body.Number)
	return web.Version(r, r.Number), err
}

func (h *api) revisions(ctx context.Context, in *pagedInput) (*web.Listed[commission.Revision], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	_, rows, next, err := h.commissions.Revisions(ctx, access.From(ctx), in.Slug, page)
	return web.Page(rows, next), err
}

type revisionInput struct {
	Named
	Number int `path:"number" minimum:"1" maximum:"1000000"`
}

func (h *api) revision(ctx context.Context, in *revisionInput) (*web.Versioned[commission.Revision], error) {
	_, r, err := h.commissions.Revision(ctx, access.From(ctx), in.Slug, in.Number)
	return web.Version(r, r.Number), err
}

type compareInput struct {
	Named
	From int `query:"from" required:"true" minimum:"1" maximum:"1000000"`
	To   int `query:"to" required:"true" minimum:"1" maximum:"1000000"`
}

type difference struct {
	Body struct {
		From  int    `json:"from"`
		To    int    `json:"to"`
		Hunks []hunk `json:"hunks" doc:"Runs of lines with changes; none if the two are the same."`
	}
}

type hunk struct {
	Lines []line `json:"lines"`
}

type line struct {
	Kind  textdiff.Kind `json:"kind" enum:"same,removed,added"`
	Old   int           `json:"old,omitempty" doc:"Its number in the text compared from."`
	New   int           `json:"new,omitempty" doc:"Its number in the text compared to."`
	Spans []span        `json:"spans"`
}

type span struct {
	Kind textdiff.Kind `json:"kind" enum:"same,removed,added"`
	Text string        `json:"text"`
}

func (h *api) compare(ctx context.Context, in *compareInput) (*difference, error) {
	_, d, err := h.commissions.Compare(ctx, access.From(ctx), in.Slug, in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := &difference{}
	out.Body.From, out.Body.To, out.Body.Hunks = in.From, in.To, make([]hunk, len(d.Hunks))
	for i, hu := range d.Hunks {
		lines := make([]line, len(hu.Lines))
		for j, l := range hu.Lines {
			lines[j] = line{l.Kind, l.OldNumber, l.NewNumber, make([]span, len(l.Spans))}
			for k, s := range l.Spans {
				lines[j].Spans[k] = span(s)
			}
		}
		out.Body.Hunks[i].Lines = lines
	}
	return out, nil
}

package intakeweb

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/intake"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
)

type api struct{ imports *intake.Service }

func mountAPI(s *web.Server, imports *intake.Service) {
	h := &api{imports}
	may := web.InPortal("import", "run")
	web.API(s, web.Call{Method: "GET", Path: "/imports", Operation: "import.list.api", Need: may, Summary: "List imports", Tag: "Imports"}, h.list)
	web.API(s, web.Call{Method: "POST", Path: "/imports", Operation: "import.upload.api", Need: may, Summary: "Import a file, or try it; it is carried out in the background", Tag: "Imports", Status: http.StatusAccepted, Large: true}, h.upload)
	web.API(s, web.Call{Method: "GET", Path: "/imports/{id}", Operation: "import.show.api", Need: may, Summary: "Read the state and the counts of an import", Tag: "Imports"}, h.show)
	web.API(s, web.Call{Method: "GET", Path: "/imports/{id}/lines", Operation: "import.lines.api", Need: may, Summary: "Read the report of an import, line by line", Tag: "Imports"}, h.lines)
	web.API(s, web.Call{Method: "POST", Path: "/imports/{id}/run", Operation: "import.run.api", Need: may, Summary: "Carry out an import that was tried", Tag: "Imports", Status: http.StatusAccepted}, h.run)
}

func (h *api) list(ctx context.Context, in *web.Paged) (*web.Listed[intake.Import], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	rows, next, err := h.imports.List(ctx, access.From(ctx), page)
	return web.Page(rows, next), err
}

type uploadInput struct {
	Body struct {
		Kind       string                       `json:"kind,omitempty" enum:"organizations,persons,commissions,participations,seats,documents"`
		Commission string                       `json:"commission,omitempty" doc:"Slug of the one commission whose roster (seats) or register (documents) the file holds; its officers may do this."`
		FileName   string                       `json:"file_name,omitempty" maxLength:"500"`
		CSV        string                       `json:"csv,omitempty" doc:"The file as text."`
		File       []byte                       `json:"file,omitempty" doc:"The file in base64: CSV in any encoding, or XLSX."`
		Source     string                       `json:"source,omitempty" doc:"The register that the identifiers come from; otherwise the name of the file."`
		Columns    map[string]string            `json:"columns,omitempty" doc:"The column of each field where the guess is wrong; =word gives the same to every line, an empty text reads it from none."`
		Words      map[string]map[string]string `json:"words,omitempty" doc:"What words of the file mean, by field."`
		DryRun     bool                         `json:"dry_run,omitempty"`
	}
}

type accepted struct {
	Location string `header:"Location"`
	Body     intake.Import
}

func accept(i intake.Import) *accepted {
	return &accepted{Location: "/api/v1/imports/" + i.ID.String(), Body: i}
}

func (h *api) upload(ctx context.Context, in *uploadInput) (*accepted, error) {
	who, b := access.From(ctx), in.Body
	if len(b.File) == 0 {
		b.File = []byte(b.CSV)
	} else if b.CSV != "" {
		return nil, problem.Field("file", "Send csv or file, not both.")
	}
	i, err := h.imports.Upload(ctx, who, intake.Upload{Kind: b.Kind, Commission: b.Commission, FileName: b.FileName, Body: b.File, Source: b.Source, Columns: b.Columns, Words: b.Words})
	if err != nil {
		return nil, err
	}
	i, err = h.imports.Run(ctx, who, i.ID, nil, b.DryRun)
	return accept(i), err
}

type idInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

func (h *api) show(ctx context.Context, in *idInput) (*web.Versioned[intake.Import], error) {
	i, err := h.imports.Show(ctx, access.From(ctx), in.ID)
	return &web.Versioned[intake.Import]{Body: i}, err
}

type linesInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
	web.Paged
	Verdict string `query:"verdict" enum:"created,changed,skipped,refused"`
}

func (h *api) lines(ctx context.Context, in *linesInput) (*web.Listed[intake.Line], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	i, err := h.imports.Show(ctx, access.From(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	rows, next, err := h.imports.Lines(ctx, i, in.Verdict, page)
	return web.Page(rows, next), err
}

type runInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body struct {
		DryRun  bool                         `json:"dry_run,omitempty"`
		Columns map[string]string            `json:"columns,omitempty" doc:"Columns to correct; those not named stay."`
		Words   map[string]map[string]string `json:"words,omitempty" doc:"Meanings of words; absent: as before."`
	}
}

func (h *api) run(ctx context.Context, in *runInput) (*accepted, error) {
	who := access.From(ctx)
	i, err := h.imports.Show(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	maps.Copy(i.Plan.Columns, in.Body.Columns)
	if in.Body.Words != nil {
		i.Plan.Words = in.Body.Words
	}
	i, err = h.imports.Run(ctx, who, in.ID, &i.Plan, in.Body.DryRun)
	return accept(i), err
}

// wordLines is the plan's words as the page's field has them.
func wordLines(words map[string]map[string]string) string {
	var b strings.Builder
	for _, field := range slices.Sorted(maps.Keys(words)) {
		for _, word := range slices.Sorted(maps.Keys(words[field])) {
			b.WriteString(field + ": " + word + " = " + words[field][word] + "\n")
		}
	}
	return b.String()
}

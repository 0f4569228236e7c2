package documentweb

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
)

type api struct{ documents *document.Service }

const tag = "Documents"

func mountAPI(s *web.Server, documents *document.Service) {
	h := &api{documents}
	mountSharesAPI(s, documents)
	mountBulkAPI(s, h)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/documents", Operation: "document.list.api", Need: web.InCommission("register", "read"), Summary: "List the documents of a commission that one may see", Tag: tag}, h.list)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/documents", Operation: "document.submit.api", Need: web.InCommission("document", "submit"), Summary: "Submit a document, keep it as a draft, or reserve a number for one whose file comes later", Tag: tag, Status: 201}, h.submit)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/register", Operation: "register.show.api", Need: web.InCommission("register", "settings"), Summary: "Read the settings of a register", Tag: tag}, h.settings)
	web.API(s, web.Call{Method: "PATCH", Path: "/commissions/{slug}/register", Operation: "register.settings.api", Need: web.InCommission("register", "settings"), Summary: "Change the settings of a register", Tag: tag}, h.set)
	web.API(s, web.Call{Method: "GET", Path: "/documents/{name}", Operation: "document.show.api", Need: web.InCommission("document", "read:public"), Summary: "Read a document", Tag: tag}, h.show)
	web.API(s, web.Call{Method: "PATCH", Path: "/documents/{name}", Operation: "document.edit.api", Need: web.InCommission("document", "edit"), Summary: "Change what is said of a document", Tag: tag}, h.edit)
	web.API(s, web.Call{Method: "GET", Path: "/documents/{name}/versions", Operation: "version.list.api", Need: web.InCommission("document", "read:public"), Summary: "List the versions of a document, in all languages", Tag: tag}, h.versions)
	web.API(s, web.Call{Method: "POST", Path: "/documents/{name}/versions", Operation: "version.add.api", Need: web.InCommission("document", "revise"), Summary: "Add a version, or a variant in another language", Tag: tag, Status: 201}, h.revise)
	for _, step := range []struct {
		name, action, summary string
		do                    func(context.Context, access.Actor, string) (document.Document, error)
	}{
		{"send", "edit", "Submit a draft", documents.Send},
		{"accept", "accept", "Accept what was submitted: it gets its number", documents.Accept},
		{"restore", "restore", "Undo a withdrawal", documents.Restore},
	} {
		web.API(s, web.Call{Method: "POST", Path: "/documents/{name}/" + step.name, Operation: "document." + step.name + ".api", Need: web.InCommission("document", step.action), Summary: step.summary, Tag: tag},
			func(ctx context.Context, in *Named) (*web.Versioned[Full], error) {
				d, err := step.do(ctx, access.From(ctx), in.Name)
				return web.Version(full(d), d.Version), err
			})
	}
	for _, step := range []struct {
		name, summary string
		do            func(context.Context, access.Actor, string, string) (document.Document, error)
	}{
		{"return", "Return what was submitted to its author", documents.Return},
		{"withdraw", "Withdraw a document; its number stays", documents.Withdraw},
	} {
		web.API(s, web.Call{Method: "POST", Path: "/documents/{name}/" + step.name, Operation: "document." + step.name + ".api", Need: web.InCommission("document", step.name), Summary: step.summary, Tag: tag},
			func(ctx context.Context, in *reasonInput) (*web.Versioned[Full], error) {
				d, err := step.do(ctx, access.From(ctx), in.Name, in.Body.Reason)
				return web.Version(full(d), d.Version), err
			})
	}
	web.API(s, web.Call{Method: "POST", Path: "/documents/{name}/supersede", Operation: "document.supersede.api", Need: web.InCommission("document", "supersede"), Summary: "Say that another document took its place", Tag: tag}, h.supersede)
}

// Named is what every operation on a document takes. Exported, so that huma looks
// into it where it is embedded.
type Named struct {
	Name string `path:"name" maxLength:"80" doc:"Its reference, ENERGY-N0012, or its id."`
}

// Slugged is what every operation on a register takes.
type Slugged struct {
	Slug string `path:"slug" maxLength:"80"`
}

// Entry is a document as a list of the API has it.
type Entry struct {
	Reference string `json:"reference,omitempty" doc:"ENERGY-N0012; absent before it has a number."`
	document.Row
}

type listInput struct {
	Slugged
	web.Paged
	Query        string `query:"q" maxLength:"200"`
	Type         string `query:"type" enum:"contribution,working_draft,report,minutes,agenda,resolution,liaison_statement,reference_architecture,other"`
	Organization string `query:"organization" maxLength:"80" doc:"Slug of the source."`
	Status       string `query:"status" enum:"draft,available,superseded,withdrawn"`
	Language     string `query:"language" maxLength:"35"`
	Due          bool   `query:"due" doc:"Only what asks for something by a day that has not passed."`
	Mine         bool   `query:"mine"`
	Below        bool   `query:"below" doc:"Of the bodies under the commission too."`
	Order        string `query:"order" enum:"number,title,updated,due"`
}

func (h *api) list(ctx context.Context, in *listInput) (*web.Listed[Entry], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	l, err := h.documents.Register(ctx, access.From(ctx), in.Slug, document.Filter{Type: in.Type, Organization: in.Organization, Status: in.Status, Language: in.Language,
		Query: in.Query, Due: in.Due, Mine: in.Mine, Below: in.Below, Order: in.Order}, page)
	if err != nil {
		return nil, err
	}
	rows := make([]Entry, len(l.Rows))
	for i, r := range l.Rows {
		rows[i] = Entry{r.Reference(), r}
	}
	return web.Page(rows, l.Next), nil
}

// Full is a document as the API has it.
type Full struct {
	Reference string `json:"reference,omitempty" doc:"ENERGY-N0012; absent before it has a number."`
	document.Document
}

func full(d document.Document) Full { return Full{d.Reference(), d} }

// DraftBody is what is said of a document. Exported, so that huma looks into it where it
// is embedded.
type DraftBody struct {
	Title        string   `json:"title" minLength:"1"`
	Type         string   `json:"type" enum:"contribution,working_draft,report,minutes,agenda,resolution,liaison_statement,reference_architecture,other"`
	Organization string   `json:"organization,omitempty" doc:"Slug of its source; empty for the commission itself, or in a personal capacity."`
	Action       string   `json:"action,omitempty" enum:"none,information,comment,decision"`
	DueOn        string   `json:"due_on,omitempty" doc:"YYYY-MM-DD."`
	Language     string   `json:"language,omitempty"`
	Keywords     []string `json:"keywords,omitempty"`
	Summary      string   `json:"summary,omitempty"`
	Visibility   string   `json:"visibility,omitempty" enum:"public,portal,commission,officers,organization,named" doc:"What the register says if absent."`
}

func (b DraftBody) draft() document.Draft {
	return document.Draft{Title: b.Title, Type: b.Type, Organization: b.Organization, Action: b.Action, Due: b.DueOn, Language: b.Language, Keywords: b.Keywords, Summary: b.Summary, Visibility: b.Visibility}
}

type submitInput struct {
	Slugged
	Body struct {
		DraftBody
		Upload string `json:"upload,omitempty" doc:"Id of the upload that is its file; absent: only a number is reserved, by an officer."`
		Draft  bool   `json:"draft,omitempty" doc:"Keep it as a draft, to be submitted later."`
	}
}

func (h *api) submit(ctx context.Context, in *submitInput) (*web.Created[Full], error) {
	who, draft := access.From(ctx), in.Body.draft()
	var d document.Document
	var err error
	if in.Body.Upload == "" {
		if d, err = h.documents.Reserve(ctx, who, in.Slug, draft); problem.Of(err, problem.NotFound) { // who may submit has forgotten the file
			d, err = h.documents.Submit(ctx, who, in.Slug, draft, uuid.Nil, true)
		}
	} else {
		d, err = h.documents.Submit(ctx, who, in.Slug, draft, uploadOf(in.Body.Upload), !in.Body.Draft)
	}
	return web.At(full(d), "/api/v1"+d.Path(), d.Version), err
}

// uploadOf is the id of an upload; what is none names none.
func uploadOf(text string) uuid.UUID {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil
	}
	return id
}

type reviseInput struct {
	Named
	Body struct {
		Upload   string `json:"upload" doc:"Id of the upload that is its file."`
		Language string `json:"language,omitempty" doc:"The source language, which makes a new version, if absent; another makes its variant of the newest version."`
		Note     string `json:"note,omitempty" doc:"What is new in it."`
	}
}

func (h *api) revise(ctx context.Context, in *reviseInput) (*web.Created[Full], error) {
	d, err := h.documents.Revise(ctx, access.From(ctx), in.Name, document.Revision{Language: in.Body.Language, Note: in.Body.Note}, uploadOf(in.Body.Upload))
	return web.At(full(d), "/api/v1"+d.Path()+"/versions", d.Version), err
}

func (h *api) show(ctx context.Context, in *Named) (*web.Versioned[Full], error) {
	d, err := h.documents.Show(ctx, access.From(ctx), in.Name)
	if err == nil {
		h.documents.NoteView(ctx, access.From(ctx), d)
	}
	return web.Version(full(d), d.Version), err
}

type editInput struct {
	Named
	web.Matched
	Body struct {
		Title        *string   `json:"title,omitempty"`
		Type         *string   `json:"type,omitempty"`
		Organization *string   `json:"organization,omitempty"`
		Action       *string   `json:"action,omitempty"`
		DueOn        *string   `json:"due_on,omitempty"`
		Language     *string   `json:"language,omitempty"`
		Keywords     *[]string `json:"keywords,omitempty"`
		Summary      *string   `json:"summary,omitempty"`
		Visibility   *string   `json:"visibility,omitempty"`
	}
}

func (h *api) edit(ctx context.Context, in *editInput) (*web.Versioned[Full], error) {
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	who := access.From(ctx)
	d, err := h.documents.Show(ctx, who, in.Name)
	if err != nil {
		return nil, err
	}
	draft, b := d.Draft(), in.Body
	set(&draft.Title, b.Title)
	set(&draft.Type, b.Type)
	set(&draft.Organization, b.Organization)
	set(&draft.Action, b.Action)
	set(&draft.Due, b.DueOn)
	set(&draft.Language, b.Language)
	set(&draft.Keywords, b.Keywords)
	set(&draft.Summary, b.Summary)
	set(&draft.Visibility, b.Visibility)
	d, err = h.documents.Edit(ctx, who, in.Name, draft, version)
	return web.Version(full(d), d.Version), err
}

// set is what the body says in place of what was.
func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

func (h *api) versions(ctx context.Context, in *Named) (*web.Listed[document.Version], error) {
	d, err := h.documents.Show(ctx, access.From(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	list, err := h.documents.Versions(ctx, d)
	return web.Page(list, ""), err
}

type reasonInput struct {
	Named
	Body struct {
		Reason string `json:"reason"`
	}
}

type supersedeInput struct {
	Named
	Body struct {
		ReplacedBy string `json:"replaced_by" doc:"Reference or id of the document that took its place."`
	}
}

func (h *api) supersede(ctx context.Context, in *supersedeInput) (*web.Versioned[Full], error) {
	d, err := h.documents.Supersede(ctx, access.From(ctx), in.Name, in.Body.ReplacedBy)
	return web.Version(full(d), d.Version), err
}

func (h *api) settings(ctx context.Context, in *Slugged) (*web.Versioned[document.Register], error) {
	home, err := h.documents.Settings(ctx, access.From(ctx), in.Slug)
	return web.Version(home.Register, home.Register.Version), err
}

type setInput struct {
	Slugged
	web.Matched
	Body struct {
		Review     *bool   `json:"review,omitempty"`
		NamesShown *bool   `json:"names_shown,omitempty"`
		Visibility *string `json:"visibility,omitempty" enum:"public,portal,commission,officers,organization,named"`
		Deadline   *string `json:"deadline,omitempty" doc:"The last day, YYYY-MM-DD, in the convention's time zone, or empty for none."`
		Quota      *int64  `json:"quota,omitempty" doc:"Bytes; by the secretariat."`
	}
}

func (h *api) set(ctx context.Context, in *setInput) (*web.Versioned[document.Register], error) {
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body
	home, err := h.documents.Set(ctx, access.From(ctx), in.Slug, document.Settings{Review: b.Review, NamesShown: b.NamesShown, Visibility: b.Visibility, Deadline: b.Deadline, Quota: b.Quota, Version: version})
	return web.Version(home.Register, home.Register.Version), err
}

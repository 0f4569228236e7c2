package documentweb

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
)

func (h *pages) mountUploads() {
	submit, send := web.InCommission("document", "submit"), web.InPortal("upload", "send")
	h.Page("GET", "/commissions/:slug/documents/new", "document.submit.form", submit, h.getNew)
	h.Stream("POST", "/commissions/:slug/documents", "document.submit", submit, h.postNew)
	h.Page("GET", "/commissions/:slug/documents/several", "document.submit.several.form", submit, h.getSeveral)
	h.Stream("POST", "/commissions/:slug/documents/several", "document.submit.several", submit, h.postSeveral)
	h.Page("GET", "/documents/:name/versions/new", "version.add.form", web.InCommission("document", "revise"), h.getRevise)
	h.Stream("POST", "/documents/:name/versions", "version.add", web.InCommission("document", "revise"), h.postRevise)
	h.Page("GET", "/documents/:name/versions/:version/content", "version.download", web.InCommission("file", "read:public"), h.getContent)
	h.Page("GET", "/api/v1/documents/:name/versions/:version/content", "version.download.api", web.InCommission("file", "read:public"), h.getContent)

	// tus 1.0 (creation, termination), and a raw body at once.
	h.Page("OPTIONS", "/api/v1/uploads", "upload.options", web.Open, h.tus(h.optionsUpload))
	h.Stream("POST", "/api/v1/uploads", "upload.begin", send, h.tus(h.postUpload))
	h.Page("GET", "/api/v1/uploads/:id", "upload.show", send, h.tus(h.getUpload)) // HEAD comes with it
	h.Stream("PATCH", "/api/v1/uploads/:id", "upload.append", send, h.tus(h.patchUpload))
	h.Page("DELETE", "/api/v1/uploads/:id", "upload.discard", send, h.tus(h.deleteUpload))
	h.describeUploads()
}

// mostFields bounds what a form that streams has beside its file.
const mostFields = 256 << 10

// streamed is a form with files, read as it arrives.
type streamed struct {
	values map[string][]string
	files  []received
}

// received is a file of a form: in the store, or refused.
type received struct {
	name   string
	upload document.Upload // zero if it was refused
	refuse error
}

func (f streamed) get(name string) string {
	if v := f.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// refuse is why the file of a form for one was refused.
func (f streamed) refuse() error {
	if len(f.files) > 0 {
		return f.files[0].refuse
	}
	return nil
}

// fileID is the upload that a form for one file names: the one that came with it,
// or one that was there before, since it was sent by a script or kept when the
// form was refused.
func (f streamed) fileID() uuid.UUID {
	if len(f.files) > 0 {
		return f.files[0].upload.ID
	}
	return uploadOf(f.get("upload"))
}

// content tells the files of a form from those of another: by what is in them, so
// that a form sent twice is the same, though its files are uploads of their own.
func (f streamed) content() string {
	var all strings.Builder
	for _, id := range f.values["upload"] {
		all.WriteString(id + "\n")
	}
	for _, r := range f.files {
		if r.upload.Digest != nil {
			all.WriteString(r.upload.Digest.String() + "\n")
		}
	}
	return all.String()
}

// readForm reads a multipart form. Its files go to the store as they come, at most
// so many; the right to send them is asked before.
func (h *pages) readForm(c *fiber.Ctx, most int) (streamed, error) {
	f := streamed{values: map[string][]string{}}
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return f, problem.New(problem.Invalid, "The form could not be read.")
	}
	parts, left := multipart.NewReader(h.Incoming(c), params["boundary"]), mostFields
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			c.Context().SetConnectionClose()
			return f, problem.New(problem.Invalid, "The form could not be read to its end.")
		}
		name := fileName(p)
		if name == "" && p.FormName() == "file" {
			continue // none was chosen
		}
		if p.FormName() == "file" {
			if len(f.files) == most {
				c.Context().SetConnectionClose()
				return f, problem.New(problem.TooLarge, "Choose at most %d files.", most)
			}
			r := received{name: document.CleanName(name)}
			r.upload, r.refuse = h.documents.Receive(c.UserContext(), web.Actor(c), name, p)
			if problem.Of(r.refuse, problem.Invalid) {
				r.upload = document.Upload{}
			} else if r.refuse != nil {
				c.Context().SetConnectionClose() // what is left of it is not read
				if web.BrokeOff(r.refuse) {
					return f, problem.New(problem.Invalid, "The form could not be read to its end.")
				}
				return f, r.refuse
			}
			f.files = append(f.files, r)
			continue
		}
		text, err := io.ReadAll(io.LimitReader(p, int64(left)+1))
		if left -= len(text); err != nil || left < 0 || len(f.values) > 100 || len(f.values[p.FormName()]) > 100 {
			c.Context().SetConnectionClose()
			return f, problem.New(problem.TooLarge, "The form has too much in it.")
		}
		f.values[p.FormName()] = append(f.values[p.FormName()], string(text))
	}
}

// fileName is the name that the browser gave, in whatever script.
func fileName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}

func (f streamed) draft() (draftForm, error) {
	d := draftForm{Title: f.get("title"), Type: f.get("type"), Organization: f.get("organization"), Action: f.get("action"), Due: f.get("due_on"),
		Language: f.get("language"), Keywords: f.get("keywords"), Summary: f.get("summary"), Visibility: f.get("visibility")}
	return d, web.Clean(&d)
}

func (h *pages) getNew(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	home, err := h.documents.Home(ctx, who, c.Params("slug"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, home.Scope(), "document", "submit")
	}
	if err == nil {
		err = home.Takes()
	}
	if err != nil {
		return err
	}
	return h.write(c, 200, views.Write{Home: home, Fresh: true, Draft: document.Draft{Type: "contribution", Language: "en"}}, nil)
}

func (h *pages) postNew(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	home, err := h.documents.Home(ctx, who, c.Params("slug"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, home.Scope(), "document", "submit")
	}
	if err != nil {
		return err
	}
	f, err := h.readForm(c, 1)
	if err != nil {
		return err
	}
	in, err := f.draft()
	if err != nil {
		return err
	}
	return h.OnceIn(c, f.get("_key"), in.Title+"\n"+f.content(), func() error {
		var d document.Document
		err := f.refuse()
		if err == nil {
			d, err = h.documents.Submit(ctx, who, home.Slug, in.draft(), f.fileID(), f.get("keep") == "")
		}
		if status := refusal(err); status != 0 {
			p := views.Write{Home: home, Draft: in.draft()}
			if p.Kept, err = h.kept(c, f, err); err != nil && problem.As(err) == nil {
				return err
			}
			return h.write(c, status, p, err)
		}
		if err != nil {
			return err
		}
		said := i18n.T(ctx, "Submitted. The officers decide on it.")
		switch {
		case d.Number != nil:
			said = i18n.T(ctx, "It is %s now.", d.Reference())
		case !d.Waiting():
			said = i18n.T(ctx, "Kept as a draft, which you alone and the representatives of its source see.")
		}
		return h.SeeOther(c, d.Path(), said)
	})
}

// kept is the file of a form that is shown again, so that it need not be sent
// again; refused is passed through.
func (h *pages) kept(c *fiber.Ctx, f streamed, refused error) (*document.Upload, error) {
	if f.refuse() != nil || f.fileID() == uuid.Nil {
		return nil, refused
	}
	u, _, err := h.documents.Upload(c.UserContext(), web.Actor(c), f.fileID())
	if problem.Of(err, problem.NotFound) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	return &u, refused
}

func (h *pages) getRevise(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Show(ctx, who, c.Params("name"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, d.Scope(), "document", "revise")
	}
	if err == nil {
		err = d.Revisable()
	}
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.RevisePage(views.Revise{Document: d, Language: d.Language, Form: views.Form{Key: key()}}))
}

func (h *pages) postRevise(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	d, err := h.documents.Show(ctx, who, c.Params("name"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, d.Scope(), "document", "revise")
	}
	if err != nil {
		return err
	}
	f, err := h.readForm(c, 1)
	if err != nil {
		return err
	}
	in := document.Revision{Language: f.get("language"), Note: f.get("note")}
	if err := web.Clean(&in); err != nil {
		return err
	}
	return h.OnceIn(c, f.get("_key"), in.Note+"\n"+f.content(), func() error {
		err := f.refuse()
		if err == nil {
			_, err = h.documents.Revise(ctx, who, d.Name(), in, f.fileID())
		}
		if status := refusal(err); status != 0 {
			p := views.Revise{Document: d, Language: in.Language, Note: in.Note, Form: views.Form{Key: key()}}
			if p.Kept, err = h.kept(c, f, err); problem.As(err) == nil {
				return err
			}
			refused := problem.As(err)
			if p.Errors = i18n.FieldProblems(ctx, refused); refused.Format != "" {
				p.Error = i18n.Problem(ctx, refused)
			}
			return h.Render(c, status, views.RevisePage(p))
		}
		if err != nil {
			return err
		}
		return h.SeeOther(c, d.Path(), i18n.T(ctx, "Added."))
	})
}

// tus answers in the way of tus 1.0, whose clients look at a few headers.
func (h *pages) tus(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set("Tus-Resumable", "1.0.0")
		c.Set(fiber.HeaderCacheControl, "no-store")
		if v := c.Get("Tus-Resumable"); v != "" && v != "1.0.0" {
			access.Public(c.UserContext())
			c.Set("Tus-Version", "1.0.0")
			return problem.New(problem.Stale, "Only tus 1.0.0 is spoken here.")
		}
		return next(c)
	}
}

func (h *pages) optionsUpload(c *fiber.Ctx) error {
	c.Set("Tus-Version", "1.0.0")
	c.Set("Tus-Extension", "creation,termination")
	c.Set("Tus-Max-Size", strconv.FormatInt(h.documents.MaxFile(), 10))
	return c.SendStatus(fiber.StatusNoContent)
}

// postUpload begins an upload by tus (Upload-Length), or takes a whole file as the
// body, named by the query.
func (h *pages) postUpload(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	if length := c.Get("Upload-Length"); length != "" {
		size, err := strconv.ParseInt(length, 10, 64)
		if err != nil {
			return problem.Field("Upload-Length", "Give the number of bytes.")
		}
		u, err := h.documents.BeginUpload(ctx, who, metadata(c.Get("Upload-Metadata"), "filename"), size)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderLocation, u.Path())
		c.Set("Upload-Offset", "0")
		return c.Status(fiber.StatusCreated).JSON(u)
	}
	u, err := h.documents.Receive(ctx, who, c.Query("name"), h.Incoming(c))
	if err != nil {
		return h.brokenOff(c, err)
	}
	c.Set(fiber.HeaderLocation, u.Path())
	return c.Status(fiber.StatusCreated).JSON(u)
}

// metadata is a value of Upload-Metadata: names with values in base64.
func metadata(header, name string) string {
	for pair := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if text, err := base64.StdEncoding.DecodeString(value); key == name && err == nil {
			return string(text)
		}
	}
	return ""
}

// uploadID is the key in the path; what is none is not there.
func uploadID(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		access.Public(c.UserContext())
		return id, access.ErrNotFound
	}
	return id, nil
}

func (h *pages) getUpload(c *fiber.Ctx) error {
	id, err := uploadID(c)
	if err != nil {
		return err
	}
	u, at, err := h.documents.Upload(c.UserContext(), web.Actor(c), id)
	if err != nil {
		return err
	}
	c.Set("Upload-Offset", strconv.FormatInt(at, 10))
	c.Set("Upload-Length", strconv.FormatInt(u.Size, 10))
	return c.JSON(u)
}

func (h *pages) patchUpload(c *fiber.Ctx) error {
	id, err := uploadID(c)
	if err != nil {
		return err
	}
	offset, err := strconv.ParseInt(c.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 || c.Get(fiber.HeaderContentType) != "application/offset+octet-stream" {
		if _, _, err := h.documents.Upload(c.UserContext(), web.Actor(c), id); err != nil {
			return err
		}
		return problem.New(problem.Invalid, "Send bytes as application/offset+octet-stream, and Upload-Offset with the place where they go.")
	}
	_, at, err := h.documents.Append(c.UserContext(), web.Actor(c), id, offset, h.Resumable(c))
	if err != nil {
		return h.brokenOff(c, err)
	}
	c.Set("Upload-Offset", strconv.FormatInt(at, 10))
	return c.SendStatus(fiber.StatusNoContent)
}

// brokenOff answers a body that did not come to its end, to nobody perhaps: no
// fault of ours.
func (h *pages) brokenOff(c *fiber.Ctx, err error) error {
	if problem.As(err) != nil {
		if problem.Of(err, problem.TooLarge) || problem.Of(err, problem.Full) || problem.Of(err, problem.Unavailable) {
			c.Context().SetConnectionClose() // what is left of the body is not read
		}
		return err
	}
	if web.BrokeOff(err) {
		c.Context().SetConnectionClose()
		if h.Stopping() {
			return problem.New(problem.Unavailable, "The portal is about to stop. Go on in a moment where it stopped.")
		}
		return problem.New(problem.Invalid, "The connection broke off. Go on where it stopped.")
	}
	return err
}

func (h *pages) deleteUpload(c *fiber.Ctx) error {
	id, err := uploadID(c)
	if err != nil {
		return err
	}
	if err := h.documents.Discard(c.UserContext(), web.Actor(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// describeUploads writes into the description of the API what huma does not serve.
func (h *pages) describeUploads() {
	const uploads = "Uploads"
	text := func(in, name, description string, required bool) *huma.Param {
		return &huma.Param{Name: name, In: in, Required: required, Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	id := text("path", "id", "Of the upload.", true)
	for _, d := range []struct {
		op            *huma.Operation
		status, means string
	}{
		{&huma.Operation{Method: http.MethodPost, Path: "/api/v1/uploads", OperationID: "upload.begin", Summary: "Send a whole file as the body, or begin an upload by tus 1.0", Tags: []string{uploads},
			Description: "With Upload-Length it begins a resumable upload (tus 1.0, creation); otherwise the body is the file. The id of the upload is what a document or a version is made of.",
			Parameters: []*huma.Param{text("query", "name", "Name of the file that the body is.", false), text("header", "Upload-Length", "Bytes, to begin an upload by tus.", false),
				text("header", "Upload-Metadata", "filename, in base64.", false), text("header", "Idempotency-Key", "Any text of yours that names this request.", false)}}, "201", "The upload."},
		{&huma.Operation{Method: http.MethodGet, Path: "/api/v1/uploads/{id}", OperationID: "upload.show", Summary: "Read an upload; how far it has come is in Upload-Offset", Tags: []string{uploads}, Parameters: []*huma.Param{id}}, "200", "In the headers."},
		{&huma.Operation{Method: http.MethodPatch, Path: "/api/v1/uploads/{id}", OperationID: "upload.append", Summary: "Send the next bytes of an upload", Tags: []string{uploads},
			Parameters: []*huma.Param{id, text("header", "Upload-Offset", "Where the bytes go.", true)}}, "204", "They are kept."},
		{&huma.Operation{Method: http.MethodDelete, Path: "/api/v1/uploads/{id}", OperationID: "upload.discard", Summary: "Discard an upload that no document has taken", Tags: []string{uploads}, Parameters: []*huma.Param{id}}, "204", "It is gone."},
		{&huma.Operation{Method: http.MethodGet, Path: "/api/v1/documents/{name}/versions/{version}/content", OperationID: "version.download.api", Summary: "Download a file", Tags: []string{tag},
			Parameters: []*huma.Param{text("path", "name", "Its reference, ENERGY-N0012, or its id.", true), text("path", "version", "Its number.", true), text("query", "language", "The source language if absent.", false)}}, "200", "The file, by Range if asked."},
	} {
		h.Describe(d.op, d.status, d.means)
	}
}

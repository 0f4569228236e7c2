package documentweb

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/document"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/document"
)

func (h *pages) getSeveral(c *fiber.Ctx) error {
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
	return h.several(c, 200, views.Several{Write: views.Write{Home: home, Fresh: true, Draft: document.Draft{Type: "contribution", Language: "en"}}}, nil)
}

// several is the form for several documents.
func (h *pages) several(c *fiber.Ctx, status int, p views.Several, err error) error {
	if err := h.fill(c, &p.Write, err); err != nil {
		return err
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		if r.TitleError = p.Errors[fmt.Sprintf("title.%d", i)]; r.Error == "" {
			r.Error = p.Errors[fmt.Sprintf("file.%d", i)]
		}
	}
	return h.Render(c, status, views.SeveralPage(p))
}

func (h *pages) postSeveral(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), web.Actor(c)
	home, err := h.documents.Home(ctx, who, c.Params("slug"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, home.Scope(), "document", "submit")
	}
	if err != nil {
		return err
	}
	f, err := h.readForm(c, document.MostSeveral)
	if err != nil {
		return err
	}
	in, err := f.draft()
	if err != nil {
		return err
	}
	// Those that were there before, each with its title, then those that came now.
	titles := f.values["title"]
	if err := web.Clean(&titles); err != nil {
		return err
	}
	var pieces []document.Piece
	var refused []views.SeveralRow
	for i, id := range f.values["upload"] {
		p := document.Piece{Upload: uploadOf(id)}
		if i < len(titles) {
			p.Title = titles[i]
		}
		pieces = append(pieces, p)
	}
	for _, r := range f.files {
		if r.refuse == nil {
			pieces = append(pieces, document.Piece{Title: document.TitleOf(r.upload.FileName), Upload: r.upload.ID})
			continue
		}
		refused = append(refused, views.SeveralRow{Name: r.name, Error: i18n.FieldProblems(ctx, problem.As(r.refuse))["file"]})
	}
	return h.OnceIn(c, f.get("_key"), strings.Join(titles, "\n")+"\n"+f.content(), func() error {
		var made []document.Document
		var err error
		if len(refused) > 0 { // none is submitted before all are good
			err = &problem.Error{Kind: problem.Invalid}
		} else {
			made, err = h.documents.SubmitSeveral(ctx, who, home.Slug, in.draft(), pieces, f.get("keep") == "")
		}
		if status := refusal(err); status != 0 {
			p := views.Several{Write: views.Write{Home: home, Draft: in.draft()}}
			var e error
			if p.Rows, e = h.severalRows(c, pieces); e != nil {
				return e
			}
			p.Refused = refused
			return h.several(c, status, p, err)
		}
		if err != nil {
			return err
		}
		return h.SeeOther(c, home.Path()+"/documents", views.SeveralDone(ctx, made))
	})
}

// severalRows are the rows of a form that is shown again.
func (h *pages) severalRows(c *fiber.Ctx, pieces []document.Piece) ([]views.SeveralRow, error) {
	ids := make([]uuid.UUID, len(pieces))
	for i, p := range pieces {
		ids[i] = p.Upload
	}
	found, err := h.documents.Uploads(c.UserContext(), web.Actor(c), ids)
	if err != nil {
		return nil, err
	}
	rows := make([]views.SeveralRow, len(pieces))
	for i, p := range pieces {
		u := found[p.Upload]
		rows[i] = views.SeveralRow{Upload: p.Upload, Name: u.FileName, Size: u.Size, Title: p.Title}
	}
	return rows, nil
}

package accountweb

import (
	"io"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/web"
	views "commissionportal/views/account"
)

// recent reports whether who asks has signed in a moment ago, in a browser.
func recent(c *fiber.Ctx) bool {
	who := web.Actor(c)
	return who.Session != nil && who.Recent(journal.Now(c.UserContext()))
}

func (h *pages) getData(c *fiber.Ctx) error {
	if err := h.may(c, "read"); err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.DataPage(recent(c), h.tabs(c, "/data")))
}

// postData is asked of who signed in long ago: it asks to do it again, and then the
// page has the link. A link, as a file leaves the page with its form as it was.
func (h *pages) postData(c *fiber.Ctx) error {
	if err := h.may(c, "read"); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/data", i18n.T(c.UserContext(), "You can save it now."))
}

func (h *pages) getExport(c *fiber.Ctx) error {
	if err := h.may(c, "read"); err != nil {
		return err
	}
	if !recent(c) {
		return h.SeeOther(c, "/profile/data", "")
	}
	return h.download(c)
}

func (h *pages) download(c *fiber.Ctx) error {
	ctx := c.UserContext()
	return h.Download(c, "my-data.zip", func(w io.Writer) error { return h.accounts.Export(ctx, web.Actor(c), w) })
}

package web

import (
	"errors"
	"io"
	"mime"
	"os"
	"path"

	"github.com/gofiber/fiber/v2"
)

var fileTypes = map[string]string{
	".csv":  "text/csv; charset=utf-8",
	".zip":  "application/zip",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// Download answers with a file that write makes. It goes through a temporary
// file: memory stays small whatever its length, a slow reader does not hold a
// connection to the database, and an error on the way still shows as one.
func (s *Server) Download(c *fiber.Ctx, name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp("", "portal-*")
	if err != nil {
		return err
	}
	sent := false
	defer func() {
		if !sent {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := os.Remove(f.Name()); err != nil { // it lives as long as it is open
		return err
	}
	if err := write(f); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fileTypes[path.Ext(name)])
	c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	sent = true // closed when it is sent
	return c.SendStream(f, int(size))
}

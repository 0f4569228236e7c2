package apptest

import (
	"bytes"
	"mime/multipart"
	"strings"
)

// PostFile sends a form with a file in field, and name, value pairs.
func (c *Client) PostFile(path, field, name string, content []byte, pairs ...string) Reply {
	c.p.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := form.WriteField(pairs[i], pairs[i+1]); err != nil {
			c.p.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		c.p.t.Fatal(err)
	}
	return c.do("POST", path, &body, "Content-Type", form.FormDataContentType(), "Sec-Fetch-Site", "same-origin")
}

// FilesDir is the folder of the portal's files.
func (p *Portal) FilesDir() string { return strings.TrimPrefix(p.Config.Files, "file://") }

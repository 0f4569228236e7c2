package web

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Pages rendered at the same time are answers of their own: none is sent with a
// part of another, although they share buffers.
func TestRenderAtOnce(t *testing.T) {
	t.Parallel()
	base, err := url.Parse("http://portal.example.org")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{Base: base, Log: slog.New(slog.DiscardHandler)})
	s.Page("GET", "/page/:word", "test.page", Open, func(c *fiber.Ctx) error {
		text := strings.Repeat(c.Params("word"), 20_000)
		return s.Render(c, 200, templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}))
	})
	var wg sync.WaitGroup
	for _, word := range []string{"alpha", "bravo", "gamma", "delta"} {
		wg.Go(func() {
			for range 50 {
				r := httptest.NewRequest("GET", "/page/"+word, nil)
				res, err := s.App.Test(r, -1)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				_ = res.Body.Close() // of memory
				if err != nil || string(body) != strings.Repeat(word, 20_000) {
					t.Errorf("%s: status %d, %d bytes, %v: not the page that was asked for", word, res.StatusCode, len(body), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A streamed body is not read before it is sent, whatever the client takes: what
// has no end, or no room in memory, is sent as it comes.
func TestStreamIsNotReadAhead(t *testing.T) {
	t.Parallel()
	base, err := url.Parse("http://portal.example.org")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{Base: base, Log: slog.New(slog.DiscardHandler)})
	s.Page("GET", "/file", "test.file", Open, func(c *fiber.Ctx) error {
		c.Context().SetBodyStream(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20)
		return nil
	})
	var c fasthttp.RequestCtx
	c.Request.Header.SetMethod("GET")
	c.Request.SetRequestURI("/file")
	c.Request.Header.Set("Accept-Encoding", "br, gzip")
	s.App.Handler()(&c)
	if status, packed := c.Response.StatusCode(), c.Response.Header.ContentEncoding(); status != 200 || !c.Response.IsBodyStream() || len(packed) > 0 {
		t.Errorf("status %d, still a stream: %v, packed as %q", status, c.Response.IsBodyStream(), packed)
	}
}

// A key with brackets names nothing, and does not make the decoder of a list panic.
func TestDecodeBrackets(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/", func(c *fiber.Ctx) error {
		in, err := Decode[struct {
			List []string `form:"list"`
		}](c)
		if err != nil {
			return err
		}
		return c.SendString(strings.Join(in.List, ","))
	})
	for _, key := range []string{"a[a[", strings.Repeat("a[", 500), "list[", "list]"} {
		res, err := app.Test(httptest.NewRequest("GET", "/?list=x&list=y&"+url.QueryEscape(key), nil), -1)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close() // of memory
		if err != nil || res.StatusCode != 200 || string(body) != "x,y" {
			t.Errorf("%.20s: status %d %q, %v", key, res.StatusCode, body, err)
		}
	}
}

package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

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

// TestSlowRequestsEnd: who sends the head of a request, or a form, byte by byte is let
// go when the time for a request is over, and not when the last byte comes.
func TestSlowRequestsEnd(t *testing.T) {
	t.Parallel()
	s := New(Config{Base: &url.URL{Scheme: "http", Host: "portal.example.org"}, Log: slog.New(slog.DiscardHandler)})
	s.Page("POST", "/form", "test.form", Open, func(c *fiber.Ctx) error { return c.SendString("done") })
	server := s.App.Server()
	if least, most := time.Second, time.Minute; server.ReadTimeout < least || server.ReadTimeout > most || server.IdleTimeout < least || server.IdleTimeout > 2*most || server.WriteTimeout < least || server.WriteTimeout > most {
		t.Errorf("a request has %v, its answer %v, and what is between them %v", server.ReadTimeout, server.WriteTimeout, server.IdleTimeout)
	}
	server.ReadTimeout = 200 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.App.Shutdown() })
	for name, begun := range map[string]string{"its head": "POST /form HTTP/1.1\r\nHost: x\r\nX: ", "a form": "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\na="} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = io.WriteString(c, begun)
		for err == nil && time.Since(began) < 5*time.Second {
			time.Sleep(20 * time.Millisecond)
			_, err = io.WriteString(c, "x")
		}
		_ = c.Close()
		if err == nil {
			t.Errorf("%s may come byte by byte for as long as it likes", name)
		}
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

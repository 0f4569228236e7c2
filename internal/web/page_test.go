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

package web

import (
	"io"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/gofiber/fiber/v2"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	// The test's connection comes from 0.0.0.0.
	behind := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, tt := range []struct {
		proxies         []netip.Prefix
		forwarded, want string
	}{
		{nil, "203.0.113.9", "0.0.0.0"}, // nobody is believed
		{behind, "", "0.0.0.0"},
		{behind, "203.0.113.9", "203.0.113.9"},
		{behind, "198.51.100.1, 203.0.113.9", "203.0.113.9"}, // what the client wrote itself stands first
		{behind, "203.0.113.9, 10.1.2.3", "203.0.113.9"},
		{behind, "nonsense, 10.1.2.3", "10.1.2.3"},
		{behind, "2001:db8::1", "2001:db8::1"},
		{behind, "::ffff:203.0.113.9", "203.0.113.9"},
	} {
		s := &Server{Config: Config{Proxies: tt.proxies}}
		app := fiber.New()
		app.Get("/", func(c *fiber.Ctx) error { return c.SendString(s.Address(c).String()) })
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		res, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if string(got) != tt.want {
			t.Errorf("%q: %s, want %s", tt.forwarded, got, tt.want)
		}
	}
}

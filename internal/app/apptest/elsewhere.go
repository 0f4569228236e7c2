package apptest

import (
	"context"
	"net/http"
	"strings"
)

// Elsewhere asks with c's session as somebody does who is not in the portal's own
// pages: by the host that header names, or from the site it says. Nothing is added.
func (c *Client) Elsewhere(method, path, body string, header ...string) Reply {
	c.p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, c.p.URL+path, strings.NewReader(body))
	if err != nil {
		c.p.t.Fatal(err)
	}
	for _, k := range c.http.Jar.Cookies(r.URL) { // the jar has nothing for another host
		r.AddCookie(k)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" { // net/http takes it from here alone
		r.Host = host
	}
	return c.reply(r, plain.RoundTrip)
}

package web

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

func levelOf(status int) slog.Level {
	switch {
	case status >= 500:
		return slog.LevelError
	case status >= 400:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// logAttrs say what was asked and answered, and who asked, by their key: the route's
// pattern and never the address itself, which may carry a mailed secret.
func logAttrs(c *fiber.Ctx, started time.Time) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("method", c.Method()), slog.String("route", c.Route().Path),
		slog.Int("status", c.Response().StatusCode()), slog.Duration("took", time.Since(started)),
	}
	if who := Actor(c); who.SignedIn() {
		attrs = append(attrs, slog.String("person", who.ID.String()))
	}
	return attrs
}

// wires logs what the HTTP server says of connections that are no requests yet, or
// not HTTP: without what was sent or from where.
type wires struct{ *slog.Logger }

// Printf implements fasthttp.Logger.
func (w wires) Printf(format string, _ ...any) {
	level := slog.LevelDebug // anybody can send what is not HTTP
	if strings.HasPrefix(format, "The incoming connection") || strings.HasPrefix(format, "Permanent error") {
		level = slog.LevelError
	}
	w.Log(context.Background(), level, "connection", "what", format)
}

package web

import (
	"log/slog"
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

// logAttrs say what was asked and answered: the route's pattern and never the
// address itself, which may carry a mailed secret.
func logAttrs(c *fiber.Ctx, id string, started time.Time) []slog.Attr {
	return []slog.Attr{
		slog.String("request", id), slog.String("method", c.Method()), slog.String("route", c.Route().Path),
		slog.Int("status", c.Response().StatusCode()), slog.Duration("took", time.Since(started)),
	}
}

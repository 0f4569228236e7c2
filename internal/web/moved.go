package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/problem"
)

// Moves says where things are found that were renamed, or merged into others: after
// that segment of an address comes a slug, and now tells which one it is now, "" if
// it was never another. Whatever lies below moved with it.
func (s *Server) Moves(segment string, now func(ctx context.Context, slug string) (string, error)) {
	s.moves[segment] = now
}

// moved is the present address of what was asked for in vain, "" if it has none.
// It is looked for only now, so that no room has to think of it.
func (s *Server) moved(c *fiber.Ctx, err error) (string, error) {
	if err == nil && c.Response().StatusCode() != http.StatusNotFound || err != nil && !problem.Of(err, problem.NotFound) {
		return "", nil
	}
	path, query, asks := strings.Cut(c.OriginalURL(), "?")
	segments, found := strings.Split(path, "/"), false
	for i := range len(segments) - 1 {
		now := s.moves[segments[i]]
		if now == nil {
			continue
		}
		slug, err := now(c.UserContext(), segments[i+1])
		if err != nil {
			return "", err
		}
		if slug != "" {
			segments[i+1], found = slug, true
		}
	}
	if !found {
		return "", nil
	}
	if path = strings.Join(segments, "/"); asks {
		path += "?" + query
	}
	return Local(path, ""), nil // what was asked for may name another host
}

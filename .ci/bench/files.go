package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// twinFiles are the limits of downloads and uploads: one streams a file, the other
// streams, hashes and syncs what comes, and both do nothing else.
func twinFiles(app *fiber.App, dir string) {
	app.Get("/file/:name", func(c *fiber.Ctx) error {
		f, err := os.Open(filepath.Join(dir, filepath.Base(c.Params("name")))) //nolint:gosec // one of ours
		if err != nil {
			return err
		}
		about, err := f.Stat()
		if err != nil {
			return errors.Join(err, f.Close())
		}
		return c.SendStream(f, int(about.Size()))
	})
	app.Post("/file", func(c *fiber.Ctx) error {
		f, err := os.CreateTemp(dir, "twin-")
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(f.Name()) }()
		hash := sha256.New()
		_, err = io.Copy(io.MultiWriter(f, hash), c.Context().RequestBodyStream())
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		return c.Status(http.StatusCreated).SendString(fmt.Sprintf("%x", hash.Sum(nil)))
	})
}

const mib = 1 << 20

// sizes are those of the files that are measured, with how many are sent in a turn.
var sizes = []struct {
	name  string
	bytes int64
	times int
	lines int // at once
}{{"1 MiB", mib, 48, 4}, {"1 GiB", 1 << 30, 1, 1}}

var seeds atomic.Uint64

// noise is bytes that no store has seen.
func noise(size int64) io.Reader {
	var seed [32]byte

	binary.LittleEndian.PutUint64(seed[:], seeds.Add(1))
	binary.LittleEndian.PutUint64(seed[8:], uint64(time.Now().UnixNano())) //nolint:gosec // any bits do
	return io.LimitReader(mathrand.NewChaCha8(seed), size)
}

// inTurns has the portal and its limit do the same, and notes how fast they did.
func (s *stage) inTurns(what string, size int64, times, lines int, do map[string]func() error, tidy func() error) error {
	rates := map[string][]float64{}
	if err := s.forget(); err != nil {
		return err
	}
	for range s.o.rounds {
		for _, who := range []string{"portal", "limit"} {
			_, all, err := each(lines, times, func(int) error { return do[who]() })
			if err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
			rates[who] = append(rates[who], float64(size)*float64(times)/1e6/all.Seconds())
			if err := tidy(); err != nil {
				return err
			}
		}
	}
	var ratios []float64
	for i := range rates["portal"] {
		ratios = append(ratios, rates["portal"][i]/rates["limit"][i])
	}
	_, most, err := s.resident()
	s.note(finding{what: what, found: fmt.Sprintf("%.0f MB a second", medianOf(rates["portal"])), limit: fmt.Sprintf("%.0f MB a second", medianOf(rates["limit"])),
		ratio: spread(ratios), memory: mb(most)})
	return err
}

func uploads(ctx context.Context, s *stage) error {
	member := s.cookie("member")
	send := func(address, cookie string, size int64) (string, error) {
		r, text, err := s.ask(ctx, http.MethodPost, address, cookie, noise(size))
		if err == nil && r.StatusCode != http.StatusCreated {
			err = fmt.Errorf("%d %s", r.StatusCode, text)
		}
		if err != nil {
			return "", err
		}
		return r.Header.Get("Location"), nil
	}
	var mu sync.Mutex
	var sent []string
	for _, z := range sizes {
		err := s.inTurns("upload of "+z.name+", "+strconv.Itoa(z.lines)+" at once", z.bytes, z.times, z.lines, map[string]func() error{
			"portal": func() error {
				at, err := send(s.portal+"/api/v1/uploads?name=noise.bin", member, z.bytes)
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, at)
				return err
			},
			"limit": func() error { _, err := send(s.twin+"/file", "", z.bytes); return err },
		}, func() error { // a person may keep so many
			for _, at := range sent {
				if r, text, err := s.ask(ctx, http.MethodDelete, s.portal+at, member, nil); err != nil || r.StatusCode != http.StatusNoContent {
					return fmt.Errorf("%s: %w %s", at, err, text)
				}
			}
			sent = nil
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func downloads(ctx context.Context, s *stage) error {
	chair := s.cookie("chair")
	commission := strings.TrimSuffix(s.path("register"), "/documents")
	for _, z := range sizes {
		r, text, err := s.ask(ctx, http.MethodPost, s.portal+"/api/v1/uploads?name=noise.bin", chair, noise(z.bytes))
		if err != nil || r.StatusCode != http.StatusCreated {
			return fmt.Errorf("%w %s", err, text)
		}
		upload := r.Header.Get("Location")
		var made struct{ ID string }
		if err := s.send(ctx, commission+"/documents", chair, map[string]string{"title": "Noise of " + z.name, "type": "report", "upload": upload[strings.LastIndexByte(upload, '/')+1:]}, &made); err != nil {
			return err
		}
		name := "file-" + strconv.FormatInt(z.bytes, 10)
		if err := write(filepath.Join(s.files, name), noise(z.bytes)); err != nil {
			return err
		}
		drain := func(address, cookie string) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err != nil {
				return err
			}
			req.Header.Set("Cookie", cookie)
			r, err := s.client.Do(req)
			if err != nil {
				return err
			}
			defer func() { _ = r.Body.Close() }()
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, make([]byte, 256<<10))
			if err == nil && (r.StatusCode != http.StatusOK || n != z.bytes) {
				err = fmt.Errorf("%s: %d, %d bytes", address, r.StatusCode, n)
			}
			return err
		}
		if err := s.inTurns("download of "+z.name+", "+strconv.Itoa(z.lines)+" at once", z.bytes, 4*z.times, z.lines, map[string]func() error{
			"portal": func() error { return drain(s.portal+"/documents/"+made.ID+"/versions/1/content", chair) },
			"limit":  func() error { return drain(s.twin+"/file/"+name, "") },
		}, func() error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, from io.Reader) error {
	f, err := os.Create(path) //nolint:gosec // one of ours
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/go-playground/form/v4"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/problem"
)

// Render answers with a page. It is rendered whole before anything is sent, so
// an error on the way shows as one.
func (s *Server) Render(c *fiber.Ctx, status int, page templ.Component) error {
	ctx := s.frame(c, status)
	c.Response().ResetBody()
	if err := page.Render(ctx, c.Response().BodyWriter()); err != nil {
		c.Response().ResetBody()
		return fmt.Errorf("render: %w", err)
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	c.Append(fiber.HeaderVary, "Cookie, Accept-Language, HX-Request")
	if status != fiber.StatusOK || Actor(c).SignedIn() || len(c.Response().Header.PeekCookie(s.CookieName(flashCookie))) > 0 {
		c.Set(fiber.HeaderCacheControl, "private, no-store")
	} else if c.GetRespHeader(fiber.HeaderCacheControl) == "" {
		c.Set(fiber.HeaderCacheControl, "public, no-cache")
		tag := `W/"` + hexHash(c.Response().Body()) + `"`
		c.Set(fiber.HeaderETag, tag)
		if c.Get(fiber.HeaderIfNoneMatch) == tag {
			c.Response().ResetBody()
			return c.SendStatus(fiber.StatusNotModified)
		}
	}
	c.Status(status)
	return nil
}

// Text answers with a public text that is asked for again and again, such as a
// feed: whoever has it is told so.
func (s *Server) Text(c *fiber.Ctx, kind, text string) error {
	tag := `W/"` + hexHash([]byte(text)) + `"`
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderCacheControl, "public, no-cache")
	c.Append(fiber.HeaderVary, "Accept-Language")
	c.Set(fiber.HeaderETag, tag)
	if c.Get(fiber.HeaderIfNoneMatch) == tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.SendString(text)
}

// SeeOther answers a form that succeeded: the browser goes to path and shows
// the flash there ("" for none), a sentence in the reader's language.
func (s *Server) SeeOther(c *fiber.Ctx, path, flash string) error {
	if flash != "" {
		said := s.Cookie(flashCookie, base64.RawURLEncoding.EncodeToString([]byte(flash)))
		said.MaxAge = 60
		c.Cookie(said)
	}
	return c.Redirect(path, fiber.StatusSeeOther)
}

// Local is next if it is a path of ours, else fallback: what a sign-in may lead
// on to.
func Local(next, fallback string) string {
	if strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//") && !strings.ContainsAny(next, "\\\r\n\t\x00") {
		return next
	}
	return fallback
}

var decoder = form.NewDecoder()

// Decode fills a T from the query, the form and the path's parameters, by its
// `form` tags; the path wins. Text is checked to be UTF-8 without control
// characters. T has strings for what a person types, so that it can be shown
// again as it was typed.
func Decode[T any](c *fiber.Ctx) (T, error) {
	var in T
	values := map[string][]string{}
	for k, v := range c.Context().QueryArgs().All() {
		values[string(k)] = append(values[string(k)], string(v))
	}
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		if strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
			f, err := c.MultipartForm()
			if err != nil {
				return in, problem.New(problem.Invalid, "The form could not be read.")
			}
			for k, v := range f.Value {
				values[k] = v
			}
		} else {
			posted := map[string][]string{}
			for k, v := range c.Context().PostArgs().All() {
				posted[string(k)] = append(posted[string(k)], string(v))
			}
			for k, v := range posted {
				values[k] = v
			}
		}
	}
	for k, v := range c.AllParams() {
		values[k] = []string{v}
	}
	// The decoder takes brackets for places in lists, which no field of ours has,
	// and panics on some.
	maps.DeleteFunc(values, func(k string, _ []string) bool { return strings.ContainsAny(k, "[]") })
	if err := decoder.Decode(&in, values); err != nil {
		var bad form.DecodeErrors
		if !errors.As(err, &bad) {
			return in, problem.New(problem.Invalid, "The form could not be read.")
		}
		p := &problem.Error{Kind: problem.Invalid}
		for field := range bad {
			p = p.And(field, "This is not what the field takes.")
		}
		return in, p
	}
	return in, clean(reflect.ValueOf(&in), "")
}

// Clean checks the texts of a struct that was filled otherwise than by Decode.
func Clean(in any) error { return clean(reflect.ValueOf(in), "") }

// clean refuses text that is not UTF-8 or has control characters in it, which
// no field takes and Postgres would not store. Line ends become \n.
func clean(v reflect.Value, name string) error {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return clean(v.Elem(), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if err := clean(v.Field(i), nameOf(f)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := clean(v.Index(i), name); err != nil {
				return err
			}
		}
	case reflect.String:
		text := v.String()
		if !utf8.ValidString(text) {
			return problem.Field(name, "This text is not UTF-8.")
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }) {
			return problem.Field(name, "This text has control characters in it.")
		}
		if strings.Contains(text, "\r") && v.CanSet() {
			v.SetString(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"))
		}
	}
	return nil
}

func nameOf(f reflect.StructField) string {
	for _, tag := range []string{"form", "json", "query", "path", "header"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && name != "-" {
			return name
		}
	}
	return strings.ToLower(f.Name)
}

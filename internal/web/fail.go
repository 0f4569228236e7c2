package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/i18n"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/views/layout"
)

var statusOf = map[problem.Kind]int{
	problem.Invalid: 422, problem.Conflict: 409, problem.NotFound: 404, problem.Forbidden: 403, problem.SignIn: 401,
	problem.TooLarge: 413, problem.TooMany: 429, problem.Unavailable: 503, problem.Stale: 412, problem.Unguarded: 428,
	problem.Full: 507, problem.SignInAgain: 403,
}

var titleOf = map[int]string{
	400: "This request is not right", 401: "Sign in first", 403: "This is not yours to do", 404: "There is no such page",
	405: "This cannot be done here", 409: "This cannot be done now", 412: "Somebody changed this meanwhile", 413: "This is too large",
	406: "There is no such form of it", 408: "It took too long", 415: "This kind of content is not taken here",
	422: "Something has to be corrected", 428: "Say which version you saw", 429: "Too many at once", 431: "The request's headers are too large",
	500: "Something went wrong on our side", 503: "The portal is not available for a moment",
	507: "There is no room left",
}

// fail turns an error into a page or, below /api, a problem of RFC 9457.
// An error that is no problem is a fault: logged once, with the request's id.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	p := s.problemOf(c.UserContext(), err)
	status := statusOf[p.Kind]
	if status == 0 {
		status = 500
	}
	var fe *fiber.Error
	if errors.As(err, &fe) {
		status = fe.Code
	}
	c.Status(status)
	if allow := c.GetRespHeader(fiber.HeaderAllow); status == http.StatusMethodNotAllowed && strings.Contains(allow, fiber.MethodGet) {
		c.Set(fiber.HeaderAllow, allow+", "+fiber.MethodHead)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if strings.HasPrefix(c.Path(), "/api/") {
		body := s.body(c.UserContext(), status, p)
		c.Set(fiber.HeaderContentType, "application/problem+json")
		return c.JSON(body, "application/problem+json")
	}
	if status == http.StatusUnauthorized && c.Method() == fiber.MethodGet {
		return c.Redirect("/sign-in?next="+url.QueryEscape(c.OriginalURL()), fiber.StatusSeeOther)
	}
	title, request := i18n.T(c.UserContext(), titled(status)), ""
	if status >= 500 { // to be quoted when asking for help
		request = c.GetRespHeader("X-Request-Id")
	}
	return s.Render(c, status, layout.Problem(status, title, i18n.Problem(c.UserContext(), p), request))
}

// later says when to come again, whoever answered: a page, huma, or a handler.
func (s *Server) later(c *fiber.Ctx) {
	seconds := map[int]string{http.StatusServiceUnavailable: "5", http.StatusTooManyRequests: "60"}[c.Response().StatusCode()]
	if seconds != "" && c.GetRespHeader(fiber.HeaderRetryAfter) == "" {
		c.Set(fiber.HeaderRetryAfter, seconds)
	}
}

// titled is what a problem of that status is called; every one has a title.
func titled(status int) string {
	if title := titleOf[status]; title != "" {
		return title
	}
	return http.StatusText(status)
}

func (s *Server) problemOf(ctx context.Context, err error) *problem.Error {
	if p := problem.As(err); p != nil {
		if down := p.Kind == problem.Unavailable || p.Kind == problem.Full; down && err.Error() != p.Error() { // the cause is for us alone
			s.Log.LogAttrs(ctx, slog.LevelError, string(p.Kind), slog.Any("error", err))
		}
		return p
	}
	var fe *fiber.Error
	if errors.As(err, &fe) {
		switch fe.Code {
		case 404:
			return problem.New(problem.NotFound, "There is no such page, or you may not see it.")
		case 413:
			return problem.New(problem.TooLarge, "This is larger than the portal takes.")
		case 405:
			return problem.New("", "This address is there, but is not asked in that way.")
		}
		return problem.New("", "%s", fe.Message)
	}
	if postgres.Lost(err) {
		s.Log.LogAttrs(ctx, slog.LevelError, "database", slog.Any("error", err))
		return problem.New(problem.Unavailable, "The portal cannot reach its database. Try again in a moment.")
	}
	if postgres.Unfit(err) {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "unfit", slog.Any("error", err))
		return problem.New(problem.Invalid, "A part of what was sent, or of the address, is not what it should be. Start again without it. Nothing was changed.")
	}
	s.Log.LogAttrs(ctx, slog.LevelError, "fault", slog.Any("error", err))
	return problem.New("", "It has been noted. Nothing was changed.")
}

// Body is a problem as RFC 9457 has it, with the fields that caused it.
type Body struct {
	Type   string            `json:"type" doc:"The kind of problem, as a URI reference."`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitempty" doc:"What to do about it."`
	Fields map[string]string `json:"fields,omitempty" doc:"What is wrong with which field."`
}

// Error makes Body what huma takes for an error.
func (b *Body) Error() string { return b.Detail }

// GetStatus is the HTTP status.
func (b *Body) GetStatus() int { return b.Status }

// ContentType is that of RFC 9457.
func (b *Body) ContentType(string) string { return "application/problem+json" }

func (s *Server) body(ctx context.Context, status int, p *problem.Error) *Body {
	kind := string(p.Kind)
	switch {
	case kind == "" && status < 500:
		kind = "request"
	case kind == "":
		kind = "fault"
	}
	title := i18n.T(ctx, titled(status))
	if p.Kind == problem.SignInAgain {
		title = i18n.T(ctx, "Sign in again first")
	}
	b := &Body{Type: "/problems/" + kind, Title: title, Status: status, Detail: i18n.Problem(ctx, p)}
	for _, f := range p.Fields {
		if b.Fields == nil {
			b.Fields = map[string]string{}
		}
		b.Fields[f.Field] = i18n.FieldProblem(ctx, f)
	}
	return b
}

func (s *Server) apiError(ctx context.Context, err error) error {
	p := s.problemOf(ctx, err)
	status := statusOf[p.Kind]
	if status == 0 {
		status = 500
	}
	return s.body(ctx, status, p)
}

// plainly are those of huma's sentences that it has no variables for, in words of
// ours.
var plainly = map[string]string{
	"validation failed": "Correct what is named in fields.", "Use at least 1 characters.": "Fill this in.",
	"invalid integer": "Give a whole number.", "invalid float": "Give a number.", "invalid floating value": "Give a number.", "invalid boolean": "Say true or false.",
	"invalid date/time for format " + time.RFC3339: "Give an instant as RFC 3339, such as 2027-03-10T12:00:00Z.",
}

func refusals(message string) string {
	if said := plainly[message]; said != "" {
		return said
	}
	return message
}

// missing begins what huma says of a field that is not there, before its name.
const missing = "missing "

// What huma itself refuses (a wrong type, an unknown enum) reads as ours does.
func init() {
	validation.MsgUnexpectedProperty = "There is no such field."
	validation.MsgExpectedRFC3339DateTime = "Give an instant as RFC 3339, such as 2027-03-10T12:00:00Z."
	validation.MsgExpectedRFC3339Date = "Give a date as YYYY-MM-DD."
	validation.MsgExpectedRFC4122UUID = "This is no key (a UUID): %v."
	validation.MsgExpectedBoolean = "Say true or false."
	validation.MsgExpectedNumber = "Give a number."
	validation.MsgExpectedInteger = "Give a whole number."
	validation.MsgExpectedString = "Give a text."
	validation.MsgExpectedBase64String = "Give the bytes in base64."
	validation.MsgExpectedArray = "Give a list."
	validation.MsgExpectedObject = "Give an object."
	validation.MsgExpectedOneOf = "Choose one of: %s."
	validation.MsgExpectedMinimumNumber = "Give a number of at least %v."
	validation.MsgExpectedMaximumNumber = "Give a number of at most %v."
	validation.MsgExpectedMinLength = "Use at least %d characters."
	validation.MsgExpectedMaxLength = "Use at most %d characters."
	validation.MsgExpectedMatchPattern = "This is not written as it has to be (%s)."
	validation.MsgExpectedBePattern = "This is not written as it has to be (%s)."
	validation.MsgExpectedMinItems = "Give at least %d of them."
	validation.MsgExpectedMaxItems = "Give at most %d of them."
	validation.MsgExpectedRequiredProperty = missing + "%s"
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		b := &Body{Type: "/problems/invalid", Title: titled(status), Status: status, Detail: refusals(message)}
		for _, err := range errs {
			var d *huma.ErrorDetail
			if errors.As(err, &d) {
				if b.Fields == nil {
					b.Fields = map[string]string{}
				}
				field := d.Location[strings.LastIndex(d.Location, ".")+1:]
				if field == "" {
					field = "body"
				}
				if name, ok := strings.CutPrefix(d.Message, missing); ok { // huma locates what it is missing in
					field, d.Message = name, "Fill this in."
				}
				b.Fields[field] = refusals(d.Message)
			} else if err != nil {
				b.Detail = strings.TrimSpace(b.Detail + ": " + err.Error())
			}
		}
		return b
	}
}

// Invalid is err as a problem of the input, which a page shows at its fields
// with what was typed; nil if it is anything else.
func Invalid(err error) *problem.Error {
	if p := problem.As(err); p != nil && p.Kind == problem.Invalid {
		return p
	}
	return nil
}

// IfMatch reads the version that an update was made from: "v3", v3 or 3.
func IfMatch(header string) (int, error) {
	if header == "" {
		return 0, problem.New(problem.Unguarded, "Send If-Match with the ETag that you read, so that nobody's change is lost.")
	}
	n, err := strconv.Atoi(strings.TrimPrefix(Seen(header), "v"))
	if err != nil {
		return 0, problem.New(problem.Stale, "If-Match is not an ETag of this.")
	}
	return n, nil
}

// Seen is the version that an entity tag names, without what tagged put behind it.
func Seen(tag string) string {
	version, _, _ := strings.Cut(strings.Trim(tag, `"`), ".")
	return version
}

// tagged answers a GET of the API with 304 where the client has it. A version says
// what an update goes by, but not all that an answer shows (names, counts, what the
// reader may see): the tag of an answer has a hash of it behind the version.
func (s *Server) tagged(c *fiber.Ctx) error {
	err := c.Next()
	tag := c.GetRespHeader(fiber.HeaderETag)
	if err != nil || tag == "" || c.Method() != fiber.MethodGet || c.Response().StatusCode() != fiber.StatusOK || c.Response().IsBodyStream() ||
		!strings.HasPrefix(c.GetRespHeader(fiber.HeaderContentType), fiber.MIMEApplicationJSON) {
		return err
	}
	tag = `"` + Seen(tag) + "." + hexHash(c.Response().Body()) + `"`
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Append(fiber.HeaderVary, "Cookie, Authorization, Accept-Language")
	if slices.ContainsFunc(strings.Split(c.Get(fiber.HeaderIfNoneMatch), ","), func(t string) bool { return strings.TrimPrefix(strings.TrimSpace(t), "W/") == tag }) {
		c.Response().ResetBody()
		return c.SendStatus(fiber.StatusNotModified)
	}
	return nil
}

// ETag is the entity tag of a version.
func ETag(version int) string { return `"v` + strconv.Itoa(version) + `"` }

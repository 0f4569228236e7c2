package apptest

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"commissionportal/internal/postgres/private"
)

// patience is how long a journey waits for what should come; only a failing
// one waits so long.
const patience = 40 * time.Second

//go:embed browser.js
var script string

// Tab is a tab of a real browser with cookies of its own, in which a test does
// what a person would. Things are named by the text a person reads: the label
// of a field, the words on a button; a form control also by its name attribute,
// anything else by a CSS selector. What is not there yet is waited for.
//
// The test fails if the page does what no page may: log an error, violate its
// Content-Security-Policy, ask another host for something, or get an answer
// of 400 or more that the test did not Expect.
type Tab struct {
	t        testing.TB
	base     *url.URL
	ctx      context.Context
	within   string // see In
	patience time.Duration
	*watch
}

// Browser opens a tab for the portal at base, such as "http://127.0.0.1:40123".
// All tabs of a test program are in one browser. Without Chromium the test is
// skipped, or fails where CI is set.
func Browser(t testing.TB, base string) *Tab {
	t.Helper()
	private.Uncached()
	browser, err := chromium()
	need(t, err)
	origin, err := url.Parse(base)
	if err != nil || origin.Host == "" {
		t.Fatalf("browser: %q is not the address of a portal", base)
	}
	window, forget, err := newWindow(browser.ctx)
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	ctx, closeTab := chromedp.NewContext(browser.ctx, chromedp.WithTargetID(window))
	tab := &Tab{t: t, base: origin, ctx: ctx, patience: patience, watch: newWatch(ctx, origin.Host)}
	t.Cleanup(func() {
		for _, fault := range tab.end() {
			t.Error(fault)
		}
		if err := bounded(func() error { closeTab(); return forget() }); err != nil {
			t.Errorf("browser: %v", err)
		}
	})
	// The first Run binds the tab to its context, which therefore carries no deadline.
	if err := bounded(func() error { return chromedp.Run(ctx, emulation.SetFocusEmulationEnabled(true)) }); err != nil {
		t.Fatalf("browser: %v", err)
	}
	tab.SetWidth(1280)
	tab.SetDark(false)
	return tab
}

// Browser opens a tab that is signed in as the client's person.
func (c *Client) Browser() *Tab {
	c.p.t.Helper()
	tab := Browser(c.p.t, c.p.URL)
	if c.session != "" {
		tab.do("sign in", network.SetCookie(c.p.Web.CookieName("session"), c.session).WithURL(c.p.URL).WithHTTPOnly(true))
	}
	return tab
}

// answer is what a function of browser.js says.
type answer struct {
	X, Y               float64
	Kind, Value, Error string
}

// call runs a function of browser.js.
func (tab *Tab) call(function string, args ...any) (a answer) {
	list, err := json.Marshal(append([]any{tab.within}, args...))
	if err != nil {
		return answer{Error: err.Error()}
	}
	expression := "{const page = " + script + "; page." + function + "(..." + string(list) + ")}"
	if err := tab.run(chromedp.Evaluate(expression, &a)); err != nil {
		return answer{Error: err.Error()} // mostly that the page has just been left: asked again
	}
	return a
}

// run runs actions, not for ever.
func (tab *Tab) run(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// do is run for what must succeed.
func (tab *Tab) do(what string, actions ...chromedp.Action) {
	tab.t.Helper()
	if err := tab.run(actions...); err != nil {
		tab.fail("%s: %v", what, err)
	}
}

// wait calls a function of browser.js until it has no error and good agrees.
func (tab *Tab) wait(what string, good func(answer) bool, function string, args ...any) answer {
	tab.t.Helper()
	for end := time.Now().Add(tab.patience); ; time.Sleep(20 * time.Millisecond) {
		a := tab.call(function, args...)
		if a.Error == "" && (good == nil || good(a)) {
			return a
		}
		if time.Now().After(end) {
			tab.fail("%s: %s", what, a.Error)
		}
	}
}

// fail ends the test with a picture of the page and its text.
func (tab *Tab) fail(format string, args ...any) {
	tab.t.Helper()
	text := (&Tab{t: tab.t, ctx: tab.ctx}).call("page").Value
	shot, err := tab.shoot("failed-" + strings.NewReplacer("/", "-", " ", "_").Replace(tab.t.Name()))
	if err != nil {
		shot = err.Error()
	}
	for _, fault := range tab.faultsSoFar() {
		tab.t.Error(fault)
	}
	tab.t.Fatalf("%s\nat %s, picture %s, text:\n%s", fmt.Sprintf(format, args...), tab.Path(), shot, text)
}

// Open goes to a path of the portal and waits until it is loaded.
func (tab *Tab) Open(path string) {
	tab.t.Helper()
	to, err := tab.base.Parse(path)
	if err != nil {
		tab.t.Fatalf("open %s: %v", path, err)
	}
	tab.do("open "+path, chromedp.Navigate(to.String()))
	tab.settle()
}

// Path is where the tab is: path and query.
func (tab *Tab) Path() string {
	tab.t.Helper()
	var at string
	if err := tab.run(chromedp.Location(&at)); err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(at, tab.base.Scheme+"://"+tab.base.Host)
}

// In is the tab confined to the smallest row, item, section or form that shows
// the text: tab.In("Ada Lovelace").Click("Approve").
func (tab *Tab) In(text string) *Tab {
	inner := *tab
	inner.within = text
	return &inner
}

// Fill types a value into a field, replacing what is there.
func (tab *Tab) Fill(field, value string) {
	tab.t.Helper()
	what := fmt.Sprintf("fill in “%s”", field)
	switch a := tab.wait(what, nil, "ready", field); {
	case a.Kind == "option":
		tab.fail("%s: it is a list: use Choose", what)
	case a.Kind == "set":
		tab.wait(what, nil, "set", field, value)
	case value == "":
		tab.do(what, chromedp.KeyEvent("\b"))
	case len(value) > 200 || strings.Contains(value, "\n"):
		tab.do(what, input.InsertText(value))
	default: // key by key, which is what scripts listen for
		tab.do(what, chromedp.KeyEvent(value))
	}
	if a := tab.call("value", field); a.Value != value {
		tab.fail("%s: it took %q of %q %s", what, a.Value, value, a.Error)
	}
}

// Key presses a key, as "\t" for Tab.
func (tab *Tab) Key(key string) {
	tab.t.Helper()
	tab.do("key", chromedp.KeyEvent(key))
}

// Choose picks an option of a list, or a radio button of a group, by its text.
func (tab *Tab) Choose(field, option string) {
	tab.t.Helper()
	what := fmt.Sprintf("choose “%s” of “%s”", option, field)
	if a := tab.wait(what, nil, "choose", field, option); a.Kind != "done" {
		tab.press(what, a)
		return
	}
	tab.settle()
}

// Upload puts files into a file field.
func (tab *Tab) Upload(field string, paths ...string) {
	tab.t.Helper()
	tab.do("upload "+field, chromedp.ActionFunc(func(ctx context.Context) error {
		name, err := json.Marshal(field)
		if err != nil {
			return err
		}
		object, _, err := runtime.Evaluate("{const page = " + script + "; page.control('', " + string(name) + ")}").Do(ctx)
		if err != nil {
			return err
		}
		if object.ObjectID == "" {
			return errors.New("no such field")
		}
		return dom.SetFileInputFiles(paths).WithObjectID(object.ObjectID).Do(ctx)
	}))
}

// Drop drags files from outside over what a CSS selector finds, and drops them.
func (tab *Tab) Drop(selector string, paths ...string) {
	tab.t.Helper()
	what := "drop on " + selector
	at := tab.wait(what, nil, "click", selector)
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{input.DragEnter, input.DragOver, input.Drop} {
		tab.do(what, input.DispatchDragEvent(kind, at.X, at.Y, data))
	}
	tab.settle()
}

// Connect says how the network is from now on: gone, or sending at most so many
// bytes a second, with 0 without a limit.
func (tab *Tab) Connect(online bool, upload int) {
	tab.t.Helper()
	if upload == 0 {
		upload = -1
	}
	tab.do("network", chromedp.ActionFunc(func(ctx context.Context) error { // by its name: the library knows only what newer browsers have
		return cdp.Execute(ctx, "Network.emulateNetworkConditions", map[string]any{"offline": !online, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}, nil)
	}))
}

// Hold keeps answers back whose address has part in it, as a slow line would, until
// release.
func (tab *Tab) Hold(part string) (release func()) {
	tab.t.Helper()
	hold := func(part string) {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		tab.held = part
	}
	hold(part)
	tab.do("hold "+part, fetch.Enable().WithPatterns([]*fetch.RequestPattern{{URLPattern: "*" + part + "*", RequestStage: fetch.RequestStageResponse}}))
	return func() { hold(""); tab.do("release "+part, fetch.Disable()) }
}

// Click presses a button, link, label or anything else with the mouse, and
// waits for the page that may follow.
func (tab *Tab) Click(what string) {
	tab.t.Helper()
	name := fmt.Sprintf("click on “%s”", what)
	tab.press(name, tab.wait(name, nil, "click", what))
}

// Press is Click by a slow finger: all that the press sets off, as the leaving of a
// field does, is answered before it is let go.
func (tab *Tab) Press(what string) {
	tab.t.Helper()
	tab.mouse(input.MouseReleased, what, tab.Down(what))
}

// Down presses without letting go, as where a menu of the browser takes what follows.
func (tab *Tab) Down(what string) answer {
	tab.t.Helper()
	at := tab.wait(fmt.Sprintf("press on “%s”", what), nil, "click", what)
	tab.mouse(input.MousePressed, what, at)
	return at
}

func (tab *Tab) mouse(kind input.MouseType, what string, at answer) {
	tab.t.Helper()
	tab.do(fmt.Sprintf("%s on “%s”", kind, what), input.DispatchMouseEvent(kind, at.X, at.Y).WithButton(input.Left).WithClickCount(1))
	tab.settle()
}

func (tab *Tab) press(name string, at answer) {
	tab.t.Helper()
	tab.do(name, chromedp.MouseClickXY(at.X, at.Y))
	tab.settle()
}

// Text is what a person reads in the first element of a CSS selector.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return tab.wait("text of "+selector, nil, "text", selector).Value
}

// See waits until the page shows the text, in whatever case.
func (tab *Tab) See(text string) {
	tab.t.Helper()
	tab.wait(fmt.Sprintf("“%s” is not to be seen", text), func(a answer) bool { return a.Value == "true" }, "sees", text)
}

// SeeNot waits until the page does not show the text any more.
func (tab *Tab) SeeNot(text string) {
	tab.t.Helper()
	tab.wait(fmt.Sprintf("“%s” is still to be seen", text), func(a answer) bool { return a.Value == "false" }, "sees", text)
}

// SetWidth makes the window so many CSS pixels wide.
func (tab *Tab) SetWidth(width int) {
	tab.t.Helper()
	tab.do("width", emulation.SetDeviceMetricsOverride(int64(width), 900, 1, false))
	tab.width = width
}

// SetDark says whether the reader prefers dark colors, and in either case no
// motion, which would be caught half way.
func (tab *Tab) SetDark(dark bool) {
	tab.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	forced := "none"
	if tab.forced {
		forced = "active"
	}
	tab.do("colors", emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "forced-colors", Value: forced},
	}))
	tab.dark = dark
}

// SetForced says whether the system forces its own few colors on all pages, as it
// does for who needs high contrast; dark ones if the reader prefers them.
func (tab *Tab) SetForced(forced bool) {
	tab.t.Helper()
	tab.forced = forced
	tab.SetDark(tab.dark)
}

// RightToLeft turns the page that is open round, as in Arabic.
func (tab *Tab) RightToLeft() {
	tab.t.Helper()
	tab.do("right to left", chromedp.Evaluate("document.documentElement.dir = 'rtl'; undefined", nil))
}

// Style is a property of the first element that the selector finds, as the browser
// computes it.
func (tab *Tab) Style(selector, property string) string {
	tab.t.Helper()
	var value string
	tab.do("style", chromedp.Evaluate(fmt.Sprintf("getComputedStyle(document.querySelector(%q)).getPropertyValue(%q)", selector, property), &value))
	return value
}

// Authenticator gives the tab a device that keeps passkeys, and whose owner always
// says yes (Chromium's virtual authenticator).
func (tab *Tab) Authenticator() {
	tab.t.Helper()
	tab.do("authenticator", webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}).Do(ctx)
		return err
	}))
}

// NoScript makes the pages opened from now on do without JavaScript.
func (tab *Tab) NoScript() {
	tab.t.Helper()
	tab.do("no script", emulation.SetScriptExecutionDisabled(true))
}

// Screenshot saves the whole page, so wide and in those colors, as
// var/shots/NAME.png, and leaves the tab as it was.
func (tab *Tab) Screenshot(name string, width int, dark bool) {
	tab.t.Helper()
	oldWidth, oldDark := tab.width, tab.dark
	tab.SetWidth(width)
	tab.SetDark(dark)
	tab.settle()
	if _, err := tab.shoot(name); err != nil {
		tab.fail("screenshot %s: %v", name, err)
	}
	tab.SetWidth(oldWidth)
	tab.SetDark(oldDark)
}

// shoot saves the page as it is and returns the picture's path.
func (tab *Tab) shoot(name string) (string, error) {
	root, err := private.Checkout()
	if err != nil {
		return "", err
	}
	var picture []byte
	if err := tab.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, _, _, _, size, err := page.GetLayoutMetrics().Do(ctx)
		if err != nil {
			return err
		}
		const longest = 10_000 // what the browser can draw at once
		picture, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(&page.Viewport{
			Width: size.Width, Height: min(size.Height, longest), Scale: 1}).Do(ctx)
		return err
	})); err != nil {
		return "", err
	}
	path := filepath.Join(root, "var", "shots", name+".png")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, picture, 0o644)
}

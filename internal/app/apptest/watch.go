package apptest

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// watch looks at all that happens in a tab: it notes faults, and knows when
// the page has come to rest.
type watch struct {
	ctx    context.Context
	host   string
	width  int
	dark   bool
	forced bool

	mu       sync.Mutex
	faults   []string
	expected []int  // answers that the test has announced
	shaky    bool   // see Shaky
	held     string // see Hold
	pending  map[network.RequestID]string
	last     time.Time // of anything that a page does while it loads
}

func newWatch(ctx context.Context, host string) *watch {
	w := &watch{ctx: ctx, host: host, pending: map[network.RequestID]string{}}
	chromedp.ListenTarget(ctx, w.see)
	return w
}

// Expect announces an answer of 400 or more, such as the 422 for a form with
// mistakes. One that does not come is a fault too.
func (w *watch) Expect(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, status)
}

// Shaky says that from now on requests may get no answer, as where the connection
// breaks or the portal is started again.
func (w *watch) Shaky() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shaky = true
}

// see is told every event of the tab, in order.
func (w *watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.fault("script error: %s", e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeAssert {
			var words []string
			for _, a := range e.Args {
				words = append(words, strings.Trim(string(a.Value), `"`)+a.Description)
			}
			// htmx says so of a request that a page took with it when it was left, or that a later one replaced.
			if said := strings.Join(words, " "); !strings.HasPrefix(said, "htmx:sendAbort") && !strings.HasPrefix(said, "htmx:afterRequest") {
				w.fault("console: %s", said)
			}
		}
	case *log.EventEntryAdded:
		// What concerns requests is judged by the requests themselves.
		if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
			w.fault("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		w.last = time.Now()
		if e.Type != network.ResourceTypePing && e.Request.Method != "PATCH" { // these stay open; the last is an upload
			w.pending[e.RequestID] = e.Request.URL
		}
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host != w.host && u.Scheme != "data" && u.Scheme != "blob" {
			w.fault("request to another host: %s", e.Request.URL)
		}
	case *network.EventWebSocketCreated:
		if u, err := url.Parse(e.URL); err != nil || u.Host != w.host {
			w.fault("request to another host: %s", e.URL)
		}
	case *network.EventEventSourceMessageReceived:
		w.last = time.Now() // a page asks for what it is told of
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeEventSource { // it stands, and stays open
			w.last = time.Now()
			delete(w.pending, e.RequestID)
		}
		status := int(e.Response.Status)
		if status < 400 {
			return
		}
		if i := slices.Index(w.expected, status); i >= 0 {
			w.expected = slices.Delete(w.expected, i, i+1)
			return
		}
		w.fault("answer %d for %s", status, e.Response.URL)
	case *network.EventLoadingFailed:
		w.last = time.Now()
		if !e.Canceled && !w.shaky && e.ErrorText != "net::ERR_ABORTED" { // the page was left, or it was a download
			w.fault("request failed: %s: %s %s", w.pending[e.RequestID], e.ErrorText, e.BlockedReason)
		}
		delete(w.pending, e.RequestID)
	case *network.EventLoadingFinished:
		w.last = time.Now()
		delete(w.pending, e.RequestID)
	case *page.EventFrameNavigated:
		w.last = time.Now()
		for id := range w.pending { // what the page before still waited for has no end that is told
			if e.Frame.ParentID == "" && string(id) != string(e.Frame.LoaderID) {
				delete(w.pending, id)
			}
		}
	case *page.EventFrameStartedNavigating, *page.EventFrameRequestedNavigation, *page.EventDomContentEventFired, *page.EventLoadEventFired:
		w.last = time.Now()
	case *page.EventJavascriptDialogOpening:
		// "Are you sure?" – a journey is. Not from here: the answer would wait for this event.
		go func() {
			if err := chromedp.Run(w.ctx, page.HandleJavaScriptDialog(true)); err != nil && w.ctx.Err() == nil {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.fault("dialog: %v", err)
			}
		}()
	}
}

func (w *watch) fault(format string, args ...any) {
	fault := fmt.Sprintf(format, args...)
	if !slices.Contains(w.faults, fault) {
		w.faults = append(w.faults, fault)
	}
}

// faultsSoFar are handed over once.
func (w *watch) faultsSoFar() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	faults := w.faults
	w.faults = nil
	return faults
}

// end is called when the journey is over.
func (w *watch) end() []string {
	// Events come in order: with the answer, all that happened before is known.
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate("0", nil))
	faults := w.faultsSoFar()
	if err != nil {
		faults = append(faults, fmt.Sprintf("the tab does not answer: %v", err))
	}
	for _, status := range w.expected {
		faults = append(faults, fmt.Sprintf("the expected answer %d did not come", status))
	}
	return faults
}

// settle waits until the page has come to rest: loaded, and nothing asked for
// any more for a moment. What is held back is not waited for.
func (tab *Tab) settle() {
	tab.t.Helper()
	const moment = 60 * time.Millisecond
	start := time.Now()
	for end := start.Add(tab.patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		tab.mu.Lock()
		held := tab.held
		busy := time.Since(tab.last) < moment || time.Since(start) < moment
		for _, address := range tab.pending {
			busy = busy || held == "" || !strings.Contains(address, held)
		}
		tab.mu.Unlock()
		if busy {
			continue
		}
		var state string
		if err := tab.run(chromedp.Evaluate("document.readyState", &state)); err == nil && (state == "complete" || held != "" && state == "interactive") {
			return
		}
	}
	tab.mu.Lock()
	pending := slices.Collect(maps.Values(tab.pending))
	tab.mu.Unlock()
	tab.fail("the page does not come to rest, and still waits for %q", pending)
}

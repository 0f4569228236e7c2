package apptest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"commissionportal/internal/postgres/private"
)

// need ends a test that has no browser: without Chromium it is skipped, or fails where CI
// is set.
func need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, exec.ErrNotFound) {
		const missing = "NO BROWSER: this journey was not made. Install one: apt-get install chromium"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
}

// chromium starts the browser of this test program, once. It ends with the program.
var chromium = sync.OnceValues(func() (*browser, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	root, err := private.Checkout()
	if err != nil {
		return nil, err
	}
	profile, err := profileDir(filepath.Join(root, "var", "test"))
	if err != nil {
		return nil, err
	}
	return launch(path, profile)
})

// browser is one that runs.
type browser struct {
	ctx     context.Context
	process *os.Process
}

// starts is how often a browser is started that ends as it starts: one of thousands did.
const starts = 3

// launch starts the browser at path. What goes wrong before it runs is printed.
func launch(path, profile string) (b *browser, err error) {
	for n := range starts {
		if b, err = launchOnce(path, profile); err == nil {
			return b, nil
		}
		fmt.Fprintf(os.Stderr, "browser, start %d of %d: %v\n", n+1, starts, err)
	}
	return nil, err
}

// launchOnce starts the browser at path. The error is what it said, and how it ended.
// (The library, which can do so too, loses what was said by a browser that ends.)
func launchOnce(path, profile string) (*browser, error) {
	output, written, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "--user-data-dir="+profile, "--headless", "--remote-debugging-port=0", "--no-sandbox",
		"--disable-gpu", "--enable-unsafe-swiftshader", "--no-first-run", "--no-default-browser-check", "--mute-audio",
		"--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-extensions", "--disable-dev-shm-usage", "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
		"--disable-features=Translate,OptimizationHints,MediaRouter",
		"--force-color-profile=srgb", "--hide-scrollbars", "--lang=en-US", "--password-store=basic",
		// Nothing leaves this machine, whatever a page asks for.
		"--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
		"about:blank")
	cmd.Stdout, cmd.Stderr = written, written
	endWithUs(cmd)
	if err := errors.Join(cmd.Start(), written.Close()); err != nil {
		return nil, errors.Join(err, output.Close())
	}
	address, err := listening(output)
	if err != nil {
		err = errors.Join(err, cmd.Process.Kill(), cmd.Wait(), output.Close()) // killed, or it ended by itself: the error tells
		return nil, err
	}
	go func() {
		_, _ = io.Copy(io.Discard, output) // until it ends; nobody reads it
		_ = cmd.Wait()
	}()
	ctx, _ := chromedp.NewRemoteAllocator(context.Background(), address, chromedp.NoModifyURL)
	ctx, _ = chromedp.NewContext(ctx)
	if err := bounded(func() error { return chromedp.Run(ctx) }); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	return &browser{ctx, cmd.Process}, nil
}

// listening reads what a browser says until it tells where it is to be spoken to.
func listening(output *os.File) (address string, err error) {
	if err := output.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	var said strings.Builder
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "DevTools listening on "); ok {
			return address, output.SetReadDeadline(time.Time{})
		}
		said.WriteString(lines.Text() + "\n")
	}
	return "", errors.Join(fmt.Errorf("it does not start: %q", said.String()), lines.Err())
}

// bounded runs what the browser has to answer and cannot be given a deadline. A
// browser that hangs fails the test that needs it, and not the whole package.
func bounded(fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		return errors.New("it does not answer within a minute")
	}
}

// newWindow opens a window with cookies of its own, which forget removes. (By
// itself chromedp opens a tab, which wants a window that is not there yet.)
func newWindow(browser context.Context) (_ target.ID, forget func() error, err error) {
	do := func(fn func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(browser, time.Minute)
		defer cancel()
		return fn(cdp.WithExecutor(ctx, chromedp.FromContext(browser).Browser))
	}
	var own cdp.BrowserContextID
	var id target.ID
	err = do(func(ctx context.Context) (err error) {
		if own, err = target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx); err != nil {
			return err
		}
		id, err = target.CreateTarget("about:blank").WithBrowserContextID(own).WithNewWindow(true).Do(ctx)
		return err
	})
	return id, func() error { return do(target.DisposeBrowserContext(own).Do) }, err
}

// findChromium returns the path of Chromium, or an error that is exec.ErrNotFound. It
// is the program itself: Debian's /usr/bin/chromium-headless-shell is a shell that stays
// before it, and which the kernel would end in its place.
func findChromium() (string, error) {
	for _, name := range []string{os.Getenv("CHROMIUM"), "/usr/lib/chromium/chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// profileDir makes the browser's directory, and removes those of test programs
// that have ended.
func profileDir(parent string) (string, error) {
	const prefix = "browser-"
	old, _ := filepath.Glob(filepath.Join(parent, prefix+"*")) // the pattern is good
	for _, dir := range old {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), prefix))
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			// Best effort: the browser may still be writing its last.
			_ = os.RemoveAll(dir)
		}
	}
	dir := filepath.Join(parent, prefix+strconv.Itoa(os.Getpid()))
	return dir, os.MkdirAll(dir, 0o700)
}

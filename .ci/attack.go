// Command attack scans the portal, with its sample in it and signed in as a member,
// with Debian's wapiti and sqlmap, prints what they find and fails if that is
// anything: `make attack`. It runs on the server of TEST_DATABASE_URL, which is for
// it alone, and takes about as many minutes as -minutes says.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/lib/pq"
)

// member is the one of the sample (internal/sample), with seats in two commissions.
const member, password = "member@example.org", "quiet harbor lantern"

// modules are those of wapiti that ask what a portal like this could get wrong.
// Left out are those that look for other programs by name (nikto, wapp, buster,
// brute_login_form) and come with lists that are loaded from elsewhere. Those
// before the bar look at answers and forms, and are done in seconds; the others
// send something to every parameter, and get a share of the time each.
const modules = "cookieflags,csp,http_headers,csrf,htaccess,methods|xss,permanentxss,sql,blindsql,exec,file,crlf,redirect,ssrf,xxe,backup,shellshock"

// closed are the doors that the scanners may not go through: what ends their session,
// or takes from the member what the other pages are seen with.
var closed = regexp.MustCompile(`^/(sign-out|sign-in|static/|profile/(password|sessions|factors|address|data)|api/v1/persons/me/(sessions|factors|data)|api/v1/events)|/leave$|/withdraw$|/end$`)

// entrances are what they begin with, besides the pages these lead to.
var entrances = []string{"/desk", "/commissions", "/organizations", "/sectors", "/search?q=grid", "/d", "/profile", "/profile/letters", "/profile/tokens", "/profile/history", "/profile/shares", "/profile/affiliations",
	"/commissions/new", "/organizations/new", "{commission}", "{commission}/apply", "{commission}/documents", "{commission}/documents/new", "{commission}/documents/several", "{commission}/roster", "{commission}/charter", "{commission}/milestones",
	"{commission}/documents.atom", "{document}", "{document}/trace", "{organization}", "/api/docs"}

// queries are the pages and operations that read a query, with the parameters they
// know, and forms, after a space, with their fields: for sqlmap. With ! before them
// they are asked as a visitor does.
var queries = []string{
	"!/sign-in email=a@example.org&password=x&next=/desk", "!/reset email=a@example.org", "!/sign-up name=A&email=a@example.org&country=DE&password=plover+tidal+ombudsman&next=/",
	"/search?q=grid&kind=document&commission={slug}&organization=o&type=report&status=available&language=en&year=2026",
	"/commissions?q=grid&sector=energy&kind=commission&state=active",
	"/organizations?q=a&country=DE&sector=energy&kind=company&category=full",
	"/organizations/names?organization=a", "/organizations/similar?name=a&website=https://works.example",
	"{commission}/roster?q=a&role=chair&organization=o&country=DE&as_of=2026-01-01",
	"{commission}/documents?q=a&type=report&status=available&organization=o&language=en&order=title",
	"{commission}/documents.csv?q=a&type=report", "{commission}/charter/diff?from=1&to=1",
	"{document}/versions/1/preview?language=en&page=1", "{document}/trace?kind=download&from=2026-01-01&until=2026-12-31",
	"/profile/history?kind=document&from=2026-01-01&until=2026-12-01", "/access/why?commission={slug}&object=document&action=submit",
	"/api/v1/search?q=grid&kind=document&type=report&limit=5", "/api/v1/commissions?q=a&sector=energy&state=active&limit=5", "/api/v1/organizations?q=a&country=DE&kind=company&limit=5",
	"/api/v1{commission}/seats?as_of=2026-01-01&role=chair&limit=5", "/api/v1{commission}/documents?q=a&type=report&limit=5", "/api/v1/open-documents?limit=5&q=a",
	"/profile name=Mina+Member&language=en&time_zone=UTC&country=DE&about=x&version=1",
	"/profile/letters digest=daily&due=true&version=1", "/profile/tokens name=scan&lifetime=90&read_only=true",
	"/commissions name=Grid&acronym=GRD&kind=commission&parent=&sector=energy&purpose=Why&charter=What",
	"/organizations name=Works&kind=company&country=DE&website=https://works.example&about=x&title=x",
	"{commission}/apply role=observer&organization=o&statement=x",
	"/preferences/theme theme=dark&next=/desk",
}

// finding is one that a scanner reports, or the way itself saw.
type finding struct{ By, Category, Method, Path, Parameter, Info string }

func (f finding) String() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s: %s: %s %s %s: %s", f.By, f.Category, f.Method, f.Path, f.Parameter, f.Info)), " ")
}

// known are findings that are no holes, each as narrow as it can be said, and why.
// docs/security.md has them too.
var known = []struct {
	is  func(finding) bool
	why string
}{
	{func(f finding) bool {
		return f.Category == "HTTP Secure Headers" && f.Info == "X-Frame-Options is not set"
	}, "frame-ancestors 'none' in the Content-Security-Policy says it to every browser (app.TestHeadersOfEverything)"},
	{func(f finding) bool {
		return f.Category == "HTTP Secure Headers" && f.Info == "X-XSS-Protection is not set"
	}, "browsers have given it up, and it had holes of its own; the Content-Security-Policy allows no script inside a page"},
	{func(f finding) bool {
		return f.Category == "Cross Site Request Forgery" && f.Info == "Lack of anti CSRF token"
	}, "other sites are told by Sec-Fetch-Site and Origin, and not by a field of the form (app.TestOtherSitesAreRefused)"},
}

func main() {
	minutes := flag.Float64("minutes", 14, "how long the scan may take")
	portal := flag.String("portal", "var/portal", "the program to scan")
	keep := flag.String("keep", "var/attack", "where the reports are left")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *portal, *keep, time.Duration(*minutes*float64(time.Minute))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, keep string, most time.Duration) error {
	began := time.Now()
	for _, tool := range []string{"wapiti", "sqlmap"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is missing: apt-get install wapiti sqlmap", tool)
		}
	}
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	keep, err = filepath.Abs(keep)
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(keep), os.MkdirAll(keep, 0o755)); err != nil {
		return err
	}
	t := &target{program: program, home: keep}
	defer t.stop()
	if err := t.start(ctx); err != nil {
		return err
	}
	fmt.Printf("The sample is being served; signed in as %s. Scanning for %v …\n", member, most)

	found, err := wapiti(ctx, t, most*2/3)
	if err != nil {
		return err
	}
	more, asked, err := sqlmap(ctx, t, most-time.Since(began))
	if err != nil {
		return err
	}
	found = append(append(found, more...), t.seen()...)
	if status, _ := t.get("/desk"); status != http.StatusOK {
		return fmt.Errorf("the session did not last: the desk answers %d", status)
	}
	fmt.Printf("%d requests in %v, %d of them answered; sqlmap finished %d of %d targets.\n", t.requests, time.Since(began).Round(time.Second), t.answered, asked, len(queries))
	return report(found)
}

// report prints what was found, what is known of it apart, and fails for the rest.
func report(found []finding) error {
	bad, why := map[string]int{}, map[string]int{}
	for _, f := range found {
		at := slices.IndexFunc(known, func(k struct {
			is  func(finding) bool
			why string
		}) bool {
			return k.is(f)
		})
		if at < 0 {
			bad[f.String()]++
		} else {
			why[f.By+": "+f.Category+": "+known[at].why]++
		}
	}
	for line, n := range why {
		fmt.Printf("no hole (%d times): %s\n", n, line)
	}
	for line := range bad {
		fmt.Println("FOUND", line)
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d findings", len(bad))
	}
	fmt.Println("Nothing was found.")
	return nil
}

// target is a portal as it runs in production, behind a way in that stands for the
// proxy that ends TLS.
type target struct {
	program, home string
	portal        *exec.Cmd
	ended         chan struct{} // closed when it has
	way           *http.Server
	URL, inside   string // the way in, and the portal itself
	canary        string // what nobody may fetch
	cookie, slug  string

	mu                 sync.Mutex
	requests, answered int
	faults             []finding
}

func (t *target) start(ctx context.Context) error {
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return err
	}
	t.URL, t.inside = "http://"+in.Addr().String(), fmt.Sprintf("http://127.0.0.1:%d", port)
	database, err := empty(ctx, os.Getenv("TEST_DATABASE_URL"))
	if err != nil {
		return err
	}
	env := append(os.Environ(), "DATABASE_URL="+database, "HOST=127.0.0.1", fmt.Sprint("PORT=", port), "FILES=file://"+filepath.Join(t.home, "files"), "LOG_LEVEL=warn")
	// The sample is loaded by `dev`; what is scanned is `serve`, as it runs behind https.
	if err := t.serve(ctx, append(env, "BASE_URL="), "dev"); err != nil {
		return err
	}
	t.end()
	if err := t.serve(ctx, append(env, "BASE_URL=https://portal.example", "TRUSTED_PROXIES=127.0.0.1/32", "DEVELOPMENT=false"), "serve"); err != nil {
		return err
	}
	inside, err := url.Parse(t.inside)
	if err != nil {
		return err
	}
	proxy := httputil.NewSingleHostReverseProxy(inside)
	t.way = &http.Server{Handler: t.guarded(proxy), ReadHeaderTimeout: time.Minute}
	go func() { _ = t.way.Serve(in) }()
	canary, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	t.canary = "http://" + canary.Addr().String() + "/"
	go func() { _ = http.Serve(canary, http.HandlerFunc(t.fetched)) }() //nolint:gosec // for as long as the scan lasts
	return t.signIn()
}

// empty makes a database on a server, and says its address.
func empty(ctx context.Context, server string) (string, error) {
	at, err := url.Parse(server)
	if err != nil || server == "" {
		return "", fmt.Errorf("TEST_DATABASE_URL names no server: %w", err)
	}
	db, err := sql.Open("postgres", server)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	at.Path = "/attack"
	_, err = db.ExecContext(ctx, "CREATE DATABASE attack")
	return at.String(), err
}

// serve starts the portal and waits until it is ready.
func (t *target) serve(ctx context.Context, env []string, command string) error {
	log, err := os.OpenFile(filepath.Join(t.home, "portal.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	t.portal = exec.CommandContext(ctx, t.program, command)
	t.portal.Env, t.portal.Dir, t.portal.Stdout, t.portal.Stderr = env, t.home, log, log
	t.portal.Cancel = func() error { return t.portal.Process.Signal(syscall.SIGTERM) }
	if err := t.portal.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	t.ended = ended
	go func() {
		defer close(ended)
		_ = t.portal.Wait()
	}()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			return fmt.Errorf("portal %s has ended: see %s", command, log.Name())
		default:
		}
		r, err := http.Get(t.inside + "/readyz")
		if err != nil {
			continue
		}
		_ = r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return nil
		}
	}
	t.end()
	return fmt.Errorf("portal %s does not come up: see %s", command, log.Name())
}

func (t *target) end() {
	if t.ended == nil {
		return
	}
	_ = t.portal.Process.Signal(syscall.SIGTERM)
	<-t.ended
}

func (t *target) stop() {
	if t.way != nil {
		_ = t.way.Close()
	}
	t.end()
}

// signIn gives the form what it asks for, and keeps the session's cookie.
func (t *target) signIn() error {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.PostForm(t.inside+"/sign-in", url.Values{"email": {member}, "password": {password}})
	if err != nil {
		return err
	}
	_ = r.Body.Close()
	for _, c := range r.Cookies() {
		if strings.HasSuffix(c.Name, "session") {
			t.cookie = c.Name + "=" + c.Value
		}
	}
	if t.cookie == "" {
		return fmt.Errorf("signing in answers %d and no session", r.StatusCode)
	}
	_, page := t.get("/desk")
	m := regexp.MustCompile(`href="/commissions/([a-z0-9-]+-[a-z0-9-]+)`).FindStringSubmatch(page) // one of theirs
	if m == nil {
		return errors.New("the desk names no commission")
	}
	t.slug = m[1]
	return nil
}

func (t *target) get(path string) (int, string) {
	r, err := http.NewRequest(http.MethodGet, t.inside+path, nil)
	if err != nil {
		return 0, ""
	}
	r.Header.Set("Cookie", t.cookie)
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = a.Body.Close() }()
	body, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(body)
}

// fill puts the places of the sample into a path.
func (t *target) fill(path string) string {
	first := func(list, pattern string) string {
		_, page := t.get(list)
		if m := regexp.MustCompile(pattern).FindString(page); m != "" {
			return m
		}
		return "/nowhere"
	}
	if strings.Contains(path, "{document}") {
		path = strings.ReplaceAll(path, "{document}", first("/commissions/"+t.slug+"/documents", `/documents/[A-Z-]+-N\d+`))
	}
	if strings.Contains(path, "{organization}") {
		path = strings.ReplaceAll(path, "{organization}", first("/organizations", `/organizations/[a-z0-9]+-[a-z0-9-]+`))
	}
	return strings.NewReplacer("{commission}", "/commissions/"+t.slug, "{slug}", t.slug).Replace(path)
}

// asVisitor is a header of who asks without the session.
const asVisitor = "X-Visitor"

// guarded lets through what may be scanned, signed in. It renames the hidden field by which a
// form is carried out one time, since every form would be carried out one time; it
// comes from another address each time, as throttles go by that; and it takes every
// fault of the portal for a finding.
func (t *target) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		t.requests++
		n := t.requests
		t.mu.Unlock()
		if r.Header.Get(asVisitor) == "" {
			if closed.MatchString(r.URL.Path) {
				http.Error(w, "closed", http.StatusForbidden)
				return
			}
			r.Header.Set("Cookie", t.cookie)
		}
		r.Header.Del("Accept-Encoding") // wapiti says it takes brotli, and does not read it
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
		if err != nil {
			return
		}
		sent := body
		for _, key := range []string{`name="_key"`, "_key="} {
			body = bytes.ReplaceAll(body, []byte(key), []byte(strings.Replace(key, "_key", "_kez", 1)))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
		seen := &status{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.answered++
		if seen.code >= 500 {
			t.faults = append(t.faults, finding{"the portal", fmt.Sprint("a fault, ", seen.code), r.Method, r.URL.String(), "", fmt.Sprintf("with %.300q", sent)})
		}
	})
}

// fetched notes what the portal fetched because somebody asked it to: nothing.
// wapiti asks here for the same, and is told so.
func (t *target) fetched(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
	if strings.HasPrefix(r.URL.Path, "/get_") || r.URL.Path == "/" || r.URL.Path == "/favicon.ico" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, finding{"the portal", "fetched what it was told to", r.Method, r.URL.String(), "", r.UserAgent()})
}

func (t *target) seen() []finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.faults)
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// wapiti scans from the entrances on, a few links and all forms of each: half of the time to find pages, and a share
// of the rest for each module.
func wapiti(ctx context.Context, t *target, most time.Duration) ([]finding, error) {
	report := filepath.Join(t.home, "wapiti.json")
	quick, slow, _ := strings.Cut(modules, "|")
	crawl := most / 2
	each := (most - crawl) / time.Duration(len(strings.Split(slow, ",")))
	args := []string{"-u", t.URL + "/", "-m", quick + "," + slow, "-f", "json", "-o", report, "-v", "1", "-t", "20", "-d", "5", "-S", "normal",
		"--max-links-per-page", "2", "--max-files-per-dir", "25", "--max-parameters", "30", "--max-scan-time", fmt.Sprint(int(crawl.Seconds())), "--max-attack-time", fmt.Sprint(int(each.Seconds())),
		"--endpoint", t.canary, "--store-session", t.home, "--store-config", t.home, "--flush-session", "--no-bugreport", "--verify-ssl", "0"} // -x, which would spare it the theme's form of every page, fails on Python 3.11
	for _, path := range entrances {
		args = append(args, "-s", t.URL+t.fill(path))
	}
	out, err := command(ctx, t, most+2*time.Minute, "wapiti", args...)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(report)
	if err != nil {
		return nil, fmt.Errorf("wapiti left no report: %w\n%s", err, tail(out))
	}
	type entry struct{ Method, Path, Info, Parameter string }
	var r struct {
		Vulnerabilities, Anomalies map[string][]entry
		Infos                      struct {
			Crawled int `json:"crawled_pages_nbr"`
		}
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("wapiti's report: %w", err)
	}
	var found []finding
	for _, part := range []map[string][]entry{r.Vulnerabilities, r.Anomalies} {
		for category, entries := range part {
			for _, e := range entries {
				found = append(found, finding{"wapiti", category, e.Method, e.Path, e.Parameter, e.Info})
			}
		}
	}
	return found, nil
}

// sqlmap asks of every parameter of the queries whether it is a way into SQL, as long
// as there is time.
func sqlmap(ctx context.Context, t *target, most time.Duration) (found []finding, asked int, err error) {
	end := time.Now().Add(most)
	for _, q := range queries {
		if time.Now().After(end) {
			break
		}
		visitor := strings.HasPrefix(q, "!")
		path, form, post := strings.Cut(strings.TrimPrefix(q, "!"), " ")
		path = t.fill(path)
		if status := t.first(path, form, post, visitor); status >= 400 && (!post || status == 404 || status == 405) {
			return nil, asked, fmt.Errorf("the list of queries is out of date: %s answers %d", path, status)
		}
		args := []string{"-u", t.URL + path, "--batch", "--disable-coloring", "--dbms=PostgreSQL", "--technique=BEUST", "--level=1", "--risk=1", "--threads=1", "--timeout=20", "--retries=1",
			"--flush-session", "--output-dir", filepath.Join(t.home, "sqlmap"), "--ignore-code=*"}
		if visitor {
			args = append(args, "--headers", asVisitor+": 1")
		}
		if post {
			args = append(args, "--data", form, "--ignore-redirects")
		}
		out, err := command(ctx, t, time.Until(end)+30*time.Second, "sqlmap", args...)
		if err != nil {
			return nil, asked, err
		}
		asked++
		if strings.Contains(out, "identified the following injection point") || strings.Contains(out, "is vulnerable") {
			found = append(found, finding{"sqlmap", "SQL injection", map[bool]string{true: "POST", false: "GET"}[post], path, form, tail(out)})
		}
	}
	return found, asked, nil
}

// first asks as sqlmap will.
func (t *target) first(path, form string, post, visitor bool) int {
	r, err := http.NewRequest(map[bool]string{true: http.MethodPost, false: http.MethodGet}[post], t.URL+path, strings.NewReader(form))
	if err != nil {
		return 0
	}
	if post {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if visitor {
		r.Header.Set(asVisitor, "1")
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0
	}
	_ = a.Body.Close()
	return a.StatusCode
}

// command runs a scanner, whose words are kept, and ends it when its time is over.
func command(all context.Context, t *target, most time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(all, most)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = t.home, append(os.Environ(), "HOME="+t.home)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	log, e := os.OpenFile(filepath.Join(t.home, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if e == nil {
		_, _ = fmt.Fprintf(log, "\n$ %s %q\n%s", name, args, out.String())
		_ = log.Close()
	}
	if all.Err() != nil {
		return "", all.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return out.String(), nil
}

func tail(s string) string { return s[max(0, len(s)-1500):] }

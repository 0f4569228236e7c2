// Command mutants takes every guard of the portal out, one at a time, and sees
// whether a test fails: each call that asks internal/access (that one call lets
// everybody through, and its permit is not asked again), and each row of
// policies/*.csv (dropped; and widened to the next weaker role that has it not).
// It prints what survived and fails if that is not in known.txt, with its reason.
//
//	go run ./internal/postgres/private/serve -- go run ./.ci/mutants
//
// The sources are rewritten once (go build -overlay), so that which guard is out is
// said by the environment, and the tests are compiled once. One run without a
// mutant writes down in which tests a guard said no, or a row decided; only these can
// tell, and only these are run, the cheapest first, until one fails. A test that
// fails without the mutant as well is none that tells.
package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const dir = "var/test/mutants"

var (
	workers = flag.Int("p", 2, "how many mutants are tried at once")
	only    = flag.String("run", "", "only mutants whose name matches this expression")
	wrap    = flag.String("exec", "", "a program that starts the tests, as go test has it")
	again   = flag.Bool("again", false, "with the programs and records of the last run that are still there")
	verbose = flag.Bool("v", false, "say of every mutant what killed it")
)

// mostTests bounds how many tests are run for one mutant.
var mostTests = flag.Int("tests", 30, "how many tests at most are tried on one mutant")

var dry = flag.Bool("list", false, "only list the mutants")

func main() {
	flag.Parse()
	survived, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
	if err != nil || survived {
		os.Exit(1)
	}
}

// mutant is one guard taken out.
type mutant struct {
	name  string // without a line, so that known.txt stays right
	where string // file:line
	env   string
	site  int // of a call
	row   *change
	tests []*test // that can tell
	by    string  // the test that did
	tried int
}

// test is a test, or some subtests of one, that a run without mutants has seen.
type test struct {
	pkg, name string // name: for -test.run
	took      time.Duration
	once      sync.Once
	passes    bool // alone and without a mutant
}

func run() (survivors bool, err error) {
	began := time.Now()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false, err
	}
	rows, err := changes()
	if err != nil {
		return false, err
	}
	mutants, err := instrument()
	if err != nil {
		return false, err
	}
	if *dry {
		for _, m := range append(mutants, rows...) {
			fmt.Println(m.where, m.name)
		}
		return false, nil
	}
	packages, skip, err := tested()
	if err != nil {
		return false, err
	}
	for _, p := range packages {
		if _, err := os.Stat(binary(p)); err == nil && *again {
			continue
		}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", dir+"/overlay.json", "-o", binary(p), "./"+p)
		if *wrap != "" {
			cmd = exec.Command(*wrap, cmd.Args...)
		}
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return false, fmt.Errorf("compile the tests of %s: %w", p, err)
		}
	}
	seen, err := record(packages, skip)
	if err != nil {
		return false, err
	}
	fmt.Printf("%d calls that ask, %d more for what everybody may, and %d changes of rows; seen without a mutant after %.0f s\n", len(mutants), everybody, len(rows), time.Since(began).Seconds())
	for _, m := range mutants {
		m.tests = seen.telling(seen.refused[m.site])
	}
	for _, m := range rows {
		m.tests = seen.telling(seen.decided(m.row))
	}
	all := append(mutants, rows...)
	if *only != "" {
		match, err := regexp.Compile(*only)
		if err != nil {
			return false, err
		}
		all = slices.DeleteFunc(all, func(m *mutant) bool { return !match.MatchString(m.name) })
	}
	queue := make(chan *mutant)
	var wait sync.WaitGroup
	for range *workers {
		wait.Go(func() {
			for m := range queue {
				m.try()
				if *verbose {
					fmt.Printf("%s %s: %s\n", m.where, m.name, cmp.Or(m.by, fmt.Sprintf("SURVIVED %d tests", m.tried)))
				}
			}
		})
	}
	for _, m := range all {
		queue <- m
	}
	close(queue)
	wait.Wait()
	return report(all, time.Since(began))
}

// most is how long one test may take.
const most = 60 * time.Second

func (m *mutant) try() {
	for _, t := range m.tests {
		if m.tried == *mostTests {
			return
		}
		m.tried++
		if t.run(m.env) {
			continue
		}
		t.once.Do(func() { t.passes = t.run("MUTANT=") || t.run("MUTANT=") })
		if t.passes {
			m.by = t.pkg + " " + t.name
			return
		}
	}
}

// run reports whether the test passes.
func (t *test) run(env string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), most+10*time.Minute*time.Duration(min(len(*wrap), 1)))
	defer cancel()
	_, err := start(ctx, t.pkg, env, "-test.run="+t.name, "-test.failfast", "-test.timeout="+most.String()).Output()
	return err == nil
}

func binary(pkg string) string {
	return dir + "/" + strings.ReplaceAll(strings.TrimPrefix(pkg, "internal/"), "/", "-") + ".test"
}

// start is a run of the tests of a package. PROVE: all of TestMatrix and TestStates.
func start(ctx context.Context, pkg, env string, args ...string) *exec.Cmd {
	program, err := filepath.Abs(binary(pkg))
	if err != nil {
		panic(err)
	}
	args = append([]string{program}, args...)
	if *wrap != "" {
		args = append([]string{*wrap}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = pkg, append(os.Environ(), "PROVE=1", "CI=", env)
	return cmd
}

func report(all []*mutant, took time.Duration) (bool, error) {
	known, err := excused()
	if err != nil {
		return false, err
	}
	slices.SortStableFunc(all, func(a, b *mutant) int { return cmp.Compare(a.where, b.where) })
	new, total, killed := 0, map[string]int{}, map[string]int{}
	for _, m := range all {
		kind := "calls that ask"
		if m.row != nil {
			kind = map[bool]string{true: "rows dropped", false: "rows widened"}[m.row.drop]
		}
		total[kind]++
		reason, excuse := known[m.name]
		delete(known, m.name)
		switch {
		case m.by != "" && excuse:
			fmt.Printf("killed, and excused in known.txt: %s\n", m.name)
			killed[kind]++
		case m.by != "":
			killed[kind]++
		case excuse:
			fmt.Printf("survived, known: %s %s: %s\n", m.where, m.name, reason)
		default:
			new++
			fmt.Printf("SURVIVED %s %s (%d tests could tell)\n", m.where, m.name, len(m.tests))
		}
	}
	for name := range known {
		if *only == "" {
			new++
			fmt.Printf("known.txt excuses what is not there: %s\n", name)
		}
	}
	for _, kind := range []string{"calls that ask", "rows dropped", "rows widened"} {
		fmt.Printf("%s: %d of %d killed\n", kind, killed[kind], total[kind])
	}
	fmt.Printf("%d survivors without an excuse, in %.0f s\n", new, took.Seconds())
	return new > 0, nil
}

// excused are the survivors of known.txt: name, " # ", reason.
func excused() (map[string]string, error) {
	text, err := os.ReadFile(".ci/mutants/known.txt")
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, " # ")
		if !ok {
			return nil, fmt.Errorf("known.txt: no reason in %q", line)
		}
		known[name] = reason
	}
	return known, nil
}

// seen is what a run without mutants saw.
type seen struct {
	took    map[string]time.Duration // by unit
	refused map[int]map[string]bool  // site → units in which a guard there said no
	asked   map[string]map[string]bool
}

// unit is a test as "package test", or of TestMatrix and TestStates "package test/subtest".
func unit(pkg, test string) string {
	top, _, sub := strings.Cut(test, "/")
	if sub && (top == "TestMatrix" || top == "TestStates") {
		return pkg + " " + strings.Join(strings.SplitN(test, "/", 3)[:2], "/")
	}
	return pkg + " " + top
}

// The lines of go test -v, and those of the instrumented program.
var (
	running = regexp.MustCompile(`^(?:=== (?:RUN|CONT|NAME)\s+|\s*--- (?:PASS|FAIL|SKIP): )(Test[^ \n]*)(?: \(([0-9.]+)s\))?`)
	noted   = regexp.MustCompile(`^##(site|ask) (.*)$`)
)

func record(packages []string, skip map[string][]string) (*seen, error) {
	s := &seen{map[string]time.Duration{}, map[int]map[string]bool{}, map[string]map[string]bool{}}
	for _, p := range packages {
		file := binary(p) + ".seen"
		if _, err := os.Stat(file); err != nil || !*again {
			out, err := os.Create(file)
			if err != nil {
				return nil, err
			}
			args := []string{"-test.v", "-test.parallel=1", "-test.timeout=20m"}
			if len(skip[p]) > 0 {
				args = append(args, "-test.skip=^("+strings.Join(skip[p], "|")+")$")
			}
			cmd := start(context.Background(), p, "MUTANT=record", args...)
			cmd.Stdout = out
			failed := cmd.Run()
			if err := out.Close(); err != nil {
				return nil, err
			}
			if failed != nil {
				fmt.Printf("%s fails without a mutant: its failed tests do not count (%s)\n", p, file)
			}
		}
		if err := s.read(p, file); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *seen) read(pkg, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 10<<20)
	current := ""
	for lines.Scan() {
		line := lines.Text()
		if m := running.FindStringSubmatch(line); m != nil {
			current = m[1]
			if seconds, err := strconv.ParseFloat(m[2], 64); err == nil {
				s.took[pkg+" "+m[1]] = time.Duration(seconds * float64(time.Second))
			}
			continue
		}
		m := noted.FindStringSubmatch(line)
		if m == nil || current == "" {
			continue
		}
		u := unit(pkg, current)
		if m[1] == "ask" {
			add(s.asked, m[2], u)
			continue
		}
		for site := range strings.FieldsSeq(m[2]) {
			n, err := strconv.Atoi(site)
			if err != nil {
				return err
			}
			add(s.refused, n, u)
		}
	}
	return lines.Err()
}

func add[K comparable](to map[K]map[string]bool, key K, unit string) {
	if to[key] == nil {
		to[key] = map[string]bool{}
	}
	to[key][unit] = true
}

var (
	tests = map[string]*test{}
	lock  sync.Mutex
)

// telling are the tests to run for units, the cheapest first: of TestMatrix and
// TestStates one run for up to ten subtests.
func (s *seen) telling(units map[string]bool) []*test {
	first, names, subs := []string{}, []string{}, map[string][]string{}
	for u := range units {
		pkg, name, _ := strings.Cut(u, " ")
		if top, sub, ok := strings.Cut(name, "/"); ok {
			subs[pkg+" "+top] = append(subs[pkg+" "+top], regexp.QuoteMeta(sub))
		} else if name == "TestDecisions" { // it knows of every row
			first = append(first, pkg+" ^"+name+"$")
		} else if s.took[u] < most/6 {
			names = append(names, pkg+" ^"+name+"$")
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.took[plain(a)], s.took[plain(b)]), cmp.Compare(a, b))
	})
	some := []string{}
	for top, list := range subs {
		slices.Sort(list)
		pkg, name, _ := strings.Cut(top, " ")
		for part := range slices.Chunk(list, 10) {
			some = append(some, pkg+" ^"+name+"$/^("+strings.Join(part, "|")+")$")
		}
	}
	slices.Sort(some)
	some = some[:min(len(some), *mostTests/3)]
	// What takes no second goes before these, and the rest after it.
	cheap := slices.IndexFunc(names, func(n string) bool { return s.took[plain(n)] > 800*time.Millisecond })
	if cheap < 0 {
		cheap = len(names)
	}
	cheap = min(cheap, 3)
	names = slices.Concat(first, names[:cheap], some, names[cheap:])
	list := []*test{}
	lock.Lock()
	defer lock.Unlock()
	for _, n := range names {
		if tests[n] == nil {
			pkg, name, _ := strings.Cut(n, " ")
			tests[n] = &test{pkg: pkg, name: name, took: s.took[plain(n)]}
		}
		list = append(list, tests[n])
	}
	return list
}

func plain(name string) string { return strings.NewReplacer("^", "", "$", "").Replace(name) }

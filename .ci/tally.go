// Command tally runs "go test -json …" and shows what one wants to read of it:
// a line for each package, all that failed and skipped tests said, and at the
// end the count of tests (subtests are tests), which it also writes to
// var/test/tally. It fails if the tests fail, or if there were none.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// event is a line of go test -json; see `go doc test2json`.
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
}

type key struct{ pkg, test string }

// tally counts events and keeps what unfinished tests have said.
type tally struct {
	passed, failed, skipped int
	said                    map[key]*strings.Builder
	failedIn                map[string]bool // packages with a failed test
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: tally go test -json …")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	t := &tally{said: map[key]*strings.Builder{}, failedIn: map[string]bool{}}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			t.read(line)
		}
		if err != nil {
			break
		}
	}
	result := cmd.Wait()

	count := fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
	fmt.Println(count)
	path := filepath.Join("var", "test", "tally")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(count+"\n"), 0o644); err != nil {
		return err
	}
	switch {
	case result != nil:
		return fmt.Errorf("the tests failed: %w", result)
	case t.failed > 0:
		return fmt.Errorf("the tests failed")
	case t.passed == 0:
		return fmt.Errorf("no test passed, so nothing was tested")
	}
	return nil
}

func (t *tally) read(line string) {
	var e event
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		fmt.Print(line) // not from a test
		return
	}
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Print(e.Output)
	case "output":
		if e.Test == "" {
			if e.Output != "PASS\n" && !strings.Contains(e.Output, "[no test files]") {
				fmt.Print(e.Output)
			}
			return
		}
		if t.said[k] == nil {
			t.said[k] = &strings.Builder{}
		}
		if !strings.HasPrefix(e.Output, "=== ") { // RUN, PAUSE, CONT, NAME
			t.said[k].WriteString(e.Output)
		}
	case "pass":
		if e.Test != "" {
			t.passed++
			delete(t.said, k)
		}
	case "skip":
		if e.Test != "" { // a package without tests is no skipped test
			t.skipped++
			t.tell(k)
		}
	case "fail":
		switch {
		case e.Test != "":
			t.failed++
			t.failedIn[e.Package] = true
			t.tell(k)
		case !t.failedIn[e.Package]: // does not build, or died between tests
			t.failed++
			fallthrough
		default:
			for k := range t.said { // of tests that did not end
				if k.pkg == e.Package {
					t.tell(k)
				}
			}
		}
	}
}

// tell prints what a test has said.
func (t *tally) tell(k key) {
	if b := t.said[k]; b != nil {
		fmt.Printf("%s (%s)\n%s", k.test, k.pkg, b)
		delete(t.said, k)
	}
}

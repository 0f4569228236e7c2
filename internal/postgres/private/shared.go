package private

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"commissionportal/internal/problem"
)

// TestURL is the environment variable with the server that tests use; its role
// must be allowed to make databases, and ServingRole be there and trusted.
const TestURL = "TEST_DATABASE_URL"

// Uncached keeps the results of a test that asks for it out of Go's cache, because
// it depends on what the cache does not see: a server, a browser, the kernel.
// `make test` says in TEST_RUN which run it is, and the cache sees who reads that.
func Uncached() { _ = os.Getenv("TEST_RUN") }

// shared is the test server of this process, once it is needed.
var shared struct {
	sync.Mutex
	server *Server
}

// Shared returns the address of the test server's database "postgres", in which
// tests make databases of their own: the server in TEST_DATABASE_URL, which
// `make test` starts once for all packages, else one of this process, which
// ends with it (about 0.7 s at the first call).
func Shared(ctx context.Context) (string, error) {
	Uncached()
	if url := os.Getenv(TestURL); url != "" {
		return url, nil
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := StartTest(ctx, os.Stderr)
		if err != nil {
			return "", err
		}
		shared.server = s
	}
	return shared.server.URL("postgres"), nil
}

// StartTest starts an empty, temporary server in memory, or where there is too
// little of it under var/test of the checkout that the working directory is in;
// PostgreSQL is installed if that is possible. Packages tested at the same time
// get one each.
func StartTest(ctx context.Context, out io.Writer) (*Server, error) {
	if err := Install(ctx, out); err != nil {
		return nil, err
	}
	dir := memory()
	if dir == "" {
		root, err := Checkout()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(root, "var", "test")
	}
	for n := 1; ; n++ {
		s, err := Start(ctx, Config{Dir: filepath.Join(dir, "postgres-"+strconv.Itoa(n)), Temporary: true, Out: out})
		if problem.Of(err, problem.Conflict) && n < 100 {
			continue // another process has it
		}
		return s, err
	}
}

// Checkout is the directory of go.mod, from the working directory upwards.
func Checkout() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	return "", fmt.Errorf("private server: %w", err)
}

package account

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unexported are tables that name persons and are not in an export, and why.
var unexported = map[string]string{
	"half_session":      "lives ten minutes, and is nothing but a secret's hash",
	"identity_request":  "lives ten minutes, and is nothing but secrets",
	"passkey_challenge": "lives five minutes, and is nothing but a challenge",
	"ticket":            "a mailed link: a secret's hash",
	"idempotency":       "answers to requests sent twice, for two days",
}

// TestExportHasAll compares the export with the tables that name persons.
func TestExportHasAll(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	named := map[string]bool{}
	create, column := regexp.MustCompile(`(?s)CREATE TABLE ([a-z_]+) \((.*?)\);`), regexp.MustCompile(`REFERENCES person|person_id +uuid`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range create.FindAllStringSubmatch(string(text), -1) {
			if column.MatchString(m[2]) {
				named[m[1]] = true
			}
		}
	}
	if len(named) < 25 {
		t.Fatalf("only %d tables name persons: the test looked in the wrong place", len(named))
	}
	var all strings.Builder
	for _, part := range exported {
		all.WriteString(part.query + " ")
	}
	for table := range unexported {
		if !named[table] {
			t.Errorf("%s names nobody", table)
		}
	}
	for table := range named {
		in := regexp.MustCompile(`(FROM|JOIN) ` + table + `\b`).MatchString(all.String())
		if _, why := unexported[table]; in == why {
			t.Errorf("%s names persons: in the export %v, in the list of what is not %v", table, in, why)
		}
	}
}

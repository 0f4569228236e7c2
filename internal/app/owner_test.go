package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// owners are the tables that each room writes. A capability writes its own and
// may join any when it reads.
var owners = map[string][]string{
	"account":      {"person", "portal_role", "session", "token", "ticket", "sign_up", "attempt", "idempotency", "half_session", "authenticator", "recovery_code", "passkey", "passkey_challenge", "factor_role", "identity", "identity_request", "erasure", "person_former", "address_change"},
	"organization": {"organization", "organization_name", "organization_logo", "affiliation", "participation", "participation_request"},
	"commission":   {"sector", "founding_threshold", "commission", "commission_name", "support", "charter", "milestone"},
	"membership":   {"seat", "term_notice", "application", "invitation"},
	"document":     {"register", "file", "file_text", "document", "document_version", "share", "sharing", "document_access", "document_search", "document_unindexed", "document_word", "upload", "document_notice", "document_call"},
	"intake":       {"import", "import_file", "import_line", "import_key"},
	"rights":       {"access_rules", "access_rule", "commission_role", "commission_role_holder", "access_review"},
	"journal":      {"idempotency", "journal_head", "journal_entry", "journal_heads", "journal_amendment"},
	"web":          {"idempotency", "session"},
	"mail":         {"mail"},
	"jobs":         {"river_job", "every"},
	"postgres":     {"change_count"},
}

// exempt fill an empty database.
var exempt = []string{"sample", "world"}

var writes = regexp.MustCompile(`(?is)\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?([a-z_]+)(?:\s+(?:AS\s+)?[a-z]+)?\s*(?:\(|SET\b|WHERE\b|SELECT\b|DEFAULT\b|VALUES\b|USING\b|$)`)

func TestOwnTablesOnly(t *testing.T) {
	t.Parallel()
	tables := schema(t)
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		room := strings.Split(filepath.ToSlash(path), "/")[1]
		if slices.Contains(exempt, room) || room == "app" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, sql := range literals(string(text)) {
			for _, m := range writes.FindAllStringSubmatch(sql, -1) {
				table := strings.ToLower(m[1])
				if !tables[table] { // a temporary table, ON CONFLICT DO UPDATE SET, prose
					continue
				}
				found++
				if !slices.Contains(owners[room], table) {
					t.Errorf("%s writes %s, which is not %s's", path, table, room)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 10 {
		t.Errorf("found %d statements that write: the test looked in the wrong place", found)
	}
}

var quoted = regexp.MustCompile("(?s)`[^`]*`")

func literals(text string) []string { return quoted.FindAllString(text, -1) }

// schema is the set of tables that the migrations make.
func schema(t *testing.T) map[string]bool {
	files, err := filepath.Glob("../../migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	tables := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?i)CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)`).FindAllStringSubmatch(string(text), -1) {
			tables[m[1]] = true
		}
	}
	return tables
}

package main

import (
	"net"
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestDoctor looks at a portal that is well, and at one thing wrong after the other.
func TestDoctor(t *testing.T) {
	p := apptest.New(t)
	gone, err := net.Listen("tcp", "127.0.0.1:0") // nobody listens there any more
	if err != nil {
		t.Fatal(err)
	}
	port := gone.Addr().String()[strings.LastIndexByte(gone.Addr().String(), ':')+1:]
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		settings map[string]string
		sql      string
		want     []string
		wrong    string
	}{
		{"well", nil, "", []string{"ok    settings", "ok    database: PostgreSQL", "ok    clock", "ok    schema: up to date", "ok    files", "ok    backup", "note  mail: without SMTP_HOST", "note  scanner"}, ""},
		{"a setting", map[string]string{"BASE_URL": "portal.example.org"}, "", []string{"FAIL  settings: ", "BASE_URL", "ok    database"}, "1 of these are wrong"},
		{"a setting that is no number", map[string]string{"PORT": "http"}, "", []string{"FAIL  settings: "}, "1 of these are wrong"},
		{"no server", map[string]string{"DATABASE_URL": "postgres://x@127.0.0.1:" + port + "/x?sslmode=disable"}, "", []string{"FAIL  database: ", "Is the server running", "ok    files"}, "1 of these are wrong"},
		{"no place for files", map[string]string{"FILES": "file:///proc/portal"}, "", []string{"FAIL  files: ", "may the portal's account write there"}, "1 of these are wrong"},
		{"mail and scanner", map[string]string{"SMTP_HOST": "127.0.0.1", "SMTP_PORT": port, "SMTP_TLS": "off", "MAIL_FROM": "portal@example.org", "CLAMD": "tcp://127.0.0.1:" + port}, "",
			[]string{"FAIL  mail: ", "FAIL  scanner: "}, "2 of these are wrong"},
		{"an old schema", nil, `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`, []string{"FAIL  schema: 1 migrations", "Run `portal migrate`"}, "1 of these are wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("DATABASE_URL", p.DatabaseURL)
			t.Setenv("FILES", p.Config.Files)
			for name, value := range tt.settings {
				t.Setenv(name, value)
			}
			if tt.sql != "" {
				p.Exec(tt.sql)
			}
			said, err := output(t, func() error { return doctorCommand{}.Run(t.Context()) })
			if err == nil && tt.wrong != "" || err != nil && err.Error() != tt.wrong {
				t.Errorf("ends with %v, want %q", err, tt.wrong)
			}
			for _, w := range tt.want {
				if !strings.Contains(said, w) {
					t.Errorf("does not say %q:\n%s", w, said)
				}
			}
		})
	}
}

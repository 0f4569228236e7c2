package jobs_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "github.com/lib/pq"

	"commissionportal/internal/jobs"
	"commissionportal/internal/postgres/private"
)

// database is a new database of the test's own, with River's tables.
func database(t *testing.T, parameters string) *sql.DB {
	t.Helper()
	db := emptyDatabase(t, parameters)
	if err := jobs.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

func emptyDatabase(t *testing.T, parameters string) *sql.DB {
	t.Helper()
	address, err := private.Shared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := sql.Open("postgres", server.String())
	if err != nil {
		t.Fatal(err)
	}
	name := "jobs_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Error(err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	})
	server.Path = "/" + name
	server.RawQuery = strings.Trim(server.RawQuery+"&"+parameters, "&")
	db, err := sql.Open("postgres", server.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

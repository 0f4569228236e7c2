package jobs_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "github.com/lib/pq"

	"commissionportal/internal/jobs"
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
	server, err := url.Parse(serverURL(t))
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
	if parameters != "" {
		server.RawQuery += "&" + parameters
	}
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

func serverURL(t *testing.T) string {
	t.Helper()
	if u := os.Getenv("TEST_DATABASE_URL"); u != "" {
		return u
	}
	t.Fatal("TEST_DATABASE_URL is not set")
	return ""
}

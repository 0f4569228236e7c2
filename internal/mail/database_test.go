package mail_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	_ "github.com/lib/pq"

	"commissionportal/internal/jobs"
	"commissionportal/internal/postgres"
	"commissionportal/internal/postgres/private"
	"commissionportal/migrations"
)

// template is migrated once; the databases of the tests are copies of it.
var template = sync.OnceValues(func() (name string, err error) {
	name = "mail_template_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	admin, err := server("")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	db, err := server(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := jobs.Migrate(context.Background(), db); err != nil {
		return "", err
	}
	_, err = postgres.Migrate(context.Background(), db, migrations.Files)
	return name, err
})

// server opens a database of the run's server; "" is the one of its address.
func server(name string) (*sql.DB, error) {
	address, err := private.Shared(context.Background())
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if name != "" {
		at.Path = "/" + name
	}
	return sql.Open("postgres", at.String())
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := drop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// drop removes the template, if a test has made it.
func drop() (err error) {
	if !made.Load() {
		return nil
	}
	name, err := template()
	if err != nil {
		return err
	}
	admin, err := server("")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	_, err = admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
	return err
}

var made atomic.Bool

// database is a new database of the test's own, with the portal's schema.
func database(t *testing.T) *sql.DB {
	t.Helper()
	made.Store(true)
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	admin, err := server("")
	if err != nil {
		t.Fatal(err)
	}
	name := "mail_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + from + " STRATEGY file_copy"); err != nil {
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
	db, err := server(name)
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

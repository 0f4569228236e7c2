package world

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq"
)

// bare is the schema without what makes writing slow: indexes, constraints that need
// one or look into other tables, and triggers. Everything is made again from what
// Postgres said of it.
type bare struct {
	db       *sql.DB
	indexes  []index
	foreign  []string // statements that make the foreign keys again
	triggers []string
}

// index is an index of a table, or a constraint that has one.
type index struct{ table, name, method, make string }

// filled are the tables that the world writes.
var filled = pq.StringArray{"person", "organization", "affiliation", "commission", "charter", "milestone", "participation", "support", "seat", "application", "register",
	"file", "file_text", "document", "document_version", "document_search", "document_word", "document_access", "share", "journal_entry", "access_rules", "access_rule"}

func strip(ctx context.Context, db *sql.DB) (b *bare, err error) {
	b = &bare{db: db}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing once it is committed
	drop := map[string][]string{}
	read := func(query string, fn func(table, name, kind, definition string)) {
		if err != nil {
			return
		}
		var list *sql.Rows
		if list, err = tx.QueryContext(ctx, query, filled); err != nil {
			return
		}
		defer func() { err = errors.Join(err, list.Close(), list.Err()) }()
		for list.Next() {
			var table, name, kind, definition string
			if err = list.Scan(&table, &name, &kind, &definition); err != nil {
				return
			}
			fn(table, name, kind, definition)
		}
	}
	read(`SELECT conrelid::regclass::text, quote_ident(conname), contype::text, pg_get_constraintdef(oid) FROM pg_constraint
		WHERE contype = 'f' AND confrelid = ANY($1::text[]::regclass[]) OR contype IN ('f', 'p', 'u', 'x') AND conrelid = ANY($1::text[]::regclass[]) ORDER BY conrelid, conname`,
		func(table, name, kind, definition string) {
			make := "ALTER TABLE " + table + " ADD CONSTRAINT " + name + " " + definition
			drop[kind] = append(drop[kind], "ALTER TABLE "+table+" DROP CONSTRAINT "+name)
			if kind == "f" {
				b.foreign = append(b.foreign, make)
			} else {
				b.indexes = append(b.indexes, index{table, name, map[string]string{"x": "gist"}[kind], make})
			}
		})
	read(`SELECT x.indrelid::regclass::text, x.indexrelid::regclass::text, m.amname, pg_get_indexdef(x.indexrelid) FROM pg_index x
		JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
		WHERE x.indrelid = ANY($1::text[]::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = x.indexrelid AND contype IN ('p', 'u', 'x')) ORDER BY 1, 2`,
		func(table, name, method, definition string) {
			drop["i"] = append(drop["i"], "DROP INDEX "+name)
			b.indexes = append(b.indexes, index{table, name, method, definition})
		})
	if err != nil {
		return nil, err
	}
	var do []string
	for _, table := range filled {
		do = append(do, "ALTER TABLE "+table+" DISABLE TRIGGER USER")
		b.triggers = append(b.triggers, "ALTER TABLE "+table+" ENABLE TRIGGER USER")
	}
	for _, always := range []string{"journal_entry_kept", "journal_entry_amended"} { // see migrations 0025 and 0028
		b.triggers = append(b.triggers, "ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER "+always)
	}
	for _, kind := range []string{"f", "x", "u", "p", "i"} {
		do = append(do, drop[kind]...)
	}
	for _, statement := range do {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return b, tx.Commit()
}

// begin makes the indexes of a table while other tables are written.
func (b *bare) begin(ctx context.Context, table string) (done chan error) {
	var own []index
	b.indexes = slices.DeleteFunc(b.indexes, func(i index) bool {
		if i.table == table {
			own = append(own, i)
		}
		return i.table == table
	})
	done = make(chan error, 1)
	go func() { done <- b.build(ctx, own) }()
	return done
}

func (b *bare) build(ctx context.Context, list []index) error {
	conn, err := b.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "SET max_parallel_maintenance_workers = 1"); err != nil {
		return err
	}
	for _, i := range list {
		memory := "1GB"
		if i.method == "gin" { // what is gathered for it is searched with each lexeme: quicker in little
			memory = "16MB"
		}
		if _, err := conn.ExecContext(ctx, "SET maintenance_work_mem = '"+memory+"'"); err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, i.make); err != nil {
			return fmt.Errorf("%s: %w", i.name, err)
		}
	}
	return nil
}

// restore makes everything again. others is what was begun before.
func (b *bare) restore(ctx context.Context, others <-chan error, say func(format string, args ...any)) error {
	started := time.Now()
	byTable := map[string][]index{} // two of one table at once would wait for each other
	for _, i := range b.indexes {
		byTable[i.table] = append(byTable[i.table], i)
	}
	tables := make(chan []index, len(byTable))
	for _, table := range []string{"seat", "document", "participation", "affiliation", "journal_entry", "document_access"} { // the longest first
		if list, ok := byTable[table]; ok {
			tables <- list
			delete(byTable, table)
		}
	}
	for _, list := range byTable {
		tables <- list
	}
	close(tables)
	var wait sync.WaitGroup
	failed := make([]error, 2)
	for n := range failed {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if n > 0 { // the other processor is busy until then
				if failed[n] = <-others; failed[n] != nil {
					return
				}
				say("what documents are found by is indexed in %s more", time.Since(started).Round(time.Second))
			}
			for list := range tables {
				if failed[n] = b.build(ctx, list); failed[n] != nil {
					return
				}
			}
		}()
	}
	wait.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for _, statement := range slices.Concat(b.foreign, b.triggers) {
		if _, err := b.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(statement), err)
		}
	}
	say("indexes and constraints made in %s", time.Since(started).Round(time.Second))
	return nil
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	placeholder = regexp.MustCompile(`\$(\d+)`)
	scriptRate  = regexp.MustCompile(`tps = ([\d.]+)`)
)

// script has pgbench run the statements of an operation, prepared, by eight
// connections: what Postgres gives without any program between.
func script(ctx context.Context, database string, op operation, o options) (m measured, err error) {
	var b strings.Builder
	for _, s := range op.Statements {
		types, err := parameters(ctx, database, s.Query)
		if err != nil {
			return m, err
		}
		b.WriteString(placeholder.ReplaceAllStringFunc(s.Query, func(at string) string {
			n, _ := strconv.Atoi(at[1:]) // the expression lets digits through alone
			if n < 1 || n > len(s.Args) || s.Args[n-1] == nil {
				return "NULL"
			}
			return literal(*s.Args[n-1]) + "::" + types[n-1]
		}))
		b.WriteString(";\n")
	}
	dir, err := os.MkdirTemp("", "bench-script-")
	if err != nil {
		return m, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "statements.sql")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return m, err
	}
	out, err := exec.CommandContext(ctx, o.pgbench, "-n", "-M", "prepared", "-c", "8", "-T", strconv.Itoa(o.seconds), "-f", file, database).CombinedOutput() //nolint:gosec // our own program
	if err != nil {
		return m, fmt.Errorf("pgbench: %w: %s", err, out[max(0, len(out)-2000):])
	}
	rate := scriptRate.FindSubmatch(out)
	if rate == nil {
		return m, fmt.Errorf("pgbench said %s", out)
	}
	m.Rate, err = strconv.ParseFloat(string(rate[1]), 64)
	return m, err
}

// parameters are the types that Postgres finds the parameters of a statement to have.
func parameters(ctx context.Context, database, query string) (types []string, err error) {
	db, err := open(database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "PREPARE bench AS "+query); err != nil {
		return nil, err
	}
	err = db.SelectContext(ctx, &types, `SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'bench'`)
	return types, err
}

// literal writes a text so that neither SQL nor pgbench, to which a colon begins a
// variable, reads anything into it.
func literal(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, ":", `\072`, "\n", `\n`).Replace(text) + "'"
}

// pgbenchPath is where the program is: Debian keeps it beside the server.
func pgbenchPath() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("pgbench is missing")
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}

// Package migrations holds the schema: plain SQL, applied in order of number,
// forward only. The old program runs on the new schema (expand, then contract).
package migrations

import "embed"

// Files are the migrations, as goose reads them.
//
//go:embed *.sql
var Files embed.FS

// Package policies holds who may do what: the model and one table of roles for
// each kind of scope, as CSV that a chair can read.
package policies

import "embed"

// Files are model.conf and the role tables.
//
//go:embed model.conf *.csv
var Files embed.FS

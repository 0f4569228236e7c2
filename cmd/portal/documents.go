package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/document"
	views "commissionportal/views/document"
)

type documentsCommand struct {
	Verify documentsVerifyCommand `cmd:"" help:"Read the content of every file again and compare it with its digest. Changes nothing; ends with 1 if something is wrong."`
}

type documentsVerifyCommand struct {
	Quiet bool `help:"Say nothing of how far it has come."`
}

// Run verifies all files.
func (c documentsVerifyCommand) Run(ctx context.Context) error {
	return offline(func(a *app.App) error {
		v, err := a.Documents.Verify(ctx, func(w document.Wrong) {
			concerned := "no document has it"
			if len(w.Documents) > 0 {
				concerned = strings.Join(w.Documents, ", ")
			}
			fmt.Printf("%s %s: %s\n", w.Digest, w.What, concerned)
		}, document.Every(5*time.Second, func(v document.Verified) {
			if !c.Quiet {
				fmt.Fprintf(os.Stderr, "%d of %d files, %s\n", v.Files, v.All, views.Size(ctx, v.Bytes))
			}
		}))
		if err == nil && v.Wrong > 0 {
			err = fmt.Errorf("%d of %d files are not what they were", v.Wrong, v.Files)
		}
		if err == nil {
			fmt.Printf("All %d files are what they were (%s).\n", v.Files, views.Size(ctx, v.Bytes))
		}
		return err
	})
}

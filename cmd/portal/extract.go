package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"commissionportal/internal/extract"
)

// extractCommand is for whoever asks why a document is not found or not shown.
type extractCommand struct {
	Files    []string `arg:"" optional:"" name:"file" type:"existingfile" help:"Files to read."`
	Pictures string   `type:"existingdir" help:"Folder for pictures of the pages."`
	Width    int      `default:"1200" help:"Of the pictures."`
	Pages    int      `default:"3" help:"How many of them."`
	Prepare  bool     `help:"Compile the PDF engine into the cache, which the first PDF does otherwise."`
}

// Run reads the files one after the other.
func (c extractCommand) Run(ctx context.Context) error {
	if c.Prepare {
		if err := extract.Prepare(ctx, ""); err != nil {
			return err
		}
	}
	for _, name := range c.Files {
		if err := c.file(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c extractCommand) file(ctx context.Context, name string) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	stat, err := f.Stat()
	if err != nil {
		return err
	}
	found, err := extract.Sniff(f, stat.Size(), name)
	if err != nil {
		return err
	}
	wish := extract.Wish{Text: true, Table: true}
	if c.Pictures != "" {
		wish.Thumbnail, wish.First, wish.Last, wish.Width = 240, 1, c.Pages, c.Width
	}
	r, err := extract.Run(ctx, extract.Job{File: f, Name: name, Wish: wish})
	if err != nil {
		return err
	}
	fmt.Printf("%s\n  %s  mismatch %t  polyglot %t  %s\n  %s  %s  pages %d  %d bytes of text, cut %t  %s, %d MB\n", name,
		found.Type, found.Mismatch, found.Polyglot, found.Refuse, r.Outcome, r.Reason, r.Pages, len(r.Text), r.Cut, r.Took.Round(time.Millisecond), r.Memory>>20)
	if r.Log != "" {
		fmt.Println("  " + r.Log)
	}
	for _, p := range r.Pictures {
		to := filepath.Join(c.Pictures, fmt.Sprintf("%s-%d.%s", filepath.Base(name), p.Page, filepath.Base(p.MIME)))
		if err := os.WriteFile(to, p.Data, 0o600); err != nil {
			return err
		}
		fmt.Printf("  page %d: %d × %d, %d bytes, %s\n", p.Page, p.Width, p.Height, len(p.Data), to)
	}
	if r.Table != nil {
		for _, row := range r.Table.Rows[:min(len(r.Table.Rows), 5)] {
			fmt.Printf("  %q\n", row)
		}
	}
	if c.Pictures == "" {
		fmt.Println(r.Text)
	}
	return nil
}

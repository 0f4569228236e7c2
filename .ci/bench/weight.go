package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// lighthouse is the newest for the Node that Debian has; npm keeps it in its cache.
const lighthouse = "lighthouse@12.8.2"

// weighed are the pages that Lighthouse looks at.
var weighed = []string{"home, visitor", "commission, visitor", "roster of 20,000", "register", "document"}

// weights has Lighthouse look at pages as on a phone: what a first visit loads, what
// moves, and its four marks. What the next visit loads is the page alone: style, script
// and pictures have names that change with what is in them, and are kept.
func weights(ctx context.Context, s *stage) error {
	for _, op := range s.ops {
		if !slices.Contains(weighed, op.Name) {
			continue
		}
		headers, out := filepath.Join(s.files, "headers.json"), filepath.Join(s.files, "lighthouse.json")
		raw, err := json.Marshal(map[string]string{"Cookie": op.Cookie})
		if err != nil {
			return err
		}
		if err := os.WriteFile(headers, raw, 0o600); err != nil {
			return err
		}
		args := []string{"exec", "--yes", "--", lighthouse, s.portal + op.Path, "--quiet", "--output=json", "--output-path=" + out, "--chrome-flags=--headless --no-sandbox --disable-gpu"}
		if op.Cookie != "" {
			args = append(args, "--extra-headers="+headers)
		}
		cmd := exec.CommandContext(ctx, "npm", args...) //nolint:gosec // a program of ours
		cmd.Env = append(os.Environ(), "CHROME_PATH="+cmp.Or(os.Getenv("CHROMIUM"), "/usr/lib/chromium/chromium-headless-shell"))
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, said[max(0, len(said)-1000):])
		}
		if raw, err = os.ReadFile(out); err != nil {
			return err
		}
		var page struct {
			RuntimeError *struct{ Message string }
			Categories   map[string]struct {
				Score     float64
				AuditRefs []struct {
					ID     string
					Weight float64
				}
			}
			Audits map[string]struct {
				Score        *float64
				NumericValue float64
				Details      struct{ Items json.RawMessage }
			}
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return err
		}
		if page.RuntimeError != nil {
			return fmt.Errorf("%s: %s", op.Name, page.RuntimeError.Message)
		}
		var loaded []struct {
			ResourceType string
			TransferSize float64
		}
		if err := json.Unmarshal(page.Audits["network-requests"].Details.Items, &loaded); err != nil {
			return err
		}
		first, later := 0.0, 0.0
		for _, r := range loaded {
			first += r.TransferSize
			if r.ResourceType == "Document" {
				later += r.TransferSize
			}
		}
		marks, missed := []string{}, []string{}
		for _, name := range []string{"performance", "accessibility", "best-practices", "seo"} {
			c := page.Categories[name]
			marks = append(marks, fmt.Sprintf("%s %.0f", name, 100*c.Score))
			for _, ref := range c.AuditRefs {
				if a := page.Audits[ref.ID]; name != "performance" && ref.Weight > 0 && a.Score != nil && *a.Score < 1 {
					missed = append(missed, ref.ID)
				}
			}
		}
		found := fmt.Sprintf("%.1f kB, then %.1f kB; moves by %.3f; %s", first/1000, later/1000, page.Audits["cumulative-layout-shift"].NumericValue, strings.Join(marks, ", "))
		if len(missed) > 0 {
			found += " (" + strings.Join(missed, ", ") + ")"
		}
		s.note(finding{what: "page weight: " + op.Name, found: found, limit: "60 kB, then 15 kB; 0; 95 each"})
	}
	return nil
}

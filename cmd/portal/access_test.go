package main

import (
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestAccessExplain: what is asked of a commission is not asked of the portal.
func TestAccessExplain(t *testing.T) {
	p := apptest.New(t)
	t.Setenv("DATABASE_URL", p.DatabaseURL)
	t.Setenv("FILES", p.Config.Files)
	ada := p.Person("Ada Lovelace")
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) VALUES ('energy', 'ENERGY', 'Energy', 'commission', 'active')`)
	c := accessExplainCommand{Person: ada.Email, Object: "application", Action: "decide"}
	if _, err := output(t, func() error { return c.Run(t.Context()) }); err == nil || !strings.Contains(err.Error(), "--commission: Say in which commission") {
		t.Errorf("without a commission: %v", err)
	}
	c.Commission = "energy"
	if said, err := output(t, func() error { return c.Run(t.Context()) }); err != nil || !strings.Contains(said, "Ada Lovelace may not decide application") {
		t.Errorf("%q, %v", said, err)
	}
}

package intakeweb_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/intake"
)

// BenchmarkOrganizations imports 100,000 organizations into an empty portal.
func BenchmarkOrganizations(b *testing.B) {
	var text strings.Builder
	text.WriteString("org_id,name,level,country,website,joined\n")
	forms, countries := []string{"AG", "Ltd", "SA", "Inc."}, []string{"DE", "FR", "JP", "BR", "KE"}
	for i := range 100_000 {
		fmt.Fprintf(&text, "o%d,Works %d of %d %s,Silver,%s,https://works%d.example.com/,2020-01-01\n", i, i, i%977, forms[i%4], countries[i%5], i)
	}
	for b.Loop() {
		p := apptest.New(b)
		i, err := p.Imports.File(context.Background(), "", intake.Upload{Kind: "organizations", FileName: "many.csv"}, strings.NewReader(text.String()), int64(text.Len()), false, func(int) {})
		if err != nil || i.Created != 100_000 {
			b.Fatalf("%+v %v", i.Counts, err)
		}
	}
}

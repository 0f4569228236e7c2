package main

import (
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestDoctorAtAPooler looks at a portal whose database is reached through a PgBouncer, and
// that is said to have a replica.
func TestDoctorAtAPooler(t *testing.T) {
	p := apptest.New(t)
	pooler := apptest.NewPooler(t, 2).To(p.DatabaseURL)
	for _, tt := range []struct{ name, prepare, direct, want string }{
		{"nothing leads past it", "false", "", "FAIL  pooler: it lends connections for one transaction, and no address leads past it\n      Set DATABASE_DIRECT_URL"},
		{"statements are prepared", "true", p.DatabaseURL, "FAIL  pooler: it forgets statements that are kept prepared\n      Set DATABASE_PREPARE=false"},
		{"what leads past it does not", "false", pooler, "FAIL  direct: a pooler is at DATABASE_DIRECT_URL as well"},
		{"well", "false", p.DatabaseURL, "ok    pooler: it lends connections for one transaction\nok    direct: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range map[string]string{"DATABASE_URL": pooler, "DATABASE_PREPARE": tt.prepare, "DATABASE_DIRECT_URL": tt.direct, "FILES": p.Config.Files} {
				t.Setenv(name, value)
			}
			said, err := output(t, func() error { return doctorCommand{}.Run(t.Context()) })
			if !strings.Contains(said, tt.want) || (err == nil) != (tt.name == "well") {
				t.Errorf("ends with %v, and does not say %q:\n%s", err, tt.want, said)
			}
		})
	}
	t.Run("a replica that is none", func(t *testing.T) {
		for name, value := range map[string]string{"DATABASE_URL": p.DatabaseURL, "DATABASE_REPLICA_URL": apptest.Database(t), "FILES": p.Config.Files} {
			t.Setenv(name, value)
		}
		if said, err := output(t, func() error { return doctorCommand{}.Run(t.Context()) }); err == nil || !strings.Contains(said, "FAIL  replica: it stays behind") {
			t.Errorf("ends with %v:\n%s", err, said)
		}
	})
	t.Run("none", func(t *testing.T) {
		for name, value := range map[string]string{"DATABASE_URL": p.DatabaseURL, "DATABASE_PREPARE": "false", "FILES": p.Config.Files} {
			t.Setenv(name, value)
		}
		if said, err := output(t, func() error { return doctorCommand{}.Run(t.Context()) }); err != nil || !strings.Contains(said, "note  pooler: none lends connections") {
			t.Errorf("ends with %v:\n%s", err, said)
		}
	})
}

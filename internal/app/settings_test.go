package app_test

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"commissionportal/internal/app"
)

// TestExample holds .env.example to the settings that the program reads.
func TestExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range app.Settings() {
		if s.Name == "" || s.Help == "" {
			t.Errorf("setting %+v has no name or no help", s)
		}
		if want := "# " + s.Help + "\n#" + s.Name + "=" + s.Default + "\n"; !strings.Contains(string(text), want) {
			t.Errorf(".env.example lacks\n%s", want)
		}
	}
	if got := strings.Count(string(text), "\n#"); got > 3*len(app.Settings()) {
		t.Errorf(".env.example has settings that the program does not read")
	}
}

// TestWrongSetting: what a setting cannot be is said in a sentence that names it.
func TestWrongSetting(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"PORT", "abc", `PORT: "abc" is no whole number`},
		{"PORT", "99999", `PORT: 99999 is not from 0 to 65535`},
		{"SMTP_PORT", "smtp", `SMTP_PORT: "smtp" is no whole number`},
		{"DEVELOPMENT", "maybe", `DEVELOPMENT: "maybe" is neither true nor false`},
		{"SESSION_LIFE", "3 weeks", `SESSION_LIFE: "3 weeks" is no length of time such as 90s, 30m or 12h`},
		{"TRUSTED_PROXIES", "10.0.0.0/8,proxy", `TRUSTED_PROXIES: "10.0.0.0/8,proxy" is no list of networks such as 10.0.0.0/8,127.0.0.1/32`},
		{"PASSWORD_MEMORY", "-1", `PASSWORD_MEMORY: "-1" is no whole number above 0`},
		{"DATABASE_DIRECT_URL", "postgres://db/portal", `DATABASE_URL: it is empty, and another address of the database is not`},
		{"DATABASE_PREPARE", "no", `DATABASE_PREPARE: "no" is neither true nor false`},
		{"DATABASE_CONNECTIONS", "0", `DATABASE_CONNECTIONS: 0 is less than 1`},
		{"LOG_LEVEL", "loud", `LOG_LEVEL: "loud" is none of debug, info, warn and error`},
		{"MAX_FILE", "", ""},
	} {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Setenv(tt.name, tt.value)
			if _, err := app.FromEnvironment(); err == nil && tt.want != "" || err != nil && err.Error() != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestTimeZone(t *testing.T) {
	t.Parallel()
	for zone, ok := range map[string]bool{"": true, "UTC": true, "Pacific/Auckland": true, "Europe/Atlantis": false, "Local": false, "../etc": false} {
		a, err := app.New(app.Config{Host: "127.0.0.1", Connections: 1, TimeZone: zone}, slog.New(slog.DiscardHandler), nil)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "TIME_ZONE") {
			t.Errorf("%q: %v", zone, err)
		}
		if err == nil {
			_ = a.Close()
		}
	}
}

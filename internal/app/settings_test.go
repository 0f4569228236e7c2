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

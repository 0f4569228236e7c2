package document

import (
	"testing"
	"time"
)

func TestDigestDue(t *testing.T) {
	t.Parallel()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		frequency, now, want string
		zone                 *time.Location
	}{
		{"daily", "2026-11-26T06:00:00Z", "2026-11-26T06:00:00Z", time.UTC},
		{"daily", "2026-11-26T05:59:59Z", "2026-11-25T06:00:00Z", time.UTC},
		{"daily", "2026-11-26T00:00:00Z", "2026-11-25T21:00:00Z", tokyo}, // nine o'clock there
		{"weekly", "2026-11-26T12:00:00Z", "2026-11-23T06:00:00Z", time.UTC},
		{"weekly", "2026-11-23T05:00:00Z", "2026-11-16T06:00:00Z", time.UTC}, // too early on Monday
		{"weekly", "2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z", time.UTC},
		{"weekly", "2026-11-22T23:00:00Z", "2026-11-22T21:00:00Z", tokyo}, // Monday there
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := digestDue(tt.frequency, now, tt.zone).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("%s at %s in %s: %s, want %s", tt.frequency, tt.now, tt.zone, got, tt.want)
		}
	}
}

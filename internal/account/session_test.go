package account

import (
	"net/netip"
	"testing"
	"time"
)

func TestBrowser(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox (Linux)",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge (Windows)",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                         "Chrome (Android)",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Safari (iPhone)",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                   "Chrome (macOS)",
		"curl/8.5": "curl", "": "an unknown program", "<script>": "an unknown program",
	} {
		if got := Browser(agent); got != want {
			t.Errorf("%s: %s, want %s", agent, got, want)
		}
	}
}

func TestGuesses(t *testing.T) {
	t.Parallel()
	from := func(address string) Origin { return Origin{Address: netip.MustParseAddr(address)} }
	now := time.Now()
	a, b := guesses(now, "a@example.org", from("2001:db8::1"), false), guesses(now, "a@example.org", from("2001:db8::ffff:1"), false)
	if a.keys[0] != b.keys[0] {
		t.Error("one household counts twice")
	}
	if c := guesses(now, "a@example.org", from("2001:db8:0:1::1"), false); c.keys[0] == a.keys[0] {
		t.Error("two households count once")
	}
	here, all, address := a.keys[0], a.keys[1], a.keys[2]
	for _, tt := range []struct {
		here, all, address int
		want               bool
	}{
		{1, 1, 1, true}, {10, 10, 10, true}, {11, 11, 11, false},
		{2, 5000, 2, true}, {3, 5000, 3, false}, // guessed at from everywhere: who comes new still may try
		{1, 1, 100, true}, {1, 1, 101, false},
	} {
		if got := a.allow(map[string]int{here: tt.here, all: tt.all, address: tt.address}); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	known := guesses(now, "a@example.org", from("2001:db8::1"), true)
	if len(known.keys) != 1 || known.keys[0] == here || known.keys[0] == address {
		t.Errorf("a known browser counts under %v", known.keys)
	}
}

package document

import "testing"

func TestReference(t *testing.T) {
	t.Parallel()
	for number, want := range map[int]string{1: "ENERGY-N0001", 12: "ENERGY-N0012", 123: "ENERGY-N0123", 1234: "ENERGY-N1234", 12345: "ENERGY-N12345"} {
		if got := Reference("ENERGY", &number); got != want {
			t.Errorf("%d: %s, want %s", number, got, want)
		}
	}
	if got := Reference("ENERGY", nil); got != "" {
		t.Errorf("without a number: %s", got)
	}
}

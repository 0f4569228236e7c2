package account

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"commissionportal/internal/problem"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, ok := range map[string]bool{
		"plover tidal ombudsman": true, "8Jk#2!9qW0zX": true, "неожиданный барсук": true, "ünïcödé wörds": true,
		"wren-kettle-fjord": true, "Tr0ub4dor&3horse": true,
		"password12": false, "P@ssw0rd2026": false, "p4$$w0rd!!!": false, "passwordpassword": false, "MotDePasse2025": false,
		"1234567890": false, "0987654321": false, "aaaaaaaaaaaa": false, "abcabcabcabc": false, "qwertyuiop": false, "poiuytrewq": false, "1q2w3e4r5t": false,
		"Summer2026!": false, "December2026": false, "iloveyou123": false, "letmein!!!": false, "Welcome2026": false,
		"ada.lovelace@example.org": false, "AdaLovelace": false, "ada-lovelace-1815": false, "lovelace.ada": true,
		"correct horse battery staple": false,
	} {
		var f problem.Fields
		checkPassword(&f, "password", password, "ada.lovelace@example.org", "Ada Lovelace")
		if (f.Err() == nil) != ok {
			t.Errorf("%q: %v", password, f.Err())
		}
	}
	for _, n := range []int{9, 201} {
		var f problem.Fields
		checkPassword(&f, "password", string([]rune(strings.Repeat("ýkx7w", 41))[:n]), "", "")
		if f.Err() == nil {
			t.Errorf("%d characters are taken", n)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	h, ctx := newHasher(64<<10), context.Background()
	hash, err := h.hash(ctx, "caf\u00e9 au lait")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"caf\u00e9 au lait": true, "cafe\u0301 au lait": true, "cafe au lait": false, "": false} {
		if ok, old, err := h.matches(ctx, password, hash); ok != want || old || err != nil {
			t.Errorf("%q: %v, old %v, %v", password, ok, old, err)
		}
	}
	if ok, _, err := h.matches(ctx, "anything", ""); ok || err != nil {
		t.Errorf("somebody without a password: %v, %v", ok, err)
	}
	// Nobody's hash must cost what everybody's costs.
	p, _, _, err := argon2id.DecodeHash(h.nobody)
	if err != nil || *p != *h.params {
		t.Errorf("the hash of nobody has %+v, %v", p, err)
	}
	cheap, err := argon2id.CreateHash("a good long password", &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	if ok, old, err := h.matches(ctx, "a good long password", cheap); !ok || !old || err != nil {
		t.Errorf("cheap hash: %v, old %v, %v", ok, old, err)
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	for country, want := range map[string]string{"DE": "Europe/Berlin", "US": "America/New_York", "IN": "Asia/Kolkata", "XX": "UTC"} {
		if got := ZoneOf(country); got != want {
			t.Errorf("%s: %s, want %s", country, got, want)
		}
	}
	for _, name := range Zones() {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(64 << 10)
	for b.Loop() {
		if _, err := h.hash(context.Background(), "plover tidal ombudsman"); err != nil {
			b.Fatal(err)
		}
	}
}

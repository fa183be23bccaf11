package ident

import (
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/fault"
)

func TestPasses(t *testing.T) {
	old, now := []byte(strings.Repeat("o", MinKey)), []byte(strings.Repeat("n", MinKey))
	before, err := NewPasses(old)
	if err != nil {
		t.Fatal(err)
	}
	after, err := NewPasses(now, old)
	if err != nil {
		t.Fatal(err)
	}
	pass := Pass{Account: "a1", Partner: "acme", Business: "gull", Store: "quay", Customers: true, Until: 1000}
	token, err := before.Token(pass)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*Passes{"the same key": before, "the key before": after} {
		if got, err := p.Read(token, 999); err != nil || got != pass {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, pass)
		}
	}
	newer, err := after.Token(pass)
	if err != nil {
		t.Fatal(err)
	}
	links, err := NewLinks(old)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{"under another key": newer, "a link": links.Token("d1", 5000), "nothing": "", "a mark": "fwp1.", "cut off": token[:len(token)-2], "no mac": token[:strings.LastIndexByte(token, '.')+1]}
	for i := range token {
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		bad["changed"] = token[:i] + string(c) + token[i+1:]
		if got, err := before.Read(bad["changed"], 999); !fault.Is(err, fault.NotFound) {
			t.Fatalf("with character %d changed: %+v, %v; want it refused", i, got, err)
		}
	}
	for name, text := range bad {
		if got, err := before.Read(text, 999); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %+v, %v; want it refused", name, got, err)
		}
	}
	for _, at := range []clock.Time{1000, 5000} {
		if got, err := before.Read(token, at); !fault.Is(err, fault.NotFound) {
			t.Errorf("at %d, until 1000: %+v, %v; want it refused", at, got, err)
		}
	}
	if _, err := NewPasses([]byte("short")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short key: %v, want invalid", err)
	}
	if a, b := (Tokens{}).Token(), (Tokens{}).Token(); a == b || len(a) < 22 || (Tokens{}).Digest(a) == a {
		t.Errorf("tokens %q and %q", a, b)
	}
}

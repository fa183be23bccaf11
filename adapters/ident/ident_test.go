package ident_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"footway/adapters/ident"
	"footway/core/fault"
)

func TestIDsAreNewAndRise(t *testing.T) {
	seen := map[string]bool{}
	var all []string
	for range 10_000 {
		id := ident.IDs{}.NewID("delivery")
		if seen[id] || len(id) != 36 || id[14] != '7' {
			t.Fatalf("id %q is no new UUID of version 7", id)
		}
		seen[id] = true
		all = append(all, id)
	}
	if !slices.IsSorted(all) {
		t.Error("ids do not rise, so an index on them grows everywhere")
	}
}

func TestPINsUseAllCodes(t *testing.T) {
	count := map[string]int{}
	const draws = 200_000
	for range draws {
		pin := ident.PINs{}.PIN("d1", "load")
		if len(pin) != 4 || strings.Trim(pin, "0123456789") != "" {
			t.Fatalf("PIN %q; want four digits", pin)
		}
		count[pin]++
	}
	if len(count) < 9_990 { // of 10,000, e^-20 of which are missed
		t.Errorf("%d draws gave %d of 10,000 codes", draws, len(count))
	}
	for pin, n := range count {
		if n > 80 { // 20 are expected; 80 are 13 standard deviations above
			t.Errorf("PIN %s came %d times in %d draws", pin, n, draws)
		}
	}
}

func TestDigests(t *testing.T) {
	old, fresh := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	of := func(keys ...[]byte) *ident.Digests {
		d, err := ident.NewDigests(keys...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	before, during, after := of(old), of(fresh, old), of(fresh)
	stored := before.Digest("h")
	if strings.Contains(stored, "h:") || stored == after.Digest("h") || stored == before.Digest("i") {
		t.Errorf("the digest %q does not depend on both key and hash", stored)
	}
	for _, c := range []struct {
		name         string
		by           *ident.Digests
		stored, hash string
		want         bool
	}{
		{"same key", before, stored, "h", true},
		{"another hash", before, stored, "i", false},
		{"while the key is replaced", during, stored, "h", true},
		{"another hash while the key is replaced", during, stored, "i", false},
		{"the key is gone", after, stored, "h", false},
		{"new key", during, after.Digest("h"), "h", true},
		{"stored without a key", before, "h", "h", true},
		{"stored without a key, another", before, "h", "i", false},
		{"the digest itself is no answer", before, stored, stored, false},
	} {
		if got := c.by.Same(c.stored, c.hash); got != c.want {
			t.Errorf("%s: Same = %v, want %v", c.name, got, c.want)
		}
	}
	for _, keys := range [][][]byte{nil, {old[:31]}, {old, nil}} {
		if _, err := ident.NewDigests(keys...); !fault.Is(err, fault.Invalid) {
			t.Errorf("NewDigests of %d keys, the last too short: %v; want %v", len(keys), err, fault.Invalid)
		}
	}
}

package password

import (
	"context"
	"strings"
	"testing"

	"footway/core/fault"
)

// quick is as little work as argon2id takes.
var quick = Options{Passes: 1, MemoryKiB: 8, Threads: 1, AtOnce: 2}

func TestHasher(t *testing.T) {
	h := New(quick)
	a, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Hash(t.Context(), "correct horse")
	if err != nil || a == b {
		t.Errorf("the same password twice is kept as %q and %q, %v; want a salt of each", a, b, err)
	}
	if !strings.HasPrefix(a, "$argon2id$v=19$m=8,t=1,p=1$") || strings.Contains(a, "horse") {
		t.Errorf("it is kept as %q", a)
	}
	for _, c := range []struct {
		kept, password string
		ok             bool
	}{
		{a, "correct horse", true}, {a, "correct horsf", false}, {a, "", false}, {"", "", false}, {"", "correct horse", false}, {"correct horse", "correct horse", false},
		{a[:len(a)-4], "correct horse", false}, {strings.Replace(a, "m=8", "m=9999999", 1), "correct horse", false}, {strings.Replace(a, "t=1", "t=0", 1), "correct horse", false},
		{"$argon2id$v=19$m=8,t=1,p=1$$", "", false}, {strings.Replace(a, "argon2id", "argon2i", 1), "correct horse", false},
	} {
		if ok, weak, err := h.Matches(t.Context(), c.kept, c.password); ok != c.ok || weak || err != nil {
			t.Errorf("Matches(%q, %q) = %v, %v, %v; want %v", c.kept, c.password, ok, weak, err, c.ok)
		}
	}
	harder := New(Options{Passes: 2, MemoryKiB: 16, Threads: 1, AtOnce: 1})
	if ok, weak, err := harder.Matches(t.Context(), a, "correct horse"); !ok || !weak || err != nil {
		t.Errorf("what was easier to make: %v, %v, %v; want it to match, and to be weak", ok, weak, err)
	}
}

func TestHasherIsBounded(t *testing.T) {
	h := New(quick)
	h.room <- struct{}{}
	h.room <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "correct horse"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Hash without room: %v, want unavailable", err)
	}
	if _, _, err := h.Matches(ctx, "", "x"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Matches without room: %v, want unavailable", err)
	}
}

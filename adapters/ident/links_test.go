package ident_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"footway/adapters/ident"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

func links(t testing.TB, keys ...string) *ident.Links {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Repeat([]byte(k), ident.MinKey))
	}
	l, err := ident.NewLinks(all...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const until = 30 * 365 * clock.Time(clock.Day)

func TestLinksNameOneDeliveryUntilTheyExpire(t *testing.T) {
	l := links(t, "a")
	for _, id := range []delivery.ID{"01a20721-724b-7aed-9cd6-80ab3e9121fa", "01A20721-724B-7AED-9CD6-80AB3E9121FA", "d17", "sixteen-bytes-id"} {
		token := l.Token(id, until)
		got, holds, err := l.Read(token, until-1)
		if err != nil || got != id || holds != until {
			t.Errorf("%s is read as %s until %v, %v", id, got, holds, err)
		}
		if named, ok := ident.LinkedDelivery(token); !ok || named != id {
			t.Errorf("%s is said to be of %s, %v", id, named, ok)
		}
		if _, _, err := l.Read(token, until); fault.ReasonOf(err) != ident.ExpiredLink || !fault.Is(err, fault.NotFound) {
			t.Errorf("at its end: %v, want expired", err)
		}
		if again := l.Token(id, until-59_999); again != token {
			t.Errorf("a link that ends in the same minute is another")
		}
		if strings.ContainsAny(token, "+/=") {
			t.Errorf("%q does not fit into a path", token)
		}
	}
}

func TestLinksOfOthersAreUnknown(t *testing.T) {
	old, now, other := links(t, "o"), links(t, "n", "o"), links(t, "x")
	token := old.Token("d1", until)
	if _, _, err := now.Read(token, 0); err != nil {
		t.Errorf("under the key before: %v", err)
	}
	if _, _, err := old.Read(now.Token("d1", until), 0); fault.ReasonOf(err) != ident.UnknownLink {
		t.Errorf("under a key that is not known: %v", err)
	}
	if _, _, err := other.Read(token, until); fault.ReasonOf(err) != ident.UnknownLink {
		t.Errorf("a stranger learns that a link has expired: %v", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		if id, _, err := old.Read(base64.RawURLEncoding.EncodeToString(changed), 0); err == nil {
			t.Errorf("with byte %d changed it names %s", i, id)
		}
	}
	for _, text := range []string{"", "x", token[:len(token)-1], token + "A", token + "\n", strings.Repeat("A", 30), token + "="} {
		if id, _, err := old.Read(text, 0); fault.ReasonOf(err) != ident.UnknownLink {
			t.Errorf("%q names %s, %v", text, id, err)
		}
	}
	if _, err := ident.NewLinks(); err == nil {
		t.Error("no key is enough")
	}
	if _, err := ident.NewLinks([]byte("short")); err == nil {
		t.Error("a short key is enough")
	}
}

func FuzzLinks(f *testing.F) {
	l := links(f, "a")
	f.Add(l.Token("d1", until))
	f.Add("AcikXgEBogcdzUV9qoxWcbAQxa-iTXFEtDuhsDf_MrI90ImcEQ")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		id, holds, err := l.Read(text, 0)
		if err == nil && l.Token(id, holds) != text {
			t.Errorf("%q is read as %s until %v, which is written %q", text, id, holds, l.Token(id, holds))
		}
		ident.LinkedDelivery(text)
	})
}

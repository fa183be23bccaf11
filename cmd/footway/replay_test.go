package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReplayUber replays traffic in the words of Uber Direct, as it is and scrubbed: the
// delivery is carried out, and its partner sees it.
func TestReplayUber(t *testing.T) {
	dir := t.TempDir()
	path, scrubbed := filepath.Join(dir, "uber.jsonl"), filepath.Join(dir, "scrubbed.jsonl")
	key := sha256.Sum256([]byte("key\x00K1"))
	id := "del_" + hex.EncodeToString(key[:])[:32]
	line := func(at, method, path, body string) string {
		if body != "" {
			body = `, "body": ` + body
		}
		return fmt.Sprintf(`{"at": "2026-06-12T%sZ", "partner": "acme", "method": %q, "path": "/v1/customers/acme/%s"%s}`, at, method, path, body)
	}
	const way = `"pickup_address": "{\"street_address\":[\"1005 Bellwether Avenue\"],\"city\":\"Port Ellery\"}", "dropoff_address": "106 Quarry Terrace, Port Ellery"`
	lines := []string{
		line("12:00:00", "POST", "delivery_quotes", "{"+way+"}"),
		line("12:01:00", "POST", "deliveries", "{"+way+`, "pickup_name": "Quay", "pickup_phone_number": "+12065550100", "dropoff_name": "Ada", "dropoff_phone_number": "+12065550123",
			"manifest_items": [{"name": "Soup", "size": "small", "weight": 400}], "idempotency_key": "K1", "tip": 300}`),
		line("12:02:00", "GET", "deliveries/"+id, ""),
		line("14:00:00", "GET", "deliveries/"+id, ""),
		line("14:00:01", "GET", "deliveries?filter=delivered", ""),
	}
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := runFootway(t, "recordings", "scrub", path, "-o", scrubbed, "--map", "city", "--seed", "7"); code != exitOK {
		t.Fatalf("scrub: %d %s %s", code, out, errs)
	}
	if text, err := os.ReadFile(scrubbed); err != nil || strings.Contains(string(text), `"Ada"`) || strings.Contains(string(text), "106 Quarry") || strings.Contains(string(text), "1005 Bellwether") {
		t.Errorf("scrubbed it is %s, %v", text, err)
	}
	for _, recording := range []string{path, scrubbed} {
		out := filepath.Join(dir, filepath.Base(recording)+".out")
		if code, said, errs := runFootway(t, "replay", recording, "--market", "city", "--out", out); code != exitOK {
			t.Fatalf("%s: %d %s %s", recording, code, said, errs)
		}
		text, err := os.ReadFile(filepath.Join(out, "answers.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			var a struct {
				Status int
				Body   struct {
					Kind, Status string
					Data         []struct{ ID string }
				}
			}
			if err := json.Unmarshal([]byte(l), &a); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, fmt.Sprint(a.Status, " ", a.Body.Kind, " ", a.Body.Status, " ", len(a.Body.Data)))
		}
		if want := []string{"200 delivery_quote  0", "200 delivery pending 0", "200 delivery pickup 0", "200 delivery delivered 0", "200   1"}; !slices.Equal(seen, want) {
			t.Errorf("%s: the answers are %q, want %q", recording, seen, want)
		}
	}
}

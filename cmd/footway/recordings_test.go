package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footway/adapters/recording"
	"footway/core/maps"
)

// writeRecording writes a recording of quotes between addresses of the built-in
// city and returns its path and the addresses.
func writeRecording(t *testing.T) (path string, addresses []string) {
	t.Helper()
	n, err := loadNetwork("city")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w := recording.NewWriter(&file)
	for i := range 20 {
		address := n.Addresses[i*len(n.Addresses)/20].String()
		addresses = append(addresses, address)
		body := fmt.Sprintf(`{"external_delivery_id": "D-%d", "dropoff_address": %q, "dropoff_contact_given_name": "Quinnley", "dropoff_phone_number": "+12068675309"}`, i, address)
		err := w.Write(recording.Request{At: 1781202000000, Partner: "acme", Method: "POST", Path: "/drive/v2/quotes", Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "day.jsonl")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, addresses
}

// runFootway runs the program and returns its exit code and what it wrote.
func runFootway(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestRecordingsInspect(t *testing.T) {
	path, _ := writeRecording(t)
	code, out, errs := runFootway(t, "recordings", "inspect", path)
	if code != exitOK || !strings.Contains(out, "deliveries asked for   20") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	code, out, errs = runFootway(t, "recordings", "inspect", path, "--json")
	if code != exitOK || !strings.Contains(out, `"deliveries":20`) {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// TestRecordingsScrub scrubs with a map: every address is another one that the
// map has, and not far.
func TestRecordingsScrub(t *testing.T) {
	path, addresses := writeRecording(t)
	outs := []string{filepath.Join(t.TempDir(), "a.jsonl"), filepath.Join(t.TempDir(), "b.jsonl")}
	for _, out := range outs {
		if code, _, errs := runFootway(t, "recordings", "scrub", path, "-o", out, "--seed", "5", "--map", "city"); code != exitOK {
			t.Fatalf("exit code %d: %s", code, errs)
		}
	}
	a, err := os.ReadFile(outs[0])
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(outs[1]); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same seed gave another file, error %v", err)
	}
	if bytes.Contains(a, []byte("Quinnley")) || bytes.Contains(a, []byte("8675309")) {
		t.Errorf("a person came through: %s", a)
	}
	n, err := loadNetwork("city")
	if err != nil {
		t.Fatal(err)
	}
	g := maps.NewGeocoder(maps.NewIndex(n))
	for i, line := range strings.Split(strings.TrimSpace(string(a)), "\n") {
		_, rest, _ := strings.Cut(line, `"dropoff_address":"`)
		address, _, _ := strings.Cut(rest, `"`)
		was, err := g.Geocode(addresses[i])
		if err != nil {
			t.Fatal(err)
		}
		is, err := g.Geocode(address)
		if err != nil || is.Address == was.Address || maps.Distance(is.Point, was.Point) > 500_000 {
			t.Errorf("%s became %q: error %v, %d mm away", addresses[i], address, err, maps.Distance(is.Point, was.Point))
		}
	}
}

// TestNeighbours hides an address among many where there are many, and not in
// another quarter where there are few.
func TestNeighbours(t *testing.T) {
	n, err := loadNetwork("city")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ every, want int }{{1, crowd}, {len(n.Addresses) / 20, smallCrowd}} {
		thin := *n
		thin.Addresses = nil
		for i := 0; i < len(n.Addresses); i += c.every {
			thin.Addresses = append(thin.Addresses, n.Addresses[i])
		}
		address := thin.Addresses[0].String()
		found := newNeighbours(&thin).Neighbours(address)
		if len(found) != c.want {
			t.Errorf("one address in %d: %d neighbours of %s, want %d", c.every, len(found), address, c.want)
		}
		for _, p := range found {
			if p.Address == address {
				t.Errorf("%s is its own neighbour", address)
			}
		}
	}
	if found := newNeighbours(n).Neighbours("1 Nowhere, Atlantis"); len(found) != 0 {
		t.Errorf("an address that is not on the map has the neighbours %v", found)
	}
}

func TestRecordingsSort(t *testing.T) {
	path, _ := writeRecording(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	late := bytes.Replace(bytes.SplitAfter(text, []byte("\n"))[0], []byte("2026"), []byte("2027"), 1)
	if err := os.WriteFile(path, append(late, text...), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := runFootway(t, "recordings", "inspect", path); code != exitUsage || !strings.Contains(errs, "line 2: at 2026") {
		t.Errorf("a recording in disorder: exit code %d: %s", code, errs)
	}
	out := filepath.Join(t.TempDir(), "sorted.jsonl")
	if code, _, errs := runFootway(t, "recordings", "sort", path, "-o", out); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if code, _, errs := runFootway(t, "recordings", "inspect", out); code != exitOK {
		t.Errorf("sorted: exit code %d: %s", code, errs)
	}
}

func TestRecordingsUsage(t *testing.T) {
	path, _ := writeRecording(t)
	for _, args := range [][]string{{"inspect"}, {"inspect", "nowhere.jsonl"}, {"scrub", path}, {"sort", path}, {"scrub", path, "-o", "x", "--map", "nowhere"}} {
		if code, _, errs := runFootway(t, append([]string{"recordings"}, args...)...); code != exitUsage || errs == "" {
			t.Errorf("%v: exit code %d, %q; want %d with a reason", args, code, errs, exitUsage)
		}
	}
}

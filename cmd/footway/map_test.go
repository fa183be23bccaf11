package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footway/core/maps"
)

// footway runs the program as a person would.
func footway(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// town is an extract of two streets that cross; see adapters/osm.
const town = "testdata/town.osm.pbf"

func TestMapImportShowRoute(t *testing.T) {
	file := filepath.Join(t.TempDir(), "town.fwnet")
	code, out, errs := footway(t, "map", "import", town, "-o", file)
	if code != exitOK || !strings.Contains(out, "OpenStreetMap contributors") || errs != "" {
		t.Fatalf("import: exit %d, %q, %q", code, out, errs)
	}
	var shown [2]networkSummary
	for i, network := range []string{file, town} {
		_, out, _ := footway(t, "map", "show", network, "--json")
		if err := json.Unmarshal([]byte(out), &shown[i]); err != nil {
			t.Fatalf("show %s: %v", network, err)
		}
	}
	if shown[0].Hash != shown[1].Hash || shown[0].Addresses != 4 || shown[0].Merchants != 1 {
		t.Errorf("file and extract: %+v and %+v; want one hash, 4 addresses, 1 merchant", shown[0], shown[1])
	}
	code, out, errs = footway(t, "map", "route", file, "14 north street", "0,0.0009")
	if code != exitOK || !strings.Contains(out, "East Street") || !strings.Contains(out, "Wh") {
		t.Errorf("route: exit %d, %q, %q", code, out, errs)
	}
}

func TestMapRouteJSON(t *testing.T) {
	code, out, errs := footway(t, "map", "route", town, "chez nous", "2 East Street", "--json")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r routeResult
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.From.Name != "Chez Nous" || r.Route.LengthMM <= 0 || r.Route.Millis <= 0 || len(r.Steps) == 0 {
		t.Errorf("route = %+v, want one from Chez Nous", r)
	}
	sum := int64(0)
	for _, s := range r.Steps {
		sum += s.LengthMM
	}
	if sum != r.Route.LengthMM {
		t.Errorf("steps are %d mm, the way %d", sum, r.Route.LengthMM)
	}
}

func TestMapPictures(t *testing.T) {
	for name, magic := range map[string]string{"a.png": "\x89PNG", "a.svg": "<?xml"} {
		for _, args := range [][]string{
			{"map", "show", town, "--size", "400x300", "-o"},
			{"map", "show", town, "--bbox", "-0.001,-0.001,0.001,0.001", "--size", "500", "-o"},
			{"map", "route", town, "0.0009,0", "0,0.0009", "-o"},
		} {
			path := filepath.Join(t.TempDir(), name)
			if code, _, errs := footway(t, append(args, path)...); code != exitOK {
				t.Errorf("%v: exit %d, %s", args, code, errs)
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(data), magic) {
				t.Errorf("%v: a file that begins with %q, want %q", args, data[:min(len(data), 8)], magic)
			}
		}
	}
}

func TestMapMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cut := write("cut.osm.pbf", "\x00\x00\x00\x0d\x0a\x09OSM")
	xml := write("city.osm", "<osm/>")
	junk := write("junk.fwnet", "junk")
	tests := []struct {
		args []string
		code int
		says string
	}{
		{[]string{"map", "show"}, exitUsage, "NETWORK"},
		{[]string{"map", "show", filepath.Join(dir, "no.fwnet")}, exitUsage, "cut.osm.pbf, junk.fwnet"},
		{[]string{"map", "show", filepath.Join(dir, "nowhere", "no.fwnet")}, exitUsage, "no folder"},
		{[]string{"map", "show", dir + "/no.txt"}, exitUsage, "no such file"},
		{[]string{"map", "show", xml}, exitUsage, "osmium cat"},
		{[]string{"map", "show", junk}, exitUsage, "junk.fwnet"},
		{[]string{"map", "show", "city:x"}, exitUsage, "city:7"},
		{[]string{"map", "show", town, "-o", "a.jpg"}, exitUsage, ".svg"},
		{[]string{"map", "show", town, "--bbox", "1,2,3"}, exitUsage, "west,south,east,north"},
		{[]string{"map", "show", town, "--bbox", "3,2,1,4"}, exitUsage, "west,south,east,north"},
		{[]string{"map", "show", town, "--size", "big"}, exitUsage, "1600x1200"},
		{[]string{"map", "show", town, "--size", "5", "-o", dir + "/a.png"}, exitUsage, "200 to 8000"},
		{[]string{"map", "import", cut, "-o", dir + "/a.fwnet"}, exitUsage, "at byte 4"},
		{[]string{"map", "import", xml}, exitUsage, "osmium cat"},
		{[]string{"map", "import", town, "-o", dir + "/a.zip"}, exitUsage, ".fwnet"},
		{[]string{"map", "route", town, "99,0", "0,0"}, exitUsage, "±90"},
		{[]string{"map", "route", town, "45,0", "0,0"}, exitUsage, "FROM"},
		{[]string{"map", "route", town, "0,0", "99 North Street"}, exitUsage, "there is: 10 North Street"},
		{[]string{"map", "route", town, "0,0", "1 Norh Street"}, exitUsage, "there is: 10 North Street"},
		{[]string{"map", "route", town, "0,0", "1 Zoo Road"}, exitUsage, "no street"},
	}
	for _, test := range tests {
		code, out, errs := footway(t, test.args...)
		if code != test.code || !strings.Contains(errs, test.says) || out != "" {
			t.Errorf("footway %s: exit %d, %q, %q; want %d and %q", strings.Join(test.args, " "), code, out, errs, test.code, test.says)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a.fwnet")); err == nil {
		t.Error("a failed import left a file")
	}
}

func TestParsePoint(t *testing.T) {
	tests := []struct {
		in   string
		want maps.Point
		ok   bool
	}{
		{"47.5,-122.25", maps.Point{Lon: -1222500000, Lat: 475000000}, true},
		{" 0.0000001 , 0 ", maps.Point{Lat: 1}, true},
		{"10 Main Street, Town", maps.Point{}, false},
		{"47.5", maps.Point{}, false},
	}
	for _, test := range tests {
		if got, ok, err := maps.ParsePoint(test.in); got != test.want || ok != test.ok || err != nil {
			t.Errorf("maps.ParsePoint(%q) = %v, %v, %v; want %v, %v", test.in, got, ok, err, test.want, test.ok)
		}
	}
	if _, ok, err := maps.ParsePoint("NaN,0"); !ok || err == nil {
		t.Error("maps.ParsePoint(NaN,0): want an error")
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[int64]string{400: "0 m", 999_400: "999 m", 1_234_000: "1.23 km", 123_456_000: "123 km"} {
		if got := distance(in); got != want {
			t.Errorf("distance(%d) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[int64]string{499: "0 s", 59_499: "59 s", 59_500: "1 min 00 s", 3_725_000: "1 h 02 min"} {
		if got := span(in); got != want {
			t.Errorf("span(%d) = %q, want %q", in, got, want)
		}
	}
}

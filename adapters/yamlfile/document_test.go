package yamlfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/setting"
)

type plan struct {
	Name   string            `json:"name" required:"true"`
	Every  clock.Duration    `json:"every" min:"1s" max:"1h"`
	Count  int               `json:"count"`
	Small  uint8             `json:"small"`
	Share  float64           `json:"share"`
	Lazy   bool              `json:"lazy"`
	Limit  *float64          `json:"limit"`
	Stops  []stop            `json:"stops"`
	ByName map[string]stop   `json:"by_name"`
	Open   map[string]any    `json:"open"`
	Word   clock.Duration    `json:"-"`
	Labels map[string]string `json:"labels"`
}

type stop struct {
	At   clock.Duration `json:"at"`
	Kind string         `json:"kind" enum:"load,unload"`
}

func TestDecode(t *testing.T) {
	const text = `# a plan
name: lunch   # with a comment
every: 1m30s
count: 1_000
share: 0.25
lazy: true
limit: 3
stops:
  - at: 5m
    kind: load
  - {at: 10m, kind: unload}
by_name:
  new york: {at: 1s}
  7: {at: 2s}
open:
  dispatch: {round_every: 30s, deep: [1, -2, 2.5, true, null, "x"]}
labels:
  about: |
    two
    lines
`
	got := plan{Small: 7, ByName: map[string]stop{"old": {Kind: "load"}}}
	d, err := Parse("plan.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	three := 3.0
	want := plan{
		Name: "lunch", Every: 90 * clock.Second, Count: 1000, Small: 7, Share: 0.25, Lazy: true, Limit: &three,
		Stops:  []stop{{5 * clock.Minute, "load"}, {10 * clock.Minute, "unload"}},
		ByName: map[string]stop{"new york": {At: clock.Second}, "7": {At: 2 * clock.Second}, "old": {Kind: "load"}},
		Open:   map[string]any{"dispatch": map[string]any{"round_every": "30s", "deep": []any{uint64(1), int64(-2), 2.5, true, nil, "x"}}},
		Labels: map[string]string{"about": "two\nlines\n"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

// TestErrors has one mistake each, and what a person is told of it.
func TestErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "name: a\ncuont: 3\n", "f:2:1: cuont: no such key; did you mean count?\n    2 | cuont: 3\n      | ^"},
		{"unknown key below", "stops:\n  - att: 3m\n", "f:2:5: stops[0].att: no such key; did you mean at?\n    2 |   - att: 3m\n      |     ^"},
		{"far key", "xyzzyplugh: 1\n", "f:1:1: xyzzyplugh: no such key; want one of by_name, count, every, labels, lazy, limit, name, open, share, small, stops\n    1 | xyzzyplugh: 1\n      | ^"},
		{"no unit", "every: 30\n", "f:1:1: every: 30 has no unit; want a duration such as 30s, 30m or 1h30m\n    1 | every: 30\n      | ^"},
		{"bad duration", "every: soon\n", "f:1:1: every: duration \"soon\": want a number with a unit, such as 90s, 15m or 1h30m\n    1 | every: soon\n      | ^"},
		{"duration list", "every: [1s]\n", "f:1:1: every: a list; want a duration such as 90s, 15m or 1h30m\n    1 | every: [1s]\n      | ^"},
		{"text for number", "count: many\n", "f:1:1: count: \"many\"; want a whole number\n    1 | count: many\n      | ^"},
		{"fraction", "count: 1.5\n", "f:1:1: count: \"1.5\" is not a whole number of 64 bits\n    1 | count: 1.5\n      | ^"},
		{"overflow", "small: 300\n", "f:1:1: small: \"300\" is not a whole number from 0 of 8 bits\n    1 | small: 300\n      | ^"},
		{"number for text", "name: 12\n", "f:1:1: name: 12; want text, so in quotes: \"12\"\n    1 | name: 12\n      | ^"},
		{"bool", "lazy: yes\n", "f:1:1: lazy: \"yes\"; want true or false\n    1 | lazy: yes\n      | ^"},
		{"empty", "count:\nname: x\n", "f:1:1: count: nothing; want a whole number\n    1 | count:\n      | ^"},
		{"list wanted", "stops: 3\n", "f:1:1: stops: 3; want a list\n    1 | stops: 3\n      | ^"},
		{"mapping wanted", "stops: [load]\n", "f:1:9: stops[0]: \"load\"; want names with values below it\n    1 | stops: [load]\n      |         ^"},
		{"root", "- 1\n", "f:1:1: a list; want names with values below it\n    1 | - 1\n      | ^"},
		{"duplicate", "name: a\n\nname: b\n", "f:3:1: name: set twice, first in line 1; want it once\n    3 | name: b\n      | ^"},
		{"octal", "count: 017\n", "f:1:8: count: 017 is not a decimal number; want one without leading zero, or text in quotes\n    1 | count: 017\n      |        ^"},
		{"infinity", "share: .inf\n", "f:1:8: share: infinity is not read; want a plain value\n    1 | share: .inf\n      |        ^"},
		{"anchor", "name: &a x\n", "f:1:7: anchors are not read; write the value out\n    1 | name: &a x\n      |       ^"},
		{"alias", "name: *a\n", "f:1:7: aliases are not read; write the value out, or put text that begins with * in quotes\n    1 | name: *a\n      |       ^"},
		{"merge", "<<: {name: x}\n", "f:1:1: merge keys are not read; write the values out\n    1 | <<: {name: x}\n      | ^"},
		{"tag", "count: !!int 3\n", "f:1:8: tags are not read; put text that begins with ! in quotes\n    1 | count: !!int 3\n      |        ^"},
		{"second document", "name: a\n---\nname: b\n", "f:3:5: a second document; want one in a file\n    3 | name: b\n      |     ^"},
		{"not UTF-8", "name: a\nname: \xff\n", "f:2:1: not UTF-8; want text saved as UTF-8\n    2 | name: \uFFFD\n      | ^"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := decodePlan(tt.text)
			if got := fmt.Sprint(err); got != tt.want {
				t.Errorf("Decode(%q):\n%s\nwant\n%s", tt.text, got, tt.want)
			}
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("Decode(%q) is not fault.Invalid", tt.text)
			}
		})
	}
}

func decodePlan(text string) error {
	d, err := Parse("f", []byte(text))
	if err != nil {
		return err
	}
	var p plan
	return d.Decode(&p)
}

// TestAllErrorsAtOnce shows mistakes of three kinds in the order of the file.
func TestAllErrorsAtOnce(t *testing.T) {
	d, err := Parse("f", []byte("name: \"\"\nevery: 2h\nstops:\n  - kind: lod\n    at: 3\ncuont: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	var p plan
	errs := setting.Decode("", d.Tree(), &p)
	errs = append(errs, setting.Problems("", p)...)
	errs = append(errs, setting.Problems("", p)...) // as if another check had found the same
	got := fmt.Sprint(d.Explain(errs...))
	want := `f:1:1: name: missing; want a value
    1 | name: ""
      | ^
f:2:1: every: 2h is above 1h; want 1s to 1h
    2 | every: 2h
      | ^
f:4:5: stops[0].kind: "lod" is unknown; want one of load, unload
    4 |   - kind: lod
      |     ^
f:5:5: stops[0].at: 3 has no unit; want a duration such as 3s, 3m or 1h30m
    5 |     at: 3
      |     ^
f:6:1: cuont: no such key; did you mean count?
    6 | cuont: 1
      | ^`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Explain (-want +got):\n%s", diff)
	}
	if d.Explain() != nil || d.Explain(nil) != nil {
		t.Error("Explain of no error is an error")
	}
}

func TestLocate(t *testing.T) {
	d, err := Parse("f", []byte("name: x\r\nstops:\n  - at: 1m\n    kind: load\n  - {at: 2m}\nby_name:\n  new york: {at: 1m}\n"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{"name", "1:1 true"},
		{"stops[0]", "3:5 true"},
		{"stops[0].kind", "4:5 true"},
		{"stops[1].at", "5:6 true"},
		{"stops[1].kind", "5:5 false"}, // not in the file: the entry that lacks it
		{"stops[7].kind", "2:1 false"},
		{"by_name.new york.at", "7:14 true"},
		{"nowhere.at.all", "1:1 false"},
		{"", "1:1 true"},
	}
	for _, tt := range tests {
		line, column, ok := d.Locate(tt.path)
		if got := fmt.Sprintf("%d:%d %v", line, column, ok); got != tt.want {
			t.Errorf("Locate(%q) = %s, want %s", tt.path, got, tt.want)
		}
	}
}

// TestLimits shows that hostile files are refused before they are worked on.
func TestLimits(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"size", strings.Repeat("#", MaxBytes+1), "more than 1024 KiB"},
		{"lines", strings.Repeat("\n", MaxLines), "10001 lines; want at most 10000"},
		{"blank block", "a: |\n  x" + strings.Repeat("\r", 100_000), "a carriage return within the line"},
		{"flow lists", "name: " + strings.Repeat("[", 100_000), "nested too deeply"},
		{"flow mappings", strings.Repeat("{a: ", 100_000), "nested too deeply"},
		{"entries on a line", strings.Repeat("- ", 100_000), "nested too deeply"},
		{"block mappings", steps(200), "nested too deeply"},
		{"keys on a line", strings.Repeat("? ", 100_000), "keys marked with ? are not read"},
		{"laughs", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchors are not read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f", []byte(tt.text))
			if got := fmt.Sprint(err); !strings.Contains(got, tt.want) || len(got) > 500 {
				t.Errorf("Parse = %.500s, want %q within 500 bytes", got, tt.want)
			}
		})
	}
	if _, err := Parse("f", []byte(steps(MaxDepth-1)+"1")); err != nil {
		t.Errorf("Parse of %d levels = %v, want it read", MaxDepth, err)
	}
}

// steps nests n mappings.
func steps(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "\n%sa:", strings.Repeat(" ", i))
	}
	return b.String() + " "
}

func TestReadFile(t *testing.T) {
	if _, err := ReadFile(t.TempDir() + "/none.yaml"); !fault.Is(err, fault.NotFound) {
		t.Errorf("ReadFile of no file = %v, want fault.NotFound", err)
	}
	d, err := Parse("empty.yaml", []byte("# nothing\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := plan{Count: 3}
	if err := d.Decode(&p); err != nil || p.Count != 3 {
		t.Errorf("an empty file gave %v and count %d, want it to set nothing", err, p.Count)
	}
}

// A private file may hold a secret by mistake: its lines are not repeated.
func TestPrivateFile(t *testing.T) {
	for _, text := range []string{"password: hunter2\n  x: [", "password: hunter2\npassword: hunter2\n", "password: [hunter2]\n"} {
		path := filepath.Join(t.TempDir(), "private.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var into struct {
			Password string `json:"password"`
		}
		doc, err := ReadPrivateFile(path)
		if err == nil {
			err = doc.Decode(&into)
		}
		if err == nil || !strings.Contains(err.Error(), path+":") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v; want an error with the place and without the line", text, err)
		}
	}
}

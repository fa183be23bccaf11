package yamlfile

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"footway/core/fault"
)

// FuzzDecode looks for files that crash the reader, that it reads as something
// no document can be, or whose error does not say where it is.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "name: x", "every: 1m\nstops:\n  - at: 3s\n", "stops: [{at: 1s}, {kind: load}]", "a: |\n  x\n y: >-\n", "- - - 1",
		"{a: {b: [c", "a: 'x\n", "a: \"\\x\"", "? a\n: b", "&a b: *a", "a: 0x1F\nb: 1e400\nc: -.inf", "--- a\n...\n---", "a:\n\tb: 1", "%YAML 1.2\n---\n",
		"\xef\xbb\xbfname: x", "name: x\r\nevery: 1s\r\n", "a: !!binary x", "[]: 1", "{}: 2", "\"a.b[0]\": 1", "a: # c\n  # d\n", "name: \u2028x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("f", text)
		if err == nil {
			checkTree(t, d.Tree())
			var p plan
			err = d.Decode(&p)
		}
		if err != nil && (fmt.Sprint(err) == "" || !fault.Is(err, fault.Invalid)) {
			t.Errorf("Parse(%q) = %v, want text and fault.Invalid", text, err)
		}
	})
}

// checkTree fails if v holds what setting.Decode does not know.
func checkTree(t *testing.T, v any) {
	switch v := v.(type) {
	case nil, bool, int64, uint64, string:
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("the tree holds %v", v)
		}
	case []any:
		for _, item := range v {
			checkTree(t, item)
		}
	case map[string]any:
		for _, item := range v {
			checkTree(t, item)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("the tree is not JSON: %v", err)
		}
	default:
		t.Errorf("the tree holds a %T", v)
	}
}

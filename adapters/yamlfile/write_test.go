package yamlfile

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/setting"
)

// tree returns a document as Tree does.
func tree(v any) any {
	switch v := v.(type) {
	case []setting.Pair:
		out := map[string]any{}
		for _, p := range v {
			out[p.Name] = tree(p.Value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = tree(x)
		}
		return out
	case json.Number:
		n, _ := v.Int64()
		return uint64(n)
	case int64:
		if v >= 0 {
			return uint64(v)
		}
	}
	return v
}

func TestWrite(t *testing.T) {
	hard := []any{"11:00", "yes", "no", "null", "~", "01", "0x1f", "1e3", "-", "- a", "a: b", "a #b", "#a", "", " a ", "two\nlines\n", "\ttab", "\"q\"", "'q'", "{a}", "[a]", "&a", "*a", "!a", "%a", "@a", "`a`", "|", ">", "Zürich 東京 🤖", "1h30m", "2026-06-12T11:00", "true", ".5", ".inf"}
	pairs := []setting.Pair{
		{Name: "name", Value: "lunch-rush"}, {Name: "least", Value: int64(math.MinInt64)}, {Name: "most", Value: uint64(math.MaxUint64)}, {Name: "share", Value: 0.03}, {Name: "yes", Value: true},
		{Name: "number", Value: json.Number("30")}, {Name: "hard", Value: hard},
		{Name: "below", Value: []setting.Pair{{Name: "list", Value: []any{[]setting.Pair{{Name: "at", Value: "12:30"}}, []any{int64(1)}}}}},
	}
	text, err := Write(pairs)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse("x.yaml", text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if diff := cmp.Diff(tree(pairs), tree(d.Tree())); diff != "" {
		t.Errorf("read again (-want +got):\n%s\nof\n%s", diff, text)
	}
}

// FuzzWrite: whatever text there is in a document, reading what was written gives it again.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"a", "a: b", "01", "\n", "é\u2028", "'", "- x\n  y", "\x00", "...", "---"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, value, below string) {
		pairs := []setting.Pair{{Name: "a", Value: value}, {Name: "b", Value: []any{[]setting.Pair{{Name: "c", Value: below}}}}}
		text, err := Write(pairs)
		if err != nil {
			return // it says so
		}
		d, err := Parse("x.yaml", text)
		if err != nil {
			return // a reader is told; it is not read as something else
		}
		if diff := cmp.Diff(tree(pairs), tree(d.Tree())); diff != "" {
			t.Errorf("read again (-want +got):\n%s\nof\n%q", diff, text)
		}
	})
}

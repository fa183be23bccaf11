package yamlfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"footway/core/setting"
)

// Write returns the text of a file that says what pairs do, in their order, and that Parse reads. The library that Parse stands
// on writes YAML too, but loses blanks and line ends of texts.
func Write(pairs []setting.Pair) ([]byte, error) {
	w := writer{}
	w.pairs(pairs, "")
	return w.text.Bytes(), w.err
}

type writer struct {
	text bytes.Buffer
	err  error
}

// pairs writes names and values, each on a line that begins with indent; the first line has begun already if it stands in a list.
func (w *writer) pairs(pairs []setting.Pair, indent string) {
	for i, p := range pairs {
		if i > 0 || !bytes.HasSuffix(w.text.Bytes(), []byte("- ")) {
			w.text.WriteString(indent)
		}
		w.text.WriteString(w.scalar(p.Name) + ":")
		w.value(p.Value, indent)
	}
}

// value writes what stands behind a colon, with the end of its line.
func (w *writer) value(v any, indent string) {
	switch v := v.(type) {
	case []setting.Pair:
		if len(v) == 0 {
			w.text.WriteString(" {}\n")
			return
		}
		w.text.WriteByte('\n')
		w.pairs(v, indent+"  ")
	case []any:
		if len(v) == 0 {
			w.text.WriteString(" []\n")
			return
		}
		w.text.WriteByte('\n')
		for _, x := range v {
			w.text.WriteString(indent + "  - ")
			w.element(x, indent+"    ")
		}
	default:
		w.text.WriteString(" " + w.scalar(v) + "\n")
	}
}

// element writes what stands behind a dash.
func (w *writer) element(v any, indent string) {
	switch v := v.(type) {
	case []setting.Pair:
		if len(v) == 0 {
			w.text.WriteString("{}\n")
			return
		}
		w.pairs(v, indent)
	case []any:
		w.text.WriteString(w.flow(v) + "\n")
	default:
		w.text.WriteString(w.scalar(v) + "\n")
	}
}

// flow writes a list in a list on one line.
func (w *writer) flow(list []any) string {
	var parts []string
	for _, x := range list {
		if inner, ok := x.([]any); ok {
			parts = append(parts, w.flow(inner))
		} else {
			parts = append(parts, w.scalar(x))
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// plainText is text that is read as itself without quotes: words, and dates.
var plainText = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*|[0-9]+[a-z][a-z0-9]*)$`)

// notText are the words that are read as something else, by some reader at least; numbers such as 1e3 are, too.
var notText = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"}

var numeric = regexp.MustCompile(`^[0-9]+([exob][0-9a-f]*)$`)

// scalar writes one word.
func (w *writer) scalar(v any) string {
	text, ok := v.(string)
	if ok && plainText.MatchString(text) && !slices.Contains(notText, strings.ToLower(text)) && !numeric.MatchString(text) {
		return text
	}
	if !utf8.ValidString(text) && w.err == nil {
		w.err = fmt.Errorf("write YAML: %q is no text", text)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	switch v.(type) {
	case nil, bool, int64, uint64, float64, json.Number, string:
		if err := e.Encode(v); err != nil && w.err == nil { // NaN
			w.err = fmt.Errorf("write YAML: %w", err)
		}
	default:
		if w.err == nil {
			w.err = fmt.Errorf("write YAML: a document holds a %T", v)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

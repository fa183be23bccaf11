// Package yamlfile reads YAML files strictly and says where in the file
// something is wrong. It reads the part of YAML that people write by hand:
// no anchors, no tags, one document. What the keys mean is for others; they name
// a value by its path, such as "events[2].when", and Explain finds its line.
package yamlfile

import (
	"fmt"
	"io"
	"os"
	"strings"

	"footway/core/fault"
	"footway/core/setting"
)

// Limits of a file. People write far less; a program that was handed something
// strange must not read it for long.
const (
	MaxBytes = 1 << 20
	MaxLines = 10_000 // the parser's time grows with their square
	MaxDepth = 32
)

// Document is a file that was read.
type Document struct {
	name  string
	lines []string
	tree  any
	spots map[string]spot // by path

	private bool // its lines are not shown
}

// spot is a place in a file, from 1.
type spot struct{ line, column int }

// ReadFile reads the file at a path.
func ReadFile(path string) (*Document, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// ReadPrivateFile is ReadFile of a file in which somebody may have written a
// secret: its errors say where something is wrong, and do not show the line.
func ReadPrivateFile(path string) (*Document, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text, true)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &fault.Error{Op: "yamlfile.ReadFile", Kind: fault.NotFound, Err: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, &fault.Error{Op: "yamlfile.ReadFile", Kind: fault.Unavailable, Err: err}
	}
	return text, nil
}

// Parse reads the text of a file; name is for errors, which are fault.Invalid.
// An empty file is a document that sets nothing.
func Parse(name string, text []byte) (*Document, error) { return parse(name, text, false) }

func parse(name string, text []byte, private bool) (*Document, error) {
	if len(text) > MaxBytes {
		return nil, fault.New("read "+name, fault.Invalid, "too_large", "the file has more than %d KiB; want at most that", MaxBytes>>10)
	}
	plain := strings.ReplaceAll(string(text), "\r\n", "\n")
	d := &Document{name: name, lines: strings.Split(plain, "\n"), private: private, spots: map[string]spot{}}
	body, err := d.parse(plain)
	if err != nil {
		return nil, err
	}
	b := builder{doc: d}
	d.tree = b.build("", body)
	if err := d.Explain(b.errs...); err != nil {
		return nil, err
	}
	return d, nil
}

// Tree returns what the document says: nil, bool, int64, uint64, float64,
// string, []any and map[string]any. The caller must not change it.
func (d *Document) Tree() any { return d.tree }

// Decode sets in the struct that into points to what the document says, by its
// json tags, and leaves everything else as it was. See setting.Decode.
func (d *Document) Decode(into any) error {
	return d.Explain(setting.Decode("", d.tree, into)...)
}

// Locate returns line and column, from 1, of the value at path. What the file
// does not mention is located at the nearest thing around it that it does mention,
// ok is false then.
func (d *Document) Locate(path string) (line, column int, ok bool) {
	for at := path; at != ""; at = parent(at) {
		if s, found := d.spots[at]; found {
			return s.line, s.column, at == path
		}
	}
	return 1, 1, path == ""
}

// parent cuts the last name or index off a path.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// element writes a path for an element of a list.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// member writes a path for a key.
func member(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

package yamlfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"footway/core/fault"
)

// Error is something wrong in a file, with its place.
type Error struct {
	File   string
	Line   int // from 1
	Column int // from 1
	Path   string
	Source string // the line; "" in a private file
	Err    error  // begins with Path where there is one
}

// Error returns "file:line:column: what is wrong", and the line with a mark under it.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Err)
	if strings.TrimSpace(e.Source) == "" {
		return text
	}
	number := fmt.Sprintf("%5d", e.Line)
	return fmt.Sprintf("%s\n%s | %s\n%s | %s^", text, number, e.Source, strings.Repeat(" ", len(number)), strings.Repeat(" ", e.Column-1))
}

// Unwrap returns the error without its place, as a fault.Invalid.
func (e *Error) Unwrap() error {
	return &fault.Error{Op: "read " + e.File, Kind: fault.Invalid, Reason: "bad_file", Err: e.Err}
}

// Explain returns the errors joined in the order of the file, each with the place that its
// text names: those of setting and of every Problems function begin with a path. What two
// checks found is said once. It returns nil for none.
func (d *Document) Explain(errs ...error) error {
	var all []*Error
	for _, err := range flatten(errs) {
		if e, done := errors.AsType[*Error](err); done {
			all = append(all, e)
			continue
		}
		path := d.pathOf(err.Error())
		line, column, _ := d.Locate(path)
		e := d.errorAt(spot{line, column}, "", err)
		e.Path = path
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	all = slices.CompactFunc(all, func(a, b *Error) bool { return a.Error() == b.Error() })
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	joined := make([]error, len(all))
	for i, e := range all {
		joined[i] = e
	}
	return errors.Join(joined...)
}

// flatten takes joined errors apart.
func flatten(errs []error) []error {
	var all []error
	for _, err := range errs {
		if joined, ok := err.(interface{ Unwrap() []error }); ok { // only the outermost is a list
			all = append(all, flatten(joined.Unwrap())...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// pathOf returns the longest path of the file that an error's text begins with.
func (d *Document) pathOf(text string) string {
	const most = 400 // no path is longer, but a message may be
	best := ""
	for i, c := range text[:min(len(text), most)] {
		if !strings.ContainsRune(": .[", c) {
			continue
		}
		if _, ok := d.spots[text[:i]]; ok {
			best = text[:i]
		}
	}
	return best
}

// errorAt puts an error at a spot; path goes before it unless it is empty.
func (d *Document) errorAt(s spot, path string, err error) *Error {
	e := &Error{File: d.name, Line: max(1, s.line), Column: max(1, s.column), Path: path, Err: err}
	if path != "" {
		e.Err = fmt.Errorf("%s: %w", path, err)
	}
	if e.Line <= len(d.lines) && !d.private {
		e.Source, e.Column = excerpt(d.lines[e.Line-1], e.Column)
	}
	return e
}

// excerpt makes a line fit to be shown: text, no tabs, and not too long. The column
// stays where it is unless the line is cut before it.
func excerpt(line string, column int) (string, int) {
	const most = 110
	line = strings.ToValidUTF8(strings.NewReplacer("\t", " ", "\r", "").Replace(line), "\uFFFD")
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…", min(column, most+1)
	}
	return line, column
}

package runlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"

	"footway/core/event"
)

// Difference is the first place where two logs part.
type Difference struct {
	Seq    uint64       // number of the first event that is not the same
	Before *event.Event // the last that is; nil if there is none
	A, B   *event.Event // nil where the log has ended
}

// FirstDifference returns where a and b part, or nil if they are equal. It
// skips what hashes of frames prove to be equal. Runs with other settings part at
// their first event, run.began; DifferenceFrom finds where that began to matter.
func FirstDifference(a, b *Reader) (*Difference, error) {
	from := max(a.header.After, b.header.After) + 1
	if a.header.After == b.header.After && a.header.Chain == b.header.Chain {
		n := min(len(a.frames), len(b.frames))
		same := sort.Search(n, func(i int) bool {
			return a.frames[i].Chain != b.frames[i].Chain || a.frames[i].LastSeq() != b.frames[i].LastSeq()
		})
		if same > 0 {
			from = a.frames[same-1].LastSeq() // again, as Before
		}
	}
	return DifferenceFrom(a, b, from)
}

// DifferenceFrom returns where a and b part from event number from on, or nil
// if they are equal from there.
func DifferenceFrom(a, b *Reader, from uint64) (*Difference, error) {
	nextA, stopA := iter.Pull2(a.Events(from))
	defer stopA()
	nextB, stopB := iter.Pull2(b.Events(from))
	defer stopB()
	var before *event.Event
	var lineA, lineB []byte
	for seq := from; ; seq++ {
		x, errA, okA := nextA()
		y, errB, okB := nextB()
		if errA != nil || errB != nil {
			return nil, firstError(errA, errB)
		}
		if !okA && !okB {
			return nil, nil
		}
		lineA, lineB = AppendLine(lineA[:0], x), AppendLine(lineB[:0], y)
		if okA && okB && bytes.Equal(lineA, lineB) {
			before = &x
			continue
		}
		d := &Difference{Seq: seq, Before: before}
		if okA {
			d.A = &x
		}
		if okB {
			d.B = &y
		}
		return d, nil
	}
}

func firstError(a, b error) error {
	if a != nil {
		return fmt.Errorf("first log: %w", a)
	}
	return fmt.Errorf("second log: %w", b)
}

// Field is a value that differs between two events.
type Field struct {
	Path string // such as "data.why.runner_up"
	A, B string // as JSON; "" where there is none
}

// Fields returns what differs between the two events, ordered by path; nil if
// one of them is missing.
func (d *Difference) Fields() []Field {
	if d.A == nil || d.B == nil {
		return nil
	}
	var fields []Field
	x, y := flatten(*d.A), flatten(*d.B)
	paths := append(slices.Sorted(maps.Keys(x)), slices.Sorted(maps.Keys(y))...)
	slices.Sort(paths)
	for _, p := range slices.Compact(paths) {
		if x[p] != y[p] {
			fields = append(fields, Field{p, x[p], y[p]})
		}
	}
	return fields
}

// String says in a few lines where the logs part.
func (d *Difference) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "the logs part at event %d\n", d.Seq)
	if d.Before != nil {
		fmt.Fprintf(&s, "  both  %s\n", brief(d.Before))
	}
	fmt.Fprintf(&s, "  A     %s\n  B     %s\n", brief(d.A), brief(d.B))
	const most = 12
	fields := d.Fields()
	for i, f := range fields {
		if i == most {
			fmt.Fprintf(&s, "        and %d more\n", len(fields)-most)
			break
		}
		fmt.Fprintf(&s, "        %s: %s | %s\n", f.Path, cut(f.A), cut(f.B))
	}
	return s.String()
}

func brief(e *event.Event) string {
	if e == nil {
		return "has ended"
	}
	return fmt.Sprintf("#%d %s %s %s", e.Seq, e.T, e.Kind, e.Entity)
}

func cut(s string) string {
	if s == "" {
		return "–"
	}
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// flatten returns the values of an event by path.
func flatten(e event.Event) map[string]string {
	values := map[string]string{
		"t": e.T.String(), "market": e.Market, "kind": e.Kind, "entity": e.Entity, "version": fmt.Sprint(e.Version),
	}
	flattenInto(values, "data", e.Data)
	return values
}

func flattenInto(values map[string]string, path string, raw json.RawMessage) {
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for i, fields := range list {
			flattenFields(values, fmt.Sprintf("%s[%d]", path, i), fields)
		}
		values[path+".length"] = fmt.Sprint(len(list))
		return
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || len(fields) == 0 {
		values[path] = string(raw) // not an object: compared as it is
		return
	}
	flattenFields(values, path, fields)
}

func flattenFields(values map[string]string, path string, fields map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		flattenInto(values, path+"."+name, fields[name])
	}
}

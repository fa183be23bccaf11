package kpi

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// SGR sequences of a terminal.
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	green = "\x1b[32m"
	red   = "\x1b[31m"
	reset = "\x1b[0m"
)

// row is one line of a table: the statistics of one KPI beside each other.
type row struct {
	label string
	cells []Value // by column; Name empty: none
}

// suffixes are the columns of a row that has several statistics.
var suffixes = []string{mean.suffix, p50.suffix, p90.suffix, p99.suffix}

// Table writes a result for a terminal: by group, the statistics of one
// measure on one line, in units that people use. color asks for SGR sequences.
func Table(w io.Writer, r Result, color bool) error {
	var b strings.Builder
	paint := painter(color)
	for _, g := range grouped(r) {
		rows := g.rows
		if g.onlyZeros {
			continue
		}
		head := pad(g.name, 34)
		if g.wide {
			for _, s := range suffixes {
				head += padLeft(s)
			}
		}
		b.WriteString(paint(bold, strings.TrimRight(head, " ")) + "\n")
		for _, row := range rows {
			line := "  " + pad(row.label, 32)
			for _, v := range row.cells {
				text := ""
				if v.Name != "" {
					text = Format(v.Value, v.Unit)
				}
				line += padLeft(text)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// group is the rows below one heading.
type group struct {
	name      string
	rows      []row
	wide      bool // some row has several statistics
	onlyZeros bool // counts of things that never happened
}

// grouped arranges a result for a table.
func grouped(r Result) []group {
	var groups []group
	for _, d := range Definitions() {
		v, ok := r.Get(d.Name)
		if !ok {
			continue
		}
		if len(groups) == 0 || groups[len(groups)-1].name != d.Group {
			groups = append(groups, group{name: d.Group, onlyZeros: true})
		}
		g := &groups[len(groups)-1]
		g.onlyZeros = g.onlyZeros && v == 0
		g.add(d, Value{d.Name, v, d.Unit})
	}
	return groups
}

// add puts a value into the row of its measure, or into a row of its own.
func (g *group) add(d Definition, v Value) {
	label, column := Label(d), 0
	for i, s := range suffixes {
		if measure, ok := strings.CutSuffix(label, " "+s); ok {
			label, column = measure, i
		}
	}
	if len(g.rows) == 0 || g.rows[len(g.rows)-1].label != label {
		if v.Value == 0 && d.Unit == Count && (d.Group == refusals || d.Group == lost) {
			return // one of many reasons, and nobody met it
		}
		g.rows = append(g.rows, row{label: label})
	}
	row := &g.rows[len(g.rows)-1]
	for len(row.cells) <= column {
		row.cells = append(row.cells, Value{})
	}
	row.cells[column] = v
	g.wide = g.wide || column > 0
}

// ChangeTable writes a comparison for a terminal. all includes what is the same
// in both runs.
func ChangeTable(w io.Writer, changes []Change, all, color bool) error {
	var b strings.Builder
	paint := painter(color)
	b.WriteString(paint(bold, pad("", 36)+padLeft("A")+padLeft("B")+padLeft("change")+"   95% confidence") + "\n")
	shown := 0
	for _, c := range changes {
		if c.Verdict == Same && !all {
			continue
		}
		shown++
		line := pad(strings.ReplaceAll(c.Name, "_", " "), 36) + padLeft(optional(c.A, c.Unit)) + padLeft(optional(c.B, c.Unit))
		if c.A != nil && c.B != nil {
			line += padLeft(FormatChange(c.Diff, c.Unit))
		}
		if c.CI != nil {
			line += "   " + pad(FormatChange(c.CI.Low, c.Unit)+" … "+FormatChange(c.CI.High, c.Unit), 24)
		}
		switch c.Verdict {
		case Better:
			line += paint(green, "better")
		case Worse:
			line += paint(red, "worse")
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if shown < len(changes) {
		b.WriteString(paint(faint, fmt.Sprintf("%d of %d KPIs are the same", len(changes)-shown, len(changes))) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func optional(v *float64, u Unit) string {
	if v == nil {
		return "–"
	}
	return Format(*v, u)
}

func painter(color bool) func(code, text string) string {
	return func(code, text string) string {
		if !color {
			return text
		}
		return code + text + reset
	}
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

func padLeft(s string) string {
	const width = 12
	return strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0)) + s
}

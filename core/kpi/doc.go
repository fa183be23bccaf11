package kpi

import (
	"fmt"
	"io"
	"strings"
)

// WriteDoc writes the documentation of all KPIs in Markdown: docs/kpis.md.
func WriteDoc(w io.Writer) error {
	var b strings.Builder
	b.WriteString(docHead)
	heading := ""
	for _, d := range Definitions() {
		if d.Group != heading {
			heading = d.Group
			fmt.Fprintf(&b, "\n## %s\n\n| name | unit | better | meaning |\n|---|---|---|---|\n", heading)
		}
		better := string(d.Better)
		if d.Better == Neither {
			better = "–"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Unit, better, d.Doc)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const docHead = `# KPIs

The numbers that runs are judged by. This page is generated from the definitions in ` + "`core/kpi`" + `
(` + "`go test ./core/kpi -run TestDoc -update`" + `), where each is computed from the events of the run log and from nothing else.

Shares are between 0 and 1. Quantiles are exact, by nearest rank: the smallest value that occurred such that at least
the given part of all values is not above it. A KPI that has nothing to be computed from, such as a mean over no
deliveries, has no value and is left out. Robots are counted, couriers on foot are not.
A delivery that lost its robot before loading is measured by the attempt that went on, and its waiting by all of them.
` + "`footway diff`" + ` gives statistics over deliveries a 95% confidence interval by the paired bootstrap: deliveries are drawn with
replacement and evaluated in both runs, matched by partner and external id.
`

// Package report writes a run as one HTML page that needs nothing else: no
// network, no scripts, no fonts. It computes no KPI; package kpi does.
package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"footway/core/clock"
	"footway/core/kpi"
	"footway/core/runlog"
)

// Report is what a page tells of.
type Report struct {
	Scenario string
	About    string // the scenario's story
	Seed     uint64
	Market   string
	Version  string // of the program
	Hash     runlog.Hash
	Command  string         // that makes the same run again
	Wall     time.Duration  // how long the run took; 0 if unknown
	Zone     *time.Location // in which times are shown; nil is UTC
	Run      *kpi.Run
	Outcomes []Outcome
	Map      Picture
}

// Outcome is something that was expected of a run.
type Outcome struct {
	Name   string
	Met    bool
	Detail string // what came out
}

// Picture is a picture of the market; the zero value is none.
type Picture struct {
	Type        string // "image/png" or "image/svg+xml"
	Data        []byte
	Attribution string // to be shown with it
}

//go:embed page.html
var page string

//go:embed style.css
var style string

// Write writes the page.
func Write(w io.Writer, r Report) error {
	if r.Run == nil {
		return fmt.Errorf("report: no run")
	}
	if r.Zone == nil {
		r.Zone = time.UTC
	}
	t, err := template.New("page").Parse(page)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := t.Execute(w, r.content()); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// content is what the template is filled with.
type content struct {
	Report
	Style     template.CSS
	Facts     []fact
	Headline  []tile
	Met       int
	Charts    []chart
	Phases    []phase
	Breakdown []breakdown
	Groups    []kpiGroup
	Worst     []worst
	MapURL    template.URL
}

// fact is a word and what it says of the run.
type fact struct{ Name, Value string }

func (r Report) content() content {
	c := content{
		Report: r, Style: template.CSS(style), Facts: r.facts(), Headline: headline(r.Run), // embedded
		Charts: (&painter{r.Run, r.Zone}).charts(), Phases: phases(), Breakdown: breakdowns(r.Run),
		Groups: groups(r.Run), Worst: r.worst(10),
	}
	for _, o := range r.Outcomes {
		if o.Met {
			c.Met++
		}
	}
	if len(r.Map.Data) > 0 {
		c.MapURL = template.URL("data:" + r.Map.Type + ";base64," + base64.StdEncoding.EncodeToString(r.Map.Data)) // a picture cannot run scripts
	}
	return c
}

// facts identify the run.
func (r Report) facts() []fact {
	run := r.Run
	from, to := r.local(run.From), r.local(run.To)
	facts := []fact{
		{"Market", r.Market},
		{"Day", from.Format("Monday, 2 January 2006")},
		{"Time", from.Format("15:04") + " – " + to.Format("15:04 MST")},
		{"Seed", fmt.Sprint(r.Seed)},
		{"Events", thousands(run.Events)},
	}
	if r.Wall > 0 {
		facts = append(facts, fact{"Computed in", r.Wall.Round(10 * time.Millisecond).String()})
	}
	return append(facts, fact{"Version", r.Version}, fact{"Hash", r.Hash.Short()})
}

func (r Report) local(t clock.Time) time.Time { return t.Std().In(r.Zone) }

// thousands writes a number with thin spaces between groups of three digits.
func thousands(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

package recording

import (
	"fmt"
	"io"
	"text/tabwriter"

	"footway/core/clock"
)

// OutcomeKey is a kind of answer: what was asked, and how it was answered.
type OutcomeKey struct {
	Operation string `json:"operation"` // or method and path, if the answer does not name it
	Status    int    `json:"status"`
	Code      string `json:"code,omitempty"`   // of an error
	Reason    string `json:"reason,omitempty"` // of an error
	Fields    string `json:"fields,omitempty"` // that an error blames, separated by spaces
}

// Outcome is how often a kind of answer was given, and where first.
type Outcome struct {
	OutcomeKey
	Count     int        `json:"count"`
	FirstLine int        `json:"first_line"`
	FirstAt   clock.Time `json:"first_at"`
}

// Summary is how the requests of a replay were answered.
type Summary struct {
	Requests int       `json:"requests"`
	Outcomes []Outcome `json:"outcomes"` // by operation, status, then most frequent first
}

// WriteText writes s as a table for people.
func (s Summary) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "answers to partners\tstatus\tcount\tfirst line\t\n")
	for _, o := range s.Outcomes {
		why := o.Code
		if o.Reason != "" {
			why += ": " + o.Reason
		}
		if o.Fields != "" {
			why += ": " + o.Fields
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\n", o.Operation, o.Status, o.Count, o.FirstLine, why)
	}
	fmt.Fprintf(t, "all\t\t%d\t\t\n", s.Requests)
	return t.Flush()
}

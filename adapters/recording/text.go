package recording

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"footway/core/clock"
)

// barWidth is the longest bar of a histogram, in characters.
const barWidth = 40

// WriteText writes r for people.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	row("requests", "%d", r.Requests)
	if r.Requests > 0 {
		row("from", "%v", r.First)
		row("to", "%v (%v)", r.Last, r.Last.Sub(r.First)/clock.Second*clock.Second)
	}
	for _, p := range r.Partners {
		row("partner "+p.Name, "%d", p.Count)
	}
	row("deliveries asked for", "%d", r.Deliveries)
	row("accepted or created", "%d (%d%%)", r.Accepted, (r.AcceptShare()+5)/10)
	row("of them cancels tried", "%d (%d%%)", r.Cancelled, (r.CancelShare()+5)/10)
	row("stores registered", "%d", r.Stores)
	row("repeats", "%d", r.Repeats)
	row("same id, other body", "%d", r.Conflicts)
	row("malformed bodies", "%d", r.Malformed)
	row("without an id", "%d", r.NoID)
	row("about unknown ids", "%d", r.UnknownIDs)
	row("unknown stores", "%d", len(r.UnknownStores))
	for _, s := range r.UnknownStores {
		row("  "+s.Name, "%d", s.Count)
	}
	fmt.Fprintln(t)
	for _, o := range r.Operations {
		row(o.Name, "%d", o.Count)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return r.writeHours(w)
}

// writeHours draws the deliveries of each hour as bars.
func (r *Report) writeHours(w io.Writer) error {
	most := 1
	for _, h := range r.Hours {
		most = max(most, h.Deliveries)
	}
	var b strings.Builder
	b.WriteString("\ndeliveries by hour\n")
	for _, h := range r.Hours {
		bar := strings.Repeat("█", (h.Deliveries*barWidth+most-1)/most)
		fmt.Fprintf(&b, "%s  %5d  %s\n", h.From.Std().Format("2006-01-02 15:04"), h.Deliveries, bar)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

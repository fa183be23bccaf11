package fake

import (
	"context"
	"fmt"
	"strings"

	"footway/core/event"
	"footway/core/market"
)

// Journal is an event.Journal that remembers.
type Journal struct {
	Events []event.Event
	taken  int
}

var _ event.Journal = (*Journal)(nil)

// Append implements event.Journal.
func (j *Journal) Append(_ context.Context, e event.Event) {
	e.Seq = uint64(len(j.Events) + 1)
	j.Events = append(j.Events, e)
}

// Kinds returns the kinds of all events, in order.
func (j *Journal) Kinds() []string {
	kinds := make([]string, len(j.Events))
	for i, e := range j.Events {
		kinds[i] = e.Kind
	}
	return kinds
}

// Count returns how many events are of the kind.
func (j *Journal) Count(kind string) (n int) {
	for _, e := range j.Events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// Take returns the events since the last Take.
func (j *Journal) Take() []event.Event {
	from := j.taken
	j.taken = len(j.Events)
	return j.Events[from:]
}

// Trace returns the events since the last Take, one a line: "12:00:01 task.started d1.1 {…}".
func (j *Journal) Trace() string {
	var b strings.Builder
	for _, e := range j.Take() {
		fmt.Fprintf(&b, "%s %s %s %s\n", Time(e.T), e.Kind, e.Entity, e.Data)
	}
	return b.String()
}

// Notifier counts how often each market's feed was said to have changed.
type Notifier struct{ Calls map[market.ID]int }

// Changed implements the Notifier ports of the core.
func (n *Notifier) Changed(_ context.Context, m market.ID) {
	if n.Calls == nil {
		n.Calls = map[market.ID]int{}
	}
	n.Calls[m]++
}

// IDs gives out names that count up over all kinds: d1, d2, q3, ….
type IDs struct{ last int }

// NewID returns the first letter of kind with the next number.
func (i *IDs) NewID(kind string) string {
	i.last++
	return fmt.Sprintf("%.1s%d", kind, i.last)
}

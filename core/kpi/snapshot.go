package kpi

import (
	"encoding/json"
	"fmt"

	"footway/core/clock"
)

// written is a collector written down.
type written struct {
	Run     Run        `json:"run"`
	Next    clock.Time `json:"next"`
	Waiting int        `json:"waiting"`
	Active  int        `json:"active"`
	Done    int        `json:"done"`
	Late    int        `json:"late"`
}

// Snapshot returns the collector written down, for a run that goes on elsewhere.
func (c *Collector) Snapshot() ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	return json.Marshal(written{c.run, c.next, c.waiting, c.active, c.done, c.late})
}

// Restore makes the collector the one that wrote the snapshot.
func (c *Collector) Restore(snapshot []byte) error {
	w := written{Run: NewCollector().run}
	if err := json.Unmarshal(snapshot, &w); err != nil {
		return fmt.Errorf("kpi: snapshot: %w", err)
	}
	*c = *NewCollector()
	c.run, c.next = w.Run, w.Next
	c.waiting, c.active, c.done, c.late = w.Waiting, w.Active, w.Done, w.Late
	for _, r := range c.run.Records {
		c.records[r.Delivery] = r
	}
	for _, k := range c.run.Carriers {
		c.carriers[k.ID] = k
	}
	return nil
}

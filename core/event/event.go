// Package event is the shape of a domain event: one line of the run log, in
// simulation and in production alike. What the data of each kind holds is
// declared by the package that owns the entity.
package event

import (
	"context"
	"encoding/json"

	"footway/core/clock"
)

// Event is one thing that happened. Data is canonical JSON (as encoding/json
// writes a struct), never personal data.
type Event struct {
	Seq     uint64          `json:"seq"`     // position in the log, from 1; set by the log
	T       clock.Time      `json:"t"`       // when, in ms since the epoch
	Market  string          `json:"market"`  // the market it belongs to
	Kind    string          `json:"kind"`    // such as "delivery.assigned"
	Entity  string          `json:"entity"`  // such as a delivery's or robot's id
	Version uint64          `json:"version"` // the entity's version after it; 0 where it has none
	Data    json.RawMessage `json:"data"`    // of the kind's own type
}

// Journal receives what happened.
type Journal interface {
	// Append takes e; the journal gives it its sequence number. The caller
	// may not change e.Data afterwards. It does not block and does not fail:
	// a journal that loses its disk reports that to its own operator.
	Append(ctx context.Context, e Event)
}

// New returns an event with data marshalled to JSON. It panics if data cannot
// be marshalled, which is a bug in the data's type.
func New(t clock.Time, market, kind, entity string, version uint64, data any) Event {
	b, err := json.Marshal(data)
	if err != nil {
		panic("event: " + kind + ": " + err.Error())
	}
	return Event{T: t, Market: market, Kind: kind, Entity: entity, Version: version, Data: b}
}

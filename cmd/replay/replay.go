// Package replay makes recorded partner traffic the traffic of a run: every request goes through the
// translations that serve partners in production.
package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"footway/adapters/partner"
	"footway/adapters/recording"
	"footway/adapters/uber"
	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/market"
	"footway/sim/world"
)

// Answer is what a partner would have got.
type Answer struct {
	Line   int             `json:"line"` // of the request in the recording
	At     clock.Time      `json:"at"`
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// Recording is recorded traffic, and an account of what came of it the last time it was replayed.
type Recording struct {
	Requests []recording.Request
	// Answered is told each answer. Nil: nobody wants to know.
	Answered func(Answer)

	last *recording.Replay
}

// Read reads a recording that has at least one request; name is for errors.
func Read(name string, from io.Reader) (*Recording, error) {
	requests, err := recording.Read(from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(requests) == 0 {
		return nil, fmt.Errorf("%s: the recording is empty", name)
	}
	return &Recording{Requests: requests}, nil
}

// Summary is the account of the last replay.
func (r *Recording) Summary() recording.Summary { return r.last.Summary() }

// lineIDs names what a request makes after its line, so that a run that is resumed goes on with the same names.
type lineIDs struct{ line int }

// NewID implements delivery.IDs.
func (i *lineIDs) NewID(kind string) string { return fmt.Sprintf("%s-%d", kind, i.line) }

// Into makes the recording the traffic of a run.
func (r *Recording) Into(o *twin.Options) {
	m := market.ID(o.Scenario.Market.ID)
	o.Traffic = func(s *twin.Services) world.Traffic {
		drive := partner.NewDrive(partner.Deps{
			Market: m, Quotes: s.Deliveries, Changes: s.Deliveries, Estimates: s.Dispatch,
			Businesses: s.Merchants, Stores: s.Merchants, Places: s.Maps, Clock: s.Clock,
		})
		ids := &lineIDs{}
		direct := uber.NewDirect(uber.Deps{
			Market: m, Quotes: s.Deliveries, Changes: s.Deliveries, Board: s.Board, Estimates: s.Dispatch, Stores: s.Merchants, Places: s.Maps,
			IDs: ids, Clock: s.Clock,
		})
		r.last = recording.NewReplay(r.Requests, func(ctx context.Context, q recording.Request) (recording.Answer, error) {
			asked := partner.Request{Partner: delivery.PartnerID(q.Partner), Method: q.Method, Path: q.Path, Body: q.Body}
			var a partner.Response
			if strings.HasPrefix(q.Path, uber.Prefix) {
				ids.line = q.Line
				a = partner.Response(direct.Handle(ctx, uber.Request(asked)))
			} else {
				a = drive.Handle(ctx, asked)
			}
			if r.Answered != nil {
				r.Answered(Answer{Line: q.Line, At: s.Clock.Now(), Method: q.Method, Path: q.Path, Status: a.Status, Body: a.Body})
			}
			return recording.Answer{Status: a.Status, Operation: a.Operation, Body: a.Body}, a.Err
		})
		return r.last
	}
}

package recording

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
)

// Answer is what a partner got for a request.
type Answer struct {
	Status    int
	Operation string // such as "quote"; "" if the request asked for nothing known
	Body      []byte
}

// Handle answers a request of a recording. It fails only if something went wrong
// on our side; an answer that the partner would not like is no failure.
type Handle func(ctx context.Context, r Request) (Answer, error)

// Replay sends the requests of a recording when their time comes, and keeps
// account of the answers. It is not safe for concurrent use.
type Replay struct {
	requests []Request
	handle   Handle
	tally    map[OutcomeKey]Outcome
	sent     int
}

// NewReplay returns a replay of requests, which are ordered by time.
func NewReplay(requests []Request, handle Handle) *Replay {
	return &Replay{requests: requests, handle: handle, tally: map[OutcomeKey]Outcome{}}
}

// Next returns the instant of request i, or false if there is none.
func (r *Replay) Next(i int) (clock.Time, bool) {
	if i < 0 || i >= len(r.requests) {
		return 0, false
	}
	return r.requests[i].At, true
}

// Send makes request i. It fails if handle does.
func (r *Replay) Send(ctx context.Context, i int) error {
	if i < 0 || i >= len(r.requests) {
		return fmt.Errorf("recording: request %d of %d", i, len(r.requests))
	}
	e := r.requests[i]
	a, err := r.handle(ctx, e)
	if err != nil {
		return fmt.Errorf("recording: line %d: %s %s: %w", e.Line, e.Method, e.Path, err)
	}
	r.sent++
	key := keyOf(e, a)
	o := r.tally[key]
	if o.Count == 0 {
		o = Outcome{OutcomeKey: key, FirstLine: e.Line, FirstAt: e.At}
	}
	o.Count++
	r.tally[key] = o
	return nil
}

// maxFields bounds the fields in a kind of answer, and with it the kinds.
const maxFields = 3

func keyOf(e Request, a Answer) OutcomeKey {
	k := OutcomeKey{Operation: cmp.Or(a.Operation, operation(e.Method, e.Path)), Status: a.Status}
	if a.Status < 300 {
		return k
	}
	var problem struct {
		Code, Reason string
		Fields       []struct{ Field string } `json:"field_errors"`
	}
	if json.Unmarshal(a.Body, &problem) != nil {
		k.Code = "not_json"
		return k
	}
	k.Code, k.Reason = problem.Code, problem.Reason
	var fields []string
	for _, f := range problem.Fields[:min(len(problem.Fields), maxFields)] {
		fields = append(fields, f.Field)
	}
	k.Fields = strings.Join(fields, " ")
	return k
}

// Summary says how the requests sent so far were answered.
func (r *Replay) Summary() Summary { return Summary{Requests: r.sent, Outcomes: r.outcomes()} }

// outcomes returns all kinds of answers, by operation, status and then most
// frequent first.
func (r *Replay) outcomes() []Outcome {
	list := make([]Outcome, 0, len(r.tally))
	for _, o := range r.tally {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status), cmp.Compare(b.Count, a.Count),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Fields, b.Fields))
	})
	return list
}

// Snapshot writes down the account of the answers.
func (r *Replay) Snapshot() ([]byte, error) { return json.Marshal(r.Summary()) }

// Restore replaces the account by one that Snapshot wrote down.
func (r *Replay) Restore(snapshot []byte) error {
	var s Summary
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return fmt.Errorf("restore replay: %w", err)
	}
	r.sent, r.tally = s.Requests, map[OutcomeKey]Outcome{}
	for _, o := range s.Outcomes {
		r.tally[o.OutcomeKey] = o
	}
	return nil
}

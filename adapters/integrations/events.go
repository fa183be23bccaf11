package integrations

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"footway/core/integration"
)

// How many events an answer has.
const (
	usualEvents = 100
	mostEvents  = 500
)

// page is the answer of GET /events.
type page struct {
	Events []json.RawMessage `json:"events"`
	// Next is what to ask for as after the next time.
	Next uint64 `json:"next"`
	// Forgotten says how many events behind after are kept no longer.
	Forgotten uint64 `json:"forgotten,omitempty"`
}

// events answers GET /events?after=&limit=&wait=.
func (v *visit) events(ctx context.Context, _ []byte) (Answer, error) {
	q, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil {
		return Answer{}, invalid("query", "it cannot be read")
	}
	after, err := number(q, "after", 0, 1<<63-1)
	if err != nil {
		return Answer{}, err
	}
	limit, err := number(q, "limit", usualEvents, mostEvents)
	if err != nil {
		return Answer{}, err
	}
	wait, err := waiting(q, v.d.o.LongPoll)
	if err != nil {
		return Answer{}, err
	}
	entries, err := v.await(ctx, after, int(limit), wait)
	if err != nil {
		return Answer{}, err
	}
	p := page{Events: make([]json.RawMessage, 0, len(entries)), Next: after}
	for _, e := range entries {
		b, err := v.d.Encode(e)
		if err != nil {
			return Answer{}, err
		}
		p.Events, p.Next = append(p.Events, b), e.Position
	}
	if len(entries) > 0 {
		p.Forgotten = entries[0].Position - after - 1
	}
	return reply("", p), nil
}

// await returns entries, and waits for the first one.
func (v *visit) await(ctx context.Context, after uint64, limit int, wait time.Duration) ([]integration.Entry, error) {
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(v.d.o.PollEvery)
	defer again.Stop()
	for {
		entries, err := v.d.Events.Entries(ctx, v.who.Partner.ID, after, limit)
		if err != nil || len(entries) > 0 || wait == 0 {
			return entries, err
		}
		select {
		case <-again.C:
		case <-over.C:
			return nil, nil
		case <-v.d.closing:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// number reads a whole number of a query, or returns otherwise.
func number(q url.Values, name string, otherwise, most uint64) (uint64, error) {
	switch values := q[name]; {
	case len(values) == 0:
		return otherwise, nil
	case len(values) > 1:
		return 0, invalid(name, "it is there twice")
	default:
		n, err := strconv.ParseUint(values[0], 10, 64)
		if err != nil || n > most {
			return 0, invalid(name, "want a whole number up to "+strconv.FormatUint(most, 10))
		}
		return n, nil
	}
}

// waiting reads how long to wait: a number of seconds, or a duration such as 25s.
func waiting(q url.Values, most time.Duration) (time.Duration, error) {
	text := q.Get("wait")
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		var seconds uint64
		seconds, err = strconv.ParseUint(text, 10, 16)
		d = time.Duration(seconds) * time.Second
	}
	if err != nil || d < 0 || d > most {
		return 0, invalid("wait", "want seconds, such as 25, up to "+most.String())
	}
	return d, nil
}

// replay answers POST /events/replay.
func (v *visit) replay(ctx context.Context, body []byte) (Answer, error) {
	var in struct {
		Endpoint string  `json:"endpoint_id"`
		After    *uint64 `json:"after"`
	}
	if err := readJSON(body, &in); err != nil {
		return Answer{}, err
	}
	if in.Endpoint == "" || len(in.Endpoint) > 100 {
		return Answer{}, invalid("endpoint_id", "missing or too long")
	}
	if in.After == nil || *in.After > 1<<63-1 {
		return Answer{}, invalid("after", "want the position behind which events are told again; 0 is from the beginning")
	}
	if err := v.d.Replay(ctx, v.who.Partner.ID, in.Endpoint, *in.After); err != nil {
		return Answer{}, err
	}
	a := reply("", in)
	a.Status = http.StatusAccepted
	return a, nil
}

// readJSON reads one JSON object; fields that it does not know are let pass, as Drive does.
func readJSON(body []byte, into any) error {
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
		return invalid("body", "want a JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return invalid(wrong.Field, "it is of the wrong type")
		}
		return invalid("body", "not valid JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("body", "there is something behind the object")
	}
	return nil
}

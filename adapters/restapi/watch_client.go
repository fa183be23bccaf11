package restapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
)

// maxEvent is how long one event of a stream may be, in bytes.
const maxEvent = 1 << 20

// event is one server-sent event.
type sentEvent struct{ name, id, data string }

// WatchDelivery calls take with each update of a delivery after the sequence, as
// it comes, each once. Where the stream is cut it goes on where it was after a while. It returns nil
// when the delivery has ended and all was told; otherwise it ends with ctx, with an error of take, or with one that no
// repeat would mend.
func (c *DeliveriesClient) WatchDelivery(ctx context.Context, id delivery.ID, after uint64, take func(delivery.Update) error) error {
	const op = "Deliveries.WatchDelivery"
	return c.watch(ctx, call{op: op, path: oursPath(id, "/events")}, strconv.FormatUint(after, 10), func(e sentEvent) error {
		n := sequenceOf(e.id)
		if n <= int64(after) {
			return nil // no update, or one that was told before
		}
		after = uint64(n)
		if e.name == "forgotten" {
			return nil
		}
		var u wireUpdate
		if err := json.Unmarshal([]byte(e.data), &u); err != nil {
			return fault.New(op, fault.Internal, reasonUnexpected, "an event is not what the contract says: %w", describe(err))
		}
		return take(u.core())
	})
}

// BoardNews is what changed on a page of a board.
type BoardNews struct {
	Reset    bool               // forget all: what is there comes next
	Delivery *delivery.Delivery // is on the page, and this is how it is now
	Left     delivery.ID        // is not on the page any more
}

// WatchBoard calls take with what changes on the page that Board returns for q,
// beginning with a reset and what is there. It ends like WatchDelivery, but never by itself.
func (c *DeliveriesClient) WatchBoard(ctx context.Context, q delivery.BoardQuery, take func(BoardNews) error) error {
	const op = "Deliveries.WatchBoard"
	if err := q.Check(); err != nil {
		return err
	}
	values := boardValues(q)
	values.Set("limit", strconv.Itoa(min(q.Limit, MaxPage)))
	return c.watch(ctx, call{op: op, path: "/v1/board/events", query: values, partner: q.Partner}, "", func(e sentEvent) error {
		var news BoardNews
		var bad error
		switch e.name {
		case "reset":
			news.Reset = true
		case "delivery":
			var w wireDelivery
			bad = json.Unmarshal([]byte(e.data), &w)
			d := w.core()
			news.Delivery = &d
		case "left":
			bad = json.Unmarshal([]byte(e.data), &struct {
				ID *delivery.ID `json:"id"`
			}{&news.Left})
		default:
			return nil // of a newer version
		}
		if bad != nil {
			return fault.New(op, fault.Internal, reasonUnexpected, "an event is not what the contract says: %w", describe(bad))
		}
		return take(news)
	})
}

// stopped is an error of whoever takes the events.
type stopped struct{ error }

func (s *stopped) Unwrap() error { return s.error }

// errEnded says that nothing more will come.
var errEnded = errors.New("the stream has ended for good")

// watch reads streams, one after the other, until there is no use in another.
func (c *client) watch(ctx context.Context, q call, last string, take func(sentEvent) error) error {
	const first, longest = 100 * time.Millisecond, 10 * time.Second
	wait := first
	for {
		at, err := c.stream(ctx, q, last, take)
		if at != last {
			last, wait = at, first
		}
		own, mine := errors.AsType[*stopped](err)
		switch {
		case errors.Is(err, errEnded):
			return nil
		case mine:
			return own.error
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Exhausted):
			return err
		}
		pause := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
		wait = min(2*wait, longest)
	}
}

// silence is how long a stream may say nothing before it counts as dead.
const silence = 3 * beatEvery

// stream reads one stream to its end, and returns the id of the last event.
func (c *client) stream(ctx context.Context, q call, last string, take func(sentEvent) error) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := time.AfterFunc(silence, cancel)
	defer silent.Stop()
	q.method = http.MethodGet
	r, err := c.request(ctx, q)
	if err != nil {
		return last, err
	}
	r.Header.Set("Accept", eventStream)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	a, err := c.http.Do(r)
	if err != nil {
		return last, lost(q.op, err)
	}
	defer a.Body.Close() //nolint:errcheck // all of it that counts was read
	switch {
	case a.StatusCode == http.StatusNoContent:
		return last, errEnded
	case a.StatusCode != http.StatusOK:
		body, err := io.ReadAll(io.LimitReader(a.Body, MaxBody))
		if err != nil {
			return last, lost(q.op, err)
		}
		return last, faultOf(q.op, a.StatusCode, a.Header, body)
	case mediaType(a.Header.Get("Content-Type")) != eventStream:
		return last, fault.New(q.op, fault.Internal, reasonUnexpected, "the answer is not %s", eventStream)
	}
	var e sentEvent
	lines := bufio.NewScanner(a.Body)
	lines.Buffer(make([]byte, 0, 4096), maxEvent)
	for lines.Scan() {
		silent.Reset(silence)
		if !e.line(lines.Text()) {
			continue
		}
		if err := take(e); err != nil {
			return last, &stopped{err}
		}
		last, e = e.id, sentEvent{}
	}
	if err := lines.Err(); err != nil {
		return last, lost(q.op, err)
	}
	return last, nil // the server is done with this stream, not with the delivery
}

// line adds a line to the event, and reports whether it was the last one.
func (e *sentEvent) line(text string) (whole bool) {
	field, value, _ := strings.Cut(text, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "":
		return text == "" && e.data != ""
	case "event":
		e.name = value
	case "id":
		e.id = value
	case "data":
		e.data += value
	}
	return false
}

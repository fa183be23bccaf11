package delivery

import (
	"cmp"
	"context"
	"strings"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
)

// BoardQuery says which deliveries somebody wants to see, newest first: by
// Times.Quoted, then by ID, both downwards. Neither ever changes, so nothing
// moves between two pages.
type BoardQuery struct {
	Partner PartnerID // whose they are; required
	Market  market.ID // "" is any
	Store   string    // of the pickup; "" is any, and "cafe/" is any of the business "cafe"
	States  []State   // none is any
	After   BoardMark // those behind this place; the zero value is the beginning
	Limit   int       // how many at most; at least 1
}

// BoardMark is a place in the order of a board.
type BoardMark struct {
	Quoted clock.Time
	ID     ID
}

// Mark returns the place of d.
func (d *Delivery) Mark() BoardMark { return BoardMark{d.Times.Quoted, d.ID} }

// Compare orders marks as boards do: it is negative if m comes before n.
func (m BoardMark) Compare(n BoardMark) int {
	return cmp.Or(cmp.Compare(n.Quoted, m.Quoted), cmp.Compare(n.ID, m.ID))
}

// Shows reports whether d is among what q asks for, whatever its place.
func (q *BoardQuery) Shows(d *Delivery) bool {
	return d.Partner == q.Partner && (q.Market == "" || d.Market == q.Market) && inStore(d.Pickup.Store, q.Store) && inStates(d.State, q.States)
}

// inStore reports whether store is the wanted one, or one of the wanted business.
func inStore(store, want string) bool {
	if strings.HasSuffix(want, "/") {
		return strings.HasPrefix(store, want)
	}
	return want == "" || store == want
}

func inStates(s State, want []State) bool {
	for _, w := range want {
		if s == w {
			return true
		}
	}
	return len(want) == 0
}

// Check returns what is wrong with q, as a fault.Invalid, or nil.
func (q *BoardQuery) Check() error {
	bad := func(format string, args ...any) error {
		return fault.New("delivery.Board", fault.Invalid, ValidationError, format, args...)
	}
	if q.Partner == "" {
		return bad("partner: missing")
	}
	if q.Limit < 1 {
		return bad("limit %d: want at least 1", q.Limit)
	}
	for _, s := range q.States {
		if _, known := next[s]; !known && !s.Ended() {
			return bad("state %.40q is unknown", s)
		}
	}
	return nil
}

// BoardStore finds what people watch.
type BoardStore interface {
	// Board returns the deliveries that q asks for, in the order that BoardQuery tells. The result is the
	// caller's, and may lag behind writes by a moment. What Check refuses is not asked for.
	Board(ctx context.Context, q BoardQuery) ([]Delivery, error)
	// Updates returns the updates of a delivery with a sequence above after, in order and with none left
	// out between them, at most limit. Those that were published long ago may be forgotten, the earliest
	// first; of an unknown delivery there are none.
	Updates(ctx context.Context, id ID, after uint64, limit int) ([]Update, error)
}

package serve

import (
	"context"
	"strings"
	"sync"

	"footway/core/event"
	"footway/core/market"
)

// rouser wakes up one who sleeps; several calls before it looks are one.
type rouser chan struct{}

func newRouser() rouser { return make(rouser, 1) }

func (r rouser) rouse() {
	select {
	case r <- struct{}{}:
	default:
	}
}

// news wakes up who has something to do in this process. Who is not woken looks by itself, a
// moment later: what other processes did is found like that.
type news struct {
	mu    sync.Mutex
	pumps map[market.ID]rouser // of Deliveries
	relay rouser
}

func newNews() *news { return &news{pumps: map[market.ID]rouser{}, relay: newRouser()} }

// pump returns what wakes up the pump of a market.
func (n *news) pump(m market.ID) rouser {
	n.mu.Lock()
	defer n.mu.Unlock()
	r, ok := n.pumps[m]
	if !ok {
		r = newRouser()
		n.pumps[m] = r
	}
	return r
}

// decided is the Notifier of Dispatch and Task: each rings its own bell, for those who watch over the
// wire, and wakes up the pump of this process.
type decided struct {
	bell interface {
		Changed(ctx context.Context, m market.ID)
	}
	news *news
}

// Changed implements dispatch.Notifier and task.Notifier.
func (d decided) Changed(ctx context.Context, m market.ID) {
	d.bell.Changed(ctx, m)
	d.news.pump(m).rouse()
}

// told is a journal that wakes up the relay when a delivery has an update.
type told struct {
	next event.Journal
	news *news
}

// Append implements event.Journal.
func (t told) Append(ctx context.Context, e event.Event) {
	t.next.Append(ctx, e)
	if strings.HasPrefix(e.Kind, "delivery.") {
		t.news.relay.rouse()
	}
}

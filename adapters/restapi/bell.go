package restapi

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	"footway/core/delivery"
	"footway/core/event"
	"footway/core/market"
)

// Bell wakes up who waits for news in this process. It is safe for concurrent use.
type Bell struct {
	mu        sync.Mutex
	listeners map[string]map[*listener]struct{}
}

// NewBell returns a bell that nobody waits for.
func NewBell() *Bell { return &Bell{listeners: map[string]map[*listener]struct{}{}} }

// listener waits for news of one thing. Its channel holds one token at most.
type listener struct {
	bell *Bell
	key  string
	c    chan struct{}
}

func marketKey(m market.ID) string           { return "market/" + string(m) }
func deliveryKey(id delivery.ID) string      { return "delivery/" + string(id) }
func partnerKey(p delivery.PartnerID) string { return "partner/" + string(p) }

// Changed implements the Notifier port of Dispatch.
func (b *Bell) Changed(_ context.Context, m market.ID) { b.ring(marketKey(m)) }

// Updated tells of news of a delivery.
func (b *Bell) Updated(id delivery.ID, p delivery.PartnerID) {
	b.ring(deliveryKey(id))
	b.ring(partnerKey(p))
}

// Journal returns a journal that passes on to next, and rings for each update of a
// delivery on the way.
func (b *Bell) Journal(next event.Journal) event.Journal { return &ringing{next, b} }

type ringing struct {
	event.Journal
	bell *Bell
}

// Append implements event.Journal.
func (j *ringing) Append(ctx context.Context, e event.Event) {
	j.Journal.Append(ctx, e)
	if !strings.HasPrefix(e.Kind, "delivery.") || !j.bell.heard() {
		return
	}
	var u struct {
		Partner delivery.PartnerID `json:"partner"`
	}
	if json.Unmarshal(e.Data, &u) == nil {
		j.bell.Updated(delivery.ID(e.Entity), u.Partner)
	}
}

// heard reports whether anybody listens.
func (b *Bell) heard() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.listeners) > 0
}

func (b *Bell) ring(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners[key] {
		select {
		case l.c <- struct{}{}:
		default: // it knows already
		}
	}
}

// listen returns a listener; who looks for news after the call misses nothing. It is closed in the end.
func (b *Bell) listen(key string) *listener {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &listener{bell: b, key: key, c: make(chan struct{}, 1)}
	if b.listeners[key] == nil {
		b.listeners[key] = map[*listener]struct{}{}
	}
	b.listeners[key][l] = struct{}{}
	return l
}

func (l *listener) close() {
	l.bell.mu.Lock()
	defer l.bell.mu.Unlock()
	delete(l.bell.listeners[l.key], l)
	if len(l.bell.listeners[l.key]) == 0 {
		delete(l.bell.listeners, l.key)
	}
}

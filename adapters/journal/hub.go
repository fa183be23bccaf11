package journal

import (
	"context"
	"fmt"
	"io"
	"sort"
	"sync"
	"time"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/runlog"
)

// hub numbers and folds what happens, and keeps the last pieces of its log for
// subscribers. All of them get the same pieces, so that each is made once.
type hub struct {
	o      Options
	header runlog.Header

	mu     sync.Mutex
	live   *runlog.Log
	told   uint64  // number of the last event in pieces
	pieces []piece // consecutive
	bytes  int
	news   chan struct{} // closed when there is a piece more, or no more to come
	closed bool
	joined joined
	subs   int
}

// piece is some frames of the log.
type piece struct {
	first, last uint64      // events
	chain       runlog.Hash // up to the last
	b           []byte
}

// joined is the beginning that the last subscriber got, for those who come right behind it.
type joined struct {
	at time.Time
	piece
}

func newHub(o Options, h runlog.Header) *hub {
	return &hub{o: o, header: h, news: make(chan struct{})}
}

// frames takes what a log writes. The first is the header, which each subscriber
// gets with its beginning.
type frames struct {
	hub   *hub
	begun bool
}

// Write implements io.Writer. The hub is locked.
func (f *frames) Write(b []byte) (int, error) {
	if f.begun {
		f.hub.push(b)
	}
	f.begun = true
	return len(b), nil
}

// restore goes on from a snapshot, or from nothing if it is nil.
func (h *hub) restore(snapshot []byte, forget clock.Time) (err error) {
	o := runlog.Options{Codec: h.o.Codec, Forget: forget}
	if snapshot == nil {
		h.live, err = runlog.New(&frames{hub: h}, h.header, o)
	} else {
		h.live, err = runlog.Restore(&frames{hub: h}, h.header, o, snapshot)
	}
	if err == nil {
		h.told = h.live.Seq()
	}
	return err
}

// again goes on from where the log is, without what is forgotten.
func (h *hub) again(forget clock.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.live.Flush()
	var snapshot []byte
	if err == nil {
		snapshot, err = h.live.Snapshot()
	}
	if err == nil {
		err = h.restore(snapshot, forget)
	}
	h.joined = joined{}
	return err
}

// snapshot returns all that a log needs to go on from here, and the number of the last event.
func (h *hub) snapshot() (uint64, []byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, err := h.live.Snapshot()
	return h.live.Seq(), b, err
}

// append takes events over. Readers take all of them.
func (h *hub) append(events []event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range events {
		h.live.Append(context.Background(), events[i])
	}
	if err := h.live.Err(); err != nil {
		h.o.Log.Error("the journal begins anew", "error", err)
		h.pieces, h.bytes, h.joined = nil, 0, joined{}
		if err := h.restore(nil, 0); err != nil {
			panic("journal: an empty log cannot be made: " + err.Error()) // its header was made before
		}
	}
}

// publish gives subscribers what is new.
func (h *hub) publish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.live.Flush(); err != nil {
		h.o.Log.Error("the journal's subscribers get nothing", "error", err)
	}
}

// push keeps a piece that ends with the log's last event.
func (h *hub) push(b []byte) {
	p := piece{first: h.told + 1, last: h.live.Seq(), chain: h.live.Hash(), b: append([]byte(nil), b...)}
	h.pieces, h.told = append(h.pieces, p), p.last
	h.bytes += len(p.b)
	for len(h.pieces) > h.o.Ring || h.bytes > h.o.RingBytes && len(h.pieces) > 1 {
		h.bytes -= len(h.pieces[0].b)
		h.pieces[0] = piece{}
		h.pieces = h.pieces[1:]
	}
	close(h.news)
	h.news = make(chan struct{})
}

func (h *hub) stats() (seq uint64, subscribers int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.live.Seq(), h.subs
}

// close publishes what is left; there is no more to come.
func (h *hub) close() {
	h.publish()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	close(h.news)
	h.news = make(chan struct{})
}

// Subscription follows a journal. Its methods are for one goroutine.
type Subscription struct {
	hub    *hub
	fresh  bool // it needs a beginning
	at     uint64
	closed bool
}

// Subscribe returns what happened after event number after, whose hash is chain, as far
// as that is still there, and else how things stand now; then what happens, as it happens. With after 0 it
// begins with how things stand.
func (j *Journal) Subscribe(after uint64, chain runlog.Hash) *Subscription {
	h := j.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subs++
	return &Subscription{hub: h, at: after, fresh: after == 0 || !h.knows(after, chain)}
}

// knows reports whether a reader that has everything up to an event can go on from it.
func (h *hub) knows(seq uint64, chain runlog.Hash) bool {
	if seq == h.live.Seq() && chain == h.live.Hash() {
		return true
	}
	i := sort.Search(len(h.pieces), func(i int) bool { return h.pieces[i].last >= seq })
	return i < len(h.pieces) && h.pieces[i].last == seq && h.pieces[i].chain == chain
}

// maxPiece bounds what Next puts together.
const maxPiece = 256 << 10

// Next waits for the next piece, as runlog.Stream takes it. lost is how many events are
// missing before it, because they were gone before the subscriber had them; the piece then
// says how things stand. It returns io.EOF once the journal is closed and all was read.
func (s *Subscription) Next(ctx context.Context) (b []byte, lost uint64, err error) {
	for {
		b, lost, wait, err := s.look()
		if wait == nil {
			return b, lost, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// look returns the next piece, or what to wait for.
func (s *Subscription) look() (b []byte, lost uint64, wait <-chan struct{}, err error) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	i := sort.Search(len(h.pieces), func(i int) bool { return h.pieces[i].last > s.at })
	switch {
	case s.closed:
		return nil, 0, nil, fmt.Errorf("journal: Next after Close")
	case s.fresh, i < len(h.pieces) && h.pieces[i].first != s.at+1, h.live.Seq() < s.at:
		p, err := h.beginning()
		if err != nil {
			return nil, 0, nil, fmt.Errorf("journal: how things stand: %w", err)
		}
		if s.at > 0 && p.last > s.at {
			lost = p.last - s.at
		}
		s.fresh, s.at = false, p.last
		return p.b, lost, nil, nil
	case i < len(h.pieces):
		s.at, b = h.pieces[i].last, h.pieces[i].b
		for i++; i < len(h.pieces) && len(b)+len(h.pieces[i].b) <= maxPiece; i++ {
			s.at, b = h.pieces[i].last, append(b[:len(b):len(b)], h.pieces[i].b...)
		}
		return b, 0, nil, nil
	case h.closed:
		return nil, 0, nil, io.EOF
	}
	return nil, 0, h.news, nil
}

// beginning returns how things stand, with all that is not published yet. Many who come at
// once get the same, unless what follows it may soon be gone.
func (h *hub) beginning() (piece, error) {
	const recent = time.Second
	behind := len(h.pieces) - sort.Search(len(h.pieces), func(i int) bool { return h.pieces[i].last > h.joined.last })
	if h.joined.b != nil && time.Since(h.joined.at) < recent && behind <= len(h.pieces)/2 {
		return h.joined.piece, nil
	}
	b, err := h.live.Beginning(h.header)
	if err != nil {
		return piece{}, err
	}
	h.joined = joined{time.Now(), piece{last: h.live.Seq(), chain: h.live.Hash(), b: b}}
	return h.joined.piece, nil
}

// Close ends the subscription. It may be repeated.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.hub.subs--
	}
}

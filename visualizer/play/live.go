package play

import (
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/runlog"
)

// Live is a log that grows while it is played, such as that of a running
// system. It keeps about as many bytes as it may, the newest.
type Live struct {
	header runlog.Header
	limit  int
	size   int
	era    int          // of the newest events; 0 before anything came
	now    runlog.State // after the last event
	chain  runlog.Hash  // up to it
	chunks []chunk
	blocks []Block
}

// chunk is a stretch of a live log.
type chunk struct {
	key    []byte // the state before it
	events []event.Event
	size   int
}

// When a chunk ends.
const (
	chunkTime   = clock.Minute
	chunkEvents = 4096
)

var _ Log = (*Live)(nil)

// NewLive returns an empty log that keeps about limit bytes.
func NewLive(limit int) *Live { return &Live{limit: limit} }

// Add takes what a runlog.Stream got. Where events are missing before it, or another log begins, an era begins;
// in the second case what was before it is forgotten. Events that are there already are left out.
func (l *Live) Add(p runlog.Piece) error {
	if p.Header != nil && !l.continues(&p) {
		if err := l.begin(&p); err != nil {
			return err
		}
	}
	for _, e := range p.Events {
		if e.Seq <= l.now.Seq() {
			continue
		}
		if err := l.add(e); err != nil {
			return err
		}
	}
	l.chain = p.Chain
	return nil
}

// continues reports whether a piece goes on where the last one ended, though it has a header.
func (l *Live) continues(p *runlog.Piece) bool {
	return l.sameLog(p.Header) && p.Header.After == l.now.Seq() && p.Header.Chain == l.chain
}

func (l *Live) sameLog(h *runlog.Header) bool {
	had := &l.header
	return l.era > 0 && h.Scenario == had.Scenario && h.Seed == had.Seed && h.Market == had.Market && h.After >= l.now.Seq()
}

// begin begins an era.
func (l *Live) begin(p *runlog.Piece) error {
	if !l.sameLog(p.Header) {
		l.chunks, l.blocks, l.size = nil, nil, 0
	}
	l.header = *p.Header
	l.era++
	l.now = runlog.State{}
	if p.State == nil {
		return nil
	}
	key, err := p.State.AppendBinary(nil)
	if err != nil {
		return err
	}
	if err := l.now.UnmarshalBinary(key); err != nil {
		return err
	}
	if l.now.Seq() > 0 { // how things stand can be seen before anything more happens
		l.chunk(key, l.now.Time())
	}
	return nil
}

// chunk begins a stretch with the state before it.
func (l *Live) chunk(key []byte, from clock.Time) {
	seq := l.now.Seq()
	l.chunks = append(l.chunks, chunk{key: key, size: len(key)})
	l.blocks = append(l.blocks, Block{First: seq + 1, Last: seq, From: from, To: from, Era: l.era})
	l.size += len(key)
	l.trim()
}

func (l *Live) add(e event.Event) error {
	n := len(l.chunks)
	if n == 0 || l.blocks[n-1].Era != l.era || len(l.chunks[n-1].events) >= chunkEvents || e.T.Sub(l.blocks[n-1].From) >= chunkTime {
		key, err := l.now.AppendBinary(nil)
		if err != nil {
			return err
		}
		l.chunk(key, e.T)
	}
	if err := l.now.Apply(e); err != nil {
		return err
	}
	e.Data = slices.Clone(e.Data) // it may be part of a large buffer
	n = len(l.chunks) - 1
	const overhead = 128
	c, b := &l.chunks[n], &l.blocks[n]
	c.events = append(c.events, e)
	c.size += len(e.Data) + overhead
	l.size += len(e.Data) + overhead
	b.Last, b.To = e.Seq, l.now.Time()
	return nil
}

// trim forgets the oldest chunks while there is too much.
func (l *Live) trim() {
	n := 0
	for l.size > l.limit && n < len(l.chunks)-1 {
		l.size -= l.chunks[n].size
		n++
	}
	if n > 0 {
		l.chunks = slices.Delete(l.chunks, 0, n)
		l.blocks = slices.Delete(l.blocks, 0, n)
	}
}

// Size returns about how many bytes are kept.
func (l *Live) Size() int { return l.size }

// Header implements Log.
func (l *Live) Header() runlog.Header { return l.header }

// Blocks implements Log.
func (l *Live) Blocks() []Block { return l.blocks }

// Events implements Log.
func (l *Live) Events(block int) ([]event.Event, error) { return l.chunks[block].events, nil }

// Seek implements Log.
func (l *Live) Seek(t clock.Time) (*runlog.State, error) {
	if len(l.chunks) == 0 {
		return nil, fmt.Errorf("play: nothing was heard yet")
	}
	i := len(l.chunks) - 1
	for i > 0 && (l.blocks[i].From > t || l.blocks[i-1].Era == l.blocks[i].Era && l.blocks[i-1].To > t) {
		i-- // the second: a clock that was set back
	}
	s := new(runlog.State)
	if err := s.UnmarshalBinary(l.chunks[i].key); err != nil {
		return nil, err
	}
	for _, e := range l.chunks[i].events {
		if e.T > t {
			break
		}
		if err := s.Apply(e); err != nil {
			return nil, err
		}
	}
	return s, nil
}

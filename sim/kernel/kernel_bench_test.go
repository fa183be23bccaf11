package kernel

import (
	"container/heap"
	"fmt"
	"testing"

	"footway/core/clock"
	"footway/core/rng"
)

// queue is what the benchmarks drive: this kernel and its peer, H being how
// they name a scheduled event.
type queue[H any] interface {
	Now() clock.Time
	Schedule(at clock.Time, e Event) H
	Cancel(h H) bool
	Step(handle func(Event) error) (bool, error)
}

var (
	_ queue[Handle] = (*Kernel)(nil)
	_ queue[*item]  = (*pointerHeap)(nil)
)

var sizes = []int{1_000, 10_000, 100_000}

// BenchmarkHold is the hold model: each event schedules its successor at a
// random time, so that the number of pending events stays.
func BenchmarkHold(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("pending=%d/peer=containerheap", n), func(b *testing.B) { hold(b, &pointerHeap{}, n, random) })
		b.Run(fmt.Sprintf("pending=%d/peer=footway", n), func(b *testing.B) { hold(b, New(0), n, random) })
	}
}

// BenchmarkTies is the hold model with equal increments: all events tie.
func BenchmarkTies(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("pending=%d/peer=containerheap", n), func(b *testing.B) { hold(b, &pointerHeap{}, n, equal) })
		b.Run(fmt.Sprintf("pending=%d/peer=footway", n), func(b *testing.B) { hold(b, New(0), n, equal) })
	}
}

// BenchmarkCancel is the hold model in which each event also cancels its
// timeout and sets it anew, far ahead: half of what is pending are timeouts.
func BenchmarkCancel(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("pending=%d/peer=containerheap", n), func(b *testing.B) { watch(b, &pointerHeap{}, n/2) })
		b.Run(fmt.Sprintf("pending=%d/peer=footway", n), func(b *testing.B) { watch(b, New(0), n/2) })
	}
}

var stream = rng.Seed(1).Stream("kernel", "benchmark")

func random(k uint64) clock.Time { return clock.Time(stream.Uint64(k) >> 44) } // 0 to 17.5 minutes
func equal(uint64) clock.Time    { return 1000 }

func hold[H any](b *testing.B, q queue[H], pending int, wait func(uint64) clock.Time) {
	k := uint64(0)
	handle := func(e Event) error {
		k++
		q.Schedule(q.Now()+wait(k), e)
		return nil
	}
	for i := range pending {
		k++
		q.Schedule(wait(k), Event{A: int64(i)})
	}
	measure(b, q, handle)
}

func watch[H any](b *testing.B, q queue[H], pairs int) {
	const timeout = 1 << 21 // beyond every wait, so that none comes due
	k := uint64(0)
	timeouts := make([]H, pairs)
	handle := func(e Event) error {
		k++
		if e.Kind != 0 || !q.Cancel(timeouts[e.A]) {
			b.Fatalf("event %v: want its timeout pending", e)
		}
		timeouts[e.A] = q.Schedule(q.Now()+timeout, Event{Kind: 1, A: e.A})
		q.Schedule(q.Now()+random(k), e)
		return nil
	}
	for i := range timeouts {
		k++
		timeouts[i] = q.Schedule(timeout, Event{Kind: 1, A: int64(i)})
		q.Schedule(random(k), Event{A: int64(i)})
	}
	measure(b, q, handle)
}

func measure[H any](b *testing.B, q queue[H], handle func(Event) error) {
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := q.Step(handle); !ok || err != nil {
			b.Fatalf("Step = %t, %v; want true, nil", ok, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// pointerHeap is the peer, as one would write it with the standard library.
type pointerHeap struct {
	now   clock.Time
	seq   uint64
	items []*item
}

type item struct {
	at    clock.Time
	seq   uint64
	index int
	event Event
}

func (p *pointerHeap) Now() clock.Time { return p.now }

func (p *pointerHeap) Schedule(at clock.Time, e Event) *item {
	it := &item{at: at, seq: p.seq, event: e}
	p.seq++
	heap.Push(p, it)
	return it
}

func (p *pointerHeap) Cancel(it *item) bool {
	if it.index < 0 {
		return false
	}
	heap.Remove(p, it.index)
	return true
}

func (p *pointerHeap) Step(handle func(Event) error) (bool, error) {
	if len(p.items) == 0 {
		return false, nil
	}
	it := heap.Pop(p).(*item)
	p.now = it.at
	return true, handle(it.event)
}

func (p *pointerHeap) Len() int { return len(p.items) }

func (p *pointerHeap) Less(i, j int) bool {
	a, b := p.items[i], p.items[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (p *pointerHeap) Swap(i, j int) {
	p.items[i], p.items[j] = p.items[j], p.items[i]
	p.items[i].index, p.items[j].index = i, j
}

func (p *pointerHeap) Push(x any) {
	it := x.(*item)
	it.index = len(p.items)
	p.items = append(p.items, it)
}

func (p *pointerHeap) Pop() any {
	last := len(p.items) - 1
	it := p.items[last]
	p.items[last], p.items = nil, p.items[:last]
	it.index = -1
	return it
}

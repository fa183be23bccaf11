package porttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// logModel is what a log must hold, said as simply as can be.
type logModel struct {
	arrived map[string]bool
	next    map[string]int // by delivery
	logs    map[delivery.PartnerID][]string
}

func newLogModel() *logModel {
	return &logModel{arrived: map[string]bool{}, next: map[string]int{}, logs: map[delivery.PartnerID][]string{}}
}

func updateName(id string, sequence int) string { return fmt.Sprintf("%s#%d", id, sequence) }

func (m *logModel) take(names ...string) {
	for _, n := range names {
		u := updateOf(n)
		id := string(u.Delivery)
		for m.arrived[n] = true; m.arrived[updateName(id, m.next[id]+1)]; m.next[id]++ {
			m.logs[u.Partner] = append(m.logs[u.Partner], updateName(id, m.next[id]+1))
		}
	}
}

func (m *logModel) gaps() int {
	held := map[delivery.ID]bool{}
	for n := range m.arrived {
		if u := updateOf(n); int(u.Sequence) > m.next[string(u.Delivery)] {
			held[u.Delivery] = true
		}
	}
	return len(held)
}

// logNames names all updates of some deliveries of partners p and q.
func logNames(deliveries, each int) []string {
	var names []string
	for i := range deliveries {
		for s := range each {
			names = append(names, updateName(fmt.Sprintf("%c/d%d", 'p'+i%2, i), s+1))
		}
	}
	return names
}

// shuffledCalls returns the names in any order, some more than once, in calls of up to most.
func shuffledCalls(r *rand.Rand, names []string, most int) [][]string {
	var all []string
	for _, n := range names {
		for range 1 + max(0, r.IntN(5)-2) {
			all = append(all, n)
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var calls [][]string
	for len(all) > 0 {
		n := min(len(all), 1+r.IntN(most))
		calls, all = append(calls, all[:n]), all[n:]
	}
	return calls
}

func logShuffled(t *testing.T, l partnerLog) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := newLogModel()
		names := logNames(1+r.IntN(5), 1+r.IntN(12))
		for i := range names {
			names[i] = names[i][:2] + fmt.Sprint(seed) + names[i][2:] // one log, another delivery for each seed
		}
		before := map[delivery.PartnerID]uint64{}
		for _, p := range []delivery.PartnerID{"p", "q"} {
			before[p] = l.end(t, p)
		}
		for _, call := range shuffledCalls(r, names, 9) {
			l.mustTake(t, call...)
			m.take(call...)
			for p, after := range before {
				l.wantEntries(t, p, after, 1000, after+1, m.logs[p]...)
			}
			if gaps, err := l.Gaps(t.Context(), 1000); err != nil || len(gaps) != m.gaps() {
				t.Errorf("Gaps = %d, %v; want %d", len(gaps), err, m.gaps())
			}
			if t.Failed() {
				t.Fatalf("seed %d, after %v", seed, call)
			}
		}
		l.wantGaps(t)
	}
}

// end returns the last position of a partner's log.
func (l partnerLog) end(t *testing.T, p delivery.PartnerID) uint64 {
	t.Helper()
	all, err := l.Entries(t.Context(), p, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Position
}

const takers = 8

// atOnce runs do as many takers that start together, and gives each its number.
func atOnce(do func(taker int)) {
	var (
		wg    sync.WaitGroup
		start = make(chan struct{})
	)
	for i := range takers {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}

// insist takes updates until the answer is not fault.Unavailable, as consumers do.
func (l partnerLog) insist(ctx context.Context, u ...delivery.Update) error {
	for {
		err := l.Take(ctx, u...)
		if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return err
		}
	}
}

func logSameAtOnce(t *testing.T, l partnerLog) {
	var want []string
	for round := range 6 {
		n := updateName(fmt.Sprintf("p/d%d", round/2), 1+round%2)
		want = append(want, n)
		atOnce(func(int) {
			if err := l.insist(t.Context(), updateOf(n)); err != nil {
				t.Error(err)
			}
		})
	}
	l.wantLog(t, "p", want...)
}

func logConflictAtOnce(t *testing.T, l partnerLog) {
	for sequence := range uint64(4) {
		var won atomic.Int64
		atOnce(func(taker int) {
			u := updateOf(updateName("p/d", int(sequence+1)))
			u.Attempt = taker
			switch err := l.insist(t.Context(), u); {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.Conflict):
				t.Error(err)
			}
		})
		if won.Load() != 1 || l.end(t, "p") != sequence+1 {
			t.Fatalf("%d of %d contents of update %d were taken, and the log ends at %d; want 1 and %d", won.Load(), takers, sequence+1, l.end(t, "p"), sequence+1)
		}
	}
}

// logManyTakers lets every taker bring all updates, each in another order and
// other calls, while readers follow the logs.
func logManyTakers(t *testing.T, l partnerLog) {
	const deliveries, each = 6, 15
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	names := logNames(deliveries, each)
	var readers sync.WaitGroup
	for _, p := range []delivery.PartnerID{"p", "q"} {
		readers.Go(func() { l.follow(ctx, t, p, deliveries/2*each) })
	}
	atOnce(func(taker int) {
		for _, call := range shuffledCalls(rand.New(rand.NewPCG(uint64(taker), 1)), names, 10) {
			if err := l.insist(ctx, updatesOf(call...)...); err != nil {
				t.Errorf("taker %d, %v: %v", taker, call, err)
				cancel()
				return
			}
		}
	})
	readers.Wait()
	l.wantGaps(t)
}

// follow reads a partner's log as a webhook sender does, until it has seen so
// many entries or ctx ends.
func (l partnerLog) follow(ctx context.Context, t *testing.T, p delivery.PartnerID, want int) {
	var (
		cursor uint64
		next   = map[delivery.ID]uint64{}
	)
	for int(cursor) < want {
		page, err := l.Entries(ctx, p, cursor, 4)
		if err != nil {
			t.Errorf("reading %s's log after %d: %v", p, cursor, err)
			return
		}
		for _, e := range page {
			next[e.Delivery]++
			if e.Position != cursor+1 || e.Sequence != next[e.Delivery] || e.Partner != p {
				t.Errorf("after position %d of %s's log came %s's %s/%d at %d; want sequence %d at %d", cursor, p, e.Partner, e.Delivery, e.Sequence, e.Position, next[e.Delivery], cursor+1)
				return
			}
			cursor = e.Position
		}
	}
	if page, err := l.Entries(ctx, p, 0, want+1); err != nil || len(page) != want {
		t.Errorf("%s's log has %d entries or more, %v; want %d", p, len(page), err, want)
	}
}

var _ integration.Log = partnerLog{}

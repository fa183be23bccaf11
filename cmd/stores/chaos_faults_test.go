package stores_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"footway/adapters/backends"
)

// chaosSeed returns the seed of a test's faults: that of the environment, or another each time.
func chaosSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("FOOTWAY_CHAOS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("FOOTWAY_CHAOS_SEED=%q: want a number of at least 0", text)
		}
	}
	t.Logf("FOOTWAY_CHAOS_SEED=%d gives the same faults again", seed)
	return seed
}

// chaosTime returns how long faults go on: FOOTWAY_CHAOS minutes, or what is usual.
func chaosTime(t *testing.T, usual time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("FOOTWAY_CHAOS")
	if text == "" {
		return usual
	}
	minutes, err := strconv.Atoi(text)
	if err != nil || minutes < 1 {
		t.Fatalf("FOOTWAY_CHAOS=%q: want a number of minutes of at least 1", text)
	}
	return time.Duration(minutes) * time.Minute
}

// storm is a list of things that go wrong, each at its time.
type storm struct {
	rand   *rand.Rand
	length time.Duration
	acts   []act
}

type act struct {
	at time.Duration
	do func()
}

func newStorm(seed uint64, length time.Duration) *storm {
	return &storm{rand: rand.New(rand.NewPCG(seed, 1)), length: length}
}

// between draws a time from low to high.
func (s *storm) between(low, high time.Duration) time.Duration {
	return low + time.Duration(s.rand.Int64N(int64(high-low)))
}

func (s *storm) add(at time.Duration, do func()) { s.acts = append(s.acts, act{at, do}) }

// disturb gives a link every kind of fault, again and again, each for a while.
func (s *storm) disturb(l *backends.Link) {
	faults := []func(){
		func() { l.Latency(60*time.Millisecond, 50*time.Millisecond, backends.Up) },
		func() { l.Latency(60*time.Millisecond, 50*time.Millisecond, backends.Down) },
		func() { l.Reset(backends.Up) },
		func() { l.Reset(backends.Down) },
		func() { l.BlackHole(backends.Up) },
		func() { l.BlackHole(backends.Down) },
		l.Cut,
	}
	at := s.between(0, time.Second)
	for n := 0; ; n++ {
		if n%len(faults) == 0 {
			s.rand.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		}
		over := at + s.between(200*time.Millisecond, 1200*time.Millisecond)
		if over > s.length {
			return
		}
		s.add(at, faults[n%len(faults)])
		s.add(over, l.Heal)
		at = over + s.between(300*time.Millisecond, 1200*time.Millisecond)
	}
}

// repeat does something every now and then, at least once.
func (s *storm) repeat(low, high time.Duration, do func()) {
	for at := s.between(low, high); ; at += s.between(low, high) {
		s.add(min(at, s.length), do)
		if at+high > s.length {
			return
		}
	}
}

// rage does everything at its time, and returns when it is over.
func (s *storm) rage(ctx context.Context) {
	slices.SortStableFunc(s.acts, func(a, b act) int { return cmp.Compare(a.at, b.at) })
	began := time.Now()
	for _, a := range s.acts {
		pause(ctx, time.Until(began.Add(a.at)))
		a.do()
	}
	pause(ctx, time.Until(began.Add(s.length)))
}

// pause waits, no longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// eventually reports whether something becomes true within a time.
func eventually(ctx context.Context, within time.Duration, is func() bool) bool {
	for end := time.Now().Add(within); ; pause(ctx, 20*time.Millisecond) {
		if is() {
			return true
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return false
		}
	}
}

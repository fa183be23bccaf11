package wallclock_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"footway/adapters/wallclock"
	"footway/core/clock"
	"footway/core/fault"
)

func key(entity string) clock.Key { return clock.Key{Service: "s", Entity: entity, What: "w"} }

// bell notes who was called, and when after the start.
type bell struct {
	mu    sync.Mutex
	start time.Time
	rung  []string
	do    func(ctx context.Context, entity string) error
}

func (b *bell) fire(ctx context.Context, k clock.Key) error {
	b.mu.Lock()
	b.rung = append(b.rung, time.Since(b.start).String()+" "+k.Entity)
	b.mu.Unlock()
	if b.do == nil {
		return nil
	}
	return b.do(ctx, k.Entity)
}

// run lets timers run for a while of the test's own time, and returns who was called.
func run(t *testing.T, o wallclock.Options, do func(context.Context, string) error, act func(*wallclock.Timers, clock.Time)) (rung []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		timers := wallclock.NewTimers()
		b := &bell{start: time.Now(), do: do}
		var done sync.WaitGroup
		done.Go(func() { timers.Run(ctx, o, b.fire) })
		act(timers, wallclock.Clock{}.Now())
		synctest.Wait()
		cancel()
		done.Wait()
		rung = b.rung
	})
	return rung
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
}

func TestTimersInOrder(t *testing.T) {
	got := run(t, wallclock.Options{Workers: 1}, nil, func(timers *wallclock.Timers, now clock.Time) {
		timers.Set(key("late"), now.Add(3*clock.Second))
		timers.Set(key("b"), now.Add(clock.Second))
		timers.Set(key("a"), now.Add(clock.Second))
		timers.Set(key("past"), now.Add(-clock.Hour))
		timers.Set(key("gone"), now.Add(2*clock.Second))
		timers.Cancel(key("gone"))
		timers.Cancel(key("nobody"))
		timers.Set(key("moved"), now.Add(clock.Second))
		timers.Set(key("moved"), now.Add(4*clock.Second))
		time.Sleep(time.Minute)
		if s := timers.State(); s != (wallclock.State{}) {
			t.Errorf("State = %+v when all have been called, want nothing left", s)
		}
	})
	expect(t, got, "0s past", "1s b", "1s a", "3s late", "4s moved")
}

// An earlier timer that is set while Run waits for a later one.
func TestTimersWakeUp(t *testing.T) {
	got := run(t, wallclock.Options{}, nil, func(timers *wallclock.Timers, now clock.Time) {
		timers.Set(key("hour"), now.Add(clock.Hour))
		time.Sleep(time.Second)
		timers.Set(key("soon"), now.Add(2*clock.Second))
		time.Sleep(2 * time.Hour)
	})
	expect(t, got, "2s soon", "1h0m0s hour")
}

func TestTimersTryAgain(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	fails := 3
	got := run(t, wallclock.Options{Logger: quiet}, func(context.Context, string) error {
		if fails--; fails < 0 {
			return nil
		}
		return fault.New("x", fault.Unavailable, "", "not now")
	}, func(timers *wallclock.Timers, now clock.Time) {
		timers.Set(key("a"), now)
		time.Sleep(time.Hour)
	})
	expect(t, got, "0s a", "1s a", "3s a", "7s a")
}

// Another failure than that of a dependency does not come again by itself.
func TestTimersGiveUp(t *testing.T) {
	var log strings.Builder
	got := run(t, wallclock.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(context.Context, string) error {
		return errors.New("a bug")
	}, func(timers *wallclock.Timers, now clock.Time) {
		timers.Set(key("a"), now)
		time.Sleep(time.Hour)
	})
	expect(t, got, "0s a")
	if !strings.Contains(log.String(), "a bug") || !strings.Contains(log.String(), "entity=a") {
		t.Errorf("the log says %q, want the error and whose it was", log.String())
	}
}

// A timer that is set anew while its call fails keeps the new instant.
func TestTimersSetAnewWins(t *testing.T) {
	var timers *wallclock.Timers
	calls := 0
	got := run(t, wallclock.Options{Logger: slog.New(slog.DiscardHandler)}, func(context.Context, string) error {
		if calls++; calls == 1 {
			timers.Set(key("a"), wallclock.Clock{}.Now().Add(clock.Minute))
			return fault.New("x", fault.Unavailable, "", "not now")
		}
		return nil
	}, func(ts *wallclock.Timers, now clock.Time) {
		timers = ts
		ts.Set(key("a"), now)
		time.Sleep(time.Hour)
	})
	expect(t, got, "0s a", "1m0s a")
}

// Calls of one key never overlap, those of others do, and Run waits for them.
func TestTimersOverlap(t *testing.T) {
	var timers *wallclock.Timers
	first := true
	got := run(t, wallclock.Options{Workers: 2}, func(_ context.Context, entity string) error {
		if entity == "slow" && first {
			first = false
			timers.Set(key("slow"), wallclock.Clock{}.Now())
			time.Sleep(10 * time.Second)
		}
		return nil
	}, func(ts *wallclock.Timers, now clock.Time) {
		timers = ts
		ts.Set(key("slow"), now)
		ts.Set(key("quick"), now.Add(clock.Second))
		time.Sleep(time.Minute)
	})
	expect(t, got, "0s slow", "1s quick", "10s slow")
}

// A call that hangs is given up at its deadline and made again.
func TestTimersDeadline(t *testing.T) {
	hang := true
	got := run(t, wallclock.Options{Timeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler)}, func(ctx context.Context, _ string) error {
		if !hang {
			return nil
		}
		hang = false
		<-ctx.Done()
		return fault.New("x", fault.Unavailable, "timeout", "too slow")
	}, func(timers *wallclock.Timers, now clock.Time) {
		timers.Set(key("a"), now)
		time.Sleep(time.Minute)
	})
	expect(t, got, "0s a", "6s a")
}

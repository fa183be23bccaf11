package twin_test

import (
	"testing"

	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/rng"
)

// told runs o to its end and returns all events.
func told(t *testing.T, o twin.Options) []event.Event {
	t.Helper()
	var all []event.Event
	o.Observe = func(e event.Event) { all = append(all, e) }
	finish(t, o)
	return all
}

// TestFork: until its settings change a run is the one whose settings do not; then
// it says so, and goes its own way. It can be written down and resumed like any run.
func TestFork(t *testing.T) {
	const after = 14 * clock.Minute
	o := noon(t)
	plain := told(t, o)
	if err := o.Scenario.SetAt("14m:dispatch.policy=nearest", "14m:dispatch.lazy=false"); err != nil {
		t.Fatal(err)
	}
	at := plain[0].T.Add(after)
	forked := told(t, o)
	i := 0
	for i < len(forked) && forked[i].Kind != "config.changed" {
		if a, b := plain[i], forked[i]; a.Seq != b.Seq || a.T != b.T || a.Kind != b.Kind || string(a.Data) != string(b.Data) {
			t.Fatalf("event %d is %s at %v in the forked run before it forks, want %s at %v", i+1, b.Kind, b.T, a.Kind, a.T)
		}
		i++
	}
	if i == len(forked) || forked[i].T != at || i == 0 || forked[i-1].T > at || plain[i].T < at {
		t.Fatalf("the run forks at event %d; want config.changed at %v", i+1, at)
	}
	want := finish(t, o).Hash
	if got := finish(t, o).Hash; got != want {
		t.Errorf("the same fork has hash %s and %s", want.Short(), got.Short())
	}
	stops := rng.Seed(8).Stream("test", "stops")
	for k := range uint64(6) {
		n := uint64(stops.N(k, int64(len(forked)))) + 1
		back, err := twin.Resume(t.Context(), o, writtenDown(t, o, n, want))
		if err != nil {
			t.Fatal(err)
		}
		if err := back.All(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := back.Result().Hash; got != want {
			t.Errorf("resumed after event %d of the kernel: hash %s, want %s", n, got.Short(), want.Short())
		}
	}
}

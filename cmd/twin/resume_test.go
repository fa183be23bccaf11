package twin

import (
	"testing"

	"footway/core/config"
	"footway/core/rng"
	"footway/sim/city"
)

// TestResumeAnywhere takes a checkpoint after each of many numbers of events,
// and resumes it to the hash of the uninterrupted run.
func TestResumeAnywhere(t *testing.T) {
	net, err := city.Generate(1, city.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := lunch()
	s.Duration = 3600_000
	o := Options{Scenario: s, Network: net, Settings: config.DefaultSettings()}
	whole, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.All(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want := whole.Result()
	total := whole.world.Executed()
	stops := rng.Seed(7).Stream("test", "stops")
	for i := range uint64(20) {
		at := uint64(stops.N(i, int64(total))) + 1
		r, err := New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for r.world.Executed() < at {
			if _, err := r.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		written, err := r.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Resume(t.Context(), o, written)
		if err != nil {
			t.Fatalf("resume after event %d: %v", at, err)
		}
		if err := back.All(t.Context(), nil); err != nil {
			t.Fatalf("after resuming at event %d: %v", at, err)
		}
		if got := back.Result(); got.Hash != want.Hash {
			t.Errorf("resumed after event %d of %d: hash %s, want %s", at, total, got.Hash.Short(), want.Hash.Short())
		}
	}
}

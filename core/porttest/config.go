package porttest

import (
	"testing"

	"footway/core/clock"
	"footway/core/config"
	"footway/core/market"
)

// ConfigSource tests that what open returns keeps the contract of
// config.Source. Each call of open returns a source of c, and put, which gives it
// another configuration and returns when the source has seen it.
func ConfigSource(t *testing.T, open func(t *testing.T, c *config.Config) (s config.Source, put func(*config.Config))) {
	t.Helper()
	ours := config.DefaultSettings()
	ours.Dispatch.RoundEvery = 30 * clock.Second
	first, err := config.New().With("ours", ours)
	if err != nil {
		t.Fatal(err)
	}
	theirs := ours
	theirs.Dispatch.RoundEvery = 40 * clock.Second
	second, err := first.With("", theirs)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(t *testing.T, s config.Source, m market.ID, want config.Settings, version uint64) {
		t.Helper()
		if got, v := s.Get(m); got != want || v != version {
			t.Errorf("Get(%q) = round_every %v of version %d, want %v of %d", m, got.Dispatch.RoundEvery, v, want.Dispatch.RoundEvery, version)
		}
	}
	t.Run("a market's own settings", func(t *testing.T) {
		s, _ := open(t, first)
		expect(t, s, "ours", ours, 1)
	})
	t.Run("defaults for a market that nobody configured", func(t *testing.T) {
		s, _ := open(t, first)
		expect(t, s, "other", config.DefaultSettings(), 1)
	})
	t.Run("a new version", func(t *testing.T) {
		s, put := open(t, first)
		put(second)
		expect(t, s, "ours", ours, 2)
		expect(t, s, "other", theirs, 2)
	})
	t.Run("versions never go back", func(t *testing.T) {
		s, put := open(t, second)
		put(first)
		expect(t, s, "other", theirs, 2)
	})
	t.Run("the caller owns what it got", func(t *testing.T) {
		s, _ := open(t, first)
		got, _ := s.Get("ours")
		got.Dispatch.RoundEvery = clock.Hour
		expect(t, s, "ours", ours, 1)
	})
}

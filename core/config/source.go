package config

import (
	"sync/atomic"

	"footway/core/market"
)

// Source is where services get their settings from. They read them at the
// start of each command, so that a new version takes effect at once.
type Source interface {
	// Get returns the settings of a market and the version they are of. A market
	// that nobody configured has the defaults, so it never fails: a source that
	// cannot be reached goes on with the last version that it had. It does not
	// block, versions never go back, and the caller owns what it returns.
	Get(m market.ID) (s Settings, version uint64)
}

// Static is a source whose configuration changes only when Put is called. It is
// safe for concurrent use.
type Static struct{ config atomic.Pointer[Config] }

var _ Source = (*Static)(nil)

// NewStatic returns a source of c.
func NewStatic(c *Config) *Static {
	s := new(Static)
	s.Put(c)
	return s
}

// Get implements Source.
func (s *Static) Get(m market.ID) (Settings, uint64) {
	c := s.config.Load()
	return c.Get(m), c.version
}

// Put replaces the configuration by a later version; an earlier one is ignored.
func (s *Static) Put(c *Config) {
	for {
		old := s.config.Load()
		if old != nil && old.version >= c.version || s.config.CompareAndSwap(old, c) {
			return
		}
	}
}

// Package twintest makes a run for tests of what reads logs: an hour and a half of the generated
// city with some of everything going wrong.
package twintest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"footway/adapters/zstd"
	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/sim/city"
	"footway/sim/scenario"
)

// Rush is the run.
type Rush struct {
	Log      []byte
	Network  *maps.Network
	Scenario scenario.Scenario
	Settings config.Settings
}

// Open returns the log of the run, the same one each time.
func Open(tb testing.TB) (*runlog.Reader, *Rush) {
	tb.Helper()
	r, err := made()
	if err != nil {
		tb.Fatal(err)
	}
	reader, err := runlog.Open(bytes.NewReader(r.Log), int64(len(r.Log)), &zstd.Codec{})
	if err != nil {
		tb.Fatal(err)
	}
	return reader, r
}

// Made returns the run, for what is no test.
func Made() (*Rush, error) { return made() }

var made = sync.OnceValues(func() (*Rush, error) {
	net, err := city.Generate(1, city.Options{})
	if err != nil {
		return nil, err
	}
	s := scenario.Defaults()
	s.Name, s.Seed, s.Start, s.Duration, s.Drain = "rush", 1, "2026-06-12T11:40", 90*clock.Minute, 2*clock.Hour
	s.Market.ID = "city"
	s.Fleet.Robots, s.Fleet.Couriers = 24, 1
	s.Demand.PerHour, s.Demand.MaxDistance = 60, 1200
	s.World.Robots.Stuck, s.World.Robots.ContactLost, s.World.Robots.Jam = 600, 400, 60
	s.World.Merchants.Late = 300
	s.Events = []scenario.Event{
		{At: 5 * clock.Minute, Do: "closure", Around: "47.0,-30.0", RadiusM: 150, For: 60 * clock.Minute, Known: true},
		{At: 18 * clock.Minute, Do: "breakdown", Robot: "r3"},
	}
	s.Fill()
	settings, errs := s.Config()
	if len(errs) > 0 {
		return nil, fmt.Errorf("the settings of the run: %v", errs)
	}
	var log bytes.Buffer
	run, err := twin.New(context.Background(), twin.Options{Scenario: s, Network: net, Settings: settings, Log: &log, Codec: &zstd.Codec{}})
	if err != nil {
		return nil, err
	}
	if err := run.All(context.Background(), nil); err != nil {
		return nil, err
	}
	return &Rush{Log: log.Bytes(), Network: net, Scenario: s, Settings: settings}, nil
})

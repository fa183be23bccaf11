package dynamo

import (
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"

	"footway/core/fleet"
	"footway/core/lease"
	"footway/core/porttest"
)

// weather is what a suite runs in: what happens to requests, and what the
// stores then cannot do.
type weather struct {
	name   string
	change func(*Options)
	fleet  porttest.FleetLimits
	tasks  porttest.TaskLimits
}

func weathers() []weather {
	with := func(apis ...func(*middleware.Stack) error) func(*Options) {
		return func(o *Options) {
			o.Retries.Budget, o.Retries.MaxBackoff = 1_000_000, 10*time.Millisecond // the weather is worse than it ever is
			o.APIOptions = apis
		}
	}
	return []weather{
		// dynalite's indexes are up to date, so that the whole contract is kept.
		{name: "calm", change: func(*Options) {}},
		{name: "large pages", change: func(o *Options) { o.PageSize = 0 }},
		{name: "throttled", change: with(meddle(often(throttled, 3)))},
		{name: "lost before", change: with(meddle(often(lostBefore, 4)))},
		{name: "lost after", change: with(meddle(often(lostAfter, 4)))},
		{name: "batches cut short", change: with(meddle(often(halved, 1)))},
		{name: "slow", change: func(o *Options) {
			with(meddle(often(slowly, 50)))(o)
			o.Timeouts.Attempt = 500 * time.Millisecond // a busy machine is slow by itself
		}},
		{
			name: "lagging indexes", change: func(o *Options) {
				o.APIOptions = []func(*middleware.Stack) error{byLag(120 * time.Millisecond).install}
			},
			fleet: porttest.FleetLimits{StaleMarkets: true}, // a secondary index: eventually consistent
			tasks: porttest.TaskLimits{StaleIndexes: true},  // a secondary index: eventually consistent
		},
	}
}

func inEach(t *testing.T, suite func(t *testing.T, w weather)) {
	for _, w := range weathers() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			suite(t, w)
		})
	}
}

func TestFleetStore(t *testing.T) {
	inEach(t, func(t *testing.T, w weather) {
		porttest.FleetStore(t, func(t *testing.T) fleet.Store { return NewFleetStore(open(t, w.change)) }, w.fleet)
	})
}

func TestTelemetryStore(t *testing.T) {
	inEach(t, func(t *testing.T, w weather) {
		porttest.TelemetryStore(t, func(t *testing.T) fleet.TelemetryStore { return NewTelemetryStore(open(t, w.change)) }, w.fleet)
	})
}

func TestAccountStore(t *testing.T) {
	inEach(t, func(t *testing.T, w weather) {
		porttest.AccountStore(t, func(t *testing.T) fleet.AccountStore { return NewAccountStore(open(t, w.change)) }, w.fleet)
	})
}

func TestTaskStore(t *testing.T) {
	inEach(t, func(t *testing.T, w weather) {
		porttest.TaskStore(t, func(t *testing.T) porttest.TaskStores { return NewTaskStore(open(t, w.change)) }, w.tasks)
	})
}

func TestLeaseStore(t *testing.T) {
	inEach(t, func(t *testing.T, w weather) {
		porttest.LeaseStore(t, func(t *testing.T) lease.Store { return NewLeaseStore(open(t, w.change)) })
	})
}

func TestReservations(t *testing.T) {
	inEach(t, func(t *testing.T, w weather) {
		porttest.Reservations(t, func(t *testing.T) fleet.Store { return NewFleetStore(open(t, w.change)) })
	})
}

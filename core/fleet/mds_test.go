package fleet

import (
	"slices"
	"strings"
	"testing"

	"footway/core/clock"
)

// standard is the table of MDS 2.0.2, modes/delivery-robots.md, in our words:
// from, to, and the events that may cause it.
const standard = `
available        reserved          reservation_start
available        non_operational   service_end
available        elsewhere         trip_leave_jurisdiction
available        non_contactable   comms_lost
reserved         stopped           reservation_stop
reserved         available         customer_cancellation driver_cancellation provider_cancellation
reserved         elsewhere         trip_leave_jurisdiction
reserved         non_contactable   comms_lost
stopped          on_trip           trip_start trip_resume
stopped          available         trip_end customer_cancellation driver_cancellation provider_cancellation
stopped          non_contactable   comms_lost
on_trip          stopped           order_pick_up order_drop_off trip_pause
on_trip          elsewhere         trip_leave_jurisdiction
on_trip          non_contactable   comms_lost
non_operational  available         service_start
non_operational  non_operational   maintenance maintenance_end
non_operational  removed           maintenance_pick_up decommissioned
non_operational  elsewhere         trip_leave_jurisdiction
non_operational  non_contactable   comms_lost
removed          non_operational   maintenance_end recommissioned
removed          non_contactable   comms_lost
elsewhere        available         trip_enter_jurisdiction
elsewhere        non_operational   trip_enter_jurisdiction
elsewhere        on_trip           trip_enter_jurisdiction
elsewhere        reserved          trip_enter_jurisdiction
elsewhere        non_contactable   comms_lost
non_contactable  available         comms_restored
non_contactable  elsewhere         comms_restored
non_contactable  non_operational   comms_restored
non_contactable  on_trip           comms_restored
non_contactable  removed           comms_restored
non_contactable  reserved          comms_restored
non_contactable  stopped           comms_restored
non_contactable  missing           not_located
missing          available         located
missing          elsewhere         located
missing          non_operational   located
missing          on_trip           located
missing          removed           located
missing          reserved          located
missing          stopped           located
`

var states = []State{Available, Reserved, Stopped, OnTrip, NonOperational, NonContactable, Missing, Elsewhere, Removed}

// TestLegal compares all 81 pairs with the standard.
func TestLegal(t *testing.T) {
	want := map[[2]State][]Event{}
	for line := range strings.Lines(standard) {
		if f := strings.Fields(line); len(f) > 0 {
			for _, e := range f[2:] {
				pair := [2]State{State(f[0]), State(f[1])}
				want[pair] = append(want[pair], Event(e))
			}
		}
	}
	legal := 0
	for _, from := range states {
		for _, to := range states {
			pair := [2]State{from, to}
			if got := Legal(from, to); !slices.Equal(got, want[pair]) {
				t.Errorf("Legal(%s, %s) = %v, want %v", from, to, got, want[pair])
			}
			if len(want[pair]) > 0 {
				legal++
			}
		}
	}
	if legal != 41 {
		t.Errorf("%d of the pairs are legal, want 41: the test's table is not read whole", legal)
	}
}

// TestMoveIsLegal moves a robot between each two states, whatever it reports:
// every step must be one that MDS has, by an event that MDS has for it.
func TestMoveIsLegal(t *testing.T) {
	for _, from := range states {
		for _, to := range states {
			for _, activity := range []Activity{Idle, Driving, AtStop, Charging, Halted, Broken} {
				for flags := range 4 {
					d := draft{now: 5, seen: Telemetry{Activity: activity, Loaded: flags&1 != 0}}
					d.State, d.Trip = from, flags&2 != 0
					if from == Removed && to == Missing || from == to {
						continue // it need not be found, and need not move
					}
					d.move(to, "test")
					checkSteps(t, &d, from, to)
				}
			}
		}
	}
}

func checkSteps(t *testing.T, d *draft, from, to State) {
	t.Helper()
	at := from
	for _, n := range d.notes {
		c := n.data.(StateChange)
		if c.From != at || !slices.Contains(Legal(c.From, c.To), c.Event) {
			t.Errorf("from %s to %s: step %s -%s-> %s, and it was %s", from, to, c.From, c.Event, c.To, at)
		}
		at = c.To
	}
	if at != to || d.State != to || len(d.notes) > 5 {
		t.Errorf("from %s to %s: arrived at %s in %d steps, want at most 5", from, to, d.State, len(d.notes))
	}
	if len(d.notes) > 0 && d.StateSince != 5 {
		t.Errorf("from %s to %s: state since %d, want 5", from, to, d.StateSince)
	}
}

func TestStateFor(t *testing.T) {
	const now = 100
	held := &Reservation{Holder: "delivery/d1#1", Token: 5, Expires: now + 1}
	over := &Reservation{Holder: "delivery/d1#1", Token: 5, Expires: now}
	tests := []struct {
		name string
		in   State
		h    *Reservation
		t    Telemetry
		want State
	}{
		{"nobody needs it", Stopped, nil, Telemetry{Activity: Idle}, Available},
		{"it charges", Available, nil, Telemetry{Activity: Charging}, Available},
		{"its reservation is over", Reserved, over, Telemetry{Activity: Driving, Token: 5}, Available},
		{"it has not heard of the job", Available, held, Telemetry{Activity: AtStop, Token: 4}, Reserved},
		{"it drives to the pickup", Reserved, held, Telemetry{Activity: Driving, Token: 5}, Reserved},
		{"it is stuck on the way to the pickup", Reserved, held, Telemetry{Activity: Halted, Token: 5}, Reserved},
		{"it is at the pickup", Reserved, held, Telemetry{Activity: AtStop, Token: 5}, Stopped},
		{"it has loaded", Stopped, held, Telemetry{Activity: Idle, Loaded: true, Token: 5}, Stopped},
		{"it drives to the drop-off", Stopped, held, Telemetry{Activity: Driving, Loaded: true, Token: 5}, OnTrip},
		{"it carries the goods of an earlier token", OnTrip, held, Telemetry{Activity: Driving, Loaded: true, Token: 4}, OnTrip},
		{"it is stuck on the way to the drop-off", OnTrip, held, Telemetry{Activity: Halted, Loaded: true, Token: 5}, Stopped},
		{"it is at the drop-off", OnTrip, held, Telemetry{Activity: AtStop, Loaded: true, Token: 5}, Stopped},
		{"it is heard again, loaded and halted", NonContactable, held, Telemetry{Activity: Halted, Loaded: true, Token: 5}, Stopped},
		{"it has unloaded", Stopped, held, Telemetry{Activity: Idle, Token: 5}, Stopped},
		{"it has unloaded, and nobody saw it stop", OnTrip, held, Telemetry{Activity: Idle, Token: 5}, Stopped},
		{"it has unloaded and drives", Stopped, held, Telemetry{Activity: Driving, Token: 5}, Reserved},
		{"it broke down", OnTrip, held, Telemetry{Activity: Broken, Loaded: true, Token: 5}, NonOperational},
		{"it is in the workshop", Available, nil, Telemetry{Activity: Idle, Mode: Servicing}, NonOperational},
		{"somebody drives it by hand", Available, nil, Telemetry{Activity: Driving, Mode: Manual}, NonOperational},
		{"somebody drives it from afar", OnTrip, held, Telemetry{Activity: Driving, Loaded: true, Mode: Intervened, Token: 5}, OnTrip},
		{"it was removed", Removed, nil, Telemetry{Activity: Idle}, Removed},
	}
	for _, tt := range tests {
		r := Robot{State: tt.in, Reservation: tt.h, Kind: KindRobot}
		if got := r.stateFor(tt.t, clock.Time(now)); got != tt.want {
			t.Errorf("%s: stateFor(%+v) of a robot that is %s = %s, want %s", tt.name, tt.t, tt.in, got, tt.want)
		}
	}
	courier := Robot{State: Available, Kind: KindCourier}
	if got := courier.stateFor(Telemetry{Activity: Idle, Mode: Manual}, now); got != Available {
		t.Errorf("a courier, who is always driven by hand, is %s, want available", got)
	}
}

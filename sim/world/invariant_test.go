package world

import (
	"context"
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/task"
)

type nowhere struct{}

func (nowhere) Append(context.Context, event.Event) {}

// claim is the data of fleet.reserved and fleet.released.
type claim struct {
	Robot   fleet.RobotID `json:"robot"`
	Holder  string        `json:"holder"`
	Token   uint64        `json:"token"`
	Expires clock.Time    `json:"expires"`
}

func (c *checker) feed(t clock.Time, kind string, data any) {
	c.Append(context.Background(), event.New(t, "m", kind, "x", 0, data))
}

func update(seq uint64, from, to delivery.State, fee delivery.Money) delivery.Update {
	return delivery.Update{Delivery: "d1", Sequence: seq, Kind: delivery.StateChanged, From: from, To: to, Fee: fee}
}

// TestInvariants breaks each one, and shows that what is right breaks none.
func TestInvariants(t *testing.T) {
	requested := func(c *checker) { c.update(1, update(2, delivery.Quoted, delivery.Requested, 975)) }
	tests := []struct {
		name string
		run  func(c *checker)
		want string // part of the breach; "" for none
	}{
		{"reserved, released, reserved again", func(c *checker) {
			c.feed(1, "fleet.reserved", claim{"r1", "delivery/d1#1", 1, 100})
			c.feed(2, "fleet.released", claim{"r1", "delivery/d1#1", 1, 100})
			c.feed(3, "fleet.reserved", claim{"r1", "delivery/d2#1", 2, 100})
		}, ""},
		{"taken over when it expired", func(c *checker) {
			c.feed(1, "fleet.reserved", claim{"r1", "delivery/d1#1", 1, 100})
			c.feed(100, "fleet.reserved", claim{"r1", "delivery/d2#1", 2, 200})
		}, ""},
		{"two holders", func(c *checker) {
			c.feed(1, "fleet.reserved", claim{"r1", "delivery/d1#1", 1, 100})
			c.feed(2, "fleet.reserved", claim{"r1", "delivery/d2#1", 2, 100})
		}, "while delivery/d1#1 holds it"},
		{"released with an old token", func(c *checker) {
			c.feed(1, "fleet.reserved", claim{"r1", "delivery/d1#1", 2, 100})
			c.feed(2, "fleet.released", claim{"r1", "delivery/d1#1", 1, 100})
			c.feed(3, "fleet.reserved", claim{"r1", "delivery/d2#1", 3, 100})
		}, "while delivery/d1#1 holds it"},
		{"a token goes back", func(c *checker) {
			c.feed(1, "fleet.reserved", claim{"r1", "delivery/d1#1", 5, 100})
			c.feed(2, "fleet.released", claim{"r1", "delivery/d1#1", 5, 100})
			c.feed(3, "fleet.reserved", claim{"r1", "delivery/d2#1", 5, 100})
		}, "token 5 after token 5"},
		{"one task after the other", func(c *checker) {
			c.feed(1, "task.started", task.Change{Task: "d1.1", Robot: "r1", Kind: task.Started})
			c.feed(2, "task.ended", task.Change{Task: "d1.1", Robot: "r1", Kind: task.Ended})
			c.feed(3, "task.started", task.Change{Task: "d2.1", Robot: "r1", Kind: task.Started})
		}, ""},
		{"two tasks at once", func(c *checker) {
			c.feed(1, "task.started", task.Change{Task: "d1.1", Robot: "r1", Kind: task.Started})
			c.feed(2, "task.started", task.Change{Task: "d2.1", Robot: "r1", Kind: task.Started})
		}, "starts task d2.1 while it works on d1.1"},
		{"states in order", func(c *checker) {
			requested(c)
			c.update(2, update(3, delivery.Requested, delivery.Assigned, 975))
		}, ""},
		{"a gap in the sequence", func(c *checker) {
			requested(c)
			c.update(2, update(4, delivery.Requested, delivery.Assigned, 975))
		}, "update 4 follows update 2"},
		{"an update twice", func(c *checker) {
			requested(c)
			requested(c)
		}, "update 2 follows update 2"},
		{"from another state", func(c *checker) {
			requested(c)
			c.update(2, update(3, delivery.ToPickup, delivery.AtPickup, 975))
		}, "comes from to_pickup, but the state was requested"},
		{"goes on after its end", func(c *checker) {
			requested(c)
			c.update(2, update(3, delivery.Requested, delivery.Cancelled, 0))
			c.update(3, update(4, delivery.Cancelled, delivery.Assigned, 0))
		}, "goes on to assigned after cancelled"},
		{"another fee on the way", func(c *checker) {
			requested(c)
			c.update(2, update(3, delivery.Requested, delivery.Assigned, 976))
		}, "the fee changes from 975 to 976"},
		{"refunded when cancelled", func(c *checker) {
			requested(c)
			c.update(2, update(3, delivery.Requested, delivery.Cancelled, 0))
		}, ""},
		{"unreadable", func(c *checker) { c.feed(1, "fleet.reserved", []int{1}) }, "unreadable"},
	}
	for _, tt := range tests {
		c := newChecker(nowhere{})
		tt.run(c)
		switch err := c.failure(); {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v, want no breach", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want a breach with %q", tt.name, err, tt.want)
		}
	}
}

// TestUnfinishedDeliveriesBreakARun at its end.
func TestUnfinishedDeliveriesBreakARun(t *testing.T) {
	w := &World{check: newChecker(nowhere{})}
	w.check.update(1, update(2, delivery.Quoted, delivery.Requested, 975))
	w.orders = append(w.orders, &order{External: "o1", State: delivery.ToPickup})
	if err := w.Finish(); err == nil || !strings.Contains(err.Error(), "o1 (to_pickup)") {
		t.Errorf("Finish with an open delivery = %v, want it named", err)
	}
	w.check.update(2, update(3, delivery.Requested, delivery.Cancelled, 0))
	w.orders[0].Ended, w.ended = true, 1
	if err := w.Finish(); err != nil {
		t.Errorf("Finish with none open = %v", err)
	}
	w.ended = 2
	if err := w.Finish(); err == nil || !strings.Contains(err.Error(), "ended by the updates") {
		t.Errorf("Finish with counts that do not add up = %v, want a breach", err)
	}
}

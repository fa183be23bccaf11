package world

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/core/task"
	"footway/sim/kernel"
)

// order is the people at both ends of one delivery: the merchant who prepares
// and loads, the recipient who comes out, or does not.
type order struct {
	Index    int                `json:"index"`
	Delivery delivery.ID        `json:"delivery"`
	Partner  delivery.PartnerID `json:"partner"`
	External string             `json:"external"`
	Luck     string             `json:"luck"` // name of its streams: the same under every policy
	State    delivery.State     `json:"state"`
	Reason   delivery.Reason    `json:"reason,omitempty"` // of its cancellation
	Store    string             `json:"store,omitempty"`
	ReadyAt  clock.Time         `json:"ready_at"` // when the goods are really ready
	Ready    bool               `json:"ready"`
	NoShow   bool               `json:"no_show"`
	Ended    bool               `json:"ended"`
	Hand     int                `json:"hand,omitempty"`    // number of the handwritten order, from 1; 0 if none
	Tries    uint64             `json:"tries"`             // carriers sent so far
	Meeting  *meeting           `json:"meeting,omitempty"` // the exchange under way
	Waiting  bool               `json:"waiting,omitempty"` // a robot waits for goods that are not ready
}

// meeting is one exchange at a robot.
type meeting struct {
	Robot   int          `json:"robot"`
	Task    task.ID      `json:"task"`
	Step    int          `json:"step"`
	Purpose task.Purpose `json:"purpose"`
	Tries   uint64       `json:"tries"` // of the PIN or button
	Closed  bool         `json:"closed"`
}

// What a kernel event for an order means.
const (
	orderReady   uint32 = iota + 1 // the goods are ready
	orderPerson                    // somebody stands at the robot and wants it open
	orderDone                      // they have put in or taken out what they wanted
	orderConfirm                   // they say that the exchange is over
	orderCancel                    // the partner tries to cancel
)

func (w *World) orderEvent(ctx context.Context, o *order, e kernel.Event) error {
	switch e.Kind {
	case orderReady:
		return w.goodsReady(ctx, o)
	case orderPerson:
		return w.wantOpen(ctx, o)
	case orderDone:
		if m := o.Meeting; m != nil && w.present(m) {
			m.Closed = true
			w.moveHatch(w.robots[m.Robot], false)
		}
		return nil
	case orderConfirm:
		return w.wantConfirm(ctx, o)
	case orderCancel:
		return w.tryCancel(ctx, o)
	}
	return fmt.Errorf("world: order %s: unknown event %d", o.External, e.Kind)
}

// Publish tells the people of deliveries what became of them, as their screens
// would. It implements delivery.Publisher.
func (w *World) Publish(ctx context.Context, updates []delivery.Update) (taken []bool, err error) {
	taken = make([]bool, len(updates))
	for i := range updates {
		if err := w.publish(ctx, updates[i]); err != nil {
			return taken, err
		}
		taken[i] = true
	}
	return taken, nil
}

func (w *World) publish(ctx context.Context, u delivery.Update) error {
	w.check.update(w.kernel.Now(), u)
	if err := w.checkDelivery(ctx, u.Delivery); err != nil {
		return err
	}
	w.hear(u)
	return nil
}

// hear is the people of a delivery who see on their screens what became of it.
func (w *World) hear(u delivery.Update) {
	o := w.orderOf(string(u.Delivery))
	accepted := o == nil
	if accepted {
		if u.Kind != delivery.StateChanged || u.To != delivery.Requested {
			return
		}
		o = w.newOrder(u)
	}
	if u.Kind != delivery.StateChanged {
		return
	}
	o.State, o.Reason = u.To, u.Reason
	switch u.To {
	case delivery.Delivered, delivery.Returned, delivery.Cancelled:
		if !o.Ended {
			o.Ended = true
			w.ended++
			if f := w.holderOf(string(o.Delivery), nil); f != nil && f.Fault == waitsForRelief {
				w.unburden(f)
			}
		}
	}
	w.demand.seen(w, o, accepted)
	w.faults.seen(w, o)
}

// newOrder draws the fate of a delivery that was just accepted.
func (w *World) newOrder(u delivery.Update) *order {
	m, p := w.o.Scenario.World.Merchants, w.o.Scenario.World.Recipients
	o := &order{
		Index: len(w.orders), Delivery: u.Delivery, Partner: u.Partner, External: u.ExternalID,
		Luck: "order/" + u.ExternalID, Store: u.Store,
	}
	seed := w.o.Seed
	o.ReadyAt = u.ReadyAt
	if late := seed.Stream(o.Luck, "late"); late.Chance(0, m.Late) {
		o.ReadyAt = o.ReadyAt.Add(m.LateBy.Draw(late, 1))
	} else {
		o.ReadyAt = o.ReadyAt.Add(-m.Early.Draw(late, 2))
	}
	o.NoShow = seed.Stream(o.Luck, "no-show").Chance(0, p.NoShow)
	w.demand.fate(w.partner(), o, u)
	w.orders = append(w.orders, o)
	w.byOrder[o.Delivery] = o.Index
	w.kernel.Schedule(max(o.ReadyAt, w.kernel.Now()), kernel.Event{Target: forOrder, Kind: orderReady, A: int64(o.Index)})
	return o
}

// orderOf returns the people of a delivery, or nil.
func (w *World) orderOf(id string) *order {
	i, ok := w.byOrder[delivery.ID(id)]
	if !ok {
		return nil
	}
	return w.orders[i]
}

func (w *World) goodsReady(ctx context.Context, o *order) error {
	if o.Ended {
		return nil
	}
	o.Ready = true
	w.journal(runlog.MerchantReady, string(o.Delivery), runlog.Ready{Delivery: string(o.Delivery), Store: o.Store})
	if !w.o.Seed.Stream(o.Luck, "says").Chance(0, w.o.Scenario.World.Merchants.Says) {
		return w.takeOut(o)
	}
	id, now := o.Delivery, w.kernel.Now()
	return w.ask(ctx, func(ctx context.Context) error {
		return w.p.Deliveries.Ready(ctx, id, now)
	}, func(_ context.Context, err error) error {
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Unavailable) { // Deliveries then learns it from the robot
			return err
		}
		return w.takeOut(o)
	})
}

// takeOut brings goods that have just become ready to a robot that waits for them.
func (w *World) takeOut(o *order) error {
	if o.Waiting {
		o.Waiting = false
		w.comeOut(o)
	}
	return nil
}

// meet begins an exchange: the robot stands there and has said so.
func (w *World) meet(r *robot) {
	o := w.orderOf(r.Job.Delivery)
	if o == nil || o.Ended {
		return
	}
	o.Meeting = &meeting{Robot: r.Index, Task: r.Job.Task, Step: r.Job.Index, Purpose: r.Job.Step.Purpose}
	switch r.Job.Step.Purpose {
	case task.Load:
		if !o.Ready {
			o.Waiting = true
			return
		}
	case task.Unload:
		if o.NoShow {
			return
		}
	case task.Transfer:
		if from := w.holderOf(r.Job.Delivery, r); from == nil || !w.near(r, from) {
			w.after(searches, kernel.Event{Target: forRobot, Kind: robotGivesUp, A: int64(r.Index)})
			return
		}
	}
	w.comeOut(o)
}

// searches is how long a relief looks for goods that are not where they should be.
const searches = 2 * clock.Minute

// near reports whether two robots can hand goods over.
func (w *World) near(a, b *robot) bool {
	const reach = 60_000 // mm
	return maps.Distance(w.o.Network.PointAt(w.position(a)), w.o.Network.PointAt(w.position(b))) <= reach
}

// comeOut schedules the person who goes to the robot.
func (w *World) comeOut(o *order) {
	s := w.o.Scenario.World
	d := s.Merchants.Notice
	switch o.Meeting.Purpose {
	case task.Unload:
		d = s.Recipients.ComeOut
	case task.Transfer:
		d = s.Operators.Transfer
	}
	w.after(d.Draw(w.o.Seed.Stream(o.Luck, "come/"+string(o.Meeting.Purpose)), o.Tries),
		kernel.Event{Target: forOrder, Kind: orderPerson, A: int64(o.Index)})
}

// present reports whether the robot still stands there for this exchange.
func (w *World) present(m *meeting) bool {
	r := w.robots[m.Robot]
	return r.Job != nil && r.Job.Task == m.Task && r.Job.Index == m.Step && !r.Job.Ended && r.Activity != fleet.Broken
}

// again tries what a person at the robot wants once more, a little later.
func (w *World) again(o *order, kind uint32, in clock.Duration) {
	w.after(in, kernel.Event{Target: forOrder, Kind: kind, A: int64(o.Index)})
}

// wantOpen is a person who gives the PIN, or presses the button.
func (w *World) wantOpen(ctx context.Context, o *order) error {
	m := o.Meeting
	if m == nil || !w.present(m) || o.Ended {
		return nil
	}
	if r := w.robots[m.Robot]; r.Open || r.Moving || m.Closed {
		return nil
	}
	if m.Purpose != task.Unload {
		return w.open(ctx, o, m, "")
	}
	pin, partner, external := "", o.Partner, o.External
	return w.ask(ctx, func(ctx context.Context) error {
		d, _, err := w.p.Deliveries.Get(ctx, partner, external)
		pin = d.UnloadPIN
		return err
	}, func(ctx context.Context, err error) error {
		if fault.Is(err, fault.Unavailable) {
			w.again(o, orderPerson, 15*clock.Second)
			return nil
		}
		if err != nil {
			return fmt.Errorf("order %s: the recipient looks for the PIN: %w", external, err)
		}
		if s := w.o.Seed.Stream(o.Luck, "pin"); s.Chance(o.Tries<<16|m.Tries, w.o.Scenario.World.Recipients.WrongPIN) {
			pin = wrongPIN(pin)
		}
		return w.open(ctx, o, m, pin)
	})
}

// open asks for the lid to be opened.
func (w *World) open(ctx context.Context, o *order, m *meeting, pin string) error {
	m.Tries++
	id, h := o.Delivery, delivery.HandoffRequest{Purpose: m.Purpose, Want: task.WantOpen, Staff: m.Purpose != task.Unload, PIN: pin}
	return w.ask(ctx, func(ctx context.Context) error {
		return w.p.Deliveries.Handoff(ctx, id, h)
	}, func(_ context.Context, err error) error {
		switch {
		case o.Meeting != m: // over, while they waited for the answer
			return nil
		case err == nil:
			// If the lid jams, they press again.
			w.again(o, orderPerson, 20*clock.Second)
			return nil
		case fault.Is(err, fault.Forbidden):
			w.again(o, orderPerson, 12*clock.Second)
			return nil
		case fault.Is(err, fault.Conflict), fault.Is(err, fault.Unavailable), fault.Is(err, fault.Exhausted):
			w.again(o, orderPerson, 15*clock.Second)
			return nil
		}
		return fmt.Errorf("order %s: open at %s: %w", o.External, m.Purpose, err)
	})
}

// wrongPIN returns another four digits.
func wrongPIN(pin string) string {
	if len(pin) != 4 {
		return pin // none is asked for
	}
	return pin[:3] + string('0'+(pin[3]-'0'+1)%10)
}

// seen is the lid, seen by the person at the robot.
func (w *World) seen(o *order, r *robot, open bool) {
	m := o.Meeting
	if m == nil || m.Robot != r.Index || !w.present(m) {
		return
	}
	if !open {
		w.again(o, orderConfirm, 2*clock.Second)
		return
	}
	s := w.o.Scenario.World
	d := s.Merchants.Loading
	if m.Purpose == task.Unload {
		d = s.Recipients.Unload
	}
	w.after(d.Draw(w.o.Seed.Stream(o.Luck, "open/"+string(m.Purpose)), o.Tries), kernel.Event{Target: forOrder, Kind: orderDone, A: int64(o.Index)})
}

// wantConfirm is the person's word that the exchange is over.
func (w *World) wantConfirm(ctx context.Context, o *order) error {
	m := o.Meeting
	if m == nil || !w.present(m) || o.Ended {
		return nil
	}
	id, h := o.Delivery, delivery.HandoffRequest{Purpose: m.Purpose, Want: task.WantConfirm, Staff: m.Purpose != task.Unload}
	return w.ask(ctx, func(ctx context.Context) error {
		return w.p.Deliveries.Handoff(ctx, id, h)
	}, func(_ context.Context, err error) error {
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Exhausted) {
			return fmt.Errorf("order %s: confirm at %s: %w", o.External, m.Purpose, err)
		}
		if o.Meeting == m {
			// Until the robot leaves they look again, since an answer may have been lost.
			w.again(o, orderConfirm, 10*clock.Second)
		}
		return nil
	})
}

// holderOf returns the robot other than r that has the goods of a delivery, or nil.
func (w *World) holderOf(id string, r *robot) *robot {
	for _, f := range w.robots {
		if f != r && f.Goods == id {
			return f
		}
	}
	return nil
}

// unburden takes the goods out of a robot that failed.
func (w *World) unburden(f *robot) {
	f.Goods = ""
	if f.Fault == waitsForRelief {
		f.Fault = ""
		w.rest(f, fleet.Idle)
	}
}

// tryCancel is the partner changing its mind.
func (w *World) tryCancel(ctx context.Context, o *order) error {
	if o.Ended {
		return nil
	}
	partner, external := o.Partner, o.External
	return w.ask(ctx, func(ctx context.Context) error {
		_, err := w.p.Deliveries.Cancel(ctx, partner, external, "partner changed its mind")
		return err
	}, func(_ context.Context, err error) error {
		if err != nil && !fault.Is(err, fault.Conflict) {
			return fmt.Errorf("order %s: cancel: %w", external, err)
		}
		return nil
	})
}

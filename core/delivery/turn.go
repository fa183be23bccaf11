package delivery

import (
	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/maps"
)

// turn is one decision about one delivery: what becomes of it, the updates
// that tell of it, and what is owed to other services because of it. Nothing
// outside is touched before all of it is saved at once.
type turn struct {
	d       *Delivery
	now     clock.Time
	set     Settings
	updates []Update
	changed bool
}

// move takes the delivery to another state.
func (t *turn) move(to State, cause string) error { return t.moveFor(to, cause, "") }

func (t *turn) moveFor(to State, cause string, reason Reason) error {
	u, err := t.d.move(to, t.now, cause, reason)
	if err != nil {
		return err
	}
	t.updates, t.changed = append(t.updates, u), true
	return nil
}

// tell adds an update that is no change of state.
func (t *turn) tell(kind UpdateKind, cause string) {
	t.updates, t.changed = append(t.updates, t.d.note(kind, t.now, cause)), true
}

// advance goes along a way until the delivery is at to; it does nothing if
// that lies behind. It fails if the delivery is not on the way at all.
func (t *turn) advance(way []State, to State) error {
	at, end := index(way, t.d.State), index(way, to)
	if at < 0 {
		return t.move(to, "") // fails, and says why
	}
	for i := at + 1; i <= end; i++ {
		if err := t.move(way[i], ""); err != nil {
			return err
		}
	}
	return nil
}

func index(way []State, s State) int {
	for i := range way {
		if way[i] == s {
			return i
		}
	}
	return -1
}

// owe notes a call that must be made once the turn is saved.
func (t *turn) owe(debt Debt) {
	t.d.Debts++
	debt.Number = t.d.Debts
	t.d.Owed, t.changed = append(t.d.Owed, debt), true
}

// close brings the expected times up to date in the delivery and its updates.
// Where nothing else was told, a change that matters is told by itself, and one
// that does not is left for later, so that small ones add up.
func (t *turn) close() {
	d := t.d
	if !t.changed || d.State == Quoted || d.State.Homeward() || d.State == Returned || d.State == Cancelled {
		return
	}
	expected := d.foresee(t.now)
	if len(t.updates) == 0 {
		if d.GoingBack != "" || !moved(d.Expected, expected, t.set.ExpectationThreshold) {
			return
		}
		t.tell(Expectation, "")
	}
	d.Expected = expected
	for i := range t.updates {
		t.updates[i].Expected = expected
	}
}

// cancel ends the delivery and lets go of whoever works for it.
func (t *turn) cancel(reason Reason, cause string, refund bool) error {
	if refund {
		t.d.charge(Refund, -t.d.Fee)
	}
	if err := t.moveFor(Cancelled, cause, reason); err != nil {
		return err
	}
	t.release(cause)
	return nil
}

// failReason is the reason of giving up in the present state.
func (t *turn) failReason() Reason {
	switch {
	case t.d.State.Homeward():
		return FailedToReturn
	case t.d.State.Carried():
		return FailedToDeliver
	}
	return FailedToAssign
}

// release lets every carrier of an ended delivery go, and takes an open request back.
func (t *turn) release(cause string) {
	d := t.d
	switch {
	case d.Robot != "":
		if d.State == Cancelled {
			t.oweCancel(cause)
		}
		t.oweFinish()
	case d.Attempt > 0:
		t.owe(Debt{Kind: OweWithdraw, Attempt: d.Attempt})
	}
	if f := d.Transfer; f != nil {
		t.oweFinishFrom(f)
	}
	d.Transfer, d.LateSince, d.Silent, d.GoingBack = nil, 0, false, ""
}

// oweCancel ends the current attempt's task. If its id is not known, the task
// may exist all the same: the steps are kept so that Create finds it.
func (t *turn) oweCancel(cause string) {
	d := t.d
	debt := Debt{Kind: OweCancel, Attempt: d.Attempt, Robot: d.Robot, Token: d.Token, Task: d.Task, Cause: cause}
	if d.Task == "" {
		debt.Steps = d.steps(t.set, t.now)
	}
	t.owe(debt)
}

// oweFinish lets the current carrier go.
func (t *turn) oweFinish() {
	d := t.d
	debt := Debt{Kind: OweFinish, Attempt: d.Attempt, Robot: d.Robot, Token: d.Token, PickupAt: d.pickedUpBy(d.Robot)}
	if d.State == Delivered {
		debt.DropoffAt = d.Times.Ended
	}
	t.owe(debt)
}

// oweFinishFrom lets go the carrier from which the goods are taken over.
func (t *turn) oweFinishFrom(f *Transfer) {
	t.owe(Debt{Kind: OweFinish, Attempt: f.Attempt, Robot: f.From, Token: f.Token, PickupAt: t.d.pickedUpBy(f.From)})
}

// pickedUpBy returns when a robot was at the merchant; 0 if it was not, as reliefs are not.
func (d *Delivery) pickedUpBy(r fleet.RobotID) clock.Time {
	if len(d.Custody) > 0 && d.Custody[0].Carrier != r {
		return 0
	}
	return d.Times.AtPickup
}

// nextAttempt forgets the carrier and asks for another one.
func (d *Delivery) nextAttempt() {
	d.Attempt++
	d.Asked, d.AskedAt, d.PickupAt = false, 0, 0
	d.Robot, d.Token, d.Task, d.TaskSeq, d.Step, d.Replans, d.LateSince, d.Silent = "", 0, "", 0, 0, 0, 0, false
}

// carrierFailed looks for another carrier: before loading by a new request, after
// it by a takeover where the goods stand, which at says, or else the carrier's last word.
func (t *turn) carrierFailed(cause string, at *maps.Position) error {
	d := t.d
	if d.Robot == "" || d.State.Ended() {
		return nil
	}
	d.Failed = append(d.Failed, d.Robot)
	switch {
	case d.Transfer != nil:
		return t.reliefFailed(cause)
	case d.State.Carried():
		return t.beginTransfer(cause, at)
	}
	if d.Attempt >= t.set.MaxAttempts {
		return t.cancel(FailedToAssign, cause, true)
	}
	t.oweCancel(cause)
	t.oweFinish()
	// The next one is likely to be as far away as this one was.
	d.Expected.PickupP50 = t.now.Add(max(0, d.PickupAt.Sub(d.Times.Assigned)))
	d.nextAttempt()
	return t.move(Requested, cause)
}

// beginTransfer leaves the goods in the carrier that failed, which is held
// until they are out of it, and asks for another one to take them over there.
func (t *turn) beginTransfer(cause string, at *maps.Position) error {
	d := t.d
	if at != nil {
		d.At = *at
	}
	d.Transfer = &Transfer{From: d.Robot, Token: d.Token, Task: d.Task, Attempt: d.Attempt, At: d.At, Since: t.now, Cause: cause}
	t.oweCancel(cause) // so that it stays where it is, should it recover
	d.nextAttempt()
	t.tell(Trouble, cause)
	u := &t.updates[len(t.updates)-1]
	u.Robot, u.Attempt = d.Transfer.From, d.Transfer.Attempt
	return t.turnBack()
}

// reliefFailed looks for another carrier to take the goods over.
func (t *turn) reliefFailed(cause string) error {
	d := t.d
	if d.Attempt-d.Transfer.Attempt >= t.set.MaxAttempts {
		return t.cancel(t.failReason(), cause, true)
	}
	t.oweCancel(cause)
	t.oweFinish()
	d.nextAttempt()
	t.tell(Trouble, cause)
	return t.turnBack()
}

// takeOver is the moment at which the goods have changed carriers.
func (t *turn) takeOver() {
	d, f := t.d, t.d.Transfer
	d.Transfer = nil
	d.Custody = append(d.Custody, Custody{Carrier: d.Robot, From: t.now, Cause: f.Cause})
	d.Since, d.Exchange = t.now, 0
	t.tell(CustodyMoved, f.Cause)
	t.oweFinishFrom(f)
}

// giveBack is what happens to goods that nobody takes: they stay in the robot, to be
// disposed of at its dock, or go back. The robot may be handing them over at this very
// moment, so the delivery turns back only once Task has agreed (turnBack).
func (t *turn) giveBack(cause string) error {
	d := t.d
	if d.GoingBack != "" {
		return nil
	}
	if d.IfUndeliverable == Dispose {
		return t.cancel(FailedToDeliver, cause, false)
	}
	d.GoingBack, t.changed = cause, true
	if d.Robot == "" {
		return t.turnBack()
	}
	from := d.Step
	if d.Transfer != nil {
		from = firstAfterPickup
	}
	d.Replans++
	t.owe(Debt{Kind: OweReplan, Attempt: d.Attempt, Replan: d.Replans, From: from, Steps: d.wayBack(t.set), Back: true})
	return nil
}

// turnBack takes the delivery to its way back, if that was wanted and nobody
// can hand the goods over any more.
func (t *turn) turnBack() error {
	d := t.d
	cause := d.GoingBack
	if cause == "" {
		return nil
	}
	d.GoingBack, d.LateSince, d.Silent = "", 0, false
	if d.waiting() {
		d.Asked = false // the request has another end now
	}
	return t.move(Returning, cause)
}

// stayOut is Task's word that it is too late to turn back. The feed will tell why;
// if nobody took the goods after all, the wait goes on a little.
func (t *turn) stayOut() {
	t.d.GoingBack, t.d.Exchange, t.changed = "", t.now, true
}

// waiting reports whether the delivery waits for Dispatch to name a carrier.
func (d *Delivery) waiting() bool {
	return d.Robot == "" && (d.State == Requested || d.Transfer != nil)
}

// request is what Dispatch is asked for.
func (d *Delivery) request() dispatch.Request {
	r := dispatch.Request{
		Market: d.Market, Delivery: string(d.ID), Attempt: d.Attempt, Kind: dispatch.ForDelivery,
		Pickup: d.Pickup.Position, Dropoff: d.Dropoff.Position, Load: d.Load, ReadyAt: d.ReadyAt,
		PromiseAt: d.Promise.DropoffP90, RequestedAt: d.Times.Requested, Not: append([]fleet.RobotID(nil), d.Failed...),
	}
	if d.Transfer != nil {
		r.Kind, r.Pickup, r.ReadyAt, r.RequestedAt = dispatch.ForTransfer, d.Transfer.At, d.Transfer.Since, d.Transfer.Since
	}
	if d.State.Homeward() {
		r.Dropoff = d.Pickup.Position
	}
	return r
}

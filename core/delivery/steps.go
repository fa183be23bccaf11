package delivery

import (
	"footway/core/clock"
	"footway/core/maps"
	"footway/core/task"
)

// The steps of a delivery's task, in order: a drive to where the goods are, their
// handing over, a drive to where they go, and their handing over.
const firstAfterPickup = 2

// steps returns the whole task of the current attempt: from the merchant or from
// a carrier that failed, to the recipient or back to the merchant.
func (d *Delivery) steps(s Settings, now clock.Time) []task.Step {
	purpose, from, pin, wait := task.Load, d.Pickup.Position, d.LoadPIN, s.PickupWaitMax
	if d.Transfer != nil {
		purpose, from, pin, wait = task.Transfer, d.Transfer.At, "", s.PickupWait
	}
	there := s.leg(purpose, from, max(0, d.PickupAt.Sub(now)), pin, wait)
	if d.State.Homeward() {
		return append(there, d.wayBack(s)...)
	}
	return append(there, d.wayOut(s)...)
}

// wayOut returns the steps to the recipient.
func (d *Delivery) wayOut(s Settings) []task.Step {
	return s.leg(task.Unload, d.Dropoff.Position, d.RouteTime, d.UnloadPIN, s.DropoffWait)
}

// wayBack returns the steps back to the merchant, who knows the PIN from loading.
func (d *Delivery) wayBack(s Settings) []task.Step {
	return s.leg(task.Return, d.Pickup.Position, d.RouteTime, d.LoadPIN, s.ReturnWait)
}

// leg returns a drive that is estimated to take estimate, and the exchange at its end.
func (s Settings) leg(p task.Purpose, to maps.Position, estimate clock.Duration, pin string, wait clock.Duration) []task.Step {
	budget := estimate*clock.Duration(s.BudgetPermille)/1000 + s.BudgetSlack
	return []task.Step{
		{Kind: task.Drive, Purpose: p, To: to, Budget: budget},
		{Kind: task.Handoff, Purpose: p, To: to, Budget: wait, PIN: pin},
	}
}

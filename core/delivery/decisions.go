package delivery

import (
	"context"
	"fmt"

	"footway/core/dispatch"
	"footway/core/fault"
)

// decide applies one decision of Dispatch. It may be repeated, and late.
func (s *Service) decide(ctx context.Context, c dispatch.Decision) error {
	_, err := s.change(ctx, ID(c.Delivery), func(t *turn) error { return t.decided(c) })
	if fault.Is(err, fault.NotFound) && c.Kind == dispatch.Assigned {
		// A robot for something that was never stored: let it go.
		err = s.Dispatcher.Finish(ctx, dispatch.Finish{Market: c.Market, Delivery: c.Delivery, Attempt: c.Attempt, Robot: c.Robot, Token: c.Token})
	} else if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("decision %s of %s#%d: %w", c.Kind, c.Delivery, c.Attempt, err)
	}
	return nil
}

func (t *turn) decided(c dispatch.Decision) error {
	d := t.d
	current := c.Attempt == d.Attempt
	switch {
	case c.Kind == dispatch.Assigned:
		return t.assigned(c)
	case c.Kind == dispatch.Lost && current && c.Robot == d.Robot && c.Cause == outOfContact && d.State.Carried() && d.Transfer == nil:
		t.outOfContact()
	case c.Kind == dispatch.Lost && current && c.Robot == d.Robot:
		return t.carrierFailed(c.Cause, c.Position)
	case c.Kind == dispatch.Found && current && c.Robot == d.Robot && d.Silent:
		d.Silent, d.LateSince, t.changed = false, 0, true
	case c.Kind == dispatch.GaveUp && current && d.waiting():
		return t.cancel(t.failReason(), c.Cause, true)
	}
	return nil
}

// outOfContact is Dispatch's cause for a robot that is not heard of, and may be
// on its way all the same.
const outOfContact = "out_of_contact"

// outOfContact gives a loaded carrier that nobody hears the grace of a late one:
// most holes in the network are left behind by driving on, and somebody sent
// to where it was last seen would not find it.
func (t *turn) outOfContact() {
	if d := t.d; d.LateSince == 0 {
		d.LateSince, d.Silent = t.now, true
		t.tell(Trouble, outOfContact)
	}
}

// assigned takes the robot that Dispatch reserved, or lets it go if it is not wanted any more.
func (t *turn) assigned(c dispatch.Decision) error {
	d, f := t.d, t.d.Transfer
	if c.Attempt == d.Attempt && c.Robot == d.Robot && c.Token == d.Token {
		return nil // heard before
	}
	if f != nil && c.Robot == f.From && c.Token == f.Token {
		return nil // heard before; it still holds the goods
	}
	if c.Attempt != d.Attempt || !d.waiting() {
		t.owe(Debt{Kind: OweFinish, Attempt: c.Attempt, Robot: c.Robot, Token: c.Token})
		return nil
	}
	d.Robot, d.Token, d.PickupAt = c.Robot, c.Token, c.PickupAt
	d.Asked = true
	if d.Transfer != nil {
		t.tell(Expectation, "relief_assigned")
		return nil
	}
	return t.move(Assigned, "")
}

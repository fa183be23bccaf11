package delivery

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/market"
)

// What the timers of a delivery are for. timerSettle is set when a call failed;
// all others follow from the delivery alone.
const (
	timerSettle   = "settle"        // repeat what other services did not take
	timerExpire   = "expire"        // a quote expires
	timerAsk      = "ask"           // repeat a request that Dispatch has not decided
	timerStart    = "start-wait"    // the carrier should have set off
	timerRemind   = "remind"        // remind the merchant
	timerPickup   = "pickup-wait"   // the merchant does not come
	timerDropoff  = "dropoff-wait"  // the recipient does not come
	timerReturn   = "return-wait"   // the merchant does not take the goods back
	timerTransfer = "transfer-wait" // nobody takes the goods over
	timerLate     = "late"          // a loaded carrier stays overdue
)

var timers = [...]string{timerExpire, timerAsk, timerStart, timerRemind, timerPickup, timerDropoff, timerReturn, timerTransfer, timerLate}

func key(id ID, what string) clock.Key {
	return clock.Key{Service: "delivery", Entity: string(id), What: what}
}

// due returns when one of the timers of d fires, 0 if it does not wait for that.
func (d *Delivery) due(what string, s Settings) clock.Time {
	still := d.Transfer == nil // waits at stops rest while goods wait for another carrier
	switch {
	case what == timerExpire && d.State == Quoted:
		return d.ExpiresAt
	case what == timerAsk && d.waiting() && d.Asked:
		return d.AskedAt.Add(s.AskEvery)
	case what == timerStart && (d.State == Assigned || d.State == Loaded && still):
		return d.Since.Add(s.StartWait)
	case what == timerStart && !still && d.Robot != "" && d.TaskSeq == 0:
		return d.PickupAt.Add(s.StartWait) // a relief that should be there and has not been heard of
	case what == timerRemind && d.State == AtPickup && !d.Reminded:
		return d.goodsDue(s).Add(s.PickupWait)
	case what == timerPickup && d.State == AtPickup:
		return d.patience(d.goodsDue(s).Add(s.PickupWaitMax), s)
	case what == timerDropoff && d.State == AtDropoff && still && d.GoingBack == "":
		return d.patience(d.Since.Add(s.DropoffWait), s)
	case what == timerReturn && d.State == AtReturn && still:
		return d.patience(d.Since.Add(s.ReturnWait), s)
	case what == timerTransfer && !still && d.Robot == "":
		return d.Transfer.Since.Add(s.TransferWait)
	case what == timerLate && still && d.LateSince != 0:
		return d.LateSince.Add(s.LateGrace)
	}
	return 0
}

// WaitsUntil returns until when the robot of d waits for somebody at its stop, 0 if it does not.
func (s *Service) WaitsUntil(d *Delivery) clock.Time {
	set := s.Settings(d.Market)
	return max(d.due(timerPickup, set), d.due(timerDropoff, set), d.due(timerReturn, set))
}

// goodsDue is when a merchant's patience with itself begins: the robot is there
// and the goods should be ready, though not for ever later.
func (d *Delivery) goodsDue(s Settings) clock.Time {
	return min(max(d.Since, d.ReadyAt), d.Since.Add(s.PickupWaitMax))
}

// patience prolongs a wait for somebody who has just opened the hatch.
func (d *Delivery) patience(until clock.Time, s Settings) clock.Time {
	if d.Exchange == 0 {
		return until
	}
	return max(until, d.Exchange.Add(s.ExchangeGrace))
}

// arm sets and cancels timers by the difference between before and after.
func (s *Service) arm(before, after Delivery, set Settings) {
	for _, what := range timers {
		old, at := before.due(what, set), after.due(what, set)
		switch {
		case old == at:
		case at == 0:
			s.Timers.Cancel(key(after.ID, what))
		default:
			s.Timers.Set(key(after.ID, what), at)
		}
	}
}

// Resume sets the timers of every open delivery of a market, as after a
// restart, and has requests repeated that Dispatch may have forgotten.
func (s *Service) Resume(ctx context.Context, m market.ID) error {
	set, now := s.Settings(m), s.Clock.Now()
	for after := ID(""); ; {
		page, err := s.Open.Open(ctx, m, after, batch)
		if err != nil {
			return fmt.Errorf("resume %s: %w", m, err)
		}
		if len(page) == 0 {
			return nil
		}
		for i := range page {
			d := &page[i]
			s.arm(Delivery{ID: d.ID}, *d, set)
			if d.waiting() && d.Asked {
				s.Timers.Set(key(d.ID, timerAsk), now)
			}
			if d.needsTask() || d.needsAsking() || len(d.Owed) > 0 {
				s.Timers.Set(key(d.ID, timerSettle), now)
			}
		}
		after = page[len(page)-1].ID
	}
}

// Fire is called when a timer of this service is due, at the earliest at its
// instant, and possibly again. A timer whose reason has gone does nothing.
func (s *Service) Fire(ctx context.Context, k clock.Key) error {
	id := ID(k.Entity)
	d, err := s.Store.Delivery(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil && k.What == timerSettle:
		_, err = s.settle(ctx, d)
	case err == nil && k.What == timerExpire:
		s.expire(ctx, d)
	case err == nil && k.What == timerAsk:
		err = s.askAgain(ctx, d)
	case err == nil:
		err = s.fire(ctx, d, k)
	}
	if err != nil && (fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Exhausted)) {
		s.Timers.Set(k, s.Clock.Now().Add(DefaultSettings().RetryEvery))
		return nil
	}
	if err != nil {
		return fmt.Errorf("timer %s of %s: %w", k.What, id, err)
	}
	return nil
}

// fire calls for what a timer is about, or sets it again if that is later by now.
func (s *Service) fire(ctx context.Context, d Delivery, k clock.Key) error {
	at := d.due(k.What, s.Settings(d.Market))
	switch {
	case at == 0:
		return nil
	case at > s.Clock.Now():
		s.Timers.Set(k, at)
		return nil
	}
	_, err := s.change(ctx, d.ID, func(t *turn) error { return t.fire(k.What) })
	return err
}

// fire is what waiting in vain leads to.
func (t *turn) fire(what string) error {
	d := t.d
	if at := d.due(what, t.set); at == 0 || at > t.now {
		return nil
	}
	switch what {
	case timerStart:
		return t.carrierFailed("did_not_start", nil)
	case timerRemind:
		d.Reminded = true
		t.tell(Trouble, "merchant_late")
	case timerPickup:
		return t.cancel(FailedToPickup, "merchant_did_not_load", false)
	case timerDropoff:
		return t.giveBack("recipient_did_not_come")
	case timerReturn:
		return t.cancel(FailedToReturn, "merchant_did_not_take_back", false)
	case timerTransfer:
		return t.cancel(t.failReason(), "no_carrier_for_takeover", true)
	case timerLate:
		return t.carrierFailed("overdue", nil)
	}
	return nil
}

// expire writes into the journal that a quote expired; the quote itself stays,
// to be renewed or forgotten.
func (s *Service) expire(ctx context.Context, d Delivery) {
	if now := s.Clock.Now(); d.State == Quoted && now >= d.ExpiresAt {
		s.Journal.Append(ctx, event.New(now, string(d.Market), "delivery.expired", string(d.ID), d.Sequence, RefusedEvent{d.Partner, QuoteExpired}))
	}
}

// askAgain repeats a request that Dispatch has taken but not decided, and moves
// the expected times if they have become impossible meanwhile.
func (s *Service) askAgain(ctx context.Context, d Delivery) error {
	if at := d.due(timerAsk, s.Settings(d.Market)); at == 0 {
		return nil
	}
	if err := s.Dispatcher.Request(ctx, d.request()); err != nil {
		return err
	}
	after, err := s.edit(ctx, d.ID, func(t *turn) error {
		if t.d.Attempt == d.Attempt && t.d.waiting() && t.d.Asked {
			t.d.AskedAt, t.changed = t.now, true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if at := after.due(timerAsk, s.Settings(d.Market)); at != 0 {
		s.Timers.Set(key(d.ID, timerAsk), at) // this one is used up, even where the instant is the same
	}
	return nil
}

package porttest

import (
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/porttest/fake"
	"footway/core/task"
)

func accepted(t *testing.T, s DeliveriesUnder, id string) delivery.Delivery {
	t.Helper()
	d, err := s.Create(t.Context(), QuoteFor("p", id))
	return want(t, d, err)
}

func now(t *testing.T, s DeliveriesUnder, id delivery.ID) delivery.Delivery {
	t.Helper()
	d, err := s.ByID(t.Context(), id)
	return want(t, d, err)
}

func deliveriesEdit(t *testing.T, s DeliveriesUnder) {
	ctx, d := t.Context(), accepted(t, s, "a")
	tip, value, ready := delivery.Money(0), delivery.Money(9900), fake.Start.Add(20*clock.Minute)
	phone, in, out := "+12065550177", "knock", ""
	to := dispatch.Place{Address: "12 Hill Street, the yard"}
	e := delivery.Edit{Tip: &tip, OrderValue: &value, ReadyAt: &ready, Dropoff: &to, DropoffPhone: &phone, DropoffInstructions: &out, PickupInstructions: &in}
	got, err := s.Edit(ctx, "p", "a", e)
	got = want(t, got, err)
	if got.Tip != 0 || got.OrderValue != 9900 || got.ReadyAt != ready || got.Dropoff == d.Dropoff || got.Sequence != d.Sequence+1 {
		t.Errorf("Edit = tip %d, value %d, ready %s, drop-off %v, sequence %d", got.Tip, got.OrderValue, got.ReadyAt, got.Dropoff, got.Sequence)
	}
	again, err := s.Edit(ctx, "p", "a", e)
	wantEqual(t, "Edit repeated", got, want(t, again, err))
	_, people, err := s.Get(ctx, "p", "a")
	if err != nil || people.DropoffPhone != phone || people.DropoffInstructions != "" || people.PickupInstructions != in || people.DropoffAddress != to.Address {
		t.Errorf("what is kept of the people does not follow the edit (error %v)", err)
	}
	same, err := s.Edit(ctx, "p", "a", delivery.Edit{})
	wantEqual(t, "Edit of nothing", got, want(t, same, err))
}

func deliveriesStale(t *testing.T, s DeliveriesUnder) {
	ctx, d := t.Context(), accepted(t, s, "a")
	one, two, phone := delivery.Money(1), delivery.Money(2), "+12065550177"
	first, err := s.Edit(ctx, "p", "a", delivery.Edit{Tip: &one, Sequence: d.Sequence})
	if first = want(t, first, err); first.Tip != 1 {
		t.Errorf("Edit with the newest sequence: tip %d, want 1", first.Tip)
	}
	again, err := s.Edit(ctx, "p", "a", delivery.Edit{Tip: &one, Sequence: d.Sequence})
	wantEqual(t, "the same edit repeated", first, want(t, again, err))
	_, err = s.Edit(ctx, "p", "a", delivery.Edit{Tip: &two, Sequence: d.Sequence})
	wantOutcome(t, "another edit with an old sequence", err, fault.Conflict, delivery.Stale)
	_, err = s.Edit(ctx, "p", "a", delivery.Edit{DropoffPhone: &phone, Sequence: d.Sequence})
	wantOutcome(t, "an edit of people with an old sequence", err, fault.Conflict, delivery.Stale)
	wantEqual(t, "after refused edits", first, now(t, s, d.ID))
	_, people, err := s.Get(ctx, "p", "a")
	if err != nil || people.DropoffPhone == phone {
		t.Errorf("a refused edit changed the phone number (error %v)", err)
	}
}

func deliveriesLoaded(t *testing.T, s DeliveriesUnder) {
	ctx, d := t.Context(), accepted(t, s, "a")
	s.Town.Drive(t, d.ID, delivery.Loaded, s.Pump)
	d = now(t, s, d.ID)
	if d.State != delivery.Loaded || d.Robot == "" || len(d.Custody) != 1 || d.At.Edge != 3 {
		t.Fatalf("the delivery is %s by %q at %v, custody %v; want it loaded", d.State, d.Robot, d.At, d.Custody)
	}
	ready, tip := fake.Start, delivery.Money(5)
	_, err := s.Edit(ctx, "p", "a", delivery.Edit{ReadyAt: &ready})
	wantOutcome(t, "Edit of the pickup when loaded", err, fault.Conflict, delivery.DeliveryPickedUp)
	_, err = s.Cancel(ctx, "p", "a", "")
	wantOutcome(t, "Cancel when loaded", err, fault.Conflict, delivery.DeliveryPickedUp)
	got, err := s.Edit(ctx, "p", "a", delivery.Edit{Tip: &tip})
	if got = want(t, got, err); got.Tip != 5 {
		t.Errorf("Edit of the tip when loaded: %d, want 5", got.Tip)
	}
	b := accepted(t, s, "b")
	s.Town.Drive(t, b.ID, delivery.Delivered, s.Pump)
	if b = now(t, s, b.ID); b.State != delivery.Delivered || b.Times.Ended == 0 {
		t.Errorf("the delivery is %s, ended %s; want it delivered", b.State, b.Times.Ended)
	}
	_, err = s.Cancel(ctx, "p", "b", "")
	wantOutcome(t, "Cancel when delivered", err, fault.Conflict, delivery.DeliveryCompleted)
	_, err = s.Edit(ctx, "p", "b", delivery.Edit{Tip: &tip})
	wantOutcome(t, "Edit when delivered", err, fault.Conflict, delivery.DeliveryCompleted)
}

func deliveriesCancel(t *testing.T, s DeliveriesUnder) {
	ctx := t.Context()
	accepted(t, s, "a")
	d, err := s.Cancel(ctx, "p", "a", "changed my mind")
	if d = want(t, d, err); d.State != delivery.Cancelled || d.CancelReason != delivery.ByCreator || d.CancelCause != "changed my mind" {
		t.Errorf("Cancel = %s, %q, %q", d.State, d.CancelReason, d.CancelCause)
	}
	again, err := s.Cancel(ctx, "p", "a", "again")
	wantEqual(t, "Cancel repeated", d, want(t, again, err))
	tip := delivery.Money(1)
	_, err = s.Edit(ctx, "p", "a", delivery.Edit{Tip: &tip})
	wantOutcome(t, "Edit when cancelled", err, fault.Conflict, delivery.DeliveryCancelled)
}

func deliveriesReady(t *testing.T, s DeliveriesUnder) {
	ctx := t.Context()
	quote, err := s.Quote(ctx, QuoteFor("p", "q"))
	want(t, quote, err)
	wantOutcome(t, "Ready for a quote", s.Ready(ctx, quote.ID, fake.Start), fault.Conflict, delivery.NotAccepted)
	d, at := accepted(t, s, "a"), fake.Start.Add(7*clock.Minute)
	for range 2 { // it may be repeated
		mustDo(t, s.Ready(ctx, d.ID, at))
		if got := now(t, s, d.ID); got.ReadySaid != at || got.ReadyAt != at || got.Sequence != d.Sequence+1 {
			t.Errorf("after Ready: said %s, ready %s, sequence %d; want %s and one update", got.ReadySaid, got.ReadyAt, got.Sequence, at)
		}
	}
	_, err = s.Cancel(ctx, "p", "a", "")
	mustDo(t, err)
	wantOutcome(t, "Ready when cancelled", s.Ready(ctx, d.ID, at), fault.Conflict, delivery.DeliveryCancelled)
}

func deliveriesHandoff(t *testing.T, s DeliveriesUnder) {
	ctx, d := t.Context(), accepted(t, s, "a")
	open := delivery.HandoffRequest{Purpose: task.Unload, Want: task.WantOpen, PIN: "2222", Staff: true}
	wantOutcome(t, "Handoff without a robot", s.Handoff(ctx, d.ID, open), fault.Conflict, delivery.NoCarrier)
	s.Town.Drive(t, d.ID, delivery.AtDropoff, s.Pump)
	mustDo(t, s.Handoff(ctx, d.ID, open))
	asked := task.HandoffRequest{Task: task.ID(string(d.ID) + ".task"), Purpose: task.Unload, Want: task.WantOpen, PIN: "2222", Staff: true}
	wantEqual(t, "what Task is asked", asked, s.Town.lastHandoff())
	for _, e := range []struct {
		kind   fault.Kind
		reason string
	}{{fault.Forbidden, "pin_wrong"}, {fault.Forbidden, "pin_locked"}, {fault.Conflict, "hatch_open"}, {fault.Unavailable, ""}} {
		s.Town.refuse(oddFault(e.kind, e.reason))
		wantOutcome(t, "Handoff that Task refuses", s.Handoff(ctx, d.ID, open), e.kind, e.reason)
	}
	confirmed := delivery.HandoffRequest{Purpose: task.Load, Want: task.WantConfirm}
	if err := s.Handoff(ctx, d.ID, confirmed); err != nil {
		t.Errorf("a confirmation that has had its effect: %v", err)
	}
}

func deliveriesCannotCome(t *testing.T, s DeliveriesUnder) {
	ctx, d := t.Context(), accepted(t, s, "a")
	wantOutcome(t, "CannotCome before it is loaded", s.CannotCome(ctx, d.ID), fault.Conflict, delivery.NotUnderWay)
	s.Town.Drive(t, d.ID, delivery.ToDropoff, s.Pump)
	mustDo(t, s.CannotCome(ctx, d.ID))
	after := now(t, s, d.ID)
	if after.State == delivery.ToDropoff && after.GoingBack == "" {
		t.Errorf("after CannotCome the delivery is %s as if nothing had been said", after.State)
	}
	mustDo(t, s.CannotCome(ctx, d.ID))
	wantEqual(t, "after CannotCome repeated", after, now(t, s, d.ID))
}

// deliveriesOddNames has partners name deliveries as they like.
func deliveriesOddNames(t *testing.T, s DeliveriesUnder) {
	ctx := t.Context()
	for _, p := range []delivery.PartnerID{"p", "p/q", "Ünïcode partner", ".."} {
		for _, id := range []string{"a.b-c_d~e", ".", "..", "a/b", "../../x", "a b", "a%2fb", "ext:a", "~~YQ", "ä€", "?x=1#y", "\"q\\", "+", "a,b;c"} {
			d, err := s.Create(ctx, QuoteFor(p, id))
			if err != nil {
				t.Errorf("Create of %q for %q: %v", id, p, err)
				continue
			}
			got, _, err := s.Get(ctx, p, id)
			if err != nil || got.ID != d.ID || got.ExternalID != id || got.Partner != p {
				t.Errorf("Get of %q of %q = %q, %q of %q, %v", id, p, got.ID, got.ExternalID, got.Partner, err)
			}
			if got, err := s.Cancel(ctx, p, id, ""); err != nil || got.ID != d.ID {
				t.Errorf("Cancel of %q of %q = %q, %v", id, p, got.ID, err)
			}
		}
	}
}

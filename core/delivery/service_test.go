package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/porttest/fake"
	"footway/core/task"
)

func TestEveryCommandTwice(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	twice := func(what string, command func() error) {
		t.Helper()
		c.after(what, command)
		before := c.get(c.id()).Sequence
		c.after(what+" again", command)
		if got := c.get(c.id()).Sequence; got != before {
			t.Errorf("%s again made update %d", what, got)
		}
	}
	twice("quote", func() error { _, err := c.Quote(ctx, request("A1")); return err })
	twice("accept", func() error { _, err := c.Accept(ctx, "dd", "A1", delivery.AcceptRequest{}); return err })
	twice("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	twice("ready", func() error { return c.Ready(ctx, "d1", c.clock.Now()) })
	c.assign("r1")
	c.robotSays(1, task.Started, task.Arrived, task.Started, task.Confirmed, task.Started, task.Arrived)
	twice("ready when loaded", func() error { return c.Ready(ctx, "d1", c.clock.Now()) })
	twice("cannot come", func() error { return c.CannotCome(ctx, "d1") })
	c.robotSays(1, task.Started, task.Arrived, task.Confirmed)
	twice("cannot come, returned", func() error { return c.CannotCome(ctx, "d1") })
	if d := c.get("d1"); d.State != delivery.Returned {
		t.Errorf("the delivery is %s, want returned", d.State)
	}
}

// TestPersonalDataStaysInItsPlace plants phones and names, and looks for them
// wherever they have no business.
func TestPersonalDataStaysInItsPlace(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	r := request("A1")
	r.Personal = delivery.Personal{
		PickupName: "SECRET-1", PickupPhone: "+777-2", PickupInstructions: "SECRET-3", DropoffGivenName: "SECRET-4", DropoffFamilyName: "SECRET-5",
		DropoffPhone: "+777-6", DropoffInstructions: "SECRET-7", Items: []delivery.Item{{Name: "SECRET-8"}},
	}
	r.Pickup.Address, r.Dropoff.Address = "SECRET-9", "SECRET-10"
	c.after("quote", func() error { _, err := c.Quote(ctx, r); return err })
	c.after("accept", func() error {
		_, err := c.Accept(ctx, "dd", "A1", delivery.AcceptRequest{DropoffPhone: "+777-11"})
		return err
	})
	note, place := "SECRET-12", dispatch.Place{Address: "SECRET-13 far"}
	c.after("edit", func() error {
		_, err := c.Edit(ctx, "dd", "A1", delivery.Edit{DropoffInstructions: &note, Dropoff: &place})
		return err
	})
	c.assign("r1")
	c.robotSays(1, task.Started, task.Arrived, task.Started, task.Confirmed, task.Started, task.Arrived, task.Confirmed)
	for what, v := range map[string]any{"journal": c.journal.Events, "updates": c.sent, "delivery": c.get("d1"), "calls": c.calls, "tasks": c.board.tasks} {
		if b, err := json.Marshal(v); err != nil || bytes.Contains(b, []byte("SECRET")) || bytes.Contains(b, []byte("+777")) {
			t.Errorf("personal data in the %s: %v\n%s", what, err, b)
		}
	}
	for what, v := range map[string]any{"journal": c.journal.Events, "updates": c.sent} {
		if b, err := json.Marshal(v); err != nil || bytes.Contains(b, []byte("2222")) || bytes.Contains(b, []byte("1111")) {
			t.Errorf("a PIN in the %s: %v\n%s", what, err, b)
		}
	}
	_, p, err := c.Get(ctx, "dd", "A1")
	if err != nil {
		t.Fatal(err)
	}
	want := r.Personal
	want.Delivery, want.PickupAddress, want.DropoffAddress, want.DropoffPhone, want.DropoffInstructions = "d1", "SECRET-9", "SECRET-13 far", "+777-11", "SECRET-12"
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("personal data (-want +got):\n%s", diff)
	}
}

func TestGetIsForItsPartner(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	calls := map[string]func() error{
		"get":    func() error { _, _, err := c.Get(ctx, "uber", "A1"); return err },
		"accept": func() error { _, err := c.Accept(ctx, "uber", "A1", delivery.AcceptRequest{}); return err },
		"edit":   func() error { _, err := c.Edit(ctx, "uber", "A1", delivery.Edit{}); return err },
		"cancel": func() error { _, err := c.Cancel(ctx, "uber", "A1", ""); return err },
	}
	for name, call := range calls {
		if err := call(); !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != delivery.UnknownDelivery {
			t.Errorf("%s by another partner = %v, want not found", name, err)
		}
	}
	if _, err := c.store.Forget(ctx, noon.Add(clock.Day)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Get(ctx, "dd", "A1"); err != nil {
		t.Errorf("Get = %v", err)
	}
}

func TestGetAfterForgetting(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	c.after("cancel", func() error { _, err := c.Cancel(ctx, "dd", "A1", ""); return err })
	if n, err := c.store.Forget(ctx, noon.Add(clock.Day)); n != 1 || err != nil {
		t.Fatalf("Forget = %d, %v", n, err)
	}
	d, p, err := c.Get(ctx, "dd", "A1")
	if err != nil || d.State != delivery.Cancelled || !cmp.Equal(p, delivery.Personal{Delivery: "d1"}) {
		t.Errorf("Get = %s, %+v, %v; want the cancelled delivery and nobody", d.State, p, err)
	}
}

// A quote that expired and was forgotten may be asked for again: its delivery is for somebody.
func TestQuotedAgainAfterForgetting(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	r := request("A1")
	r.Personal.DropoffPhone = "+12065550100"
	c.after("quote", func() error { _, err := c.Quote(ctx, r); return err })
	c.clock.Advance(clock.Hour)
	if n, err := c.store.Forget(ctx, c.clock.Now()); n != 1 || err != nil {
		t.Fatalf("Forget = %d, %v; want the expired quote", n, err)
	}
	c.after("create", func() error { _, err := c.Create(ctx, r); return err })
	d, people, err := c.Get(ctx, "dd", "A1")
	if err != nil || d.State != delivery.Requested || people.DropoffPhone != r.Personal.DropoffPhone {
		t.Errorf("the delivery is %s, of the phone %q, %v; want it requested, of %q", d.State, people.DropoffPhone, err, r.Personal.DropoffPhone)
	}
}

func TestQuoteValidation(t *testing.T) {
	tests := []struct {
		want   string
		change func(*delivery.QuoteRequest)
	}{
		{"market: missing", func(r *delivery.QuoteRequest) { r.Market = "" }},
		{"partner: missing", func(r *delivery.QuoteRequest) { r.Partner = "" }},
		{"external_id: missing", func(r *delivery.QuoteRequest) { r.ExternalID = "" }},
		{"request_hash: missing", func(r *delivery.QuoteRequest) { r.RequestHash = "" }},
		{"load: want sizes", func(r *delivery.QuoteRequest) { r.Load.Grams = -1 }},
		{"order_value, tip: want", func(r *delivery.QuoteRequest) { r.Tip = -1 }},
		{"order_value, tip: want", func(r *delivery.QuoteRequest) { r.OrderValue = -1 }},
		{`if_undeliverable: "eat" is unknown`, func(r *delivery.QuoteRequest) { r.IfUndeliverable = "eat" }},
		{"unload_pin: want four digits", func(r *delivery.QuoteRequest) { r.UnloadPIN = "12345" }},
		{"unload_pin: want four digits", func(r *delivery.QuoteRequest) { r.UnloadPIN = "12a4" }},
		{"unload_pin: given", func(r *delivery.QuoteRequest) { r.UnloadPIN, r.NoUnloadPIN = "1234", true }},
	}
	for _, tt := range tests {
		c := newCity(t, &fake.Losses{})
		r := request("A1")
		tt.change(&r)
		_, err := c.Create(context.Background(), r)
		if !fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != delivery.ValidationError || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Create = %v, want an invalid error with %q", err, tt.want)
		}
	}
}

func TestPINs(t *testing.T) {
	for _, tt := range []struct {
		given string
		none  bool
		want  string
	}{{"", false, "2222"}, {"9876", false, "9876"}, {"", true, ""}} {
		c := newCity(t, &fake.Losses{})
		r := request("A1")
		r.UnloadPIN, r.NoUnloadPIN = tt.given, tt.none
		d, err := c.Create(context.Background(), r)
		if err != nil || d.UnloadPIN != tt.want || d.LoadPIN != "1111" {
			t.Errorf("PINs for %q, none %v = %q and %q, %v; want 1111 and %q", tt.given, tt.none, d.LoadPIN, d.UnloadPIN, err, tt.want)
		}
	}
}

func TestRefused(t *testing.T) {
	c := newCity(t, &fake.Losses{})
	c.desk.refuse = dispatch.DistanceTooLong
	_, err := c.Quote(context.Background(), request("A1"))
	r, ok := errors.AsType[*delivery.Refused](err)
	if !ok || r.Refusal.Reason != dispatch.DistanceTooLong || fault.KindOf(err) != fault.Invalid || fault.ReasonOf(err) != dispatch.DistanceTooLong {
		t.Errorf("Quote = %v, want a refusal that is a fault.Invalid", err)
	}
	events := c.journal.Events
	if len(events) != 1 || events[0].Kind != "delivery.refused" || string(events[0].Data) != `{"partner":"dd","reason":"distance_too_long"}` {
		t.Errorf("journal = %+v, want one refusal", events)
	}
	if _, err := c.store.ByExternal(context.Background(), "dd", "A1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a refused delivery was stored: %v", err)
	}
}

func TestHandoff(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	open := delivery.HandoffRequest{Purpose: task.Load, Want: task.WantOpen, PIN: "1111", Staff: true}
	if err := c.Handoff(ctx, "d1", open); fault.ReasonOf(err) != delivery.NoCarrier {
		t.Errorf("Handoff without a robot = %v, want %s", err, delivery.NoCarrier)
	}
	c.assign("r1")
	if err := c.Handoff(ctx, "d1", open); err != nil {
		t.Fatal(err)
	}
	want := []task.HandoffRequest{{Task: "d1.1", Purpose: task.Load, Want: task.WantOpen, PIN: "1111", Staff: true}}
	if diff := cmp.Diff(want, c.board.handoffs); diff != "" {
		t.Errorf("what Task was told (-want +got):\n%s", diff)
	}
	c.robotSays(1, task.Started, task.Arrived, task.Confirmed, task.Started)
	confirm := delivery.HandoffRequest{Purpose: task.Load, Want: task.WantConfirm}
	if err := c.Handoff(ctx, "d1", confirm); err != nil || len(c.board.handoffs) != 1 {
		t.Errorf("a repeated confirmation = %v, and reached Task: %v", err, c.board.handoffs)
	}
	c.robotSays(1, task.Arrived, task.Confirmed)
	open.Purpose = task.Unload
	if err := c.Handoff(ctx, "d1", open); fault.ReasonOf(err) != delivery.NoCarrier {
		t.Errorf("Handoff after the end = %v, want %s", err, delivery.NoCarrier)
	}
	if err := c.Handoff(ctx, "d9", open); !fault.Is(err, fault.NotFound) {
		t.Errorf("Handoff of nothing = %v, want not found", err)
	}
}

func TestReadyRefused(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("quote", func() error { _, err := c.Quote(ctx, request("A1")); return err })
	if err := c.Ready(ctx, "d1", noon); fault.ReasonOf(err) != delivery.NotAccepted {
		t.Errorf("Ready of a quote = %v, want %s", err, delivery.NotAccepted)
	}
	c.after("cancel", func() error { _, err := c.Cancel(ctx, "dd", "A1", ""); return err })
	if err := c.Ready(ctx, "d1", noon); fault.ReasonOf(err) != delivery.DeliveryCancelled {
		t.Errorf("Ready of a cancelled delivery = %v, want %s", err, delivery.DeliveryCancelled)
	}
}

// TestTaskAheadOfItsDelivery is a change that the machine does not allow: it is
// written down once, and holds nobody up.
func TestTaskAheadOfItsDelivery(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	c.assign("r1")
	b := c.board.tasks["d1.1"]
	b.Steps[0].Kind, b.Steps[0].Purpose = task.Handoff, task.Return
	c.robotSays(1, task.Confirmed, task.HatchClosed) // the feed repeats the first with the second
	d := c.get("d1")
	if d.State != delivery.Assigned || c.journal.Count("delivery.ignored") != 1 || d.Fee != 975 {
		t.Errorf("the delivery is %s at %d cents with %d ignored changes; want assigned, 975, 1", d.State, d.Fee, c.journal.Count("delivery.ignored"))
	}
}

// TestAssignedForNobody is a robot that was reserved for what was never stored.
func TestAssignedForNobody(t *testing.T) {
	c := newCity(t, &fake.Losses{})
	c.desk.held["r1"] = 1
	c.desk.decisions = append(c.desk.decisions,
		dispatch.Decision{Market: here, Delivery: "d77", Attempt: 1, Kind: dispatch.Assigned, Robot: "r1", Token: 1},
		dispatch.Decision{Market: here, Delivery: "d77", Attempt: 1, Kind: dispatch.GaveUp})
	c.board.changes = append(c.board.changes, task.Change{Task: "x", Delivery: "d77", Seq: 1, Kind: task.Started})
	c.must("pump", c.pump)
	if len(c.desk.held) != 0 {
		t.Errorf("robots %v are still held", c.desk.held)
	}
}

// TestHandedOverAfterAll is a carrier that hands the goods over after others
// were sent to take them from it.
func TestHandedOverAfterAll(t *testing.T) {
	for _, relief := range []bool{false, true} {
		c := newCity(t, &fake.Losses{})
		c.after("create", func() error { _, err := c.Create(context.Background(), request("A1")); return err })
		c.assign("r1")
		c.robotSays(1, task.Started, task.Arrived, task.Started, task.Confirmed, task.Started)
		change := c.board.changes[len(c.board.changes)-1]
		c.after("lost", func() error { c.desk.decide("d1", dispatch.Lost, "r1", 0, "no contact"); return nil })
		if relief {
			c.assign("c1")
		}
		change.Seq, change.Kind, change.StepKind, change.Purpose = change.Seq+5, task.Confirmed, task.Handoff, task.Unload
		c.board.changes = append(c.board.changes, change)
		c.after("late word", func() error { return nil })
		d := c.get("d1")
		if d.State != delivery.Delivered || d.Robot != "r1" || len(c.desk.held) != 0 || len(c.desk.requests) != 0 {
			t.Errorf("relief %v: %s by %s, held %v, requests %v; want delivered by r1 and nothing left", relief, d.State, d.Robot, c.desk.held, c.desk.requests)
		}
		for _, x := range c.board.tasks {
			if x.State == task.Active {
				t.Errorf("relief %v: task %s is still active", relief, x.ID)
			}
		}
		c.check()
	}
}

// BenchmarkDelivery carries one delivery from its creation to its end.
func BenchmarkDelivery(b *testing.B) {
	ctx := context.Background()
	c := newCity(b, &fake.Losses{})
	kinds := []task.ChangeKind{task.Started, task.Arrived, task.Started, task.HatchOpened, task.HatchClosed, task.Confirmed}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d, err := c.Create(ctx, request(fmt.Sprintf("A%d", i)))
		if err != nil {
			b.Fatal(err)
		}
		c.desk.decide(string(d.ID), dispatch.Assigned, "r1", clock.Minute, "")
		if err := c.pump(); err != nil {
			b.Fatal(err)
		}
		id := c.get(string(d.ID)).Task
		b.StopTimer()
		c.board.changes = c.board.changes[:0]
		b.StartTimer()
		for _, k := range slices.Concat(kinds, kinds) {
			if err := c.board.report(id, k, ""); err != nil {
				b.Fatal(err)
			}
		}
		c.must("rewind", func() error { return c.cursors.SaveCursor(ctx, "changes/"+string(here), "") })
		if err := c.pump(); err != nil {
			b.Fatal(err)
		}
		if d := c.get(string(d.ID)); d.State != delivery.Delivered {
			b.Fatalf("%s", d.State)
		}
		c.sent, c.calls, c.journal.Events = nil, nil, nil
	}
}

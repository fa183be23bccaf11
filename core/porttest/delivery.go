package porttest

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/task"
)

// DeliveryStores is what one database offers Deliveries: its ports share one
// transaction, so they are tried together.
type DeliveryStores interface {
	delivery.Store
	delivery.OpenStore
	delivery.PersonalStore
	delivery.Outbox
}

// DeliveryStore tries delivery.Store, OpenStore, PersonalStore and Outbox. open
// returns an empty store for each case.
func DeliveryStore(t *testing.T, open func(t *testing.T) DeliveryStores) {
	cases := []struct {
		name string
		run  func(*testing.T, DeliveryStores)
	}{
		{"create and read back", deliveryReadBack},
		{"missing ones are not found", deliveryMissing},
		{"create conflicts write nothing", deliveryCreateConflict},
		{"save needs the stored revision", deliverySave},
		{"copies are kept and given out", deliveryCopies},
		{"open ones in pages", deliveryOpen},
		{"personal data", deliveryPersonal},
		{"forget", deliveryForget},
		{"outbox order and marks", deliveryOutbox},
		{"outbox of many", deliveryOutboxMany},
		{"outbox in portions of any size", deliveryOutboxPortions},
		{"outbox is read while others write", deliveryOutboxRace},
		{"one of many creates a delivery", deliveryCreateRace},
		{"each revision has one writer", deliverySaveRace},
		{"words that encodings choke on", deliveryAwkward},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// sampleDelivery returns a delivery with everything filled in.
func sampleDelivery(id string) delivery.Delivery {
	return delivery.Delivery{
		ID: delivery.ID(id), Market: "m", Partner: "p", ExternalID: "x-" + id, RequestHash: "h", State: delivery.ToDropoff, Sequence: 7, ExpiresAt: 5,
		Pickup:  delivery.Stop{Position: maps.Position{Edge: 3, OffsetMM: 4}, Store: "Deli"},
		Dropoff: delivery.Stop{Position: maps.Position{Edge: 5, OffsetMM: 6}},
		Load:    fleet.Load{LengthMM: 1, WidthMM: 2, HeightMM: 3, Grams: 4}, OrderValue: 2000, Tip: 100, Fee: 975,
		FeeParts: []delivery.FeePart{{Kind: "flat_fee", Amount: 975}}, Currency: "USD", IfUndeliverable: delivery.Dispose,
		RouteMM: 1000, RouteTime: 2000, Trip: 3000, Promise: delivery.Promise{PickupP50: 1, PickupP90: 2, DropoffP50: 3, DropoffP90: 4},
		Expected: delivery.Promise{PickupP50: 5, PickupP90: 6, DropoffP50: 7, DropoffP90: 8}, ReadyAt: 9, ReadySaid: 10, LoadPIN: "0001", UnloadPIN: "0002",
		Attempt: 2, Asked: true, AskedAt: 11, PickupAt: 12, Robot: "r2", Token: 1 << 63, Task: "t2", TaskSeq: 13, Step: 2, At: maps.Position{Edge: 7, OffsetMM: 8},
		Since: 14, Reminded: true, Exchange: 15, LateSince: 16, GoingBack: "nobody", Replans: 1,
		Transfer: &delivery.Transfer{From: "r1", Token: 4, Task: "t1", Attempt: 1, At: maps.Position{Edge: 9}, Since: 17, Cause: "stuck"},
		Custody:  []delivery.Custody{{Carrier: "r1", From: 18, Cause: "loaded"}}, Failed: []fleet.RobotID{"r1"}, Debts: 3,
		Owed:         []delivery.Debt{{Number: 3, Kind: delivery.OweReplan, Attempt: 2, Steps: []task.Step{{Kind: task.Drive, Purpose: task.Return}}, Back: true}},
		CancelReason: "", CancelCause: "", Times: delivery.Times{Quoted: 1, Requested: 2, Assigned: 3, AtPickup: 4, Loaded: 5},
	}
}

func samplePersonal(id delivery.ID) delivery.Personal {
	return delivery.Personal{
		Delivery: id, PickupAddress: "1 Pike St", PickupName: "Deli", PickupPhone: "+12065550100", PickupInstructions: "at the counter",
		DropoffAddress: "2 Pine St", DropoffGivenName: "Ada", DropoffFamilyName: "Ny", DropoffPhone: "+12065550101", DropoffInstructions: "ring twice",
		Items: []delivery.Item{{Name: "soup", Quantity: 2, Price: 600}}, ManifestReference: "order 61", ExternalReference: "E-1", DropoffPoint: &maps.Point{Lon: 1, Lat: 2},
	}
}

func sampleUpdate(id delivery.ID, sequence uint64) delivery.Update {
	return delivery.Update{Delivery: id, Sequence: sequence, Kind: delivery.StateChanged, At: clock.Time(sequence), Market: "m", Partner: "p",
		ExternalID: "x-" + string(id), From: delivery.Loaded, To: delivery.ToDropoff, Cause: "c", Robot: "r", Attempt: 1, Fee: 975, Store: "Deli"}
}

func mustCreate(t *testing.T, s DeliveryStores, d delivery.Delivery, u ...delivery.Update) delivery.Delivery {
	t.Helper()
	if err := s.Create(context.Background(), d, samplePersonal(d.ID), u...); err != nil {
		t.Fatalf("Create(%s) = %v", d.ID, err)
	}
	d.Revision = 1
	return d
}

func wantSame(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func deliveryReadBack(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	d := sampleDelivery("a")
	d.Revision = 99 // whatever it says
	mustCreate(t, s, d)
	d.Revision = 1
	got, err := s.Delivery(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "Delivery", d, got)
	if got, err = s.ByExternal(ctx, "p", "x-a"); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "ByExternal", d, got)
}

func deliveryMissing(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	mustCreate(t, s, sampleDelivery("a"))
	_, err := s.Delivery(ctx, "b")
	wantKind(t, "Delivery of an unknown id", err, fault.NotFound)
	_, err = s.ByExternal(ctx, "p", "x-b")
	wantKind(t, "ByExternal of an unknown id", err, fault.NotFound)
	_, err = s.ByExternal(ctx, "q", "x-a")
	wantKind(t, "ByExternal of another partner", err, fault.NotFound)
	_, err = s.Personal(ctx, "b")
	wantKind(t, "Personal of an unknown id", err, fault.NotFound)
	wantKind(t, "SavePersonal of an unknown id", s.SavePersonal(ctx, samplePersonal("b")), fault.NotFound)
	_, err = s.Save(ctx, sampleDelivery("b"))
	wantKind(t, "Save of an unknown id", err, fault.Conflict)
}

func deliveryCreateConflict(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	d := mustCreate(t, s, sampleDelivery("a"), sampleUpdate("a", 1))
	sameID := sampleDelivery("a")
	sameID.ExternalID = "other"
	wantKind(t, "Create with the same id", s.Create(ctx, sameID, samplePersonal("a"), sampleUpdate("a", 2)), fault.Conflict)
	sameExternal := sampleDelivery("b")
	sameExternal.ExternalID = "x-a"
	wantKind(t, "Create with the same external id", s.Create(ctx, sameExternal, samplePersonal("b"), sampleUpdate("b", 1)), fault.Conflict)
	got, err := s.Delivery(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the first one", d, got)
	_, err = s.ByExternal(ctx, "p", "other")
	wantKind(t, "ByExternal of what was not written", err, fault.NotFound)
	_, err = s.Personal(ctx, "b")
	wantKind(t, "Personal of what was not written", err, fault.NotFound)
	wantUnsent(t, s, "a/1")
	otherPartner := sampleDelivery("c")
	otherPartner.Partner, otherPartner.ExternalID = "q", "x-a"
	mustCreate(t, s, otherPartner)
}

func deliverySave(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	d := mustCreate(t, s, sampleDelivery("a"))
	old := d
	d.State, d.Transfer, d.Owed, d.Failed = delivery.Delivered, nil, nil, nil
	revision, err := s.Save(ctx, d, sampleUpdate("a", 1), sampleUpdate("a", 2))
	if err != nil {
		t.Fatal(err)
	}
	d.Revision = revision
	if revision <= old.Revision {
		t.Errorf("Save returned revision %d, want above %d", revision, old.Revision)
	}
	old.State = delivery.Cancelled
	_, err = s.Save(ctx, old, sampleUpdate("a", 3))
	wantKind(t, "Save with an old revision", err, fault.Conflict)
	got, err := s.Delivery(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "Delivery after a refused Save", d, got)
	wantUnsent(t, s, "a/1", "a/2")
	if _, err := s.Save(ctx, d, sampleUpdate("a", 3)); err != nil {
		t.Errorf("Save with the new revision = %v", err)
	}
}

func deliveryCopies(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	given := sampleDelivery("a")
	want := mustCreate(t, s, sampleDelivery("b"))
	p := samplePersonal("a")
	if err := s.Create(ctx, given, p); err != nil {
		t.Fatal(err)
	}
	spoil(&given)
	p.Items[0].Name, p.DropoffPoint.Lat = "spoiled", 99
	got, err := s.Delivery(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	want.ID, want.ExternalID = "a", "x-a"
	wantSame(t, "after spoiling what was given to Create", want, got)
	spoil(&got)
	all, err := s.Open(ctx, "m", "", 10)
	if err != nil || len(all) != 2 {
		t.Fatalf("Open = %d deliveries, %v; want 2", len(all), err)
	}
	wantSame(t, "after spoiling what Delivery returned", want, all[0])
	spoil(&all[0])
	if got, err = s.ByExternal(ctx, "p", "x-a"); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "after spoiling what Open returned", want, got)
	saved := got.Clone()
	if saved.Revision, err = s.Save(ctx, saved); err != nil {
		t.Fatal(err)
	}
	want.Revision = saved.Revision
	spoil(&saved)
	if got, err = s.Delivery(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "after spoiling what was given to Save", want, got)
	read, err := s.Personal(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "Personal after spoiling what was given", samplePersonal("a"), read)
	read.Items[0].Name = "spoiled"
	if read, err = s.Personal(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "Personal after spoiling what was returned", samplePersonal("a"), read)
}

// spoil changes everything that d points to.
func spoil(d *delivery.Delivery) {
	d.FeeParts[0].Amount, d.Custody[0].Carrier, d.Failed[0], d.Transfer.From = -1, "spoiled", "spoiled", "spoiled"
	d.Owed[0].Kind, d.Owed[0].Steps[0].Kind = "spoiled", "spoiled"
}

func deliveryOpen(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	states := map[string]delivery.State{"a": delivery.Quoted, "b": delivery.Requested, "c": delivery.Delivered, "d": delivery.AtReturn, "e": delivery.Cancelled, "f": delivery.Loaded}
	for _, id := range []string{"f", "b", "a", "e", "d", "c"} {
		d := sampleDelivery(id)
		d.State = states[id]
		if id != "e" {
			d.Owed = nil // e has ended, but Dispatch must still be told
		}
		mustCreate(t, s, d)
	}
	other := sampleDelivery("bb")
	other.Market = "n"
	mustCreate(t, s, other)
	wantOpen(t, s, "", 10, "b", "d", "e", "f")
	wantOpen(t, s, "", 2, "b", "d")
	wantOpen(t, s, "d", 2, "e", "f")
	wantOpen(t, s, "c", 1, "d")
	wantOpen(t, s, "f", 2)
	d, err := s.Delivery(ctx, "d")
	if err != nil {
		t.Fatal(err)
	}
	d.State = delivery.Returned
	if _, err := s.Save(ctx, d); err != nil {
		t.Fatal(err)
	}
	a, err := s.Delivery(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	a.State = delivery.Requested
	if _, err := s.Save(ctx, a); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, s, "", 10, "a", "b", "e", "f")
}

func wantOpen(t *testing.T, s DeliveryStores, after delivery.ID, limit int, want ...string) {
	t.Helper()
	page, err := s.Open(context.Background(), "m", after, limit)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range page {
		got = append(got, string(d.ID))
	}
	wantSame(t, fmt.Sprintf("Open(after %q, limit %d)", after, limit), want, got)
}

func deliveryPersonal(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	mustCreate(t, s, sampleDelivery("a"))
	p, err := s.Personal(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "Personal as created", samplePersonal("a"), p)
	p.DropoffPhone, p.Items, p.PickupPoint = "+12065550199", nil, &maps.Point{Lon: 3}
	if err := s.SavePersonal(ctx, p); err != nil {
		t.Fatal(err)
	}
	got, err := s.Personal(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "Personal as replaced", p, got)
}

func deliveryForget(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	for _, d := range []struct {
		id    string
		state delivery.State
		ended clock.Time
	}{{"early", delivery.Delivered, 99}, {"late", delivery.Cancelled, 100}, {"open", delivery.Loaded, 0}, {"expired", delivery.Quoted, 0}, {"quoted", delivery.Quoted, 0}} {
		x := sampleDelivery(d.id)
		x.State, x.Times.Ended, x.ExpiresAt = d.state, d.ended, 50
		if d.id == "quoted" {
			x.ExpiresAt = 100
		}
		mustCreate(t, s, x)
	}
	if n, err := s.Forget(ctx, 100); n != 2 || err != nil {
		t.Errorf("Forget(100) = %d, %v; want 2", n, err)
	}
	for id, gone := range map[delivery.ID]bool{"early": true, "late": false, "open": false, "expired": true, "quoted": false} {
		if _, err := s.Personal(ctx, id); gone != fault.Is(err, fault.NotFound) || !gone && err != nil {
			t.Errorf("Personal(%s) after Forget = %v; want gone: %v", id, err, gone)
		}
		if _, err := s.Delivery(ctx, id); err != nil {
			t.Errorf("Delivery(%s) after Forget = %v", id, err)
		}
	}
	if n, err := s.Forget(ctx, 100); n != 0 || err != nil {
		t.Errorf("Forget(100) again = %d, %v; want 0", n, err)
	}
	before, err := s.Delivery(ctx, "early")
	if err != nil {
		t.Fatal(err)
	}
	other := sampleDelivery("early")
	other.ExternalID, other.Fee = "other", 1
	wantKind(t, "Create with the id of a forgotten one", s.Create(ctx, other, samplePersonal("early")), fault.Conflict)
	after, err := s.Delivery(ctx, "early")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the forgotten one after a refused Create", before, after)
	if err := s.SavePersonal(ctx, samplePersonal("early")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Forget(ctx, 100); n != 1 || err != nil {
		t.Errorf("Forget(100) of what was kept since = %d, %v; want 1", n, err)
	}
	open, err := s.Delivery(ctx, "open")
	if err != nil {
		t.Fatal(err)
	}
	open.State, open.Times.Ended = delivery.Returned, 98
	if _, err := s.Save(ctx, open); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Forget(ctx, 99); n != 1 || err != nil {
		t.Errorf("Forget(99) of a delivery that ended at 98 = %d, %v; want 1", n, err)
	}
}

func deliveryOutbox(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	wantUnsent(t, s)
	a := mustCreate(t, s, sampleDelivery("a"), sampleUpdate("a", 1), sampleUpdate("a", 2))
	mustCreate(t, s, sampleDelivery("b"), sampleUpdate("b", 1))
	if _, err := s.Save(ctx, a, sampleUpdate("a", 3)); err != nil {
		t.Fatal(err)
	}
	wantUnsent(t, s, "a/1", "a/2", "a/3", "b/1")
	all, err := s.Unsent(ctx, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range all {
		wantSame(t, "an update", sampleUpdate(u.Delivery, u.Sequence), u)
	}
	if some, err := s.Unsent(ctx, 2); len(some) != 2 || err != nil {
		t.Errorf("Unsent(2) = %d updates, %v; want 2", len(some), err)
	}
	if err := s.MarkSent(ctx); err != nil {
		t.Errorf("MarkSent() = %v", err)
	}
	for _, keys := range [][]delivery.UpdateKey{{{Delivery: "a", Sequence: 1}}, {{Delivery: "a", Sequence: 1}, {Delivery: "nobody", Sequence: 1}, {Delivery: "b", Sequence: 1}}} {
		if err := s.MarkSent(ctx, keys...); err != nil {
			t.Errorf("MarkSent(%v) = %v", keys, err)
		}
	}
	wantUnsent(t, s, "a/2", "a/3")
}

// deliveryOutboxMany sends the updates of many deliveries while the first one is held back.
func deliveryOutboxMany(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	mustCreate(t, s, sampleDelivery("held"), sampleUpdate("held", 1), sampleUpdate("held", 2))
	for i := range 200 {
		id := fmt.Sprintf("d%03d", i)
		mustCreate(t, s, sampleDelivery(id), sampleUpdate(delivery.ID(id), 1))
		if err := s.MarkSent(ctx, delivery.UpdateKey{Delivery: delivery.ID(id), Sequence: 1}); err != nil {
			t.Fatal(err)
		}
	}
	wantUnsent(t, s, "held/1", "held/2")
	if err := s.MarkSent(ctx, delivery.UpdateKey{Delivery: "held", Sequence: 1}); err != nil {
		t.Fatal(err)
	}
	wantUnsent(t, s, "held/2")
}

// wantUnsent compares the unsent updates, each delivery's in the store's order,
// the deliveries in that of their names.
func wantUnsent(t *testing.T, s DeliveryStores, want ...string) {
	t.Helper()
	all, err := s.Unsent(context.Background(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, id := range []delivery.ID{"a", "b", "held"} {
		for _, u := range all {
			if u.Delivery == id {
				got = append(got, fmt.Sprintf("%s/%d", u.Delivery, u.Sequence))
			}
		}
	}
	if len(got) != len(all) {
		t.Errorf("Unsent = %d updates, of which %d are expected", len(all), len(got))
	}
	wantSame(t, "Unsent", want, got)
}

// Cursors tries delivery.Cursors.
func Cursors(t *testing.T, open func(t *testing.T) delivery.Cursors) {
	ctx := context.Background()
	c := open(t)
	want := func(name, value string) {
		t.Helper()
		if got, err := c.Cursor(ctx, name); got != value || err != nil {
			t.Errorf("Cursor(%q) = %q, %v; want %q", name, got, err, value)
		}
	}
	want("a", "")
	for _, v := range []string{"1", "2", "2", "1"} {
		if err := c.SaveCursor(ctx, "a", v); err != nil {
			t.Fatal(err)
		}
		want("a", v)
	}
	want("b", "")
}

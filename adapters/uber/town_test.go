package uber

import (
	"context"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// town is a Direct over the real delivery and merchant services on memory
// stores. Only what is behind Deliveries is played: its estimates follow from words in addresses.
type town struct {
	*Direct
	clock  *fake.Clock
	store  *memory.DeliveryStore
	detour int64 // by which ways are longer than they were
	fails  error // what every estimate fails with, or nil
	asked  dispatch.EstimateRequest
}

// box is what the town's robots take.
var box = fleet.Load{LengthMM: 400, WidthMM: 300, HeightMM: 300, Grams: 20_000}

func newTown(t testing.TB) *town {
	t.Helper()
	c := &town{clock: fake.NewClock(fake.Start), store: memory.NewDeliveryStore()}
	ids := memory.NewIDs()
	deliveries := delivery.NewService(delivery.Deps{
		Store: c.store, Open: c.store, Personal: c.store, Cursors: memory.NewCursors(), Dispatcher: c, Decisions: c, Tasks: c, TaskFeed: c,
		IDs: ids, Secrets: c, Clock: c.clock, Timers: &fake.Timers{}, Journal: &fake.Journal{},
		Settings: func(market.ID) delivery.Settings { return delivery.DefaultSettings() },
	})
	shops := memory.NewMerchantStore()
	merchants := merchant.NewService(shops, shops, c.clock)
	if _, err := merchants.CreateBusiness(t.Context(), merchant.Business{BusinessKey: merchant.BusinessKey{Partner: "p", ID: "cafe"}, Name: "Café"}); err != nil {
		t.Fatal(err)
	}
	if _, err := merchants.CreateStore(t.Context(), merchant.Store{StoreKey: merchant.StoreKey{Partner: "p", Business: "cafe", ID: "quay"}, Name: "Café Quay", Address: "1 Quay, Port Ellery"}); err != nil {
		t.Fatal(err)
	}
	c.Direct = NewDirect(Deps{Market: "m", Quotes: deliveries, Changes: deliveries, Board: c.store, Estimates: c, Stores: merchants, Places: c, IDs: ids, Clock: c.clock,
		TrackingURL: func(d *delivery.Delivery) string { return "https://footway.example/t/" + string(d.ID) }})
	return c
}

// send makes a request of partner p; the path is behind the customer.
func (c *town) send(t testing.TB, method, path, body string) Response {
	t.Helper()
	return c.Handle(t.Context(), Request{Partner: "p", Method: method, Path: Prefix + "p/" + path, Body: []byte(body)})
}

// set moves a delivery on without a robot.
func (c *town) set(t testing.TB, externalID string, change func(*delivery.Delivery)) {
	t.Helper()
	d, err := c.store.ByExternal(t.Context(), "p", externalID)
	if err != nil {
		t.Fatal(err)
	}
	change(&d)
	if _, err := c.store.Save(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// Estimate answers by the words of the addresses.
func (c *town) Estimate(_ context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	c.asked = r
	refuse := func(why dispatch.Refusal) (dispatch.Estimate, error) { return dispatch.Estimate{Refusal: &why}, nil }
	ready := max(r.ReadyAt, c.clock.Now())
	switch l := r.Load; {
	case c.fails != nil:
		return dispatch.Estimate{}, c.fails
	case strings.Contains(r.Pickup.Address, "Nowhere"):
		return refuse(dispatch.Refusal{Reason: dispatch.PickupOutside, Detail: "unknown address"})
	case strings.Contains(r.Dropoff.Address, "Island"):
		return refuse(dispatch.Refusal{Reason: dispatch.DropoffOutside, Detail: "no way", MeetingPoint: &maps.Point{Lon: -1222988890, Lat: 476832350}})
	case strings.Contains(r.Dropoff.Address, "Busy"):
		return refuse(dispatch.Refusal{Reason: dispatch.NoCapacity, Detail: "no robot", NearestTime: c.clock.Now().Add(clock.Hour)})
	case l.Grams > box.Grams || l.LengthMM > box.LengthMM || l.WidthMM > box.WidthMM || l.HeightMM > box.HeightMM:
		return refuse(dispatch.Refusal{Reason: dispatch.TooLarge, Detail: "too large"})
	}
	pickup := max(ready, c.clock.Now().Add(6*clock.Minute))
	return dispatch.Estimate{PickupP50: pickup, PickupP90: pickup.Add(4 * clock.Minute), DropoffP50: pickup.Add(20 * clock.Minute), DropoffP90: pickup.Add(28 * clock.Minute),
		RouteMM: 2_000_000 + c.detour, RouteTime: 15 * clock.Minute, Dropoff: maps.Position{Edge: maps.EdgeID(len(r.Dropoff.Address))}}, nil
}

func (c *town) Request(context.Context, dispatch.Request) error        { return nil }
func (c *town) Withdraw(context.Context, market.ID, string, int) error { return nil }
func (c *town) Finish(context.Context, dispatch.Finish) error          { return nil }
func (c *town) Replan(context.Context, task.ReplanRequest) error       { return nil }
func (c *town) Cancel(context.Context, task.ID, string) error          { return nil }
func (c *town) Handoff(context.Context, task.HandoffRequest) error     { return nil }
func (c *town) Create(context.Context, task.CreateRequest) (task.Task, error) {
	return task.Task{}, nil
}
func (c *town) PIN(_, purpose string) string {
	if purpose == "load" {
		return "1111"
	}
	return "4711"
}

func (c *town) Decisions(context.Context, market.ID, dispatch.Cursor, int) ([]dispatch.Decision, dispatch.Cursor, error) {
	return nil, "", nil
}

func (c *town) Changes(context.Context, market.ID, task.Cursor, int) ([]task.Change, task.Cursor, error) {
	return nil, "", nil
}

// PointAt implements Places.
func (c *town) PointAt(_ context.Context, _ market.ID, at maps.Position) (maps.Point, error) {
	if at.Edge > 1_000_000 {
		return maps.Point{}, fault.New("town.PointAt", fault.Invalid, "", "edge %d", at.Edge)
	}
	return maps.Point{Lon: -1222988890, Lat: 476800000 + int32(at.Edge)}, nil
}

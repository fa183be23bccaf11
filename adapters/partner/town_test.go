package partner

import (
	"context"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// town is a Drive over the real delivery and merchant services on memory
// stores. Only what is behind Deliveries is played: its estimates follow from words in addresses.
type town struct {
	*Drive
	clock *fake.Clock
	store *memory.DeliveryStore
	fails error // what every estimate fails with, or nil
}

func newTown() *town {
	c := &town{clock: fake.NewClock(fake.Start), store: memory.NewDeliveryStore()}
	deliveries := delivery.NewService(delivery.Deps{
		Store: c.store, Open: c.store, Personal: c.store, Cursors: memory.NewCursors(), Dispatcher: c, Decisions: c, Tasks: c, TaskFeed: c,
		IDs: memory.NewIDs(), Secrets: c, Clock: c.clock, Timers: &fake.Timers{}, Journal: &fake.Journal{},
		Settings: func(market.ID) delivery.Settings { return delivery.DefaultSettings() },
	})
	shops := memory.NewMerchantStore()
	merchants := merchant.NewService(shops, shops, c.clock)
	c.Drive = NewDrive(Deps{Market: "m", Quotes: deliveries, Changes: deliveries, Estimates: c, Businesses: merchants, Stores: merchants,
		Places: c, Clock: c.clock, TrackingURL: func(d *delivery.Delivery) string { return "https://footway.example/t/" + string(d.ID) }})
	return c
}

// send makes a request of partner p.
func (c *town) send(t testing.TB, method, path, body string) Response {
	t.Helper()
	return c.Handle(t.Context(), Request{Partner: "p", Method: method, Path: path, Body: []byte(body)})
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
	refuse := func(why dispatch.Refusal) (dispatch.Estimate, error) { return dispatch.Estimate{Refusal: &why}, nil }
	ready := max(r.ReadyAt, c.clock.Now())
	switch {
	case c.fails != nil:
		return dispatch.Estimate{}, c.fails
	case strings.Contains(r.Pickup.Address, "Nowhere"):
		return refuse(dispatch.Refusal{Reason: dispatch.PickupOutside, Detail: "unknown address"})
	case strings.Contains(r.Dropoff.Address, "Nowhere"):
		return refuse(dispatch.Refusal{Reason: dispatch.DropoffOutside, Detail: "unknown address"})
	case strings.Contains(r.Dropoff.Address, "Island"):
		return refuse(dispatch.Refusal{Reason: dispatch.DropoffOutside, Detail: "no way", MeetingPoint: &maps.Point{Lon: -1222988890, Lat: 476832350}})
	case r.Load.Grams > 20_000:
		return refuse(dispatch.Refusal{Reason: dispatch.TooLarge, Detail: "too heavy"})
	case ready.Std().Hour() >= 22:
		return refuse(dispatch.Refusal{Reason: dispatch.OutsideHours, Detail: "closed", NearestTime: fake.Start.Add(20 * clock.Hour)})
	}
	route := int64(len(r.Dropoff.Address)) * 200_000
	pickup := max(ready, c.clock.Now().Add(6*clock.Minute))
	return dispatch.Estimate{PickupP50: pickup, PickupP90: pickup.Add(4 * clock.Minute), DropoffP50: pickup.Add(20 * clock.Minute), DropoffP90: pickup.Add(28 * clock.Minute),
		RouteMM: route, RouteTime: 15 * clock.Minute, Dropoff: maps.Position{Edge: maps.EdgeID(len(r.Dropoff.Address))}}, nil
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

// Search implements Places with three addresses of one street.
func (c *town) Search(_ context.Context, _ market.ID, query string, limit int) ([]maps.Match, error) {
	var found []maps.Match
	for i, a := range []string{"1 Quay, Port Ellery", "12 Quay, Port Ellery", "14 Quay, Port Ellery"} {
		if strings.HasPrefix(a, query) && len(found) < limit {
			found = append(found, maps.Match{Address: a, Point: maps.Point{Lon: -5, Lat: int32(i) + 476832350}})
		}
	}
	return found, nil
}

// PointAt implements Places.
func (c *town) PointAt(_ context.Context, _ market.ID, at maps.Position) (maps.Point, error) {
	if at.Edge > 1_000_000 {
		return maps.Point{}, fault.New("town.PointAt", fault.Invalid, "", "edge %d", at.Edge)
	}
	return maps.Point{Lon: -1222988890, Lat: 476800000 + int32(at.Edge)}, nil
}

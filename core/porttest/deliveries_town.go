package porttest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// DeliveriesTown is what Deliveries works among in the suite of its commands:
// Dispatch and Task that do what the cases say. It is safe for concurrent use.
type DeliveriesTown struct {
	Clock *fake.Clock

	mu        sync.Mutex
	fails     error // what every estimate fails with
	handoff   error // what every handoff fails with
	handoffs  []task.HandoffRequest
	decisions []dispatch.Decision
	changes   []task.Change
	held      map[string]task.CreateRequest // by delivery
}

// NewDeliveriesTown returns a town in which nothing has happened.
func NewDeliveriesTown() *DeliveriesTown {
	return &DeliveriesTown{Clock: fake.NewClock(fake.Start), held: map[string]task.CreateRequest{}}
}

// Deps returns what a delivery.Service of the town works with.
func (c *DeliveriesTown) Deps(s DeliveryStores, cursors delivery.Cursors, journal event.Journal) delivery.Deps {
	return delivery.Deps{
		Store: s, Open: s, Personal: s, Cursors: cursors, Dispatcher: c, Decisions: c, Tasks: (*townTasks)(c), TaskFeed: (*townTasks)(c),
		IDs: &fake.IDs{}, Secrets: c, Clock: c.Clock, Timers: &fake.Timers{}, Journal: journal,
		Settings: func(market.ID) delivery.Settings { return delivery.DefaultSettings() },
	}
}

// PIN implements delivery.Secrets.
func (c *DeliveriesTown) PIN(_, purpose string) string {
	if purpose == "load" {
		return "1111"
	}
	return "2222"
}

// Estimate implements delivery.Dispatcher: what is possible follows from the words of the address.
func (c *DeliveriesTown) Estimate(_ context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails != nil {
		return dispatch.Estimate{}, c.fails
	}
	if strings.Contains(r.Dropoff.Address, "island") {
		return dispatch.Estimate{Refusal: &dispatch.Refusal{Reason: dispatch.DropoffOutside, Detail: "no robot swims", NearestTime: fake.Start.Add(clock.Hour),
			MeetingPoint: &maps.Point{Lon: -1222988890, Lat: 476832350}}}, nil
	}
	now, far := c.Clock.Now(), clock.Duration(len(r.Dropoff.Address))*clock.Minute
	at := max(now.Add(6*clock.Minute), r.ReadyAt)
	return dispatch.Estimate{
		Pickup: maps.Position{Edge: 1, OffsetMM: 10}, Dropoff: maps.Position{Edge: maps.EdgeID(len(r.Dropoff.Address)), OffsetMM: 20},
		RouteMM: int64(far) * 60, RouteTime: far, PickupP50: at, PickupP90: at.Add(4 * clock.Minute),
		DropoffP50: at.Add(far + 3*clock.Minute), DropoffP90: at.Add(far + 9*clock.Minute),
	}, nil
}

// Request implements delivery.Dispatcher.
func (c *DeliveriesTown) Request(context.Context, dispatch.Request) error { return nil }

// Withdraw implements delivery.Dispatcher.
func (c *DeliveriesTown) Withdraw(context.Context, market.ID, string, int) error { return nil }

// Finish implements delivery.Dispatcher.
func (c *DeliveriesTown) Finish(context.Context, dispatch.Finish) error { return nil }

// Decisions implements delivery.DecisionFeed.
func (c *DeliveriesTown) Decisions(_ context.Context, _ market.ID, after dispatch.Cursor, limit int) ([]dispatch.Decision, dispatch.Cursor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	page, next := pageAfter(c.decisions, string(after), limit)
	return page, dispatch.Cursor(next), nil
}

// pageAfter returns the part of a feed behind a cursor.
func pageAfter[T any](feed []T, after string, limit int) ([]T, string) {
	from, err := strconv.Atoi(after)
	if err != nil {
		from = 0
	}
	to := min(len(feed), from+limit)
	return slices.Clone(feed[from:to]), strconv.Itoa(to)
}

// townTasks is the town's Task.
type townTasks DeliveriesTown

// Create implements delivery.Tasks.
func (b *townTasks) Create(_ context.Context, r task.CreateRequest) (task.Task, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held[r.Delivery] = r
	return task.Task{ID: task.ID(r.Delivery + ".task"), Market: r.Market, Delivery: r.Delivery, Attempt: r.Attempt, Robot: r.Robot, Token: r.Token, Steps: r.Steps}, nil
}

// Replan implements delivery.Tasks.
func (b *townTasks) Replan(context.Context, task.ReplanRequest) error { return nil }

// Cancel implements delivery.Tasks.
func (b *townTasks) Cancel(context.Context, task.ID, string) error { return nil }

// Handoff implements delivery.Tasks.
func (b *townTasks) Handoff(_ context.Context, r task.HandoffRequest) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handoffs = append(b.handoffs, r)
	return b.handoff
}

// Changes implements delivery.TaskFeed.
func (b *townTasks) Changes(_ context.Context, _ market.ID, after task.Cursor, limit int) ([]task.Change, task.Cursor, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	page, next := pageAfter(b.changes, string(after), limit)
	return page, task.Cursor(next), nil
}

// Market is where everything happens in the suite.
const Market market.ID = "m"

// ladder is how a delivery gets from each state to the next.
var ladder = []struct {
	to      delivery.State
	kind    task.ChangeKind
	step    task.StepKind
	purpose task.Purpose
}{
	{delivery.ToPickup, task.Started, task.Drive, task.Load},
	{delivery.AtPickup, task.Arrived, task.Drive, task.Load},
	{delivery.Loaded, task.Confirmed, task.Handoff, task.Load},
	{delivery.ToDropoff, task.Started, task.Drive, task.Unload},
	{delivery.AtDropoff, task.Arrived, task.Drive, task.Unload},
	{delivery.Delivered, task.Confirmed, task.Handoff, task.Unload},
}

// Drive has a robot carry an accepted delivery on until it is in a state. pump
// has the service read the feeds.
func (c *DeliveriesTown) Drive(t testing.TB, id delivery.ID, to delivery.State, pump func() error) {
	t.Helper()
	robot := fleet.RobotID("r-" + string(id))
	c.mu.Lock()
	held, assigned := c.held[string(id)]
	if !assigned {
		c.decisions = append(c.decisions, dispatch.Decision{Market: Market, Delivery: string(id), Attempt: 1, Kind: dispatch.Assigned, At: c.Clock.Now(),
			Robot: robot, Token: 1<<63 + uint64(len(c.decisions)), PickupAt: c.Clock.Now().Add(5 * clock.Minute)})
	}
	c.mu.Unlock()
	if !assigned {
		mustDo(t, pump())
		c.mu.Lock()
		held = c.held[string(id)]
		c.mu.Unlock()
	}
	if held.Robot != robot {
		t.Fatalf("delivery %s has no task for %s", id, robot)
	}
	if to == delivery.Assigned {
		return
	}
	for i, s := range ladder {
		c.mu.Lock()
		c.Clock.Advance(clock.Minute)
		c.changes = append(c.changes, task.Change{Task: task.ID(string(id) + ".task"), Delivery: string(id), Attempt: 1, Robot: robot, Seq: uint64(i + 1),
			At: c.Clock.Now(), Kind: s.kind, Step: i / 2, StepKind: s.step, Purpose: s.purpose, Position: maps.Position{Edge: maps.EdgeID(i + 1)}})
		c.mu.Unlock()
		mustDo(t, pump())
		if s.to == to {
			return
		}
	}
	t.Fatalf("there is no way to state %s", to)
}

func mustDo(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fail has estimates fail from now on; nil: not any more.
func (c *DeliveriesTown) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = err
}

// refuse has handoffs fail from now on; nil: not any more.
func (c *DeliveriesTown) refuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handoff = err
}

// lastHandoff returns what Task was last asked.
func (c *DeliveriesTown) lastHandoff() task.HandoffRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.handoffs) == 0 {
		return task.HandoffRequest{}
	}
	return c.handoffs[len(c.handoffs)-1]
}

// QuoteFor returns what a partner asks for under an id.
func QuoteFor(p delivery.PartnerID, id string) delivery.QuoteRequest {
	return delivery.QuoteRequest{
		Market: Market, Partner: p, ExternalID: id, RequestHash: fmt.Sprintf("hash of %s", id), PickupStore: "cafe/quay",
		Pickup:  dispatch.Place{Address: "1 Quay", Point: &maps.Point{Lon: -1222988890, Lat: 476832350}},
		Dropoff: dispatch.Place{Address: "12 Hill Street"}, Load: fleet.Load{LengthMM: 300, WidthMM: 200, HeightMM: 100, Grams: 900},
		OrderValue: 2500, Tip: 200, ReadyAt: fake.Start.Add(5 * clock.Minute), IfUndeliverable: delivery.Dispose,
		Personal: delivery.Personal{PickupName: "Café Quay", PickupPhone: "+12065550100", PickupInstructions: "side door", DropoffGivenName: "Ada", DropoffFamilyName: "Ny",
			DropoffPhone: "+12065550101", DropoffInstructions: "ring <twice> & wait", Items: []delivery.Item{{Name: "soup", Quantity: 2, Price: 600}}},
	}
}

// oddFault is a fault that no service has of its own.
func oddFault(k fault.Kind, reason string) error {
	return fault.New("town", k, reason, "as the case says")
}

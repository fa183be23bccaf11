package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// yard is Fleet and Maps as far as looking at robots goes.
type yard struct {
	robot fleet.RobotID
	at    atomic.Int64 // when it was last heard of
	asked atomic.Int64
	down  atomic.Bool
}

func (y *yard) Candidates(context.Context, market.ID) ([]fleet.Candidate, error) {
	y.asked.Add(1)
	if y.down.Load() {
		return nil, fault.New("yard", fault.Unavailable, "", "away")
	}
	at := y.at.Load()
	return []fleet.Candidate{
		{Robot: fleet.Robot{ID: "other"}, Telemetry: fleet.Telemetry{Robot: "other", At: 1, Position: maps.Position{Edge: 1}}},
		{Robot: fleet.Robot{ID: y.robot}, Telemetry: fleet.Telemetry{Robot: y.robot, At: clock.Time(at), SpeedMMS: 1500, Activity: fleet.Driving, Position: maps.Position{Edge: maps.EdgeID(40 + at)}}},
	}, nil
}

func (y *yard) Way(_ context.Context, _ market.ID, from, to maps.Position) (maps.Route, []maps.Point, error) {
	return maps.Route{From: from, To: to, Millis: 7000, LengthMM: 9000}, []maps.Point{{Lat: int32(from.Edge)}, {Lat: int32(to.Edge)}}, nil
}

// newYard returns a house whose API knows where robots are.
func newYard(t *testing.T) (*house, *yard) {
	t.Helper()
	y := &yard{}
	h := makeHouse(t, nil)
	d := DeliveriesDeps{Quotes: h.service, Changes: h.service, Doors: h.service, Board: h.store, Estimates: h.town, Businesses: h.merchants, Stores: h.merchants,
		Places: street{}, Clock: h.town.Clock, Bell: NewBell(), Robots: y, Ways: y, WaitsUntil: h.service.WaitsUntil}
	h.api = NewDeliveries(d, h.api.o)
	h.contract = newContract(t, "deliveries", h.api)
	h.address = serve(t, h.api, h.contract)
	h.create("p", "", "a")
	h.town.Drive(t, "d1", delivery.ToPickup, h.pump)
	got, err := h.service.ByID(t.Context(), "d1")
	if err != nil || got.Robot == "" {
		t.Fatalf("%+v, %v: want a robot", got, err)
	}
	y.robot = got.Robot
	y.at.Store(1)
	return h, y
}

func (h *house) tracked(t *testing.T, token string) (wireTrack, answered) {
	t.Helper()
	a := h.send(http.MethodGet, "/v1/deliveries/d1/track", token, "")
	var out wireTrack
	if a.status == http.StatusOK {
		if err := json.Unmarshal([]byte(a.body), &out); err != nil {
			t.Fatal(err)
		}
	}
	return out, a
}

func TestTrack(t *testing.T) {
	h, y := newYard(t)
	got, _ := h.tracked(t, recipientToken)
	if got.Robot == nil || got.Robot.Point.LatE7 != 41 || got.Robot.Activity != fleet.Driving || len(got.Way) != 2 || got.WayMM != 9000 || got.WaitsUntil != 0 {
		t.Fatalf("on its way to the pickup: %+v, %+v", got, got.Robot)
	}
	for _, token := range []string{quayToken, deliveriesToken} {
		if _, a := h.tracked(t, token); a.status == http.StatusOK {
			t.Errorf("a stranger may look: %d", a.status)
		}
	}
	h.town.Drive(t, "d1", delivery.AtDropoff, h.pump)
	got, _ = h.tracked(t, recipientToken)
	d, err := h.service.ByID(t.Context(), "d1")
	if want := d.Since.Add(10 * clock.Minute); err != nil || got.Robot == nil || len(got.Way) != 0 || clock.Time(got.WaitsUntil) != want {
		t.Errorf("at the door: %+v; want no way, and patience until %v", got, want)
	}
	h.town.Drive(t, "d1", delivery.Delivered, h.pump)
	if got, _ = h.tracked(t, merchantToken); got.Robot != nil || got.WaitsUntil != 0 {
		t.Errorf("after the end: %+v; want no robot", got)
	}
	if n := y.asked.Load(); n > 5 {
		t.Errorf("Fleet was asked %d times", n)
	}
}

// TestRobotEvents watches the robot while it has the job, over times when Fleet is away.
func TestRobotEvents(t *testing.T) {
	h, y := newYard(t)
	s := h.stream(t, "/v1/deliveries/d1/events?robot=true&after=4", recipientToken, "")
	e, ok := s.next()
	if !ok || e.name != "robot" || e.id != "" || !strings.Contains(e.data, `"lat_e7":41`) {
		t.Fatalf("first event %+v, %v; want where the robot is, without an id", e, ok)
	}
	y.down.Store(true)
	time.AfterFunc(1500*time.Millisecond, func() { y.at.Store(2); y.down.Store(false) })
	if e, ok = s.next(); !ok || e.name != "robot" || !strings.Contains(e.data, `"lat_e7":42`) {
		t.Fatalf("second event %+v, %v", e, ok)
	}
	h.town.Drive(t, "d1", delivery.Delivered, h.pump)
	var names []string
	for e, more := s.next(); more; e, more = s.next() {
		names = append(names, e.name)
	}
	if n := len(names); n < 4 || names[n-1] != "state" {
		t.Errorf("then came %v; want the states and nothing of the robot after its end", names)
	}
	if a := h.send(http.MethodGet, "/v1/deliveries/d1/events?robot=maybe", recipientToken, ""); a.status != http.StatusBadRequest {
		t.Errorf("robot=maybe is answered with %d", a.status)
	}
}

package restapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

func robotFor(id string) dispatch.Request {
	return dispatch.Request{Market: porttest.Market, Delivery: id, Attempt: 1, Kind: dispatch.ForDelivery, Pickup: maps.Position{Edge: 50}, Dropoff: maps.Position{Edge: 900},
		Load: fleet.Load{LengthMM: 1, WidthMM: 1, HeightMM: 1, Grams: 1}, ReadyAt: fake.Start, RequestedAt: fake.Start}
}

func TestLongPoll(t *testing.T) {
	town := porttest.NewDispatchTown(3)
	c := dispatchClient(t, serveDispatch(t, town, nil, func(o *Options) { o.Look = time.Hour }))
	ctx := t.Context()
	start := time.Now()
	if got, next, err := c.Wait(ctx, porttest.Market, "", 10, 300*time.Millisecond); len(got) != 0 || next == "" || err != nil {
		t.Errorf("Wait for nothing = %d, %q, %v", len(got), next, err)
	}
	if took := time.Since(start); took < 250*time.Millisecond || took > 3*time.Second {
		t.Errorf("a wait of 300 ms took %v", took)
	}
	type result struct {
		got  []dispatch.Decision
		next dispatch.Cursor
		err  error
	}
	done := make(chan result, 1)
	go func() {
		got, next, err := c.Wait(ctx, porttest.Market, "", 10, 20*time.Second)
		done <- result{got, next, err}
	}()
	if err := c.Request(ctx, robotFor("d1")); err != nil {
		t.Fatal(err)
	}
	town.Run(t, clock.Minute) // which rings the bell
	r := <-done
	if len(r.got) != 1 || r.err != nil || r.got[0].Delivery != "d1" {
		t.Fatalf("Wait = %+v, %v", r.got, r.err)
	}
	start = time.Now()
	if got, _, err := c.Wait(ctx, porttest.Market, "", 10, 20*time.Second); len(got) != 1 || err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("Wait for what is there = %d, %v after %v; want it at once", len(got), err, time.Since(start))
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, _, err := c.Wait(short, porttest.Market, r.next, 10, 20*time.Second); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != reasonDeadline {
		t.Errorf("Wait beyond the caller's deadline: %v", err)
	}
}

// TestLongPollEndsWithTheServer shuts down while somebody waits.
func TestLongPollEndsWithTheServer(t *testing.T) {
	town := porttest.NewDispatchTown(1)
	bell := NewBell()
	a := NewDispatch(DispatchDeps{Dispatcher: town.Service, Decisions: town.Service, Bell: bell}, Options{Auth: auth(), Look: time.Hour})
	c := dispatchClient(t, serve(t, a, a))
	done := make(chan error, 1)
	go func() {
		_, _, err := c.Wait(t.Context(), porttest.Market, "", 10, 30*time.Second)
		done <- err
	}()
	eventually(t, "somebody waits", bell.heard)
	a.Drain()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("who waits while the server stops gets %v; want an answer without entries", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("who waits is not answered when the server stops")
	}
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("it does not come to pass that %s", what)
		}
		time.Sleep(time.Millisecond) // polling, with a deadline
	}
}

// replicas are two of Dispatch; leads says which one plans rounds: 0, 1, or none.
type replicas struct {
	towns    [2]*porttest.DispatchTown
	address  [2]string
	leads    atomic.Int32
	unknown  atomic.Bool // nobody knows who leads
	requests [2]atomic.Int32
}

func newReplicas(t *testing.T) *replicas {
	r := &replicas{}
	for i := range 2 {
		r.towns[i] = porttest.NewDispatchTown(2)
		leader := func(market.ID) (bool, string) {
			r.requests[i].Add(1)
			n := int(r.leads.Load())
			if r.unknown.Load() {
				return false, ""
			}
			return n == i, strings.TrimPrefix(r.address[n], "http://")
		}
		r.address[i] = serveDispatch(t, r.towns[i], leader, nil)
	}
	return r
}

func TestLeader(t *testing.T) {
	r := newReplicas(t)
	c, ctx := dispatchClient(t, r.address[0]), t.Context()
	r.leads.Store(1)
	for _, id := range []string{"d1", "d2", "d3"} {
		if err := c.Request(ctx, robotFor(id)); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.requests[0].Load(); n != 1 {
		t.Errorf("the replica that does not lead was asked %d times, want once: the client remembers", n)
	}
	r.leads.Store(0) // it moves
	if err := c.Request(ctx, robotFor("d4")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 2} { // robots to take what each replica heard of
		r.towns[i].Run(t, clock.Minute)
		got, _, err := r.towns[i].Service.Decisions(ctx, porttest.Market, "", 10)
		if err != nil || len(got) != want {
			t.Errorf("replica %d decided %d requests, %v; want %d", i, len(got), err, want)
		}
	}
	if _, err := c.Estimate(ctx, dispatch.EstimateRequest{Market: porttest.Market, Pickup: dispatch.Place{Address: "1"}, Dropoff: dispatch.Place{Address: "900"}}); err != nil {
		t.Error(err)
	}
	r.unknown.Store(true)
	err := c.Withdraw(ctx, porttest.Market, "d1", 1)
	if !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != reasonNotLeader {
		t.Errorf("nobody leads: %v", err)
	}
	if after, ok := RetryAfter(err); !ok || after <= 0 {
		t.Errorf("nobody leads, and it says to come again after %v", after)
	}
}

// TestLeaderIsFollowedOnce has each replica believe that the other one leads.
func TestLeaderIsFollowedOnce(t *testing.T) {
	var hits [2]atomic.Int32
	var address [2]string
	for i := range 2 {
		town := porttest.NewDispatchTown(1)
		address[i] = serveDispatch(t, town, func(market.ID) (bool, string) {
			hits[i].Add(1)
			return false, strings.TrimPrefix(address[1-i], "http://")
		}, nil)
	}
	err := dispatchClient(t, address[0]).Withdraw(t.Context(), porttest.Market, "d", 1)
	if !fault.Is(err, fault.Unavailable) || hits[0].Load() != 1 || hits[1].Load() != 1 {
		t.Errorf("%v after %d and %d calls; want each asked once", err, hits[0].Load(), hits[1].Load())
	}
}

// TestDeadLeader has the leader that a client remembers die.
func TestDeadLeader(t *testing.T) {
	r := newReplicas(t)
	r.leads.Store(1)
	c := dispatchClient(t, r.address[0])
	if err := c.Withdraw(t.Context(), porttest.Market, "d", 1); err != nil {
		t.Fatal(err)
	}
	c.follow(porttest.Market, "127.0.0.1:1") // nobody is there any more
	r.leads.Store(0)
	if err := c.Withdraw(t.Context(), porttest.Market, "d", 1); err != nil {
		t.Errorf("the address that was configured knows the leader, and the client says %v", err)
	}
}

// TestLeadersAddress takes nothing but a host and a port for one.
func TestLeadersAddress(t *testing.T) {
	for host, want := range map[string]bool{"h:1": true, "10.0.0.1:8080": true, "[::1]:80": true, "": false, "h": false, "h:1/path": false, "u@h:1": false, "h:1?q": false, "http://h:1": false, ":80": false} {
		if got := validHost(host); got != want {
			t.Errorf("validHost(%q) = %v, want %v", host, got, want)
		}
	}
}

func TestDispatchQueries(t *testing.T) {
	town := porttest.NewDispatchTown(1)
	address := serveDispatch(t, town, nil, nil)
	for query, status := range map[string]int{"": 200, "?limit=5": 200, "?limit=99999": 200, "?limit=0": 400, "?limit=x": 400, "?wait=10ms": 200, "?wait=5": 400, "?wait=-1s": 400, "?wait=2m": 400,
		"?after=" + url.QueryEscape("x y"): 400, "?wait=1ms&wait=1ms": 400, "?odd=1": 400} {
		if a := send(t, http.MethodGet, address+"/v1/markets/m/decisions"+query, deliveriesToken, ""); a.status != status {
			t.Errorf("decisions%s is answered with %d %s, want %d", query, a.status, a.body, status)
		}
	}
	for path, status := range map[string]int{"d/1": 204, "d/x": 404, "d/01": 404, "d/+1": 404, "d/99999999999999999999": 404, "~~x/1": 404} {
		if a := send(t, http.MethodDelete, address+"/v1/markets/m/requests/"+path, deliveriesToken, ""); a.status != status {
			t.Errorf("DELETE %s is answered with %d %s, want %d", path, a.status, a.body, status)
		}
	}
	if a := send(t, http.MethodDelete, address+"/v1/markets/m/requests/d/1", integrationsToken, ""); a.status != 403 {
		t.Errorf("a service that has no business here is answered with %d", a.status)
	}
}

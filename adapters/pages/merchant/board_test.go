package merchant

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"footway/core/account"
	"footway/core/delivery"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

// noon is when the tests of the board look at it.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func after(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// bare are pages of no API, for what follows from a delivery alone.
func bare() *Pages {
	return &Pages{o: Options{Markets: []Market{{ID: porttest.Market, Zone: time.UTC}}, Clock: fake.NewClock(fake.Start)}}
}

// TestColumns has a place on the board for each state there is.
func TestColumns(t *testing.T) {
	want := map[delivery.State]string{
		delivery.Requested: "preparing", delivery.Assigned: "preparing", delivery.ToPickup: "preparing", delivery.AtPickup: "here", delivery.Loaded: "out", delivery.ToDropoff: "out",
		delivery.AtDropoff: "out", delivery.Returning: "out", delivery.AtReturn: "here", delivery.Delivered: "finished", delivery.Returned: "finished", delivery.Cancelled: "finished",
	}
	for state, column := range want {
		if got := columnOf(string(state)); got != column {
			t.Errorf("%s is in %q, want %q", state, got, column)
		}
		if wordsOfStates[string(state)] == "" {
			t.Errorf("%s has no words", state)
		}
		q := delivery.BoardQuery{Partner: "p", Limit: 1, States: []delivery.State{state}}
		if err := q.Check(); err != nil {
			t.Error(err)
		}
	}
	if n := len(underWay) + len(finished); n != len(want) {
		t.Errorf("the board asks for %d states, and there are %d", n, len(want))
	}
}

func TestWarnings(t *testing.T) {
	promised := promise{PickupP50: after(10), PickupP90: after(14), DropoffP50: after(30), DropoffP90: after(36)}
	by := func(p50, p90 int) promise {
		return promise{PickupP50: after(10), DropoffP50: after(p50), DropoffP90: after(p90)}
	}
	for _, tt := range []struct {
		what string
		told told
		says string
		tone string
	}{
		{"in time", told{State: "to_dropoff", Expected: by(31, 36)}, "", ""},
		{"a minute more than was said at most", told{State: "to_dropoff", Expected: by(31, 37)}, "", ""},
		{"perhaps late, half an hour before", told{State: "to_dropoff", Expected: by(33, 41)}, "May be up to 5 min late", "warn"},
		{"late, long before the promise ends", told{State: "to_dropoff", Expected: by(45, 55)}, "Will be 9 min late", "bad"},
		{"late before a robot is chosen", told{State: "requested", Expected: by(40, 50)}, "Will be 4 min late", "bad"},
		{"late by two hours", told{State: "assigned", Expected: by(36+135, 240)}, "Will be 2 h 15 min late", "bad"},
		{"it was late, and is at an end", told{State: "delivered", Expected: by(45, 55)}, "", ""},
		{"it stands here", told{State: "at_pickup", Expected: by(45, 55)}, "", ""},
		{"nothing was promised", told{State: "to_dropoff", Expected: by(45, 55), Promise: promise{DropoffP50: after(1)}}, "", ""},
		{"the robot comes soon", told{State: "to_pickup", PickupAt: after(3), ReadyAt: after(5), Expected: by(31, 36)}, "Pack it now: the robot comes in 3 min", "warn"},
		{"it comes soon, and the shop knows", told{State: "to_pickup", PickupAt: after(3), ReadySaid: after(-1), Expected: by(31, 36)}, "", ""},
		{"a robot that is not chosen yet", told{State: "requested", PickupAt: after(3), ReadyAt: after(5), Expected: by(31, 36)}, "", ""},
		{"the shop is late", told{State: "assigned", PickupAt: after(9), ReadyAt: after(-4), Expected: by(31, 36)}, "Was to be ready 4 min ago", "warn"},
		{"silent", told{State: "to_dropoff", Silent: true, LateSince: after(-6), Expected: by(31, 36)}, "The robot has been silent since 11:54\u00a0AM. We look after it.", "bad"},
		{"it turns around", told{State: "to_dropoff", GoingBack: "recipient_cannot_come", Expected: by(31, 36)}, "It turns around: the customer cannot come", "warn"},
		{"it comes back", told{State: "returning", GoingBack: "recipient_did_not_come", Expected: by(31, 36)}, "Nobody took it: nobody came to the door", "warn"},
	} {
		tt.told.Market = string(porttest.Market)
		if tt.told.Promise == (promise{}) {
			tt.told.Promise = promised
		}
		if says, tone := bare().warning(&tt.told, noon); says != tt.says || tone != tt.tone {
			t.Errorf("%s: %q (%s), want %q (%s)", tt.what, says, tone, tt.says, tt.tone)
		}
	}
}

// TestBoard drives an order through the shop, and looks at the board and the order's page on its way.
func TestBoard(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	d.wants("an empty board", b.get("/"), http.StatusOK, "No robot is waiting.", "Nothing to prepare.", "Nothing has ended yet.")
	one := d.order("quay", "31")
	path := "/orders/" + string(one.ID)
	d.wants("ordered", b.get("/"), http.StatusOK, `data-column="preparing"`, "#31", "Looking for a robot", "It is ready")
	d.leads("ready", b.post(path+"/ready"), "/merchant"+path+"?note=ready")
	d.wants("it is ready", b.get(path+"?note=ready"), http.StatusOK, "Thank you. The robot knows that it is ready.", "You said that it is ready.", "!>It is ready</button>")
	pump := func() error { return d.orders.Pump(t.Context(), porttest.Market) }
	d.wants("a phone that is none", b.post(path+"/edit", "dropoff_phone", "call me"), http.StatusBadRequest, "This is no phone number.")
	d.leads("what may be changed", b.post(path+"/edit", "dropoff_phone", "+12065550177", "dropoff_instructions", "Blue door", "tip", "2.50", "ready_at", "99999999999999999"), "/merchant"+path+"?note=saved")
	d.wants("changed", b.get(path+"?note=saved"), http.StatusOK, "Saved.", "&#43;12065550177", "Blue door", "$2.50 tip")
	d.town.Drive(t, one.ID, delivery.AtPickup, pump)
	d.wants("here", b.get("/"), http.StatusOK, `data-column="here"`, "Robot is here", "!It is ready")
	d.wants("here, on its page", b.get(path), http.StatusOK, "Bring the order out", "PIN for the keypad", "1111", "Cancel order #31")
	d.asked()
	d.leads("open", b.post(path+"/open", "purpose", "load"), "/merchant"+path+"?note=opening")
	d.leads("confirm", b.post(path+"/confirm", "purpose", "load"), "/merchant"+path+"?note=confirmed")
	var bodies []string
	for _, c := range d.asked() {
		if c.method == http.MethodPost {
			bodies = append(bodies, strings.TrimPrefix(c.path, "/v1/deliveries/"+string(one.ID))+" "+c.body)
		}
	}
	if got, want := strings.Join(bodies, "\n"), `/handoff {"purpose":"load","want":"open"}`+"\n"+`/handoff {"purpose":"load","want":"confirm"}`; got != want {
		t.Errorf("the API is asked\n%s\nwant\n%s", got, want)
	}
	d.says("POST /v1/deliveries/"+string(one.ID)+"/handoff", http.StatusConflict, map[string]any{"kind": "conflict", "reason": "moving"})
	d.wants("a lid that does not open", b.post(path+"/open"), http.StatusConflict, "The robot is still driving. It opens when it has stopped.", "Bring the order out")
	b.headers = []string{"Accept", "text/fragment"}
	d.wants("the same by script", b.post(path+"/open", "from", "alert"), http.StatusConflict, `class="alert`, "The robot is still driving", "!<html")
	b.headers = nil
	d.town.Drive(t, one.ID, delivery.Delivered, pump)
	d.wants("delivered", b.get("/"), http.StatusOK, `data-column="finished"`, "Delivered")
	d.wants("delivered, on its page", b.get(path), http.StatusOK, "Delivered", "!Cancel order", "!PIN for the keypad", "!1111")
	d.wants("too late", b.post(path+"/cancel"), http.StatusConflict, "It is too late")
}

// TestTrouble has the API answer what it should not, or not at all.
func TestTrouble(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	const sorry = "Footway cannot be reached just now."
	for status, want := range map[int]int{http.StatusInternalServerError: http.StatusServiceUnavailable, http.StatusBadGateway: http.StatusServiceUnavailable, http.StatusServiceUnavailable: http.StatusServiceUnavailable} {
		d.does("GET /v1/board", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret words", status) })
		a := b.get("/")
		d.wants("the board", a, want, sorry, "Signed in as", "!secret words")
		if a.Header().Get("Retry-After") == "" {
			t.Error("nobody is told when to come again")
		}
	}
	d.does("GET /v1/board", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"deliveries": "no`)) })
	d.wants("half an answer", b.get("/"), http.StatusInternalServerError, "That did not work.")
	d.does("GET /v1/board", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	d.wants("no answer", b.get("/"), http.StatusServiceUnavailable, sorry)
}

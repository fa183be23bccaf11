package partner

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/task"
)

// hatches notes what is asked of robots, and can be slow to open.
type hatches struct {
	asked []delivery.HandoffRequest
	slow  bool
}

func (h *hatches) Handoff(_ context.Context, _ delivery.ID, r delivery.HandoffRequest) error {
	h.asked = append(h.asked, r)
	if h.slow && r.Want == task.WantConfirm {
		return fault.New("task.Handoff", fault.Conflict, "", "the hatch was not opened")
	}
	return nil
}

func TestSimulator(t *testing.T) {
	for _, state := range constantsOf(t, "State") {
		c, h := newTown(), &hatches{}
		c.Sandbox = h
		c.send(t, "POST", "/drive/v2/deliveries", plainOrder)
		c.set(t, "D-1", func(d *delivery.Delivery) { d.State = delivery.State(state) })
		r := c.send(t, "GET", "/drive/v2/deliveries/D-1/simulation", "")
		var s simulation
		if err := json.Unmarshal(r.Body, &s); err != nil || r.Status != http.StatusOK || s.Status != statusOf(delivery.State(state)) || (len(s.Next) == 0) != delivery.State(state).Ended() {
			t.Errorf("%s: %d %s", state, r.Status, r.Body)
			continue
		}
		if state == string(delivery.Quoted) {
			continue // accepting it is tried elsewhere
		}
		for _, n := range s.Next {
			c, h := newTown(), &hatches{}
			c.Sandbox = h
			c.send(t, "POST", "/drive/v2/deliveries", plainOrder)
			c.set(t, "D-1", func(d *delivery.Delivery) { d.State = delivery.State(state) })
			r := c.send(t, "POST", "/drive/v2/deliveries/D-1/simulation", `{"delivery_status": "`+n.Status+`"}`)
			switch want := map[string]int{byYou: 200, byRobot: 409}[n.By]; {
			case r.Status != want:
				t.Errorf("%s to %s by %s: %d %s, want %d", state, n.Status, n.By, r.Status, r.Body, want)
			case n.By == byYou && n.Status != "cancelled" && (len(h.asked) != 2 || h.asked[0].Want != task.WantOpen || h.asked[1].Want != task.WantConfirm || !h.asked[0].Staff):
				t.Errorf("%s to %s asked of the robot: %+v", state, n.Status, h.asked)
			}
		}
		if r := c.send(t, "POST", "/drive/v2/deliveries/D-1/simulation", `{"delivery_status": "quote"}`); state != "quoted" && r.Status != http.StatusConflict {
			t.Errorf("%s to quote: %d %s, want 409", state, r.Status, r.Body)
		}
	}
}

func TestSimulatorSlowHatch(t *testing.T) {
	c, h := newTown(), &hatches{slow: true}
	c.Sandbox = h
	c.send(t, "POST", "/drive/v2/deliveries", plainOrder)
	c.set(t, "D-1", func(d *delivery.Delivery) { d.State = delivery.AtPickup })
	if r := c.send(t, "POST", "/drive/v2/deliveries/D-1/simulation", `{"delivery_status": "picked_up"}`); r.Status != http.StatusOK {
		t.Errorf("while the hatch opens: %d %s", r.Status, r.Body)
	}
	c.set(t, "D-1", func(d *delivery.Delivery) { d.State = delivery.Loaded })
	before := len(h.asked)
	if r := c.send(t, "POST", "/drive/v2/deliveries/D-1/simulation", `{"delivery_status": "picked_up"}`); r.Status != http.StatusOK || len(h.asked) != before {
		t.Errorf("a repeat once it is over: %d %s", r.Status, r.Body)
	}
}

// TestNoSimulator wants live partners and strangers to find nothing.
func TestNoSimulator(t *testing.T) {
	c := newTown()
	c.send(t, "POST", "/drive/v2/deliveries", plainOrder)
	if r := c.send(t, "GET", "/drive/v2/deliveries/D-1/simulation", ""); r.Status != http.StatusNotFound {
		t.Errorf("where robots are real: %d %s", r.Status, r.Body)
	}
	c.Sandbox = &hatches{}
	r := c.Handle(t.Context(), Request{Partner: "stranger", Method: "POST", Path: "/drive/v2/deliveries/D-1/simulation", Body: []byte(`{"delivery_status": "cancelled"}`)})
	if r.Status != http.StatusNotFound {
		t.Errorf("a stranger: %d %s", r.Status, r.Body)
	}
	for _, body := range []string{"", "{}", `{"delivery_status": 7}`, `{"delivery_status": "teleported"}`} {
		r := c.send(t, "POST", "/drive/v2/deliveries/D-1/simulation", body)
		if want := []int{http.StatusBadRequest, http.StatusConflict}; !slices.Contains(want, r.Status) {
			t.Errorf("body %s: %d %s", body, r.Status, r.Body)
		}
	}
}

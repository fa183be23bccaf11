package partner

import (
	"context"
	"net/http"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/task"
)

// The simulator is Drive's for test deliveries, as far as robots allow: a partner
// sees which steps are next, and does those that a person would do. The others
// a simulated robot does in its own time; nobody can do them for it.

// Handoffs is what the simulator needs of Deliveries.
type Handoffs interface {
	Handoff(ctx context.Context, id delivery.ID, r delivery.HandoffRequest) error
}

// Who does a step.
const (
	byYou   = "you"
	byRobot = "robot"
)

// simulation is a test delivery and what can become of it.
type simulation struct {
	ExternalID string     `json:"external_delivery_id"`
	Status     string     `json:"delivery_status"`
	Next       []nextStep `json:"next"`
	EndsAt     string     `json:"force_cancelled_at,omitempty"` // if the goods are not loaded by then
}

type nextStep struct {
	Status string `json:"delivery_status"`
	By     string `json:"by"`
}

// exchange returns the step that a person does at a robot in a state, if there is one.
func exchange(s delivery.State) (to delivery.State, p task.Purpose, ok bool) {
	switch s {
	case delivery.AtPickup:
		return delivery.Loaded, task.Load, true
	case delivery.AtDropoff:
		return delivery.Delivered, task.Unload, true
	case delivery.AtReturn:
		return delivery.Returned, task.Return, true
	}
	return "", "", false
}

// steps returns what can come after a state.
func steps(s delivery.State) []nextStep {
	next := []nextStep{}
	add := func(to delivery.State, by string) { next = append(next, nextStep{statusOf(to), by}) }
	if to, _, ok := exchange(s); ok {
		add(to, byYou)
	}
	switch s {
	case delivery.Quoted:
		add(delivery.Requested, byYou) // by accepting it
	case delivery.Requested:
		add(delivery.Assigned, byRobot)
	case delivery.Assigned:
		add(delivery.ToPickup, byRobot)
	case delivery.ToPickup:
		add(delivery.AtPickup, byRobot)
	case delivery.Loaded:
		add(delivery.ToDropoff, byRobot)
	case delivery.ToDropoff:
		add(delivery.AtDropoff, byRobot)
		add(delivery.Returning, byRobot)
	case delivery.AtDropoff:
		add(delivery.Returning, byRobot)
	case delivery.Returning:
		add(delivery.AtReturn, byRobot)
	case delivery.AtPickup, delivery.AtReturn, delivery.Delivered, delivery.Returned, delivery.Cancelled:
	}
	if s == delivery.Quoted || s.BeforeLoaded() {
		add(delivery.Cancelled, byYou)
	}
	return next
}

// tested returns the delivery that a request is about; where robots are real there is no simulator.
func (d *Drive) tested(ctx context.Context, c *call) (delivery.Delivery, error) {
	if d.Sandbox == nil {
		return delivery.Delivery{}, nothing()
	}
	got, _, err := d.Quotes.Get(ctx, c.Partner, c.id())
	if err == nil && got.Market != d.Market {
		return delivery.Delivery{}, nothing()
	}
	return got, err
}

func (d *Drive) simulation(ctx context.Context, c *call) (any, error) {
	got, err := d.tested(ctx, c)
	if err != nil {
		return nil, err
	}
	s := simulation{ExternalID: got.ExternalID, Status: statusOf(got.State), Next: steps(got.State)}
	if got.State.BeforeLoaded() {
		s.EndsAt = isoTime(got.Times.Requested.Add(integration.SandboxLife))
	}
	return s, nil
}

// simulate does a person's step. One that takes the robot a moment is not over
// when the answer comes: the same request again takes it on, and changes nothing once it is over.
func (d *Drive) simulate(ctx context.Context, c *call) (any, error) {
	to := c.form.text("delivery_status", maxID)
	c.form.need("delivery_status")
	if err := c.form.err(); err != nil {
		return nil, err
	}
	got, err := d.tested(ctx, c)
	if err != nil {
		return nil, err
	}
	if to == statusOf(got.State) {
		return d.simulation(ctx, c)
	}
	by := ""
	for _, n := range steps(got.State) {
		if n.Status == to {
			by = n.By
		}
	}
	switch {
	case by == "":
		return nil, notNow("not_a_next_step", "the delivery is "+statusOf(got.State)+"; GET tells which steps are next")
	case by == byRobot:
		return nil, notNow("robot_moves_by_itself", "a simulated robot does this in its own time; wait for it")
	}
	if err := d.doStep(ctx, c, got, to); err != nil {
		return nil, err
	}
	return d.simulation(ctx, c)
}

func (d *Drive) doStep(ctx context.Context, c *call, got delivery.Delivery, to string) error {
	switch to {
	case statusOf(delivery.Cancelled):
		_, err := d.Changes.Cancel(ctx, c.Partner, c.id(), "simulator")
		return err
	case statusOf(delivery.Requested):
		_, err := d.Quotes.Accept(ctx, c.Partner, c.id(), delivery.AcceptRequest{})
		return err
	}
	_, purpose, _ := exchange(got.State)
	for _, want := range []task.HandoffWant{task.WantOpen, task.WantConfirm} {
		err := d.Sandbox.Handoff(ctx, got.ID, delivery.HandoffRequest{Purpose: purpose, Want: want, Staff: true})
		if want == task.WantConfirm && fault.Is(err, fault.Conflict) {
			return nil // the hatch is still on its way up
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func notNow(reason, message string) problem {
	return problem{status: http.StatusConflict, Code: "update_not_allowed", Reason: reason, RobotReason: robotPrefix + reason, Message: message}
}

func nothing() problem {
	return problem{status: http.StatusNotFound, Code: "unknown_operation", Message: "there is nothing at this path"}
}

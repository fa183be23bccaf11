package robots

import (
	"context"
	"fmt"
	"strings"
	"time"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/task"
)

func (c *colony) out(id fleet.RobotID) fleet.RobotID {
	return fleet.RobotID(c.o.Prefix) + id
}

func (c *colony) dockOut(id fleet.DockID) fleet.DockID {
	if id == "" {
		return ""
	}
	return fleet.DockID(c.o.Prefix) + id
}

func (c *colony) dockIn(id fleet.DockID) fleet.DockID {
	return fleet.DockID(strings.TrimPrefix(string(id), c.o.Prefix))
}

// tell returns what a robot says of itself as services know it.
func (c *colony) tell(t fleet.Telemetry) fleet.Telemetry {
	t.Robot, t.At, t.Dock = c.out(t.Robot), clock.Of(time.Now()), c.dockOut(t.Dock)
	return t
}

// taskUplink is Task as robots tell it: nobody waits for an answer.
type taskUplink struct{ c *colony }

// Report implements world.Tasks. What Task says of it comes to handler.Refused.
func (u taskUplink) Report(_ context.Context, r task.Report) error {
	id := r.Robot
	r.Robot = u.c.out(id)
	u.c.count.Reports++
	u.c.clients[id].Report(r)
	return nil
}

// Sync implements world.Tasks. Task answers with an instruction, or to handler.NoTask.
func (u taskUplink) Sync(_ context.Context, id fleet.RobotID) error {
	u.c.clients[id].Sync()
	return nil
}

// fleetUplink is Fleet as robots tell it, and as those know it who set them up.
type fleetUplink struct{ c *colony }

// Report implements world.Fleet.
func (u fleetUplink) Report(_ context.Context, t fleet.Telemetry) error {
	u.c.count.Telemetry++
	if u.c.clients == nil {
		u.c.first[t.Robot] = t
		return nil
	}
	u.c.clients[t.Robot].Telemetry(u.c.tell(t))
	return nil
}

// SaveAccount implements world.Fleet.
func (u fleetUplink) SaveAccount(ctx context.Context, a fleet.Account) error {
	if u.c.o.Setup == nil {
		return nil
	}
	return u.c.o.Setup.SaveAccount(ctx, a)
}

// SaveDock implements world.Fleet.
func (u fleetUplink) SaveDock(ctx context.Context, d fleet.Dock) error {
	if u.c.o.Setup == nil {
		return nil
	}
	d.ID = u.c.dockOut(d.ID)
	return u.c.o.Setup.SaveDock(ctx, d)
}

// Register implements world.Fleet.
func (u fleetUplink) Register(ctx context.Context, r fleet.Robot) error {
	if u.c.o.Setup == nil {
		return nil
	}
	r.ID = u.c.out(r.ID)
	err := u.c.o.Setup.Register(ctx, r)
	if fault.Is(err, fault.Conflict) {
		return fault.New("robots.Register", fault.Conflict, "taken", "robot %s is registered by another account; want another --prefix: %w", r.ID, err)
	}
	return err
}

// handler is one robot as it hears Fleet and Task. Its fields are guarded by the colony's mu.
type handler struct {
	c    *colony
	id   fleet.RobotID
	came map[string]bool // wires on which it was ever let in
	told bool            // an instruction came since Task was last asked whether there is a task
}

// Order implements grpcapi.RobotHandler.
func (h *handler) Order(o fleet.Order) error {
	o.Robot, o.Dock = h.id, h.c.dockIn(o.Dock)
	return h.c.enter(context.Background(), func(ctx context.Context) error {
		h.c.count.Orders++
		return h.c.w.Link().Command(ctx, o)
	})
}

// Instruct implements grpcapi.RobotHandler.
func (h *handler) Instruct(in task.Instruction) error {
	return h.c.enter(context.Background(), func(ctx context.Context) error {
		h.c.count.Instructions++
		h.told = true
		return h.c.w.Link().Instruct(ctx, h.id, in)
	})
}

// Refused implements grpcapi.RobotHandler.
func (h *handler) Refused(r task.Report, err error) {
	r.Robot = h.id
	h.forget(func(ctx context.Context) error {
		h.c.count.Refused++
		return h.c.w.Refused(ctx, r, err)
	})
}

// NoTask implements grpcapi.RobotHandler. An instruction may have overtaken this word, so Task is
// believed only where none has come since it was asked before.
func (h *handler) NoTask() {
	h.forget(func(ctx context.Context) error {
		if h.told {
			h.told = false
			h.c.clients[h.id].Sync()
			return nil
		}
		return h.c.w.NoTask(ctx, h.id)
	})
}

func (h *handler) forget(do func(context.Context) error) {
	err := h.c.enter(context.Background(), do)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		h.c.fail(fmt.Errorf("robot %s forgets its task: %w", h.id, err))
	}
}

// warnEvery is how often it is told that a wire has trouble.
const warnEvery = 30 * time.Second

// connected is told when a stream comes up, and with the error when it is down. Who was never let in
// will not be: that ends the run.
func (h *handler) connected(wire string, err error) {
	c := h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.count.Connects++
		if h.came[wire] {
			c.count.Reconnects++
		}
		h.came[wire], c.came[wire] = true, true
		return
	}
	c.count.Cuts++
	if !c.came[wire] && (fault.Is(err, fault.Forbidden) || fault.Is(err, fault.Invalid)) {
		c.fail(fmt.Errorf("%s does not let robot %s in: %w; want robots that account %s has registered, and its credential", wire, c.out(h.id), err, c.o.Account))
		return
	}
	if now := time.Now(); now.Sub(c.warned[wire]) > warnEvery && !c.parked {
		c.warned[wire] = now
		c.o.Log.Warn("robots have no stream; they try again", "wire", wire, "robot", c.out(h.id), "error", err)
	}
}

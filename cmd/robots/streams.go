package robots

import (
	"context"
	"strings"
	"time"

	"footway/adapters/grpcapi"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/task"
)

// connect brings every robot in.
func (c *colony) connect() {
	c.pool = grpcapi.NewRobotPool(c.o.Fleet, c.o.Task)
	c.clients = map[fleet.RobotID]*grpcapi.RobotClient{}
	for _, id := range c.w.Robots() {
		c.clients[id] = c.pool.Connect(grpcapi.RobotOptions{
			ID: c.out(id), Account: c.o.Account, Handler: handler{c, id}, Log: c.o.Log, Connected: c.connected,
		})
	}
}

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

// connected counts streams that were cut.
func (c *colony) connected(_ string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.count.Cuts++
		return
	}
	c.count.Connects++
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
	id := t.Robot
	t.Robot, t.At, t.Dock = u.c.out(id), clock.Of(time.Now()), u.c.dockOut(t.Dock)
	u.c.count.Telemetry++
	u.c.clients[id].Telemetry(t)
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

// handler is one robot as it hears Fleet and Task.
type handler struct {
	c  *colony
	id fleet.RobotID
}

// Order implements grpcapi.RobotHandler.
func (h handler) Order(o fleet.Order) error {
	o.Robot, o.Dock = h.id, h.c.dockIn(o.Dock)
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.c.count.Orders++
	defer h.c.rouse()
	return h.c.w.Link().Command(context.Background(), o)
}

// Instruct implements grpcapi.RobotHandler.
func (h handler) Instruct(in task.Instruction) error {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.c.count.Instructions++
	defer h.c.rouse()
	return h.c.w.Link().Instruct(context.Background(), h.id, in)
}

// Refused implements grpcapi.RobotHandler.
func (h handler) Refused(r task.Report, err error) {
	r.Robot = h.id
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.c.count.Refused++
	h.failed(h.c.w.Refused(context.Background(), r, err))
}

// NoTask implements grpcapi.RobotHandler.
func (h handler) NoTask() {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.failed(h.c.w.NoTask(context.Background(), h.id))
}

func (h handler) failed(err error) {
	if err != nil {
		h.c.o.Log.Error("a robot could not forget its task", "robot", h.id, "error", err)
	}
	h.c.rouse()
}

package fake

import (
	"context"
	"fmt"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/task"
)

// Link is a fleet.Link and a task.Link that records what robots were told.
type Link struct {
	Orders       []fleet.Order
	Instructions []Told
	Silent       map[fleet.RobotID]bool   // robots without contact
	Seen         map[fleet.RobotID]uint64 // the highest token each robot has seen
	taken        int
}

// Told is an instruction that reached a robot.
type Told struct {
	Robot       fleet.RobotID
	Instruction task.Instruction
}

var (
	_ fleet.Link = (*Link)(nil)
	_ task.Link  = (*Link)(nil)
)

// Command implements fleet.Link.
func (l *Link) Command(_ context.Context, o fleet.Order) error {
	if err := l.reach(o.Robot, o.Token); err != nil {
		return err
	}
	l.Orders = append(l.Orders, o)
	return nil
}

// Instruct implements task.Link.
func (l *Link) Instruct(_ context.Context, robot fleet.RobotID, in task.Instruction) error {
	if err := l.reach(robot, in.Token); err != nil {
		return err
	}
	l.Instructions = append(l.Instructions, Told{robot, in})
	return nil
}

func (l *Link) reach(robot fleet.RobotID, token uint64) error {
	if l.Silent[robot] {
		return fault.New("fake.Link", fault.Unavailable, "no_contact", "robot %s has no contact", robot)
	}
	if l.Seen == nil {
		l.Seen = map[fleet.RobotID]uint64{}
	}
	if token < l.Seen[robot] {
		return fault.New("fake.Link", fault.Conflict, "old_token", "robot %s follows token %d, refuses %d", robot, l.Seen[robot], token)
	}
	l.Seen[robot] = token
	return nil
}

// Lose takes away contact with a robot, or gives it back.
func (l *Link) Lose(robot fleet.RobotID, silent bool) {
	if l.Silent == nil {
		l.Silent = map[fleet.RobotID]bool{}
	}
	l.Silent[robot] = silent
}

// Take returns the instructions since the last Take, each as "r1 <- do 0 drive load".
func (l *Link) Take() []string {
	var out []string
	for _, t := range l.Instructions[l.taken:] {
		in := t.Instruction
		out = append(out, fmt.Sprintf("%s <- %s %d %s %s", t.Robot, in.Kind, in.Index, in.Step.Kind, in.Step.Purpose))
	}
	l.taken = len(l.Instructions)
	return out
}

// LossyFleetStore is a fleet.Store whose calls can be lost.
type LossyFleetStore struct {
	fleet.Store
	*Losses
}

// Robot implements fleet.Store.
func (s LossyFleetStore) Robot(ctx context.Context, id fleet.RobotID) (r fleet.Robot, err error) {
	err = s.Do("Robot", func() (err error) { r, err = s.Store.Robot(ctx, id); return err })
	return r, err
}

// Robots implements fleet.Store.
func (s LossyFleetStore) Robots(ctx context.Context, m market.ID) (all []fleet.Robot, err error) {
	err = s.Do("Robots", func() (err error) { all, err = s.Store.Robots(ctx, m); return err })
	return all, err
}

// SaveRobot implements fleet.Store.
func (s LossyFleetStore) SaveRobot(ctx context.Context, r fleet.Robot) (revision uint64, err error) {
	err = s.Do("SaveRobot", func() (err error) { revision, err = s.Store.SaveRobot(ctx, r); return err })
	return revision, err
}

// LossyTelemetryStore is a fleet.TelemetryStore whose calls can be lost.
type LossyTelemetryStore struct {
	fleet.TelemetryStore
	*Losses
}

// SaveTelemetry implements fleet.TelemetryStore.
func (s LossyTelemetryStore) SaveTelemetry(ctx context.Context, m market.ID, t fleet.Telemetry) (kept bool, err error) {
	err = s.Do("SaveTelemetry", func() (err error) { kept, err = s.TelemetryStore.SaveTelemetry(ctx, m, t); return err })
	return kept, err
}

// Telemetry implements fleet.TelemetryStore.
func (s LossyTelemetryStore) Telemetry(ctx context.Context, id fleet.RobotID) (t fleet.Telemetry, err error) {
	err = s.Do("Telemetry", func() (err error) { t, err = s.TelemetryStore.Telemetry(ctx, id); return err })
	return t, err
}

// LossyTaskStore is a task.Store whose calls can be lost.
type LossyTaskStore struct {
	task.Store
	*Losses
}

// Task implements task.Store.
func (s LossyTaskStore) Task(ctx context.Context, id task.ID) (t task.Task, err error) {
	err = s.Do("Task", func() (err error) { t, err = s.Store.Task(ctx, id); return err })
	return t, err
}

// SaveTask implements task.Store.
func (s LossyTaskStore) SaveTask(ctx context.Context, t task.Task) (revision uint64, err error) {
	err = s.Do("SaveTask", func() (err error) { revision, err = s.Store.SaveTask(ctx, t); return err })
	return revision, err
}

// ActiveOf implements task.Store.
func (s LossyTaskStore) ActiveOf(ctx context.Context, robot fleet.RobotID) (t task.Task, err error) {
	err = s.Do("ActiveOf", func() (err error) { t, err = s.Store.ActiveOf(ctx, robot); return err })
	return t, err
}

// LossyLink is a task.Link and fleet.Link whose messages can be lost.
type LossyLink struct {
	*Link
	*Losses
}

// Command implements fleet.Link.
func (l LossyLink) Command(ctx context.Context, o fleet.Order) error {
	return l.Do("Command", func() error { return l.Link.Command(ctx, o) })
}

// Instruct implements task.Link.
func (l LossyLink) Instruct(ctx context.Context, robot fleet.RobotID, in task.Instruction) error {
	return l.Do("Instruct", func() error { return l.Link.Instruct(ctx, robot, in) })
}

package grpcapi

import (
	"context"
	"log/slog"
	"sync"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/task"
)

// RobotHandler is what a robot does with what it is told. Calls of one robot
// may come from two goroutines, one for Fleet and one for Task; they must be quick, since
// the next message waits.
type RobotHandler interface {
	// Order is called with each order whose token is not an old one. An error tells Fleet
	// that the robot does not take it now.
	Order(o fleet.Order) error
	// Instruct is called with each instruction whose token is not an old one, possibly
	// repeated. An error tells Task that the robot does not take it now.
	Instruct(in task.Instruction) error
	// Refused is called with a report that Task will never take. If err is fault.Conflict or
	// fault.NotFound the robot forgets the task.
	Refused(r task.Report, err error)
	// NoTask is called when Task says that the robot has no active task: it forgets the one that it has.
	NoTask()
}

// RobotOptions say which robot connects.
type RobotOptions struct {
	ID      fleet.RobotID
	Account fleet.AccountID
	Handler RobotHandler
	Token   uint64 // the highest fencing token that it has seen
	// Connected, if not nil, is called when a stream ("fleet" or "task") is up,
	// and with the error when it is down.
	Connected func(wire string, err error)
	Log       *slog.Logger
}

// RobotClient is one robot's connection to Fleet and Task. It connects again
// whenever a stream is cut, and says again what was not acknowledged. It is safe for concurrent use.
type RobotClient struct {
	o      RobotOptions
	fleet  *uplink
	task   *uplink
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu    sync.Mutex
	token uint64
}

// ID returns which robot it is.
func (c *RobotClient) ID() fleet.RobotID { return c.o.ID }

// Telemetry sends t, or a later one in its place, once there is a connection.
func (c *RobotClient) Telemetry(t fleet.Telemetry) { c.fleet.telemetry(telemetryTo(t)) }

// Report sends r, behind the reports before it, until Task has it.
func (c *RobotClient) Report(r task.Report) { c.task.report(reportTo(r)) }

// Sync asks Task to say again what to do. Each new connection asks by itself.
func (c *RobotClient) Sync() { c.task.sync() }

// Pending returns how many reports are not acknowledged.
func (c *RobotClient) Pending() int { return c.task.pending() }

// Telling reports whether the last telemetry is not acknowledged.
func (c *RobotClient) Telling() bool { return c.fleet.telling() }

// Resent returns how many reports were sent again since a cut left open whether they were heard.
func (c *RobotClient) Resent() int { return c.task.again() }

// Token returns the highest fencing token that the robot has seen.
func (c *RobotClient) Token() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token
}

// Close ends the connection, and waits for calls of the handler, which must not
// call it. Reports that are not acknowledged are lost with it.
func (c *RobotClient) Close() {
	c.cancel()
	c.done.Wait()
}

// fence takes a token, and returns an error if a higher one was seen.
func (c *RobotClient) fence(token uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token < c.token {
		return fault.New("robot", fault.Conflict, "old_token", "token %d; %d has been seen", token, c.token)
	}
	c.token = token
	return nil
}

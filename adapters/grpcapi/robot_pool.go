package grpcapi

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
)

// streamsPerConn is how many robots share one HTTP/2 connection: enough that
// sockets cost nothing, few enough that a lost packet holds up only some, and below what servers allow.
const streamsPerConn = 200

// RobotPool connects many robots from one process over few connections. It is
// safe for concurrent use.
type RobotPool struct {
	mu    sync.Mutex
	wires map[string]*wirePool
}

// wirePool is the connections to one service.
type wirePool struct {
	dial  func() (*grpc.ClientConn, error)
	conns []*sharedConn
}

// sharedConn is a connection and how many streams it has.
type sharedConn struct {
	cc      *grpc.ClientConn
	streams int
}

// NewRobotPool returns a pool without connections. The functions make one more
// connection to Fleet's and Task's door for robots; see Dial.
func NewRobotPool(fleet, task func() (*grpc.ClientConn, error)) *RobotPool {
	return &RobotPool{wires: map[string]*wirePool{"fleet": {dial: fleet}, "task": {dial: task}}}
}

// Close closes the connections. The robots must be closed before.
func (p *RobotPool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, w := range p.wires {
		for _, c := range w.conns {
			if err := c.cc.Close(); err != nil {
				return fmt.Errorf("close a connection to %s: %w", name, err)
			}
		}
		w.conns = nil
	}
	return nil
}

// Connections returns how many connections there are.
func (p *RobotPool) Connections() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wires {
		n += len(w.conns)
	}
	return n
}

// take returns a connection with room for one more stream, which give gives back.
func (p *RobotPool) take(wire string) (*sharedConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.wires[wire]
	for _, c := range w.conns {
		if c.streams < streamsPerConn {
			c.streams++
			return c, nil
		}
	}
	cc, err := w.dial()
	if err != nil {
		return nil, err
	}
	c := &sharedConn{cc: cc, streams: 1}
	w.conns = append(w.conns, c)
	return c, nil
}

func (p *RobotPool) give(c *sharedConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.streams--
}

// Connect brings a robot in. It returns at once and keeps trying until the client is closed.
func (p *RobotPool) Connect(o RobotOptions) *RobotClient {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &RobotClient{o: o, cancel: cancel, token: o.Token}
	c.fleet = &uplink{wire: "fleet", robot: c, pool: p, open: func(ctx context.Context, cc grpc.ClientConnInterface) (upStream, error) {
		return pb.NewFleetRobotsClient(cc).Connect(ctx)
	}}
	c.task = &uplink{wire: "task", robot: c, pool: p, open: func(ctx context.Context, cc grpc.ClientConnInterface) (upStream, error) {
		return pb.NewTaskRobotsClient(cc).Connect(ctx)
	}}
	c.done.Go(func() { c.fleet.run(ctx) })
	c.done.Go(func() { c.task.run(ctx) })
	return c
}

package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/lease"
)

// hub has the streams of the robots that are connected to this replica of one service.
type hub struct {
	wire string // "fleet" or "task"
	o    LinkOptions
	lim  LinkLimits

	mu       sync.Mutex
	sessions map[fleet.RobotID]*session
	accounts map[fleet.AccountID]int // how many sessions each has
}

type wallClock struct{}

func (wallClock) Now() clock.Time { return clock.Of(time.Now()) }

func newHub(wire string, o LinkOptions) *hub {
	if o.Clock == nil {
		o.Clock = wallClock{}
	}
	return &hub{wire: wire, o: o, lim: o.Limits.withDefaults(), sessions: map[fleet.RobotID]*session{}, accounts: map[fleet.AccountID]int{}}
}

func (h *hub) connected() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

// enter makes s the session of its robot, in place of another, and reports false if its
// account has too many.
func (h *hub) enter(s *session) bool {
	h.mu.Lock()
	old := h.sessions[s.robot]
	if n := h.accounts[s.account]; n >= h.lim.PerAccount && (old == nil || old.account != s.account) {
		h.mu.Unlock()
		return false
	}
	h.drop(old)
	h.sessions[s.robot] = s
	h.accounts[s.account]++
	h.mu.Unlock()
	if old != nil {
		old.end(replaced(s.robot))
	}
	return true
}

// leave forgets s, and reports whether it was still the session of its robot.
func (h *hub) leave(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions[s.robot] != s {
		return false
	}
	h.drop(s)
	return true
}

// drop removes s, which may be nil. The caller holds mu.
func (h *hub) drop(s *session) {
	if s == nil {
		return
	}
	delete(h.sessions, s.robot)
	if h.accounts[s.account]--; h.accounts[s.account] == 0 {
		delete(h.accounts, s.account)
	}
}

func (h *hub) session(robot fleet.RobotID) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[robot]
}

func replaced(robot fleet.RobotID) error {
	return fault.New("grpcapi.Connect", fault.Conflict, "replaced", "robot %s has connected once more", robot)
}

func notHere(robot fleet.RobotID) error {
	return fault.New("grpcapi.Deliver", fault.Unavailable, "not_here", "robot %s is not connected to this replica", robot)
}

func noContact(robot fleet.RobotID, why string, err error) error {
	if err == nil {
		err = errors.New(why)
	} else {
		err = fmt.Errorf("%s: %w", why, err)
	}
	return &fault.Error{Op: "grpcapi.Link", Kind: fault.Unavailable, Reason: "no_contact", Err: fmt.Errorf("robot %s: %w", robot, err)}
}

func isNotHere(err error) bool {
	return fault.Is(err, fault.Unavailable) && fault.ReasonOf(err) == "not_here"
}

// tell sends a message to a robot wherever it is connected, and returns what
// the robot answered. An entry that points to where it is no more costs one more look.
func (h *hub) tell(ctx context.Context, robot fleet.RobotID, q *pb.DeliverRequest) error {
	err := h.deliver(ctx, q)
	if !isNotHere(err) {
		return err
	}
	if h.o.Seats == nil || h.o.Peer == nil {
		return noContact(robot, "it is not connected", nil)
	}
	var before uint64
	for range 2 {
		seat, err := h.find(ctx, robot)
		switch {
		case fault.Is(err, fault.NotFound) || err == nil && h.o.Clock.Now() >= seat.Expires:
			return noContact(robot, "it is connected to no replica", nil)
		case err != nil:
			return noContact(robot, "nobody knows where it is connected", err)
		case seat.Term == before:
			return noContact(robot, "the replica that had it does not answer or has it no more", nil)
		case seat.Holder == h.o.Replica:
			err = h.deliver(ctx, q) // it has come back here meanwhile, or has just gone
		default:
			err = h.forward(ctx, seat.Address, q)
		}
		if err == nil || !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) == "no_contact" || ctx.Err() != nil {
			return err
		}
		before = seat.Term
	}
	return noContact(robot, "it goes from replica to replica", nil)
}

// find returns where a robot is connected.
func (h *hub) find(ctx context.Context, robot fleet.RobotID) (lease.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, h.lim.DeliverWithin)
	defer cancel()
	return h.o.Seats.Lease(ctx, h.seat(robot))
}

// forward hands q to the replica at an address, in the time that is left.
func (h *hub) forward(ctx context.Context, address string, q *pb.DeliverRequest) error {
	ctx, cancel := context.WithTimeout(ctx, h.lim.DeliverWithin+time.Second)
	defer cancel()
	cc, err := h.o.Peer(address)
	if err != nil {
		return &fault.Error{Op: "grpcapi.Link", Kind: fault.Unavailable, Reason: "no_replica", Err: fmt.Errorf("replica at %q: %w", address, err)}
	}
	_, err = pb.NewRelayClient(caller{cc}).Deliver(ctx, q)
	return err
}

// deliver sends a message to a robot that is connected here.
func (h *hub) deliver(ctx context.Context, q *pb.DeliverRequest) error {
	robot := fleet.RobotID(q.GetRobot())
	s := h.session(robot)
	if s == nil {
		return notHere(robot)
	}
	down, token := &pb.Down{}, uint64(0)
	switch x := q.GetSays().(type) {
	case *pb.DeliverRequest_Order:
		down.Says, token = &pb.Down_Order{Order: x.Order}, x.Order.GetToken()
	case *pb.DeliverRequest_Instruction:
		down.Says, token = &pb.Down_Instruction{Instruction: x.Instruction}, x.Instruction.GetToken()
	}
	if err := s.fence(token); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, h.lim.DeliverWithin)
	defer cancel()
	return s.ask(ctx, down)
}

// seat is the name of the lease that says where a robot is connected.
func (h *hub) seat(robot fleet.RobotID) string { return "robot/" + h.wire + "/" + string(robot) }

// sit writes down that s's robot is connected here, whoever had it before.
func (h *hub) sit(ctx context.Context, s *session) error {
	if h.o.Seats == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.lim.DeliverWithin)
	defer cancel()
	for range 5 {
		l, err := h.o.Seats.Lease(ctx, h.seat(s.robot))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("seat of %s: %w", s.robot, err)
		}
		l.Name, l.Holder, l.Address = h.seat(s.robot), h.o.Replica, h.o.Address
		l.Term++
		l.Expires = h.o.Clock.Now().Add(clock.Duration(h.lim.SeatLife.Milliseconds()))
		if _, err = h.o.Seats.SaveLease(ctx, l); err == nil {
			s.term = l.Term
			return nil
		}
		if !fault.Is(err, fault.Conflict) {
			return fmt.Errorf("seat of %s: %w", s.robot, err)
		}
	}
	return fault.New("grpcapi.Connect", fault.Unavailable, "contended", "robot %s connects to many replicas at once", s.robot)
}

// keepSeat prolongs what sit wrote. It fails with fault.Conflict if the robot is
// connected elsewhere by now.
func (h *hub) keepSeat(ctx context.Context, s *session) error {
	if h.o.Seats == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.lim.DeliverWithin)
	defer cancel()
	l, err := h.o.Seats.Lease(ctx, h.seat(s.robot))
	switch {
	case err != nil:
		return fmt.Errorf("seat of %s: %w", s.robot, err)
	case l.Term != s.term || l.Holder != h.o.Replica:
		return replaced(s.robot)
	}
	l.Expires = h.o.Clock.Now().Add(clock.Duration(h.lim.SeatLife.Milliseconds()))
	_, err = h.o.Seats.SaveLease(ctx, l)
	if fault.Is(err, fault.Conflict) {
		return replaced(s.robot)
	}
	return err
}

// rise gives the seat back, unless another has it by now.
func (h *hub) rise(ctx context.Context, s *session) error {
	if h.o.Seats == nil || s.term == 0 {
		return nil
	}
	l, err := h.o.Seats.Lease(ctx, h.seat(s.robot))
	if err != nil || l.Term != s.term || l.Holder != h.o.Replica {
		return err
	}
	l.Expires = 0
	if _, err = h.o.Seats.SaveLease(ctx, l); fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

package grpcapi

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
	"footway/core/fleet"
)

// protocol is the version of what robots and servers say on their streams.
const protocol = 1

// robotStream is the server's end of a robot's stream.
type robotStream = grpc.BidiStreamingServer[pb.Up, pb.Down]

// listener is a service that hears robots.
type listener interface {
	// hear takes a numbered message of a robot, and acknowledges it once it is
	// durable. It does not block. An error ends the session.
	hear(s *session, up *pb.Up) error
}

// session is one stream of one robot.
type session struct {
	h       *hub
	stream  robotStream
	robot   fleet.RobotID
	account fleet.AccountID
	term    uint64        // of its seat
	heard   atomic.Int64  // when it last said something, in ms
	token   atomic.Uint64 // the highest fencing token that it said it has seen
	last    uint64        // number of the last message; of the reader

	ended chan struct{} // closed when it is over
	once  sync.Once
	cause error // why; set before ended is closed

	mu      sync.Mutex
	out     []*pb.Down // to be sent
	sending bool
	nextID  uint64
	asked   map[uint64]chan *pb.Answer

	jobs lane   // reports, one after the other
	news newest // telemetry
}

// most messages that may wait for a robot that does not read.
const maxOut = 256

func (h *hub) connect(stream robotStream, dir Directory, to listener, quit <-chan struct{}) error {
	s := &session{h: h, stream: stream, ended: make(chan struct{}), asked: map[uint64]chan *pb.Answer{}}
	first, admitted := make(chan *pb.Up, 1), make(chan struct{})
	go s.read(first, admitted, to)
	ctx := stream.Context()
	who, _ := IdentityOf(ctx)
	wait := time.NewTimer(h.lim.HelloWithin)
	defer wait.Stop()
	select {
	case up := <-first:
		if err := s.greet(ctx, who, up.GetHello(), dir); err != nil {
			return err
		}
	case <-wait.C:
		return fault.New("grpcapi.Connect", fault.Unavailable, "no_hello", "no hello within %v", h.lim.HelloWithin)
	case <-s.ended:
		return s.cause
	case <-quit:
		return errStopping
	}
	s.out = []*pb.Down{{Says: &pb.Down_Welcome{Welcome: &pb.Welcome{
		BeatMs: h.lim.Beat.Milliseconds(), EveryMs: h.lim.Every.Milliseconds(), Window: uint32(h.lim.Window),
	}}}} // before anybody else can say something
	if !h.enter(s) {
		return fault.New("grpcapi.Connect", fault.Exhausted, "too_many_robots", "account %s has %d robots connected, which is the limit", s.account, h.lim.PerAccount)
	}
	defer s.gone()
	if err := h.sit(ctx, s); err != nil {
		return err
	}
	s.mu.Lock()
	s.flush()
	s.mu.Unlock()
	close(admitted)
	s.end(s.watch(ctx, who, quit))
	return s.cause
}

// greet checks who speaks for which robot.
func (s *session) greet(ctx context.Context, who Identity, hello *pb.Hello, dir Directory) error {
	const op = "grpcapi.Connect"
	robot, account := fleet.RobotID(hello.GetRobot()), fleet.AccountID(hello.GetAccount())
	stranger := fault.New(op, fault.Forbidden, "not_yours", "%s does not speak for robot %q of account %q", who, clip(string(robot), 64), clip(string(account), 64))
	switch {
	case hello == nil || robot == "":
		return fault.New(op, fault.Invalid, "no_hello", "the first message is not a hello with a robot")
	case hello.GetProtocol() != protocol:
		return fault.New(op, fault.Invalid, "bad_protocol", "protocol %d; this server speaks %d", hello.GetProtocol(), protocol)
	case who.Role == RoleRobot && who.Name != string(robot), who.Role == RoleAccount && who.Name != string(account),
		who.Account != "" && who.Account != account:
		return stranger
	}
	ctx, cancel := context.WithTimeout(ctx, s.h.lim.HelloWithin)
	defer cancel()
	r, err := dir.Robot(ctx, robot)
	switch {
	case fault.Is(err, fault.NotFound):
		return stranger // whether there is such a robot is nobody else's business
	case err != nil:
		return s.unknowable(robot, err)
	case r.Account != account:
		return stranger
	case r.State == fleet.Removed:
		return fault.New(op, fault.Forbidden, "removed", "robot %s was removed", robot)
	}
	a, err := dir.Account(ctx, account)
	if err != nil {
		return s.unknowable(robot, err)
	}
	if a.Suspended {
		return fault.New(op, fault.Forbidden, "suspended", "account %s is suspended", account)
	}
	s.robot, s.account = robot, account
	s.token.Store(hello.GetToken())
	s.h.o.Log.Debug("robot connects", "robot", robot, "wire", s.h.wire, "token", hello.GetToken(), "acknowledged", hello.GetAcknowledged())
	s.heard.Store(time.Now().UnixMilli())
	return nil
}

// unknowable is what a robot is told while nobody can say whose it is. The
// reason is for our log only.
func (s *session) unknowable(robot fleet.RobotID, err error) error {
	s.h.o.Log.Warn("robot cannot be looked up", "robot", robot, "wire", s.h.wire, "error", err)
	return fault.New("grpcapi.Connect", fault.Unavailable, "no_directory", "nobody can say now whose robot this is; try again")
}

// watch returns why the session must end.
func (s *session) watch(ctx context.Context, who Identity, quit <-chan struct{}) error {
	beat := time.NewTicker(s.h.lim.Beat)
	defer beat.Stop()
	var expired <-chan time.Time
	if !who.Expires.IsZero() {
		t := time.NewTimer(time.Until(who.Expires))
		defer t.Stop()
		expired = t.C
	}
	for {
		select {
		case <-s.ended:
			return s.cause
		case <-quit:
			return errStopping
		case <-expired:
			return unauthenticated("the credential has expired; connect with a new one")
		case <-beat.C:
			if time.Now().UnixMilli()-s.heard.Load() > 3*s.h.lim.Beat.Milliseconds() {
				return fault.New("grpcapi.Connect", fault.Unavailable, "silent", "robot %s has said nothing for %v", s.robot, 3*s.h.lim.Beat)
			}
			if err := s.h.keepSeat(ctx, s); fault.Is(err, fault.Conflict) {
				return err
			} else if err != nil {
				s.h.o.Log.Warn("seat is not kept", "robot", s.robot, "wire", s.h.wire, "error", err)
			}
		}
	}
}

// gone cleans up behind a session.
func (s *session) gone() {
	s.end(errStopping) // no cause but for a refused seat, whose error is returned
	if !s.h.leave(s) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.stream.Context()), s.h.lim.DeliverWithin)
	defer cancel()
	if err := s.h.rise(ctx, s); err != nil {
		s.h.o.Log.Warn("seat is not given back", "robot", s.robot, "wire", s.h.wire, "error", err)
	}
}

// end ends the session; the first cause counts.
func (s *session) end(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.ended)
	})
}

// read takes what the robot says until the stream ends.
func (s *session) read(first chan<- *pb.Up, admitted <-chan struct{}, to listener) {
	second, count := int64(0), 0
	for n := 0; ; n++ {
		up, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			s.end(nil) // the robot leaves in good order
			return
		}
		if err != nil {
			s.end(err)
			return
		}
		if size := proto.Size(up); size > s.h.lim.MessageBytes {
			s.end(fault.New("grpcapi.Connect", fault.Invalid, "too_large", "a message of %d bytes; want at most %d", size, s.h.lim.MessageBytes))
			return
		}
		if n == 0 {
			first <- up
			select {
			case <-admitted:
				continue
			case <-s.stream.Context().Done():
				return
			}
		}
		now := time.Now().UnixMilli()
		s.heard.Store(now)
		if now/1000 != second {
			second, count = now/1000, 0
		}
		if count++; count > s.h.lim.PerSecond {
			s.end(fault.New("grpcapi.Connect", fault.Exhausted, "too_fast", "more than %d messages in a second", s.h.lim.PerSecond))
			return
		}
		if err := s.take(up, to); err != nil {
			s.end(err)
			return
		}
	}
}

// take is one message of the robot.
func (s *session) take(up *pb.Up, to listener) error {
	switch x := up.GetSays().(type) {
	case *pb.Up_Answer:
		s.answered(x.Answer)
		return nil
	case *pb.Up_Beat:
		return nil
	case *pb.Up_Hello:
		return fault.New("grpcapi.Connect", fault.Invalid, "bad_message", "robot %s: a second hello", s.robot)
	}
	if up.GetNumber() <= s.last {
		return fault.New("grpcapi.Connect", fault.Invalid, "bad_number", "robot %s: message %d after message %d; numbers rise", s.robot, up.GetNumber(), s.last)
	}
	s.last = up.GetNumber()
	return to.hear(s, up)
}

// ack tells the robot what became of a message.
func (s *session) ack(number uint64, err error) {
	s.send(&pb.Down{Says: &pb.Down_Ack{Ack: &pb.Ack{Number: number, Fault: faultTo(err, false)}}})
}

// send queues a message, and reports false if the session is over. A robot that does not
// read what it is told is cut off.
func (s *session) send(d *pb.Down) bool {
	select {
	case <-s.ended:
		return false
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) >= maxOut {
		s.end(fault.New("grpcapi.Connect", fault.Unavailable, "not_reading", "robot %s does not read", s.robot))
		return false
	}
	s.out = append(s.out, d)
	s.flush()
	return true
}

// flush has somebody send what is queued. The caller holds mu.
func (s *session) flush() {
	if len(s.out) > 0 && !s.sending {
		s.sending = true
		go s.drain()
	}
}

// drain sends what is queued, and ends.
func (s *session) drain() {
	for {
		s.mu.Lock()
		if len(s.out) == 0 {
			s.sending = false
			s.mu.Unlock()
			return
		}
		batch := s.out
		s.out = nil
		s.mu.Unlock()
		for _, d := range batch {
			if err := s.stream.Send(d); err != nil {
				s.end(err)
				return // what is left is told again on the next stream; sending stays true, so nobody tries
			}
		}
	}
}

// ask sends a message and waits for the robot's answer to it.
func (s *session) ask(ctx context.Context, d *pb.Down) error {
	answer := make(chan *pb.Answer, 1)
	s.mu.Lock()
	s.nextID++
	d.Id = s.nextID
	s.asked[d.Id] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.asked, d.Id)
		s.mu.Unlock()
	}()
	if !s.send(d) {
		return noContact(s.robot, "its stream has ended", s.cause)
	}
	select {
	case a := <-answer:
		err := faultFrom("robot "+string(s.robot), a.GetFault())
		if err == nil || fault.Is(err, fault.Conflict) {
			return err
		}
		return noContact(s.robot, "it does not take this now", err)
	case <-s.ended:
		return noContact(s.robot, "its stream has ended", s.cause)
	case <-ctx.Done():
		return noContact(s.robot, "it has not answered", ctx.Err())
	}
}

// fence refuses a token that the robot would refuse.
func (s *session) fence(token uint64) error {
	if seen := s.token.Load(); token < seen {
		return fault.New("grpcapi.Link", fault.Conflict, "old_token", "robot %s has seen token %d, and refuses %d", s.robot, seen, token)
	}
	return nil
}

func (s *session) answered(a *pb.Answer) {
	for seen := s.token.Load(); a.GetToken() > seen && !s.token.CompareAndSwap(seen, a.GetToken()); seen = s.token.Load() {
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.asked[a.GetId()]; c != nil {
		delete(s.asked, a.GetId())
		c <- a
	}
}

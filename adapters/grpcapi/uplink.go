package grpcapi

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
)

// upStream is the robot's end of a stream.
type upStream = grpc.BidiStreamingClient[pb.Up, pb.Down]

// uplink is what a robot has to say to one service, and the stream on which it
// says it, if there is one.
type uplink struct {
	wire  string
	robot *RobotClient
	pool  *RobotPool
	open  func(ctx context.Context, cc grpc.ClientConnInterface) (upStream, error)

	mu     sync.Mutex
	number uint64   // that was given to a message last
	acked  uint64   // that was acknowledged last
	queue  []*pb.Up // reports and syncs that are not acknowledged, in order
	news   *pb.Up   // telemetry that is not acknowledged; the newest
	sent   uint64   // number of the last of the queue that was sent, on whatever stream
	resent int      // reports that were sent again
	live   *live    // nil: no stream
}

// live is a stream that was welcomed. Its fields are guarded by the uplink's mu.
type live struct {
	stream  upStream
	window  int
	beat    time.Duration
	timer   *time.Timer // for the next beat
	answers []*pb.Up
	sent    int    // how many of the queue were sent on this stream
	told    uint64 // number of the telemetry that was sent last
	beatDue bool
	sending bool
}

// telemetry puts t in the place of what has not been sent yet.
func (u *uplink) telemetry(t *pb.Telemetry) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.number++
	u.news = &pb.Up{Number: u.number, Says: &pb.Up_Telemetry{Telemetry: t}}
	u.kick()
}

func (u *uplink) report(r *pb.Report) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.enqueue(&pb.Up{Says: &pb.Up_Report{Report: r}})
}

func (u *uplink) sync() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.enqueue(&pb.Up{Says: &pb.Up_Sync{Sync: &pb.Sync{}}})
}

// enqueue numbers a message and puts it behind the others. The caller holds mu.
func (u *uplink) enqueue(m *pb.Up) {
	u.number++
	m.Number = u.number
	u.queue = append(u.queue, m)
	u.kick()
}

// pending returns how many reports are not acknowledged.
func (u *uplink) pending() (n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, m := range u.queue {
		if m.GetReport() != nil {
			n++
		}
	}
	return n
}

// telling reports whether telemetry is not acknowledged.
func (u *uplink) telling() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.news != nil
}

// again returns how many reports were sent more than once.
func (u *uplink) again() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.resent
}

// kick has somebody send what can be sent. The caller holds mu.
func (u *uplink) kick() {
	if l := u.live; l != nil && !l.sending {
		l.sending = true
		go u.drain(l)
	}
}

// drain sends on l what can be sent, and ends.
func (u *uplink) drain(l *live) {
	for {
		u.mu.Lock()
		m := u.next(l)
		if m == nil {
			l.sending = false
			u.mu.Unlock()
			return
		}
		l.timer.Reset(l.beat)
		u.mu.Unlock()
		if l.stream.Send(m) != nil {
			return // the receiver learns why; sending stays true, so nobody tries on this stream again
		}
	}
}

// next returns what to send now: answers, for which somebody waits, then
// telemetry, then reports. The caller holds mu.
func (u *uplink) next(l *live) *pb.Up {
	switch {
	case u.live != l:
		return nil
	case len(l.answers) > 0:
		m := l.answers[0]
		l.answers = l.answers[1:]
		return m
	case u.news != nil && u.news.GetNumber() > l.told:
		l.told = u.news.GetNumber()
		return u.news
	case l.sent < len(u.queue) && l.sent < l.window:
		l.sent++
		m := u.queue[l.sent-1]
		if m.GetNumber() <= u.sent && m.GetReport() != nil {
			u.resent++
		}
		u.sent = max(u.sent, m.GetNumber())
		return m
	case l.beatDue:
		l.beatDue = false
		return &pb.Up{Says: &pb.Up_Beat{Beat: &pb.Beat{}}}
	}
	return nil
}

// run keeps a stream up until ctx ends.
func (u *uplink) run(ctx context.Context) {
	var wait backoff
	for ctx.Err() == nil {
		welcomed, err := u.connect(ctx)
		if welcomed {
			wait = backoff{}
		}
		if ctx.Err() != nil {
			return
		}
		if u.robot.o.Connected != nil {
			u.robot.o.Connected(u.wire, err)
		}
		u.robot.o.Log.Debug("stream is down", "robot", u.robot.o.ID, "wire", u.wire, "error", err)
		pause := wait.next()
		if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Exhausted) {
			pause = max(pause, lastWait/2) // somebody else has the robot, or must mend something first
		}
		if sleep(ctx, pause) != nil {
			return
		}
	}
}

// connect holds one stream until it ends, and reports whether the server welcomed it.
func (u *uplink) connect(ctx context.Context) (welcomed bool, err error) {
	op := "robot " + string(u.robot.o.ID) + " to " + u.wire
	conn, err := u.pool.take(u.wire)
	if err != nil {
		return false, faultOf(op, err)
	}
	defer u.pool.give(conn)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slow := time.AfterFunc(hearWithin*2, cancel) // until the welcome
	defer slow.Stop()
	stream, err := u.open(ctx, conn.cc)
	if err != nil {
		return false, faultOf(op, err)
	}
	if err := stream.Send(u.hello()); err != nil {
		_, err = stream.Recv() // says why
		return false, faultOf(op, err)
	}
	defer u.down()
	for {
		d, err := stream.Recv()
		if err != nil {
			return welcomed, faultOf(op, err)
		}
		if w := d.GetWelcome(); w != nil && !welcomed {
			slow.Stop()
			welcomed = true
			u.up(stream, w)
			continue
		}
		u.take(d)
	}
}

func (u *uplink) hello() *pb.Up {
	token := u.robot.Token()
	u.mu.Lock()
	defer u.mu.Unlock()
	return &pb.Up{Says: &pb.Up_Hello{Hello: &pb.Hello{
		Robot: string(u.robot.o.ID), Account: string(u.robot.o.Account), Protocol: protocol, Token: token, Acknowledged: u.acked,
	}}}
}

// minBeat is how often a robot says something at most only to be heard.
const minBeat = 50 * time.Millisecond

// up begins to use a stream: everything that is not acknowledged is said again,
// and then Task is asked what to do.
func (u *uplink) up(stream upStream, w *pb.Welcome) {
	l := &live{stream: stream, window: max(1, int(w.GetWindow())), beat: max(minBeat, time.Duration(w.GetBeatMs())*time.Millisecond)}
	l.timer = time.AfterFunc(l.beat, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		l.beatDue = true
		if u.live == l {
			u.kick()
		}
	})
	u.mu.Lock()
	u.live = l
	if u.wire == "task" {
		u.enqueue(&pb.Up{Says: &pb.Up_Sync{Sync: &pb.Sync{}}})
	} else {
		u.kick()
	}
	u.mu.Unlock()
	if u.robot.o.Connected != nil {
		u.robot.o.Connected(u.wire, nil)
	}
}

// down forgets the stream. Questions asked on it need no answer any more.
func (u *uplink) down() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.live == nil {
		return
	}
	u.live.timer.Stop()
	u.live = nil
	kept := u.queue[:0]
	for _, m := range u.queue {
		if m.GetSync() == nil {
			kept = append(kept, m)
		}
	}
	clear(u.queue[len(kept):])
	u.queue = kept
}

// take does what a message of the server says.
func (u *uplink) take(d *pb.Down) {
	var err error
	switch x := d.GetSays().(type) {
	case *pb.Down_Ack:
		u.ack(x.Ack)
		return
	case *pb.Down_Order:
		if err = u.robot.fence(x.Order.GetToken()); err == nil {
			err = u.robot.o.Handler.Order(orderFrom(x.Order))
		}
	case *pb.Down_Instruction:
		if err = u.robot.fence(x.Instruction.GetToken()); err == nil {
			err = u.robot.o.Handler.Instruct(instructionFrom(x.Instruction))
		}
	default:
		return // of a later version; it wants an answer that this one cannot give
	}
	a := &pb.Up{Says: &pb.Up_Answer{Answer: &pb.Answer{Id: d.GetId(), Fault: faultTo(err, true), Token: u.robot.Token()}}}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.live != nil {
		u.live.answers = append(u.live.answers, a)
		u.kick()
	}
}

// ack forgets what is acknowledged.
func (u *uplink) ack(a *pb.Ack) {
	u.mu.Lock()
	var about *pb.Up
	if u.news != nil && u.news.GetNumber() <= a.GetNumber() {
		u.news = nil
	}
	n := 0
	for n < len(u.queue) && u.queue[n].GetNumber() <= a.GetNumber() {
		if u.queue[n].GetNumber() == a.GetNumber() {
			about = u.queue[n]
		}
		n++
	}
	clear(u.queue[:n])
	u.queue = u.queue[n:]
	u.acked = max(u.acked, a.GetNumber())
	if u.live != nil {
		u.live.sent = max(0, u.live.sent-n)
		u.kick() // the window has moved
	}
	u.mu.Unlock()
	if err := faultFrom("robot "+string(u.robot.o.ID), a.GetFault()); err != nil {
		u.refused(about, err)
	}
}

// refused tells the robot what the server will not take.
func (u *uplink) refused(m *pb.Up, err error) {
	switch {
	case m.GetReport() != nil:
		u.robot.o.Handler.Refused(reportFrom(m.GetReport()), err)
	case m.GetSync() != nil && fault.Is(err, fault.NotFound):
		u.robot.o.Handler.NoTask()
	default:
		u.robot.o.Log.Warn("telemetry is refused", "robot", u.robot.o.ID, "error", err)
	}
}

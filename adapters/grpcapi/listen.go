package grpcapi

import (
	"context"
	"sync"
	"time"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/task"
)

// lane runs jobs one after the other, without a goroutine while there are none.
type lane struct {
	mu      sync.Mutex
	jobs    []func()
	running bool
}

// put appends a job, and returns how many wait or run now.
func (l *lane) put(job func()) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, job)
	if !l.running {
		l.running = true
		go l.run()
	}
	return len(l.jobs)
}

func (l *lane) run() {
	for {
		l.mu.Lock()
		if len(l.jobs) == 0 {
			l.running = false
			l.mu.Unlock()
			return
		}
		job := l.jobs[0]
		l.mu.Unlock()
		job()
		l.mu.Lock()
		l.jobs = l.jobs[1:]
		l.mu.Unlock()
	}
}

// newest holds the one telemetry that is not taken up yet: an older position
// is worth nothing once there is a newer one.
type newest struct {
	mu      sync.Mutex
	waiting *pb.Up
	running bool
}

// hearWithin is how long a service may take over one message of a robot.
const hearWithin = 5 * time.Second

// fleetRobots is Fleet's door for robots.
type fleetRobots struct {
	pb.UnimplementedFleetRobotsServer
	hub  *hub
	dir  Directory
	s    *fleet.Service
	quit <-chan struct{}
}

// Connect implements pb.FleetRobotsServer.
func (f *fleetRobots) Connect(stream robotStream) error {
	return f.hub.connect(stream, f.dir, f, f.quit)
}

// hear implements listener.
func (f *fleetRobots) hear(s *session, up *pb.Up) error {
	x, ok := up.GetSays().(*pb.Up_Telemetry)
	if !ok {
		return fault.New("grpcapi.Connect", fault.Invalid, "bad_message", "robot %s: %T is not for Fleet", s.robot, up.GetSays())
	}
	if r := x.Telemetry.GetRobot(); r != "" && r != string(s.robot) {
		return fault.New("grpcapi.Connect", fault.Forbidden, "not_yours", "robot %s speaks for robot %s", s.robot, clip(r, 64))
	}
	n := &s.news
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = up
	if !n.running {
		n.running = true
		go f.takeUp(s)
	}
	return nil
}

// takeUp hands the newest telemetry to Fleet, as long as there is any.
func (f *fleetRobots) takeUp(s *session) {
	for ctx := s.stream.Context(); ; {
		n := &s.news
		n.mu.Lock()
		up := n.waiting
		n.waiting = nil
		n.running = up != nil
		n.mu.Unlock()
		if up == nil {
			return
		}
		f.report(ctx, s, up)
		if sleep(ctx, s.h.lim.Every) != nil {
			return
		}
	}
}

// report hands one telemetry to Fleet. What cannot be kept now is not
// acknowledged: the next one is as good.
func (f *fleetRobots) report(ctx context.Context, s *session, up *pb.Up) {
	ctx, cancel := context.WithTimeout(ctx, hearWithin)
	defer cancel()
	t := telemetryFrom(up.GetTelemetry())
	t.Robot = s.robot
	err := checkTelemetry(t)
	if err == nil {
		err = f.s.Report(ctx, t)
	}
	switch {
	case err == nil:
		s.ack(up.GetNumber(), nil)
	case final(err):
		s.ack(up.GetNumber(), err)
	case ctx.Err() == nil:
		s.h.o.Log.Warn("telemetry is not taken", "robot", s.robot, "error", err)
	}
}

// final reports whether no repeat of a message would end otherwise.
func final(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Forbidden:
		return true
	}
	return false
}

// taskRobots is Task's door for robots.
type taskRobots struct {
	pb.UnimplementedTaskRobotsServer
	hub  *hub
	dir  Directory
	s    *task.Service
	quit <-chan struct{}
}

// Connect implements pb.TaskRobotsServer.
func (t *taskRobots) Connect(stream robotStream) error {
	return t.hub.connect(stream, t.dir, t, t.quit)
}

// hear implements listener. Reports are taken one after the other: Task
// ignores one that comes behind a later one.
func (t *taskRobots) hear(s *session, up *pb.Up) error {
	var job func(ctx context.Context) error
	switch x := up.GetSays().(type) {
	case *pb.Up_Report:
		if r := x.Report.GetRobot(); r != "" && r != string(s.robot) {
			return fault.New("grpcapi.Connect", fault.Forbidden, "not_yours", "robot %s speaks for robot %s", s.robot, clip(r, 64))
		}
		r := reportFrom(x.Report)
		r.Robot = s.robot
		job = func(ctx context.Context) error {
			if err := checkReport(r); err != nil {
				return err
			}
			return t.s.Report(ctx, r)
		}
	case *pb.Up_Sync:
		job = func(ctx context.Context) error { return t.s.Sync(ctx, s.robot) }
	default:
		return fault.New("grpcapi.Connect", fault.Invalid, "bad_message", "robot %s: %T is not for Task", s.robot, up.GetSays())
	}
	if n := s.jobs.put(func() { t.work(s, up.GetNumber(), job) }); n > s.h.lim.Window {
		return fault.New("grpcapi.Connect", fault.Exhausted, "window", "robot %s has more than %d messages unacknowledged", s.robot, s.h.lim.Window)
	}
	return nil
}

// maxTries is how often a message is handed to a service that is not well,
// before the robot is asked to connect once more and say it again.
const maxTries = 4

// work hands one message to Task until it is durable or refused for good. What
// comes behind it waits; where it cannot be taken at all the session ends.
func (t *taskRobots) work(s *session, number uint64, job func(ctx context.Context) error) {
	var wait backoff
	for range maxTries {
		select {
		case <-s.ended:
			return
		default:
		}
		ctx, cancel := context.WithTimeout(s.stream.Context(), 3*hearWithin) // it may tell the robot several things
		err := job(ctx)
		cancel()
		switch {
		case err == nil:
			s.ack(number, nil)
			return
		case final(err):
			s.ack(number, err)
			return
		case s.stream.Context().Err() != nil:
			return
		}
		s.h.o.Log.Warn("report is not taken", "robot", s.robot, "number", number, "error", err)
		if sleep(s.stream.Context(), wait.next()) != nil {
			return
		}
	}
	s.end(fault.New("grpcapi.Connect", fault.Unavailable, "not_taken", "message %d could not be taken; connect once more and say it again", number))
}

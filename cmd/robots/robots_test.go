package robots_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"footway/adapters/grpcapi"
	"footway/cmd/robots"
	"footway/core/fleet"
	"footway/core/task"
)

func (d *depot) jobs(from, to int) (ids []task.ID) {
	d.t.Helper()
	for i := from; i < to; i++ {
		ids = append(ids, d.job(i, fleet.RobotID(fmt.Sprintf("r%d", i+1))))
	}
	return ids
}

// TestTasksAreDrivenThroughCuts has 20 robots do what Task says, over a network that fails in the middle,
// and after reports arrived whose acknowledgements did not.
func TestTasksAreDrivenThroughCuts(t *testing.T) {
	d := newDepot(t)
	l := live(t, d.options(calm(20)))
	d.ready(20)
	var jobs []task.ID
	for round := range 3 {
		jobs = append(jobs, d.jobs(6*round, 6*round+6)...) // who drives has something to report
		before, _, _ := d.heard.count()
		d.door.mute()
		eventually(t, "a report is heard that nobody acknowledges", func() bool {
			now, _, _ := d.heard.count()
			return now > before
		})
		d.cut()
		d.connected(20)
	}
	jobs = append(jobs, d.jobs(18, 20)...)
	d.finish(jobs)
	s := l.end()
	reports, repeats, gaps := d.heard.count()
	if len(gaps) > 0 || reports != s.Reports || s.Pending != 0 || s.Refused != 0 {
		t.Errorf("Task heard %d reports, gaps %q; robots made %d, of which %d wait and %d were refused", reports, gaps, s.Reports, s.Pending, s.Refused)
	}
	if repeats == 0 || s.Resent < repeats || s.Reconnects < 3*40 || s.Instructions == 0 || s.Telemetry == 0 {
		t.Errorf("Task heard %d reports again, robots said %d again; %d reconnects, %d instructions, %d telemetry", repeats, s.Resent, s.Reconnects, s.Instructions, s.Telemetry)
	}
	t.Logf("%d reports, %d heard twice, %d reconnects, %d instructions", reports, repeats, s.Reconnects, s.Instructions)
}

// cut cuts all connections, and lets new ones through.
func (d *depot) cut() {
	d.t.Helper()
	d.door.shut()
	eventually(d.t, "the services see that nobody is there", func() bool { return d.links.task.Connected() == 0 && d.links.fleet.Connected() == 0 })
	d.door.open()
}

// TestServicesDieAndComeBack kills the process of Fleet and Task, and starts another on the same stores.
func TestServicesDieAndComeBack(t *testing.T) {
	d := newDepot(t)
	l := live(t, d.options(calm(10)))
	d.ready(10)
	jobs := d.jobs(0, 10)
	for range 2 {
		before, _, _ := d.heard.count()
		eventually(t, "robots report", func() bool {
			for _, id := range jobs {
				d.nudge(id)
			}
			now, _, _ := d.heard.count()
			return now > before+3
		})
		d.door.shut()
		d.kill()
		d.start()
		d.door.open()
		d.connected(10)
	}
	d.finish(jobs)
	if s := l.end(); s.Pending != 0 || s.Refused != 0 {
		t.Errorf("%d reports wait and %d were refused", s.Pending, s.Refused)
	}
}

// TestRobotsStartAnew ends the robots in the middle of their tasks: others of their names go on.
func TestRobotsStartAnew(t *testing.T) {
	d := newDepot(t)
	l := live(t, d.options(calm(5)))
	d.ready(5)
	jobs := d.jobs(0, 5)
	eventually(t, "one robot has been loaded", func() bool {
		for _, id := range jobs {
			if d.nudge(id).Current > 1 {
				return true
			}
		}
		return false
	})
	l.end()
	o := d.options(calm(5))
	o.Setup = nil // they are registered
	l = live(t, o)
	d.finish(jobs)
	if s := l.end(); s.Refused != 0 {
		t.Errorf("%d reports were refused", s.Refused)
	}
}

// TestDrain asks robots to end while nobody hears them, and hears them then.
func TestDrain(t *testing.T) {
	d := newDepot(t)
	l := live(t, d.options(calm(3)))
	d.ready(3)
	jobs := d.jobs(0, 3)
	before, _, _ := d.heard.count()
	d.door.mute()
	eventually(t, "a report is heard that nobody acknowledges", func() bool {
		now, _, _ := d.heard.count()
		return now > before
	})
	d.door.shut()
	l.stop()
	d.door.open()
	s := l.end()
	if s.Pending != 0 || s.Resent == 0 {
		t.Errorf("%d reports wait, %d were sent again", s.Pending, s.Resent)
	}
	for _, id := range jobs {
		x := d.nudge(id)
		p, err := d.telemetry.Telemetry(t.Context(), x.Robot)
		if err != nil || p.SpeedMMS != 0 {
			t.Errorf("robot %s was last heard of at %d mm/s, %v; want it to stand", x.Robot, p.SpeedMMS, err)
		}
	}
}

func TestStrangers(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(d *depot, o *robots.Options)
		want []string
	}{
		{"not registered", func(_ *depot, o *robots.Options) { o.Setup = nil }, []string{"does not let robot", "registered"}},
		{"wrong token", func(d *depot, o *robots.Options) { o.Fleet = d.dial("another token of somebody") }, []string{"fleet does not let robot", "credential"}},
		{"no operator", func(d *depot, o *robots.Options) { o.Setup = d.registrar("token of the account") }, []string{"register the fleet"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDepot(t)
			o := d.options(calm(2))
			tt.edit(d, &o)
			l := live(t, o)
			<-l.done
			if l.err == nil {
				t.Fatal("they were let in")
			}
			for _, want := range tt.want {
				if !strings.Contains(l.err.Error(), want) {
					t.Errorf("error %q, want %q in it", l.err, want)
				}
			}
		})
	}
}

func (d *depot) registrar(token string) registrar {
	cc, err := d.dial(token)()
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = cc.Close() })
	return registrar{grpcapi.NewFleetClient(cc)}
}

// TestThousand connects 1,000 robots from one process.
func TestThousand(t *testing.T) {
	const count = 1000
	d := newDepot(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	threads := runtime.NumGoroutine()
	o := d.options(calm(count))
	o.Speed = 1
	began := time.Now()
	l := live(t, o)
	d.connected(count)
	took := time.Since(began)
	d.ready(count)
	runtime.GC()
	runtime.ReadMemStats(&after)
	perRobot := (int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)) / count / 1024
	t.Logf("%d robots: registered and connected in %v, first heard of within %v; %d KiB and %.1f goroutines for each, those of the services with them",
		count, took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), perRobot, float64(runtime.NumGoroutine()-threads)/count)
	if perRobot > 500 {
		t.Errorf("%d KiB for each robot", perRobot)
	}
	if s := l.end(); s.Cuts != 0 || s.Connects != 2*count {
		t.Errorf("%d streams came up and %d were cut, want %d and none", s.Connects, s.Cuts, 2*count)
	}
}

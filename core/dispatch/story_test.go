package dispatch_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/porttest/fake"
	"footway/core/setting"
)

// TestStories plays the scripts in testdata. Each command lets something
// happen; the output is what Dispatch told the journal meanwhile, and what it refused.
func TestStories(t *testing.T) {
	played := 0
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		played++
		w := newWorld(nil)
		check(t, w.service.Resume(ctx, town))
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := w.play(t, d)
			if err != nil {
				out += "error: " + err.Error() + "\n"
			}
			if out = w.trace() + out; out == "" {
				return "ok\n"
			}
			return out
		})
	})
	if played < 8 {
		t.Fatalf("%d stories in testdata, want at least 8", played)
	}
}

// play runs one command.
func (w *world) play(t *testing.T, d *datadriven.TestData) (string, error) {
	a := args{t, d}
	switch d.Cmd {
	case "settings":
		for _, x := range d.CmdArgs {
			if err := setting.Set(&w.set, x.Key, x.Vals[0]); err != nil {
				return "", err
			}
		}
		return "", nil
	case "dock":
		return "", w.fleet.SaveDock(ctx, fleet.Dock{ID: fleet.DockID(d.CmdArgs[0].Key), Market: town, Position: a.place("at"), Slots: int(a.number("slots", 2)), PowerMW: 30_000})
	case "robot":
		w.addRobot(fleet.RobotID(d.CmdArgs[0].Key), fleet.Kind(a.text("kind", "robot")), a.place("at"), a.number("charge", 1000))
		return "", nil
	case "report":
		w.tell(a)
		return "", nil
	case "map":
		w.plane.version++
		w.plane.wall = maps.EdgeID(a.number("wall", 0))
		w.plane.border = maps.EdgeID(a.number("border", 0))
		if opens := a.text("opens", ""); opens != "" {
			w.plane.opens = w.clock.Now().Add(a.span("opens"))
		}
		return "", nil
	case "link":
		w.link.Lose(fleet.RobotID(d.CmdArgs[0].Key), a.text("lost", "") == "true")
		return "", nil
	case "free":
		r, err := w.fleet.Robot(ctx, fleet.RobotID(d.CmdArgs[0].Key))
		if err != nil {
			return "", err
		}
		return "", w.fleet.Release(ctx, r.ID, r.LastToken)
	case "request":
		return "", w.service.Request(ctx, a.request(w))
	case "withdraw":
		return "", w.service.Withdraw(ctx, town, d.CmdArgs[0].Key, int(a.number("attempt", 1)))
	case "finish":
		return "", w.finish(a)
	case "estimate":
		return w.estimate(a)
	case "run":
		err := w.run(w.clock.Now().Add(a.span("for")))
		return "", err
	case "restart":
		w.timers.Clear()
		w.service = w.newService()
		return "", w.service.Resume(ctx, town)
	case "robots":
		var b strings.Builder
		all, err := w.fleet.Candidates(ctx, town)
		for _, c := range all {
			held := "free"
			if r := c.Robot.Reservation; r != nil {
				held = "held for " + r.Holder
			}
			p := c.Telemetry.Position
			fmt.Fprintf(&b, "%s at (%d,%d) with %d: %s, %s\n", c.Robot.ID, p.Edge, p.OffsetMM, c.Telemetry.ChargeMWh, c.Telemetry.Activity, held)
		}
		return b.String(), err
	case "feed":
		var b strings.Builder
		for _, x := range w.decisions() {
			fmt.Fprintf(&b, "%s %s#%d %s %s %s\n", fake.Time(x.At), x.Delivery, x.Attempt, x.Kind, x.Robot, x.Cause)
		}
		return b.String(), nil
	}
	t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	return "", nil
}

// tell changes what a robot reports, and reports it.
func (w *world) tell(a args) {
	r := w.robot(fleet.RobotID(a.d.CmdArgs[0].Key))
	for _, x := range a.d.CmdArgs[1:] {
		switch x.Key {
		case "at":
			r.t.Position = a.place("at")
		case "charge":
			r.t.ChargeMWh = r.full * a.number("charge", 0) / 1000
		case "activity":
			r.t.Activity = fleet.Activity(x.Vals[0])
		case "loaded":
			r.t.Loaded = x.Vals[0] == "true"
		case "silent":
			r.silent = x.Vals[0] == "true"
		case "dock":
			r.t.Dock = fleet.DockID(x.Vals[0])
		default:
			a.t.Fatalf("%s: report has no %q", a.d.Pos, x.Key)
		}
	}
	w.report(r)
}

// finish ends a delivery where it is going: its robot stands idle at the drop-off.
func (w *world) finish(a args) error {
	x := w.last[a.d.CmdArgs[0].Key]
	r := w.robot(x.Robot)
	r.t.Activity, r.t.Loaded = fleet.Idle, false
	if a.d.HasArg("at") {
		r.t.Position = a.place("at")
	}
	w.report(r)
	return w.service.Finish(ctx, dispatch.Finish{
		Market: town, Delivery: x.Delivery, Attempt: x.Attempt, Robot: x.Robot, Token: x.Token, DropoffAt: w.clock.Now(),
	})
}

func (w *world) estimate(a args) (string, error) {
	q := dispatch.EstimateRequest{Market: town, Pickup: a.end("from"), Dropoff: a.end("to"), ReadyAt: w.clock.Now(),
		Load: fleet.Load{LengthMM: 100, WidthMM: 100, HeightMM: 100, Grams: int32(a.number("grams", 500))}}
	if a.d.HasArg("ready") {
		q.ReadyAt = q.ReadyAt.Add(a.span("ready"))
	}
	e, err := w.service.Estimate(ctx, q)
	switch {
	case err != nil:
		return "", err
	case e.Refusal != nil:
		out := fmt.Sprintf("refused %s: %s", e.Refusal.Reason, e.Refusal.Detail)
		if e.Refusal.NearestTime != 0 {
			out += "; possible at " + fake.Time(e.Refusal.NearestTime)
		}
		if p := e.Refusal.MeetingPoint; p != nil {
			out += fmt.Sprintf("; meet at (%d,%d)", p.Lon, p.Lat)
		}
		return out + "\n", nil
	}
	return fmt.Sprintf("pickup %s, 90%% by %s; drop-off %s, 90%% by %s; %d m in %v\n",
		fake.Time(e.PickupP50), fake.Time(e.PickupP90), fake.Time(e.DropoffP50), fake.Time(e.DropoffP90), e.RouteMM/1000, e.RouteTime), nil
}

// trace writes what Dispatch told the journal since the last time; rounds that
// are like the one before are only counted.
func (w *world) trace() string {
	var lines []string
	last, repeats := "", 0
	flush := func() {
		if repeats > 0 {
			lines[len(lines)-1] += fmt.Sprintf(", and %d times more", repeats)
		}
		repeats = 0
	}
	for _, e := range w.journal.Take() {
		text := line(e)
		if e.Kind == "dispatch.round" && text == last {
			repeats++
			continue
		}
		flush()
		last = text
		lines = append(lines, fake.Time(e.T)+" "+text)
	}
	flush()
	w.obey()
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func line(e event.Event) string {
	switch e.Kind {
	case "dispatch.round":
		var r dispatch.RoundDone
		decode(e, &r)
		return fmt.Sprintf("round: %d waiting, %d idle, %d planned, %d sent, %d held", r.Waiting, r.Idle, r.Planned, r.Committed, r.Held)
	case "dispatch.charge":
		var c dispatch.SentToCharge
		decode(e, &c)
		return fmt.Sprintf("%s charges at %s from %d to %d: %s", c.Robot, c.Dock, c.ChargeMWh, c.UntilMWh, c.Why)
	case "dispatch.move":
		var m dispatch.SentAway
		decode(e, &m)
		return fmt.Sprintf("%s goes to (%d,%d): %s", m.Robot, m.To.Edge, m.To.OffsetMM, m.Why)
	}
	var x dispatch.Decision
	decode(e, &x)
	if x.Kind != dispatch.Assigned {
		return fmt.Sprintf("%s#%d %s %s %s", x.Delivery, x.Attempt, x.Kind, x.Robot, x.Cause)
	}
	s := fmt.Sprintf("%s#%d -> %s, there at %s", x.Delivery, x.Attempt, x.Robot, fake.Time(x.PickupAt))
	if x.Why == nil {
		return s
	}
	s += fmt.Sprintf(" (%s, of %d", x.Why.Policy, x.Why.Candidates)
	if x.Why.RunnerUp != "" {
		s += fmt.Sprintf(", before %s which is %v too far", x.Why.RunnerUp, x.Why.RunnerUpCloser)
	}
	if x.Why.Held != 0 {
		s += fmt.Sprintf(", held %v", x.Why.Held)
	}
	return s + ")"
}

func decode(e event.Event, v any) {
	if err := json.Unmarshal(e.Data, v); err != nil {
		panic(fmt.Sprintf("%s: %v", e.Kind, err))
	}
}

// args reads a command's arguments.
type args struct {
	t *testing.T
	d *datadriven.TestData
}

func (a args) text(key, otherwise string) string {
	a.d.MaybeScanArgs(a.t, key, &otherwise)
	return otherwise
}

func (a args) number(key string, otherwise int64) int64 {
	a.d.MaybeScanArgs(a.t, key, &otherwise)
	return otherwise
}

func (a args) span(key string) clock.Duration {
	d, err := clock.ParseDuration(a.text(key, ""))
	if err != nil {
		a.t.Fatalf("%s: %s: %v", a.d.Pos, key, err)
	}
	return d
}

// place reads x/y, in metres.
func (a args) place(key string) maps.Position {
	p, ok := parsePosition(a.text(key, ""))
	if !ok {
		a.t.Fatalf("%s: %s: want metres as x/y", a.d.Pos, key)
	}
	return p
}

func parsePosition(s string) (maps.Position, bool) {
	x, y, ok := strings.Cut(s, "/")
	a, err := strconv.Atoi(x)
	b, err2 := strconv.Atoi(y)
	return maps.Position{Edge: maps.EdgeID(a), OffsetMM: int32(b)}, ok && err == nil && err2 == nil
}

// end reads one end of a delivery: x/y is an address, x^y a point.
func (a args) end(key string) dispatch.Place {
	s := a.text(key, "")
	x, y, ok := strings.Cut(s, "^")
	if !ok {
		return dispatch.Place{Address: s}
	}
	lon, err := strconv.Atoi(x)
	lat, err2 := strconv.Atoi(y)
	if err != nil || err2 != nil {
		a.t.Fatalf("%s: %s: want x/y or x^y", a.d.Pos, key)
	}
	return dispatch.Place{Point: &maps.Point{Lon: int32(lon), Lat: int32(lat)}}
}

func (a args) request(w *world) dispatch.Request {
	q := dispatch.Request{
		Market: town, Delivery: a.d.CmdArgs[0].Key, Attempt: int(a.number("attempt", 1)),
		Kind: dispatch.RequestKind(a.text("kind", "delivery")), Pickup: a.place("from"), Dropoff: a.place("to"),
		Load: fleet.Load{Grams: int32(a.number("grams", 500))}, ReadyAt: w.clock.Now(), RequestedAt: w.clock.Now(),
	}
	if a.d.HasArg("ready") {
		q.ReadyAt = q.ReadyAt.Add(a.span("ready"))
	}
	if a.d.HasArg("promise") {
		q.PromiseAt = w.clock.Now().Add(a.span("promise"))
	}
	if not := a.text("not", ""); not != "" {
		q.Not = []fleet.RobotID{fleet.RobotID(not)}
	}
	return q
}

// Package export turns runs into files for other programs: animations, trips for deck.gl and kepler.gl, and recordings
// for Foxglove. It opens no files and draws nothing.
package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/play"
)

// Span is the part of a run that is exported, both ends included.
type Span struct{ From, To clock.Time }

// Trips writes the drives of all robots as a GeoJSON FeatureCollection of LineStrings. Coordinates are longitude,
// latitude, altitude and Unix time in milliseconds, as kepler.gl wants them; the property timestamps has the same instants in
// seconds since the span began, which deck.gl's TripsLayer can tell apart in 32 bits.
func Trips(w io.Writer, run *play.Run, span Span) error {
	out := bufio.NewWriter(w)
	t := &trips{out: out, net: run.Network(), span: span, under: make(map[string]*trip)}
	s, err := run.At(span.From)
	if err != nil {
		return err
	}
	for i := range s.Robots { // that are on their way as the span begins
		if r := &s.Robots[i]; r.Leg != nil {
			t.under[r.ID] = &trip{leg: r.Leg, at: r.LegAt}
		}
	}
	fmt.Fprint(out, `{"type":"FeatureCollection","features":[`)
	for e, err := range run.Events(span.From, span.To) {
		if err == nil {
			err = t.see(e)
		}
		if err != nil {
			return err
		}
	}
	for _, robot := range t.robots() {
		t.end(robot, span.To)
	}
	if t.err != nil {
		return t.err
	}
	fmt.Fprint(out, "\n]}\n")
	return out.Flush()
}

// trip is what a robot drives.
type trip struct {
	leg   *runlog.Leg // nil: it sends poses
	at    clock.Time  // when the leg began
	poses []stop
}

// stop is a place of a trip.
type stop struct {
	t  clock.Time
	at maps.Point
}

// trips writes features as drives end.
type trips struct {
	out     io.Writer
	net     *maps.Network
	span    Span
	under   map[string]*trip // by robot
	written int
	err     error
}

func (t *trips) robots() []string {
	var ids []string
	//detlint:allow they are sorted before anybody sees them
	for id := range t.under {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, play.ByID)
	return ids
}

func (t *trips) see(e *event.Event) error {
	switch e.Kind {
	case runlog.RobotLeg:
		t.end(e.Entity, e.T)
		l := new(runlog.Leg)
		if err := json.Unmarshal(e.Data, l); err != nil {
			return fmt.Errorf("export: event %d (%s of %q): %w", e.Seq, e.Kind, e.Entity, err)
		}
		if len(l.Route) > 0 {
			t.under[e.Entity] = &trip{leg: l, at: e.T}
		}
	case runlog.RobotHalt, runlog.RobotResume, runlog.RobotCharging, runlog.RobotCharged:
		t.end(e.Entity, e.T)
	case runlog.RobotPose:
		var p runlog.Pose
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return fmt.Errorf("export: event %d (%s of %q): %w", e.Seq, e.Kind, e.Entity, err)
		}
		if t.net.Check(p.Position) {
			t.pose(e, &p)
		}
	}
	return t.err
}

// pose goes on with the trip of a robot that sends poses. One that was silent for long begins another.
func (t *trips) pose(e *event.Event, p *runlog.Pose) {
	const silence = 10 * clock.Second
	x := t.under[e.Entity]
	if x == nil || x.leg != nil || e.T.Sub(x.poses[len(x.poses)-1].t) > silence {
		t.end(e.Entity, e.T)
		x = new(trip)
		t.under[e.Entity] = x
	}
	here := stop{e.T, t.net.PointAt(p.Position)}
	n := len(x.poses)
	if n > 1 && x.poses[n-1].at == here.at && x.poses[n-2].at == here.at {
		x.poses[n-1].t = e.T // it stands
		return
	}
	x.poses = append(x.poses, here)
}

// end writes what a robot drove up to now.
func (t *trips) end(robot string, now clock.Time) {
	x := t.under[robot]
	if x == nil {
		return
	}
	delete(t.under, robot)
	stops := x.poses
	if x.leg != nil {
		stops = along(x.leg, x.at, min(now, t.span.To), t.net)
	}
	stops = slices.DeleteFunc(stops, func(s stop) bool { return s.t < t.span.From })
	if len(stops) < 2 || t.err != nil {
		return
	}
	t.err = t.write(robot, x.leg, stops)
}

// properties are those of a feature.
type properties struct {
	Robot      string    `json:"robot"`
	Purpose    string    `json:"purpose,omitempty"`
	Delivery   string    `json:"delivery,omitempty"`
	Loaded     bool      `json:"loaded"`
	Timestamps []float64 `json:"timestamps"`
}

func (t *trips) write(robot string, l *runlog.Leg, stops []stop) error {
	p := properties{Robot: robot}
	if l != nil {
		p.Purpose, p.Delivery, p.Loaded = string(l.Purpose), l.Delivery, l.Loaded
	}
	line := []byte(`[`)
	for i, s := range stops {
		p.Timestamps = append(p.Timestamps, float64(s.t.Sub(t.span.From))/1000)
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, '[')
		line = strconv.AppendFloat(line, float64(s.at.Lon)/1e7, 'f', 7, 64)
		line = append(line, ',')
		line = strconv.AppendFloat(line, float64(s.at.Lat)/1e7, 'f', 7, 64)
		line = append(line, ",0,"...)
		line = strconv.AppendInt(line, int64(s.t), 10)
		line = append(line, ']')
	}
	props, err := json.Marshal(p)
	if err != nil {
		return err
	}
	comma := ","
	if t.written == 0 {
		comma = ""
	}
	t.written++
	_, err = fmt.Fprintf(t.out, "%s\n{\"type\":\"Feature\",\"properties\":%s,\"geometry\":{\"type\":\"LineString\",\"coordinates\":%s]}}", comma, props, line)
	return err
}

// along returns the corners of a leg that began at a time, up to when it ended or was broken off, and the
// begins and ends of its waits.
func along(l *runlog.Leg, at, until clock.Time, net *maps.Network) []stop {
	var stops []stop
	put := func(since clock.Duration, p maps.Point) bool {
		if at.Add(since) >= until {
			length := func(id maps.EdgeID) int32 { return net.Edges[id].LengthMM }
			if pos, ok := l.At(until.Sub(at), length); ok {
				stops = append(stops, stop{until, net.PointAt(pos)})
			}
			return false
		}
		stops = append(stops, stop{at.Add(since), p})
		return true
	}
	var line []maps.Point
	enter := clock.Duration(0)
	for i, id := range l.Route {
		from, to := int32(0), net.Edges[id].LengthMM
		if i == 0 {
			from = l.StartMM
		}
		if i == len(l.Route)-1 {
			to = l.EndMM
		}
		leave, left := clock.Duration(l.Times[i]), enter
		for _, h := range l.Waits {
			if h.Index == i {
				left += clock.Duration(h.Millis)
			}
		}
		if i == 0 && !put(enter, net.PointAt(maps.Position{Edge: id, OffsetMM: from})) {
			return stops
		}
		if left > enter && !put(left, net.PointAt(maps.Position{Edge: id, OffsetMM: from})) {
			return stops
		}
		line = net.Line(line[:0], id)
		for _, c := range corners(line, net.Edges[id].LengthMM) {
			if c.mm <= from || c.mm >= to {
				continue
			}
			if !put(left+(leave-left)*clock.Duration(c.mm-from)/clock.Duration(to-from), c.at) {
				return stops
			}
		}
		if !put(leave, net.PointAt(maps.Position{Edge: id, OffsetMM: to})) {
			return stops
		}
		enter = leave
	}
	return stops
}

// corner is a point of an edge's line.
type corner struct {
	mm int32 // from its beginning
	at maps.Point
}

// corners returns where on an edge of a length its line's points are.
func corners(line []maps.Point, lengthMM int32) []corner {
	var total int64
	for i := range line[1:] {
		total += maps.Distance(line[i], line[i+1])
	}
	all := make([]corner, 0, len(line))
	var done int64
	for i, p := range line {
		if i > 0 {
			done += maps.Distance(line[i-1], p)
		}
		all = append(all, corner{int32(done * int64(lengthMM) / max(total, 1)), p})
	}
	return all
}

package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/maps"
	"footway/visualizer/play"
)

// Recording is how a run is recorded for Foxglove.
type Recording struct {
	Span
	Step  clock.Duration // between two places of a robot that moves; 0: a second
	Codec Codec          // nil: not compressed
	// Look is called now and then with how much is done, from 0 to 1; its error ends the work. Nil: nobody looks.
	Look func(part float64) error
}

// mostRobots is how many channels a recording can have for robots.
const mostRobots = 60_000

// MCAP writes a recording for Foxglove: where each robot is on a channel of its own, what it does on another,
// and every event on /events. Messages are JSON.
func MCAP(w io.Writer, run *play.Run, o Recording) error {
	if o.Step <= 0 {
		o.Step = clock.Second
	}
	out := bufio.NewWriterSize(w, 1<<16)
	m := newMCAP(out, o.Codec, "footway")
	r := &recorder{m: m, net: run.Network(), robots: make(map[string]*recorded)}
	r.location, r.robot = m.schema("foxglove.LocationFix", locationSchema), m.schema("footway.Robot", robotSchema)
	r.events = m.channel("/events", m.schema("footway.Event", eventSchema))
	next := o.From
	places := func(until clock.Time) error {
		for ; next <= until; next = next.Add(o.Step) {
			if err := r.look(run, next); err != nil {
				return err
			}
			if o.Look != nil {
				if err := o.Look(float64(next.Sub(o.From)) / float64(o.To.Sub(o.From))); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for e, err := range run.Events(o.From, o.To) {
		if err == nil {
			err = places(e.T)
		}
		if err == nil {
			err = r.event(e)
		}
		if err != nil {
			return err
		}
	}
	if err := places(o.To); err != nil {
		return err
	}
	if err := m.close(); err != nil {
		return err
	}
	return out.Flush()
}

// recorder writes what it sees of a run.
type recorder struct {
	m                       *mcap
	net                     *maps.Network
	events, location, robot uint16
	robots                  map[string]*recorded
	now                     uint64 // time of the last message: events of a clock that was set back do not go back
	line                    []byte
}

// recorded is a robot, as it was written last.
type recorded struct {
	where, what uint16 // channels
	at          maps.Position
	written     clock.Time
	state       []byte
}

// stamp returns a time in nanoseconds.
func (r *recorder) stamp(t clock.Time) uint64 {
	r.now = max(r.now, uint64(t)*1e6)
	return r.now
}

// look writes where everybody is at t. One that stands is written now and then.
func (r *recorder) look(run *play.Run, t clock.Time) error {
	const still = 30 * clock.Second
	s, err := run.At(t)
	if err != nil {
		return err
	}
	for i := range s.Robots {
		x := &s.Robots[i]
		if !x.Known {
			continue
		}
		k := r.robots[x.ID]
		if k == nil {
			if len(r.robots) == mostRobots {
				return fmt.Errorf("export: more than %d robots", mostRobots)
			}
			k = &recorded{where: r.m.channel("/robot/"+x.ID+"/location", r.location), what: r.m.channel("/robot/"+x.ID+"/state", r.robot)}
			r.robots[x.ID] = k
		}
		if k.written == 0 || k.at != x.Pos || t.Sub(k.written) >= still {
			k.at, k.written = x.Pos, t
			r.place(k.where, t, r.net.PointAt(x.Pos))
		}
		if err := r.state(k, x, t); err != nil {
			return err
		}
	}
	return nil
}

// place writes a LocationFix.
func (r *recorder) place(channel uint16, t clock.Time, p maps.Point) {
	b := fmt.Appendf(r.line[:0], `{"timestamp":{"sec":%d,"nsec":%d},"frame_id":"earth","latitude":`, t/1000, t%1000*1e6)
	b = strconv.AppendFloat(b, float64(p.Lat)/1e7, 'f', 7, 64)
	b = append(b, `,"longitude":`...)
	b = strconv.AppendFloat(b, float64(p.Lon)/1e7, 'f', 7, 64)
	b = append(b, `,"altitude":0,"position_covariance":[0,0,0,0,0,0,0,0,0],"position_covariance_type":0}`...)
	r.line = b
	r.m.message(channel, r.stamp(t), b)
}

// robotState is a message of a robot's second channel.
type robotState struct {
	Activity string `json:"activity"`
	State    string `json:"state"`
	Charge   int    `json:"charge_permille"` // -1 if unknown
	Loaded   bool   `json:"loaded"`
	Delivery string `json:"delivery"`
	Cause    string `json:"cause"` // of a halt
}

// state writes what a robot does where it has changed; its charge by the percent.
func (r *recorder) state(k *recorded, x *play.Robot, t clock.Time) error {
	const percent = 10
	charge := x.ChargePermille()
	if charge > 0 {
		charge -= charge % percent
	}
	b, err := json.Marshal(robotState{
		Activity: x.Activity.String(), State: string(x.State), Charge: charge, Loaded: x.Loaded, Delivery: x.Delivery, Cause: x.Cause,
	})
	if err != nil || string(b) == string(k.state) {
		return err
	}
	k.state = b
	r.m.message(k.what, r.stamp(t), b)
	return nil
}

func (r *recorder) event(e *event.Event) error {
	b, err := json.Marshal(e)
	if err == nil {
		r.m.message(r.events, r.stamp(e.T), b)
	}
	return err
}

// The schemas of the messages.
const (
	locationSchema = `{"title":"foxglove.LocationFix","type":"object","properties":{` +
		`"timestamp":{"type":"object","title":"time","properties":{"sec":{"type":"integer","minimum":0},"nsec":{"type":"integer","minimum":0,"maximum":999999999}}},` +
		`"frame_id":{"type":"string"},"latitude":{"type":"number"},"longitude":{"type":"number"},"altitude":{"type":"number"},` +
		`"position_covariance":{"type":"array","items":{"type":"number"},"minItems":9,"maxItems":9},` +
		`"position_covariance_type":{"oneOf":[{"title":"UNKNOWN","const":0},{"title":"APPROXIMATED","const":1},{"title":"DIAGONAL_KNOWN","const":2},{"title":"KNOWN","const":3}]}}}`
	robotSchema = `{"title":"footway.Robot","type":"object","properties":{"activity":{"type":"string"},"state":{"type":"string"},` +
		`"charge_permille":{"type":"integer"},"loaded":{"type":"boolean"},"delivery":{"type":"string"},"cause":{"type":"string"}}}`
	eventSchema = `{"title":"footway.Event","type":"object","properties":{"seq":{"type":"integer"},"t":{"type":"integer"},"market":{"type":"string"},` +
		`"kind":{"type":"string"},"entity":{"type":"string"},"version":{"type":"integer"},"data":{}}}`
)

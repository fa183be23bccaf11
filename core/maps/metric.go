package maps

import (
	"math"
	"sync/atomic"
)

// Unreachable is the cost of an edge that is closed or that the profile refuses.
const Unreachable = math.MaxInt64

// Live is what changes on a network that stays as it is.
type Live struct {
	Version uint64      // of the metric made from it; rises with each change
	Closed  []EdgeID    // in any order; a direction each
	Speeds  ClassSpeeds // rain, snow, crowds
	Areas   []LiveArea  // in force now
}

// ClassSpeeds are the shares of the speed that are left now, in permille by
// class; 0 means all of it.
type ClassSpeeds [classes]int32

// LiveArea is an area's effect on the edges that touch it.
type LiveArea struct {
	Polygon  []Point
	Closed   bool
	Permille int32 // share of the speed that is left, where not closed
}

// Metric is what each edge of a network takes a robot of one profile under one
// Live state. It is immutable and may be shared.
type Metric struct {
	Version uint64

	net    *Network
	weight []int64  // cost << tieBits, and below that a fixed number of the edge's own; Unreachable if closed
	millis []int32  // waiting, driving and kerb
	drive  []int32  // driving only
	energy []uint32 // µWh
}

// tieBits is the width of the number that is added to each edge's cost below
// the millisecond, so that two ways hardly ever cost the same: then the best way is
// the same whichever end a search starts from. (Mulmuley, Vazirani and Vazirani's
// isolating weights, 1987.) Exact ties are still noticed; see tree.tied.
const tieBits = 28

// maxEdgeCost bounds an edge's cost in ms, about 37 hours.
const maxEdgeCost = 1 << 27

// NewMetric returns the metric of n for a robot of profile p under live.
func NewMetric(n *Network, p Profile, live Live) *Metric {
	m := &Metric{
		Version: live.Version, net: n,
		weight: make([]int64, len(n.Edges)), millis: make([]int32, len(n.Edges)),
		drive: make([]int32, len(n.Edges)), energy: make([]uint32, len(n.Edges)),
	}
	factor, closed := areaEffects(n, live.Areas)
	for _, id := range live.Closed {
		if id >= 0 && int(id) < len(n.Edges) {
			closed[id] = true
		}
	}
	for i := range n.Edges {
		e := &n.Edges[i]
		f := int64(factor[i])
		if s := live.Speeds[e.Class]; s > 0 {
			f = f * int64(s) / 1000
		}
		drive := p.DriveMillis(e, int32(f))
		millis := drive + int64(p.Wait(e)) + int64(p.KerbTime(e))
		m.drive[i] = int32(min(drive, math.MaxInt32))
		m.millis[i] = int32(min(millis, math.MaxInt32))
		m.energy[i] = uint32(min(p.microWh(e, millis), math.MaxUint32))
		m.weight[i] = Unreachable
		if !closed[i] && p.Refuses(e) == Passable {
			m.weight[i] = weigh(p.cost(e, drive), EdgeID(i))
		}
	}
	return m
}

// weigh joins a cost in ms with the edge's own number below it.
func weigh(cost int64, id EdgeID) int64 {
	z := uint64(id)*0x9e3779b97f4a7c15 + 0x632be59bd9b4e019
	z = (z ^ z>>31) * 0x94d049bb133111eb
	z ^= z >> 29
	return min(max(cost, 1), maxEdgeCost)<<tieBits | int64(z>>(64-tieBits))
}

// areaEffects returns for each edge the share of speed that areas leave, and
// whether one closes it. Of several slow areas the slowest counts.
func areaEffects(n *Network, areas []LiveArea) (factor []int32, closed []bool) {
	factor, closed = make([]int32, len(n.Edges)), make([]bool, len(n.Edges))
	for i := range factor {
		factor[i] = 1000
	}
	for i := range areas {
		a := &areas[i]
		for _, id := range n.EdgesTouching(a.Polygon) {
			if a.Closed {
				closed[id] = true
			} else {
				factor[id] = min(factor[id], a.Permille)
			}
		}
	}
	return factor, closed
}

// Cost returns what e counts for in the choice of the way, in ms, or Unreachable.
func (m *Metric) Cost(e EdgeID) int64 {
	if m.weight[e] == Unreachable {
		return Unreachable
	}
	return m.weight[e] >> tieBits
}

// Open reports whether a robot may use e now.
func (m *Metric) Open(e EdgeID) bool { return m.weight[e] != Unreachable }

// Millis returns the expected time of e in ms, with waiting and kerb.
func (m *Metric) Millis(e EdgeID) int64 { return int64(m.millis[e]) }

// Drive returns the driving time of e in ms, without waiting and kerb.
func (m *Metric) Drive(e EdgeID) int64 { return int64(m.drive[e]) }

// MicroWh returns the energy of e in µWh.
func (m *Metric) MicroWh(e EdgeID) int64 { return int64(m.energy[e]) }

// leaveWeight is the weight of e for a robot that already stands on it: it may
// go on to the end of an edge that has been closed under it.
func (m *Metric) leaveWeight(e EdgeID) int64 {
	if w := m.weight[e]; w != Unreachable {
		return w
	}
	return weigh(int64(m.millis[e]), e)
}

// MetricSource holds the metric in force, for routers that follow it. It is
// safe for concurrent use.
type MetricSource struct{ now atomic.Pointer[Metric] }

// NewMetricSource returns a source that holds m.
func NewMetricSource(m *Metric) *MetricSource {
	s := &MetricSource{}
	s.now.Store(m)
	return s
}

// Metric returns the metric in force.
func (s *MetricSource) Metric() *Metric { return s.now.Load() }

// Set puts m into force.
func (s *MetricSource) Set(m *Metric) { s.now.Store(m) }

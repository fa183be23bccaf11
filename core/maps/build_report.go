package maps

import (
	"cmp"
	"slices"
)

// BuildReport says what Build made of its input. An edge is one direction; a
// length counts each direction.
type BuildReport struct {
	Nodes      int          `json:"nodes"`      // nodes added
	Stretches  int          `json:"stretches"`  // stretches added
	Components int          `json:"components"` // strongly connected parts, of which the largest is kept
	KeptNodes  int          `json:"kept_nodes"`
	KeptEdges  int          `json:"kept_edges"`
	Classes    []ClassTotal `json:"classes"` // what was kept, by class
	Dropped    []Drop       `json:"dropped"` // what was not, by reason
	Addresses  Placed       `json:"addresses"`
	Merchants  Placed       `json:"merchants"`
}

// ClassTotal is how much of a class was kept.
type ClassTotal struct {
	Class    Class `json:"class"`
	Edges    int   `json:"edges"`
	LengthMM int64 `json:"length_mm"`
}

// Drop is how much was left out for one reason, such as "too steep" or "not connected".
type Drop struct {
	Reason   string `json:"reason"`
	Edges    int    `json:"edges"`
	LengthMM int64  `json:"length_mm"`
}

// Placed counts what was snapped to the network.
type Placed struct {
	Kept int `json:"kept"`
	Far  int `json:"far"` // further than SnapLimitMM from any place to stand
}

func (r *BuildReport) drop(reason string, length int32) {
	i := slices.IndexFunc(r.Dropped, func(d Drop) bool { return d.Reason == reason })
	if i < 0 {
		i = len(r.Dropped)
		r.Dropped = append(r.Dropped, Drop{Reason: reason})
	}
	r.Dropped[i].Edges++
	r.Dropped[i].LengthMM += int64(length)
}

// finish fills in what was kept and orders the reasons.
func (r *BuildReport) finish(n *Network) {
	slices.SortFunc(r.Dropped, func(a, b Drop) int { return cmp.Compare(a.Reason, b.Reason) })
	r.KeptNodes, r.KeptEdges = len(n.Nodes), len(n.Edges)
	var totals [classes]ClassTotal
	for i := range n.Edges {
		e := &n.Edges[i]
		totals[e.Class].Edges++
		totals[e.Class].LengthMM += int64(e.LengthMM)
	}
	for c, t := range totals {
		if t.Edges > 0 {
			t.Class = Class(c)
			r.Classes = append(r.Classes, t)
		}
	}
}

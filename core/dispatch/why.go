package dispatch

import (
	"cmp"
	"slices"

	"footway/core/clock"
)

// explain says why robot at was chosen for request k among the robots that
// eligible accepts: who else could have gone, and by how much the best of them
// would have had to be closer to cost the same.
func (r *Round) explain(k, at int, o Option, eligible func(i int) bool) Why {
	why := Why{
		Policy: r.Settings.Policy, Round: r.Number, Waiting: len(r.Requests),
		Deadhead: o.Deadhead, DeadheadMM: o.LengthMM, Cost: o.Cost,
	}
	if held := r.Requests[k].Held; held != 0 {
		why.Held = r.Now.Sub(held)
	}
	best := make([]considered, 0, r.Settings.ConsideredInWhys+2)
	for i := range r.Robots {
		if !eligible(i) {
			continue
		}
		other, ok := r.Option(i, k)
		if !ok {
			continue
		}
		why.Candidates++
		best = insert(best, considered{i, other}, max(2, r.Settings.ConsideredInWhys))
	}
	for n, c := range best {
		robot := r.Robots[c.robot].Robot
		if n < r.Settings.ConsideredInWhys {
			why.Considered = append(why.Considered, Considered{Robot: robot, Pickup: c.option.Arrive.Sub(r.Now), Cost: c.option.Cost})
		}
		if c.robot != at && why.RunnerUp == "" {
			why.RunnerUp = robot
			why.RunnerUpCloser = r.closer(c.robot, k, o.Cost)
		}
	}
	return why
}

// considered is a robot's option.
type considered struct {
	robot  int
	option Option
}

// insert keeps the limit cheapest options in order, by robot where they cost the same.
func insert(best []considered, c considered, limit int) []considered {
	i, _ := slices.BinarySearchFunc(best, c, func(a, b considered) int {
		return cmp.Or(cmp.Compare(a.option.Cost, b.option.Cost), cmp.Compare(a.robot, b.robot))
	})
	if i == limit {
		return best
	}
	if len(best) == limit {
		best = best[:limit-1]
	}
	return slices.Insert(best, i, c)
}

// closer returns by how much shorter the drive of robot i to request k would
// have had to be to cost no more than target; the whole drive if that would
// not have been enough.
func (r *Round) closer(i, k int, target int64) clock.Duration {
	o, ok := r.Option(i, k)
	if !ok || o.Cost <= target {
		return 0
	}
	low, high := clock.Duration(0), o.Deadhead // too little; enough, or all there is
	for high-low > 1 {
		mid := low + (high-low)/2
		if r.cost(&r.Requests[k], o.Arrive.Add(-mid), o.Deadhead-mid) <= target {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

package dispatch

import "footway/core/dispatch/lap"

// rolling assigns all requests at once to the robots that are free or soon
// will be, at the least total cost, and commits only what is due: the rest is
// a plan that the next round may change.
type rolling struct {
	solver lap.Solver
	cost   []int64
	skip   []int64
	gaps   []int64
	best   []int64 // scratch of keepBest
}

// Name implements Policy.
func (*rolling) Name() string { return "rolling" }

// Plan implements Policy.
func (p *rolling) Plan(r *Round) []Pairing {
	n := len(r.Robots)
	p.cost, p.skip = p.cost[:0], p.skip[:0]
	for k := range r.Requests {
		p.skip = append(p.skip, r.leftOver(k))
		for i := range r.Robots {
			cost := lap.Infinite
			if o, ok := r.Option(i, k); ok {
				cost = o.Cost
			}
			p.cost = append(p.cost, cost)
		}
		p.keepBest(p.cost[len(p.cost)-n:], r.Settings.Candidates)
	}
	s := p.solver.Solve(lap.Problem{Rows: len(r.Requests), Cols: n, Cost: p.cost, Skip: p.skip})
	var plan []Pairing
	for k, i := range s.RowToCol {
		if i < 0 {
			continue
		}
		o, _ := r.Option(i, k)
		commit := r.can(i, o) && r.due(k, o)
		pairing := Pairing{Request: k, Robot: i, Commit: commit, Option: o}
		if commit {
			pairing.Why = p.why(r, k, i, o)
		}
		plan = append(plan, pairing)
	}
	return plan
}

// keepBest rules out all of row but the k least costs, and those equal to the last of them.
func (p *rolling) keepBest(row []int64, k int) {
	if k >= len(row) {
		return
	}
	p.best = append(p.best[:0], row...)
	most := kth(p.best, k-1)
	for i, c := range row {
		if c > most {
			row[i] = lap.Infinite
		}
	}
}

// kth returns the value that would be at index k if v were sorted, and reorders
// v. (Hoare, "Algorithm 65: Find", 1961.)
func kth(v []int64, k int) int64 {
	low, high := 0, len(v)-1
	for low < high {
		pivot := v[(low+high)/2]
		i, j := low, high
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return v[k]
		}
	}
	return v[k]
}

// why explains a pairing by the whole solution: the runner-up is the robot
// whose cost would have had to fall least to be the best choice for everybody, and the
// price is what this request costs all of them together.
func (p *rolling) why(r *Round, k, at int, o Option) Why {
	why := r.explain(k, at, o, func(int) bool { return true })
	p.gaps, why.Price = p.solver.Gaps(k, p.gaps)
	second := -1
	for i, gap := range p.gaps {
		if i != at && gap < lap.Infinite/2 && (second < 0 || gap < p.gaps[second]) {
			second = i
		}
	}
	why.RunnerUp, why.RunnerUpCloser = "", 0
	if second >= 0 {
		why.RunnerUp = r.Robots[second].Robot
		why.RunnerUpCloser = r.closer(second, k, p.cost[k*len(r.Robots)+second]-p.gaps[second])
	}
	return why
}

package dispatch

// nearest is the baseline: requests by age, each to the idle robot that is
// there first, at once.
type nearest struct{ taken []bool }

// Name implements Policy.
func (*nearest) Name() string { return "nearest" }

// Plan implements Policy.
func (p *nearest) Plan(r *Round) []Pairing {
	p.taken = append(p.taken[:0], make([]bool, len(r.Robots))...)
	var plan []Pairing
	for k := range r.Requests {
		best, at := Option{}, -1
		for i := range r.Robots {
			if p.taken[i] || !r.Robots[i].Idle {
				continue
			}
			if o, ok := r.Option(i, k); ok && r.can(i, o) && (at < 0 || o.Arrive < best.Arrive) {
				best, at = o, i
			}
		}
		if at < 0 {
			continue
		}
		why := r.explain(k, at, best, func(i int) bool { return r.Robots[i].Idle && !p.taken[i] })
		p.taken[at] = true
		plan = append(plan, Pairing{Request: k, Robot: at, Commit: true, Option: best, Why: why})
	}
	return plan
}

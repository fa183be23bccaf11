package play

import (
	"bytes"
	"cmp"
	"slices"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/maps"
)

// Explanation is a decision of dispatch with where everybody was.
type Explanation struct {
	Decision   *dispatch.Decision
	Pickup     maps.Position
	Candidates []Candidate // best first

	decided []byte // the decision, as the log has it
}

// Candidate is a robot that could have gone.
type Candidate struct {
	Robot  string
	At     maps.Position  // when it was considered
	Pickup clock.Duration // until it would have been at the pickup
	Cost   int64
	Chosen bool
	Second bool // it would have gone otherwise
}

// Explain returns why the robot of a delivery that is open now was chosen; nil if nothing is known of it.
func (r *Run) Explain(id string) *Explanation {
	d := r.state.Delivery(id)
	if d == nil || d.decided == nil {
		return nil
	}
	if x := r.explained; x != nil && x.Decision.Delivery == id && bytes.Equal(x.decided, d.decided) {
		return x
	}
	decision := d.Decision()
	if decision == nil || decision.Why == nil {
		return nil
	}
	x := &Explanation{Decision: decision, Pickup: d.Pickup, decided: d.decided}
	at := decision.At
	if from, _ := r.Span(); at < from { // where they were is forgotten
		r.explained = x
		return x
	}
	s, err := r.log.Seek(at)
	if err != nil {
		return nil // At has the same trouble, and says so
	}
	then := &Run{log: r.log, net: r.net, index: index{registered: r.index.registered}}
	if err := then.from(s, at); err != nil {
		return nil
	}
	why := decision.Why
	for _, c := range why.Considered {
		robot := then.state.Robot(string(c.Robot))
		if robot == nil {
			continue
		}
		robot.move(at, r.net)
		x.Candidates = append(x.Candidates, Candidate{
			Robot: robot.ID, At: robot.Pos, Pickup: c.Pickup, Cost: c.Cost,
			Chosen: c.Robot == decision.Robot, Second: c.Robot == why.RunnerUp,
		})
	}
	x.addChosen(then, at)
	r.explained = x
	return x
}

// addChosen adds the robot that went, if it is not among the best few: what is best
// for all requests together need not be for each.
func (x *Explanation) addChosen(then *Run, at clock.Time) {
	d := x.Decision
	for i := range x.Candidates {
		if x.Candidates[i].Chosen {
			return
		}
	}
	robot := then.state.Robot(string(d.Robot))
	if robot == nil {
		return
	}
	robot.move(at, then.net)
	c := Candidate{Robot: robot.ID, At: robot.Pos, Pickup: d.Why.Deadhead, Cost: d.Why.Cost, Chosen: true}
	i, _ := slices.BinarySearchFunc(x.Candidates, c.Cost, func(c Candidate, cost int64) int { return cmp.Compare(c.Cost, cost) })
	x.Candidates = slices.Insert(x.Candidates, i, c)
}

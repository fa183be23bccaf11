package twin

import (
	"fmt"

	"footway/sim/scenario"
)

// Outcome is one expectation of a scenario, and whether it was met.
type Outcome struct {
	Name string `json:"name"`
	Met  bool   `json:"met"`
	Got  string `json:"got"`
	Want string `json:"want"`
}

// outcomes holds the run to what its scenario expects.
func (r *Run) outcomes(res Result) []Outcome {
	var all []Outcome
	for _, e := range r.o.Scenario.Expect {
		all = append(all, r.outcome(e, res))
	}
	return all
}

func (r *Run) outcome(e scenario.Expectation, res Result) Outcome {
	switch {
	case e.Hash != "":
		return Outcome{Name: "hash", Met: e.Hash == res.Hash.String() || e.Hash == res.Hash.Short(), Got: res.Hash.Short(), Want: e.Hash}
	case e.Of != "":
		return r.endOf(e)
	case e.Event != "":
		return within(e, "count of "+e.Event, float64(r.log.State().Count(e.Event)), true)
	}
	v, ok := res.KPIs.Get(e.KPI)
	return within(e, e.KPI, v, ok)
}

// within holds a value to the bounds of e.
func within(e scenario.Expectation, name string, v float64, known bool) Outcome {
	o := Outcome{Name: name, Met: known, Got: "nothing to measure"}
	if known {
		o.Got = fmt.Sprintf("%.4g", v)
	}
	switch {
	case e.Min != nil && e.Max != nil && *e.Min == *e.Max:
		o.Want = fmt.Sprintf("%.4g", *e.Min)
	case e.Min != nil && e.Max != nil:
		o.Want = fmt.Sprintf("%.4g to %.4g", *e.Min, *e.Max)
	case e.Min != nil:
		o.Want = fmt.Sprintf("at least %.4g", *e.Min)
	case e.Max != nil:
		o.Want = fmt.Sprintf("at most %.4g", *e.Max)
	}
	if e.Min != nil && v < *e.Min || e.Max != nil && v > *e.Max {
		o.Met = false
	}
	return o
}

// endOf holds an order to the state in which it should have ended.
func (r *Run) endOf(e scenario.Expectation) Outcome {
	o := Outcome{Name: "order " + e.Of, Want: e.State, Got: "never accepted"}
	if e.Reason != "" {
		o.Want += " (" + e.Reason + ")"
	}
	state, reason, ok := r.world.OrderEnd(e.Of)
	if !ok {
		o.Met = e.State == "refused" || e.State == "quoted"
		return o
	}
	o.Got = string(state)
	if reason != "" {
		o.Got += " (" + string(reason) + ")"
	}
	o.Met = string(state) == e.State && (e.Reason == "" || string(reason) == e.Reason)
	return o
}

package scenario

import (
	"math"
	"regexp"
)

var (
	eventForm = regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)
	hashForm  = regexp.MustCompile(`^[0-9a-f]{16,64}$`)
)

// expectation checks that e says one thing, and says it in full.
func (c *checker) expectation(path string, e *Expectation) {
	n := 0
	for _, s := range []string{e.KPI, e.Event, e.Of, e.Hash} {
		if s != "" {
			n++
		}
	}
	if n != 1 {
		c.report(path, "expects %d things; want exactly one of kpi, event, of, hash", n)
		return
	}
	switch {
	case e.KPI != "" && !c.knows(e.KPI):
		c.report(path+".kpi", "there is no KPI %q; docs/kpis.md lists them", e.KPI)
	case e.Event != "" && !eventForm.MatchString(e.Event):
		c.report(path+".event", "%q; want the kind of an event, such as delivery.cancelled", e.Event)
	case e.Hash != "" && !hashForm.MatchString(e.Hash):
		c.report(path+".hash", "%q; want the run's hash, 16 to 64 small hexadecimal digits", e.Hash)
	}
	c.bounds(path, e)
	c.outcome(path, e)
}

// bounds checks min and max, which belong to numbers only.
func (c *checker) bounds(path string, e *Expectation) {
	isNumber := e.KPI != "" || e.Event != ""
	switch {
	case isNumber && e.Min == nil && e.Max == nil:
		c.report(path, "expects nothing of the value; want min, max or both")
	case !isNumber && (e.Min != nil || e.Max != nil):
		c.report(path, "min and max belong to kpi and event; want none of them here")
	case e.Min != nil && e.Max != nil && *e.Min > *e.Max:
		c.report(path+".min", "%v is above max (%v); want at most that", *e.Min, *e.Max)
	}
	for _, v := range []*float64{e.Min, e.Max} {
		if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			c.report(path, "%v is no bound; want a number", *v)
		}
	}
}

// outcome checks state and reason, which belong to orders only.
func (c *checker) outcome(path string, e *Expectation) {
	switch {
	case e.Of == "" && (e.State != "" || e.Reason != ""):
		c.report(path, "state and reason belong to of; want the order's id there")
	case e.Of != "" && e.State == "":
		c.report(path+".state", "missing; want the state in which %s must end, such as delivered", e.Of)
	case e.Reason != "" && e.State != "cancelled":
		c.report(path+".reason", "belongs to the state cancelled, not %s", e.State)
	}
	if e.Of != "" {
		if err := c.order(e.Of); err != nil {
			c.report(path+".of", "%w", err)
		}
	}
}

package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// uses says which fields belong to each kind of event, besides at, do,
// delivery and when.
var uses = map[string][]string{
	"breakdown":    {"robot"},
	"stuck":        {"robot"},
	"jam":          {"robot"},
	"contact_lost": {"robot", "for"},
	"closure":      {"for", "street", "around", "radius_m", "known"},
	"operators":    {"for", "count"},
	"demand":       {"for", "permille"},
}

// event checks that e has what its kind needs, and nothing else.
func (c *checker) event(path string, e *Event) {
	allowed, ok := uses[e.Do]
	if !ok {
		return // its enum says so
	}
	given := []struct {
		name string
		set  bool
	}{
		{"robot", e.Robot != ""}, {"for", e.For != 0}, {"street", e.Street != ""}, {"around", e.Around != ""},
		{"radius_m", e.RadiusM != 0}, {"known", e.Known}, {"count", e.Count != 0}, {"permille", e.Permille != 0},
	}
	for _, g := range given {
		if g.set && !slices.Contains(allowed, g.name) {
			c.report(path+"."+g.name, "does not belong to %s; want only at, do, delivery, when, %s", e.Do, strings.Join(allowed, ", "))
		}
	}
	c.eventDelivery(path, e)
	switch {
	case slices.Contains(allowed, "robot"):
		c.eventRobot(path, e)
	case e.Do == "closure":
		c.closure(path, e)
	}
}

// eventDelivery checks when the event happens.
func (c *checker) eventDelivery(path string, e *Event) {
	switch {
	case e.Delivery == "" && e.When != "":
		c.report(path+".when", "without delivery; want the order whose state is meant")
	case e.Delivery == "":
		c.within(path+".at", e.At, c.s.Duration+c.s.Drain)
	case e.When == "" && !slices.Contains(uses[e.Do], "robot"):
		c.report(path+".delivery", "without when; want the state of the order that triggers %s", e.Do)
	}
	if e.Delivery != "" {
		if err := c.order(e.Delivery); err != nil {
			c.report(path+".delivery", "%w", err)
		}
	}
}

// eventRobot checks whom an event happens to.
func (c *checker) eventRobot(path string, e *Event) {
	switch {
	case e.Robot != "" && e.Delivery != "":
		c.report(path+".robot", "given together with delivery, which means its robot; want one of them")
	case e.Robot == "" && e.Delivery == "":
		c.report(path+".robot", "missing; want a robot such as r1, or a delivery, whose robot is meant")
	case e.Robot == "all" && e.Do != "contact_lost":
		c.report(path+".robot", "all is for contact_lost; want one robot")
	case e.Robot != "" && e.Robot != "all":
		if !c.robot(e.Robot) {
			c.report(path+".robot", "there is no robot %q; want %s", e.Robot, c.robots())
		}
	}
}

func (c *checker) robot(id string) bool {
	return numbered("r", c.s.Fleet.Robots, id) || slices.ContainsFunc(c.s.Fleet.Named, func(n NamedRobot) bool { return n.ID == id })
}

// robots names the robots that there are.
func (c *checker) robots() string {
	var names []string
	if n := c.s.Fleet.Robots; n > 0 {
		names = append(names, fmt.Sprintf("r1 to r%d", n))
	}
	for _, n := range c.s.Fleet.Named {
		names = append(names, n.ID)
	}
	return oneOf(names, "a robot of fleet.named")
}

func (c *checker) closure(path string, e *Event) {
	switch {
	case e.Street == "" && e.Around == "":
		c.report(path+".street", "missing; want a street, or around and radius_m, or all three")
	case e.Around != "" && e.RadiusM == 0:
		c.report(path+".radius_m", "missing; want how far around %q it is closed", e.Around)
	case e.Around == "" && e.RadiusM != 0:
		c.report(path+".around", "missing; want the centre of the radius")
	}
}

package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"footway/core/clock"
	"footway/core/setting"
	"footway/sim/dist"
)

// Problems returns everything that is wrong with s, whose defaults are filled in, in the order of
// its fields: values against their bounds, then the rules between them. Each error begins
// with the path of what it is about. knows reports whether a name is a KPI's.
// Places are not looked up: that needs the map.
func Problems(s *Scenario, knows func(kpi string) bool) []error {
	errs := setting.Problems("", s)
	c := checker{s: s, knows: knows}
	c.market()
	c.fleet()
	c.demand()
	c.orders()
	c.world()
	for i := range s.Events {
		c.event(fmt.Sprintf("events[%d]", i), &s.Events[i])
	}
	settings, wrong := s.Config()
	if len(wrong) == 0 {
		_, wrong = s.Later(settings)
	}
	errs = append(append(errs, c.errs...), wrong...)
	for i := range s.Expect {
		c.errs = nil
		c.expectation(fmt.Sprintf("expect[%d]", i), &s.Expect[i])
		errs = append(errs, c.errs...)
	}
	return errs
}

// checker collects what is wrong between the fields of a scenario.
type checker struct {
	s     *Scenario
	knows func(string) bool
	errs  []error
}

func (c *checker) report(path, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %w", path, fmt.Errorf(format, args...)))
}

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (c *checker) market() {
	s := c.s
	if s.Name != "" && !nameForm.MatchString(s.Name) {
		c.report("name", "%q; want small letters, digits and dashes, such as lunch-rush", s.Name)
	}
	if !currencyForm.MatchString(s.Market.Currency) {
		c.report("market.currency", "%q; want three capital letters, such as USD", s.Market.Currency)
	}
	if s.Market.Network == "" {
		c.report("market.network", "missing; want city, city:SEED or a file")
	}
	if s.Start != "" {
		if _, _, err := s.Begin(); err != nil {
			c.errs = append(c.errs, err)
		}
	}
}

// fleet checks that no two robots have one name.
func (c *checker) fleet() {
	f := &c.s.Fleet
	first := map[string]int{}
	for i, n := range f.Named {
		path := fmt.Sprintf("fleet.named[%d].id", i)
		before, twice := first[n.ID]
		switch {
		case n.ID == "": // required says so
		case n.ID == "all":
			c.report(path, `"all" means all robots in events; want another name`)
		case numbered("r", f.Robots, n.ID):
			c.report(path, "%q is one of the fleet.robots already; want another name", n.ID)
		case numbered("c", f.Couriers, n.ID):
			c.report(path, "%q is one of the fleet.couriers already; want another name", n.ID)
		case twice:
			c.report(path, "%q is fleet.named[%d] already; want another name", n.ID, before)
		default:
			first[n.ID] = i
		}
	}
}

// numbered reports whether id is one of the n names that begin with letter, from 1.
func numbered(letter string, n int, id string) bool {
	digits, ok := strings.CutPrefix(id, letter)
	k, err := strconv.Atoi(digits)
	return ok && err == nil && 1 <= k && k <= n && strconv.Itoa(k) == digits
}

func (c *checker) demand() {
	d := &c.s.Demand
	if d.PerHour == 0 && len(d.Orders) == 0 && d.Recording == "" {
		c.report("demand", "nobody orders anything; want per_hour, orders or a recording")
	}
	if d.MinDistance > d.MaxDistance {
		c.report("demand.min_distance_m", "%d is above max_distance_m (%d); want at most that", d.MinDistance, d.MaxDistance)
	}
	profile, ok := make(dist.Profile, 0, len(d.Profile)), true
	for i, p := range d.Profile {
		minute, err := p.Minute()
		if err != nil {
			c.errs = append(c.errs, fmt.Errorf("demand.profile[%d].%w", i, err))
			ok = false
		}
		profile = append(profile, dist.Point{At: minute, Permille: p.Rate})
	}
	if !ok {
		return
	}
	if d.PerHour > 0 {
		c.errs = append(c.errs, dist.Rate{PerHour: d.PerHour, Profile: profile}.Problems("demand")...)
	} else {
		c.errs = append(c.errs, profile.Problems("demand.profile")...)
	}
}

func (c *checker) orders() {
	first := map[string]int{}
	for i, o := range c.s.Demand.Orders {
		path := fmt.Sprintf("demand.orders[%d]", i)
		if before, ok := first[o.ID]; ok && o.ID != "" {
			c.report(path+".id", "%q is demand.orders[%d] already; want another id", o.ID, before)
		} else {
			first[o.ID] = i
		}
		if generated.MatchString(o.ID) {
			c.report(path+".id", "%q is how generated orders are called; want another id, such as o1", o.ID)
		}
		if o.At > c.s.Duration {
			c.report(path+".at", "%v is after the duration (%v); want it before", o.At, c.s.Duration)
		}
		if o.From != "" && o.From == o.To {
			c.report(path+".to", "%q is where it comes from; want another place", o.To)
		}
		if o.CancelIn > 0 && o.CancelAt != "" {
			c.report(path+".cancel_at", "given together with cancel_in; want one of them")
		}
	}
}

// generated is the form of ids of orders that nobody wrote by hand.
var generated = regexp.MustCompile(`^g[0-9]+$`)

// order returns an error unless an order of this id can exist.
func (c *checker) order(id string) error {
	d := &c.s.Demand
	if d.Recording != "" || d.PerHour > 0 && generated.MatchString(id) {
		return nil
	}
	known := make([]string, len(d.Orders))
	for i, o := range d.Orders {
		if o.ID == id {
			return nil
		}
		known[i] = o.ID
	}
	return fmt.Errorf("there is no order %q; want %s", id, oneOf(known, "an order of demand.orders"))
}

// oneOf lists a few names to choose from.
func oneOf(names []string, what string) string {
	if len(names) == 0 {
		return what
	}
	text := "one of "
	for i, n := range names {
		if i == 8 {
			return text + ", …"
		}
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}

func (c *checker) world() {
	s := c.s
	if g := s.World.Crossings; g.Green >= g.Cycle {
		c.report("world.crossings.green", "%v is not below cycle (%v); a signal has a red too", g.Green, g.Cycle)
	}
	end := s.Duration + s.Drain
	for i, w := range s.Weather {
		path := fmt.Sprintf("weather[%d].at", i)
		if i > 0 && w.At <= s.Weather[i-1].At {
			c.report(path, "%v is not after weather[%d] (%v); want them in order", w.At, i-1, s.Weather[i-1].At)
		}
		c.within(path, w.At, end)
	}
}

// within checks that something happens while the run lasts.
func (c *checker) within(path string, at, end clock.Duration) {
	if at > end {
		c.report(path, "%v is after the run's end (%v with drain); want it before", at, end)
	}
}

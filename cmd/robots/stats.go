package robots

// Stats counts what happened so far.
type Stats struct {
	Robots        int     `json:"robots"`
	Connects      int     `json:"connects"`   // streams that came up; each robot has two
	Reconnects    int     `json:"reconnects"` // of these, how many had been up before
	Cuts          int     `json:"cuts"`       // streams that broke, or could not be made
	Telemetry     int     `json:"telemetry"`
	Reports       int     `json:"reports"`
	Resent        int     `json:"resent"`  // reports that were sent once more, since a cut left open whether they were heard
	Pending       int     `json:"pending"` // reports that are not acknowledged
	Refused       int     `json:"refused"` // reports that Task does not take: the task had gone to another
	Orders        int     `json:"orders"`
	Instructions  int     `json:"instructions"`
	Deliveries    int     `json:"deliveries"`     // that people looked after
	Handoffs      int     `json:"handoffs"`       // asked for by people
	PeopleRefused int     `json:"people_refused"` // calls of people that failed
	CitySeconds   float64 `json:"city_s"`         // how long the city has lived
}

func (c *colony) stats() Stats {
	c.mu.Lock()
	s := c.count
	if c.w != nil {
		s.Robots = len(c.w.Robots())
	}
	c.mu.Unlock()
	for _, r := range c.clients {
		s.Pending += r.Pending()
		s.Resent += r.Resent()
	}
	s.CitySeconds = c.now().Sub(c.start).Seconds()
	return s
}

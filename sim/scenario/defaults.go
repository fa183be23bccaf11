package scenario

import (
	"footway/core/clock"
	"footway/sim/dist"
)

// Defaults returns the scenario over which a file is read: what the file does
// not mention has the value that the field's document names. Fill then
// completes the values that follow from others.
func Defaults() Scenario {
	const s, m = clock.Second, clock.Minute
	q := func(least, p50, p90, most clock.Duration) dist.Quantiles {
		return dist.Quantiles{Min: least, P50: p50, P90: p90, Max: most}
	}
	return Scenario{
		Market: Market{Network: "city", TimeZone: "UTC", Currency: "USD"},
		Drain:  3 * clock.Hour,
		Fleet: Fleet{
			Couriers: 1, DockPowerW: 250, CapacityWh: 1200, Charge: 950, SpeedMMS: 1600,
			Load: Load{LengthMM: 490, WidthMM: 420, HeightMM: 297, Grams: 20_000},
		},
		Demand: Demand{
			MinDistance: 150, MaxDistance: 2000,
			ReadyIn: q(5*m, 15*m, 28*m, 50*m), AcceptIn: q(2*s, 20*s, 70*s, 4*m), Abandon: 80,
			Cancel: 10, CancelIn: q(30*s, 8*m, 20*m, 40*m), ReturnShare: 500,
			Load: Load{LengthMM: 300, WidthMM: 250, HeightMM: 200, Grams: 4000}, Value: 3200,
		},
		World: DefaultWorld(),
	}
}

// Fill completes the values that are 0 and follow from others: docks and their
// slots, operators, the charge of named robots, the load of handwritten orders.
// It changes nothing that is set, and nothing the second time.
func (s *Scenario) Fill() {
	robots := s.Fleet.Robots + len(s.Fleet.Named)
	if s.Fleet.Docks == 0 {
		s.Fleet.Docks = max(2, ceil(robots, 8))
	}
	if s.Fleet.SlotsPerDock == 0 {
		s.Fleet.SlotsPerDock = max(1, ceil(robots, s.Fleet.Docks))
	}
	if s.World.Operators.Count == 0 {
		s.World.Operators.Count = max(1, ceil(robots, 12))
	}
	for i := range s.Fleet.Named {
		if n := &s.Fleet.Named[i]; n.Charge == 0 {
			n.Charge = s.Fleet.Charge
		}
	}
	for i := range s.Demand.Orders {
		if o := &s.Demand.Orders[i]; o.Load == (Load{}) {
			o.Load = s.Demand.Load
		}
	}
}

// ceil returns a/b rounded up.
func ceil(a, b int) int { return (a + b - 1) / b }

// Package city makes up a city: streets, sidewalks, crossings, addresses and
// shops from a seed, for runs that need no map file. It knows nothing of robots
// or deliveries. The city lies in the middle of the Atlantic, so that nobody
// takes it for a real one.
package city

import (
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/rng"
)

// Options change what is made; the zero value is the city of the documentation.
type Options struct {
	Name      string // of the city; "" is "Port Ellery"
	WidthM    int64  // from west to east in metres, 1000 to 10000; 0 is 4000
	HeightM   int64  // from south to north in metres, 1000 to 10000; 0 is 3000
	Merchants int    // how many shops and kitchens at most; 0 is 60
}

// Attribution is what to show with a generated map.
const Attribution = "Port Ellery is invented"

// origin is where the middle of the city lies.
func origin() maps.Point { return maps.Point{Lon: -300_000_000, Lat: 470_000_000} }

// Generate makes a city. The same seed and options give the same network on
// every machine. It fails with fault.Invalid if an option is out of range.
func Generate(seed rng.Seed, o Options) (*maps.Network, error) {
	if o.Name == "" {
		o.Name = "Port Ellery"
	}
	if o.WidthM == 0 {
		o.WidthM = 4000
	}
	if o.HeightM == 0 {
		o.HeightM = 3000
	}
	if o.Merchants == 0 {
		o.Merchants = 60
	}
	for _, v := range []int64{o.WidthM, o.HeightM} {
		if v < 1000 || v > 10_000 {
			return nil, fault.New("city.Generate", fault.Invalid, "bad_options", "a city of %d × %d m: want 1000 to 10000 m", o.WidthM, o.HeightM)
		}
	}
	if o.Merchants < 0 {
		return nil, fault.New("city.Generate", fault.Invalid, "bad_options", "%d merchants: want none or some", o.Merchants)
	}
	p := newPlan(seed, o)
	p.lay()
	w := newWalker(p)
	w.corners()
	w.crossings()
	w.squares()
	w.alleys()
	w.park()
	w.promenades()
	w.sidewalks()
	w.backdrop()
	lots := w.build()
	w.open(lots)
	n, _, err := w.b.Build(maps.DefaultProfile())
	return n, err
}

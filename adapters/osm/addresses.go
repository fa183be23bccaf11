package osm

import (
	"strconv"
	"strings"

	"footway/core/maps"
)

const (
	// repeatMM is how near two objects with one address or name are the same
	// thing mapped twice, as a node and as a building. Further apart they are
	// two streets of one name.
	repeatMM = 500_000
	twinMM   = 60_000
	// doorMM is how far from a shop without an address of its own the address
	// may be that it is given.
	doorMM = 60_000
	// longestCount is how many house numbers one interpolation may make.
	longestCount = 500
)

// addressBook gives addresses and merchants to the builder, each once.
type addressBook struct {
	*graph
	known map[string][]int32 // by number, street and city: indexes into points
	at    []maps.Point       // by address index
	doors *grid              // owner is the address index
	shops *grid              // owner is an index into names
	names []string
}

// addPlaces adds what the file has of addresses and merchants.
func (g *graph) addPlaces() {
	b := &addressBook{graph: g, known: map[string][]int32{}, doors: newGrid(), shops: newGrid()}
	own := make([]int32, len(g.places))
	for i := range g.places {
		own[i] = b.direct(&g.places[i])
	}
	for _, c := range g.counted {
		b.count(c)
	}
	for i := range g.places {
		if g.places[i].name != "" {
			b.merchant(&g.places[i], own[i])
		}
	}
}

// locate fills in where a place is; false if the file does not say.
func (b *addressBook) locate(p *place) bool {
	l := p.line
	if p.relationWay != 0 {
		l = b.outlines[p.relationWay]
	} else if p.count == 0 {
		return true
	}
	var ok bool
	p.point, ok = centerOf(b.pointsOf(l))
	return ok
}

// direct adds the addresses of p and returns the first one's index, or -1.
func (b *addressBook) direct(p *place) int32 {
	if !b.locate(p) {
		b.report.Addresses.Nowhere++
		p.name = ""
		return -1
	}
	if !p.hasAddress {
		return -1
	}
	first := int32(-1)
	for _, number := range houseNumbers(p.address.number) {
		index, isNew := b.add(number, p.address, p.point)
		if isNew {
			b.report.Addresses.Direct++
		} else {
			b.report.Addresses.Repeated++
		}
		if first < 0 {
			first = index
		}
	}
	return first
}

// add adds one address, unless it is there already, and returns its index.
func (b *addressBook) add(number string, a address, p maps.Point) (index int32, isNew bool) {
	key := strings.ToLower(number + "\x00" + a.street + "\x00" + a.city)
	for _, i := range b.known[key] {
		if maps.Distance(b.at[i], p) <= repeatMM {
			return i, false
		}
	}
	index = b.builder.Address(number, a.street, a.city, a.postcode, p)
	b.at = append(b.at, p)
	b.known[key] = append(b.known[key], index)
	xy := b.plane.XY(p)
	b.doors.add(xy, xy, index)
	return index, true
}

// count adds the addresses between the numbered nodes of an interpolation.
func (b *addressBook) count(c interpolation) {
	slots := b.slotsOf(c.line)
	last := -1 // position of the last numbered node
	for i, s := range slots {
		if s < 0 {
			last = -1 // a gap: what lies beyond cannot be measured
			continue
		}
		if _, ok := b.numbered[s]; !ok {
			continue
		}
		if last >= 0 {
			b.countBetween(slots[last:i+1], c.step)
		}
		last = i
	}
}

// countBetween adds the numbers strictly between those of the first and the last
// of slots, evenly along the line.
func (b *addressBook) countBetween(slots []int32, step int) {
	from := &b.places[b.numbered[slots[0]]].address
	to := &b.places[b.numbered[slots[len(slots)-1]]].address
	low, errLow := strconv.Atoi(from.number)
	high, errHigh := strconv.Atoi(to.number)
	span := high - low
	if span < 0 {
		span, step = -span, -step
	}
	n := 0
	if step != 0 {
		n = span / max(step, -step)
	}
	if errLow != nil || errHigh != nil || from.street != to.street || n < 2 || n > longestCount || (high-low)%step != 0 {
		b.report.Addresses.Uncounted++
		return
	}
	points := make([]maps.Point, len(slots))
	for i, s := range slots {
		points[i] = b.points[s]
	}
	total := lengthOf(points)
	for k := 1; k < n; k++ {
		at := points[0]
		if mm := total * int64(k) / int64(n); mm > 0 {
			_, tail := splitAt(points, mm)
			at = tail[0]
		}
		if _, isNew := b.add(strconv.Itoa(low+k*step), *from, at); isNew {
			b.report.Addresses.Interpolated++
		} else {
			b.report.Addresses.Repeated++
		}
	}
}

// merchant adds p, with the address of its own or the nearest one.
func (b *addressBook) merchant(p *place, own int32) {
	at := b.plane.XY(p.point)
	twin := b.shops.nearest(at, twinMM, func(s *segment) bool { return b.names[s.owner] == p.name })
	if twin != nil {
		b.report.Merchants.Repeated++
		return
	}
	if own < 0 {
		door := b.doors.nearest(at, doorMM, func(*segment) bool { return true })
		if door != nil {
			own = door.owner
			b.report.Merchants.NearestDoor++
		} else {
			b.report.Merchants.NoDoor++
		}
	}
	b.shops.add(at, at, int32(len(b.names)))
	b.names = append(b.names, p.name)
	b.builder.Merchant(p.name, p.kind, own, p.point)
	b.report.Merchants.Found++
}

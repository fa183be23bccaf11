package maps

import (
	"cmp"
	"slices"
	"strings"

	"footway/core/fault"
)

// MaxQuery is the longest address that Geocode and Search read, in bytes.
const MaxQuery = 300

// Match is where an address is.
type Match struct {
	Address     string   `json:"address"` // as the map has it
	Point       Point    `json:"point"`
	At          Position `json:"at"`          // nearest place a robot can stand
	OffMM       int32    `json:"off_mm"`      // distance between the two
	Approximate bool     `json:"approximate"` // interpolated, or one of several
}

// Geocoder finds addresses of one network. It is immutable.
type Geocoder struct {
	net       *Network
	index     *Index
	streets   []streetEntry // by key
	houses    []house       // by street, number, suffix and address
	cities    []string      // keys of all cities, sorted
	postcodes []string      // keys of all postcodes, sorted
}

type streetEntry struct {
	key         string // short forms
	plain       string // long forms
	first, last int32  // houses[first:last]
}

type house struct {
	houseNumber
	address  int32
	city     string // key, may be empty
	postcode string // key, may be empty
}

// streetHouse is a house with the key of its street.
type streetHouse struct {
	key string
	house
}

// housesByStreet returns the network's addresses by street, number, suffix and index.
func housesByStreet(n *Network) []streetHouse {
	all := make([]streetHouse, len(n.Addresses))
	for i := range n.Addresses {
		a := &n.Addresses[i]
		h := house{numberOf(a.Number), int32(i), streetKey(a.City), strings.Join(words(a.Postcode), "")}
		all[i] = streetHouse{streetKey(a.Street), h}
	}
	slices.SortFunc(all, func(a, b streetHouse) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.value, b.value), cmp.Compare(a.suffix, b.suffix), cmp.Compare(a.address, b.address))
	})
	return all
}

// NewGeocoder returns a geocoder of the network of index.
func NewGeocoder(index *Index) *Geocoder {
	g := &Geocoder{net: index.net, index: index}
	all := housesByStreet(g.net)
	for _, k := range all {
		if k.city != "" {
			g.cities = append(g.cities, k.city)
		}
		if k.postcode != "" {
			g.postcodes = append(g.postcodes, k.postcode)
		}
	}
	for i, k := range all {
		if len(g.streets) == 0 || g.streets[len(g.streets)-1].key != k.key {
			plain := strings.Join(words(g.net.Addresses[k.address].Street), " ")
			g.streets = append(g.streets, streetEntry{key: k.key, plain: plain, first: int32(i)})
		}
		g.houses = append(g.houses, k.house)
		g.streets[len(g.streets)-1].last = int32(i) + 1
	}
	slices.Sort(g.cities)
	g.cities = slices.Compact(g.cities)
	slices.Sort(g.postcodes)
	g.postcodes = slices.Compact(g.postcodes)
	return g
}

// Geocode finds an address such as "8210 35th Ave NE, Seattle, WA 98115", or
// with the number behind the street. It fails with fault.Invalid if query is empty or
// longer than MaxQuery, and with fault.NotFound and the reason "unknown_address"
// if the network does not have it.
func (g *Geocoder) Geocode(query string) (Match, error) {
	const op = "maps.Geocode"
	if err := checkQuery(op, query); err != nil {
		return Match{}, err
	}
	// An address may be somebody's home, and errors end in logs: they do not repeat it.
	unknown := func(format string, args ...any) error {
		return fault.New(op, fault.NotFound, "unknown_address", format, args...)
	}
	q, ok := parseQuery(query)
	if !ok {
		return Match{}, unknown("the address has no house number: want number, street and city")
	}
	street, rest, ok := g.findStreet(q)
	if !ok {
		return Match{}, unknown("map %q has no street of that name", g.net.Name)
	}
	place, ok := g.readPlace(append(rest, q.rest...))
	if !ok {
		return Match{}, unknown("the address is not in a place that map %q has addresses of", g.net.Name)
	}
	here := g.housesIn(street, place)
	if m, ok := g.exact(here, q.number); ok {
		return m, nil
	}
	if m, ok := g.interpolate(here, q.number); ok {
		return m, nil
	}
	return Match{}, unknown("map %q has no such number in that street, nor numbers on both sides of it", g.net.Name)
}

func checkQuery(op, query string) error {
	switch {
	case len(query) > MaxQuery:
		return fault.New(op, fault.Invalid, "bad_address", "address of %d bytes: want at most %d", len(query), MaxQuery)
	case strings.TrimSpace(query) == "":
		return fault.New(op, fault.Invalid, "bad_address", "empty address")
	}
	return nil
}

// exact returns the house with the number, the one whose place agrees best. A
// number with an unknown suffix is taken for the number without it.
func (g *Geocoder) exact(here []ranked, n houseNumber) (Match, bool) {
	for _, suffix := range []string{n.suffix, ""} {
		var best *ranked
		several := false
		for i := range here {
			h := &here[i]
			if h.value != n.value || h.suffix != suffix {
				continue
			}
			if best == nil || h.rank > best.rank {
				best, several = h, false
			} else if h.rank == best.rank {
				several = several || g.apart(h.address, best.address)
			}
		}
		if best != nil {
			m := g.match(best.address)
			m.Approximate = several || suffix != n.suffix
			return m, true
		}
	}
	return Match{}, false
}

// apart reports whether two addresses are too far from each other to be one house.
func (g *Geocoder) apart(a, b int32) bool {
	return Distance(g.net.Addresses[a].Point, g.net.Addresses[b].Point) > 200_000
}

func (g *Geocoder) match(address int32) Match { return g.net.Addresses[address].Match() }

// The largest gap over which numbers are interpolated.
const (
	maxGapNumbers = 100
	maxGapMM      = 400_000
)

// interpolate places a missing number between its neighbours on the same side
// of the street.
func (g *Geocoder) interpolate(here []ranked, n houseNumber) (Match, bool) {
	var below, above *ranked
	for i := range here {
		h := &here[i]
		switch {
		case h.value < 0 || (h.value-n.value)%2 != 0:
		case h.value < n.value && (below == nil || h.value > below.value):
			below = h
		case h.value > n.value && (above == nil || h.value < above.value):
			above = h
		}
	}
	if below == nil || above == nil || above.value-below.value > maxGapNumbers {
		return Match{}, false
	}
	a, b := &g.net.Addresses[below.address], &g.net.Addresses[above.address]
	if Distance(a.Point, b.Point) > maxGapMM {
		return Match{}, false
	}
	p := between(a.Point, b.Point, int64(n.value-below.value), int64(above.value-below.value))
	at, off, ok := g.index.NearestStand(p, SnapLimitMM)
	if !ok {
		return Match{}, false
	}
	named := *a
	named.Number = itoa(n.value) + n.suffix
	return Match{Address: named.String(), Point: p, At: at, OffMM: int32(off), Approximate: true}, true
}

// String returns the address on one line, such as "8210 35th Avenue Northeast, Seattle 98115".
func (a *Address) String() string {
	s := strings.TrimSpace(a.Number + " " + a.Street)
	if place := strings.TrimSpace(a.City + " " + a.Postcode); place != "" {
		s += ", " + place
	}
	return s
}

// Match returns the address as it is found.
func (a *Address) Match() Match {
	return Match{Address: a.String(), Point: a.Point, At: a.At, OffMM: a.OffMM}
}

// Search returns up to limit addresses that begin like query, as somebody types:
// number and street, or a street alone. They come by street, number and suffix.
func (g *Geocoder) Search(query string, limit int) ([]Match, error) {
	if err := checkQuery("maps.Search", query); err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(query, ",")
	ws := words(line)
	number := ""
	if len(ws) > 0 {
		if _, ok := parseNumber(ws[0]); ok {
			number, ws = ws[0], ws[1:]
		}
	}
	plain := strings.Join(ws, " ")
	short := strings.Join(shorten(ws), " ")
	var out []Match
	for _, s := range g.streets {
		if !strings.HasPrefix(s.key, short) && !strings.HasPrefix(s.plain, plain) && !strings.HasPrefix(s.key, plain) {
			continue
		}
		for _, h := range g.houses[s.first:s.last] {
			if len(out) >= limit {
				return out, nil
			}
			if strings.HasPrefix(itoa(h.value)+h.suffix, number) {
				out = append(out, g.match(h.address))
			}
		}
	}
	return out, nil
}

package porttest

import (
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/porttest/fake"
)

// MapsPorts is what Dispatch needs of Maps.
type MapsPorts interface {
	dispatch.Places
	dispatch.Ways
}

// MapsDeps is what a maps.Service works with, but for its store.
type MapsDeps struct {
	Clock   clock.Clock
	Timers  clock.Timers
	Journal event.Journal
}

// MapsService tests that Maps, however it is reached, keeps the contracts of
// dispatch.Places and dispatch.Ways. Open returns a service that has opened the network as the
// market "m" in UTC, and what callers have of it.
func MapsService(t *testing.T, open func(t *testing.T, n *maps.Network, d MapsDeps) (*maps.Service, MapsPorts)) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, w *mapsWorld){
		"geocode":                      mapsGeocode,
		"snap":                         mapsSnap,
		"serves by area":               mapsServesArea,
		"serves by hours":              mapsServesHours,
		"where a position is":          mapsPointAt,
		"matrix is row-major":          mapsMatrix,
		"matrix where there is no way": mapsNoWay,
		"matrix is the caller's":       mapsMatrixOwned,
		"matrix of no size, of many":   mapsMatrixSizes,
		"version":                      mapsVersion,
		"unknown market":               mapsUnknown,
	} {
		t.Run(name, func(t *testing.T) {
			w := &mapsWorld{clock: fake.NewClock(fake.Start), timers: &fake.Timers{}, net: block(t)}
			w.service, w.ports = open(t, w.net, MapsDeps{w.clock, w.timers, &fake.Journal{}})
			test(t, w)
		})
	}
}

type mapsWorld struct {
	clock   *fake.Clock
	timers  *fake.Timers
	net     *maps.Network
	service *maps.Service
	ports   MapsPorts
}

const blockLon, blockLat = -300_000_000, 470_000_000

// block returns a network around one block: four corners, 10,000 units apart.
func block(t *testing.T) *maps.Network {
	t.Helper()
	b := maps.NewBuilder("block", "nobody")
	var corners []maps.NodeID
	for _, p := range [][2]int32{{0, 0}, {10_000, 0}, {10_000, 10_000}, {0, 10_000}} {
		corners = append(corners, b.Node(maps.Point{Lon: blockLon + p[0], Lat: blockLat + p[1]}))
	}
	for i, name := range []string{"South Quay", "East Street", "North Row", "West Street"} {
		b.Stretch(maps.Stretch{From: corners[i], To: corners[(i+1)%4], Name: name, WidthMM: 2000, Surface: maps.SurfaceSmooth})
	}
	b.Address("1", "South Quay", "Port Ellery", "0001", maps.Point{Lon: blockLon + 2000, Lat: blockLat - 500})
	b.Address("9", "North Row", "Port Ellery", "0001", maps.Point{Lon: blockLon + 7000, Lat: blockLat + 10_500})
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// place returns the position nearest to a point of the block.
func (w *mapsWorld) place(t *testing.T, lon, lat int32) maps.Position {
	t.Helper()
	m, err := w.ports.Snap(t.Context(), "m", maps.Point{Lon: blockLon + lon, Lat: blockLat + lat})
	if err != nil {
		t.Fatal(err)
	}
	return m.At
}

// square returns one that begins a little west of the block.
func square(lat, size int32) []maps.Point {
	at := func(x, y int32) maps.Point { return maps.Point{Lon: blockLon - 1000 + x, Lat: blockLat + lat + y} }
	return []maps.Point{at(0, 0), at(size, 0), at(size, size), at(0, size)}
}

func mapsGeocode(t *testing.T, w *mapsWorld) {
	for i, query := range []string{"1 South Quay, Port Ellery", "9 North Row"} {
		got, err := w.ports.Geocode(t.Context(), "m", query)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "Geocode of "+query, w.net.Addresses[i].Match(), got)
	}
	_, err := w.ports.Geocode(t.Context(), "m", "1 Nowhere Road, Port Ellery")
	wantFault(t, "Geocode of an address that the market does not have", err, fault.NotFound, "unknown_address")
	for _, query := range []string{"", strings.Repeat("x", maps.MaxQuery+1)} {
		_, err = w.ports.Geocode(t.Context(), "m", query)
		wantKind(t, "Geocode of too little or too much", err, fault.Invalid)
	}
}

func mapsSnap(t *testing.T, w *mapsWorld) {
	p := maps.Point{Lon: blockLon + 5000, Lat: blockLat + 300}
	got, err := w.ports.Snap(t.Context(), "m", p)
	if err != nil {
		t.Fatal(err)
	}
	at, err := w.ports.PointAt(t.Context(), "m", got.At)
	if err != nil {
		t.Fatal(err)
	}
	if got.Point != p || at.Lat != blockLat || max(at.Lon-p.Lon, p.Lon-at.Lon) > 2 || got.OffMM < 3000 || got.OffMM > 3700 {
		t.Errorf("Snap(%v) = %+v, which is %v; want the point below it on South Quay, 3.3 m off", p, got, at)
	}
	_, err = w.ports.Snap(t.Context(), "m", maps.Point{Lon: blockLon, Lat: blockLat - 50_000})
	wantFault(t, "Snap of a place that is 550 m off", err, fault.NotFound, "off_network")
}

func (w *mapsWorld) serves(t *testing.T, at maps.Position, when clock.Time, reason string, opens clock.Time) {
	t.Helper()
	r, o, err := w.ports.Serves(t.Context(), "m", at, when)
	if err != nil || r != reason || o != opens {
		t.Errorf("Serves(%v at %v) = %q until %v, %v; want %q until %v", at, when, r, o, err, reason, opens)
	}
}

func mapsServesArea(t *testing.T, w *mapsWorld) {
	south, north := w.place(t, 5000, 0), w.place(t, 5000, 10_000)
	now := w.clock.Now()
	w.serves(t, south, now, "", 0)
	if err := w.service.SetArea(t.Context(), "m", maps.Area{ID: "a", Kind: maps.ServiceArea, Polygon: square(-1000, 8000)}); err != nil {
		t.Fatal(err)
	}
	w.serves(t, south, now, "", 0)
	w.serves(t, north, now, "area", 0)
	_, _, err := w.ports.Serves(t.Context(), "m", maps.Position{Edge: 4711}, now)
	wantFault(t, "Serves of no place", err, fault.Invalid, "bad_position")
}

func mapsServesHours(t *testing.T, w *mapsWorld) {
	south, now := w.place(t, 5000, 0), w.clock.Now() // noon
	a := maps.Area{ID: "a", Kind: maps.ServiceArea, Polygon: square(-1000, 20_000), Hours: []maps.Hours{{From: 9 * clock.Hour, To: 18 * clock.Hour}}}
	if err := w.service.SetArea(t.Context(), "m", a); err != nil {
		t.Fatal(err)
	}
	w.serves(t, south, now, "", 0)
	w.serves(t, south, now.Add(7*clock.Hour), "hours", now.Add(21*clock.Hour))
}

func mapsPointAt(t *testing.T, w *mapsWorld) {
	for id, e := range w.net.Edges {
		at := maps.Position{Edge: maps.EdgeID(id), OffsetMM: e.LengthMM / 3}
		got, err := w.ports.PointAt(t.Context(), "m", at)
		if want := w.net.PointAt(at); err != nil || got != want {
			t.Errorf("PointAt(%v) = %v, %v; want %v", at, got, err, want)
		}
	}
	for _, at := range []maps.Position{{Edge: -1}, {Edge: 4711}, {Edge: 0, OffsetMM: -1}, {Edge: 0, OffsetMM: 1 << 30}} {
		_, err := w.ports.PointAt(t.Context(), "m", at)
		wantFault(t, "PointAt of no place", err, fault.Invalid, "bad_position")
	}
}

func (w *mapsWorld) matrix(t *testing.T, from, to []maps.Position) []maps.Leg {
	t.Helper()
	legs, err := w.ports.Matrix(t.Context(), "m", from, to)
	if err != nil {
		t.Fatal(err)
	}
	if len(legs) != len(from)*len(to) {
		t.Fatalf("Matrix of %d × %d places has %d legs", len(from), len(to), len(legs))
	}
	return legs
}

func mapsMatrix(t *testing.T, w *mapsWorld) {
	from := []maps.Position{w.place(t, 1000, 0), w.place(t, 9000, 0)}
	to := []maps.Position{w.place(t, 5000, 0), w.place(t, 10_000, 3000), w.place(t, 5000, 10_000)}
	legs := w.matrix(t, from, to)
	for i, p := range from {
		for j, q := range to {
			r, err := w.service.Route(t.Context(), "m", p, q)
			if err != nil {
				t.Fatal(err)
			}
			want := maps.Leg{Millis: r.Millis, LengthMM: r.LengthMM, EnergyMWh: r.EnergyMWh, OK: true}
			if got := legs[i*len(to)+j]; got != want || got.LengthMM == 0 {
				t.Errorf("leg from %d to %d is %+v, the route takes %+v", i, j, got, want)
			}
		}
	}
}

func mapsNoWay(t *testing.T, w *mapsWorld) {
	south, north := w.place(t, 5000, 0), w.place(t, 5000, 10_000)
	all := maps.Closure{ID: "c", Polygon: square(2000, 20_000)}
	if err := w.service.Close(t.Context(), "m", all); err != nil {
		t.Fatal(err)
	}
	legs := w.matrix(t, []maps.Position{south}, []maps.Position{south, north, {Edge: 4711}, {Edge: -1}})
	want := []maps.Leg{{OK: true}, {}, {}, {}}
	wantSame(t, "legs while the north is closed", want, legs)
}

func mapsMatrixOwned(t *testing.T, w *mapsWorld) {
	places := []maps.Position{w.place(t, 1000, 0), w.place(t, 5000, 10_000)}
	first := w.matrix(t, places, places)
	want := append([]maps.Leg(nil), first...)
	clear(first)
	wantSame(t, "legs after a change of what was returned", want, w.matrix(t, places, places))
}

func mapsMatrixSizes(t *testing.T, w *mapsWorld) {
	one := []maps.Position{w.place(t, 1000, 0)}
	w.matrix(t, nil, one)
	w.matrix(t, one, nil)
	w.matrix(t, nil, nil)
	many := make([]maps.Position, 700)
	for i := range many {
		many[i] = maps.Position{Edge: maps.EdgeID(i % len(w.net.Edges)), OffsetMM: int32(i)}
	}
	legs := w.matrix(t, many, many)
	for _, i := range []int{0, 1, 350, 699} {
		wantSame(t, "a row of a large matrix", w.matrix(t, many[i:i+1], many), legs[i*700:(i+1)*700])
	}
	_, err := w.ports.Matrix(t.Context(), "m", make([]maps.Position, 2001), make([]maps.Position, 2000))
	wantFault(t, "Matrix of more than four million pairs", err, fault.Invalid, "too_large")
}

func mapsVersion(t *testing.T, w *mapsWorld) {
	version := func() uint64 {
		t.Helper()
		v, err := w.ports.Version(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	south, north := []maps.Position{w.place(t, 5000, 0)}, []maps.Position{w.place(t, 5000, 10_000)}
	before, leg := version(), w.matrix(t, south, north)[0]
	if again := version(); again != before {
		t.Errorf("version %x, then %x; want the same while nothing changes", before, again)
	}
	seen := map[uint64]bool{before: true}
	for name, change := range map[string]func() error{
		"a closure": func() error {
			return w.service.Close(t.Context(), "m", maps.Closure{ID: "c", Edges: []maps.EdgeID{0}, Until: w.clock.Now().Add(clock.Hour)})
		},
		"a slow area": func() error {
			return w.service.SetArea(t.Context(), "m", maps.Area{ID: "s", Kind: maps.Slow, Polygon: square(-1000, 20_000), SpeedPermille: 300})
		},
		"rain": func() error { return w.service.SetSpeed(t.Context(), "m", maps.Sidewalk, 700) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if v := version(); seen[v] {
			t.Errorf("after %s the version is %x, one that was there before", name, v)
		} else {
			seen[v] = true
		}
	}
	if w.matrix(t, south, north)[0] == leg {
		t.Error("the leg has not changed, so the test shows nothing")
	}
	last := version()
	if err := w.timers.Run(w.clock, w.clock.Now().Add(2*clock.Hour), func(k clock.Key) error { return w.service.Fire(t.Context(), k) }); err != nil {
		t.Fatal(err)
	}
	if v := version(); v == last {
		t.Errorf("after the closure's end the version is still %x", v)
	}
}

func mapsUnknown(t *testing.T, w *mapsWorld) {
	ctx, at := t.Context(), maps.Position{}
	_, err := w.ports.Geocode(ctx, "nowhere", "1 South Quay")
	wantFault(t, "Geocode", err, fault.NotFound, "unknown_market")
	_, err = w.ports.Snap(ctx, "nowhere", maps.Point{})
	wantFault(t, "Snap", err, fault.NotFound, "unknown_market")
	_, _, err = w.ports.Serves(ctx, "nowhere", at, 0)
	wantFault(t, "Serves", err, fault.NotFound, "unknown_market")
	_, err = w.ports.PointAt(ctx, "nowhere", at)
	wantFault(t, "PointAt", err, fault.NotFound, "unknown_market")
	_, err = w.ports.Matrix(ctx, "nowhere", []maps.Position{at}, []maps.Position{at})
	wantFault(t, "Matrix", err, fault.NotFound, "unknown_market")
	_, err = w.ports.Version(ctx, "nowhere")
	wantFault(t, "Version", err, fault.NotFound, "unknown_market")
}

package grpcapi_test

import (
	"testing"

	"footway/adapters/grpcapi"
	"footway/adapters/memory"
	"footway/core/maps"
	"footway/core/porttest/fake"
)

// TestVersionOfReplicas has two replicas, one of which was started again:
// their versions are equal whenever their answers are, however they came there.
func TestVersionOfReplicas(t *testing.T) {
	store, clk := memory.NewMapStore(), fake.NewClock(fake.Start)
	if err := store.SaveNetwork(t.Context(), "m", street(t, 40)); err != nil {
		t.Fatal(err)
	}
	start := func() (*maps.Service, *grpcapi.MapsClient) {
		s := maps.NewService(store, clk, &fake.Timers{}, &fake.Journal{})
		if err := s.Open(t.Context(), "m", maps.OpenOptions{Profile: maps.DefaultProfile()}); err != nil {
			t.Fatal(err)
		}
		return s, grpcapi.NewMapsClient(wired(t, grpcapi.Options{Maps: s}))
	}
	version := func(c *grpcapi.MapsClient) uint64 {
		t.Helper()
		v, err := c.Version(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	_, a := start()
	b, toB := start()
	plain := version(a)
	if plain != version(toB) {
		t.Error("two replicas that know the same have different versions")
	}
	if err := a.SetSpeed(t.Context(), "m", maps.Sidewalk, 500); err != nil {
		t.Fatal(err)
	}
	if version(a) == plain {
		t.Error("the replica that was told of the rain has the old version")
	}
	if version(toB) != plain {
		t.Error("the replica that does not know of the rain has another version, and the old answers")
	}
	if err := b.Refresh(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	if version(a) != version(toB) {
		t.Error("after both know of the rain their versions differ")
	}
	_, c := start()
	if version(c) != version(a) {
		t.Error("a replica that was started later has another version than those that answer alike")
	}
	if err := a.SetSpeed(t.Context(), "m", maps.Sidewalk, 1000); err != nil {
		t.Fatal(err)
	}
	if version(a) != plain {
		t.Error("when all is as it was, the version is not")
	}
}

// street returns a network of one street of n blocks, with an address at each.
func street(t testing.TB, n int) *maps.Network {
	t.Helper()
	b := maps.NewBuilder("street", "nobody")
	last := b.Node(maps.Point{Lon: 0, Lat: 470_000_000})
	for i := range int32(n) {
		next := b.Node(maps.Point{Lon: (i + 1) * 10_000, Lat: 470_000_000 + i%2*300})
		b.Stretch(maps.Stretch{From: last, To: next, Name: "Long Street", WidthMM: 2000, Shape: []maps.Point{{Lon: i*10_000 + 5000, Lat: 470_000_500}}})
		last = next
	}
	net, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// TestRouteLine looks at the points of a route.
func TestRouteLine(t *testing.T) {
	store := memory.NewMapStore()
	n := street(t, 5)
	if err := store.SaveNetwork(t.Context(), "m", n); err != nil {
		t.Fatal(err)
	}
	s := maps.NewService(store, fake.NewClock(fake.Start), &fake.Timers{}, &fake.Journal{})
	if err := s.Open(t.Context(), "m", maps.OpenOptions{Profile: maps.DefaultProfile()}); err != nil {
		t.Fatal(err)
	}
	c := grpcapi.NewMapsClient(wired(t, grpcapi.Options{Maps: s}))
	at := func(lon int32) maps.Position {
		m, err := c.Snap(t.Context(), "m", maps.Point{Lon: lon, Lat: 470_000_200})
		if err != nil {
			t.Fatal(err)
		}
		return m.At
	}
	from, to := at(2000), at(36_000)
	r, line, err := c.Route(t.Context(), "m", from, to)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Route(t.Context(), "m", from, to)
	if err != nil || len(r.Pieces) != 4 || r.LengthMM != want.LengthMM {
		t.Fatalf("Route = %+v, want %+v, %v", r, want, err)
	}
	var length int64
	for i := range line {
		if i > 0 {
			length += maps.Distance(line[i-1], line[i])
			if line[i].Lon <= line[i-1].Lon {
				t.Errorf("point %d of the line lies behind the one before: %v", i, line)
			}
		}
	}
	if line[0] != n.PointAt(r.From) || line[len(line)-1] != n.PointAt(r.To) || len(line) != 9 {
		t.Errorf("the line is %v, want nine points from %v to %v", line, n.PointAt(r.From), n.PointAt(r.To))
	}
	if off := length - r.LengthMM; off > 200 || off < -200 {
		t.Errorf("the line is %d mm long, the route %d mm", length, r.LengthMM)
	}
}

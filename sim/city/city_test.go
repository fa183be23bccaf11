package city

import (
	"fmt"
	"strings"
	"testing"

	"footway/core/fault"
	"footway/core/maps"
	"footway/core/rng"
)

// The default city is part of every run that names no map: if it changes, so do
// their hashes, and this test says so first.
func TestDefaultCity(t *testing.T) {
	n := generate(t, 1, Options{})
	got := fmt.Sprintf("%d nodes, %d edges, %d addresses, %d merchants, %.16s",
		len(n.Nodes), len(n.Edges), len(n.Addresses), len(n.Merchants), n.Hash())
	if want := "3739 nodes, 13840 edges, 9444 addresses, 60 merchants, d0e917ccc170c9fa"; got != want {
		t.Errorf("the default city has\n%s, want\n%s", got, want)
	}
	if again := generate(t, 1, Options{}); again.Hash() != n.Hash() {
		t.Error("the same seed gives two cities")
	}
}

func generate(t testing.TB, seed rng.Seed, o Options) *maps.Network {
	t.Helper()
	n, err := Generate(seed, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryCityIsFitToLiveIn(t *testing.T) {
	seen := map[string]bool{}
	for seed := range rng.Seed(12) {
		n := generate(t, seed, Options{})
		if err := n.Validate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		seen[n.Hash()] = true
		kinds := map[maps.Control]int{}
		unnamed := 0
		for i := range n.Edges {
			e := &n.Edges[i]
			kinds[e.Control]++
			if e.Class == maps.Sidewalk && e.Name == 0 {
				unnamed++
			}
		}
		if len(n.Nodes) < 2500 || len(n.Addresses) < 5000 || len(n.Merchants) != 60 || unnamed > 0 ||
			kinds[maps.ControlSignal] < 200 || kinds[maps.ControlZebra] < 50 || kinds[maps.ControlUnmarked] < 500 {
			t.Errorf("seed %d: %d nodes, %d addresses, %d merchants, %d sidewalks without a name, crossings %v",
				seed, len(n.Nodes), len(n.Addresses), len(n.Merchants), unnamed, kinds)
		}
		checkShops(t, seed, n)
		checkAddresses(t, seed, n)
	}
	if len(seen) != 12 {
		t.Errorf("12 seeds give %d cities", len(seen))
	}
}

func checkShops(t *testing.T, seed rng.Seed, n *maps.Network) {
	names := map[string]bool{}
	for _, m := range n.Merchants {
		if m.Name == "" || m.Kind == "" || m.Address < 0 || names[m.Name] {
			t.Errorf("seed %d: merchant %+v: want a name of its own, a kind and an address", seed, m)
		}
		names[m.Name] = true
	}
}

// checkAddresses looks a hundred addresses up in the geocoder, which must find each where it is.
func checkAddresses(t *testing.T, seed rng.Seed, n *maps.Network) {
	g := maps.NewGeocoder(maps.NewIndex(n))
	for i := 0; i < len(n.Addresses); i += len(n.Addresses) / 100 {
		a := &n.Addresses[i]
		m, err := g.Geocode(a.String())
		if err != nil || m.Address != a.String() || m.Approximate || maps.Distance(m.Point, a.Point) > 1000 {
			t.Errorf("seed %d: %q is found as %+v, %v", seed, a, m, err)
		}
	}
}

func TestSizes(t *testing.T) {
	small, large := generate(t, 3, Options{WidthM: 1000, HeightM: 1000, Merchants: 5}), generate(t, 3, Options{WidthM: 8000, HeightM: 6000, Name: "Greater Ellery"})
	if len(small.Nodes)*20 > len(large.Nodes) || len(small.Merchants) == 0 || !strings.HasPrefix(large.Name, "Greater") {
		t.Errorf("1 km² has %d nodes and %d merchants, 48 km² %d nodes", len(small.Nodes), len(small.Merchants), len(large.Nodes))
	}
	for _, o := range []Options{{WidthM: 10}, {HeightM: 1 << 40}, {Merchants: -1}} {
		if _, err := Generate(1, o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v, want invalid", o, err)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		if _, err := Generate(1, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

package maps

import (
	"slices"
	"strings"
	"testing"

	"footway/core/fault"
	"footway/core/rng"

	gocmp "github.com/google/go-cmp/cmp"
)

func at(x, y int64) Point {
	return NewProjection(Point{Lon: -300_000_000, Lat: 470_000_000}).Point(XY{x * 1000, y * 1000})
}

// square builds a square of sidewalks with sides of 100 m and lets edit change it first.
func square(t *testing.T, edit func(b *Builder, corner [4]NodeID)) (*Network, BuildReport) {
	t.Helper()
	b := NewBuilder("square", "nobody")
	corner := [4]NodeID{b.Node(at(0, 0)), b.Node(at(100, 0)), b.Node(at(100, 100)), b.Node(at(0, 100))}
	for i := range corner {
		b.Stretch(Stretch{From: corner[i], To: corner[(i+1)%4], Name: "Ring", Surface: SurfaceSmooth})
	}
	edit(b, corner)
	n, report, err := b.Build(DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n, report
}

func TestBuildDropsWhatNoRobotPasses(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Stretch
		want []string // reasons, one for each direction
	}{
		{"plain", Stretch{}, nil},
		{"steep up one way, gentle enough down the other", Stretch{InclinePermille: 90}, []string{"too steep"}},
		{"steep both ways", Stretch{InclinePermille: -150}, []string{"too steep", "too steep"}},
		{"steep without a number", Stretch{Flags: InclineSteep}, nil},
		{"narrow", Stretch{WidthMM: 700}, []string{"too narrow", "too narrow"}},
		{"just wide enough", Stretch{WidthMM: 860}, nil},
		{"a raised kerb at one end", Stretch{KerbTo: KerbRaised}, []string{"kerb too high"}},
		{"unmarked over a secondary street", Stretch{Class: Crossing, Control: ControlUnmarked, Street: StreetSecondary}, nil},
		{"unmarked over a primary street", Stretch{Class: Crossing, Control: ControlUnmarked, Street: StreetPrimary}, []string{"unsafe crossing", "unsafe crossing"}},
		{"signal over a primary street", Stretch{Class: Crossing, Control: ControlSignal, Street: StreetPrimary}, nil},
		{"zebra over a trunk road", Stretch{Class: Crossing, Control: ControlZebra, Street: StreetTrunk}, []string{"unsafe crossing", "unsafe crossing"}},
		{"grass", Stretch{Surface: SurfaceSoft}, []string{"too soft", "too soft"}},
		{"private", Stretch{Flags: PrivateAccess}, []string{"private", "private"}},
		{"one way", Stretch{OneWay: true}, nil},
	} {
		n, report := square(t, func(b *Builder, corner [4]NodeID) {
			c.s.From, c.s.To, c.s.Name = corner[0], corner[2], "Diagonal"
			b.Stretch(c.s)
		})
		var got []string
		for _, d := range report.Dropped {
			for range d.Edges {
				got = append(got, d.Reason)
			}
		}
		if diff := gocmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: dropped (-want +got)\n%s", c.name, diff)
		}
		want := 8 + 2 - len(c.want)
		if c.s.OneWay {
			want = 9
		}
		if len(n.Edges) != want {
			t.Errorf("%s: %d edges, want %d", c.name, len(n.Edges), want)
		}
	}
}

func TestBuildKeepsLargestPart(t *testing.T) {
	n, report := square(t, func(b *Builder, corner [4]NodeID) {
		island := []NodeID{b.Node(at(500, 0)), b.Node(at(600, 0)), b.Node(at(600, 100))}
		for i := range island {
			b.Stretch(Stretch{From: island[i], To: island[(i+1)%3], Name: "Island"})
		}
		b.Stretch(Stretch{From: corner[1], To: island[0], Name: "No way back", OneWay: true})
		b.Node(at(50, 50)) // no way at all
		b.Address("1", "Ring", "", "", at(50, 10))
		b.Address("2", "Island", "", "", at(550, 10))
		b.Merchant("Here", "cafe", 0, at(50, 10))
		b.Merchant("There", "cafe", 1, at(550, 10))
		b.Merchant("Corner", "cafe", 1, at(1, 1))
	})
	if len(n.Nodes) != 4 || len(n.Edges) != 8 {
		t.Errorf("%d nodes, %d edges: want the square's 4 and 8", len(n.Nodes), len(n.Edges))
	}
	if report.Components < 2 || report.Addresses != (Placed{1, 1}) || report.Merchants != (Placed{2, 1}) {
		t.Errorf("report %+v: want 1 address and 2 merchants kept, 1 of each far", report)
	}
	if n.Merchants[0].Address != 0 || n.Merchants[1].Address != -1 {
		t.Errorf("merchants' addresses %d, %d: want 0, and -1 for the one that was left out", n.Merchants[0].Address, n.Merchants[1].Address)
	}
	if slices.Contains(n.Names, "Island") {
		t.Errorf("names %q: want only those in use", n.Names)
	}
}

func TestBuildDirections(t *testing.T) {
	n, _ := square(t, func(b *Builder, corner [4]NodeID) {
		b.Stretch(Stretch{
			From: corner[0], To: corner[2], Name: "Slope", Shape: []Point{at(20, 10), at(80, 90)},
			InclinePermille: 50, KerbFrom: KerbFlush, KerbTo: KerbLowered,
		})
	})
	for id := range n.Edges {
		e := &n.Edges[id]
		if n.Names[e.Name] != "Slope" {
			continue
		}
		r := &n.Edges[e.Reverse]
		up, wantKerb := n.Nodes[e.From] == at(0, 0), KerbFlush
		if up {
			wantKerb = KerbLowered
		}
		if (e.InclinePermille > 0) != up || e.Kerb != wantKerb {
			t.Errorf("edge %d up %v: incline %d, kerb %v at its end", id, up, e.InclinePermille, e.Kerb)
		}
		forth, back := n.Line(nil, EdgeID(id)), n.Line(nil, e.Reverse)
		slices.Reverse(back)
		if !slices.Equal(forth, back) || r.LengthMM != e.LengthMM || e.LengthMM < 141_000 {
			t.Errorf("edge %d: line %v, reverse %v, lengths %d and %d", id, forth, back, e.LengthMM, r.LengthMM)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	for _, c := range []struct {
		name, want string
		edit       func(b *Builder)
	}{
		{"node missing", "joins nodes 0 and 7", func(b *Builder) { b.Stretch(Stretch{From: 0, To: 7}) }},
		{"class", "does not exist", func(b *Builder) { b.Stretch(Stretch{From: 0, To: 1, Class: 77}) }},
		{"nothing passable", "none of its 1 stretches", func(b *Builder) { b.Stretch(Stretch{From: 0, To: 1, Surface: SurfaceSoft}) }},
		{"address missing", "has address 4", func(b *Builder) { b.Merchant("M", "cafe", 4, Point{}) }},
		{"too wide", "at most 10 degrees", func(b *Builder) { b.Node(Point{Lon: 1_000_000_000}) }},
		{"too long", "50000 m", func(b *Builder) { b.Stretch(Stretch{From: 0, To: 1, LengthMM: 60_000_000}) }},
	} {
		b := NewBuilder("bad", "nobody")
		b.Node(at(0, 0))
		b.Node(at(100, 0))
		c.edit(b)
		if _, _, err := b.Build(DefaultProfile()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want invalid and %q", c.name, err, c.want)
		}
	}
}

func TestLargestComponentAgainstClosure(t *testing.T) {
	for seed := range uint64(200) {
		s := rng.Seed(seed).Stream("graph", "test")
		const nodes = 12
		var reach [nodes][nodes]bool
		var arcs []arc
		for k := range uint64(16) {
			a, b := NodeID(s.N(2*k, nodes)), NodeID(s.N(2*k+1, nodes))
			arcs = append(arcs, arc{edge: Edge{From: a, To: b}})
			reach[a][b] = true
		}
		for k := range nodes {
			for i := range nodes {
				for j := range nodes {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		best, want := 0, make([]bool, nodes)
		for i := range nodes {
			size, part := 0, make([]bool, nodes)
			for j := range nodes {
				if i == j || reach[i][j] && reach[j][i] {
					size++
					part[j] = true
				}
			}
			if size > best {
				best, want = size, part
			}
		}
		if best == 1 {
			continue // no two nodes reach each other; which one is kept does not matter
		}
		if got := largestComponent(nodes, arcs, &BuildReport{}); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v, want %v", seed, got, want)
		}
	}
}

package osm

import (
	"testing"

	"footway/core/maps"
)

// TestRealExtracts holds the import of real cities to what is known of them.
// The bounds are wide enough for a change of one rule, and not for a rule lost.
func TestRealExtracts(t *testing.T) {
	type span struct{ least, most int }
	tests := []struct {
		name                        string
		nodes, addresses, merchants span
		crossings, signals          span // edges that wait, each way once; numbers of signals
	}{
		{"seattle-wedgwood", span{3000, 4000}, span{5700, 6107}, span{18, 40}, span{500, 1300}, span{8, 40}},
		{"baltimore", span{6200, 8500}, span{1100, 1400}, span{133, 300}, span{1500, 3500}, span{80, 400}},
		{"london-northern-line", span{16000, 23000}, span{30, 60}, span{1, 20}, span{1500, 4500}, span{100, 900}},
		{"helsinki-centre", span{2400, 4200}, span{500, 800}, span{400, 900}, span{250, 900}, span{20, 200}},
		{"delaware", span{70000, 95000}, span{1100, 1450}, span{235, 600}, span{8000, 20000}, span{100, 1500}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, report := importFile(t, test.name)
			if err := n.Validate(); err != nil {
				t.Fatal(err)
			}
			crossings, signals := 0, map[int32]bool{}
			for i := range n.Edges {
				e := &n.Edges[i]
				if e.Signal != 0 {
					signals[e.Signal] = true
				}
				if e.Control != maps.ControlNone && (e.Reverse == maps.NoEdge || e.Reverse > maps.EdgeID(i)) {
					crossings++
				}
				if e.Class != maps.Crossing && e.Control != maps.ControlNone || (e.Signal != 0) != (e.Control == maps.ControlSignal) {
					t.Fatalf("edge %d: %v with control %v and signal %d", i, e.Class, e.Control, e.Signal)
				}
			}
			for _, c := range []struct {
				what string
				got  int
				want span
			}{
				{"nodes", len(n.Nodes), test.nodes}, {"addresses", len(n.Addresses), test.addresses},
				{"merchants", len(n.Merchants), test.merchants}, {"crossings", crossings, test.crossings}, {"signals", len(signals), test.signals},
			} {
				if c.got < c.want.least || c.got > c.want.most {
					t.Errorf("%s: %d, want %d to %d", c.what, c.got, c.want.least, c.want.most)
				}
			}
			if err := report.WriteText(t.Output()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestSameNetworkTwice(t *testing.T) {
	first, _ := importFile(t, "baltimore")
	if again, _ := importFile(t, "baltimore"); again.Hash() != first.Hash() {
		t.Error("two imports of one file differ")
	}
}

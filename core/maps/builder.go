package maps

import (
	"footway/core/setting"

	"fmt"

	"footway/core/fault"
)

// SnapLimitMM is how far an address or a merchant may lie from the network, in
// millimetres, before Build leaves it out: a robot that stops further away has
// not arrived.
const SnapLimitMM = 60_000

// Builder gathers the raw parts of a map, from an importer or a generator, and
// makes a Network of them. The zero value is not usable; see NewBuilder. It is
// not safe for concurrent use.
type Builder struct {
	name        string
	attribution string
	nodes       []Point
	stretches   []Stretch
	addresses   []Address
	merchants   []Merchant
	backdrop    []Backdrop
	names       map[string]int32
	nameList    []string
}

// Stretch is a piece of way between two nodes, before it is split into its two
// directions.
type Stretch struct {
	From, To        NodeID  // as returned by Builder.Node
	Shape           []Point // intermediate points, From to To; the builder keeps the slice
	Name            string
	Class           Class
	Surface         Surface
	Street          Street
	KerbFrom        Kerb // met when leaving the stretch at its From end
	KerbTo          Kerb // met when leaving it at its To end
	Control         Control
	Signal          int32 // number of the signal that controls the crossing; 0 if none
	WidthMM         int32 // 0 if unknown
	InclinePermille int16 // rise from From to To
	Flags           Flags
	OneWay          bool  // robots may only go From to To
	LengthMM        int32 // 0: measured along the shape
}

// NewBuilder returns an empty builder of a map called name, drawn from sources
// that want to be named by attribution.
func NewBuilder(name, attribution string) *Builder {
	return &Builder{
		name: name, attribution: attribution,
		names: map[string]int32{"": 0}, nameList: []string{""},
	}
}

// Node adds a node and returns its number, valid for this builder only: Build
// numbers the nodes anew.
func (b *Builder) Node(p Point) NodeID {
	b.nodes = append(b.nodes, p)
	return NodeID(len(b.nodes) - 1)
}

// Stretch adds a piece of way. Build reports nodes that do not exist.
func (b *Builder) Stretch(s Stretch) { b.stretches = append(b.stretches, s) }

// Address adds an address and returns its number for Merchant, valid for this
// builder only.
func (b *Builder) Address(number, street, city, postcode string, p Point) int32 {
	b.addresses = append(b.addresses, Address{
		Number: number, Street: street, City: city, Postcode: postcode, Point: p,
	})
	return int32(len(b.addresses) - 1)
}

// Merchant adds a merchant; address is a number that Address returned, or -1.
func (b *Builder) Merchant(name, kind string, address int32, p Point) {
	b.merchants = append(b.merchants, Merchant{Name: name, Kind: kind, Address: address, Point: p})
}

// Backdrop adds a shape to be drawn behind the network. The builder keeps points.
func (b *Builder) Backdrop(kind BackdropKind, rank Street, closed bool, name string, points []Point) {
	b.backdrop = append(b.backdrop, Backdrop{
		Kind: kind, Rank: rank, Closed: closed, Name: b.nameID(name), Points: points,
	})
}

// Build makes the network: it splits stretches into directed edges, drops
// those that a robot of profile p can never pass, keeps the largest strongly
// connected part, numbers nodes along a space-filling curve and edges by their
// ends, and snaps addresses and merchants, leaving out those further than
// SnapLimitMM from any place to stand. The result depends only on what was
// added and its order. It fails with fault.Invalid if p or a stretch is wrong
// or nothing is left.
func (b *Builder) Build(p Profile) (*Network, BuildReport, error) {
	const op = "maps.Build"
	var report BuildReport
	if errs := setting.Problems("profile", p); len(errs) > 0 {
		return nil, report, fault.New(op, fault.Invalid, "bad_profile", "%w", errs[0])
	}
	if err := b.check(); err != nil {
		return nil, report, &fault.Error{Op: op, Kind: fault.Invalid, Reason: "bad_map", Err: err}
	}
	arcs, err := b.arcs(&p, &report)
	if err != nil {
		return nil, report, &fault.Error{Op: op, Kind: fault.Invalid, Reason: "bad_map", Err: err}
	}
	keep := largestComponent(len(b.nodes), arcs, &report)
	arcs = keepArcs(arcs, keep, &report)
	if len(arcs) == 0 {
		return nil, report, fault.New(op, fault.Invalid, "empty_map",
			"map %q: none of its %d stretches belongs to a part where a robot could go and come back", b.name, len(b.stretches))
	}
	n := &Network{Name: b.name, Attribution: b.attribution}
	b.layOut(n, arcs, keep)
	b.snapAll(n, &report)
	n.Backdrop = b.backdrop
	n.Names = b.nameList
	if err := n.Validate(); err != nil {
		return nil, report, &fault.Error{Op: op, Kind: fault.Invalid, Reason: "bad_map", Err: err}
	}
	report.finish(n)
	return n, report, nil
}

// check reports the first stretch or merchant that names something missing or
// lies outside what a map can hold.
func (b *Builder) check() error {
	box := EmptyBox()
	for _, p := range b.nodes {
		box = box.With(p)
	}
	for i := range b.stretches {
		for _, p := range b.stretches[i].Shape {
			box = box.With(p)
		}
	}
	if err := checkSpan(box); err != nil {
		return err
	}
	for i := range b.stretches {
		s := &b.stretches[i]
		if !b.has(s.From) || !b.has(s.To) {
			return fmt.Errorf("stretch %d (%q) joins nodes %d and %d: want numbers below %d", i, s.Name, s.From, s.To, len(b.nodes))
		}
		if s.LengthMM < 0 || s.WidthMM < 0 || s.Signal < 0 {
			return fmt.Errorf("stretch %d (%q): negative length, width or signal", i, s.Name)
		}
		if s.Class >= classes || s.Surface >= surfaces || s.KerbFrom >= kerbs || s.KerbTo >= kerbs ||
			s.Control >= controls || s.Street >= streets {
			return fmt.Errorf("stretch %d (%q): a class, surface, kerb, control or street rank that does not exist", i, s.Name)
		}
	}
	for i := range b.merchants {
		if a := b.merchants[i].Address; a < -1 || int(a) >= len(b.addresses) {
			return fmt.Errorf("merchant %d (%q) has address %d: want -1 or a number below %d", i, b.merchants[i].Name, a, len(b.addresses))
		}
	}
	return nil
}

func (b *Builder) has(n NodeID) bool { return n >= 0 && int(n) < len(b.nodes) }

// nameID returns the index of s in the network's names, adding it if new.
func (b *Builder) nameID(s string) int32 {
	if id, ok := b.names[s]; ok {
		return id
	}
	id := int32(len(b.nameList))
	b.names[s] = id
	b.nameList = append(b.nameList, s)
	return id
}

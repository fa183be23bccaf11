// Package maps is where robots can go: the walkable network of a market, how
// long a way takes, what is closed, and where an address is. It knows nothing
// of robots' jobs.
package maps

// Point is a WGS 84 position in units of 1e-7 degrees, as OpenStreetMap stores
// it (about 11 mm of latitude).
type Point struct {
	Lon int32 `json:"lon"`
	Lat int32 `json:"lat"`
}

// NodeID numbers the nodes of one network from 0.
type NodeID int32

// EdgeID numbers the directed edges of one network from 0.
type EdgeID int32

// NoEdge is the absence of an edge.
const NoEdge EdgeID = -1

// Position is a place on the network: OffsetMM millimetres along Edge from its
// From node, 0 <= OffsetMM <= the edge's length.
type Position struct {
	Edge     EdgeID `json:"edge"`
	OffsetMM int32  `json:"mm"`
}

// Class is what a robot moves on.
type Class uint8

// The classes.
const (
	Sidewalk Class = iota // a footway beside a street
	Crossing              // over a roadway
	Path                  // foot and cycle ways away from streets, pedestrian areas
	Shared                // a street that robots share with others: living, pedestrian, residential, service
	KerbStep              // a few centimetres of height between two of the others
)

// Surface is what the ground is made of, from smooth to rough.
type Surface uint8

// The surfaces.
const (
	SurfaceUnknown Surface = iota
	SurfaceSmooth          // asphalt, concrete, smooth paving
	SurfacePaved           // paving stones, bricks
	SurfaceRough           // cobbles, sett
	SurfaceLoose           // gravel, compacted, ground
	SurfaceSoft            // grass, sand, mud: not passable
)

// Kerb is the height a robot meets at the edge's end.
type Kerb uint8

// The kerbs, by rising height.
const (
	KerbNone    Kerb = iota // no kerb there
	KerbUnknown             // a crossing whose kerbs nobody mapped
	KerbFlush               // up to 1.5 cm
	KerbLowered             // 3 to 6 cm
	KerbRolled              // 6 to 8 cm
	KerbRaised              // 12 to 15 cm
)

// Control is how a crossing is regulated.
type Control uint8

// The controls.
const (
	ControlNone     Control = iota // not a crossing
	ControlSignal                  // traffic lights
	ControlZebra                   // marked, vehicles give way
	ControlUnmarked                // nothing, or unknown
)

// Street is the rank of the street an edge lies on, runs beside or crosses.
type Street uint8

// The ranks.
const (
	StreetNone Street = iota
	StreetPedestrian
	StreetLiving
	StreetService
	StreetResidential
	StreetTertiary
	StreetSecondary
	StreetPrimary
	StreetTrunk
)

// Flags of an edge.
type Flags uint8

// The flags.
const (
	Inferred      Flags = 1 << iota // not mapped as such: derived from a street's tags or centre line
	Unlit                           // known to be dark at night
	InclineKnown                    // InclinePermille comes from a tag
	InclineSteep                    // tagged "up" or "down" without a number
	PrivateAccess                   // only for customers or residents
)

// Edge is a directed stretch between two nodes.
type Edge struct {
	From, To        NodeID
	LengthMM        int32
	WidthMM         int32  // 0 if unknown
	Reverse         EdgeID // the same stretch the other way, or NoEdge
	Name            int32  // index into Network.Names; 0 is ""
	ShapeFirst      int32  // intermediate points: Network.Shape[ShapeFirst:ShapeFirst+ShapeCount],
	ShapeCount      int32  // in the direction of the edge
	Signal          int32  // number of the signal that controls the crossing; 0 if none
	InclinePermille int16  // rise in the direction of travel, 80 is 8%
	Class           Class
	Surface         Surface
	Kerb            Kerb
	Control         Control
	Street          Street
	Flags           Flags
}

// Address is a place that a letter could reach.
type Address struct {
	Number   string // house number, such as "8210" or "12a"
	Street   string
	City     string
	Postcode string
	Point    Point    // where the map has it
	At       Position // nearest place a robot can stand
	OffMM    int32    // distance between the two
}

// Merchant is a shop or kitchen that the map knows.
type Merchant struct {
	Name    string
	Kind    string // "restaurant", "cafe", "fast_food", or the shop's kind
	Address int32  // index into Network.Addresses, or -1
	Point   Point
	At      Position
	OffMM   int32
}

// BackdropKind is the kind of a backdrop shape.
type BackdropKind uint8

// The kinds.
const (
	BackdropRoad     BackdropKind = iota // a street's centre line; Rank holds its Street
	BackdropBuilding                     // an outline
	BackdropPark                         // an outline
	BackdropWater                        // an outline, or a line where open
	BackdropRail                         // a line
)

// Backdrop is what a map shows behind the network so that people find their
// way. Robots do not use it.
type Backdrop struct {
	Kind   BackdropKind
	Rank   Street
	Closed bool // an area; the first point is not repeated
	Name   int32
	Points []Point
}

// Network is one version of a market's map. It is immutable once built. Every
// node can reach every other over edges that the default profile passes.
type Network struct {
	Name        string // such as "seattle-wedgwood"
	Attribution string // to be shown wherever the map is drawn
	Nodes       []Point
	Edges       []Edge  // sorted by From, then To
	FirstOut    []int32 // FirstOut[n]:FirstOut[n+1] are the edges out of node n; len(Nodes)+1 entries
	Shape       []Point
	Names       []string // Names[0] is ""
	Addresses   []Address
	Merchants   []Merchant
	Backdrop    []Backdrop
}

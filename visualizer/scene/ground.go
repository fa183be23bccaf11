package scene

import (
	"math"

	"footway/core/maps"
)

// ground knows where the positions of a network are, in metres.
type ground struct {
	net   *maps.Network
	plane maps.Projection
	ways  []way // of each edge, and one behind the last
	piece []piece
	box   Box
}

// way is where an edge is: piece[first:first of the next].
type way struct {
	first int32
	total float32 // its length on the plane, in metres
	scale float32 // metres on the plane to the millimetre of the edge
}

// piece is a straight part of an edge.
type piece struct {
	x, y   float32 // its begin
	dx, dy float32 // its direction, of length 1
	from   float32 // length of the edge before it
	length float32
}

func newGround(net *maps.Network) *ground {
	g := &ground{net: net, plane: net.Projection(), box: emptyBox()}
	g.ways = make([]way, len(net.Edges)+1)
	var line []maps.Point
	for id := range net.Edges {
		line = net.Line(line[:0], maps.EdgeID(id))
		from := float32(0)
		for i := 1; i < len(line); i++ {
			ax, ay := g.metres(line[i-1])
			bx, by := g.metres(line[i])
			length := float32(math.Hypot(float64(bx-ax), float64(by-ay)))
			p := piece{x: ax, y: ay, from: from, length: length}
			if length > 0 {
				p.dx, p.dy = (bx-ax)/length, (by-ay)/length
			}
			g.piece = append(g.piece, p)
			g.box = g.box.with(ax, ay).with(bx, by)
			from += length
		}
		w := &g.ways[id]
		w.total = from
		if length := net.Edges[id].LengthMM; length > 0 {
			w.scale = from / float32(length)
		}
		g.ways[id+1].first = int32(len(g.piece))
	}
	return g
}

// metres returns where a point is.
func (g *ground) metres(p maps.Point) (x, y float32) {
	xy := g.plane.XY(p)
	return float32(float64(xy.X) / 1000), float32(float64(xy.Y) / 1000)
}

// at returns where a position is and the direction of the edge there. What is
// not on the network is in its middle.
func (g *ground) at(p maps.Position) (x, y, dx, dy float32) {
	if !g.has(p.Edge) {
		return 0, 0, 1, 0
	}
	w := &g.ways[p.Edge]
	pieces := g.piece[w.first:g.ways[p.Edge+1].first]
	along := w.scale * float32(p.OffsetMM)
	i := 0
	for i < len(pieces)-1 && along > pieces[i].from+pieces[i].length {
		i++
	}
	q := &pieces[i]
	d := min(max(along-q.from, 0), q.length)
	return q.x + q.dx*d, q.y + q.dy*d, q.dx, q.dy
}

// has reports whether the network has an edge.
func (g *ground) has(e maps.EdgeID) bool { return e >= 0 && int(e) < len(g.ways)-1 }

package scene

import (
	"math"

	"footway/core/maps"
)

// ground knows where the positions of a network are, in metres.
type ground struct {
	net   *maps.Network
	plane maps.Projection
	first []int32 // pieces of edge e: piece[first[e]:first[e+1]]
	piece []piece
	total []float32 // length of each edge on the plane
	box   Box
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
	g.first = make([]int32, 1, len(net.Edges)+1)
	g.total = make([]float32, len(net.Edges))
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
		g.total[id] = from
		g.first = append(g.first, int32(len(g.piece)))
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
	if p.Edge < 0 || int(p.Edge) >= len(g.total) {
		return 0, 0, 1, 0
	}
	pieces := g.piece[g.first[p.Edge]:g.first[p.Edge+1]]
	along := g.total[p.Edge]
	if length := g.net.Edges[p.Edge].LengthMM; length > 0 {
		along *= float32(p.OffsetMM) / float32(length)
	}
	i := 0
	for i < len(pieces)-1 && along > pieces[i].from+pieces[i].length {
		i++
	}
	q := &pieces[i]
	d := min(max(along-q.from, 0), q.length)
	return q.x + q.dx*d, q.y + q.dy*d, q.dx, q.dy
}

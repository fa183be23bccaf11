package tiles

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"footway/core/maps"
)

// layer is a layer of a tile.
type layer uint8

// The layers, from below.
const (
	areas layer = iota
	parks
	water
	buildings
	rails
	streets
	paths
	crossings
	addresses
	places
	layerCount
)

// layerNames are what the tiles and the styles call them.
var layerNames = [layerCount]string{"areas", "parks", "water", "buildings", "rails", "streets", "paths", "crossings", "addresses", "places"}

// fields are the properties of the features of each layer, for TileJSON.
var fields = [layerCount]map[string]string{
	areas:     {"kind": "String"},
	parks:     {"name": "String"},
	water:     {"name": "String"},
	buildings: {},
	rails:     {},
	streets:   {"name": "String", "rank": "Number"},
	paths:     {"class": "String", "name": "String"},
	crossings: {"control": "String"},
	addresses: {"number": "String"},
	places:    {"name": "String", "kind": "String"},
}

// backdrop adds what lies behind the network.
func (a *atlas) backdrop(n *maps.Network) {
	for i := range n.Backdrop {
		b := &n.Backdrop[i]
		if len(b.Points) < 2 || b.Closed && len(b.Points) < 3 {
			continue
		}
		var shape orb.Geometry = lineOf(b.Points)
		large := 0.0
		if b.Closed && b.Kind != maps.BackdropRoad && b.Kind != maps.BackdropRail {
			ring := ringOf(b.Points)
			shape, large = ring, squareMetres(ring)
		}
		name := map[string]any{}
		if b.Name != 0 {
			name["name"] = n.Names[b.Name]
		}
		switch b.Kind {
		case maps.BackdropRoad:
			name["rank"] = int(b.Rank)
			a.add(streets, streetFrom(b.Rank), shape, name)
		case maps.BackdropBuilding:
			a.add(buildings, 14, shape, nil)
		case maps.BackdropPark:
			a.add(parks, seenFrom(large), shape, name)
		case maps.BackdropWater:
			a.add(water, seenFrom(large), shape, name)
		case maps.BackdropRail:
			a.add(rails, 12, shape, nil)
		}
	}
}

// streetFrom is the zoom from which a street of a rank is shown.
func streetFrom(s maps.Street) maptile.Zoom {
	switch {
	case s >= maps.StreetPrimary:
		return MinZoom
	case s >= maps.StreetTertiary:
		return 11
	case s >= maps.StreetResidential:
		return 12
	}
	return 13
}

// seenFrom is the zoom from which an outline of some square metres is more than a dot.
func seenFrom(squareMetres float64) maptile.Zoom {
	switch {
	case squareMetres > 1e6:
		return MinZoom
	case squareMetres > 1e5:
		return 11
	case squareMetres > 1e4:
		return 12
	}
	return 13
}

// ways adds what robots move on, each stretch once.
func (a *atlas) ways(n *maps.Network) {
	for id := range n.Edges {
		e := &n.Edges[id]
		if e.Reverse != maps.NoEdge && e.Reverse < maps.EdgeID(id) {
			continue
		}
		line := lineOf(n.Line(nil, maps.EdgeID(id)))
		if e.Class == maps.Crossing {
			a.add(crossings, 15, line, map[string]any{"control": e.Control.String()})
			continue
		}
		props := map[string]any{"class": e.Class.String()}
		if e.Name != 0 && e.Class != maps.Sidewalk { // a sidewalk has the name of its street
			props["name"] = n.Names[e.Name]
		}
		from := maptile.Zoom(14)
		if e.Class == maps.Path {
			from = 13
		}
		a.add(paths, from, line, props)
	}
}

// addresses adds house numbers.
func (a *atlas) addresses(n *maps.Network) {
	for i := range n.Addresses {
		at := &n.Addresses[i]
		a.add(addresses, MaxZoom, degrees(at.Point), map[string]any{"number": at.Number})
	}
}

// merchants adds shops and kitchens.
func (a *atlas) merchants(n *maps.Network) {
	for i := range n.Merchants {
		m := &n.Merchants[i]
		a.add(places, 14, degrees(m.Point), map[string]any{"name": m.Name, "kind": m.Kind})
	}
}

// grounds are the areas of a market.
type grounds struct {
	known    bool
	revision uint64
	features []feature
}

func newGrounds(s maps.State) grounds {
	g := grounds{known: true, revision: s.Revision}
	for i := range s.Areas {
		shape := ringOf(s.Areas[i].Polygon)
		g.features = append(g.features, feature{areas, MinZoom, shape, shape.Bound(), map[string]any{"kind": string(s.Areas[i].Kind)}})
	}
	return g
}

func (g *grounds) draw(s *sheet) {
	for i := range g.features {
		f := &g.features[i]
		s.put(f.layer, f.shape, f.bound, f.props)
	}
}

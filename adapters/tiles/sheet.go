package tiles

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/maptile"
	"github.com/paulmach/orb/simplify"
)

// margin is how much of its neighbours a tile has, as a share of itself, so that wide lines do not end at its border.
const margin = 1.0 / 32

// sheet is a tile while it is drawn.
type sheet struct {
	at    maptile.Tile
	bound orb.Bound // with the margin
	on    [layerCount][]*geojson.Feature
}

func newSheet(at maptile.Tile) *sheet {
	return &sheet{at: at, bound: at.Bound(margin)}
}

// put draws the part of a shape that lies on the sheet. The shape stays as it is.
func (s *sheet) put(l layer, shape orb.Geometry, bound orb.Bound, props map[string]any) {
	if !bound.Intersects(s.bound) {
		return
	}
	part := clip.Geometry(s.bound, orb.Clone(shape))
	if part == nil {
		return
	}
	s.on[l] = append(s.on[l], &geojson.Feature{Type: "Feature", Geometry: part, Properties: props})
}

// layers returns what is on the sheet, in the units of tiles.
func (s *sheet) layers() mvt.Layers {
	var all mvt.Layers
	for l, on := range s.on {
		if len(on) > 0 {
			all = append(all, &mvt.Layer{Name: layerNames[l], Version: 2, Extent: mvt.DefaultExtent, Features: on})
		}
	}
	all.ProjectToTile(s.at)
	if s.at.Z < MaxZoom {
		all.Simplify(simplify.DouglasPeucker(2)) // a quarter of a pixel is 4
	}
	all.RemoveEmpty(1, 1)
	return all
}

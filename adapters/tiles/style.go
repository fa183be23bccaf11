package tiles

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/paulmach/orb"

	"footway/core/maps"
)

// theme is the colours of a style.
type theme struct {
	name                                    string
	land, park, water, building, roof       string
	casing, street, main, rail              string
	path, shared, crossing, signal          string
	text, halo, parkText, waterText, place  string
	closed, slow                            string
	parkOpacity, buildingOpacity, areaShade float64
}

var (
	light = theme{
		name: "light", land: "#f5f4f0", park: "#d8e8cf", water: "#bcd9ea", building: "#e7e3db", roof: "#d9d4ca",
		casing: "#ddd8ce", street: "#ffffff", main: "#fff6df", rail: "#cbc6bd",
		path: "#c3ad86", shared: "#d3cbbb", crossing: "#b9b1a3", signal: "#8f9aa8",
		text: "#57534b", halo: "#ffffffcc", parkText: "#4b7040", waterText: "#3f6f8d", place: "#7a4f2b",
		closed: "#c2410c", slow: "#b45309", parkOpacity: 1, buildingOpacity: 0.9, areaShade: 0.12,
	}
	dark = theme{
		name: "dark", land: "#14171c", park: "#1a2a20", water: "#12283a", building: "#1e2229", roof: "#2a2f38",
		casing: "#0f1216", street: "#2b313b", main: "#3a3d40", rail: "#333943",
		path: "#57503f", shared: "#343a44", crossing: "#4b5361", signal: "#6d7888",
		text: "#b3bac5", halo: "#14171ccc", parkText: "#7fa380", waterText: "#6fa3c4", place: "#d2ab83",
		closed: "#f97316", slow: "#fbbf24", parkOpacity: 1, buildingOpacity: 0.9, areaShade: 0.14,
	}
)

// font is what letters are drawn in. There are no glyphs to load: browsers draw them in the first of
// these that they have.
var (
	font   = []string{"system-ui", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"}
	strong = append([]string{"Footway Medium"}, font...) // no font, but its name says how bold
)

type object = map[string]any

// zooms is an expression that changes smoothly with the zoom: zoom, value, zoom, value...
func zooms(stops ...any) []any {
	return append([]any{"interpolate", []any{"exponential", 1.6}, []any{"zoom"}}, stops...)
}

// tileJSON describes the tiles (TileJSON 3.0).
func (h *Handler) tileJSON() []byte {
	var vector []object
	for l, name := range layerNames {
		vector = append(vector, object{"id": name, "fields": fields[l]})
	}
	b := h.bound()
	return encode(object{
		"tilejson": "3.0.0", "name": "Footway", "scheme": "xyz", "attribution": h.attribution(),
		"tiles": []string{h.o.Path + "/{z}/{x}/{y}.mvt"}, "minzoom": MinZoom, "maxzoom": MaxZoom,
		"bounds": []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}, "center": []float64{b.Center()[0], b.Center()[1], 13},
		"vector_layers": vector,
	})
}

// bound is where there is something to see.
func (h *Handler) bound() orb.Bound {
	if len(h.cities) == 0 {
		return orb.Bound{Min: orb.Point{-180, -85}, Max: orb.Point{180, 85}}
	}
	b := h.cities[0].bound
	for _, c := range h.cities[1:] {
		b = b.Union(c.bound)
	}
	return b
}

// attribution is what has to be shown with the map, each once.
func (h *Handler) attribution() string {
	var all []string
	seen := map[string]bool{}
	for _, c := range h.cities {
		if c.attribution != "" && !seen[c.attribution] {
			seen[c.attribution] = true
			all = append(all, c.attribution)
		}
	}
	return strings.Join(all, " · ")
}

// style is how to draw the tiles (MapLibre's style specification).
func (h *Handler) style(t theme) []byte {
	layers := []object{{"id": "land", "type": "background", "paint": object{"background-color": t.land}}}
	layers = append(layers, t.ground()...)
	layers = append(layers, t.roads()...)
	layers = append(layers, t.walks()...)
	layers = append(layers, t.labels()...)
	return encode(object{
		"version": 8, "name": "Footway " + t.name,
		"sources": object{"city": object{"type": "vector", "url": h.o.Path + "/tiles.json"}},
		"layers":  layers,
	})
}

func on(l layer, id, kind string, more object) object {
	o := object{"id": id, "type": kind, "source": "city", "source-layer": layerNames[l]}
	for k, v := range more {
		o[k] = v
	}
	return o
}

func (t theme) ground() []object {
	return []object{
		on(parks, "parks", "fill", object{"filter": []any{"==", []any{"geometry-type"}, "Polygon"}, "paint": object{"fill-color": t.park, "fill-opacity": t.parkOpacity}}),
		on(water, "water", "fill", object{"filter": []any{"==", []any{"geometry-type"}, "Polygon"}, "paint": object{"fill-color": t.water}}),
		on(water, "streams", "line", object{"filter": []any{"==", []any{"geometry-type"}, "LineString"}, "paint": object{"line-color": t.water, "line-width": zooms(12, 1, 18, 8)}}),
		on(buildings, "buildings", "fill", object{"minzoom": 14, "paint": object{
			"fill-color": t.building, "fill-outline-color": t.roof, "fill-opacity": []any{"interpolate", []any{"linear"}, []any{"zoom"}, 14, 0, 15, t.buildingOpacity},
		}}),
		on(rails, "rails", "line", object{"paint": object{"line-color": t.rail, "line-width": zooms(12, 0.8, 18, 3), "line-dasharray": []any{3, 2}}}),
		on(areas, "closed", "fill", object{"filter": []any{"==", []any{"get", "kind"}, string(maps.NoGo)}, "paint": object{"fill-color": t.closed, "fill-opacity": t.areaShade}}),
		on(areas, "slow", "fill", object{"filter": []any{"==", []any{"get", "kind"}, string(maps.Slow)}, "paint": object{"fill-color": t.slow, "fill-opacity": t.areaShade}}),
	}
}

// roads are drawn twice, a wider line below, so that they have borders and meet without any.
func (t theme) roads() []object {
	round := object{"line-cap": "round", "line-join": "round"}
	wide := []any{">=", []any{"get", "rank"}, int(maps.StreetSecondary)}
	middle := []any{"all", []any{"<", []any{"get", "rank"}, int(maps.StreetSecondary)}, []any{">=", []any{"get", "rank"}, int(maps.StreetResidential)}}
	small := []any{"<", []any{"get", "rank"}, int(maps.StreetResidential)}
	line := func(id string, filter []any, colour string, width []any) object {
		return on(streets, id, "line", object{"filter": filter, "layout": round, "paint": object{"line-color": colour, "line-width": width}})
	}
	return []object{
		line("small-casing", small, t.casing, zooms(13, 1.2, 16, 5, 19, 18)),
		line("middle-casing", middle, t.casing, zooms(11, 0.8, 14, 4, 16, 11, 19, 46)),
		line("wide-casing", wide, t.casing, zooms(9, 1, 14, 6.4, 16, 17, 19, 68)),
		line("small", small, t.street, zooms(13, 0.6, 16, 3.6, 19, 16)),
		line("middle", middle, t.street, zooms(11, 0.4, 14, 2.8, 16, 9.2, 19, 43)),
		line("wide", wide, t.main, zooms(9, 0.5, 14, 4.8, 16, 15, 19, 64)),
	}
}

// walks is what robots move on.
func (t theme) walks() []object {
	class := func(c maps.Class) []any { return []any{"==", []any{"get", "class"}, c.String()} }
	return []object{
		on(paths, "sidewalks", "line", object{"minzoom": 15.5, "filter": class(maps.Sidewalk), "layout": object{"line-cap": "round"}, "paint": object{
			"line-color": t.path, "line-opacity": 0.55, "line-width": zooms(15.5, 0.5, 18, 2.4),
		}}),
		on(paths, "footpaths", "line", object{"minzoom": 13.5, "filter": class(maps.Path), "layout": object{"line-cap": "round", "line-join": "round"}, "paint": object{
			"line-color": t.path, "line-opacity": 0.8, "line-width": zooms(13.5, 0.6, 18, 3), "line-dasharray": []any{1.5, 1.8},
		}}),
		on(paths, "shared", "line", object{"minzoom": 15, "filter": class(maps.Shared), "paint": object{"line-color": t.shared, "line-width": zooms(15, 0.5, 18, 2)}}),
		on(crossings, "crossings", "line", object{"minzoom": 15.5, "paint": object{
			"line-color":     []any{"match", []any{"get", "control"}, maps.ControlSignal.String(), t.signal, t.crossing},
			"line-dasharray": []any{0.6, 0.5}, "line-width": zooms(15.5, 1, 18, 7), "line-opacity": 0.8,
		}}),
	}
}

func (t theme) labels() []object {
	halo := func(colour string) object {
		return object{"text-color": colour, "text-halo-color": t.halo, "text-halo-width": 1.4}
	}
	return []object{
		on(streets, "street-names", "symbol", object{"minzoom": 13, "filter": []any{"has", "name"}, "paint": halo(t.text), "layout": object{
			"symbol-placement": "line", "text-field": []any{"get", "name"}, "text-font": font, "text-size": zooms(13, 10, 17, 13.5),
			"text-letter-spacing": 0.02, "symbol-spacing": 320, "symbol-sort-key": []any{"-", 0, []any{"get", "rank"}}, "text-max-angle": 30,
		}}),
		on(parks, "park-names", "symbol", object{"minzoom": 13, "filter": []any{"has", "name"}, "paint": halo(t.parkText), "layout": object{
			"text-field": []any{"get", "name"}, "text-font": strong, "text-size": 12, "text-max-width": 7,
		}}),
		on(water, "water-names", "symbol", object{"minzoom": 12, "filter": []any{"has", "name"}, "paint": halo(t.waterText), "layout": object{
			"text-field": []any{"get", "name"}, "text-font": strong, "text-size": 12, "text-max-width": 7, "text-letter-spacing": 0.04,
		}}),
		on(addresses, "house-numbers", "symbol", object{"minzoom": 17.2, "paint": halo(t.text), "layout": object{
			"text-field": []any{"get", "number"}, "text-font": font, "text-size": 10,
		}}),
		on(places, "place-dots", "circle", object{"minzoom": 14.5, "paint": object{
			"circle-radius": zooms(14.5, 1.6, 18, 4), "circle-color": t.place, "circle-stroke-color": t.halo, "circle-stroke-width": 1,
		}}),
		on(places, "place-names", "symbol", object{"minzoom": 15.2, "paint": halo(t.place), "layout": object{
			"text-field": []any{"get", "name"}, "text-font": strong, "text-size": 11, "text-anchor": "top", "text-offset": []any{0, 0.5}, "text-max-width": 8, "text-optional": true,
		}}),
	}
}

// encode writes what is only made of maps, lists, text and numbers.
func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("tiles: a description is not JSON: %v", err)) // it is our own
	}
	return body
}

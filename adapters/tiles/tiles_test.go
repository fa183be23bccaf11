package tiles_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"footway/adapters/memory"
	"footway/adapters/tiles"
	"footway/core/maps"
	"footway/core/market"
)

const town market.ID = "town"

// small is a block with everything that a tile shows: 0.01 degrees on each side, which is a kilometre.
func small(t testing.TB) *maps.Network {
	t.Helper()
	b := maps.NewBuilder("small", "© nobody")
	var nodes []maps.NodeID
	for _, p := range []maps.Point{{Lon: 0, Lat: 0}, {Lon: 100000, Lat: 0}, {Lon: 100000, Lat: 100000}, {Lon: 0, Lat: 100000}} {
		nodes = append(nodes, b.Node(p))
	}
	classes := []maps.Class{maps.Crossing, maps.Sidewalk, maps.Path, maps.Shared}
	for i := range nodes {
		s := maps.Stretch{From: nodes[i], To: nodes[(i+1)%4], Class: classes[i], Surface: maps.SurfaceSmooth, Name: "Block Street"}
		if i == 0 {
			s.Control, s.Signal, s.Street = maps.ControlSignal, 1, maps.StreetTertiary
		}
		b.Stretch(s)
	}
	at := b.Address("12a", "Block Street", "Town", "", maps.Point{Lon: 1000, Lat: 50000})
	b.Merchant("Bakery <&> Co", "bakery", at, maps.Point{Lon: 1000, Lat: 50000})
	square := func(from, to int32) []maps.Point { // clockwise, as nobody promised otherwise
		return []maps.Point{{Lon: from, Lat: from}, {Lon: from, Lat: to}, {Lon: to, Lat: to}, {Lon: to, Lat: from}}
	}
	b.Backdrop(maps.BackdropPark, 0, true, "Green", square(20000, 40000))
	b.Backdrop(maps.BackdropWater, 0, true, "Pond", square(25000, 30000))
	b.Backdrop(maps.BackdropBuilding, 0, true, "", square(50000, 52000))
	b.Backdrop(maps.BackdropRail, 0, false, "", []maps.Point{{Lon: 0, Lat: 90000}, {Lon: 100000, Lat: 90000}})
	b.Backdrop(maps.BackdropRoad, maps.StreetPrimary, false, "Long Avenue", []maps.Point{{Lon: 50000, Lat: -10000}, {Lon: 50000, Lat: 110000}})
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func open(t testing.TB, o tiles.Options) (*tiles.Handler, *memory.MapStore) {
	t.Helper()
	store := memory.NewMapStore()
	if err := store.SaveNetwork(t.Context(), town, small(t)); err != nil {
		t.Fatal(err)
	}
	h, err := tiles.Open(t.Context(), store, []market.ID{town}, o)
	if err != nil {
		t.Fatal(err)
	}
	return h, store
}

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// path returns the name of the tile in which a point lies.
func path(p orb.Point, z maptile.Zoom) string {
	at := maptile.At(p, z)
	return "/tiles/" + strings.Join([]string{itoa(uint32(z)), itoa(at.X), itoa(at.Y)}, "/") + ".mvt"
}

func itoa(n uint32) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func layersOf(t testing.TB, body []byte) map[string]*mvt.Layer {
	t.Helper()
	all, err := mvt.Unmarshal(body)
	if err != nil {
		t.Fatalf("the tile is none: %v", err)
	}
	found := map[string]*mvt.Layer{}
	for _, l := range all {
		found[l.Name] = l
	}
	return found
}

func names(found map[string]*mvt.Layer) []string {
	var all []string
	for name := range found {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func TestTileHasWhatIsThere(t *testing.T) {
	h, store := open(t, tiles.Options{})
	err := store.SaveNetwork(t.Context(), town, small(t))
	if err != nil {
		t.Fatal(err)
	}
	a := get(h, path(orb.Point{0.005, 0.005}, 14))
	found := layersOf(t, a.Body.Bytes())
	want := []string{"buildings", "parks", "paths", "places", "rails", "streets", "water"}
	if got := names(found); !slices.Equal(got, want) {
		t.Errorf("at zoom 14 there are %v, want %v", got, want)
	}
	if p := found["places"].Features[0].Properties; p["name"] != "Bakery <&> Co" || p["kind"] != "bakery" {
		t.Errorf("the shop is %v", p)
	}
	if p := found["streets"].Features[0].Properties; p["name"] != "Long Avenue" || p["rank"] != float64(maps.StreetPrimary) {
		t.Errorf("the street is %v", p)
	}
	if n := len(found["paths"].Features); n != 3 {
		t.Errorf("there are %d ways, want each stretch once: 3", n)
	}
	found = layersOf(t, get(h, path(orb.Point{0.0001, 0.005}, 16)).Body.Bytes())
	if f := found["addresses"]; f == nil || f.Features[0].Properties["number"] != "12a" {
		t.Errorf("close by there is no house number: %v", names(found))
	}
	found = layersOf(t, get(h, path(orb.Point{0.005, 0}, 16)).Body.Bytes())
	if f := found["crossings"]; f == nil || f.Features[0].Properties["control"] != maps.ControlSignal.String() {
		t.Errorf("close by there is no crossing: %v", names(found))
	}
	if a := get(h, path(orb.Point{50, 50}, 14)); a.Code != http.StatusOK || a.Body.Len() != 0 {
		t.Errorf("where nothing is: %d with %d bytes, want an empty tile", a.Code, a.Body.Len())
	}
}

func TestShapesMeetAtBorders(t *testing.T) {
	h, _ := open(t, tiles.Options{})
	at := maptile.At(orb.Point{0.005, 0.005}, 16)
	for _, l := range layersOf(t, get(h, path(orb.Point{0.005, 0.005}, 16)).Body.Bytes()) {
		for _, f := range l.Features {
			b := f.Geometry.Bound()
			const margin = 4096/32 + 1
			if b.Min[0] < -margin || b.Min[1] < -margin || b.Max[0] > 4096+margin || b.Max[1] > 4096+margin {
				t.Errorf("tile %v: a shape of %s reaches to %v, want it cut at the margin", at, l.Name, b)
			}
			if p, ok := f.Geometry.(orb.Polygon); ok && p[0].Orientation() != orb.CW { // y points down
				t.Errorf("a polygon of %s is inside out", l.Name)
			}
		}
	}
}

func TestAreasAreRefreshed(t *testing.T) {
	h, store := open(t, tiles.Options{})
	where := path(orb.Point{0.005, 0.005}, 14)
	before := get(h, where)
	area := maps.Area{ID: "a", Kind: maps.NoGo, Polygon: []maps.Point{{Lon: 0, Lat: 0}, {Lon: 90000, Lat: 0}, {Lon: 0, Lat: 90000}}}
	if _, err := store.SaveState(t.Context(), town, maps.State{Areas: []maps.Area{area}}); err != nil {
		t.Fatal(err)
	}
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := get(h, where)
	found := layersOf(t, after.Body.Bytes())
	if found["areas"] == nil || found["areas"].Features[0].Properties["kind"] != "no_go" {
		t.Errorf("the new area is not there: %v", names(found))
	}
	if before.Header().Get("ETag") == after.Header().Get("ETag") {
		t.Error("another tile has the same tag")
	}
}

func TestHTTP(t *testing.T) {
	h, _ := open(t, tiles.Options{})
	where := path(orb.Point{0.005, 0.005}, 14)
	plain := get(h, where)
	tag := plain.Header().Get("ETag")
	if plain.Code != http.StatusOK || tag == "" || plain.Header().Get("Content-Type") != "application/vnd.mapbox-vector-tile" {
		t.Fatalf("%d %v", plain.Code, plain.Header())
	}
	for _, header := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		if a := get(h, where, "If-None-Match", header); a.Code != http.StatusNotModified || a.Body.Len() != 0 {
			t.Errorf("If-None-Match %s: %d", header, a.Code)
		}
	}
	if a := get(h, where, "If-None-Match", `"other"`); a.Code != http.StatusOK {
		t.Errorf("another tag: %d", a.Code)
	}
	style := get(h, "/tiles/light.json", "Accept-Encoding", "br, gzip;q=0.5")
	z, err := gzip.NewReader(style.Body)
	if err != nil || style.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("not packed: %v %v", style.Header(), err)
	}
	body, err := io.ReadAll(z)
	if unpacked := get(h, "/tiles/light.json", "Accept-Encoding", "gzip;q=0"); err != nil || !bytes.Equal(body, unpacked.Body.Bytes()) {
		t.Errorf("packed and unpacked differ: %v", err)
	}
	r := httptest.NewRequest(http.MethodPost, where, nil)
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestStyles checks that the styles only use layers and fields that the tiles have, and nothing from elsewhere.
func TestStyles(t *testing.T) {
	h, _ := open(t, tiles.Options{Path: "/maps/tiles"})
	var described struct {
		Attribution string
		Tiles       []string
		Layers      []struct {
			ID     string
			Fields map[string]string
		} `json:"vector_layers"`
	}
	if err := json.Unmarshal(get(h, "/maps/tiles/tiles.json").Body.Bytes(), &described); err != nil {
		t.Fatal(err)
	}
	if described.Attribution != "© nobody" || described.Tiles[0] != "/maps/tiles/{z}/{x}/{y}.mvt" {
		t.Errorf("TileJSON is %+v", described)
	}
	known := map[string]map[string]string{}
	for _, l := range described.Layers {
		known[l.ID] = l.Fields
	}
	for _, theme := range []string{"light", "dark"} {
		text := get(h, "/maps/tiles/"+theme+".json").Body.String()
		var style struct {
			Version int
			Glyphs  *string
			Sprite  *string
			Layers  []map[string]any
		}
		if err := json.Unmarshal([]byte(text), &style); err != nil || style.Version != 8 {
			t.Fatalf("%s: %v, version %d", theme, err, style.Version)
		}
		if style.Glyphs != nil || style.Sprite != nil || strings.Contains(text, "://") {
			t.Errorf("%s asks for something from elsewhere", theme)
		}
		for _, l := range style.Layers {
			source, isTile := l["source-layer"].(string)
			if fields, ok := known[source]; isTile && (!ok || !fieldsOf(l, fields)) {
				t.Errorf("%s: layer %v uses what %q does not have", theme, l["id"], source)
			}
		}
	}
}

// fieldsOf reports whether all fields that a part of a style names are known.
func fieldsOf(part any, known map[string]string) bool {
	switch p := part.(type) {
	case map[string]any:
		for _, v := range p {
			if !fieldsOf(v, known) {
				return false
			}
		}
	case []any:
		if len(p) == 2 && (p[0] == "get" || p[0] == "has") {
			name, _ := p[1].(string)
			return known[name] != ""
		}
		for _, v := range p {
			if !fieldsOf(v, known) {
				return false
			}
		}
	}
	return true
}

func TestPathsThatAreNoTiles(t *testing.T) {
	h, _ := open(t, tiles.Options{})
	for _, p := range []string{
		"/tiles/14/8192/8191.pbf", "/tiles/8/1/1.mvt", "/tiles/17/1/1.mvt", "/tiles/14/16384/1.mvt", "/tiles/14/1/16384.mvt", "/tiles/14/-1/1.mvt", "/tiles/014/1/1.mvt",
		"/tiles/14/+1/1.mvt", "/tiles/14/1/1.mvt/", "/tiles/14//1.mvt", "/tiles/", "/tiles", "/tiles/14/1", "/tiles/14/99999999999/1.mvt", "/tiles/14/0x1/1.mvt", "/tiles/14%2F1/1.mvt", "/14/1/1.mvt",
	} {
		if a := get(h, p); a.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", p, a.Code)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"14/8192/8191.mvt", "9/0/0.mvt", "16/65535/65535.mvt", "014/1/1.mvt", "14/1/1", "//.mvt", "16/4294967295/1.mvt"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := tiles.ParsePath(s)
		if !ok {
			return
		}
		if again := itoa(uint32(at.Z)) + "/" + itoa(at.X) + "/" + itoa(at.Y) + ".mvt"; again != s {
			t.Errorf("%q is read as %v, which is written %q", s, at, again)
		}
		if !at.Valid() || at.Z < tiles.MinZoom || at.Z > tiles.MaxZoom {
			t.Errorf("%q is read as %v, which is no tile", s, at)
		}
	})
}

func BenchmarkTile(b *testing.B) {
	store := memory.NewMapStore()
	if err := store.SaveNetwork(b.Context(), town, small(b)); err != nil {
		b.Fatal(err)
	}
	h, err := tiles.Open(context.Background(), store, []market.ID{town}, tiles.Options{CacheBytes: 1})
	if err != nil {
		b.Fatal(err)
	}
	places := []string{path(orb.Point{0.005, 0.005}, 14), path(orb.Point{0.005, 0.005}, 16)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		get(h, places[i%2])
	}
}

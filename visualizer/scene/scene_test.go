package scene_test

import (
	"cmp"
	"flag"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"footway/adapters/osm"
	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/core/rng"
	"footway/core/runlog"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

var update = flag.Bool("update", false, "write the golden files anew")

func rush(tb testing.TB, after clock.Duration) (*scene.Scene, scene.Input) {
	tb.Helper()
	reader, r := twintest.Open(tb)
	run, err := play.Open(play.NewFile(reader), r.Network)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := run.Scan(1 << 30); err != nil {
		tb.Fatal(err)
	}
	from, _ := run.Span()
	st, err := run.At(from.Add(after))
	if err != nil {
		tb.Fatal(err)
	}
	return scene.New(r.Network), scene.Input{State: st, Story: run, Title: "rush", Zone: time.UTC}
}

// told writes a frame down: how much of what there is, and every text with its place.
func told(f *scene.Frame) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.0fx%.0f on %s\n", f.Width, f.Height, hex(f.Background))
	for _, l := range f.Layers {
		corners := 0
		for _, m := range l.Meshes {
			corners += len(m.Vertices)
		}
		fmt.Fprintf(&b, "%s: %d meshes of %d corners, %d corners, %d triangles\n", l.Name, len(l.Meshes), corners, len(l.Vertices), len(l.Indices)/3)
		for _, t := range l.Texts {
			fmt.Fprintf(&b, "  %4.0f %4.0f %4.1f %s %s\n", t.X, t.Y, t.Size, hex(t.Color), t.S)
		}
	}
	return b.String()
}

func hex(c color.RGBA) string { return fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B) }

// TestFrames compares frames, as text, with those that were looked at as pictures.
func TestFrames(t *testing.T) {
	s, in := rush(t, 50*clock.Minute)
	city := home(s, 1200, 800, 1, scene.Light)
	street := city
	street.Zoom, street.Theme = 2, scene.Dark
	chosen := city
	chosen.Selection = scene.Selection{Kind: scene.Delivery, ID: in.State.Deliveries[3].ID}
	heat := city
	heat.Layers = scene.HeatDemand | scene.HeatLate | scene.HeatIdle | scene.HeatStuck
	dense := city
	dense.Scale = 2
	for name, v := range map[string]scene.View{"city": city, "street": street, "chosen": chosen, "heat": heat, "dense": dense} {
		got, file := told(s.Frame(in, v)), filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is otherwise than in %s; look at it (footway view --headless), and if it is right: go test ./visualizer/scene -update\n%s", name, file, got)
		}
	}
}

// TestNothingChanges: the same frame again costs nothing, and says so.
func TestNothingChanges(t *testing.T) {
	s, in := rush(t, 50*clock.Minute)
	v := home(s, 1200, 800, 1, scene.Light)
	before := s.Frame(in, v).Revision
	if n := testing.AllocsPerRun(20, func() {
		if s.Frame(in, v).Revision != before {
			t.Error("the frame is said to be another")
		}
	}); n > 0 {
		t.Errorf("a frame in which nothing changes allocates %v times", n)
	}
	v.Zoom *= 1.001
	if s.Frame(in, v).Revision == before {
		t.Error("another view gives the same frame")
	}
}

// TestCulled: nothing is drawn that could not be seen, and every robot that could is, and is found there.
func TestCulled(t *testing.T) {
	s, in := rush(t, 50*clock.Minute)
	luck := rng.Seed(5).Stream("test", "views")
	for i := range uint64(60) {
		v := home(s, 900, 700, 1, scene.Light)
		v.Zoom *= math.Pow(2, float64(luck.N(3*i, 60))/10)
		box := s.Bounds()
		v.Centre.X = box.MinX + (box.MaxX-box.MinX)*float32(luck.N(3*i+1, 100))/100
		v.Centre.Y = box.MinY + (box.MaxY-box.MinY)*float32(luck.N(3*i+2, 100))/100
		f := s.Frame(in, v)
		for k := range f.Layers {
			l := &f.Layers[k]
			if n := slices.MaxFunc(append(l.Indices, 0), cmp.Compare[uint32]); int(n) > len(l.Vertices) {
				t.Fatalf("view %d: layer %s has a triangle beyond its %d corners", i, l.Name, len(l.Vertices))
			}
			const room = 75 // pixels: of the largest thing that is placed by its middle; a trail is 60 m long
			seen := scene.Box{MinX: -room, MinY: -room, MaxX: f.Width + room, MaxY: f.Height + room}
			if l.Name == "under" {
				far := 60 * f.Transform.Zoom
				seen = scene.Box{MinX: -far - room, MinY: -far - room, MaxX: f.Width + far + room, MaxY: f.Height + far + room}
			}
			for _, x := range parts(l) {
				if !x.box.Overlaps(seen) {
					t.Fatalf("view %d at %.2f points to the metre: layer %s has a shape %s of %d corners at %v; seen is %v", i, v.Zoom, l.Name, x.paint, x.corners, x.box, seen)
				}
			}
		}
		for k := range in.State.Robots {
			r := &in.State.Robots[k]
			p, ok := s.Where(in.State, scene.Selection{Kind: scene.Robot, ID: r.ID})
			x, y := f.Transform.Apply(p.X, p.Y)
			if !ok || !r.Moving || x < 20 || y < 20 || x > f.Width-20 || y > f.Height-20 {
				continue
			}
			if what, ok := s.Pick(x, y); !ok || what.Kind != scene.Robot || what.ID != r.ID && !beside(s, in.State, what.ID, p) {
				t.Errorf("view %d: at %s there is %v", i, r.ID, what)
			}
		}
	}
}

// TestPickOnTop: of what lies above each other that is picked which is seen.
func TestPickOnTop(t *testing.T) {
	c := newTown(t)
	c.day()
	in := c.after(50 * clock.Second)
	s := scene.New(c.net)
	v := home(s, 800, 600, 1, scene.Light)
	f := s.Frame(in, v)
	at := func(p maps.Position) (x, y float32) {
		place := s.PlaceOf(p)
		return f.Transform.Apply(place.X, place.Y)
	}
	for what, c := range map[string]struct {
		at   maps.Position
		want scene.Selection
	}{
		"a robot on its dock":    {c.at(0, 0, 1, 0, 10), scene.Selection{Kind: scene.Robot, ID: "r5"}},
		"a pickup on a street":   {c.at(0, 1, 1, 1, 50), scene.Selection{Kind: scene.Delivery, ID: "d1"}},
		"a robot on its way":     {in.State.Robot("r3").Pos, scene.Selection{Kind: scene.Robot, ID: "r3"}},
		"a courier at a pickup":  {c.at(1, 0, 2, 0, 60), scene.Selection{Kind: scene.Robot, ID: "c1"}},
		"the pickup beside them": {c.at(1, 0, 2, 0, 47), scene.Selection{Kind: scene.Delivery, ID: "d3"}},
	} {
		x, y := at(c.at)
		if got, ok := s.Pick(x, y); !ok || got != c.want {
			t.Errorf("%s: picked %v, %v; want %v", what, got, ok, c.want)
		}
	}
	if got, ok := s.Pick(5, 595); ok {
		t.Errorf("in a corner where nothing is: %v", got)
	}
	// Two robots that pass each other: the one drawn later covers the other.
	st := crowd(c.net, 2)
	for i := range st.Robots {
		st.Robots[i].Moving, st.Robots[i].Pos = true, c.at(1, 1, 2, 1, 50+int32(i))
	}
	s.Frame(scene.Input{State: st}, v)
	for _, metres := range []int32{50, 51} {
		if got, _ := s.Pick(at(c.at(1, 1, 2, 1, metres))); got.ID != "r2" {
			t.Errorf("at %d m: picked %v; want r2, which is above r1", metres, got)
		}
	}
}

// beside reports whether a robot is within some metres of a place.
func beside(s *scene.Scene, st *play.State, id string, p scene.Place) bool {
	q, _ := s.Where(st, scene.Selection{Kind: scene.Robot, ID: id})
	return math.Hypot(float64(p.X-q.X), float64(p.Y-q.Y)) < 30
}

// TestMeshesFit: the tiles of the map lie within their boxes, which do not overlap.
func TestMeshesFit(t *testing.T) {
	s, in := rush(t, 50*clock.Minute)
	for _, zoom := range []float64{0.05, 0.3, 1, 6} {
		v := home(s, 900, 700, 1, scene.Light)
		v.Zoom = zoom
		f := s.Frame(in, v)
		for i, m := range f.Layers[0].Meshes {
			for _, c := range m.Vertices {
				if c.X < m.Box.MinX || c.X > m.Box.MaxX || c.Y < m.Box.MinY || c.Y > m.Box.MaxY {
					t.Fatalf("zoom %v: a corner of mesh %d at %v, %v is outside of %v", zoom, i, c.X, c.Y, m.Box)
				}
			}
			for _, n := range f.Layers[0].Meshes[:i] {
				if min(n.Box.MaxX, m.Box.MaxX)-max(n.Box.MinX, m.Box.MinX) > 0.01 && min(n.Box.MaxY, m.Box.MaxY)-max(n.Box.MinY, m.Box.MinY) > 0.01 {
					t.Fatalf("zoom %v: meshes %v and %v overlap", zoom, m.Box, n.Box)
				}
			}
		}
	}
}

// sight are matrices that show colours as people see them who lack one kind of cones (Machado, Oliveira and
// Fernandes 2009, severity 1), in linear RGB.
var sight = map[string][9]float64{
	"all cones":    {1, 0, 0, 0, 1, 0, 0, 0, 1},
	"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
	"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"tritanopia":   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
	"no colour":    {0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722},
}

// lab returns a colour as seen, in OKLab (Ottosson 2020).
func lab(c color.RGBA, m [9]float64) [3]float64 {
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	r0, g0, b0 := lin(c.R), lin(c.G), lin(c.B)
	clip := func(v float64) float64 { return min(max(v, 0), 1) }
	r, g, b := clip(m[0]*r0+m[1]*g0+m[2]*b0), clip(m[3]*r0+m[4]*g0+m[5]*b0), clip(m[6]*r0+m[7]*g0+m[8]*b0)
	l, mm, s := math.Cbrt(0.4122214708*r+0.5363325363*g+0.0514459929*b), math.Cbrt(0.2119034982*r+0.6806995451*g+0.1073969566*b), math.Cbrt(0.0883024619*r+0.2817188376*g+0.6299787005*b)
	return [3]float64{
		0.2104542553*l + 0.7936177850*mm - 0.0040720468*s, 1.9779984951*l - 2.4285922050*mm + 0.4505937099*s, 0.0259040371*l + 0.7827717662*mm - 0.8086757660*s,
	}
}

func apart(a, b color.RGBA, m [9]float64) float64 {
	x, y := lab(a, m), lab(b, m)
	return math.Sqrt((x[0]-y[0])*(x[0]-y[0]) + (x[1]-y[1])*(x[1]-y[1]) + (x[2]-y[2])*(x[2]-y[2]))
}

// TestColoursStayApart: whoever lacks a kind of cones tells what robots do, and how promises stand.
func TestColoursStayApart(t *testing.T) {
	const least = 0.045 // in OKLab; 0.02 is just noticeable side by side
	for theme, name := range map[scene.Theme]string{scene.Light: "light", scene.Dark: "dark"} {
		p := scene.PaletteOf(theme)
		sets := map[string][]color.RGBA{"activities": p.Activity[:], "promises": {p.Good, p.Soon, p.Late}}
		for who, m := range sight {
			if who == "no colour" {
				continue
			}
			for what, set := range sets {
				for i := range set {
					for j := range i {
						if d := apart(set[i], set[j], m); d < least {
							t.Errorf("%s, %s: %s %d (%s) and %d (%s) are %.3f apart; want at least %.3f", name, who, what, j, hex(set[j]), i, hex(set[i]), d, least)
						}
					}
				}
			}
		}
		for a, c := range p.Activity {
			if d := apart(c, p.Land, sight["all cones"]); d < 0.12 {
				t.Errorf("%s: %s on land is %.3f apart; want at least 0.12", name, kpi.Activity(a), d)
			}
		}
		if c := contrast(p.Ink, p.Panel); c < 7 {
			t.Errorf("%s: text has a contrast of %.1f; want 7", name, c)
		}
		if c := contrast(p.InkSoft, p.Panel); c < 4.5 {
			t.Errorf("%s: soft text has a contrast of %.1f; want 4.5", name, c)
		}
	}
}

// contrast is that of WCAG 2.
func contrast(a, b color.RGBA) float64 {
	lum := func(c color.RGBA) float64 {
		lin := func(v uint8) float64 {
			x := float64(v) / 255
			if x <= 0.04045 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
	}
	x, y := lum(a), lum(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// baltimore returns the map of a real city if it is there, else the generated one.
func baltimore(tb testing.TB) *maps.Network {
	tb.Helper()
	path := "../../../shared/data/osm/baltimore.osm.pbf"
	found, _ := filepath.Glob("../../../shared/data/osm/*altimore*.pbf")
	if len(found) > 0 {
		path = found[0]
	}
	f, err := os.Open(path)
	if err != nil {
		tb.Logf("NOT RUN on Baltimore: %v; the generated city instead", err)
		_, r := twintest.Open(tb)
		return r.Network
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	n, _, err := osm.Import(tb.Context(), "baltimore", f, info.Size(), osm.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// crowd is a state with so many robots, most of them driving.
func crowd(net *maps.Network, n int) *play.State {
	luck := rng.Seed(9).Stream("bench", "robots")
	st := &play.State{T: 60_000}
	for i := range uint64(n) {
		e := maps.EdgeID(luck.N(3*i, int64(len(net.Edges))))
		length := net.Edges[e].LengthMM
		st.Robots = append(st.Robots, play.Robot{
			Leg: &runlog.Leg{Route: []maps.EdgeID{e}, EndMM: length, Times: []int32{120_000}},
			ID:  fmt.Sprintf("r%d", i+1), Kind: fleet.KindRobot, CapacityMWh: 1_200_000, ChargeMWh: luck.N(3*i+1, 1_200_000), Known: true, Blend: 1,
			Pos: maps.Position{Edge: e, OffsetMM: length / 2}, Moving: i%4 != 0, Activity: kpi.Activity(luck.N(3*i+2, int64(kpi.Activities))),
		})
	}
	return st
}

// BenchmarkFrame is the time and the allocations of a frame in which every robot has moved.
func BenchmarkFrame(b *testing.B) {
	net := baltimore(b)
	for _, n := range []int{1000, 10_000} {
		for _, at := range []struct {
			name string
			zoom float64
		}{{"city", 0}, {"street", 1.2}} {
			b.Run(fmt.Sprintf("%d/%s", n, at.name), func(b *testing.B) {
				s, st := scene.New(net), crowd(net, n)
				v := home(s, 1600, 1000, 1, scene.Light)
				if at.zoom > 0 {
					v.Zoom = at.zoom
				}
				in := scene.Input{State: st}
				s.Frame(in, v)
				b.ReportAllocs()
				for b.Loop() {
					st.Revision++ // as if all had moved
					s.Frame(in, v)
				}
			})
		}
	}
}

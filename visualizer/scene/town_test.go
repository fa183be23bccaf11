package scene_test

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// town is four by three corners, 100 m apart: West, Middle … Streets from north to south, Low and High Street
// from west to east, a park, a pond, a house and two shops.
type town struct {
	tb   testing.TB
	net  *maps.Network
	log  *runlog.Log
	live *play.Live
	t    clock.Time
}

const began = clock.Time(1_781_265_600_000) // noon of 12 June 2026

// spot is a point some metres east and north of the town's south-western corner.
func spot(x, y float64) maps.Point {
	const metre = 90 // units of 1e-7 degrees
	return maps.Point{Lon: -300_000_000 + int32(x*metre*1.466), Lat: 470_000_000 + int32(y*metre)}
}

// corner returns where two streets meet.
func corner(x, y int) maps.Point { return spot(float64(x)*100, float64(y)*100) }

func newTown(tb testing.TB) *town {
	tb.Helper()
	c := &town{tb: tb, t: began, live: play.NewLive(1 << 24)}
	b := maps.NewBuilder("town", "© the town's surveyor")
	var nodes [4][3]maps.NodeID
	for x := range nodes {
		for y := range nodes[x] {
			nodes[x][y] = b.Node(corner(x, y))
		}
	}
	columns, rows := []string{"West Street", "Middle Street", "Park Street", "East Street"}, []string{"Low Street", "Main Street", "High Street"}
	for x := range nodes {
		b.Backdrop(maps.BackdropRoad, maps.StreetResidential, false, columns[x], []maps.Point{spot(float64(x)*100-5, -20), spot(float64(x)*100-5, 220)})
		for y := range nodes[x] {
			if x > 0 {
				b.Stretch(maps.Stretch{From: nodes[x-1][y], To: nodes[x][y], Name: rows[y]})
			}
			if y > 0 {
				b.Stretch(maps.Stretch{From: nodes[x][y-1], To: nodes[x][y], Name: columns[x]})
			}
		}
	}
	for y, name := range rows {
		b.Backdrop(maps.BackdropRoad, []maps.Street{maps.StreetTertiary, maps.StreetPrimary, maps.StreetTertiary}[y], false, name, []maps.Point{spot(-20, float64(y)*100-6), spot(320, float64(y)*100-6)})
	}
	area := func(kind maps.BackdropKind, name string, x, y, w, h float64) {
		b.Backdrop(kind, maps.StreetNone, true, name, []maps.Point{spot(x, y), spot(x+w, y), spot(x+w, y+h), spot(x, y+h)})
	}
	area(maps.BackdropPark, "Old Park", 205, 110, 85, 80)
	area(maps.BackdropWater, "Pond", 220, 120, 30, 20)
	area(maps.BackdropBuilding, "", 15, 15, 30, 20)
	b.Merchant("Baker", "bakery", -1, spot(50, 103))
	b.Merchant("Noodles", "restaurant", -1, spot(150, 3))
	var err error
	if c.net, _, err = b.Build(maps.DefaultProfile()); err != nil {
		tb.Fatal(err)
	}
	c.log, err = runlog.New(nil, runlog.Header{Scenario: "town", Market: "town"}, runlog.Options{Observers: []func(event.Event){func(e event.Event) {
		if err := c.live.Add(runlog.Piece{Events: []event.Event{e}}); err != nil {
			tb.Error(err)
		}
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.live.Add(runlog.Piece{Header: &runlog.Header{Scenario: "town", Market: "town"}}); err != nil {
		tb.Fatal(err)
	}
	return c
}

// edge returns the edge from one corner to another.
func (c *town) edge(ax, ay, bx, by int) maps.EdgeID {
	for i, e := range c.net.Edges {
		if c.net.Nodes[e.From] == corner(ax, ay) && c.net.Nodes[e.To] == corner(bx, by) {
			return maps.EdgeID(i)
		}
	}
	c.tb.Fatalf("no way leads from %d,%d to %d,%d", ax, ay, bx, by)
	return 0
}

func (c *town) at(ax, ay, bx, by int, metres int32) maps.Position {
	return maps.Position{Edge: c.edge(ax, ay, bx, by), OffsetMM: metres * 1000}
}

func (c *town) say(kind, entity string, data any) {
	c.log.Append(c.tb.Context(), event.New(c.t, "town", kind, entity, 0, data))
}

// drive sends a robot along corners, a metre in a second, from a length on the first edge to one on the last.
func (c *town) drive(robot string, purpose runlog.Purpose, d string, loaded bool, from, to int32, corners ...[2]int) {
	l := runlog.Leg{Robot: fleet.RobotID(robot), Purpose: purpose, Delivery: d, Loaded: loaded, StartMM: from * 1000, EndMM: to * 1000, ChargeFromMWh: 900_000, ChargeToMWh: 800_000}
	at := int32(0)
	for i := 1; i < len(corners); i++ {
		e := c.edge(corners[i-1][0], corners[i-1][1], corners[i][0], corners[i][1])
		length := c.net.Edges[e].LengthMM
		if i == len(corners)-1 {
			length = l.EndMM
		}
		if i == 1 {
			length -= l.StartMM
		}
		at += length
		l.Route, l.Times, l.LengthMM = append(l.Route, e), append(l.Times, at), l.LengthMM+int64(length)
	}
	c.say(runlog.RobotLeg, robot, l)
}

// before has the states that come before those of the day.
var before = map[delivery.State]delivery.State{
	delivery.Requested: delivery.Quoted, delivery.Assigned: delivery.Requested, delivery.ToDropoff: delivery.Loaded, delivery.Delivered: delivery.AtDropoff,
}

// order is a delivery in a state.
func (c *town) order(id string, state delivery.State, robot string, from, to maps.Position, left clock.Duration) {
	u := delivery.Update{
		Kind: delivery.StateChanged, From: before[state], To: state, At: c.t, Robot: fleet.RobotID(robot), Partner: "p", ExternalID: "x" + id, Pickup: from, Dropoff: to, RouteMM: 300_000,
		Promise: delivery.Promise{DropoffP90: c.t.Add(left)},
	}
	c.say("delivery."+string(state), id, u)
}

// day is what happens in the town: r1 drives to the baker for d1, which r2 could have done; r3 carries d2, which is late; r4 is stuck; r5 charges;
// d0 came late, d3 waits for a robot; a part of High Street is closed.
func (c *town) day() {
	baker, home := c.at(0, 1, 1, 1, 50), c.at(2, 2, 3, 2, 80)
	robot := func(id string, at maps.Position) runlog.BeganRobot {
		return runlog.BeganRobot{ID: fleet.RobotID(id), Kind: fleet.KindRobot, Position: at, CapacityMWh: 1_200_000, ChargeMWh: 900_000}
	}
	dock := c.at(0, 0, 1, 0, 10)
	c.say(runlog.RunBegan, "", runlog.Began{
		Scenario: "town", Market: "town", Network: "town", Docks: []runlog.BeganDock{{ID: "k1", Position: dock, Slots: 2}},
		Robots: []runlog.BeganRobot{
			robot("r1", c.at(0, 0, 0, 1, 10)), robot("r2", c.at(3, 0, 2, 0, 30)), robot("r3", c.at(2, 1, 2, 0, 10)), robot("r4", c.at(3, 1, 3, 2, 50)), robot("r5", dock),
			{ID: "c1", Kind: fleet.KindCourier, Position: c.at(1, 0, 2, 0, 60)},
		},
	})
	c.order("d1", delivery.Requested, "", baker, home, 20*clock.Minute)
	c.order("d2", delivery.ToDropoff, "r3", c.at(1, 0, 2, 0, 50), c.at(0, 0, 0, 1, 80), 30*clock.Second)
	c.order("d0", delivery.Requested, "", c.at(3, 1, 3, 2, 20), c.at(2, 2, 3, 2, 20), 3*clock.Second)
	c.t += 5000
	c.order("d0", delivery.Delivered, "c1", c.at(3, 1, 3, 2, 20), c.at(2, 2, 3, 2, 20), -2*clock.Second)
	c.order("d3", delivery.Requested, "", c.at(1, 0, 2, 0, 50), c.at(3, 0, 3, 1, 20), 4*clock.Minute)
	c.say(runlog.RobotHalt, "r4", runlog.Halt{Robot: "r4", Cause: runlog.CauseStuck, Position: c.at(3, 1, 3, 2, 50), ChargeMWh: 300_000})
	c.say(runlog.RobotCharging, "r5", runlog.Charging{Dock: "k1", Position: dock, PowerMW: 200_000, ChargeMWh: 200_000})
	c.say(runlog.WorldFault, "f1", runlog.Fault{What: "closure", Edges: []maps.EdgeID{c.edge(0, 2, 1, 2), c.edge(1, 2, 0, 2)}})
	c.say("fleet.reserved", "r1", fleet.Claim{Holder: "delivery/d1#1"})
	c.order("d1", delivery.Assigned, "r1", baker, home, 20*clock.Minute)
	c.say("dispatch.assigned", "d1", dispatch.Decision{Delivery: "d1", Robot: "r1", At: c.t, Why: &dispatch.Why{
		Policy: "rolling", Round: 7, Waiting: 2, Candidates: 2, Deadhead: 140 * clock.Second, DeadheadMM: 140_000, Cost: 140_000, Price: 61_000, RunnerUp: "r2", RunnerUpCloser: 210 * clock.Second,
		Considered: []dispatch.Considered{{Robot: "r1", Pickup: 140 * clock.Second, Cost: 140_000}, {Robot: "r2", Pickup: 350 * clock.Second, Cost: 350_000}},
	}})
	c.drive("r1", runlog.ToPickup, "d1", false, 10, 50, [2]int{0, 0}, [2]int{0, 1}, [2]int{1, 1})
	c.drive("r3", runlog.ToDropoff, "d2", true, 10, 80, [2]int{2, 1}, [2]int{2, 0}, [2]int{1, 0}, [2]int{0, 0}, [2]int{0, 1})
	c.t += 10 * 60_000
	c.say(runlog.RunEnded, "", struct{}{})
}

// after opens the town so long after noon.
func (c *town) after(d clock.Duration) scene.Input {
	c.tb.Helper()
	run, err := play.Open(c.live, c.net)
	if err == nil {
		_, err = run.Scan(1 << 20)
	}
	if err != nil {
		c.tb.Fatal(err)
	}
	st, err := run.At(began.Add(d))
	if err != nil {
		c.tb.Fatal(err)
	}
	return scene.Input{State: st, Story: run, Title: "town", Zone: time.UTC}
}

// parts returns a layer's shapes: triangles with corners in common are one, with their colours and the box around them.
func parts(l *scene.Layer) []shape {
	owner := make([]int, len(l.Vertices))
	for i := range owner {
		owner[i] = i
	}
	var find func(int) int
	find = func(i int) int {
		if owner[i] != i {
			owner[i] = find(owner[i])
		}
		return owner[i]
	}
	for i := 0; i+2 < len(l.Indices); i += 3 {
		a := find(int(l.Indices[i]))
		for _, k := range l.Indices[i+1 : i+3] {
			b := find(int(k))
			owner[max(a, b)] = min(a, b)
			a = min(a, b)
		}
	}
	var out []shape
	number := make(map[int]int) // of the shape whose first corner it is
	for i, v := range l.Vertices {
		k, known := number[find(i)]
		if !known {
			k = len(out)
			number[find(i)] = k
			out = append(out, shape{first: v.C, box: scene.Box{MinX: v.X, MinY: v.Y, MaxX: v.X, MaxY: v.Y}})
		}
		x := &out[k]
		x.corners, x.last = x.corners+1, v.C
		x.box = scene.Box{MinX: min(x.box.MinX, v.X), MinY: min(x.box.MinY, v.Y), MaxX: max(x.box.MaxX, v.X), MaxY: max(x.box.MaxY, v.Y)}
	}
	for i := range out {
		out[i].paint = shade(out[i].first)
		if out[i].last != out[i].first {
			out[i].paint += "→" + shade(out[i].last)
		}
	}
	return out
}

// shape is what hangs together.
type shape struct {
	paint       string
	first, last color.RGBA
	corners     int
	box         scene.Box
}

// alike writes shapes down, those of one kind behind each other, such as dashes, as one.
func alike(all []shape) []string {
	var out []string
	for i := 0; i < len(all); {
		k := i + 1
		for k < len(all) && all[k].paint == all[i].paint && all[k].corners == all[i].corners {
			k++
		}
		a, b := &all[i], &all[k-1]
		line := fmt.Sprintf("%s %.0f,%.0f %.0fx%.0f %d", a.paint, a.box.MinX, a.box.MinY, a.box.MaxX-a.box.MinX, a.box.MaxY-a.box.MinY, a.corners)
		if k-i > 1 {
			line += fmt.Sprintf(", %d times to %.0f,%.0f", k-i, b.box.MinX, b.box.MinY)
		}
		out, i = append(out, line), k
	}
	return out
}

func shade(c color.RGBA) string {
	if c.A == 255 {
		return hex(c)
	}
	return hex(c) + fmt.Sprintf("/%02x", c.A)
}

// drawn writes down what of a frame is in the layers named.
func drawn(f *scene.Frame, names ...string) string {
	var b strings.Builder
	for i := range f.Layers {
		l := &f.Layers[i]
		if !slices.Contains(names, l.Name) {
			continue
		}
		fmt.Fprintf(&b, "%s\n", l.Name)
		if l.Name == "heat" {
			b.WriteString(hottest(l))
		} else {
			for _, s := range alike(parts(l)) {
				fmt.Fprintf(&b, "  %s\n", s)
			}
		}
		for _, t := range l.Texts {
			fmt.Fprintf(&b, "  %q %.0f,%.0f %.1f %s\n", t.S, t.X, t.Y, t.Size, hex(t.Color))
		}
	}
	return b.String()
}

// hottest writes down where the corners of a heat layer are that cover the most, one for each colour.
func hottest(l *scene.Layer) string {
	var b strings.Builder
	best := slices.SortedFunc(slices.Values(l.Vertices), func(x, y scene.Vertex) int {
		return cmp.Or(-cmp.Compare(x.C.A, y.C.A), cmp.Compare(x.X, y.X), cmp.Compare(x.Y, y.Y))
	})
	fmt.Fprintf(&b, "  %d squares\n", len(l.Vertices)/4)
	for i, v := range slices.CompactFunc(best, func(x, y scene.Vertex) bool { return x == y }) {
		const enough = 4
		if i < enough {
			fmt.Fprintf(&b, "  %s at %.0f,%.0f\n", shade(v.C), v.X, v.Y)
		}
	}
	return b.String()
}

// TestTown compares what each layer draws of the small town with what was looked at as a picture.
func TestTown(t *testing.T) {
	c := newTown(t)
	c.day()
	in := c.after(50 * clock.Second)
	other := newTown(t)
	other.day()
	late := other.after(170 * clock.Second).State
	s := scene.New(c.net)
	whole := home(s, 800, 600, 1, scene.Light)
	with := func(layers scene.Layers, change func(*scene.View)) scene.View {
		v := whole
		v.Layers = layers
		if change != nil {
			change(&v)
		}
		return v
	}
	zoomed := func(zoom float64) scene.View {
		return with(scene.ShowNames|scene.ShowMerchants, func(v *scene.View) { v.Zoom = zoom })
	}
	choose := func(k scene.Kind, id string) func(*scene.View) {
		return func(v *scene.View) { v.Selection = scene.Selection{Kind: k, ID: id} }
	}
	compared, ahead := in, c.after(50*clock.Second)
	compared.Other, compared.Than = late, "B  later"
	third := newTown(t)
	third.day()
	early := third.after(2 * clock.Second)
	ahead.Other, early.Other = early.State, in.State
	for _, x := range []struct {
		name   string
		in     scene.Input
		view   scene.View
		layers []string
	}{
		{"town-heat-demand", in, with(scene.HeatDemand, nil), []string{"heat"}},
		{"town-heat-late", c.after(60 * clock.Second), with(scene.HeatLate, nil), []string{"heat"}},
		{"town-heat-idle", in, with(scene.HeatIdle, nil), []string{"heat"}},
		{"town-heat-stuck", in, with(scene.HeatStuck, nil), []string{"heat"}},
		{"town-closures", in, with(scene.ShowClosures, nil), []string{"under"}},
		{"town-trails", in, with(scene.ShowTrails, nil), []string{"under"}},
		{"town-routes", in, with(scene.ShowRoutes, nil), []string{"under"}},
		{"town-places", in, with(scene.ShowDocks|scene.ShowMerchants|scene.ShowDeliveries|scene.ShowLabels, nil), []string{"places", "labels"}},
		{"town-robots", in, with(scene.ShowRobots|scene.ShowLabels, nil), []string{"robots", "labels"}},
		{"town-robots-far", in, with(scene.ShowRobots, func(v *scene.View) { v.Zoom = 0.3 }), []string{"robots"}},
		{"town-candidates", in, with(scene.ShowInspector, choose(scene.Delivery, "d1")), []string{"under", "labels", "panel"}},
		{"town-followed", in, with(scene.ShowRobots|scene.ShowInspector, choose(scene.Robot, "r3")), []string{"under", "robots", "labels", "panel"}},
		{"town-merchant", in, with(scene.ShowInspector, choose(scene.Merchant, "0")), []string{"panel"}},
		{"town-dock", in, with(scene.ShowInspector, choose(scene.Dock, "k1")), []string{"panel"}},
		{"town-difference", compared, with(scene.ShowDifference|scene.ShowLegend, nil), []string{"labels", "hud"}},
		{"town-difference-ahead", ahead, with(scene.ShowDifference, nil), []string{"labels"}},
		{"town-difference-behind", early, with(scene.ShowDifference, nil), []string{"labels"}},
		{"town-night", in, with(scene.ShowRobots|scene.ShowDeliveries, func(v *scene.View) { v.Theme = scene.Dark }), []string{"places", "robots"}},
		{"town-names-far", in, zoomed(0.5), []string{"map"}},
		{"town-names-middle", in, zoomed(1.6), []string{"map"}},
		{"town-names-near", in, zoomed(5), []string{"map"}},
		{"town-hud", in, with(scene.ShowClock|scene.ShowLegend|scene.ShowScale, nil), []string{"hud"}},
	} {
		goldenFile(t, x.name, drawn(s.Frame(x.in, x.view), x.layers...))
	}
}

func goldenFile(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
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

// home is all of the map.
func home(s *scene.Scene, width, height int, scale float64, theme scene.Theme) scene.View {
	return scene.View{Width: width, Height: height, Scale: scale, Theme: theme, Layers: scene.DefaultLayers}.Fit(s.Bounds())
}

// TestOnTheirLegs: at every moment of its leg a robot is as far along it as its speed says.
func TestOnTheirLegs(t *testing.T) {
	c := newTown(t)
	c.day()
	s := scene.New(c.net)
	for since := clock.Duration(0); since < 370*clock.Second; since += 730 {
		in := c.after(5*clock.Second + since)
		got, ok := s.Where(in.State, scene.Selection{Kind: scene.Robot, ID: "r3"})
		// r3 starts at (200, 90), a metre in a second: south, west over two blocks, north.
		x, y := 200.0, 90.0
		rest := since.Seconds()
		for _, leg := range [][3]float64{{0, -1, 90}, {-1, 0, 200}, {0, 1, 80}} {
			d := min(rest, leg[2])
			x, y, rest = x+leg[0]*d, y+leg[1]*d, rest-d
		}
		want := s.PlaceAt(spot(x, y))
		if off := math.Hypot(float64(got.X-want.X), float64(got.Y-want.Y)); !ok || off > 1.5 { // the town's metres are 1% long
			t.Fatalf("%v after it set out r3 is at %v; want %v", since, got, want)
		}
	}
}

// TestDashesStay: the dashes of a line that begins off the screen stay where they are on the map while one pans.
func TestDashesStay(t *testing.T) {
	c := newTown(t)
	c.day()
	in := c.after(50 * clock.Second)
	s := scene.New(c.net)
	v := home(s, 800, 600, 1, scene.Light)
	v.Layers, v.Zoom = scene.ShowRoutes, 8
	at := s.PlaceOf(c.at(2, 0, 3, 0, 50)) // on the way of d3
	v.Centre = at
	dashes := func(x, y float32) map[[2]int]int {
		v.Centre = scene.Place{X: at.X + x/8, Y: at.Y + y/8}
		f := s.Frame(in, v)
		found := make(map[[2]int]int)
		for _, p := range parts(&f.Layers[2]) {
			mx, my := (p.box.MinX+p.box.MaxX)/2, (p.box.MinY+p.box.MaxY)/2
			if p.corners == 4 && mx > 100 && mx < 700 && my > 100 && my < 500 {
				found[[2]int{int(math.Round(float64(mx + x))), int(math.Round(float64(my - y)))}]++
			}
		}
		return found
	}
	before, after := dashes(0, 0), dashes(43, 17)
	same := 0
	for place := range after {
		for dx := -1; dx <= 1; dx++ {
			for dy := -1; dy <= 1; dy++ {
				if before[[2]int{place[0] + dx, place[1] + dy}] > 0 {
					same++
					dx, dy = 2, 2
				}
			}
		}
	}
	if len(after) < 20 || same < len(after)*8/10 { // those that came into the middle were not there before
		t.Errorf("of %d dashes %d are where they were before one panned", len(after), same)
	}
}

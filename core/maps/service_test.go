package maps_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/porttest/fake"
)

// world is a service on a small town, for scripts. Places are metres east and
// north of the town's south-west corner.
type world struct {
	t       *testing.T
	clock   *fake.Clock
	timers  *fake.Timers
	journal *fake.Journal
	store   *memory.MapStore
	service *maps.Service
	router  *maps.Router
}

const town = "town"

func (w *world) plane() maps.Projection {
	return maps.NewProjection(maps.Point{Lon: -300_000_000, Lat: 470_000_000})
}

func (w *world) point(x, y int64) maps.Point {
	return w.plane().Point(maps.XY{X: x * 1000, Y: y * 1000})
}

// buildTown returns three streets and four avenues, 100 m apart; Quay Street is
// reached over crossings: with a signal at Ash and Elm Avenue, unmarked at Birch and Fir.
func (w *world) buildTown() *maps.Network {
	avenues := []string{"Ash Avenue", "Birch Avenue", "Elm Avenue", "Fir Avenue"}
	streets := []string{"Quay Street", "Mill Street", "High Street"}
	b := maps.NewBuilder(town, "nobody")
	for y := range streets {
		for x := range avenues {
			b.Node(w.point(int64(x)*100, int64(y)*100))
		}
	}
	for y, street := range streets {
		for x, avenue := range avenues {
			n := maps.NodeID(y*len(avenues) + x)
			if x+1 < len(avenues) {
				b.Stretch(maps.Stretch{From: n, To: n + 1, Name: street, Surface: maps.SurfaceSmooth, LengthMM: 100_000})
			}
			s := maps.Stretch{From: n, To: n + maps.NodeID(len(avenues)), Name: avenue, Surface: maps.SurfaceSmooth, LengthMM: 100_000}
			if y == 0 {
				s.Name, s.Class, s.Street, s.Control = "Ring Road", maps.Crossing, maps.StreetTertiary, maps.ControlUnmarked
				if x%2 == 0 {
					s.Control, s.Signal = maps.ControlSignal, int32(x+1)
				}
			}
			if y+1 < len(streets) {
				b.Stretch(s)
			}
		}
	}
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, clock: fake.NewClock(fake.Start), store: memory.NewMapStore()}
	if err := w.store.SaveNetwork(t.Context(), town, w.buildTown()); err != nil {
		t.Fatal(err)
	}
	w.timers, w.journal = &fake.Timers{}, &fake.Journal{}
	w.start()
	if err := w.service.Arm(t.Context(), town); err != nil {
		t.Fatal(err)
	}
	return w
}

// start makes the service anew on the same store.
func (w *world) start() {
	w.service = maps.NewService(w.store, w.clock, w.timers, w.journal)
	zone := time.FixedZone("town", -5*3600)
	if err := w.service.Open(w.t.Context(), town, maps.OpenOptions{Profile: maps.DefaultProfile(), Location: zone}); err != nil {
		w.t.Fatal(err)
	}
	var err error
	if w.router, err = w.service.Router(town); err != nil {
		w.t.Fatal(err)
	}
}

func TestScripts(t *testing.T) {
	files := 0
	datadriven.Walk(t, "testdata/service", func(t *testing.T, path string) {
		files++
		w := newWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.t = t
			out, err := w.do(d)
			if err != nil {
				out += fmt.Sprintf("%v: %v\n", fault.KindOf(err), err)
			}
			out += w.journal.Trace()
			if out == "" {
				return "ok\n"
			}
			return out
		})
	})
	if files < 3 {
		t.Errorf("%d scripts, want at least 3", files)
	}
}

func (w *world) do(d *datadriven.TestData) (string, error) {
	ctx := w.t.Context()
	switch d.Cmd {
	case "route":
		return w.route(w.place(d, "from"), w.place(d, "to"))
	case "serves":
		reason, opens, err := w.service.Serves(ctx, town, w.place(d, "at"), w.clock.Now())
		return fmt.Sprintf("reason=%q opens=%s\n", reason, fake.Time(opens)), err
	case "close":
		c := maps.Closure{ID: word(d, "id"), Reason: "works", Polygon: w.box(d), From: w.clock.Now().Add(span(w.t, d, "after"))}
		if f := span(w.t, d, "for"); f > 0 {
			c.Until = c.From.Add(f)
		}
		return "", w.service.Close(ctx, town, c)
	case "reopen":
		return "", w.service.Reopen(ctx, town, word(d, "id"))
	case "speed":
		return "", w.service.SetSpeed(ctx, town, maps.Sidewalk, int32(w.number(word(d, "permille"))))
	case "area":
		a := maps.Area{ID: word(d, "id"), Kind: maps.AreaKind(word(d, "kind")), Polygon: w.box(d)}
		if d.HasArg("permille") {
			a.SpeedPermille = int32(w.number(word(d, "permille")))
		}
		if d.HasArg("from") {
			a.Hours = []maps.Hours{{From: span(w.t, d, "from"), To: span(w.t, d, "to")}}
		}
		return "", w.service.SetArea(ctx, town, a)
	case "advance":
		return "", w.advance(span(w.t, d, "by"))
	case "checkpoint":
		return "", w.checkpoint()
	}
	w.t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	return "", nil
}

// route prints a route's directions, and checks that the router in process says the same.
func (w *world) route(from, to maps.Position) (string, error) {
	r, err := w.service.Route(w.t.Context(), town, from, to)
	leg, ok := w.router.Leg(from, to)
	if ok != (err == nil) || ok && (leg.Millis != r.Millis || leg.LengthMM != r.LengthMM) {
		w.t.Errorf("the router's leg %+v is not the service's route %+v (%v)", leg, r, err)
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, s := range w.router.Network().Steps(r) {
		fmt.Fprintf(&b, "%-12s %-8s %-12s %-8s %4d m %5.1f s\n", s.Turn, s.Class, s.Name, s.Control, (s.LengthMM+500)/1000, float64(s.Millis)/1000)
	}
	fmt.Fprintf(&b, "%.1f s, %d m, %d mWh, %d crossings\n", float64(r.Millis)/1000, (r.LengthMM+500)/1000, r.EnergyMWh, r.Crossings)
	return b.String(), nil
}

// advance moves the clock and fires what is due on the way, each timer twice.
func (w *world) advance(by clock.Duration) error {
	end := w.clock.Now().Add(by)
	for {
		next, ok := w.timers.Next()
		if !ok || next.At > end {
			w.clock.Set(end)
			return nil
		}
		w.clock.Set(next.At)
		for _, k := range w.timers.Due(next.At) {
			for range 2 {
				if err := w.service.Fire(w.t.Context(), k); err != nil {
					return err
				}
			}
		}
	}
}

// checkpoint puts another service in the place of this one, on what was written down.
func (w *world) checkpoint() error {
	stored, err := w.store.Snapshot()
	if err != nil {
		return err
	}
	live, err := w.service.Snapshot()
	if err != nil {
		return err
	}
	if err := w.store.Restore(stored); err != nil {
		return err
	}
	w.start()
	if err := w.service.Restore(live); err != nil {
		return err
	}
	again, err := w.service.Snapshot()
	if string(again) != string(live) {
		w.t.Errorf("restored service says %s, want %s", again, live)
	}
	return err
}

func word(d *datadriven.TestData, key string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return a.Vals[0]
		}
	}
	return ""
}

func span(t *testing.T, d *datadriven.TestData, key string) clock.Duration {
	if !d.HasArg(key) {
		return 0
	}
	v, err := clock.ParseDuration(word(d, key))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) number(s string) int64 {
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) numbers(d *datadriven.TestData, key string) []int64 {
	var out []int64
	for _, a := range d.CmdArgs {
		if a.Key == key {
			for _, v := range a.Vals {
				out = append(out, w.number(v))
			}
		}
	}
	return out
}

// place returns the position nearest to the metres of an argument such as at=(120,0).
func (w *world) place(d *datadriven.TestData, key string) maps.Position {
	xy := w.numbers(d, key)
	at, _, ok := maps.NewIndex(w.router.Network()).NearestStand(w.point(xy[0], xy[1]), math.MaxInt32)
	if !ok {
		w.t.Fatalf("%s: nothing near %v", d.Pos, xy)
	}
	return at
}

// box returns the rectangle of box=(west,south,east,north).
func (w *world) box(d *datadriven.TestData) []maps.Point {
	v := w.numbers(d, "box")
	if len(v) != 4 {
		return nil
	}
	return []maps.Point{w.point(v[0], v[1]), w.point(v[2], v[1]), w.point(v[2], v[3]), w.point(v[0], v[3])}
}

func TestUnknownMarket(t *testing.T) {
	w := newWorld(t)
	_, geocode := w.service.Geocode(t.Context(), "mars", "1 Main Street")
	_, snap := w.service.Snap(t.Context(), "mars", maps.Point{})
	_, route := w.service.Route(t.Context(), "mars", maps.Position{}, maps.Position{})
	_, matrix := w.service.Matrix(t.Context(), "mars", nil, nil)
	_, _, serves := w.service.Serves(t.Context(), "mars", maps.Position{}, 0)
	open := w.service.Open(t.Context(), "mars", maps.OpenOptions{Profile: maps.DefaultProfile()})
	for name, err := range map[string]error{"Geocode": geocode, "Snap": snap, "Route": route, "Matrix": matrix, "Serves": serves, "Open": open} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s in an unknown market: %v, want not found", name, err)
		}
	}
}

func TestSnap(t *testing.T) {
	w := newWorld(t)
	m, err := w.service.Snap(t.Context(), town, w.point(150, 230))
	if err != nil || m.OffMM < 29_900 || m.OffMM > 30_100 {
		t.Errorf("Snap 30 m north of High Street: %+v, %v", m, err)
	}
	if _, err := w.service.Snap(t.Context(), town, w.point(150, 2000)); fault.ReasonOf(err) != "off_network" {
		t.Errorf("Snap far away: %v, want off_network", err)
	}
}

func TestRefreshSeesOtherWriters(t *testing.T) {
	w := newWorld(t)
	other := maps.NewService(w.store, w.clock, &fake.Timers{}, &fake.Journal{})
	if err := other.Open(t.Context(), town, maps.OpenOptions{Profile: maps.DefaultProfile()}); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(t.Context(), town, maps.Closure{ID: "c", Edges: []maps.EdgeID{0}}); err != nil {
		t.Fatal(err)
	}
	if !w.router.Metric().Open(0) {
		t.Error("another process's closure is seen before Refresh")
	}
	if err := w.service.Refresh(t.Context(), town); err != nil {
		t.Fatal(err)
	}
	if w.router.Metric().Open(0) {
		t.Error("another process's closure is not seen after Refresh")
	}
	// A change on top of it meets the other's revision and keeps its closure.
	if err := other.Close(t.Context(), town, maps.Closure{ID: "d", Edges: []maps.EdgeID{3}}); err != nil {
		t.Fatal(err)
	}
	if err := w.service.SetSpeed(t.Context(), town, maps.Path, 700); err != nil {
		t.Fatal(err)
	}
	if c, err := w.service.Closures(t.Context(), town); err != nil || len(c) != 2 {
		t.Errorf("closures %v, %v: want both of the other process", c, err)
	}
}

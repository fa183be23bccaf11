package export_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"io"
	"math"
	"testing"

	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/export"
	"footway/visualizer/play"
)

func rush(tb testing.TB) *play.Run {
	tb.Helper()
	reader, r := twintest.Open(tb)
	run, err := play.Open(play.NewFile(reader), r.Network)
	if err != nil {
		tb.Fatal(err)
	}
	return run
}

// collection is what is read of a file of trips.
type collection struct {
	Type     string
	Features []struct {
		Type       string
		Properties struct {
			Robot, Purpose, Delivery string
			Timestamps               []float64
		}
		Geometry struct {
			Type        string
			Coordinates [][]float64
		}
	}
}

func trips(t *testing.T, run *play.Run, span export.Span) collection {
	t.Helper()
	var b bytes.Buffer
	if err := export.Trips(&b, run, span); err != nil {
		t.Fatal(err)
	}
	var c collection
	if err := json.Unmarshal(b.Bytes(), &c); err != nil || c.Type != "FeatureCollection" {
		t.Fatalf("%v: %.200s", err, b.Bytes())
	}
	return c
}

// TestTrips: at each corner of a trip the robot truly is where the trip says.
func TestTrips(t *testing.T) {
	run := rush(t)
	from, to := run.Span()
	c := trips(t, run, export.Span{From: from, To: to})
	if len(c.Features) < 100 {
		t.Fatalf("%d trips, want some", len(c.Features))
	}
	checked := 0
	for i, f := range c.Features {
		line := f.Geometry.Coordinates
		if f.Type != "Feature" || f.Geometry.Type != "LineString" || len(line) < 2 || len(line) != len(f.Properties.Timestamps) {
			t.Fatalf("trip %d: %s of %s with %d points and %d timestamps", i, f.Type, f.Geometry.Type, len(line), len(f.Properties.Timestamps))
		}
		for k, p := range line {
			at := clock.Time(p[3])
			if k > 0 && (at < clock.Time(line[k-1][3]) || f.Properties.Timestamps[k] != float64(at.Sub(from))/1000) {
				t.Fatalf("trip %d: point %d at %v, %v s after the beginning, behind one at %v", i, k, at, f.Properties.Timestamps[k], line[k-1][3])
			}
			if i%7 != 0 || k == len(line)-1 { // where it ends the next begins
				continue
			}
			next := line[k+1]
			half := at + (clock.Time(next[3])-at)/2
			part := float64(half-at) / max(next[3]-p[3], 1)
			for x, want := range map[clock.Time][2]float64{at: {p[0], p[1]}, half: {p[0] + (next[0]-p[0])*part, p[1] + (next[1]-p[1])*part}} {
				if d := away(t, run, f.Properties.Robot, x, want); d > 60 {
					t.Fatalf("trip %d of %s: at %v it is %d mm from where the trip says", i, f.Properties.Robot, x, d)
				}
			}
			checked++
		}
	}
	if checked < 100 {
		t.Errorf("%d points were checked", checked)
	}
}

// away returns how far a robot is from a place, in millimetres.
func away(t *testing.T, run *play.Run, robot string, at clock.Time, lonlat [2]float64) int64 {
	t.Helper()
	s, err := run.At(at)
	if err != nil {
		t.Fatal(err)
	}
	is := run.Network().PointAt(s.Robot(robot).Pos)
	return maps.Distance(is, maps.Point{Lon: int32(math.Round(lonlat[0] * 1e7)), Lat: int32(math.Round(lonlat[1] * 1e7))})
}

// TestTripsOfAPart: a part of a run has the ends of drives that began before it, and the beginnings of those that go on.
func TestTripsOfAPart(t *testing.T) {
	run := rush(t)
	from, _ := run.Span()
	span := export.Span{From: from.Add(40 * clock.Minute), To: from.Add(43 * clock.Minute)}
	c := trips(t, run, span)
	before := false
	for _, f := range c.Features {
		for _, p := range f.Geometry.Coordinates {
			if at := clock.Time(p[3]); at < span.From || at > span.To {
				t.Fatalf("%s at %v, outside of the part", f.Properties.Robot, at)
			}
		}
		before = before || f.Properties.Timestamps[0] > 0 && f.Properties.Timestamps[0] < 30
	}
	if len(c.Features) < 5 || !before {
		t.Errorf("%d trips, one near the beginning: %v", len(c.Features), before)
	}
}

// TestTripsOfPoses: robots that send poses have trips, too; silence ends one.
func TestTripsOfPoses(t *testing.T) {
	net := &maps.Network{Name: "street", Nodes: []maps.Point{{Lon: 0, Lat: 0}, {Lon: 10_000, Lat: 0}}, Edges: []maps.Edge{{From: 0, To: 1, LengthMM: 111_000}}}
	live := play.NewLive(1 << 20)
	header := runlog.Header{Scenario: "poses"}
	var events []event.Event
	for i, at := range []clock.Time{1000, 2000, 3000, 4000, 5000, 60_000, 61_000} {
		mm := []int32{0, 1000, 2000, 2000, 2000, 9000, 10_000}[i]
		e := event.New(at, "m", runlog.RobotPose, "r1", 0, runlog.Pose{Robot: "r1", Position: maps.Position{OffsetMM: mm}, Activity: fleet.Driving})
		e.Seq = uint64(i + 1)
		events = append(events, e)
	}
	if err := live.Add(runlog.Piece{Header: &header, Events: events}); err != nil {
		t.Fatal(err)
	}
	run, err := play.Open(live, net)
	if err != nil {
		t.Fatal(err)
	}
	c := trips(t, run, export.Span{From: 1000, To: 61_000})
	if len(c.Features) != 2 || len(c.Features[0].Geometry.Coordinates) != 4 || c.Features[0].Geometry.Coordinates[3][3] != 5000 || len(c.Features[1].Geometry.Coordinates) != 2 {
		t.Errorf("trips %+v; want one of four points that ends at 5 s, and one of two", c.Features)
	}
}

// TestMCAP reads a recording back as its readers do: by its summary, its indexes, and the sums of all parts.
func TestMCAP(t *testing.T) {
	run := rush(t)
	from, _ := run.Span()
	span := export.Span{From: from, To: from.Add(20 * clock.Minute)}
	var b bytes.Buffer
	done := 0.0
	look := func(part float64) error {
		if part < done || part > 1 {
			t.Fatalf("%v of it is done after %v", part, done)
		}
		done = part
		return nil
	}
	if err := export.MCAP(&b, run, export.Recording{Span: span, Step: 2 * clock.Second, Look: look}); err != nil || done != 1 {
		t.Fatal(err, done)
	}
	f := b.Bytes()
	const magic = "\x89MCAP0\r\n"
	if string(f[:8]) != magic || string(f[len(f)-8:]) != magic {
		t.Fatal("no magic at begin or end")
	}
	le := binary.LittleEndian
	footer := f[len(f)-8-29 : len(f)-8]
	summary := le.Uint64(footer[9:])
	if footer[0] != 2 || le.Uint32(footer[25:]) != crc32.ChecksumIEEE(f[summary:len(f)-8-4]) {
		t.Fatal("the footer, or the sum of the summary, is wrong")
	}
	if end := f[summary-13 : summary]; end[0] != 0x0f || le.Uint32(end[9:]) != crc32.ChecksumIEEE(f[:summary-13]) {
		t.Error("the sum of the data section is wrong")
	}
	topics := make(map[uint16]string)
	counted := make(map[uint16]uint64)
	var want []byte
	chunks := 0
	for r := f[summary : len(f)-8-29]; len(r) > 0; {
		op, body := r[0], r[9:9+le.Uint64(r[1:])]
		r = r[9+len(body):]
		switch op {
		case 0x04:
			n := le.Uint32(body[4:])
			topics[le.Uint16(body)] = string(body[8 : 8+n])
		case 0x08:
			chunks++
			checkChunk(t, f, body, topics, counted)
		case 0x0b:
			want = body
		}
	}
	var all uint64
	for id, n := range counted {
		all += n
		if topics[id] == "" {
			t.Errorf("messages of channel %d, which is not in the summary", id)
		}
	}
	if chunks < 2 || le.Uint64(want) != all || int(le.Uint32(want[10:])) != len(topics) || int(le.Uint32(want[22:])) != chunks {
		t.Errorf("the statistics do not count %d messages on %d channels in %d chunks", all, len(topics), chunks)
	}
	events := 0
	for _, err := range run.Events(span.From, span.To) {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	for id, topic := range topics {
		if topic == "/events" && counted[id] != uint64(events) {
			t.Errorf("%d events are recorded, want %d", counted[id], events)
		}
	}
}

// checkChunk checks the chunk of a chunk index, and counts its messages by the message indexes.
func checkChunk(t *testing.T, f, index []byte, topics map[uint16]string, counted map[uint16]uint64) {
	t.Helper()
	le := binary.LittleEndian
	first, last, start, length := le.Uint64(index), le.Uint64(index[8:]), le.Uint64(index[16:]), le.Uint64(index[24:])
	chunk := f[start : start+length]
	body := chunk[9:]
	records := body[8+8+8+4+4+8:] // not compressed: its name is empty
	if chunk[0] != 0x06 || le.Uint64(body[16:]) != uint64(len(records)) || le.Uint32(body[24:]) != crc32.ChecksumIEEE(records) {
		t.Fatalf("chunk at %d: wrong size or sum", start)
	}
	offsets := index[36 : 36+le.Uint32(index[32:])]
	for ; len(offsets) > 0; offsets = offsets[10:] {
		id := le.Uint16(offsets)
		entries := f[le.Uint64(offsets[2:]):]
		if entries[0] != 0x07 || le.Uint16(entries[9:]) != id {
			t.Fatalf("chunk at %d: no message index of channel %d", start, id)
		}
		for e := entries[15 : 15+le.Uint32(entries[11:])]; len(e) > 0; e = e[16:] {
			at, m := le.Uint64(e), records[le.Uint64(e[8:]):]
			if m[0] != 0x05 || le.Uint16(m[9:]) != id || le.Uint64(m[15:]) != at || at < first || at > last || uint64(le.Uint32(m[11:])) != counted[id] {
				t.Fatalf("chunk at %d: no message of channel %d at %d", start, id, at)
			}
			if data := m[31 : 9+le.Uint64(m[1:])]; !json.Valid(data) {
				t.Fatalf("%s: %.100s is not JSON", topics[id], data)
			}
			counted[id]++
		}
	}
}

// picture is a white dot on a ground.
func picture(x int, ground color.RGBA) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, 60, 40))
	draw.Draw(p, p.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	draw.Draw(p, image.Rect(x, 10, x+4, 14), image.White, image.Point{}, draw.Src)
	return p
}

// TestGIF: whoever plays the animation sees the pictures, though most of each is left out.
func TestGIF(t *testing.T) {
	ground := color.RGBA{18, 22, 29, 255}
	pictures := []*image.RGBA{picture(3, ground), picture(9, ground), picture(9, ground), picture(30, ground)}
	g, err := export.NewGIF(10, pictures...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pictures {
		if err := g.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Add(image.NewRGBA(image.Rect(0, 0, 61, 40))); err == nil {
		t.Error("a picture of another size was taken")
	}
	var b bytes.Buffer
	if err := g.Encode(&b); err != nil {
		t.Fatal(err)
	}
	film, err := gif.DecodeAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	if len(film.Image) != 3 || film.Delay[0] != 10 || film.Delay[1] != 20 || film.LoopCount != 0 {
		t.Fatalf("%d pictures with delays %v; want three, the second for twice as long", len(film.Image), film.Delay)
	}
	shown := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for i, want := range []*image.RGBA{pictures[0], pictures[1], pictures[3]} {
		p := film.Image[i]
		draw.Draw(shown, p.Rect, p, p.Rect.Min, draw.Over)
		if !bytes.Equal(shown.Pix, want.Pix) {
			t.Errorf("picture %d is not the one that was added", i)
		}
		if i > 0 && p.Rect.Dx() > 30 {
			t.Errorf("picture %d keeps %v of 60×40 pixels", i, p.Rect)
		}
	}
}

// TestStopped: whoever looks may end the work.
func TestStopped(t *testing.T) {
	run := rush(t)
	from, to := run.Span()
	enough := errors.New("enough")
	o := export.Recording{Span: export.Span{From: from, To: to}, Look: func(float64) error { return enough }}
	if err := export.MCAP(io.Discard, run, o); !errors.Is(err, enough) {
		t.Errorf("the recording ended with %v, want %v", err, enough)
	}
}

// TestGIFColors: of many colours, rare ones that are far from the others are kept.
func TestGIFColors(t *testing.T) {
	p := image.NewRGBA(image.Rect(0, 0, 256, 256))
	for y := range 256 {
		for x := range 256 {
			p.SetRGBA(x, y, color.RGBA{uint8(x), uint8(x/2 + y/2), 40, 255})
		}
	}
	rare := color.RGBA{30, 60, 255, 255}
	p.SetRGBA(100, 100, rare)
	g, err := export.NewGIF(15, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Add(p); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := g.Encode(&b); err != nil {
		t.Fatal(err)
	}
	first, err := gif.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got := color.RGBAModel.Convert(first.At(100, 100)); got != rare {
		t.Errorf("the rare colour has become %v, want %v", got, rare)
	}
	for _, at := range []image.Point{{0, 0}, {255, 255}, {128, 30}, {40, 200}} {
		got, _ := color.RGBAModel.Convert(first.At(at.X, at.Y)).(color.RGBA)
		want := p.RGBAAt(at.X, at.Y)
		for _, d := range []int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B)} {
			if d > 24 || d < -24 {
				t.Errorf("at %v %v has become %v", at, want, got)
			}
		}
	}
}

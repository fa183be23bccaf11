package mapdraw

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"

	"footway/core/fault"
	"footway/core/maps"
)

// smallNetwork is a block of four sidewalks of 111 m, one crossing with a
// signal, a park, a house, a street and a merchant.
func smallNetwork(t *testing.T) *maps.Network {
	t.Helper()
	b := maps.NewBuilder("small-town", "© nobody in particular")
	corners := []maps.Point{{Lon: 0, Lat: 0}, {Lon: 10000, Lat: 0}, {Lon: 10000, Lat: 10000}, {Lon: 0, Lat: 10000}}
	var nodes []maps.NodeID
	for _, p := range corners {
		nodes = append(nodes, b.Node(p))
	}
	for i := range nodes {
		s := maps.Stretch{From: nodes[i], To: nodes[(i+1)%4], Class: maps.Sidewalk, Surface: maps.SurfaceSmooth, Name: "Block Street"}
		if i == 0 {
			s.Class, s.Control, s.Signal, s.Street = maps.Crossing, maps.ControlSignal, 1, maps.StreetTertiary
		}
		b.Stretch(s)
	}
	address := b.Address("1", "Block Street", "Town", "", maps.Point{Lon: 100, Lat: 5000})
	b.Merchant("Bakery <& Co>", "bakery", address, maps.Point{Lon: 100, Lat: 5000})
	b.Backdrop(maps.BackdropPark, 0, true, "", []maps.Point{{Lon: 2000, Lat: 2000}, {Lon: 8000, Lat: 2000}, {Lon: 8000, Lat: 8000}, {Lon: 2000, Lat: 8000}})
	b.Backdrop(maps.BackdropBuilding, 0, true, "", []maps.Point{{Lon: 3000, Lat: 3000}, {Lon: 4000, Lat: 3000}, {Lon: 4000, Lat: 4000}})
	b.Backdrop(maps.BackdropWater, 0, false, "", []maps.Point{{Lon: 2000, Lat: 2000}, {Lon: 8000, Lat: 8000}})
	b.Backdrop(maps.BackdropRail, 0, false, "", []maps.Point{{Lon: 2000, Lat: 8000}, {Lon: 8000, Lat: 2000}})
	b.Backdrop(maps.BackdropRoad, maps.StreetTertiary, false, "Long Avenue", []maps.Point{{Lon: 5000, Lat: -1000}, {Lon: 5000, Lat: 11000}})
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func draw(t *testing.T, f Format, n *maps.Network, o Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, f, n, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pixels counts the pixels of img that are exactly c.
func pixels(img image.Image, c color.Color) int {
	r, g, b, a := c.RGBA()
	n := 0
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			if r2, g2, b2, a2 := img.At(x, y).RGBA(); r == r2 && g == g2 && b == b2 && a == a2 {
				n++
			}
		}
	}
	return n
}

func TestPNG(t *testing.T) {
	n := smallNetwork(t)
	o := Options{Width: 800, Height: 600, Route: []maps.Point{{Lon: 0, Lat: 0}, {Lon: 0, Lat: 10000}}}
	img, err := png.Decode(bytes.NewReader(draw(t, PNG, n, o)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.Bounds().Size(), image.Pt(800, 600); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
	for name, c := range map[string]color.Color{
		"land": landColor, "park": parkColor, "water": waterColor, "house": buildingColor, "street": streetColor,
		"sidewalk": sidewalkColor, "signal": signalColor, "merchant": merchantColor, "route": routeColor, "start": startColor,
	} {
		if pixels(img, c) == 0 {
			t.Errorf("no pixel has the colour of %s", name)
		}
	}
	// The crossing is the southern side of the block: below the middle.
	top, bottom := image.Rect(250, 0, 800, 300), image.Rect(250, 300, 800, 600)
	sub := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if up, down := pixels(sub.SubImage(top), signalColor), pixels(sub.SubImage(bottom), signalColor); up > 0 || down == 0 {
		t.Errorf("crossing with %d pixels in the northern half, %d in the southern; want none and some", up, down)
	}
}

func TestSVG(t *testing.T) {
	out := draw(t, SVG, smallNetwork(t), Options{})
	d := xml.NewDecoder(bytes.NewReader(out))
	var words strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if text, ok := token.(xml.CharData); ok {
			words.Write(text)
		}
	}
	for _, want := range []string{"Small Town", "© nobody in particular", "Bakery <& Co>", "Long Avenue", "Crossing with signal", "1 merchant"} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
	for _, want := range []string{`stroke-linecap="round"`, `width="1600" height="1600"`, "Arial"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the picture has no %s", want)
		}
	}
}

func TestSameBytes(t *testing.T) {
	n := smallNetwork(t)
	for _, f := range []Format{PNG, SVG} {
		if !bytes.Equal(draw(t, f, n, Options{}), draw(t, f, n, Options{})) {
			t.Errorf("format %d: two drawings of one network differ", f)
		}
	}
}

func TestSizes(t *testing.T) {
	n := smallNetwork(t)
	box := maps.Box{Min: maps.Point{Lon: 0, Lat: 0}, Max: maps.Point{Lon: 10000, Lat: 5000}}
	tests := []struct {
		o             Options
		width, height float64 // 0: refused
	}{
		{Options{}, 1600, 1600},
		{Options{Width: 900}, 900, 900},
		{Options{Height: 300}, 300, 300},
		{Options{Width: 1000, Box: box}, 1000, 500},
		{Options{Width: 1000, Height: 1000, Box: box}, 1000, 1000},
		{Options{Width: 10}, 0, 0},
		{Options{Width: MaxSize + 1}, 0, 0},
		{Options{Width: -5, Height: 300}, 0, 0},
		{Options{Box: maps.Box{Min: box.Max, Max: box.Min}}, 0, 0},
	}
	for _, test := range tests {
		v, err := newView(n, test.o)
		switch {
		case test.width == 0 && !fault.Is(err, fault.Invalid):
			t.Errorf("newView(%+v): %v, want fault.Invalid", test.o, err)
		case test.width != 0 && (err != nil || v.width != test.width || v.height != test.height):
			t.Errorf("newView(%+v) = %v x %v, %v; want %v x %v", test.o, v.width, v.height, err, test.width, test.height)
		}
	}
}

func TestBox(t *testing.T) {
	o := Options{Width: 1000, Box: maps.Box{Min: maps.Point{Lon: 0, Lat: 0}, Max: maps.Point{Lon: 10000, Lat: 10000}}}
	v, err := newView(smallNetwork(t), o)
	if err != nil {
		t.Fatal(err)
	}
	near := func(a, b float64) bool { return a-b < 0.5 && b-a < 0.5 }
	if p := v.at(o.Box.Min); !near(float64(p.X), 0) || !near(float64(p.Y), 0) {
		t.Errorf("the south-western corner is at %v, want the lower left one", p)
	}
	if p := v.at(o.Box.Max); !near(float64(p.X), 1000) || !near(float64(p.Y), 1000) {
		t.Errorf("the north-eastern corner is at %v, want the upper right one", p)
	}
}

func TestTitle(t *testing.T) {
	for in, want := range map[string]string{"seattle-wedgwood": "Seattle Wedgwood", "": "", "--": "", "Port Ellery": "Port Ellery", "österreich_x": "Österreich X"} {
		if got := title(in); got != want {
			t.Errorf("title(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(in); got != want {
			t.Errorf("grouped(%d) = %q, want %q", in, got, want)
		}
	}
}

package paint_test

import (
	"bytes"
	"image/color"
	"testing"
	"time"

	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/visualizer/paint"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

var (
	white = color.RGBA{255, 255, 255, 255}
	red   = color.RGBA{200, 0, 0, 255}
	half  = color.RGBA{100, 0, 0, 128}
)

func frame(l scene.Layer) *scene.Frame {
	return &scene.Frame{Width: 100, Height: 60, Background: white, Transform: scene.Transform{Zoom: 1}, Layers: []scene.Layer{l}}
}

// TestNoSeams: triangles that share edges, at any slope, cover what they lie on once: no gap, and nothing twice.
func TestNoSeams(t *testing.T) {
	for _, c := range []color.RGBA{red, half} {
		var l scene.Layer
		l.Vertices = append(l.Vertices, scene.Vertex{X: 50, Y: 30, C: c})
		corners := [][2]float32{{0, 0}, {31, 0}, {77, 0}, {100, 0}, {100, 13.37}, {100, 60}, {63, 60}, {20.5, 60}, {0, 60}, {0, 29.9}}
		for i, p := range corners {
			l.Vertices = append(l.Vertices, scene.Vertex{X: p[0], Y: p[1], C: c})
			a, b := uint32(i+1), uint32((i+1)%len(corners)+1)
			if i%2 == 0 { // either way round
				a, b = b, a
			}
			l.Indices = append(l.Indices, 0, a, b)
		}
		img := paint.New(0).Frame(frame(l))
		want := img.RGBAAt(50, 30)
		for y := range 60 {
			for x := range 100 {
				if got := img.RGBAAt(x, y); got != want {
					t.Fatalf("%v at %d, %d is %v; want %v everywhere", c, x, y, got, want)
				}
			}
		}
		if c == half && (want.R < 220 || want.R > 235 || want.G != 127) {
			t.Errorf("half red on white is %v", want)
		}
	}
}

// TestText: a text is where it says, whichever way it is turned, and its halo is around it.
func TestText(t *testing.T) {
	ink := func(angle float32, align scene.Align) (dark int, minX, maxX int) {
		img := paint.New(0).Frame(frame(scene.Layer{Texts: []scene.Text{{X: 50, Y: 30, Size: 12, S: "Hamburg", Align: align, Angle: angle, Color: color.RGBA{A: 255}}}}))
		minX, maxX = 100, 0
		for y := range 60 {
			for x := range 100 {
				if img.RGBAAt(x, y).R < 128 {
					dark, minX, maxX = dark+1, min(minX, x), max(maxX, x)
				}
			}
		}
		return dark, minX, maxX
	}
	plain, from, to := ink(0, scene.Centre)
	if plain < 60 || from+to < 94 || from+to > 106 {
		t.Errorf("%d dark pixels from %d to %d; want some, around the middle", plain, from, to)
	}
	if _, from, _ := ink(0, scene.Left); from < 49 {
		t.Errorf("a text on the left begins at %d; want 50", from)
	}
	if _, _, to := ink(0, scene.Right); to > 51 {
		t.Errorf("a text on the right ends at %d; want 50", to)
	}
	turned, from, to := ink(1.5708, scene.Centre)
	if turned < plain*7/10 || to-from > 14 {
		t.Errorf("turned upright there are %d dark pixels from %d to %d; want about %d in a narrow column", turned, from, to, plain)
	}
	const room = 3 // between the width that layouts go by and the true one
	if w := int(scene.TextWidth("Hamburg", 12, false)); w < wide(ink)-room || w > wide(ink)+room {
		t.Errorf("layouts take the text to be %d wide; it is %d", w, wide(ink))
	}
}

// wide returns how wide the text is.
func wide(ink func(float32, scene.Align) (int, int, int)) int {
	_, from, to := ink(0, scene.Centre)
	return to - from + 1
}

// TestSameToTheByte paints a city twice.
func TestSameToTheByte(t *testing.T) {
	reader, r := twintest.Open(t)
	run, err := play.Open(play.NewFile(reader), r.Network)
	if err != nil {
		t.Fatal(err)
	}
	from, _ := run.Span()
	picture := func() []byte {
		st, err := run.At(from.Add(50 * clock.Minute))
		if err != nil {
			t.Fatal(err)
		}
		s := scene.New(r.Network)
		return paint.New(2).Frame(s.Frame(scene.Input{State: st, Story: run, Zone: time.UTC}, scene.View{Width: 640, Height: 480, Scale: 1, Theme: scene.Dark, Layers: scene.DefaultLayers}.Fit(s.Bounds()))).Pix
	}
	if a, b := picture(), picture(); !bytes.Equal(a, b) {
		t.Error("two pictures of one frame differ")
	}
}

package window

import (
	"image/color"
	"slices"
	"strings"
	"testing"

	"footway/visualizer/scene"
)

// TestAtlasRunsFull writes in ever more sizes until there is no more room for glyphs in the middle of a text: what was
// gathered with the old ones must be drawn before they are gone.
func TestAtlasRunsFull(t *testing.T) {
	var a atlas
	var b batch
	drawn := 0
	a.begin(func() {
		if len(a.spots) == 0 {
			t.Error("the glyphs are gone before they are drawn")
		}
		drawn++
		b.reset()
	})
	text := scene.Text{S: strings.Repeat("Quay Street & Marram Avenue ", 2), Bold: true, Color: color.RGBA{A: 255}}
	for size := float32(40); drawn == 0; size++ {
		if size > 500 {
			t.Fatal("the atlas never runs full")
		}
		text.Size = size
		a.texts(&b, []scene.Text{text}, 1, 0, 1)
	}
	if len(b.vertices) == 0 || len(b.vertices)%4 != 0 {
		t.Fatalf("%d corners are left", len(b.vertices))
	}
	var again batch
	a.texts(&again, []scene.Text{text}, 1, 0, 1)
	if left := len(b.vertices); left > len(again.vertices) || !slices.Equal(b.vertices, again.vertices[len(again.vertices)-left:]) {
		t.Error("what is left to be drawn is not of the glyphs that are there now")
	}
	if drawn != 1 {
		t.Errorf("drawn %d times, want once", drawn)
	}
}

package scene

import (
	"testing"

	"footway/core/maps"
)

// TestFlood: water that is cut off beyond the streets goes on, and other water does not.
func TestFlood(t *testing.T) {
	shape := func(kind maps.BackdropKind, corners ...Place) area {
		return area{kind: kind, line: corners, shore: corners, box: boxOf(corners)}
	}
	sea := shape(maps.BackdropWater, Place{0, 0}, Place{1000, 0}, Place{1000, 200}, Place{500, 250}, Place{0, 200})
	pond := shape(maps.BackdropWater, Place{400, 500}, Place{600, 500}, Place{500, 600})
	tip := shape(maps.BackdropWater, Place{500, 1000}, Place{450, 900}, Place{550, 900})                  // ends beyond them with a corner
	dock := shape(maps.BackdropWater, Place{100, 300}, Place{300, 300}, Place{300, 400}, Place{100, 400}) // among them
	park := shape(maps.BackdropPark, Place{0, 400}, Place{0, 800}, Place{100, 600})
	b := &basemap{areas: []area{sea, pond, tip, dock, park}}
	b.flood(Box{50, 150, 950, 900})
	if got, want := b.areas[0].box, (Box{-1800, -1800, 2800, 250}); got != want {
		t.Errorf("the sea goes from %v to %v", got, want)
	}
	if b.areas[0].line[3] != (Place{500, 250}) {
		t.Errorf("its shore is at %v", b.areas[0].line[3])
	}
	for i, was := range []area{pond, tip, dock, park} {
		if got := b.areas[i+1].box; got != was.box {
			t.Errorf("what is not cut off has become %v, was %v", got, was.box)
		}
	}
}

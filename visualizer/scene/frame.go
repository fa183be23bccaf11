// Package scene turns how things stand and a view of them into shapes:
// triangles and texts, and nothing that only one kind of screen has. It is pure: painters
// upload its meshes and paint its batches, and tests read them.
package scene

import "image/color"

// Vertex is a corner of a triangle. C is premultiplied by its alpha.
type Vertex struct {
	X, Y float32
	C    color.RGBA
}

// Mesh is a part of the map that stays as it is: triangles in metres east and
// north of the network's middle. All of it lies within Box, and meshes of one layer do not overlap,
// so that a painter may keep it as an image of Box.
type Mesh struct {
	ID       uint64 // of its place on the map, zoom class and theme
	Revision uint32 // another one: the triangles are others
	Box      Box
	Vertices []Vertex
	Indices  []uint32
}

// Box is a rectangle in metres.
type Box struct{ MinX, MinY, MaxX, MaxY float32 }

// Overlaps reports whether b and c share a point.
func (b Box) Overlaps(c Box) bool {
	return b.MinX <= c.MaxX && c.MinX <= b.MaxX && b.MinY <= c.MaxY && c.MinY <= b.MaxY
}

func (b Box) has(x, y float32) bool {
	return x >= b.MinX && x <= b.MaxX && y >= b.MinY && y <= b.MaxY
}

func (b Box) grown(by float32) Box { return Box{b.MinX - by, b.MinY - by, b.MaxX + by, b.MaxY + by} }

func emptyBox() Box { return Box{1e30, 1e30, -1e30, -1e30} }

func (b Box) with(x, y float32) Box {
	return Box{min(b.MinX, x), min(b.MinY, y), max(b.MaxX, x), max(b.MaxY, y)}
}

// Align says where a text's X is.
type Align uint8

// The alignments.
const (
	Left Align = iota
	Centre
	Right
)

// Text is a line of text in pixels, in the Go font. X is where Align says, Y the middle of its capitals.
type Text struct {
	X, Y  float32
	Size  float32 // of the font in pixels
	S     string
	Align Align
	Bold  bool
	Angle float32 // radians, clockwise on the screen
	Color color.RGBA
	Halo  color.RGBA // drawn around it, Size/8 wide; alpha 0: none
}

// Layer is a part of a frame. Its meshes are painted first, then its triangles, then its texts.
type Layer struct {
	Name     string
	Meshes   []*Mesh // in metres, to be placed by the frame's Transform
	Vertices []Vertex
	Indices  []uint32
	Texts    []Text
}

// Transform places metres on the screen: x·Zoom + DX, and y·-Zoom + DY.
type Transform struct{ Zoom, DX, DY float32 }

// Apply returns where a place in metres is in pixels.
func (t Transform) Apply(x, y float32) (float32, float32) { return x*t.Zoom + t.DX, t.DY - y*t.Zoom }

// Invert returns which place in metres is at a pixel.
func (t Transform) Invert(x, y float32) (float32, float32) {
	return (x - t.DX) / t.Zoom, (t.DY - y) / t.Zoom
}

// Frame is a picture. It belongs to the Scene that made it and changes with the next one.
type Frame struct {
	Width, Height float32 // in pixels of the device
	Background    color.RGBA
	Transform     Transform // of the meshes; in pixels of the device
	Layers        []Layer   // in the order of painting
	Revision      uint64    // the same as before: nothing has changed
}

// The layers of a frame, in the order of painting.
const (
	layerMap    = iota // meshes and names of streets
	layerHeat          // heat
	layerUnder         // closures, trails, routes, lines
	layerPlaces        // docks, merchants, pickups and drop-offs
	layerRobots        // robots in one batch
	layerLabels        // labels of robots and deliveries
	layerHUD           // legend, scale bar, attribution
	layerPanel         // inspector
	layerCount
)

var layerNames = [layerCount]string{"map", "heat", "under", "places", "robots", "labels", "hud", "panel"}

// reset empties f and keeps its memory.
func (f *Frame) reset() {
	if f.Layers == nil {
		f.Layers = make([]Layer, layerCount)
	}
	for i := range f.Layers {
		l := &f.Layers[i]
		l.Name = layerNames[i]
		l.Meshes, l.Vertices, l.Indices, l.Texts = l.Meshes[:0], l.Vertices[:0], l.Indices[:0], l.Texts[:0]
	}
}

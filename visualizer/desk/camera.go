package desk

import (
	"math"

	"footway/visualizer/scene"
)

// camera looks at the map: where to, and where it is on its way to.
type camera struct {
	at, to pose
	bounds scene.Box
	home   bool // it looks at all of the map
}

type pose struct{ x, y, zoom float64 }

// settle is the share of the way to where it looks that the camera goes in a second, as a power of e.
const settle = 14

// step moves on by some seconds, and reports whether anything moved.
func (c *camera) step(seconds float64) bool {
	if c.at == c.to {
		return false
	}
	k := 1 - math.Exp(-settle*seconds)
	c.at.x += (c.to.x - c.at.x) * k
	c.at.y += (c.to.y - c.at.y) * k
	c.at.zoom *= math.Pow(c.to.zoom/c.at.zoom, k)
	if math.Abs(c.at.x-c.to.x)*c.at.zoom < 0.25 && math.Abs(c.at.y-c.to.y)*c.at.zoom < 0.25 && math.Abs(c.at.zoom/c.to.zoom-1) < 0.001 {
		c.at = c.to
	}
	return true
}

// drag moves the map by points, at once.
func (c *camera) drag(dx, dy float64) {
	c.to.x, c.to.y = c.at.x-dx/c.at.zoom, c.at.y+dy/c.at.zoom
	c.to.zoom = c.at.zoom
	c.keep()
	c.at = c.to
}

// pan moves the map by points, softly.
func (c *camera) pan(dx, dy float64) {
	c.to.x, c.to.y = c.to.x+dx/c.to.zoom, c.to.y-dy/c.to.zoom
	c.keep()
}

// zoom scales the map by a factor around a point that lies (fx, fy) points from the middle.
func (c *camera) zoom(factor, fx, fy float64) {
	old := c.to.zoom
	c.to.zoom = min(max(old*factor, scene.MinZoom), scene.MaxZoom)
	// The place at the point stays at the point.
	c.to.x += fx/old - fx/c.to.zoom
	c.to.y -= fy/old - fy/c.to.zoom
	c.keep()
}

// keep keeps the middle of the screen on the map.
func (c *camera) keep() {
	c.home = false
	c.to.x = min(max(c.to.x, float64(c.bounds.MinX)), float64(c.bounds.MaxX))
	c.to.y = min(max(c.to.y, float64(c.bounds.MinY)), float64(c.bounds.MaxY))
}

// look goes to a place, at least as near as zoom.
func (c *camera) look(p scene.Place, zoom float64) {
	c.home = false
	c.to.x, c.to.y, c.to.zoom = float64(p.X), float64(p.Y), max(c.to.zoom, zoom)
}

// see looks the way v does, at once.
func (c *camera) see(v scene.View) {
	c.to = pose{float64(v.Centre.X), float64(v.Centre.Y), v.Zoom}
	c.at = c.to
}

func (c *camera) place() scene.Place { return scene.Place{X: float32(c.at.x), Y: float32(c.at.y)} }

package scene

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"footway/core/maps"
	"footway/visualizer/play"
)

// Theme is how colours are chosen.
type Theme uint8

// The themes.
const (
	Light Theme = iota
	Dark
)

// Layers is a set of what is drawn.
type Layers uint32

// The layers that can be switched.
const (
	ShowNames Layers = 1 << iota
	ShowBuildings
	ShowSidewalks
	ShowMerchants
	ShowDocks
	ShowClosures
	ShowTrails
	ShowRoutes // lines of assignments
	ShowDeliveries
	ShowRobots
	ShowLabels
	ShowLegend
	ShowScale
	ShowClock
	ShowInspector
	ShowCharts
	HeatDemand
	HeatLate
	HeatIdle
	HeatStuck
	ShowDifference // where another run is earlier, later, elsewhere
)

// LayerName is what a layer is called.
type LayerName struct {
	Layer Layers
	Name  string // for flags
	Title string // for people
}

// AllLayers names the layers, for switches and flags.
var AllLayers = []LayerName{
	{ShowNames, "names", "Names"},
	{ShowBuildings, "buildings", "Buildings"},
	{ShowSidewalks, "sidewalks", "Sidewalks and crossings"},
	{ShowMerchants, "merchants", "Merchants"},
	{ShowDocks, "docks", "Docks"},
	{ShowClosures, "closures", "Closures"},
	{ShowTrails, "trails", "Trails"},
	{ShowRoutes, "routes", "Assignments"},
	{ShowDeliveries, "deliveries", "Deliveries"},
	{ShowRobots, "robots", "Robots"},
	{ShowLabels, "labels", "Labels"},
	{ShowLegend, "legend", "Legend"},
	{ShowScale, "scale", "Scale bar"},
	{ShowClock, "clock", "Clock"},
	{ShowInspector, "inspector", "Inspector"},
	{ShowCharts, "charts", "Charts"},
	{HeatDemand, "heat-demand", "Heat: demand"},
	{HeatLate, "heat-late", "Heat: late"},
	{HeatIdle, "heat-idle", "Heat: idle robots"},
	{HeatStuck, "heat-stuck", "Heat: stuck"},
	{ShowDifference, "difference", "Difference"},
}

// DefaultLayers is what is drawn if nobody says otherwise.
const DefaultLayers = ShowNames | ShowBuildings | ShowSidewalks | ShowMerchants | ShowDocks | ShowClosures | ShowTrails |
	ShowRoutes | ShowDeliveries | ShowRobots | ShowLabels | ShowLegend | ShowScale | ShowClock | ShowInspector

// Since returns how l differs from base, as ParseLayers reads it: the names that are more with +, those that are not with -.
func (l Layers) Since(base Layers) string {
	var names []string
	for _, x := range AllLayers {
		switch {
		case l&x.Layer == base&x.Layer:
		case l&x.Layer != 0:
			names = append(names, "+"+x.Name)
		default:
			names = append(names, "-"+x.Name)
		}
	}
	return strings.Join(names, ",")
}

// ParseLayers changes what is shown by names with + or - before them, or replaces it by a list of names.
func ParseLayers(text string, shown Layers) (Layers, error) {
	if text == "" {
		return shown, nil
	}
	if text[0] != '+' && text[0] != '-' {
		shown = 0
	}
	for name := range strings.SplitSeq(text, ",") {
		bare := strings.TrimLeft(name, "+-")
		i := slices.IndexFunc(AllLayers, func(x LayerName) bool { return x.Name == bare })
		switch {
		case i < 0:
			return 0, fmt.Errorf("there is no layer %q; want some of %s", bare, strings.Join(LayerNames(), ", "))
		case strings.HasPrefix(name, "-"):
			shown &^= AllLayers[i].Layer
		default:
			shown |= AllLayers[i].Layer
		}
	}
	return shown, nil
}

// LayerNames returns the names of all layers, as flags have them.
func LayerNames() []string {
	names := make([]string, len(AllLayers))
	for i, l := range AllLayers {
		names[i] = l.Name
	}
	return names
}

// Kind is what can be selected.
type Kind uint8

// The kinds.
const (
	Nothing Kind = iota
	Robot
	Delivery
	Merchant // its ID is the number in the network's list, as text
	Dock
)

var kindNames = [...]string{"", "robot", "delivery", "merchant", "dock"}

// String returns the kind as a word.
func (k Kind) String() string { return kindNames[k] }

// Selection is what was clicked on.
type Selection struct {
	Kind Kind
	ID   string
}

// String returns the selection as ParseSelection reads it; "" if there is none.
func (s Selection) String() string {
	if s.Kind == Nothing {
		return ""
	}
	return s.Kind.String() + "/" + s.ID
}

// ParseSelection reads a kind and an id, such as robot/r7.
func ParseSelection(text string) (Selection, error) {
	kind, id, _ := strings.Cut(text, "/")
	k := slices.Index(kindNames[:], kind)
	if k <= int(Nothing) || id == "" {
		return Selection{}, fmt.Errorf("%q: want robot/ID, delivery/ID, merchant/NUMBER or dock/ID", text)
	}
	return Selection{Kind: Kind(k), ID: id}, nil
}

// Place is a place in metres east and north of the middle of the network.
type Place struct{ X, Y float32 }

// View is how the state is looked at. It is comparable.
type View struct {
	Centre        Place
	Zoom          float64 // points to the metre; a point is Scale pixels
	Width, Height int     // in points
	Scale         float64 // pixels of the device to the point
	Theme         Theme
	Layers        Layers
	Selection     Selection
	Hover         Selection
	InsetRight    float32 // points at the right edge that something else covers
	InsetBottom   float32 // and at the lower edge
}

// Bounds of the zoom in points to the metre.
const (
	MinZoom = 0.01
	MaxZoom = 40
)

// normal returns v with everything within bounds.
func (v View) normal() View {
	if v.Scale <= 0 {
		v.Scale = 1
	}
	v.Width, v.Height = max(1, v.Width), max(1, v.Height)
	v.Zoom = min(max(v.Zoom, MinZoom), MaxZoom)
	return v
}

// Transform returns how metres are placed in pixels of the device.
func (v View) Transform() Transform {
	v = v.normal()
	z := float32(v.Zoom * v.Scale)
	return Transform{
		Zoom: z,
		DX:   float32(float64(v.Width)*v.Scale/2) - v.Centre.X*z,
		DY:   float32(float64(v.Height)*v.Scale/2) + v.Centre.Y*z,
	}
}

// box returns the part of the map that is seen.
func (v View) box() Box {
	w, h := float32(float64(v.Width)/v.Zoom/2), float32(float64(v.Height)/v.Zoom/2)
	return Box{v.Centre.X - w, v.Centre.Y - h, v.Centre.X + w, v.Centre.Y + h}
}

// Fit returns v looking at all of a box, with some room around it.
func (v View) Fit(b Box) View {
	v = v.normal()
	const room = 1.06
	w, h := max(float64(b.MaxX-b.MinX), 20), max(float64(b.MaxY-b.MinY), 20)
	v.Centre = Place{(b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2}
	v.Zoom = min(max(math.Min(float64(v.Width)/w, float64(v.Height)/h)/room, MinZoom), MaxZoom)
	return v
}

// Story is what a run knows beside the state; *play.Run is one.
type Story interface {
	Timeline(id string) []play.Line
	Spots() []play.Spot
	Explain(delivery string) *play.Explanation
}

// Input is what a frame is made from.
type Input struct {
	State *play.State
	Story Story          // nil: without timelines, heat over time and explanations
	Title string         // such as the scenario's name
	Other *play.State    // of the run compared with, for ShowDifference
	Than  string         // what that run is called
	Zone  *time.Location // nil: UTC
}

// PlaceAt returns where a point of the earth is.
func (s *Scene) PlaceAt(p maps.Point) Place {
	x, y := s.ground.metres(p)
	return Place{x, y}
}

// PlaceOf returns where a position of the network is.
func (s *Scene) PlaceOf(p maps.Position) Place {
	x, y, _, _ := s.ground.at(p)
	return Place{x, y}
}

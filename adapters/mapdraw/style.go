package mapdraw

import (
	"image/color"

	"footway/core/maps"
)

// The colours: a quiet paper ground, so that what robots move on stands out.
var (
	landColor     = rgb(0xf6f4ef)
	parkColor     = rgb(0xdcead0)
	waterColor    = rgb(0xc3dfee)
	buildingColor = rgb(0xe9e4da)
	buildingEdge  = rgb(0xdcd5c8)
	casingColor   = rgb(0xdfd9cd)
	streetColor   = rgb(0xffffff)
	mainColor     = rgb(0xfff3d6)
	mainCasing    = rgb(0xe6d5ab)
	railColor     = rgb(0xc2bdb5)
	inkColor      = rgb(0x2b3440)
	softInkColor  = rgb(0x6d7580)
	panelColor    = color.NRGBA{0xff, 0xff, 0xff, 0xea}
	panelEdge     = rgb(0xdad5ca)
	haloColor     = color.NRGBA{0xff, 0xff, 0xff, 0xd8}

	sidewalkColor = rgb(0x12808a)
	inferredColor = rgb(0x3fa3a6)
	pathColor     = rgb(0x4f9a4b)
	sharedColor   = rgb(0x9780cf)
	crossingColor = rgb(0xee8b2d)
	signalColor   = rgb(0xd6402f)
	kerbColor     = rgb(0x8a6d3b)
	merchantColor = rgb(0xb8336a)
	routeColor    = rgb(0x2457e6)
	routeCasing   = rgb(0xffffff)
	startColor    = rgb(0x1f9d55)
)

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

// streetStyle is how a street of the backdrop is drawn.
type streetStyle struct {
	rank         maps.Street
	metres       float64 // as wide as this on the ground,
	low, high    float64 // but at least and at most so many pixels
	fill, casing color.Color
	coarsest     float64 // not drawn when a pixel is more metres than this
	named        float64 // names are written up to this many metres a pixel
}

// streetStyles from the least to the greatest, in the order of drawing.
var streetStyles = []streetStyle{
	{maps.StreetService, 4, 0.8, 14, streetColor, casingColor, 6, 0.6},
	{maps.StreetPedestrian, 5, 0.8, 16, streetColor, casingColor, 20, 1.6},
	{maps.StreetLiving, 6, 0.8, 18, streetColor, casingColor, 20, 1.6},
	{maps.StreetResidential, 8, 0.7, 24, streetColor, casingColor, 60, 2.6},
	{maps.StreetTertiary, 10, 1.2, 28, streetColor, casingColor, 200, 5},
	{maps.StreetSecondary, 13, 1.8, 34, mainColor, mainCasing, 1000, 8},
	{maps.StreetPrimary, 15, 2.2, 38, mainColor, mainCasing, 1000, 14},
	{maps.StreetTrunk, 18, 2.6, 44, mainColor, mainCasing, 1000, 20},
}

// edgeStyle is how a class of edges is drawn.
type edgeStyle struct {
	label     string
	color     color.Color
	metres    float64
	low, high float64
	dashed    bool
	has       func(e *maps.Edge) bool
}

// edgeStyles in the order of drawing. Each edge takes the first that has it.
var edgeStyles = []edgeStyle{
	{"Shared street", sharedColor, 1.3, 0.8, 3.2, false, func(e *maps.Edge) bool { return e.Class == maps.Shared }},
	{"Path, square", pathColor, 1.5, 1.0, 3.6, false, func(e *maps.Edge) bool { return e.Class == maps.Path }},
	{"Sidewalk, inferred", inferredColor, 1.5, 1.0, 3.6, true, func(e *maps.Edge) bool {
		return e.Class == maps.Sidewalk && e.Flags&maps.Inferred != 0
	}},
	{"Sidewalk", sidewalkColor, 1.5, 1.0, 3.6, false, func(e *maps.Edge) bool { return e.Class == maps.Sidewalk }},
	{"Kerb", kerbColor, 1.5, 1.0, 3.6, false, func(e *maps.Edge) bool { return e.Class == maps.KerbStep }},
	{"Crossing", crossingColor, 2.2, 1.2, 5, false, func(e *maps.Edge) bool { return e.Signal == 0 }},
	{"Crossing with signal", signalColor, 2.2, 1.2, 5, false, func(e *maps.Edge) bool { return true }},
}

// detailMetres is how many metres a pixel may be for houses, merchants and
// dashes still to be worth drawing.
const (
	houseDetail    = 7.0
	merchantDetail = 16.0
	merchantNames  = 1.6
	dashDetail     = 2.5
)

// overview is how many metres a pixel must be for lines to become finer still:
// a whole region would otherwise be one blot.
const overview = 20.0

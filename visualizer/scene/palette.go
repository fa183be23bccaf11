package scene

import (
	"image/color"

	"footway/core/kpi"
)

// Palette has the colours of a theme.
type Palette struct {
	Land, Water, Park, Building, BuildingEdge    color.RGBA
	Road, RoadCase, Major, MajorCase             color.RGBA
	Sidewalk, SidewalkLine, Crossing, Path, Rail color.RGBA
	Name, NameHalo, NameWater, NamePark          color.RGBA
	Ink, InkSoft, InkFaint                       color.RGBA // text, from strong to weak
	Panel, PanelEdge, Shadow                     color.RGBA
	Outline                                      color.RGBA // around robots and markers
	Pickup, Dropoff, Merchant, Dock              color.RGBA
	Good, Soon, Late                             color.RGBA // of a promise
	Accent                                       color.RGBA // what is selected
	Closed                                       color.RGBA
	Activity                                     [kpi.Activities]color.RGBA
	Heat                                         [4]color.RGBA // idle robots, demand, late, stuck
}

func rgb(v uint32) color.RGBA {
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

// Fade returns c with the alpha a, from 0 to 1, of what it has.
func Fade(c color.RGBA, a float32) color.RGBA {
	a = min(max(a, 0), 1)
	m := func(v uint8) uint8 { return uint8(float32(v)*a + 0.5) }
	return color.RGBA{m(c.R), m(c.G), m(c.B), m(c.A)}
}

// Mix returns the colour k of the way from a to b.
func Mix(a, b color.RGBA, k float32) color.RGBA {
	m := func(x, y uint8) uint8 { return uint8(float32(x) + (float32(y)-float32(x))*k + 0.5) }
	return color.RGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), m(a.A, b.A)}
}

// Palettes of the themes. The activities' colours stay apart for people who
// do not see red, green or blue; a test simulates them.
var palettes = [...]Palette{
	Light: {
		Land: rgb(0xf2f0eb), Water: rgb(0xc3d9e8), Park: rgb(0xdbe7d0), Building: rgb(0xe6e2d9), BuildingEdge: rgb(0xd6d1c6),
		Road: rgb(0xffffff), RoadCase: rgb(0xdcd7cc), Major: rgb(0xfdf5e2), MajorCase: rgb(0xdccfae),
		Sidewalk: rgb(0xebe7de), SidewalkLine: rgb(0xc9c3b6), Crossing: rgb(0xb9b4a9), Path: rgb(0xc7b798), Rail: rgb(0xc9c5bd),
		Name: rgb(0x6a6a66), NameHalo: rgb(0xfbfaf7), NameWater: rgb(0x5d86a3), NamePark: rgb(0x5f8454),
		Ink: rgb(0x1d2330), InkSoft: rgb(0x5a6272), InkFaint: rgb(0x9aa1ad),
		Panel: color.RGBA{252, 251, 249, 255}, PanelEdge: rgb(0xd9d5cc), Shadow: color.RGBA{0, 0, 0, 60},
		Outline: rgb(0xffffff),
		Pickup:  rgb(0x2b3a55), Dropoff: rgb(0x2b3a55), Merchant: rgb(0x8a7f6b), Dock: rgb(0x2f7fb5),
		Good: rgb(0x0072b2), Soon: rgb(0xe69f00), Late: rgb(0xd33f00), Accent: rgb(0x5b2be0), Closed: rgb(0xd33f00),
		Activity: [kpi.Activities]color.RGBA{
			kpi.Idle: rgb(0x8b93a1), kpi.Charging: rgb(0x56b4e9), kpi.Moving: rgb(0x9040a8), kpi.Deadhead: rgb(0xe69f00),
			kpi.AtStop: rgb(0xf5e342), kpi.Carrying: rgb(0x007a5e), kpi.Down: rgb(0xc8320a),
		},
		Heat: [4]color.RGBA{rgb(0x4d5a70), rgb(0x5b2be0), rgb(0xe05a00), rgb(0xb3123a)},
	},
	Dark: {
		Land: rgb(0x12161d), Water: rgb(0x10263a), Park: rgb(0x16241e), Building: rgb(0x1a2029), BuildingEdge: rgb(0x232a35),
		Road: rgb(0x272e39), RoadCase: rgb(0x0d1117), Major: rgb(0x343d4b), MajorCase: rgb(0x0d1117),
		Sidewalk: rgb(0x1e242e), SidewalkLine: rgb(0x39424f), Crossing: rgb(0x4a5463), Path: rgb(0x3d4238), Rail: rgb(0x2b313b),
		Name: rgb(0x8e98a8), NameHalo: rgb(0x12161d), NameWater: rgb(0x4f7fa3), NamePark: rgb(0x5e8a63),
		Ink: rgb(0xe9edf4), InkSoft: rgb(0xa2acbb), InkFaint: rgb(0x667080),
		Panel: color.RGBA{26, 31, 40, 255}, PanelEdge: rgb(0x333c4a), Shadow: color.RGBA{0, 0, 0, 130},
		Outline: rgb(0x0a0d12),
		Pickup:  rgb(0xdfe5ef), Dropoff: rgb(0xdfe5ef), Merchant: rgb(0x8d8672), Dock: rgb(0x4aa3dc),
		Good: rgb(0x56b4e9), Soon: rgb(0xf0b429), Late: rgb(0xff6b3d), Accent: rgb(0xa58bff), Closed: rgb(0xff6b3d),
		Activity: [kpi.Activities]color.RGBA{
			kpi.Idle: rgb(0x8b93a1), kpi.Charging: rgb(0x56b4e9), kpi.Moving: rgb(0x9040a8), kpi.Deadhead: rgb(0xe69f00),
			kpi.AtStop: rgb(0xf5e342), kpi.Carrying: rgb(0x00a67d), kpi.Down: rgb(0xf0471a),
		},
		Heat: [4]color.RGBA{rgb(0x7f8da6), rgb(0x8f6bff), rgb(0xff8a2a), rgb(0xff4a6e)},
	},
}

// PaletteOf returns the colours of a theme, for what else is on the screen.
func PaletteOf(t Theme) *Palette { return &palettes[t] }

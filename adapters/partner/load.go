package partner

import (
	"math"
	"slices"

	"footway/core/delivery"
	"footway/core/fleet"
)

// item is one line of an order, in our units.
type item struct {
	Name      string         `json:"name"`
	Quantity  int64          `json:"quantity"`
	Price     delivery.Money `json:"price"`
	Grams     int64          `json:"grams"` // of one piece
	Sides     [3]int64       `json:"sides"` // of one piece in mm, longest first; 0 where unknown
	Dangerous bool           `json:"dangerous"`
}

// Limits of an item, in Drive's words.
const (
	maxItemName = 100
	maxQuantity = 100
	maxPrice    = 9_999_999
	unitDigits  = 4         // weights, volumes and sides are read to the ten-thousandth
	maxUnits    = 9_999_995 // 999.9995
)

func readItems(f form) []item {
	items := []item{}
	for _, i := range f.list("items", maxItems) {
		i.need("name")
		it := item{
			Name: i.text("name", maxItemName), Quantity: i.whole("quantity", 1, maxQuantity, 1), Price: delivery.Money(i.whole("price", 0, maxPrice, 0)),
			Dangerous: len(i.list("dangerous_goods", maxItems)) > 0,
		}
		if pounds, ok := i.number("weight", unitDigits, 0, maxUnits); ok {
			it.Grams = grams(pounds)
		}
		if feet3, ok := i.number("volume", unitDigits, 0, maxUnits); ok {
			side := cubeSide(feet3) // nothing is known of its shape
			it.Sides = [3]int64{side, side, side}
		}
		if i.has("length") || i.has("width") || i.has("height") { // better known than by the volume
			for n, name := range []string{"length", "width", "height"} {
				inches, _ := i.number(name, unitDigits, 0, maxUnits)
				it.Sides[n] = millimetres(inches)
			}
			slices.SortFunc(it.Sides[:], func(a, b int64) int { return int(b - a) })
		}
		items = append(items, it)
	}
	return items
}

// loadOf packs items: each lies flat on its largest face, all on top of each
// other. So the load is as long and as wide as its largest item, and as high as the sum. A
// person would often pack better, but what this packing calls small enough is small enough.
// Items of unknown size take no room.
func loadOf(items []item) fleet.Load {
	var length, width, height, weight int64
	for _, i := range items {
		length, width = max(length, i.Sides[0]), max(width, i.Sides[1])
		height += i.Sides[2] * i.Quantity
		weight += i.Grams * i.Quantity
	}
	return fleet.Load{LengthMM: clip(length), WidthMM: clip(width), HeightMM: clip(height), Grams: clip(weight)}
}

// clip fits v into 32 bits; what does not fit is too large for any robot.
func clip(v int64) int32 { return int32(min(v, math.MaxInt32)) }

package uber

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"footway/core/delivery"
	"footway/core/fleet"
)

// manifestItem is one line of an order as it was sent: centimetres and grams.
type manifestItem struct {
	Name       string `json:"name"`
	Quantity   *int64 `json:"quantity"`
	Size       string `json:"size"`
	Price      *int64 `json:"price"`
	Weight     *int64 `json:"weight"`
	Dimensions *struct {
		Length int64 `json:"length"`
		Height int64 `json:"height"`
		Depth  int64 `json:"depth"`
	} `json:"dimensions"`
	Upright bool `json:"must_be_upright"`
}

// item is one line of an order, in our units.
type item struct {
	delivery.Item
	Grams   int64    // of one piece
	Sides   [3]int64 // of one piece in mm; the last is its height
	Guessed bool     // Sides follow from a word
	Upright bool
}

// Limits of one line.
const (
	maxQuantity = 100
	maxCM       = 500
	maxGrams    = 500_000
	mmPerCM     = 10
)

// bodyOf is what a piece of a size measures that tells no dimensions, in mm: what
// the words of the contract bring to mind, a bottle, a tote bag, a monitor and a television.
func bodyOf(size string) (sides [3]int64, ok bool) {
	switch size {
	case "", "small":
		return [3]int64{250, 90, 90}, true
	case "medium":
		return [3]int64{350, 300, 150}, true
	case "large", "big":
		return [3]int64{600, 420, 250}, true
	case "xlarge":
		return [3]int64{1000, 620, 150}, true
	}
	return sides, false
}

// items reads the lines of an order.
func (f faults) items(lines []manifestItem) []item {
	if len(lines) == 0 || len(lines) > maxItems {
		f.add("manifest_items", fmt.Sprintf("Want 1 to %d items.", maxItems))
		return nil
	}
	all := make([]item, len(lines))
	for i := range lines {
		all[i] = f.item(fmt.Sprintf("manifest_items[%d].", i), &lines[i])
	}
	return all
}

func (f faults) item(at string, m *manifestItem) item {
	it := item{Item: delivery.Item{Name: f.text(at+"name", m.Name, delivery.MaxItemName), Quantity: 1, Price: f.cents(at+"price", m.Price)}, Upright: m.Upright}
	f.need(at+"name", it.Name)
	if m.Quantity != nil {
		if *m.Quantity < 1 || *m.Quantity > maxQuantity {
			f.add(at+"quantity", fmt.Sprintf("Want 1 to %d.", maxQuantity))
			return it
		}
		it.Quantity = int(*m.Quantity)
	}
	if m.Weight != nil {
		if *m.Weight < 1 || *m.Weight > maxGrams {
			f.add(at+"weight", fmt.Sprintf("Want 1 to %d grams.", maxGrams))
			return it
		}
		it.Grams = *m.Weight
	}
	if it.Sides, it.Guessed = bodyOf(m.Size); !it.Guessed {
		f.add(at+"size", "Want small, medium, large or xlarge.")
	}
	if d := m.Dimensions; d != nil { // better known than by its size
		if min(d.Length, d.Height, d.Depth) < 1 || max(d.Length, d.Height, d.Depth) > maxCM {
			f.add(at+"dimensions", fmt.Sprintf("Want length, height and depth of 1 to %d cm.", maxCM))
			return it
		}
		it.Sides, it.Guessed = [3]int64{d.Length * mmPerCM, d.Depth * mmPerCM, d.Height * mmPerCM}, false
	}
	return it
}

// loadOf packs items: each lies flat on its largest face, unless it must stand
// upright, and all are on top of each other. A person would often pack better,
// but what this packing calls small enough is small enough. Where there is only a
// word for the size, one piece must fit: ten small things are no tower of ten bottles.
func loadOf(items []item) fleet.Load {
	var length, width, height, tallest, weight int64
	for _, i := range items {
		sides := i.Sides
		down := sides[:]
		if i.Upright {
			down = sides[:2]
		}
		slices.SortFunc(down, func(a, b int64) int { return cmp.Compare(b, a) })
		length, width = max(length, sides[0]), max(width, sides[1])
		if i.Guessed {
			tallest = max(tallest, sides[2])
		} else {
			height += sides[2] * int64(i.Quantity)
		}
		weight += i.Grams * int64(i.Quantity)
	}
	return fleet.Load{LengthMM: clip(length), WidthMM: clip(width), HeightMM: clip(max(height, tallest)), Grams: clip(weight)}
}

// clip fits v into 32 bits; what does not fit is too large for any robot.
func clip(v int64) int32 { return int32(min(v, math.MaxInt32)) }

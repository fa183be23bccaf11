package city

import "footway/core/maps"

// open puts shops and kitchens into houses, on the bigger streets first.
func (w *walker) open(lots []lot) {
	d := newDice(w.seed, "shops")
	taken := make([]bool, len(lots))
	var open []vec
	for tries := 0; len(open) < w.o.Merchants && tries < 200*w.o.Merchants && len(lots) > 0; tries++ {
		i := d.n(int64(len(lots)))
		l := lots[i]
		if taken[i] || w.bank(l.door) == 0 || !d.chance(w.appeal(l)) {
			continue
		}
		if near(open, l.door, 35_000) {
			continue
		}
		taken[i] = true
		open = append(open, l.door)
		name, kind := w.names.shop()
		w.b.Merchant(name, kind, l.address, w.plane.Point(l.door))
	}
}

// appeal returns how likely a shop opens in a house, in permille: on main
// streets, at squares, and towards the middle of the city.
func (w *walker) appeal(l lot) int64 {
	appeal := int64(8)
	switch l.rank {
	case maps.StreetPrimary:
		appeal = 500
	case maps.StreetSecondary:
		appeal = 300
	case maps.StreetTertiary:
		appeal = 120
	}
	for _, g := range w.grass {
		if near(g, l.door, 60_000) {
			appeal = max(appeal, 400)
		}
	}
	far := length(l.door) * 1000 / length(w.half)
	return appeal * (1100 - min(far, 1000)) / 1000
}

func near(places []vec, v vec, mm int64) bool {
	for _, p := range places {
		if length(sub(p, v)) < mm {
			return true
		}
	}
	return false
}

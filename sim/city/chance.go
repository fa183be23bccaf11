package city

import "footway/core/rng"

// dice draws one number after the other from a stream.
type dice struct {
	stream rng.Stream
	k      uint64
}

func newDice(seed rng.Seed, purpose string) *dice { return &dice{stream: seed.Stream("city", purpose)} }

// n returns a number in [0, n).
func (d *dice) n(n int64) int64 {
	d.k++
	return d.stream.N(d.k, n)
}

// in returns a number in [low, high].
func (d *dice) in(low, high int64) int64 { return low + d.n(high-low+1) }

// chance reports whether a draw falls within permille.
func (d *dice) chance(permille int64) bool { return d.n(1000) < permille }

// shuffled returns the words in a random order.
func (d *dice) shuffled(words []string) []string {
	out := append([]string(nil), words...)
	for i := len(out) - 1; i > 0; i-- {
		j := d.n(int64(i) + 1)
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// field is smooth noise over the plane: random values on a lattice, blended by
// smoothstep in between.
type field struct {
	stream rng.Stream
	cell   int64 // mm between lattice points
	peak   int64 // values lie within ±peak
}

func newField(seed rng.Seed, purpose string, cell, peak int64) field {
	return field{seed.Stream("city", purpose), cell, peak}
}

// at returns the field's value at v.
func (f field) at(v vec) int64 {
	x, fx := f.split(v.X)
	y, fy := f.split(v.Y)
	south := blend(f.lattice(x, y), f.lattice(x+1, y), fx)
	north := blend(f.lattice(x, y+1), f.lattice(x+1, y+1), fx)
	return blend(south, north, fy)
}

// split returns the cell of a coordinate and how far it is into it, eased, of one.
func (f field) split(v int64) (cell, part int64) {
	v += f.cell << 20 // all places have positive coordinates then
	cell, part = v/f.cell, v%f.cell*one/f.cell
	return cell, part * part / one * (3*one - 2*part) / one
}

func (f field) lattice(x, y int64) int64 {
	return f.stream.N(uint64(x)<<32|uint64(y), 2*f.peak+1) - f.peak
}

func blend(a, b, part int64) int64 { return a + (b-a)*part/one }

package city

import (
	"footway/core/maps"
	"footway/core/rng"
)

// plan is the city's street plan: junctions joined by straight streets, around
// a harbour in the south, a river that runs into it, and a park.
type plan struct {
	seed      rng.Seed
	o         Options
	dice      *dice
	half      vec // half of the city's extent
	warpX     field
	warpY     field
	height    field // of the ground, mm
	banks     field // of the river and the coast, mm
	columns   []int64
	rows      []int64
	wide      []maps.Street // rank of each column
	long      []maps.Street // rank of each row
	names     *names
	junctions []junction
	streets   []street
	runs      []run
	at        [][]int // junction at [column][row], or -1
	parkFrom  [2]int  // column and row of the park's south-west junction
	parkTo    [2]int  // and of its north-east one
	diagonal  map[[2]int]bool
}

type junction struct {
	at   vec
	arms []arm // counter-clockwise
}

// arm is a street as seen from a junction.
type arm struct {
	street      int
	away        vec // unit vector
	left, right maps.NodeID
}

// street is a straight piece between two junctions.
type street struct {
	from, to int
	rank     maps.Street
	name     string
	block    int64 // hundreds of its house numbers
	bridge   bool
	splits   [2][]split // sidewalk nodes between the corners: on the left, on the right
}

// split is a node on a sidewalk.
type split struct {
	permille int64
	node     maps.NodeID
}

// run is a street in full, for drawing.
type run struct {
	name   string
	rank   maps.Street
	points []vec
}

func newPlan(seed rng.Seed, o Options) *plan {
	return &plan{
		seed: seed, o: o, dice: newDice(seed, "plan"),
		half:   vec{X: o.WidthM * 500, Y: o.HeightM * 500},
		warpX:  newField(seed, "warp-x", 900_000, 70_000),
		warpY:  newField(seed, "warp-y", 800_000, 70_000),
		height: newField(seed, "height", 900_000, 22_000),
		banks:  newField(seed, "banks", 700_000, 160_000),
		names:  newNames(seed), diagonal: map[[2]int]bool{},
	}
}

// lay makes the plan.
func (p *plan) lay() {
	p.columns, p.wide = p.spaced(p.half.X, 84_000, 132_000)
	p.rows, p.long = p.spaced(p.half.Y, 92_000, 146_000)
	p.placePark()
	p.placeJunctions()
	for row := range p.rows {
		p.layLine(p.long[row], true, len(p.columns), func(i int) (int, int) { return i, row })
	}
	for column := range p.columns {
		p.layLine(p.wide[column], false, len(p.rows), func(i int) (int, int) { return column, i })
	}
	p.layDiagonal()
	for j := range p.junctions {
		p.sortArms(&p.junctions[j])
	}
}

// spaced returns where parallel streets run between -half and half, and their
// ranks: one primary in the middle, others at growing distance.
func (p *plan) spaced(half, low, high int64) (at []int64, ranks []maps.Street) {
	for v := -half + low/2; v <= half-low/2; v += p.dice.in(low, high) {
		at = append(at, v)
	}
	middle := len(at) / 2
	for i := range at {
		rank := maps.StreetResidential
		switch d := max(i-middle, middle-i); {
		case d == 0:
			rank = maps.StreetPrimary
		case d%8 == 0:
			rank = maps.StreetSecondary
		case d%4 == 0:
			rank = maps.StreetTertiary
		}
		ranks = append(ranks, rank)
	}
	return at, ranks
}

// placePark chooses five by four blocks in the north-west, or as many as there are.
func (p *plan) placePark() {
	column, row := len(p.columns)*5/24, len(p.rows)*13/24
	p.parkFrom = [2]int{column, row}
	p.parkTo = [2]int{min(column+5, len(p.columns)-1), min(row+4, len(p.rows)-1)}
}

// inPark reports whether a place of the grid lies within the park's border.
func (p *plan) inPark(column, row int) bool {
	return column > p.parkFrom[0] && column < p.parkTo[0] && row > p.parkFrom[1] && row < p.parkTo[1]
}

// placeJunctions bends the grid a little and leaves out the water and the park.
func (p *plan) placeJunctions() {
	p.at = make([][]int, len(p.columns))
	for c, x := range p.columns {
		p.at[c] = make([]int, len(p.rows))
		for r, y := range p.rows {
			v := vec{X: x, Y: y}
			v = add(v, vec{X: p.warpX.at(v), Y: p.warpY.at(v)})
			p.at[c][r] = -1
			if p.bank(v) != 0 && !p.inPark(c, r) {
				p.at[c][r] = len(p.junctions)
				p.junctions = append(p.junctions, junction{at: v})
			}
		}
	}
}

// clearance is how far streets keep from the water's edge, in millimetres.
const clearance = 40_000

// coast returns how far north the harbour reaches at x.
func (p *plan) coast(x int64) int64 {
	return -p.half.Y + 170_000 + p.banks.at(vec{X: x, Y: -p.half.Y})
}

// river returns the middle of the river at y, and half of its width.
func (p *plan) river(y int64) (x, half int64) {
	return p.half.X/4 + p.banks.at(vec{X: p.half.X, Y: y}) + y/8, 45_000 - y*15_000/p.half.Y
}

// bank returns on which side of the river v lies, -1 west and 1 east, or 0 in the water.
func (p *plan) bank(v vec) int {
	x, half := p.river(v.Y)
	switch {
	case v.Y < p.coast(v.X)+clearance:
		return 0
	case v.X < x-half-clearance:
		return -1
	case v.X > x+half+clearance:
		return 1
	}
	return 0
}

// layLine lays one street along a line of the grid, from junction to junction. It
// crosses the river only eastward and where it is more than residential, and leaves out a
// residential piece here and there, so that no two quarters are the same.
func (p *plan) layLine(rank maps.Street, east bool, count int, place func(i int) (column, row int)) {
	last, lastAt := -1, 0
	name := p.names.street(rank, east)
	line := run{name: name, rank: rank}
	finish := func() {
		if len(line.points) > 1 {
			p.runs = append(p.runs, line)
		}
		line.points = nil
	}
	for i := range count {
		column, row := place(i)
		j := p.at[column][row]
		if j < 0 {
			continue
		}
		v := p.junctions[j].at
		if last >= 0 {
			bridge := p.bank(v) != p.bank(p.junctions[last].at)
			gap := rank == maps.StreetResidential && p.dice.chance(45) && i > 1 && i < count-1
			if bridge && east && rank > maps.StreetResidential || !bridge && i == lastAt+1 && !gap {
				p.join(street{from: last, to: j, rank: rank, name: name, block: int64(i), bridge: bridge})
			} else {
				finish()
			}
		}
		line.points = append(line.points, v)
		last, lastAt = j, i
	}
	finish()
}

func (p *plan) join(s street) {
	id := len(p.streets)
	p.streets = append(p.streets, s)
	a, b := p.junctions[s.from].at, p.junctions[s.to].at
	p.junctions[s.from].arms = append(p.junctions[s.from].arms, arm{street: id, away: unit(sub(b, a))})
	p.junctions[s.to].arms = append(p.junctions[s.to].arms, arm{street: id, away: unit(sub(a, b))})
}

// layDiagonal cuts an avenue through the grid from the harbour in the south-west
// to the north-east, as older roads do, until the river or the edge ends it.
func (p *plan) layDiagonal() {
	line := run{name: p.names.street(maps.StreetSecondary, false), rank: maps.StreetSecondary}
	last := -1
	for column, row := len(p.columns)/10, 0; column < len(p.columns) && row < len(p.rows); column, row = column+1, row+1 {
		j := p.at[column][row]
		if j < 0 && last < 0 {
			continue // still in the harbour
		}
		if j < 0 || last >= 0 && p.bank(p.junctions[j].at) != p.bank(p.junctions[last].at) {
			break
		}
		if last >= 0 {
			p.join(street{from: last, to: j, rank: line.rank, name: line.name, block: int64(row)})
			p.diagonal[[2]int{column - 1, row - 1}] = true
		}
		line.points = append(line.points, p.junctions[j].at)
		last = j
	}
	if len(line.points) > 1 {
		p.runs = append(p.runs, line)
	}
}

// sortArms orders a junction's arms counter-clockwise.
func (p *plan) sortArms(j *junction) {
	for i := 1; i < len(j.arms); i++ {
		for k := i; k > 0 && before(j.arms[k].away, j.arms[k-1].away); k-- {
			j.arms[k], j.arms[k-1] = j.arms[k-1], j.arms[k]
		}
	}
}

// kerbside returns how far the middle of the sidewalk is from the street's, in millimetres.
func kerbside(rank maps.Street) int64 {
	switch rank {
	case maps.StreetPrimary:
		return 13_000
	case maps.StreetSecondary:
		return 10_500
	case maps.StreetTertiary:
		return 8_500
	}
	return 6_500
}

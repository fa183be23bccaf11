package scene

import (
	"cmp"
	"math"
	"slices"

	"footway/core/maps"
)

// chain is a street: roads of one name that continue each other.
type chain struct {
	name string
	rank maps.Street
	line []Place
}

// join puts roads of one name and rank behind each other where they meet.
func join(parts []chain) []chain {
	slices.SortStableFunc(parts, func(a, b chain) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.rank, b.rank)) })
	var out []chain
	for i := 0; i < len(parts); {
		k := i
		for k < len(parts) && parts[k].name == parts[i].name && parts[k].rank == parts[i].rank {
			k++
		}
		out = append(out, joinOne(parts[i:k])...)
		i = k
	}
	return out
}

func joinOne(parts []chain) []chain {
	var out []chain
	used := make([]bool, len(parts))
	for i := range parts {
		if used[i] {
			continue
		}
		used[i] = true
		line := slices.Clone(parts[i].line)
		for grown := true; grown; {
			grown = false
			for k := range parts {
				if used[k] {
					continue
				}
				if next, ok := continued(line, parts[k].line); ok {
					line, used[k], grown = next, true, true
				}
			}
		}
		out = append(out, chain{parts[i].name, parts[i].rank, line})
	}
	return out
}

// continued returns a with b behind or before it, if they meet at their ends
// without a sharp turn.
func continued(a, b []Place) ([]Place, bool) {
	const near = 0.5
	meet := func(p, q Place) bool { return abs(p.X-q.X) < near && abs(p.Y-q.Y) < near }
	switch {
	case meet(a[len(a)-1], b[0]):
	case meet(a[len(a)-1], b[len(b)-1]):
		b = slices.Clone(b)
		slices.Reverse(b)
	case meet(a[0], b[len(b)-1]):
		a, b = slices.Clone(b), a
	case meet(a[0], b[0]):
		b = slices.Clone(b)
		slices.Reverse(b)
		a, b = b, a
	default:
		return nil, false
	}
	ux, uy := unit(a[len(a)-2], a[len(a)-1])
	vx, vy := unit(b[0], b[1])
	if ux*vx+uy*vy < 0.3 {
		return nil, false
	}
	return append(slices.Clone(a), b[1:]...), true
}

func abs(v float32) float32 { return max(v, -v) }

// label is a name at its place on the map.
type label struct {
	at    Place
	angle float32 // clockwise on the screen
	size  float32 // points
	text  string
	kind  labelKind
	reach float32 // points from its middle to its ends
}

type labelKind uint8

const (
	streetName labelKind = iota
	parkName
	waterName
	shopName
)

// drawNames puts the names that are seen into the frame.
func (s *Scene) drawNames(class int) {
	list, ok := s.base.labels[class]
	if !ok {
		list = s.placeNames(class)
		s.base.labels[class] = list
	}
	l := s.pen(layerMap)
	p := s.palette
	for i := range list {
		n := &list[i]
		if n.kind == shopName && !s.shows(ShowMerchants) {
			continue
		}
		x, y := s.transform.Apply(n.at.X, n.at.Y)
		if !s.on(x, y, n.reach*s.px) {
			continue
		}
		t := Text{X: x, Y: y, Size: n.size * s.px, S: n.text, Align: Centre, Angle: n.angle, Color: p.Name, Halo: p.NameHalo}
		switch n.kind {
		case parkName:
			t.Color = p.NamePark
		case waterName:
			t.Color, t.Halo = p.NameWater, p.Water
		case shopName:
			t.Align, t.Color = Left, p.Merchant
			t.X += 6 * s.px
		}
		l.Text(t)
	}
}

// namer finds room for names, in points of a zoom class.
type namer struct {
	mpp   float32
	taken map[cell]struct{}
	tried []cell
	list  []label
}

// room is the side of the squares that names take.
const room = 6

// place adds a label unless one of the squares it covers is taken.
func (n *namer) place(l label, width float32) bool {
	n.tried = n.tried[:0]
	ux, uy := float32(math.Cos(float64(l.angle))), float32(-math.Sin(float64(l.angle)))
	from, to := -width/2-8, width/2+8
	if l.kind == shopName {
		from, to = -6, width+12
	}
	for along := from; along <= to; along += room {
		for across := -l.size / 2; across <= l.size/2+1; across += room - 1 {
			x, y := l.at.X/n.mpp+ux*along-uy*across, l.at.Y/n.mpp+uy*along+ux*across
			c := cell{floor(x / room), floor(y / room)}
			if _, taken := n.taken[c]; taken {
				return false
			}
			n.tried = append(n.tried, c)
		}
	}
	for _, c := range n.tried {
		n.taken[c] = struct{}{}
	}
	l.reach = max(-from, to)
	n.list = append(n.list, l)
	return true
}

// placeNames finds where names go at a zoom class: the same places wherever one looks.
func (s *Scene) placeNames(class int) []label {
	// Narrowest zoom of the class, so that what fits there fits in all of it.
	n := &namer{mpp: float32(nominal(class) * math.Pow(2, 0.25)), taken: make(map[cell]struct{})}
	for rank := maps.StreetTrunk; rank >= maps.StreetSecondary; rank-- {
		n.streets(s.base.chains, rank)
	}
	n.areas(s.base.areas)
	n.streets(s.base.chains, maps.StreetTertiary)
	if n.mpp < 0.85 {
		n.shops(s)
	}
	for rank := maps.StreetResidential; rank > maps.StreetNone; rank-- {
		n.streets(s.base.chains, rank)
	}
	n.streets(s.base.chains, stream)
	return n.list
}

// Sizes of streets' names, and the metres to the point from which on they are shown.
func nameOf(rank maps.Street) (size, mpp float32) {
	switch {
	case rank == stream:
		return 11, 6
	case rank >= maps.StreetPrimary:
		return 12, 14
	case rank >= maps.StreetSecondary:
		return 11.5, 8
	case rank >= maps.StreetTertiary:
		return 11, 4.5
	case rank >= maps.StreetResidential:
		return 10.5, 2.2
	}
	return 10, 1.1
}

func (n *namer) streets(chains []chain, rank maps.Street) {
	size, mpp := nameOf(rank)
	if n.mpp > mpp {
		return
	}
	for i := range chains {
		if c := &chains[i]; c.rank == rank {
			n.street(c, size)
		}
	}
}

// street puts a name along a street, again and again if it is long.
func (n *namer) street(c *chain, size float32) {
	width := TextWidth(c.name, size, false)
	need := (width + 16) * n.mpp
	along := make([]float32, len(c.line))
	for i := 1; i < len(c.line); i++ {
		ux, uy := unit(c.line[i-1], c.line[i])
		along[i] = along[i-1] + (c.line[i].X-c.line[i-1].X)*ux + (c.line[i].Y-c.line[i-1].Y)*uy
	}
	length := along[len(along)-1]
	if length < need {
		return
	}
	again := max(520*n.mpp, 150, need)
	count := max(1, int(length/again))
	for k := range count {
		middle := length * (float32(k) + 0.5) / float32(count)
		for _, shift := range [...]float32{0, 0.15, -0.15, 0.3, -0.3} { // elsewhere if there is no room
			at := min(max(middle+shift*length/float32(count), need/2), length-need/2)
			if n.along(c, along, at, need, width, size) {
				break
			}
		}
	}
}

// along puts a name on a street with its middle at a length, if the street is straight there.
func (n *namer) along(c *chain, along []float32, at, need, width, size float32) bool {
	a, b := pointAt(c.line, along, at-need/2), pointAt(c.line, along, at+need/2)
	ux, uy := unit(a, b)
	for i, p := range c.line {
		if along[i] > at-need/2 && along[i] < at+need/2 && abs((p.X-a.X)*uy-(p.Y-a.Y)*ux) > 3.5*n.mpp {
			return false
		}
	}
	if ux < 0 || ux == 0 && uy > 0 {
		ux, uy = -ux, -uy
	}
	kind := streetName
	if c.rank == stream {
		kind = waterName
	}
	angle := float32(math.Atan2(float64(-uy), float64(ux)))
	return n.place(label{at: Place{(a.X + b.X) / 2, (a.Y + b.Y) / 2}, angle: angle, size: size, text: c.name, kind: kind}, width)
}

func pointAt(line []Place, along []float32, at float32) Place {
	i, _ := slices.BinarySearch(along, at)
	i = min(max(i, 1), len(line)-1)
	ux, uy := unit(line[i-1], line[i])
	d := at - along[i-1]
	return Place{line[i-1].X + ux*d, line[i-1].Y + uy*d}
}

// areas puts names into parks and waters that are large enough.
func (n *namer) areas(areas []area) {
	for i := range areas {
		a := &areas[i]
		if a.name == "" || a.kind == maps.BackdropBuilding {
			continue
		}
		size := float32(11.5)
		kind := parkName
		if a.kind == maps.BackdropWater {
			kind = waterName
		}
		width := TextWidth(a.name, size, false)
		box := boxOf(a.shore)
		if (box.MaxX-box.MinX)/n.mpp < width*0.9 || (box.MaxY-box.MinY)/n.mpp < 2*size {
			continue
		}
		if at, ok := inside(a.shore, box); ok {
			n.place(label{at: at, size: size, text: a.name, kind: kind}, width)
		}
	}
}

// inside returns the middle of the longest stretch of a shape at half its
// height: a place that is within it even if it is bent.
func inside(line []Place, box Box) (Place, bool) {
	y := (box.MinY + box.MaxY) / 2
	var at []float32
	for i, b := range line {
		a := line[(i+len(line)-1)%len(line)]
		if a.Y > y != (b.Y > y) {
			at = append(at, a.X+(b.X-a.X)*(y-a.Y)/(b.Y-a.Y))
		}
	}
	slices.Sort(at)
	best, found := Place{}, float32(-1)
	for i := 0; i+1 < len(at); i += 2 {
		if at[i+1]-at[i] > found {
			best, found = Place{(at[i] + at[i+1]) / 2, y}, at[i+1]-at[i]
		}
	}
	return best, found >= 0
}

func (n *namer) shops(s *Scene) {
	for i := range s.net.Merchants {
		m := &s.net.Merchants[i]
		x, y := s.ground.metres(m.Point)
		n.place(label{at: Place{x, y}, size: 10.5, text: m.Name, kind: shopName}, TextWidth(m.Name, 10.5, false))
	}
}

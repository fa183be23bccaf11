package mapdraw

import (
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"

	"footway/core/maps"
)

// cellPixels is the side of a cell of the table that keeps words apart.
const cellPixels = 5

// lettering writes words so that they do not cover each other: first come,
// first served.
type lettering struct {
	vg.Canvas
	regular, bold font.Font
	fonts         *font.Cache
	columns, rows int
	taken         []bool
	named         map[string][]vg.Point // where each street's name stands already
}

func newLettering(c vg.Canvas, v view) *lettering {
	l := &lettering{
		Canvas: c, fonts: font.NewCache(liberation.Collection()),
		regular: font.Font{Typeface: "Liberation", Variant: "Sans"},
		bold:    font.Font{Typeface: "Liberation", Variant: "Sans", Weight: xfont.WeightBold},
		columns: int(v.width)/cellPixels + 1, rows: int(v.height)/cellPixels + 1,
		named: map[string][]vg.Point{},
	}
	l.taken = make([]bool, l.columns*l.rows)
	return l
}

// write writes s with its baseline's left end at p.
func (l *lettering) write(f font.Font, size vg.Length, p vg.Point, c color.Color, s string) {
	l.SetColor(c)
	l.FillString(l.fonts.Lookup(f, size), p, s)
}

// width returns how wide s is.
func (l *lettering) width(f font.Font, size vg.Length, s string) vg.Length {
	face := l.fonts.Lookup(f, size)
	return face.Width(s)
}

// haloed writes s with a light edge, to be read on any ground.
func (l *lettering) haloed(f font.Font, size vg.Length, p vg.Point, c color.Color, s string) {
	for _, d := range [...]vg.Point{{X: -1.2}, {X: 1.2}, {Y: -1.2}, {Y: 1.2}} {
		l.write(f, size, p.Add(d), haloColor, s)
	}
	l.write(f, size, p, c, s)
}

// cells calls visit for the cells under a box around center, turned by angle;
// visit returns false to stop. It reports whether all were visited and lie
// within the picture.
func (l *lettering) cells(center vg.Point, w, h vg.Length, angle float64, visit func(cell int) bool) bool {
	sin, cos := math.Sincos(angle)
	across, up := int(float64(w)/cellPixels*2)+1, int(float64(h)/cellPixels*2)+1
	for i := 0; i <= across; i++ {
		for j := 0; j <= up; j++ {
			x := float64(w) * (float64(i)/float64(across) - 0.5)
			y := float64(h) * (float64(j)/float64(up) - 0.5)
			column := int(math.Floor((float64(center.X) + x*cos - y*sin) / cellPixels))
			row := int(math.Floor((float64(center.Y) + x*sin + y*cos) / cellPixels))
			if column < 0 || row < 0 || column >= l.columns || row >= l.rows {
				return false
			}
			if !visit(row*l.columns + column) {
				return false
			}
		}
	}
	return true
}

// claim takes the box for a word if all of it is free and on the picture.
func (l *lettering) claim(center vg.Point, w, h vg.Length, angle float64) bool {
	if !l.cells(center, w, h, angle, func(cell int) bool { return !l.taken[cell] }) {
		return false
	}
	l.cells(center, w, h, angle, func(cell int) bool { l.taken[cell] = true; return true })
	return true
}

// block keeps words off a dot.
func (l *lettering) block(at vg.Point, radius vg.Length) {
	l.cells(at, 2*radius, 2*radius, 0, func(cell int) bool { l.taken[cell] = true; return true })
}

// beside writes s right or left of a dot at p, where there is room.
func (l *lettering) beside(p vg.Point, gap vg.Length, s string, c color.Color) {
	const size = 10
	s = shorten(s)
	w := l.width(l.regular, size, s)
	for _, x := range [...]vg.Length{p.X + gap, p.X - gap - w} {
		if l.claim(vg.Point{X: x + w/2, Y: p.Y}, w+2, size+1, 0) {
			l.haloed(l.regular, size, vg.Point{X: x, Y: p.Y - size*0.35}, c, s)
			return
		}
	}
}

// shorten cuts names that would run across half of the map.
func shorten(s string) string {
	const longest = 28
	if r := []rune(s); len(r) > longest {
		return string(r[:longest-1]) + "…"
	}
	return s
}

// apart is how far two words of one street must be apart, in pixels.
const apart = 420

// along writes a street's name along the straightest part of its line that has
// room for it.
func (l *lettering) along(line []vg.Point, s string, size vg.Length, c color.Color) {
	w := l.width(l.regular, size, s)
	for _, run := range straightRuns(line) {
		dx, dy := float64(run[1].X-run[0].X), float64(run[1].Y-run[0].Y)
		if vg.Length(math.Hypot(dx, dy)) < w+6 {
			continue
		}
		angle := math.Atan2(dy, dx)
		if angle > math.Pi/2 {
			angle -= math.Pi
		} else if angle <= -math.Pi/2 {
			angle += math.Pi
		}
		center := vg.Point{X: (run[0].X + run[1].X) / 2, Y: (run[0].Y + run[1].Y) / 2}
		if l.tooNear(s, center) || !l.claim(center, w+8, size+2, angle) {
			continue
		}
		l.named[s] = append(l.named[s], center)
		l.Push()
		l.Translate(center)
		l.Rotate(angle)
		l.haloed(l.regular, size, vg.Point{X: -w / 2, Y: -size * 0.35}, c, s)
		l.Pop()
	}
}

func (l *lettering) tooNear(s string, p vg.Point) bool {
	for _, q := range l.named[s] {
		if math.Hypot(float64(p.X-q.X), float64(p.Y-q.Y)) < apart {
			return true
		}
	}
	return false
}

// straightRuns returns the parts of a line, as their two ends, within which it
// does not turn by more than about 10 degrees.
func straightRuns(line []vg.Point) [][2]vg.Point {
	var runs [][2]vg.Point
	for i := 0; i+1 < len(line); {
		first := math.Atan2(float64(line[i+1].Y-line[i].Y), float64(line[i+1].X-line[i].X))
		k := i + 1
		for k+1 < len(line) {
			next := math.Atan2(float64(line[k+1].Y-line[k].Y), float64(line[k+1].X-line[k].X))
			if math.Abs(math.Remainder(next-first, 2*math.Pi)) > 0.18 {
				break
			}
			k++
		}
		runs = append(runs, [2]vg.Point{line[i], line[k]})
		i = k
	}
	return runs
}

// streetNames writes the names of streets, the greatest first.
func (p *painter) streetNames() {
	for i := len(streetStyles) - 1; i >= 0; i-- {
		st := &streetStyles[i]
		if p.scale > st.named {
			continue
		}
		size := vg.Length(9)
		if st.rank >= maps.StreetSecondary {
			size = 11
		}
		p.each(maps.BackdropRoad, func(s *maps.Backdrop) {
			if s.Rank != st.rank || s.Name == 0 {
				return
			}
			line := make([]vg.Point, len(s.Points))
			for k, q := range s.Points {
				line[k] = p.at(q)
			}
			p.text.along(line, p.net.Names[s.Name], size, softInkColor)
		})
	}
}

package dispatch

import (
	"context"
	"fmt"

	"footway/core/maps"
)

// legTable keeps the legs between the robots' places and the pickups from one
// round to the next, since few of either change: only the rest is asked for.
// It is memory, not state: it never changes an answer.
type legTable struct {
	version uint64 // of the map
	known   bool   // false: version is not set
	rows    places
	cols    places
	cells   []maps.Leg
	spare   []maps.Leg
}

// places numbers distinct positions.
type places struct {
	list  []maps.Position
	index map[maps.Position]int32
}

func (p *places) add(at maps.Position) int32 {
	i, ok := p.index[at]
	if !ok {
		if p.index == nil {
			p.index = make(map[maps.Position]int32)
		}
		i = int32(len(p.list))
		p.list = append(p.list, at)
		p.index[at] = i
	}
	return i
}

// legsOf returns the legs of a round's robots and requests. The result is
// valid until the next call.
func (d *desk) legsOf(ctx context.Context, version uint64, robots []Ready, needs []Waiting) (Legs, error) {
	var legs Legs
	var rows, cols places
	for i := range robots {
		legs.ofRobot = append(legs.ofRobot, rows.add(robots[i].At))
	}
	for k := range needs {
		legs.ofNeed = append(legs.ofNeed, cols.add(needs[k].Request.Pickup))
	}
	legs.pickups = len(cols.list)
	t := &d.legs
	if !t.known || t.version != version {
		*t = legTable{version: version}
	}
	cells := t.carry(&rows, &cols)
	if err := d.fill(ctx, cells, &rows, &cols); err != nil {
		t.known = false
		return Legs{}, err
	}
	t.rows, t.cols, t.known = rows, cols, true
	t.spare, t.cells = t.cells, cells
	legs.cells = cells
	return legs, nil
}

// carry makes a table of rows and cols with the legs that t has already.
func (t *legTable) carry(rows, cols *places) []maps.Leg {
	n := len(rows.list) * len(cols.list)
	cells := t.spare[:0]
	if cap(cells) < n {
		cells = make([]maps.Leg, 0, n+n/4)
	}
	cells = cells[:n]
	from := make([]int32, len(cols.list))
	for j, at := range cols.list {
		from[j] = t.cols.find(at)
	}
	for i, at := range rows.list {
		old := t.rows.find(at)
		row := cells[i*len(cols.list):][:len(cols.list)]
		if old < 0 {
			continue
		}
		for j, k := range from {
			if k >= 0 {
				row[j] = t.cells[int(old)*len(t.cols.list)+int(k)]
			}
		}
	}
	return cells
}

// find returns the number of a position, or -1.
func (p *places) find(at maps.Position) int32 {
	if i, ok := p.index[at]; ok {
		return i
	}
	return -1
}

// fill asks for the legs to new pickups, and for those from new places to old pickups.
func (d *desk) fill(ctx context.Context, cells []maps.Leg, rows, cols *places) error {
	newRows, oldCols, newCols := []int{}, []int{}, []int{}
	for i, at := range rows.list {
		if d.legs.rows.find(at) < 0 {
			newRows = append(newRows, i)
		}
	}
	for j, at := range cols.list {
		if d.legs.cols.find(at) < 0 {
			newCols = append(newCols, j)
		} else {
			oldCols = append(oldCols, j)
		}
	}
	all := make([]int, len(rows.list))
	for i := range all {
		all[i] = i
	}
	if err := d.ask(ctx, cells, rows, cols, all, newCols); err != nil {
		return err
	}
	return d.ask(ctx, cells, rows, cols, newRows, oldCols)
}

func (d *desk) ask(ctx context.Context, cells []maps.Leg, rows, cols *places, is, js []int) error {
	if len(is) == 0 || len(js) == 0 {
		return nil
	}
	legs, err := d.Ways.Matrix(ctx, d.market, pick(rows.list, is), pick(cols.list, js))
	if err != nil {
		return fmt.Errorf("legs from %d places to %d pickups: %w", len(is), len(js), err)
	}
	for a, i := range is {
		for b, j := range js {
			cells[i*len(cols.list)+j] = legs[a*len(js)+b]
		}
	}
	return nil
}

func pick(list []maps.Position, which []int) []maps.Position {
	out := make([]maps.Position, len(which))
	for n, i := range which {
		out[n] = list[i]
	}
	return out
}

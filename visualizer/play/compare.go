package play

import (
	"cmp"
	"slices"

	"footway/core/clock"
	"footway/core/kpi"
	"footway/core/maps"
)

// Comparison is how two runs differ at an instant.
type Comparison struct {
	T      clock.Time
	Orders []Order // in the order in which A met them, then those that only B did
	Moved  []Moved // robots that are elsewhere, by id
}

// Order is one order in two runs. A run that has not met it has no delivery.
type Order struct {
	A, B         string         // deliveries
	EndA, EndB   clock.Time     // when it was delivered; 0 if it was not by then
	OnlyA, OnlyB bool           // delivered in one of them only, so far
	Later        clock.Duration // B after A, where both have delivered
}

// Moved is a robot that is in two places.
type Moved struct {
	Robot string
	A, B  maps.Position
}

// Compare returns how b differs from a at t, of what both have scanned and as their states are. Orders are the same if
// partner and external id are, as for package kpi. Both have to be at t.
func Compare(a, b *Run, t clock.Time) Comparison {
	c := Comparison{T: t}
	inB := make(map[orderKey]*kpi.Record)
	for _, r := range b.Record().Records {
		if r.Requested > 0 && r.Requested <= t {
			inB[keyOf(r)] = r
		}
	}
	for _, r := range a.Record().Records {
		if r.Requested > 0 && r.Requested <= t {
			k := keyOf(r)
			c.Orders = append(c.Orders, order(r, inB[k], t))
			delete(inB, k)
		}
	}
	for _, r := range b.Record().Records {
		if r.Requested > 0 && inB[keyOf(r)] == r {
			c.Orders = append(c.Orders, order(nil, r, t))
		}
	}
	for i := range a.state.Robots {
		x := &a.state.Robots[i]
		if y := b.state.Robot(x.ID); y != nil && x.Known && y.Known && x.Pos != y.Pos {
			c.Moved = append(c.Moved, Moved{Robot: x.ID, A: x.Pos, B: y.Pos})
		}
	}
	return c
}

// Tally is how many orders differ, and how.
type Tally struct {
	Earlier, Later, Same int // delivered in both, and then in B
	OnlyA, OnlyB         int // delivered in one of them only, so far
	Elsewhere            int // robots
}

// Tally counts. Less than a second is the same.
func (c *Comparison) Tally() Tally {
	n := Tally{Elsewhere: len(c.Moved)}
	for i := range c.Orders {
		switch o := &c.Orders[i]; {
		case o.OnlyA:
			n.OnlyA++
		case o.OnlyB:
			n.OnlyB++
		case o.EndA == 0:
		case o.Later <= -clock.Second:
			n.Earlier++
		case o.Later >= clock.Second:
			n.Later++
		default:
			n.Same++
		}
	}
	return n
}

// Apart returns how much later B delivers the order than A, or how much it is at least where one of them has not by t.
func (o *Order) Apart(t clock.Time) (later clock.Duration, atLeast bool) {
	switch {
	case o.OnlyA:
		return t.Sub(o.EndA), true
	case o.OnlyB:
		return o.EndB.Sub(t), true
	}
	return o.Later, false
}

// Biggest returns the n orders that are the most apart, those first.
func (c *Comparison) Biggest(n int) []Order {
	var out []Order
	for _, o := range c.Orders {
		if d, _ := o.Apart(c.T); d <= -clock.Second || d >= clock.Second {
			out = append(out, o)
		}
	}
	size := func(o *Order) clock.Duration {
		d, _ := o.Apart(c.T)
		return max(d, -d)
	}
	slices.SortStableFunc(out, func(a, b Order) int { return cmp.Or(cmp.Compare(size(&b), size(&a)), ByID(a.A, b.A), ByID(a.B, b.B)) })
	return out[:min(n, len(out))]
}

// Same returns what the delivery of one run is called in the other; "" if the other has not met the order.
func (c *Comparison) Same(id string, ofB bool) string {
	for i := range c.Orders {
		switch o := &c.Orders[i]; {
		case ofB && o.B == id:
			return o.A
		case !ofB && o.A == id:
			return o.B
		}
	}
	return ""
}

// orderKey is what orders of two runs have in common.
type orderKey struct{ partner, external, delivery string }

func keyOf(r *kpi.Record) orderKey {
	if r.ExternalID == "" {
		return orderKey{delivery: r.Delivery}
	}
	return orderKey{partner: r.Partner, external: r.ExternalID}
}

// order compares what became of an order by t; one of the records may be nil.
func order(a, b *kpi.Record, t clock.Time) Order {
	var o Order
	o.A, o.EndA = outcome(a, t)
	o.B, o.EndB = outcome(b, t)
	o.OnlyA, o.OnlyB = o.EndA > 0 && o.EndB == 0, o.EndB > 0 && o.EndA == 0
	if o.EndA > 0 && o.EndB > 0 {
		o.Later = o.EndB.Sub(o.EndA)
	}
	return o
}

func outcome(r *kpi.Record, t clock.Time) (id string, end clock.Time) {
	if r == nil {
		return "", 0
	}
	if r.Delivered() && r.Ended <= t {
		end = r.Ended
	}
	return r.Delivery, end
}

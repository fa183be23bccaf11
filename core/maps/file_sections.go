package maps

import "math"

func putNames(w *writer, n *Network) {
	w.string(n.Name)
	w.string(n.Attribution)
	w.uint(uint64(len(n.Names)))
	for _, s := range n.Names {
		w.string(s)
	}
}

func getNames(r *reader, n *Network) {
	n.Name, n.Attribution = r.string(), r.string()
	n.Names = make([]string, r.count(1))
	for i := range n.Names {
		n.Names[i] = r.string()
	}
}

func putNodes(w *writer, n *Network) {
	w.uint(uint64(len(n.Nodes)))
	w.points(Point{}, n.Nodes)
}

func getNodes(r *reader, n *Network) {
	n.Nodes = r.points(Point{}, r.count(2))
}

func (r *reader) points(from Point, count int) []Point {
	if count == 0 {
		return nil
	}
	ps := make([]Point, count)
	for i := range ps {
		from = r.point(from)
		ps[i] = from
	}
	return ps
}

func putEdges(w *writer, n *Network) {
	w.uint(uint64(len(n.Edges)))
	from := NodeID(0)
	for i := range n.Edges {
		e := &n.Edges[i]
		w.uint(uint64(e.From - from))
		from = e.From
		w.int(int64(e.To - e.From))
		w.uint(uint64(e.Reverse + 1))
		w.uint(uint64(e.LengthMM))
		w.uint(uint64(e.WidthMM))
		w.uint(uint64(e.Name))
		w.uint(uint64(e.ShapeCount))
		w.uint(uint64(e.Signal))
		w.int(int64(e.InclinePermille))
		for _, b := range []byte{byte(e.Class), byte(e.Surface), byte(e.Kerb), byte(e.Control), byte(e.Street), byte(e.Flags)} {
			w.byte(b)
		}
	}
}

func getEdges(r *reader, n *Network) {
	n.Edges = make([]Edge, r.count(15))
	from, shape := int64(0), int64(0)
	for i := range n.Edges {
		e := &n.Edges[i]
		from += int64(r.uint32())
		to := from + int64(r.int32())
		e.Reverse = EdgeID(r.uint32()) - 1
		e.LengthMM, e.WidthMM, e.Name = r.uint32(), r.uint32(), r.uint32()
		e.ShapeFirst, e.ShapeCount = int32(shape), r.uint32()
		shape += int64(e.ShapeCount)
		e.Signal = r.uint32()
		incline := r.int32()
		if max(from, shape) > math.MaxInt32 || to < 0 || to > math.MaxInt32 || incline < math.MinInt16 || incline > math.MaxInt16 {
			r.fail("edge %d: a node, a shape or an incline out of range", i)
			return
		}
		e.From, e.To, e.InclinePermille = NodeID(from), NodeID(to), int16(incline)
		e.Class, e.Surface, e.Kerb = Class(r.byte()), Surface(r.byte()), Kerb(r.byte())
		e.Control, e.Street, e.Flags = Control(r.byte()), Street(r.byte()), Flags(r.byte())
	}
}

func putShapes(w *writer, n *Network) {
	w.uint(uint64(len(n.Shape)))
	w.points(Point{}, n.Shape)
}

func getShapes(r *reader, n *Network) {
	n.Shape = r.points(Point{}, r.count(2))
}

// dictionary gives strings that repeat numbers in the order of their first use.
type dictionary struct {
	numbers map[string]uint64
	list    []string
}

func (d *dictionary) number(s string) uint64 {
	if v, ok := d.numbers[s]; ok {
		return v
	}
	if d.numbers == nil {
		d.numbers = map[string]uint64{}
	}
	v := uint64(len(d.list))
	d.numbers[s] = v
	d.list = append(d.list, s)
	return v
}

// put writes the strings, then what body holds of their numbers.
func (d *dictionary) put(w *writer, body []byte) {
	w.uint(uint64(len(d.list)))
	for _, s := range d.list {
		w.string(s)
	}
	w.b = append(w.b, body...)
}

// words reads the strings of a dictionary.
func (r *reader) words() []string {
	list := make([]string, r.count(1))
	for i := range list {
		list[i] = r.string()
	}
	return list
}

func (r *reader) word(list []string) string {
	i := r.uint()
	if i >= uint64(len(list)) {
		r.fail("string %d of %d", i, len(list))
		return ""
	}
	return list[i]
}

func (w *writer) position(p Position, off int32) {
	w.uint(uint64(p.Edge))
	w.uint(uint64(p.OffsetMM))
	w.uint(uint64(off))
}

func (r *reader) position() (Position, int32) {
	return Position{EdgeID(r.uint32()), r.uint32()}, r.uint32()
}

func putAddresses(w *writer, n *Network) {
	var d dictionary
	var body writer
	body.uint(uint64(len(n.Addresses)))
	last := Point{}
	for i := range n.Addresses {
		a := &n.Addresses[i]
		for _, s := range []string{a.Number, a.Street, a.City, a.Postcode} {
			body.uint(d.number(s))
		}
		body.points(last, []Point{a.Point})
		last = a.Point
		body.position(a.At, a.OffMM)
	}
	d.put(w, body.b)
}

func getAddresses(r *reader, n *Network) {
	list := r.words()
	count := r.count(9)
	last := Point{}
	for range count {
		var a Address
		a.Number, a.Street, a.City, a.Postcode = r.word(list), r.word(list), r.word(list), r.word(list)
		last = r.point(last)
		a.Point = last
		a.At, a.OffMM = r.position()
		if r.err != nil {
			return
		}
		n.Addresses = append(n.Addresses, a)
	}
}

func putMerchants(w *writer, n *Network) {
	var d dictionary
	var body writer
	body.uint(uint64(len(n.Merchants)))
	for i := range n.Merchants {
		m := &n.Merchants[i]
		body.uint(d.number(m.Name))
		body.uint(d.number(m.Kind))
		body.uint(uint64(m.Address + 1))
		body.points(Point{}, []Point{m.Point})
		body.position(m.At, m.OffMM)
	}
	d.put(w, body.b)
}

func getMerchants(r *reader, n *Network) {
	list := r.words()
	count := r.count(8)
	for range count {
		m := Merchant{Name: r.word(list), Kind: r.word(list), Address: r.uint32() - 1, Point: r.point(Point{})}
		m.At, m.OffMM = r.position()
		if r.err != nil {
			return
		}
		n.Merchants = append(n.Merchants, m)
	}
}

func putBackdrop(w *writer, n *Network) {
	w.uint(uint64(len(n.Backdrop)))
	last := Point{}
	for i := range n.Backdrop {
		b := &n.Backdrop[i]
		w.byte(byte(b.Kind))
		w.byte(byte(b.Rank))
		closed := byte(0)
		if b.Closed {
			closed = 1
		}
		w.byte(closed)
		w.uint(uint64(b.Name))
		w.uint(uint64(len(b.Points)))
		w.points(last, b.Points)
		if len(b.Points) > 0 {
			last = b.Points[len(b.Points)-1]
		}
	}
}

func getBackdrop(r *reader, n *Network) {
	count := r.count(5)
	last := Point{}
	for range count {
		b := Backdrop{Kind: BackdropKind(r.byte()), Rank: Street(r.byte())}
		switch r.byte() {
		case 0:
		case 1:
			b.Closed = true
		default:
			r.fail("a shape is open (0) or closed (1)")
		}
		b.Name = r.uint32()
		b.Points = r.points(last, r.count(2))
		if r.err != nil {
			return
		}
		if len(b.Points) > 0 {
			last = b.Points[len(b.Points)-1]
		}
		n.Backdrop = append(n.Backdrop, b)
	}
}

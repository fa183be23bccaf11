package maps

// heap is a 4-ary min-heap of nodes by cost, and of equal costs by node. A
// node may be in it several times: the first time it comes out counts.
type heap []heapItem

type heapItem struct {
	cost int64
	node NodeID
}

func (a heapItem) before(b heapItem) bool {
	return a.cost < b.cost || a.cost == b.cost && a.node < b.node
}

func (h *heap) push(x heapItem) {
	s := append(*h, x)
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !x.before(s[up]) {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = x
	*h = s
}

func (h *heap) pop() heapItem {
	s := *h
	top, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return top
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= len(s) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(s)); c++ {
			if s[c].before(s[least]) {
				least = c
			}
		}
		if !s[least].before(last) {
			break
		}
		s[i] = s[least]
		i = least
	}
	s[i] = last
	return top
}

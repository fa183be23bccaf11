package kernel

// The queue is a heap of four children a node, of small values without
// pointers: half the levels of a binary heap, siblings on neighbouring cache
// lines, nothing for the garbage collector to follow. Every move of an entry is
// noted in where, so that Cancel takes it out at once. Leaving cancelled
// entries in the heap until they surface was tried: it saves 5 to 15 % where
// nothing is cancelled and costs 30 to 50 % where each event cancels one
// (1,000 to 100,000 pending), and it needs sweeping to bound the memory.

// none marks a slot without a pending event.
const none = -1

// entry is what the heap orders: by key, which is the instant, then by seq.
type entry struct {
	key  uint64
	seq  uint64
	slot uint32
}

// push adds e.
func (k *Kernel) push(e entry) {
	k.heap = append(k.heap, e)
	k.up(len(k.heap)-1, e)
}

// remove takes out the entry at index i; the last entry fills the gap.
func (k *Kernel) remove(i int) {
	k.where[k.heap[i].slot] = none
	n := len(k.heap) - 1
	last := k.heap[n]
	k.heap = k.heap[:n]
	switch {
	case i == n:
	case i > 0 && before(&last, &k.heap[(i-1)/4]) == 1:
		k.up(i, last)
	default:
		k.down(i, last)
	}
}

// place puts e at index i.
func (k *Kernel) place(i int, e entry) {
	k.heap[i] = e
	k.where[e.slot] = int32(i)
}

// up puts e at the index i, which is a gap, or at an ancestor's.
func (k *Kernel) up(i int, e entry) {
	for i > 0 {
		parent := (i - 1) / 4
		if before(&e, &k.heap[parent]) == 0 {
			break
		}
		k.place(i, k.heap[parent])
		i = parent
	}
	k.place(i, e)
}

// down puts e at the index i, which is a gap, or at a descendant's.
func (k *Kernel) down(i int, e entry) {
	for {
		child := k.firstChild(i)
		if child < 0 || before(&k.heap[child], &e) == 0 {
			break
		}
		k.place(i, k.heap[child])
		i = child
	}
	k.place(i, e)
}

// firstChild returns the index of the child of i that runs first, or none. Of
// four children it is found without branches, which random times would make
// the processor mispredict: two semifinals and a final.
func (k *Kernel) firstChild(i int) int {
	c := 4*i + 1
	if c+4 <= len(k.heap) {
		q := k.heap[c : c+4 : c+4]
		a := before(&q[1], &q[0])
		b := 2 + before(&q[3], &q[2])
		final := before(&q[b&3], &q[a&3])
		return c + int(a^(a^b)&-final)
	}
	if c >= len(k.heap) {
		return none
	}
	first := c
	for j := c + 1; j < len(k.heap); j++ {
		if before(&k.heap[j], &k.heap[first]) == 1 {
			first = j
		}
	}
	return first
}

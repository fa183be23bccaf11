package dispatch

import "footway/core/clock"

// histogram remembers how far what happened was from what was forecast. It is
// bounded and forgets: once it holds the weight of settings.EstimateMemory
// deliveries, what is older fades by a quarter at a time. It begins with a prior, so
// that the first estimates of a market have a spread, too.
type histogram struct {
	Bins []int32 `json:"bins"` // weights; bin i holds deviations from lowest + i*binWidth
	Sum  int64   `json:"sum"`
}

const (
	binWidth = 20 * clock.Second
	lowest   = -20 * clock.Minute
	binCount = 240 // up to an hour late
	unit     = 16  // weight of one delivery, so that fading has something to take from
)

// prior is what is believed of deviations before any was seen: around zero, and
// more often late than early, by little.
var prior = [...]struct {
	off    clock.Duration
	weight int32
}{
	{-2 * clock.Minute, 3}, {-clock.Minute, 7}, {0, 14}, {clock.Minute, 6}, {2 * clock.Minute, 4},
	{3 * clock.Minute, 3}, {5 * clock.Minute, 2}, {7 * clock.Minute, 1}, {10 * clock.Minute, 1},
}

func newHistogram() histogram {
	h := histogram{Bins: make([]int32, binCount)}
	for _, p := range prior {
		h.put(p.off, p.weight*unit/2)
	}
	return h
}

// put adds weight at a deviation; those beyond the ends count at the ends.
func (h *histogram) put(off clock.Duration, weight int32) {
	i := (off - lowest + binWidth/2) / binWidth
	h.Bins[max(0, min(i, binCount-1))] += weight
	h.Sum += int64(weight)
}

// add notes the deviation of one delivery.
func (h *histogram) add(off clock.Duration, memory int) {
	h.put(off, unit)
	if h.Sum <= int64(memory)*unit {
		return
	}
	h.Sum = 0
	for i := range h.Bins {
		h.Bins[i] -= (h.Bins[i] + 3) / 4
		h.Sum += int64(h.Bins[i])
	}
}

// quantile returns the deviation that permille of 1000 deliveries do not
// exceed, straight between the edges of a bin.
func (h *histogram) quantile(permille int64) clock.Duration {
	want := h.Sum * permille / 1000
	var below int64
	for i, w := range h.Bins {
		if w > 0 && below+int64(w) > want {
			edge := lowest + clock.Duration(i)*binWidth - binWidth/2
			return edge + clock.Duration((want-below)*int64(binWidth)/int64(w))
		}
		below += int64(w)
	}
	return lowest + binCount*binWidth
}

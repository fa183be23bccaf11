package kpi

import "slices"

// statistic says how the samples of many deliveries become one value.
type statistic struct {
	suffix   string
	permille int64 // the quantile; 0 is the mean
	words    string
}

var (
	mean = statistic{"mean", 0, "Mean."}
	p50  = statistic{"p50", 500, "Median."}
	p90  = statistic{"p90", 900, "9 of 10 were at most this."}
	p99  = statistic{"p99", 990, "99 of 100 were at most this."}
)

// of returns the statistic of values sorted in rising order, each counted as
// often as its weight; nil weights count each once. ok is false without values.
// Quantiles are by nearest rank: the smallest value such that at least the
// given part of all values is not above it. They are exact and are values that occurred.
func (s statistic) of(values []int64, weight func(i int) int64) (v float64, ok bool) {
	var n, sum int64
	for i, x := range values {
		w := weight(i)
		n += w
		sum += w * x
	}
	if n == 0 {
		return 0, false
	}
	if s.permille == 0 {
		return float64(sum) / float64(n), true
	}
	rank := (s.permille*n + 999) / 1000
	for i, x := range values {
		if rank -= weight(i); rank <= 0 {
			return float64(x), true
		}
	}
	return float64(values[len(values)-1]), true
}

// once is the weight of a value that is counted once.
func once(int) int64 { return 1 }

// nearestRank returns the quantile of sorted values.
func nearestRank(sorted []int64, permille int64) (int64, bool) {
	n := int64(len(sorted))
	if n == 0 {
		return 0, false
	}
	return sorted[max((permille*n+999)/1000, 1)-1], true
}

// samples returns what sample says of the accepted deliveries, sorted.
func samples(records []*Record, sample func(*Record) (int64, bool)) []int64 {
	var values []int64
	for _, r := range records {
		if r.Requested == 0 {
			continue
		}
		if v, ok := sample(r); ok {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}

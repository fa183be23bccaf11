package lap

// Gaps says how firm the choice for row i of the last problem is, which must
// have a column. gaps[k] is by how much the pair (i, k) would have to be
// cheaper to be in an optimal solution, Infinite if nothing would do it, and 0 for the row's own column.
// worth is what the solution would cost less without row i. Prices alone tell
// neither, since there are many that prove the same solution; these are exact.
// The result is put into gaps, which is grown if need be.
//
// Taking column k means that whoever loses it moves on, and so forth, until
// somebody takes the column that row i leaves, or it stays free and somebody
// takes another or is left over. The least cost of that is a shortest path in reduced costs
// from k to i's column; all of them are found by one search backwards from there.
func (s *Solver) Gaps(i int, gaps []int64) (_ []int64, worth int64) {
	own := s.rowToCol[i]
	outside := s.back(own)
	gaps = grow(gaps, s.p.Cols)
	row := s.row(i)
	for k := range gaps {
		rest := outside
		if s.colToRow[k] >= 0 {
			rest = s.dist[k]
		}
		gaps[k] = min(Infinite, row[k]-s.u[i]-s.v[k]+rest)
		if row[k] == Infinite {
			gaps[k] = Infinite
		}
	}
	gaps[own] = 0
	return gaps, s.u[i] - outside
}

// back sets dist of every taken column to the least reduced cost at which its
// row finds another place if column own is given up, and returns the least
// cost of giving own up where nobody loses a column: that of a free column.
func (s *Solver) back(own int) (outside int64) {
	taken := s.order[:0]
	for j, r := range s.colToRow {
		if r >= 0 {
			s.dist[j] = Infinite
			taken = append(taken, j)
		}
	}
	s.dist[own] = 0
	outside, settled := Infinite, false
	for len(taken) > 0 {
		at := 0
		for n, j := range taken {
			if s.dist[j] < s.dist[taken[at]] {
				at = n
			}
		}
		q := taken[at]
		if !settled && outside <= s.dist[q] {
			settled = true
			s.relaxOutside(taken, outside)
			continue
		}
		if s.dist[q] >= Infinite/2 {
			break
		}
		taken[at] = taken[len(taken)-1]
		taken = taken[:len(taken)-1]
		outside = min(outside, s.relax(taken, q))
	}
	s.order = s.order[:s.p.Cols]
	return outside
}

// relax shortens the ways of the columns not settled that go on to column q,
// and returns the shortest way to it from outside: q is left free, or a row that was left over takes it.
func (s *Solver) relax(open []int, q int) int64 {
	d := s.dist[q]
	for _, j := range open {
		r := s.colToRow[j]
		s.dist[j] = min(s.dist[j], s.row(r)[q]-s.u[r]-s.v[q]+d)
	}
	outside := d - s.v[q]
	for r, j := range s.rowToCol {
		if j < 0 {
			outside = min(outside, s.row(r)[q]-s.u[r]-s.v[q]+d)
		}
	}
	return outside
}

// relaxOutside shortens the ways of the columns not settled whose row is left
// over or takes a free column instead.
func (s *Solver) relaxOutside(open []int, outside int64) {
	for _, j := range open {
		r := s.colToRow[j]
		least := s.skip[r]
		for k, c := range s.row(r) {
			if s.colToRow[k] < 0 {
				least = min(least, c)
			}
		}
		s.dist[j] = min(s.dist[j], least-s.u[r]+outside)
	}
}

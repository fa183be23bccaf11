package lap

// augment adds row f by the shortest path of changes, in reduced costs, that
// ends at a free column or at a row that is left over instead.
func (s *Solver) augment(f int) {
	row, dist := s.row(f), s.dist
	for j := range dist {
		dist[j] = row[j] - s.v[j]
		s.pred[j] = f
		s.order[j], s.place[j] = j, j
	}
	quit, quitAt := f, s.skip[f] // the row that is cheapest to leave over so far
	done, ready := 0, 0          // order[:done] are scanned, order[done:ready] are to be
	for {
		if done == ready {
			ready = s.nearest(done)
			if ready == done || quitAt <= dist[s.order[done]] && !s.anyFree(done, ready, quitAt) {
				s.settle(done, quitAt)
				s.leave(quit, f)
				return
			}
			if j := s.freeAmong(done, ready); j >= 0 {
				s.settle(done, dist[j])
				s.shift(j, f)
				return
			}
		}
		j := s.order[done]
		done++
		i := s.colToRow[j]
		base := s.row(i)[j] - s.v[j] - dist[j]
		if d := s.skip[i] - base; d < quitAt {
			quit, quitAt = i, d
		}
		var end int
		if ready, end = s.scan(i, base, dist[j], ready); end >= 0 {
			s.settle(done, dist[end])
			s.shift(end, f)
			return
		}
	}
}

// nearest moves the columns of least distance among order[from:] to its front
// and returns where they end. Those that cannot be reached stay behind.
func (s *Solver) nearest(from int) int {
	least, to := Infinite/2, from
	order, dist := s.order, s.dist
	for k := from; k < len(order); k++ {
		j := order[k]
		d := dist[j]
		if d > least || d >= Infinite/2 {
			continue
		}
		if d < least {
			least, to = d, from
		}
		s.swap(k, to)
		to++
	}
	return to
}

// freeAmong returns the first column of order[from:to] that no row has, or -1.
func (s *Solver) freeAmong(from, to int) int {
	for _, j := range s.order[from:to] {
		if s.colToRow[j] < 0 {
			return j
		}
	}
	return -1
}

// anyFree reports whether a free column is no farther than leaving a row over.
func (s *Solver) anyFree(from, to int, quitAt int64) bool {
	return s.dist[s.order[from]] == quitAt && s.freeAmong(from, to) >= 0
}

// scan shortens the distances of the columns that are not ready by going
// through row i. Those as near as now become ready; a free one ends the search.
func (s *Solver) scan(i int, base, now int64, ready int) (int, int) {
	row, v, dist := s.row(i), s.v, s.dist
	for _, j32 := range s.columns(i) {
		j := int(j32)
		d := row[j] - v[j] - base
		if d >= dist[j] || s.place[j] < ready {
			continue
		}
		dist[j], s.pred[j] = d, i
		if d > now {
			continue
		}
		if s.colToRow[j] < 0 {
			return ready, j
		}
		s.swap(s.place[j], ready)
		ready++
	}
	return ready, -1
}

// swap exchanges the columns at two places of order.
func (s *Solver) swap(a, b int) {
	x, y := s.order[a], s.order[b]
	s.order[a], s.order[b] = y, x
	s.place[y], s.place[x] = a, b
}

// settle makes the scanned columns, order[:done], as dear as the path of
// length end makes them.
func (s *Solver) settle(done int, end int64) {
	for _, j := range s.order[:done] {
		if d := s.dist[j] - end; d < 0 {
			s.v[j] += d
		}
	}
}

// shift gives column j to the row before it on the path, that row's column to
// the one before, and so on down to row f.
func (s *Solver) shift(j, f int) {
	for {
		i := s.pred[j]
		s.colToRow[j] = i
		s.rowToCol[i], j = j, s.rowToCol[i]
		if i == f {
			return
		}
	}
}

// leave leaves row i over and gives its column, if it is not f itself that is
// left over, to those before it on the path.
func (s *Solver) leave(i, f int) {
	if i == f {
		return
	}
	j := s.rowToCol[i]
	s.rowToCol[i] = -1
	s.shift(j, f)
}

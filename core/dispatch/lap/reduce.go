package lap

// reduce gives rows the column they like best, as in an auction: a row pays
// up to what it takes to be indifferent to its second choice, and the row it
// outbids looks again. What it leaves in free are the rows that need a path.
// Columns are only ever made dearer, and only when they are taken, so that
// the conditions on Solution hold for all other rows throughout.
func (s *Solver) reduce() {
	budget := 6 * len(s.free) // of bids: wars over small differences are left to augment
	for range 2 {
		waiting := s.free
		s.free = s.free[:0]
		for k := 0; k < len(waiting); {
			i := waiting[k]
			k++
			for i >= 0 && budget > 0 {
				var again bool
				budget--
				i, again = s.bid(i)
				if i >= 0 && !again {
					break
				}
			}
			if i >= 0 {
				s.free = append(s.free, i) // never ahead of k: each row read adds at most one
			}
		}
	}
}

// bid places row i and returns the row that has no place now, or -1, and
// whether prices have moved, so that it is worth looking again.
func (s *Solver) bid(i int) (out int, again bool) {
	best, second, at, next := s.choices(i)
	if s.skip[i] < best {
		return -1, false
	}
	if at < 0 {
		return -1, false // it may have nothing; skip is at most Forced, so this is not reached
	}
	second = min(second, s.skip[i])
	holder := s.colToRow[at]
	switch {
	case best < second:
		s.v[at] -= second - best
	case holder >= 0 && second == s.skip[i]:
		return -1, false // left over at the same cost
	case holder >= 0:
		at = next
		holder = s.colToRow[at]
	}
	s.rowToCol[i], s.colToRow[at] = at, i
	if holder >= 0 {
		s.rowToCol[holder] = -1
	}
	return holder, best < second
}

// choices returns the two least reduced costs of row i and their columns, the
// lowest columns among equals.
func (s *Solver) choices(i int) (best, second int64, at, next int) {
	best, second, at, next = Infinite, Infinite, -1, -1
	v, row := s.v, s.row(i)
	for _, j32 := range s.columns(i) {
		j := int(j32)
		c := row[j] - v[j]
		if c >= second {
			continue
		}
		if c >= best {
			second, next = c, j
			continue
		}
		best, second, at, next = c, best, j, at
	}
	return best, second, at, next
}

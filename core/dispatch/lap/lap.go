// Package lap solves rectangular linear assignment problems exactly: which
// rows go with which columns at the least total cost, where a row may be left
// over at a price of its own. It knows nothing of robots.
//
// The method is that of shortest augmenting paths (Jonker and Volgenant, "A
// shortest augmenting path algorithm for dense and sparse linear assignment
// problems", Computing 38, 1987; Crouse, "On implementing 2D rectangular
// assignment algorithms", IEEE TAES 52, 2016). It starts from reduced rows,
// and leaving a row over is one more column that only this row may take.
package lap

import "fmt"

const (
	// Infinite is the cost of a pair that is forbidden.
	Infinite int64 = 1 << 60
	// Forced is the price of leaving over a row that should not be: it exceeds what
	// up to 4,096 pairs can cost together, so that as many rows as possible are
	// assigned. No price may be above it.
	Forced int64 = 1 << 52
	// MaxCost bounds the size of the costs of pairs that are allowed, and the
	// prices below Forced. It is not checked: beyond it sums may overflow.
	MaxCost int64 = 1 << 40
)

// Problem is what to solve.
type Problem struct {
	Rows, Cols int
	Cost       []int64 // row by row, Rows*Cols of them
	Skip       []int64 // price of leaving each row over; nil is Forced for all
}

// Solution is an optimal assignment and the prices that prove it. With U and V
// and c the costs: U[i]+V[j] <= c[i][j] for every pair, equal where row i has
// column j; U[i] <= Skip[i], equal where row i is left over; V[j] <= 0, zero
// where column j is free. The same problem always has the same solution.
type Solution struct {
	RowToCol []int   // the column of each row, -1 if it is left over
	ColToRow []int   // the row of each column, -1 if it is free
	U        []int64 // what each row costs at the margin
	V        []int64 // what each column saves at the margin, negated
	Cost     int64   // of the pairs and of the rows that are left over
}

// Solve solves one problem. Use a Solver for many.
func Solve(p Problem) Solution { return new(Solver).Solve(p) }

// Solver solves problems one after the other without allocating, once it has
// seen the largest. The zero value is ready. It is not safe for concurrent use.
type Solver struct {
	p        Problem
	rowToCol []int
	colToRow []int
	u, v     []int64
	skip     []int64 // of the problem, or Forced
	free     []int   // rows without a column that are not skipped
	dist     []int64 // of each column from the row that is being added
	pred     []int   // the row before each column on its shortest path
	order    []int   // columns: first those whose distance is final and whose row was scanned, then those to scan, then the rest
	place    []int   // of each column in order
	near     []int32 // the columns that each row may have, one row after the other …
	nearFrom []int32 // … from here, len(rowToCol)+1 entries
}

// Solve returns the solution of p, which is valid until the next call. It
// panics if the lengths of p do not agree.
func (s *Solver) Solve(p Problem) Solution {
	if len(p.Cost) != p.Rows*p.Cols || p.Skip != nil && len(p.Skip) != p.Rows {
		panic(fmt.Sprintf("lap: %d costs and %d prices for %d rows and %d columns", len(p.Cost), len(p.Skip), p.Rows, p.Cols))
	}
	s.reset(p)
	s.reduce()
	for _, i := range s.free {
		s.augment(i)
	}
	return s.solution()
}

// reset makes the workspace fit p.
func (s *Solver) reset(p Problem) {
	s.p = p
	s.rowToCol, s.u = grow(s.rowToCol, p.Rows), grow(s.u, p.Rows)
	s.colToRow, s.v = grow(s.colToRow, p.Cols), grow(s.v, p.Cols)
	s.dist, s.pred, s.order = grow(s.dist, p.Cols), grow(s.pred, p.Cols), grow(s.order, p.Cols)
	s.skip = append(s.skip[:0], p.Skip...)
	s.free = s.free[:0]
	for i := range p.Rows {
		s.rowToCol[i] = -1
		s.free = append(s.free, i)
		if p.Skip == nil {
			s.skip = append(s.skip, Forced)
		}
	}
	for j := range p.Cols {
		s.colToRow[j], s.v[j] = -1, 0
	}
	s.place = grow(s.place, p.Cols)
	s.near, s.nearFrom = s.near[:0], append(s.nearFrom[:0], 0)
	for i := range p.Rows {
		for j, c := range s.row(i) {
			if c < Infinite {
				s.near = append(s.near, int32(j))
			}
		}
		s.nearFrom = append(s.nearFrom, int32(len(s.near)))
	}
}

// columns returns the columns that row i may have, in order. Large problems are
// sparse: each row has a few dozen columns worth thinking of.
func (s *Solver) columns(i int) []int32 { return s.near[s.nearFrom[i]:s.nearFrom[i+1]] }

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func (s *Solver) row(i int) []int64 { return s.p.Cost[i*s.p.Cols : (i+1)*s.p.Cols] }

// solution reads prices and total off the final state.
func (s *Solver) solution() Solution {
	var total int64
	for i, j := range s.rowToCol {
		cost := s.skip[i]
		s.u[i] = cost
		if j >= 0 {
			cost = s.row(i)[j]
			s.u[i] = cost - s.v[j]
		}
		total += cost
	}
	return Solution{RowToCol: s.rowToCol, ColToRow: s.colToRow, U: s.u, V: s.v, Cost: total}
}

package lap

import (
	"fmt"
	"testing"

	"footway/core/rng"

	"github.com/google/go-cmp/cmp"
)

func TestSolve(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Problem
		want []int
		cost int64
	}{
		{"nothing", Problem{}, nil, 0},
		{"one pair", Problem{Rows: 1, Cols: 1, Cost: []int64{7}}, []int{0}, 7},
		{"the greedy choice is not the best", Problem{Rows: 2, Cols: 2, Cost: []int64{1, 2, 1, 9}}, []int{1, 0}, 3},
		{"more columns than rows", Problem{Rows: 1, Cols: 3, Cost: []int64{5, 4, 6}}, []int{1}, 4},
		{"more rows than columns", Problem{Rows: 3, Cols: 1, Cost: []int64{5, 4, 6}, Skip: []int64{100, 100, 100}}, []int{-1, 0, -1}, 204},
		{"who is dearest to leave over goes", Problem{Rows: 2, Cols: 1, Cost: []int64{5, 5}, Skip: []int64{10, 20}}, []int{-1, 0}, 15},
		{"cheaper left over", Problem{Rows: 1, Cols: 1, Cost: []int64{11}, Skip: []int64{10}}, []int{-1}, 10},
		{"a forbidden pair", Problem{Rows: 2, Cols: 2, Cost: []int64{1, 50, 1, Infinite}}, []int{1, 0}, 51},
		{"no pair at all", Problem{Rows: 1, Cols: 1, Cost: []int64{Infinite}}, []int{-1}, Forced},
		{"all rows that can", Problem{Rows: 2, Cols: 2, Cost: []int64{1, Infinite, 2, Infinite}}, []int{0, -1}, Forced + 1},
		{"equal pairs go by number", Problem{Rows: 2, Cols: 3, Cost: make([]int64, 6)}, []int{0, 1}, 0},
		{"negative costs", Problem{Rows: 2, Cols: 2, Cost: []int64{-5, -4, -5, -1}, Skip: []int64{0, 0}}, []int{1, 0}, -9},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Solve(c.p)
			if diff := cmp.Diff(c.want, append([]int(nil), got.RowToCol...)); diff != "" || got.Cost != c.cost {
				t.Errorf("Solve(%+v): cost %d, want %d; columns (-want +got):\n%s", c.p, got.Cost, c.cost, diff)
			}
			prove(t, c.p, got)
		})
	}
}

func TestSolveRefusesBadShapes(t *testing.T) {
	for _, p := range []Problem{{Rows: 2, Cols: 2, Cost: make([]int64, 3)}, {Rows: 2, Cols: 1, Cost: make([]int64, 2), Skip: make([]int64, 1)}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Solve(%+v) did not panic", p)
				}
			}()
			Solve(p)
		}()
	}
}

// prove checks the conditions that make a solution optimal.
func prove(t *testing.T, p Problem, s Solution) {
	t.Helper()
	var total int64
	for i := range p.Rows {
		skip := Forced
		if p.Skip != nil {
			skip = p.Skip[i]
		}
		at := s.RowToCol[i]
		if at < 0 {
			total += skip
		} else {
			total += p.Cost[i*p.Cols+at]
		}
		if s.U[i] > skip || at < 0 && s.U[i] != skip {
			t.Fatalf("row %d with column %d: price %d, left over at %d", i, at, s.U[i], skip)
		}
		for j := range p.Cols {
			slack := p.Cost[i*p.Cols+j] - s.U[i] - s.V[j]
			if slack < 0 || at == j && slack != 0 {
				t.Fatalf("pair %d, %d (taken %v): slack %d", i, j, at == j, slack)
			}
		}
		if at >= 0 && s.ColToRow[at] != i {
			t.Fatalf("row %d has column %d, which has row %d", i, at, s.ColToRow[at])
		}
	}
	for j := range p.Cols {
		i := s.ColToRow[j]
		if s.V[j] > 0 || i < 0 && s.V[j] != 0 || i >= 0 && s.RowToCol[i] != j {
			t.Fatalf("column %d with row %d: price %d", j, i, s.V[j])
		}
	}
	if total != s.Cost {
		t.Fatalf("cost %d, want %d", s.Cost, total)
	}
}

// best tries everything.
func best(p Problem, i int, taken uint) int64 {
	if i == p.Rows {
		return 0
	}
	least := Forced
	if p.Skip != nil {
		least = p.Skip[i]
	}
	least += best(p, i+1, taken)
	for j := range p.Cols {
		if c := p.Cost[i*p.Cols+j]; taken>>j&1 == 0 && c != Infinite {
			least = min(least, c+best(p, i+1, taken|1<<j))
		}
	}
	return least
}

// random returns a problem with small costs, so that many are equal.
func random(s rng.Stream, rows, cols int, spread, forbidden int64) Problem {
	p := Problem{Rows: rows, Cols: cols, Cost: make([]int64, rows*cols), Skip: make([]int64, rows)}
	for k := range p.Cost {
		p.Cost[k] = s.N(uint64(k), spread) - spread/8
		if s.Chance(uint64(k)+1<<32, forbidden) {
			p.Cost[k] = Infinite
		}
	}
	for i := range p.Skip {
		p.Skip[i] = s.N(uint64(i)+1<<33, 2*spread)
		if s.Chance(uint64(i)+1<<34, 300) {
			p.Skip[i] = Forced
		}
	}
	return p
}

func TestSolveIsBest(t *testing.T) {
	var solver Solver
	for seed := range rng.Seed(3000) {
		s := seed.Stream("lap", "small")
		p := random(s, int(s.N(1<<40, 6)), int(s.N(1<<41, 7)), 1+s.N(1<<42, 40), s.N(1<<43, 700))
		got := solver.Solve(p)
		if want := best(p, 0, 0); got.Cost != want {
			t.Fatalf("seed %d: Solve(%+v) costs %d, want %d", seed, p, got.Cost, want)
		}
		prove(t, p, got)
	}
}

func TestSolveLargeIsProved(t *testing.T) {
	var solver Solver
	for _, size := range [][2]int{{60, 200}, {200, 60}, {150, 150}, {300, 299}} {
		for _, spread := range []int64{3, 100, 1_000_000} {
			p := random(rng.Seed(spread).Stream("lap", fmt.Sprint(size)), size[0], size[1], spread, 300)
			prove(t, p, solver.Solve(p))
		}
		p := geometric(size[0], size[1])
		prove(t, p, solver.Solve(p))
	}
}

// forced is the least cost of p if row i has column k.
func forced(p Problem, i, k int) int64 {
	q := p
	q.Cost = append([]int64(nil), p.Cost...)
	for j := range p.Cols {
		if j != k {
			q.Cost[i*p.Cols+j] = Infinite
		}
	}
	for r := range p.Rows {
		if r != i {
			q.Cost[r*p.Cols+k] = Infinite
		}
	}
	q.Skip = append([]int64(nil), p.Skip...)
	q.Skip[i] = Infinite
	return best(q, 0, 0)
}

// without is the least cost of p if row i were not there.
func without(p Problem, i int) int64 {
	q := Problem{Rows: p.Rows - 1, Cols: p.Cols}
	q.Cost = append(append(q.Cost, p.Cost[:i*p.Cols]...), p.Cost[(i+1)*p.Cols:]...)
	q.Skip = append(append(q.Skip, p.Skip[:i]...), p.Skip[i+1:]...)
	return best(q, 0, 0)
}

func TestGapsAreExact(t *testing.T) {
	var solver Solver
	var gaps []int64
	tried := 0
	for seed := range rng.Seed(400) {
		s := seed.Stream("lap", "gaps")
		p := random(s, int(1+s.N(1<<40, 5)), int(1+s.N(1<<41, 6)), 1+s.N(1<<42, 40), s.N(1<<43, 600))
		got := solver.Solve(p)
		for i, own := range got.RowToCol {
			if own < 0 {
				continue
			}
			var worth int64
			gaps, worth = solver.Gaps(i, gaps)
			if want := got.Cost - without(p, i); worth != want {
				t.Fatalf("seed %d: %+v: row %d is worth %d, want %d", seed, p, i, worth, want)
			}
			for k, gap := range gaps {
				want := Infinite
				if p.Cost[i*p.Cols+k] != Infinite {
					want = forced(p, i, k) - got.Cost
				}
				if gap != want {
					t.Fatalf("seed %d: %+v: pair %d, %d is %d from being taken, want %d", seed, p, i, k, gap, want)
				}
				tried++
			}
		}
	}
	if tried < 1000 {
		t.Fatalf("only %d pairs tried", tried)
	}
}

func TestSolveRepeats(t *testing.T) {
	p := random(rng.Seed(5).Stream("lap", "ties"), 80, 90, 4, 100)
	var warm Solver
	warm.Solve(geometric(100, 120))
	first := Solve(p)
	if diff := cmp.Diff(first, warm.Solve(p)); diff != "" {
		t.Errorf("a solver that was used before gives another solution (-fresh +used):\n%s", diff)
	}
}

func TestSolveDoesNotAllocate(t *testing.T) {
	var solver Solver
	p := geometric(60, 80)
	solver.Solve(p)
	gaps, _ := solver.Gaps(0, nil)
	if n := testing.AllocsPerRun(20, func() { solver.Solve(p); solver.Gaps(0, gaps) }); n != 0 {
		t.Errorf("%v allocations a problem, want 0", n)
	}
}

// geometric returns a problem whose costs are distances in a square of 4 km,
// in millimetres: rows contend for the same columns, as robots and orders do.
func geometric(rows, cols int) Problem {
	at := func(kind string, k int) (x, y int64) {
		s := rng.Seed(1).Stream(kind, "place")
		return s.N(uint64(2*k), 4_000_000), s.N(uint64(2*k+1), 4_000_000)
	}
	p := Problem{Rows: rows, Cols: cols, Cost: make([]int64, 0, rows*cols)}
	for i := range rows {
		x, y := at("row", i)
		for j := range cols {
			a, b := at("col", j)
			dx, dy := max(x-a, a-x), max(y-b, b-y)
			p.Cost = append(p.Cost, max(dx, dy)+min(dx, dy)*3/8) // within 7% of the straight line
		}
	}
	return p
}

func BenchmarkSolve(b *testing.B) {
	for _, size := range [][2]int{{50, 200}, {100, 200}, {500, 1000}, {1000, 1000}} {
		b.Run(fmt.Sprintf("geometric=%dx%d", size[0], size[1]), func(b *testing.B) {
			p := geometric(size[0], size[1])
			var s Solver
			s.Solve(p)
			b.ReportAllocs()
			for b.Loop() {
				s.Solve(p)
			}
		})
	}
}

package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// checkStatements reports what hands the order of things to the runtime: map
// ranges, goroutines, channels and selects.
func (l *linter) checkStatements(f *ast.File) {
	next := followers(f)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if isMap(l.TypesInfo.TypeOf(n.X)) && seesOrder(n) && !l.collectsAndSorts(n, next[n]) {
				l.reportf(n.Pos(), "range over a map has no fixed order: range over slices.Sorted(maps.Keys(m)), or append the keys to a slice and sort it in the next statement")
			}
		case *ast.GoStmt:
			l.reportf(n.Pos(), "go statement: the scheduler decides the order; make it an event or a timer (core/clock)")
		case *ast.SelectStmt:
			if communications(n) > 1 {
				l.reportf(n.Pos(), "select between several channels picks at random; decide in code which comes first")
			}
		case *ast.CallExpr:
			if l.makesChannel(n) {
				l.reportf(n.Pos(), "make of a channel: core and sim have no goroutines to talk to; use a slice as a queue")
			}
		}
		return true
	})
}

// followers maps each statement to the one after it in the same block.
func followers(f *ast.File) map[ast.Stmt]ast.Stmt {
	next := map[ast.Stmt]ast.Stmt{}
	ast.Inspect(f, func(n ast.Node) bool {
		var list []ast.Stmt
		switch n := n.(type) {
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = n.Body
		}
		for i := 1; i < len(list); i++ {
			next[list[i-1]] = list[i]
		}
		return true
	})
	return next
}

// isMap reports whether t is a map, or a type parameter that may be one.
func isMap(t types.Type) bool {
	return mayBe(t, func(t types.Type) bool {
		_, ok := t.(*types.Map)
		return ok
	})
}

// mayBe reports whether is holds for the type under t or, where t is a type
// parameter, for one of the types that its constraint names.
func mayBe(t types.Type, is func(types.Type) bool) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		for i := range u.NumEmbeddeds() {
			if mayBe(u.EmbeddedType(i), is) {
				return true
			}
		}
		return false
	case *types.Union:
		for i := range u.Len() {
			if mayBe(u.Term(i).Type(), is) {
				return true
			}
		}
		return false
	default:
		return is(u)
	}
}

// seesOrder reports whether the body of r can tell one turn from another.
func seesOrder(r *ast.RangeStmt) bool { return named(r.Key) || named(r.Value) }

func named(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return e != nil && (!ok || id.Name != "_")
}

// collectsAndSorts reports whether the body of r does nothing but append its
// key or value to a slice, which the statement after r sorts.
func (l *linter) collectsAndSorts(r *ast.RangeStmt, after ast.Stmt) bool {
	if len(r.Body.List) != 1 || after == nil {
		return false
	}
	set, ok := r.Body.List[0].(*ast.AssignStmt)
	if !ok || set.Tok != token.ASSIGN || len(set.Lhs) != 1 || len(set.Rhs) != 1 {
		return false
	}
	grow, ok := set.Rhs[0].(*ast.CallExpr)
	if !ok || !l.isBuiltin(grow.Fun, "append") || len(grow.Args) != 2 {
		return false
	}
	into := types.ExprString(set.Lhs[0])
	item := types.ExprString(grow.Args[1])
	if types.ExprString(grow.Args[0]) != into || !isNamed(r.Key, item) && !isNamed(r.Value, item) {
		return false
	}
	do, ok := after.(*ast.ExprStmt)
	if !ok {
		return false
	}
	sort, ok := do.X.(*ast.CallExpr)
	return ok && sorts[l.funcName(sort.Fun)] && types.ExprString(sort.Args[0]) == into
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// sorts are the functions that put their first argument in order. Stable sorts
// are missing on purpose: what they leave as it was came from the map.
var sorts = map[string]bool{
	"slices.Sort": true, "slices.SortFunc": true,
	"sort.Ints": true, "sort.Strings": true, "sort.Float64s": true, "sort.Slice": true,
}

func communications(s *ast.SelectStmt) (n int) {
	for _, c := range s.Body.List {
		if c.(*ast.CommClause).Comm != nil {
			n++
		}
	}
	return n
}

func (l *linter) makesChannel(call *ast.CallExpr) bool {
	if !l.isBuiltin(call.Fun, "make") {
		return false
	}
	_, ok := l.TypesInfo.TypeOf(call).Underlying().(*types.Chan)
	return ok
}

func (l *linter) isBuiltin(fun ast.Expr, name string) bool {
	id, ok := ast.Unparen(fun).(*ast.Ident)
	if !ok || id.Name != name {
		return false
	}
	_, ok = l.TypesInfo.Uses[id].(*types.Builtin)
	return ok
}

package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// checkSums reports additions and subtractions of a floating-point product
// that was not rounded first. Such a pair may be compiled to one fused
// instruction with one rounding: arm64 does it, amd64 does not, and the same
// run would end in different bytes. An explicit conversion rounds, so
// float64(x*y) + z is the same everywhere.
//
// The language lets the two halves meet through variables and through inlined
// calls, so within a package those are followed too. Across packages they are
// not: a function that returns a product is to round it.
func (l *linter) checkSums(files []*ast.File) {
	p := products{linter: l, carriers: map[types.Object]bool{}}
	for grown := true; grown; { // until no more variables are found to carry a product
		before := len(p.carriers)
		for _, f := range files {
			p.collect(f)
		}
		grown = len(p.carriers) > before
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.ADD || n.Op == token.SUB {
					p.check(n, n.X, n.Y)
				}
			case *ast.AssignStmt:
				if n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN {
					p.check(n, n.Lhs[0], n.Rhs[0])
				}
			}
			return true
		})
	}
}

// products finds floating-point products that are not rounded.
type products struct {
	*linter
	carriers map[types.Object]bool // variables and functions whose value is one
}

// check reports the sum of x and y if either is an unrounded product.
func (p *products) check(sum ast.Node, x, y ast.Expr) {
	for _, term := range []ast.Expr{x, y} {
		if p.unrounded(term) {
			p.reportf(sum.Pos(), "the product %s may be fused with this sum, and then rounds differently on arm64: write float64(x*y) + z", types.ExprString(ast.Unparen(term)))
			return
		}
	}
}

// unrounded reports whether e is a product that nothing has rounded yet.
func (p *products) unrounded(e ast.Expr) bool {
	e = ast.Unparen(e)
	if tv := p.TypesInfo.Types[e]; tv.Value != nil || !isFloat(tv.Type) {
		return false // constants are exact
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return e.Op == token.MUL
	case *ast.UnaryExpr:
		return p.unrounded(e.X)
	case *ast.Ident:
		return p.carriers[p.TypesInfo.ObjectOf(e)]
	case *ast.SelectorExpr:
		return p.carriers[p.TypesInfo.ObjectOf(e.Sel)]
	case *ast.CallExpr:
		if id := callee(e.Fun); id != nil {
			return p.carriers[p.TypesInfo.ObjectOf(id)]
		}
	}
	return false
}

// collect adds the variables of f that are given an unrounded product, and the
// functions that return one.
func (p *products) collect(f *ast.File) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if ok && fn.Body != nil {
			p.collectReturns(fn)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			p.collectAssign(n)
		case *ast.ValueSpec:
			for i, v := range n.Values {
				if len(n.Names) == len(n.Values) && p.unrounded(v) {
					p.carriers[p.TypesInfo.ObjectOf(n.Names[i])] = true
				}
			}
		}
		return true
	})
}

func (p *products) collectAssign(n *ast.AssignStmt) {
	if len(n.Lhs) != len(n.Rhs) {
		return
	}
	for i, to := range n.Lhs {
		scaled := n.Tok == token.MUL_ASSIGN && isFloat(p.TypesInfo.TypeOf(to))
		stored := (n.Tok == token.ASSIGN || n.Tok == token.DEFINE) && p.unrounded(n.Rhs[i])
		id := callee(to)
		if id == nil || !scaled && !stored {
			continue
		}
		if v, ok := p.TypesInfo.ObjectOf(id).(*types.Var); ok && isFloat(v.Type()) {
			p.carriers[v] = true
		}
	}
}

// collectReturns adds fn if one of its own returns, not one of a closure in
// it, is a single unrounded product.
func (p *products) collectReturns(fn *ast.FuncDecl) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if len(n.Results) == 1 && p.unrounded(n.Results[0]) {
				p.carriers[p.TypesInfo.ObjectOf(fn.Name)] = true
			}
		}
		return true
	})
}

// isFloat reports whether t is a floating-point or complex type, or a type
// parameter that may be one.
func isFloat(t types.Type) bool {
	return mayBe(t, func(t types.Type) bool {
		b, ok := t.(*types.Basic)
		return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
	})
}

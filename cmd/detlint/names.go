package main

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"footway/cmd/detlint/purity"
)

// forbiddenFuncs maps the full name of a function to what to do instead. Taking
// one as a value is as bad as calling it.
var forbiddenFuncs = func() map[string]string {
	m := map[string]string{
		"(reflect.Value).MapKeys":  "sort what it returns, or do without reflection",
		"(reflect.Value).MapRange": "it has no fixed order; do without reflection",
		"(reflect.Value).Seq":      "it may range over a map; do without reflection",
		"(reflect.Value).Seq2":     "it may range over a map; do without reflection",
		"(*sync.Map).Range":        "it has no fixed order; core and sim need no lock",
		"context.AfterFunc":        "it starts a goroutine; set a timer (core/clock)",
	}
	for _, f := range strings.Fields("Now Since Until After AfterFunc NewTimer NewTicker Tick Sleep") {
		m["time."+f] = "it reads the wall clock; use core/clock"
	}
	for _, f := range strings.Fields("WithTimeout WithTimeoutCause WithDeadline WithDeadlineCause") {
		m["context."+f] = "it reads the wall clock; keep the deadline as data (core/clock)"
	}
	return m
}()

// exact are the functions of math with one correct result. All others are
// approximations, compiled with fused instructions or written in assembly on
// some machines, and their last bit differs.
var exact = strings.Fields(`Abs Ceil Copysign Dim FMA Float32bits Float32frombits
	Float64bits Float64frombits Floor Frexp Ilogb Inf IsInf IsNaN Ldexp Logb Max Min Mod
	Modf NaN Nextafter Nextafter32 Remainder Round RoundToEven Signbit Sqrt Trunc`)

// unordered are iterators in the order of a map.
var unordered = map[string]bool{"maps.Keys": true, "maps.Values": true, "maps.All": true}

// sorters take an iterator and put what it yields in order.
var sorters = map[string]bool{"slices.Sorted": true, "slices.SortedFunc": true}

func (l *linter) checkImports(f *ast.File) {
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the compiler reports it
		}
		if why, bad := purity.Forbidden(path); bad {
			l.reportf(spec.Pos(), "import of %s: it %s", path, why)
		}
	}
}

// checkNames reports uses of forbidden functions, and map iterators that are
// not at once sorted.
func (l *linter) checkNames(f *ast.File) {
	sorted := map[*ast.Ident]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if id := l.iteratorSortedBy(n); id != nil {
				sorted[id] = true
			}
		case *ast.Ident:
			name := l.funcName(n)
			if why := forbiddenFuncs[name]; why != "" {
				l.reportf(n.Pos(), "%s: %s", name, why)
			}
			if unordered[name] && !sorted[n] {
				l.reportf(n.Pos(), "%s has no fixed order: put it directly into slices.Sorted", name)
			}
			if f, ok := strings.CutPrefix(name, "math."); ok && !slices.Contains(exact, f) {
				l.reportf(n.Pos(), "%s rounds differently on amd64 and arm64: use a table, a series with rounded products, or integers", name)
			}
			if drawsGlobally(name) {
				l.reportf(n.Pos(), "%s draws from the global generator; use core/rng", name)
			}
		}
		return true
	})
}

// iteratorSortedBy returns the name of the map iterator that call sorts, or nil.
func (l *linter) iteratorSortedBy(call *ast.CallExpr) *ast.Ident {
	if !sorters[l.funcName(call.Fun)] || len(call.Args) == 0 {
		return nil
	}
	inner, ok := ast.Unparen(call.Args[0]).(*ast.CallExpr)
	if !ok {
		return nil
	}
	return callee(inner.Fun)
}

// drawsGlobally reports whether name is a function of math/rand that does not
// take its generator from the caller. The constructors (New, NewPCG, …) do.
func drawsGlobally(name string) bool {
	f, ok := strings.CutPrefix(name, "math/rand/v2.")
	return ok && !strings.HasPrefix(f, "New")
}

// funcName returns the full name of the function that fun stands for, such as
// "time.Now" or "(*sync.Map).Range", or "" if it is no declared function.
func (l *linter) funcName(fun ast.Expr) string {
	id := callee(fun)
	if id == nil {
		return ""
	}
	f, ok := l.TypesInfo.Uses[id].(*types.Func)
	if !ok {
		return ""
	}
	return f.FullName()
}

// callee returns the identifier that names the function in a call of fun: x of
// x(), p.x(), x[T]() and (x)().
func callee(fun ast.Expr) *ast.Ident {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return fun
	case *ast.SelectorExpr:
		return fun.Sel
	case *ast.IndexExpr:
		return callee(fun.X)
	case *ast.IndexListExpr:
		return callee(fun.X)
	}
	return nil
}

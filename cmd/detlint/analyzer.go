package main

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// analyzer is all of detlint. It is one analyzer, not one per rule, because an
// allow comment that no rule needs is itself a finding.
var analyzer = &analysis.Analyzer{
	Name: "detlint",
	Doc:  "report what makes a run of core or sim depend on more than its input and seed",
	URL:  "https://pkg.go.dev/footway/cmd/detlint",
	Run:  run,
}

func run(pass *analysis.Pass) (any, error) {
	if !governed(pass.Pkg.Path()) {
		return nil, nil
	}
	var files []*ast.File
	for _, f := range pass.Files {
		if !strings.HasSuffix(pass.Fset.File(f.FileStart).Name(), "_test.go") {
			files = append(files, f)
		}
	}
	l := &linter{Pass: pass, allowed: map[line]*allowance{}}
	for _, f := range files {
		l.readAllowances(f)
	}
	for _, f := range files {
		l.checkImports(f)
		l.checkStatements(f)
		l.checkNames(f)
	}
	l.checkSums(files)
	l.reportUnused()
	return nil, nil
}

// governed reports whether the rules hold in the package at path. The go
// command writes the path of a package under test as "p [p.test]", and that of
// the program it makes to run the tests as "p.test".
func governed(path string) bool {
	path, _, _ = strings.Cut(path, " ")
	if strings.HasSuffix(path, ".test") {
		return false
	}
	in := func(root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
	return (in("footway/core") || in("footway/sim")) && !in("footway/core/porttest")
}

// linter is one run over one package.
type linter struct {
	*analysis.Pass
	allowed map[line]*allowance
	order   []*allowance // as read, so that reports come in order
}

// line is a place where an allowance holds.
type line struct {
	file   string
	number int
}

// allowance is one allow comment.
type allowance struct {
	pos  token.Pos
	used bool
}

const allowMark = "//detlint:allow"

// readAllowances notes the allow comments of f, and reports those that give no
// reason: they allow nothing.
func (l *linter) readAllowances(f *ast.File) {
	for _, group := range f.Comments {
		for _, c := range group.List {
			reason, ok := strings.CutPrefix(c.Text, allowMark)
			if !ok {
				continue
			}
			if strings.TrimSpace(reason) == "" || reason[0] != ' ' {
				l.Pass.Reportf(c.Pos(), "%s needs a reason: want %s REASON", allowMark, allowMark)
				continue
			}
			at := l.Fset.Position(c.Pos())
			a := &allowance{pos: c.Pos()}
			l.allowed[line{at.Filename, at.Line + 1}] = a
			l.order = append(l.order, a)
		}
	}
}

// reportf reports a finding unless the line above it allows it.
func (l *linter) reportf(pos token.Pos, format string, args ...any) {
	at := l.Fset.Position(pos)
	if a := l.allowed[line{at.Filename, at.Line}]; a != nil {
		a.used = true
		return
	}
	l.Pass.Reportf(pos, format, args...)
}

func (l *linter) reportUnused() {
	for _, a := range l.order {
		if !a.used {
			l.Pass.Reportf(a.pos, "%s allows nothing: the line below has no finding; remove it", allowMark)
		}
	}
}

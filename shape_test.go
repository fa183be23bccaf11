package footway_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The limits of the conventions, section 9.
const (
	maxFile     = 500 // lines
	maxFunction = 70
	p90Function = 40
)

// vague names say nothing about what a package is for.
var vague = []string{"base", "common", "helper", "helpers", "lib", "misc", "model", "models", "ports", "shared", "types", "util", "utils"}

// source is one parsed Go file that is neither a test nor generated.
type source struct {
	name string // path from the root of the repository
	pkg  string // import path
	fset *token.FileSet
	file *ast.File
}

// sources parses every Go file of the houses, whatever its build tags.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (d.Name() == "testdata" || strings.ContainsAny(d.Name()[:1], "._") || name == "out" || name == "bin"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		src, err := parse(name, text)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(src.file) {
			all = append(all, src)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("found no Go files: the test must run in the root of the repository")
	}
	return all
}

func parse(name string, text []byte) (source, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{name: name, pkg: path.Join(module, path.Dir(name)), fset: fset, file: f}, err
}

func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(fmt.Sprintf("%s: the parser let the import %s pass", s.name, spec.Path.Value))
		}
		paths = append(paths, p)
	}
	return paths
}

// lines counts the lines that n covers.
func (s source) lines(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

func TestPackageNames(t *testing.T) {
	for _, s := range sources(t) {
		if slices.Contains(vague, s.file.Name.Name) || slices.Contains(vague, path.Base(s.pkg)) {
			t.Errorf("%s: package %s: name it after what it provides", s.name, s.file.Name.Name)
		}
	}
}

func TestSizes(t *testing.T) {
	byHouse := map[string][]int{}
	for _, s := range sources(t) {
		for _, complaint := range s.tooLong() {
			t.Error(complaint)
		}
		house, _ := locate(s.pkg)
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				byHouse[house] = append(byHouse[house], s.lines(f))
			}
		}
	}
	for _, house := range slices.Sorted(maps.Keys(byHouse)) {
		lengths := byHouse[house]
		slices.Sort(lengths)
		if p90 := lengths[(len(lengths)-1)*9/10]; p90 > p90Function {
			t.Errorf("%s: nine of ten functions fit in %d lines, want %d", house, p90, p90Function)
		}
	}
}

// tooLong returns a complaint for the file and for each function above the limit.
func (s source) tooLong() []string {
	var complaints []string
	if n := s.fset.File(s.file.FileStart).LineCount(); n > maxFile {
		complaints = append(complaints, fmt.Sprintf("%s: %d lines, want at most %d: split it by idea", s.name, n, maxFile))
	}
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		if n := s.lines(f) - s.dispatchLines(f); n > maxFunction {
			complaints = append(complaints, fmt.Sprintf("%s: func %s: %d lines, want at most %d", s.fset.Position(f.Pos()), f.Name.Name, n, maxFunction))
		}
	}
	return complaints
}

// dispatchLines counts the lines of f in switches whose every case is one
// statement: such a table may be as long as what it dispatches.
func (s source) dispatchLines(f *ast.FuncDecl) (n int) {
	for _, stmt := range f.Body.List {
		var body *ast.BlockStmt
		switch sw := stmt.(type) {
		case *ast.SwitchStmt:
			body = sw.Body
		case *ast.TypeSwitchStmt:
			body = sw.Body
		default:
			continue
		}
		simple := !slices.ContainsFunc(body.List, func(c ast.Stmt) bool {
			b := c.(*ast.CaseClause).Body
			return len(b) > 1 || len(b) == 1 && s.lines(b[0]) > 1
		})
		if simple {
			n += s.lines(stmt)
		}
	}
	return n
}

func TestTooLong(t *testing.T) {
	repeat := func(n int, line string) string { return strings.Repeat(line+"\n", n) }
	tests := []struct {
		name, text string
		want       int // complaints
	}{
		{"short", "package p\n\nfunc f() {\n" + repeat(68, "g()") + "}\n", 0},
		{"long function", "package p\n\nfunc f() {\n" + repeat(69, "g()") + "}\n", 1},
		{"long method", "package p\n\nfunc (t T) f() {\n" + repeat(69, "g()") + "}\n", 1},
		{"dispatch table", "package p\n\nfunc f() {\nswitch x {\n" + repeat(90, "case 1:\n g()") + "}\n}\n", 0},
		{"long switch", "package p\n\nfunc f() {\nswitch x {\n" + repeat(90, "case 1:\n g()\n g()") + "}\n}\n", 1},
		{"full file", "package p\n" + repeat(499, "// x"), 0},
		{"long file", "package p\n" + repeat(500, "// x"), 1},
	}
	for _, tt := range tests {
		s, err := parse("core/p/p.go", []byte(tt.text))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := s.tooLong(); len(got) != tt.want {
			t.Errorf("%s: got %q, want %d complaints", tt.name, got, tt.want)
		}
	}
}

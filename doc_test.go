package footway_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestPackagesSayWhatTheyAreFor wants a comment on the package clause of at
// least one file of each package.
func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[s.pkg] = documented[s.pkg] || s.file.Doc.Text() != ""
	}
	for _, pkg := range slices.Sorted(maps.Keys(documented)) {
		if !documented[pkg] {
			t.Errorf("%s: no package comment: want a sentence saying what it is for and what it is not, such as // Package %s …", pkg, path.Base(pkg))
		}
	}
}

func TestCoreIsDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if house, _ := locate(s.pkg); house != "core" {
			continue
		}
		for _, complaint := range s.undocumented() {
			t.Error(complaint)
		}
	}
}

// undocumented returns a complaint for each exported name without a comment.
// The comment of a group speaks for its constants and variables.
func (s source) undocumented() []string {
	var complaints []string
	missing := func(id *ast.Ident) {
		complaints = append(complaints, fmt.Sprintf("%s: %s is exported and has no comment", s.fset.Position(id.Pos()), id.Name))
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && receiverIsExported(d) && d.Doc.Text() == "" {
				missing(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				for _, id := range undocumentedIn(d, spec) {
					missing(id)
				}
			}
		}
	}
	return complaints
}

func undocumentedIn(d *ast.GenDecl, spec ast.Spec) (ids []*ast.Ident) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		alone := d.Lparen == token.NoPos && d.Doc.Text() != ""
		if spec.Name.IsExported() && !alone && spec.Doc.Text() == "" && spec.Comment.Text() == "" {
			ids = append(ids, spec.Name)
		}
	case *ast.ValueSpec:
		if d.Doc.Text() != "" || spec.Doc.Text() != "" || spec.Comment.Text() != "" {
			return nil
		}
		for _, id := range spec.Names {
			if id.IsExported() {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func receiverIsExported(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch u := t.(type) {
		case *ast.StarExpr:
			t = u.X
		case *ast.IndexExpr:
			t = u.X
		case *ast.IndexListExpr:
			t = u.X
		case *ast.Ident:
			return u.IsExported()
		default:
			return true
		}
	}
}

func TestUndocumented(t *testing.T) {
	const text = `package p

type Bare struct{}

// Fine is documented.
type Fine[T any] struct{}

type (
	Grouped int
	Lined   int // lined is documented
)

// A group speaks for its members.
const (
	One = iota
	Two
)

var Alone, quiet = 1, 2

func Do() {}

func (f *Fine[T]) Method() {}

// Said is documented.
func (f *Fine[T]) Said() {}

func (h hidden) Method() {}

type hidden struct{}
`
	s, err := parse("core/p/p.go", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(s.undocumented(), "\n")
	want := strings.Join([]string{
		"core/p/p.go:3:6: Bare is exported and has no comment",
		"core/p/p.go:9:2: Grouped is exported and has no comment",
		"core/p/p.go:19:5: Alone is exported and has no comment",
		"core/p/p.go:21:6: Do is exported and has no comment",
		"core/p/p.go:23:19: Method is exported and has no comment",
	}, "\n")
	if got != want {
		t.Errorf("undocumented names: got\n%s\nwant\n%s", got, want)
	}
}

package footway_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What people are told is compared here with what the program does: pages that
// name codes, states, events and metrics name all that there are.

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// quoted returns what stands in backquotes in a page.
func quoted(page string) map[string]bool {
	words := map[string]bool{}
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(page, -1) {
		words[m[1]] = true
	}
	return words
}

// sourcesOf parses the files of a package, without its tests.
func sourcesOf(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		t.Fatalf("%s has no sources", dir)
	}
	return files
}

// constants returns the texts of constants of a package, by name, whose names are as wanted.
func constants(t *testing.T, dir string, wanted func(name string) bool) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, f := range sourcesOf(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, v := range spec.Values {
				if s, ok := text(v); ok && wanted(spec.Names[i].Name) {
					found[spec.Names[i].Name] = s
				}
			}
			return true
		})
	}
	return found
}

// text returns what a string literal says.
func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// nameOf returns the last part of what is called.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// told collects the codes and reasons in a package that callers are told:
// literals as first argument of functions of these names, as field Code, as what is assigned to one,
// and as reason of a fault of these kinds.
func told(t *testing.T, dir string, functions, kinds []string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	note := func(e ast.Expr) {
		if s, ok := text(e); ok && s != "" {
			found[s] = true
		}
	}
	for _, f := range sourcesOf(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := nameOf(n.Fun)
				if slices.Contains(functions, name) && len(n.Args) > 0 {
					note(n.Args[0])
				}
				if name == "New" && len(n.Args) > 2 && slices.Contains(kinds, nameOf(n.Args[1])) {
					note(n.Args[2])
				}
			case *ast.KeyValueExpr:
				if nameOf(n.Key) == "Code" {
					note(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if s, ok := left.(*ast.SelectorExpr); ok && s.Sel.Name == "Code" && i < len(n.Rhs) {
						note(n.Rhs[i])
					}
				}
			case *ast.FuncDecl:
				if n.Name.Name == "answerTo" {
					ast.Inspect(n, func(n ast.Node) bool {
						if r, ok := n.(*ast.ReturnStmt); ok {
							note(r.Results[1])
						}
						return true
					})
				}
			}
			return true
		})
	}
	return found
}

// TestPartnersErrors: docs/partners/errors.md names every code and reason that the door answers with.
func TestPartnersErrors(t *testing.T) {
	want := map[string]bool{}
	add := func(more map[string]bool) { maps.Copy(want, more) }
	texts := func(of map[string]string) {
		for _, s := range of {
			want[s] = true
		}
	}
	add(told(t, "adapters/partner", []string{"impossible", "notNow"}, nil))
	add(told(t, "core/integration", nil, []string{"NotFound"}))
	texts(constants(t, "adapters/integrations", func(name string) bool { return strings.HasPrefix(name, "code") }))
	texts(constants(t, "core/delivery", func(name string) bool {
		return slices.Contains([]string{"DuplicateDelivery", "UnknownDelivery", "QuoteExpired", "DeliveryCancelled", "DeliveryCompleted", "DeliveryPickedUp", "NotAccepted", "NoCarrier"}, name)
	}))
	texts(constants(t, "core/merchant", func(name string) bool {
		return strings.HasPrefix(name, "Unknown") || strings.HasPrefix(name, "Duplicate")
	}))
	texts(constants(t, "core/dispatch", func(name string) bool {
		return slices.Contains([]string{"DistanceTooLong", "PickupOutside", "DropoffOutside", "OutsideHours", "TooLarge", "NoCapacity"}, name)
	}))
	texts(constants(t, "core/integration", func(name string) bool { return name == "UnknownEndpoint" }))
	want["endpoint_not_active"] = true
	const least = 40 // so that a rewrite of the program does not empty the list
	if len(want) < least {
		t.Errorf("found %d codes and reasons in the sources, want at least %d", len(want), least)
	}
	have := quoted(read(t, "docs/partners/errors.md"))
	for _, code := range slices.Sorted(maps.Keys(want)) {
		if !have[code] {
			t.Errorf("docs/partners/errors.md does not explain `%s`", code)
		}
	}
}

// TestUberDirectWords: docs/partners/uber-direct.md names every code, status, event and reason of that door.
func TestUberDirectWords(t *testing.T) {
	want := told(t, "adapters/uber", []string{"refused"}, nil)
	for _, f := range append(sourcesOf(t, "adapters/uber"), sourcesOf(t, "adapters/integrations")...) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if nameOf(n.Fun) == "impossible" && len(n.Args) > 1 {
					if s, ok := text(n.Args[1]); ok {
						want[s] = true
					}
				}
			case *ast.FuncDecl:
				if n.Name.Name != "statusOf" && n.Name.Name != "uberCode" {
					return true
				}
				ast.Inspect(n, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						if s, ok := text(r.Results[0]); ok && s != "" {
							want[s] = true
						}
					}
					return true
				})
			}
			return true
		})
	}
	for _, s := range constants(t, "adapters/uber", func(name string) bool {
		return slices.Contains([]string{"deliveryStatus", "courierUpdate", "robotReason", "nearestTime", "meetingPoint"}, name)
	}) {
		want[s] = true
	}
	if len(want) < 40 {
		t.Errorf("found %d words in the sources, want at least 40", len(want))
	}
	have := quoted(read(t, "docs/partners/uber-direct.md"))
	for _, word := range slices.Sorted(maps.Keys(want)) {
		if !have[word] {
			t.Errorf("docs/partners/uber-direct.md does not explain `%s`", word)
		}
	}
}

// TestPartnersWords: the pages name every status, cancellation reason and event.
func TestPartnersWords(t *testing.T) {
	isEvent := regexp.MustCompile(`^(DASHER|DELIVERY|FOOTWAY)_`)
	events, statuses := map[string]bool{}, map[string]bool{}
	for _, s := range constants(t, "adapters/partner", func(string) bool { return true }) {
		if isEvent.MatchString(s) {
			events[s] = true
		}
	}
	for _, f := range sourcesOf(t, "adapters/partner") {
		ast.Inspect(f, func(n ast.Node) bool {
			fn, ok := n.(*ast.FuncDecl)
			if !ok {
				return true
			}
			if fn.Name.Name == "statusOf" {
				ast.Inspect(fn, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						if s, ok := text(r.Results[0]); ok {
							statuses[s] = true
						}
					}
					return true
				})
			}
			return false
		})
	}
	for _, s := range constants(t, "core/delivery", func(name string) bool {
		return slices.Contains([]string{"ByCreator", "FailedToAssign", "FailedToPickup", "FailedToDeliver", "FailedToReturn"}, name)
	}) {
		statuses[s] = true
	}
	for page, want := range map[string]map[string]bool{"docs/partners/webhooks.md": events, "docs/partners/deliveries.md": statuses} {
		if len(want) < 15 {
			t.Errorf("found %d words for %s in the sources, want at least 15", len(want), page)
		}
		have := quoted(read(t, page))
		for _, word := range slices.Sorted(maps.Keys(want)) {
			if !have[word] {
				t.Errorf("%s does not explain `%s`", page, word)
			}
		}
	}
}

// TestLinks: what the pages and this repository's front pages link to is there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	anchors := func(page string) map[string]bool {
		found := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
			name := strings.ToLower(strings.ReplaceAll(m[1], " ", "-"))
			found[regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(name, "")] = true
		}
		return found
	}
	pages := []string{"README.md", "DESIGN.md"}
	for _, dir := range []string{"docs", "deploy"} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".md") {
				pages = append(pages, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range pages {
		body := read(t, page)
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := page
			if target != "" {
				to = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if anchor != "" && !anchors(read(t, to))[anchor] {
				t.Errorf("%s links to %s, and %s has no such heading", page, m[1], to)
			}
		}
	}
}

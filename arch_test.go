package footway_test

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"footway/cmd/detlint/purity"
)

// The dependency rule of the design: arrows point inward. These tests read
// the sources of every platform, so they run with -count=1: the test cache
// does not see what they read.

const module = "footway"

// third lists the modules from elsewhere that a house may import; a missing
// house may import any, since an adapter exists for its technology.
var third = map[string][]string{
	"core":       {"gonum.org/v1/gonum", "github.com/paulmach/orb"},
	"sim":        {},
	"scenarios":  {},
	"visualizer": {"gonum.org/v1/gonum", "github.com/paulmach/orb", "github.com/hajimehoshi", "github.com/ebitengine", "github.com/ebitenui", "golang.org/x/image"},
}

// houses lists the houses of the module that a house may import, beside itself.
var houses = map[string][]string{
	"core":       {},
	"sim":        {"core"},
	"adapters":   {"core"},
	"visualizer": {"core"},
	"scenarios":  {},
	"cmd":        {"core", "sim", "adapters", "visualizer", "scenarios"},
}

// violation says why the package at path from must not import the package at
// path to, or is empty if it may.
func violation(from, to string) string {
	house, room := locate(from)
	allowed, known := houses[house]
	switch {
	case !known:
		return "is in no house: want core, adapters, sim, scenarios, visualizer or cmd"
	case from == module+"/core/porttest":
		return porttestViolation(to)
	case isStandard(to):
		return standardViolation(house, room, to)
	case !within(to, module):
		return thirdPartyViolation(house, room, to)
	}
	toHouse, toRoom := locate(to)
	switch {
	case toHouse == house && (house != "adapters" || toRoom == room):
		return ""
	case toHouse == house:
		return "an adapter does not know another adapter: put them together in cmd"
	case slices.Contains(allowed, toHouse):
		return ""
	}
	return house + " does not import " + toHouse + ": put them together in cmd"
}

func standardViolation(house, room, to string) string {
	if house != "core" && house != "sim" && (house != "visualizer" || room != "scene") {
		return ""
	}
	if why, bad := purity.Forbidden(to); bad {
		return house + " is pure, and " + to + " " + why
	}
	return ""
}

func thirdPartyViolation(house, room, to string) string {
	allowed, limited := third[house]
	if house == "visualizer" && room == "scene" {
		allowed = third["core"]
	}
	if !limited || slices.ContainsFunc(allowed, func(m string) bool { return within(to, m) }) {
		return ""
	}
	return house + " imports of third parties only: " + strings.Join(allowed, ", ")
}

// porttestViolation holds for the conformance suites, which are test code that
// every adapter imports: standard library, comparing and history checking.
func porttestViolation(to string) string {
	for _, root := range []string{module + "/core", "github.com/google/go-cmp", "github.com/anishathalye/porcupine", "pgregory.net/rapid"} {
		if within(to, root) {
			return ""
		}
	}
	if isStandard(to) {
		return ""
	}
	return "porttest imports core and the libraries of tests only"
}

// locate splits the path of a package of the module into house and room:
// footway/adapters/memory/fault is in adapters, memory.
func locate(path string) (house, room string) {
	parts := strings.SplitN(path, "/", 4)
	if len(parts) > 1 {
		house = parts[1]
	}
	if len(parts) > 2 {
		room = parts[2]
	}
	return house, room
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != module
}

func TestArrowsPointInward(t *testing.T) {
	for _, src := range sources(t) {
		for _, to := range src.imports() {
			if why := violation(src.pkg, to); why != "" {
				t.Errorf("%s: imports %s: %s", src.name, to, why)
			}
		}
	}
}

// viewer is the one program that may open a window.
const viewer = module + "/cmd/footway-view"

// TestServersAreSmall keeps the window out of every other program, however
// many packages lie between.
func TestServersAreSmall(t *testing.T) {
	for _, program := range goList(t, "./cmd/...") {
		if within(program, viewer) {
			continue
		}
		for _, dep := range goList(t, "-deps", program) {
			if within(dep, "github.com/hajimehoshi/ebiten") {
				t.Errorf("%s reaches %s: only %s may", program, dep, viewer)
				break
			}
		}
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.Fields(string(out))
}

// TestViolation shows that the rule rejects what it is there to reject.
func TestViolation(t *testing.T) {
	bad := [][2]string{
		{"core/dispatch", "footway/sim"},
		{"core/dispatch", "footway/adapters/memory"},
		{"core/dispatch", "footway/cmd/footway"},
		{"core/dispatch", "os"},
		{"core/dispatch", "net/http"},
		{"core/dispatch", "database/sql"},
		{"core/dispatch", "log/slog"},
		{"core/dispatch", "testing"},
		{"core/dispatch", "github.com/google/go-cmp/cmp"},
		{"core/dispatch", "gonum.org/v1/gonumx"},
		{"core/porttest", "footway/adapters/memory"},
		{"core/porttest", "github.com/stretchr/testify/assert"},
		{"sim", "footway/adapters/memory"},
		{"sim", "footway/visualizer/scene"},
		{"sim/kernel", "os"},
		{"sim/kernel", "gonum.org/v1/gonum/stat"},
		{"adapters/postgres", "footway/sim"},
		{"adapters/postgres", "footway/adapters/memory"},
		{"adapters/postgres", "footway/visualizer/scene"},
		{"adapters/postgres", "footway/cmd/footway"},
		{"visualizer/scene", "footway/sim"},
		{"visualizer/scene", "footway/adapters/runlog"},
		{"visualizer/scene", "github.com/hajimehoshi/ebiten/v2"},
		{"visualizer/scene", "os"},
		{"visualizer", "github.com/jackc/pgx/v5"},
		{"scenarios", "footway/sim"},
		{"util", "fmt"},
	}
	for _, c := range bad {
		if violation(module+"/"+c[0], c[1]) == "" {
			t.Errorf("%s may import %s, want it refused", c[0], c[1])
		}
	}
	good := [][2]string{
		{"core/dispatch", "footway/core/fleet"},
		{"core/dispatch", "gonum.org/v1/gonum/stat"},
		{"core/dispatch", "encoding/json"},
		{"core/porttest", "testing"},
		{"core/porttest", "footway/core/delivery"},
		{"sim/kernel", "footway/core/clock"},
		{"sim", "footway/sim/kernel"},
		{"adapters/postgres", "github.com/jackc/pgx/v5"},
		{"adapters/postgres/migrate", "footway/adapters/postgres"},
		{"adapters/postgres", "os"},
		{"visualizer", "footway/visualizer/scene"},
		{"visualizer", "github.com/hajimehoshi/ebiten/v2"},
		{"scenarios", "embed"},
		{"cmd/footway", "footway/adapters/memory"},
		{"cmd/footway", "footway/cmd/wiring"},
		{"cmd/footway", "github.com/spf13/cobra"},
	}
	for _, c := range good {
		if why := violation(module+"/"+c[0], c[1]); why != "" {
			t.Errorf("%s may not import %s: %s, want it allowed", c[0], c[1], why)
		}
	}
}

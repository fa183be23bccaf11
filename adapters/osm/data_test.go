package osm

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"footway/core/maps"
)

// extracts returns the folder of real extracts that lies beside the repository
// on developers' machines; tests that need it are skipped elsewhere.
func extracts(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
	folder := filepath.Join(dir, "..", "shared", "data", "osm")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no OpenStreetMap extracts: %v", err)
	}
	return folder
}

// importFile imports one of the real extracts.
func importFile(t testing.TB, name string) (*maps.Network, *Report) {
	t.Helper()
	f, err := os.Open(filepath.Join(extracts(t), name+".osm.pbf"))
	if err != nil {
		t.Skipf("extract missing: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	n, report, err := Import(t.Context(), name, f, info.Size(), Options{})
	if err != nil {
		t.Fatalf("import %s: %v", name, err)
	}
	t.Logf("%s: %v", name, time.Since(begin).Round(time.Millisecond))
	return n, report
}

package osm

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkImport imports a whole state, the largest of the real extracts.
func BenchmarkImport(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(extracts(b), "delaware.osm.pbf"))
	if err != nil {
		b.Skipf("extract missing: %v", err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Import(b.Context(), "delaware", bytes.NewReader(data), int64(len(data)), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

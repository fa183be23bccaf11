package postgres

import (
	"encoding/binary"
	"testing"

	"footway/core/maps"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plain takes out of the bytes written for a column what ST_AsBinary leaves out: the reference system.
func plain(b []byte) []byte {
	if b == nil {
		return nil
	}
	head := binary.LittleEndian.AppendUint32([]byte{wkbLittle}, binary.LittleEndian.Uint32(b[1:])&^wkbHasSRID)
	return append(head, b[9:]...)
}

// TestUnitsAreExact divides whole numbers of 1e-7 degrees to doubles and back:
// the ends of the range, all around some of them, and any.
func TestUnitsAreExact(t *testing.T) {
	check := func(t rapid.TB, u int32) {
		if got := units(degrees(u)); got != u {
			t.Fatalf("%d comes back as %d", u, got)
		}
	}
	for _, middle := range []int32{0, 1_800_000_000, -1_800_000_000, 900_000_000, -900_000_000, 1<<31 - 1_001, -1<<31 + 1_000, -1_222_903_117, 476_812_345} {
		for d := int32(-1000); d <= 1000; d++ {
			check(t, middle+d)
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.Int32().Draw(t, "units")) })
}

func TestGeometryRoundTrip(t *testing.T) {
	point := rapid.Custom(func(t *rapid.T) maps.Point {
		return maps.Point{Lon: rapid.Int32().Draw(t, "lon"), Lat: rapid.Int32().Draw(t, "lat")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p := point.Draw(t, "point")
		if got, err := readPoint(plain(pointBytes(p))); err != nil || got != p {
			t.Fatalf("%+v comes back as %+v, error %v", p, got, err)
		}
		polygon := rapid.SliceOfN(point, 1, 20).Draw(t, "polygon")
		got, err := readPolygon(plain(polygonBytes(polygon)))
		if diff := cmp.Diff(polygon, got); err != nil || diff != "" {
			t.Fatalf("error %v (-written +read)\n%s", err, diff)
		}
	})
	if got, err := readPolygon(plain(polygonBytes(nil))); err != nil || got != nil {
		t.Errorf("no polygon comes back as %v, error %v", got, err)
	}
}

// FuzzGeometry reads bytes that no database would send: an error, never a panic.
func FuzzGeometry(f *testing.F) {
	corners := []maps.Point{{Lon: 1, Lat: 2}, {Lon: 3, Lat: 4}, {Lon: 5, Lat: 6}}
	f.Add(plain(pointBytes(corners[0])))
	f.Add(plain(polygonBytes(corners)))
	f.Add([]byte{wkbLittle, wkbPolygon, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := readPoint(b); err == nil && len(b) != 21 {
			t.Errorf("a point of %d bytes", len(b))
		}
		if polygon, err := readPolygon(b); err == nil && len(b) > 0 && len(b) != 13+16*(len(polygon)+1) {
			t.Errorf("%d corners of %d bytes", len(polygon), len(b))
		}
	})
}

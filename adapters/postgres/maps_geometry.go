package postgres

import (
	"encoding/binary"
	"fmt"
	"math"

	"footway/core/maps"
)

// Geometry crosses the wire as well-known binary, with PostGIS's flag and the
// number of the reference system where it is written (OGC 06-103r4, 8.2; PostGIS
// documentation, "EWKB"). A whole number of 1e-7 degrees, divided to a double and
// rounded back, is the same number, so nothing is lost.

const (
	wkbLittle  = 1
	wkbPoint   = 1
	wkbPolygon = 3
	wkbHasSRID = 0x20000000
	wgs84      = 4326
	unitsPer   = 1e7 // of a degree
	wkbXY      = 16  // bytes of a position
)

func degrees(units int32) float64 { return float64(units) / unitsPer }

func units(degrees float64) int32 { return int32(math.Round(degrees * unitsPer)) }

func putXY(b []byte, p maps.Point) []byte {
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(degrees(p.Lon)))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(degrees(p.Lat)))
}

func putHead(kind uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{wkbLittle}, kind|wkbHasSRID)
	return binary.LittleEndian.AppendUint32(b, wgs84)
}

// pointBytes writes p for a column of type geometry.
func pointBytes(p maps.Point) []byte { return putXY(putHead(wkbPoint), p) }

// polygonBytes writes a polygon for a column of type geometry; one without corners is
// nil. The core leaves out the last corner that repeats the first, PostGIS wants it.
func polygonBytes(polygon []maps.Point) []byte {
	if len(polygon) == 0 {
		return nil
	}
	b := binary.LittleEndian.AppendUint32(putHead(wkbPolygon), 1) // one ring
	b = binary.LittleEndian.AppendUint32(b, uint32(len(polygon)+1))
	for _, p := range polygon {
		b = putXY(b, p)
	}
	return putXY(b, polygon[0])
}

// wkbBody returns what follows the head of ST_AsBinary(geom, 'NDR').
func wkbBody(b []byte, kind uint32) ([]byte, error) {
	if len(b) < 5 || b[0] != wkbLittle || binary.LittleEndian.Uint32(b[1:]) != kind {
		return nil, fmt.Errorf("geometry of %d bytes: want little-endian binary of kind %d", len(b), kind)
	}
	return b[5:], nil
}

func takeXY(b []byte) maps.Point {
	return maps.Point{
		Lon: units(math.Float64frombits(binary.LittleEndian.Uint64(b))),
		Lat: units(math.Float64frombits(binary.LittleEndian.Uint64(b[8:]))),
	}
}

// readPoint reads what pointBytes wrote, from ST_AsBinary(geom, 'NDR').
func readPoint(b []byte) (maps.Point, error) {
	body, err := wkbBody(b, wkbPoint)
	if err != nil {
		return maps.Point{}, err
	}
	if len(body) != wkbXY {
		return maps.Point{}, fmt.Errorf("point of %d bytes: want %d", len(body), wkbXY)
	}
	return takeXY(body), nil
}

// readPolygon reads what polygonBytes wrote, from ST_AsBinary(geom, 'NDR').
func readPolygon(b []byte) ([]maps.Point, error) {
	if b == nil {
		return nil, nil
	}
	body, err := wkbBody(b, wkbPolygon)
	if err != nil {
		return nil, err
	}
	const head = 8 // number of rings, number of corners
	if len(body) < head || binary.LittleEndian.Uint32(body) != 1 {
		return nil, fmt.Errorf("polygon of %d bytes: want one ring", len(body))
	}
	corners := int64(binary.LittleEndian.Uint32(body[4:]))
	if corners < 2 || int64(len(body)-head) != corners*wkbXY {
		return nil, fmt.Errorf("polygon of %d bytes: want a ring of %d corners", len(body), corners)
	}
	polygon := make([]maps.Point, corners-1) // the last repeats the first
	for i := range polygon {
		polygon[i] = takeXY(body[head+i*wkbXY:])
	}
	return polygon, nil
}

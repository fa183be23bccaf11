package maps

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParsePoint reads "lat,lon" in decimal degrees, such as "47.68,-122.29". ok is
// false if text is not two numbers; then it may be an address. It fails if they
// are no place on Earth.
func ParsePoint(text string) (p Point, ok bool, err error) {
	first, second, comma := strings.Cut(text, ",")
	lat, okLat := number(first)
	lon, okLon := number(second)
	if !comma || !okLat || !okLon {
		return Point{}, false, nil
	}
	if math.Abs(lat) > 90 || math.Abs(lon) > 180 || math.IsNaN(lat) || math.IsNaN(lon) {
		return Point{}, true, fmt.Errorf("%q is no place on Earth: want latitude,longitude within ±90 and ±180", text)
	}
	return Point{Lon: int32(math.Round(lon * 1e7)), Lat: int32(math.Round(lat * 1e7))}, true, nil
}

func number(s string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return v, err == nil
}

package osm

import (
	"math"
	"strconv"
	"strings"
)

// length returns a width such as "1.5", "1,5 m", "150 cm", "5 ft", "5'6\"" in
// millimetres; 0 if it is not one or beyond 100 m.
func length(s string) int32 {
	s = strings.ToLower(strings.TrimSpace(s))
	var mm float64
	if feet, inches, ok := strings.Cut(s, "'"); ok {
		mm = float64(number(feet) * 304.8)
		if inches = strings.TrimSuffix(strings.TrimSpace(inches), `"`); inches != "" {
			mm += float64(number(inches) * 25.4)
		}
	} else {
		scale := 1000.0
		for _, u := range lengthUnits {
			if rest, ok := strings.CutSuffix(s, u.word); ok {
				s, scale = rest, u.mm
				break
			}
		}
		mm = float64(number(s) * scale)
	}
	if !(mm > 0 && mm <= 100_000) { // NaN fails too
		return 0
	}
	return int32(math.Round(mm))
}

// lengthUnits by the word at the end; longer words before those they end in.
var lengthUnits = []struct {
	word string
	mm   float64
}{{"feet", 304.8}, {"ft", 304.8}, {"inches", 25.4}, {"in", 25.4}, {`"`, 25.4}, {"mm", 1}, {"cm", 10}, {"m", 1000}}

// number parses a decimal with point or comma; NaN if it is none.
func number(s string) float64 {
	s = strings.Replace(strings.TrimSpace(s), ",", ".", 1)
	if s == "" || strings.Trim(s, "+-.0123456789") != "" { // no exponents, no Inf
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// incline returns a slope such as "8%", "-4.5 %", "5°" or "0.08" in permille in
// the way's direction; steep for "up", "down" and the like, which name no
// number: of these only the sign of the slope means something.
func incline(s string) (permille int16, known, steep bool) {
	s = strings.TrimSpace(s)
	switch s {
	case "":
		return 0, false, false
	case "up", "steep", "yes":
		return 1, false, true
	case "down":
		return -1, false, true
	}
	var v float64
	if deg, ok := strings.CutSuffix(s, "°"); ok {
		v = math.Tan(float64(number(deg)*math.Pi/180)) * 1000
	} else if per, ok := strings.CutSuffix(s, "%"); ok {
		v = number(per) * 10
	} else {
		v = number(s)
		if math.Abs(v) < 1 { // bare fractions are slopes, bare numbers percent
			v *= 100
		}
		v *= 10
	}
	if !(math.Abs(v) <= 1000) { // NaN fails too
		return 0, false, false
	}
	return int16(math.Round(v)), true, false
}

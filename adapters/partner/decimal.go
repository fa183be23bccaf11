package partner

import (
	"errors"
	"strconv"
	"strings"
)

var errDecimal = errors.New("not a decimal number")

// maxDigits bounds the digits in front of the point, so that no product overflows.
const maxDigits = 10

// parseDecimal reads a JSON number as an integer of units of 10^-digits, rounded
// up (away from zero), and reports whether that was exact. It never goes through
// a float: 0.1 stays 0.1.
func parseDecimal(s string, digits int) (v int64, exact bool, err error) {
	mantissa, exponent, hasExponent := strings.Cut(strings.ToLower(s), "e")
	shift := 0
	if hasExponent {
		if shift, err = strconv.Atoi(exponent); err != nil || shift < -30 || shift > 30 {
			return 0, false, errDecimal
		}
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" {
		return 0, false, errDecimal
	}
	// The point stands behind len(whole)+shift digits of all; digits more are wanted.
	all, end := whole+fraction, len(whole)+shift+digits
	exact = true
	for i := range len(all) {
		b := all[i]
		switch {
		case b < '0' || b > '9':
			return 0, false, errDecimal
		case i < end:
			v = v*10 + int64(b-'0')
		case b != '0':
			exact = false
		}
		if v > pow10(maxDigits+digits)/10 {
			return 0, false, errDecimal
		}
	}
	for i := len(all); i < end && v != 0; i++ {
		if v *= 10; v > pow10(maxDigits+digits)/10 {
			return 0, false, errDecimal
		}
	}
	if !exact {
		v++
	}
	if negative {
		v = -v
	}
	return v, exact, nil
}

// pow10 returns 10^n.
func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// formatDecimal writes v/scale.
func formatDecimal(v, scale int64) string {
	s := strconv.FormatInt(v/scale, 10)
	if rest := v % scale; rest != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(scale+max(rest, -rest), 10)[1:], "0")
	}
	return s
}

// Drive's items are in pounds, inches and cubic feet, here in units of 10^-4.
const (
	mgPerPound   = 453_592 // and 37/100; see grams
	umPerInch    = 25_400
	mm3PerFoot3  = 28_316_847 // 28 316 846.592, rounded up
	perUnit      = 10_000
	mgHundredths = 37
)

// grams converts ten-thousandths of a pound to grams, rounded up.
func grams(pounds int64) int64 {
	return ceilDiv(pounds*(mgPerPound*100+mgHundredths), perUnit*100*1000)
}

// millimetres converts ten-thousandths of an inch to millimetres, rounded up.
func millimetres(inches int64) int64 { return ceilDiv(inches*umPerInch, perUnit*1000) }

// cubeSide returns the side in millimetres of a cube of so many ten-thousandths of a cubic foot, rounded up.
func cubeSide(feet3 int64) int64 {
	volume := ceilDiv(feet3*mm3PerFoot3, perUnit)
	low, high := int64(0), int64(1<<14)
	for low < high {
		if mid := (low + high) / 2; mid*mid*mid >= volume {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

package kpi

import (
	"fmt"
	"math"
	"strings"
)

// Format returns a value for people, with its unit: "12:05", "93.4%", "3.1 km".
func Format(v float64, u Unit) string {
	switch u {
	case Seconds:
		return clockwise(v)
	case Share:
		return fmt.Sprintf("%.1f%%", v*100)
	case Count:
		return fmt.Sprintf("%.0f", v)
	case PerHour:
		return fmt.Sprintf("%.2f /h", v)
	case Minutes:
		return fmt.Sprintf("%.1f min", v)
	case KM, KWh, WhPerKM:
		return fmt.Sprintf("%.1f %s", v, u)
	default:
		return fmt.Sprintf("%.3g %s", v, u)
	}
}

// FormatChange returns a difference for people, with its sign: "+1:05", "−2.1 pp".
func FormatChange(v float64, u Unit) string {
	if v == 0 {
		return "0"
	}
	sign := "+"
	if v < 0 {
		sign = "−"
	}
	if u == Share {
		return fmt.Sprintf("%s%.1f pp", sign, math.Abs(v)*100)
	}
	return sign + Format(math.Abs(v), u)
}

// clockwise writes seconds as m:ss, from an hour on as h:mm:ss.
func clockwise(v float64) string {
	sign := ""
	if v < 0 {
		sign = "−"
	}
	s := int64(math.Round(math.Abs(v)))
	if s == 0 {
		sign = ""
	}
	if s >= 3600 {
		return fmt.Sprintf("%s%d:%02d:%02d", sign, s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%s%d:%02d", sign, s/60, s%60)
}

// Label returns a KPI's name for people, below the heading of its group.
func Label(d Definition) string {
	name := d.Name
	for _, unit := range []string{"_km", "_kwh", "_minutes"} {
		if !strings.HasSuffix(name, "_per"+unit) {
			name = strings.TrimSuffix(name, unit)
		}
	}
	switch {
	case name == "late":
		name = "lateness"
	case name == "operator":
		name = "operator_time"
	case d.Group == lost && d.Unit == Count:
		name = strings.TrimPrefix(name, "undelivered_")
	case d.Group == refusals && d.Unit == Count:
		name = strings.TrimPrefix(name, "refused_")
	}
	return strings.ReplaceAll(name, "_", " ")
}

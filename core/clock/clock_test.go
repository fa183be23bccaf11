package clock

import (
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Duration
		out  string
	}{
		{"90s", 90 * Second, "1m30s"}, {"1h30m", 90 * Minute, "1h30m"}, {"15m", 15 * Minute, "15m"},
		{"2h", 2 * Hour, "2h"}, {"250ms", 250, "250ms"}, {"0s", 0, "0s"}, {"-3s", -3 * Second, "-3s"}, {"10m", 10 * Minute, "10m"},
	} {
		got, err := ParseDuration(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("ParseDuration(%q) = %d, %v; want %d", tt.text, got, err, tt.want)
		}
		if got.String() != tt.out {
			t.Errorf("%q is written %q, want %q", tt.text, got, tt.out)
		}
		again, err := ParseDuration(got.String())
		if err != nil || again != got {
			t.Errorf("%q is read back as %d, %v; want %d", got, again, err, got)
		}
	}
}

func TestParseDurationRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"90", "unit"}, {"0", "unit"}, {"", "unit"}, {"soon", "unit"}, {"1500us", "finer than a millisecond"},
	} {
		if d, err := ParseDuration(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseDuration(%q) = %v, %v; want an error with %q", tt.text, d, err, tt.want)
		}
	}
}

func TestTime(t *testing.T) {
	at := Of(time.Date(2026, 6, 12, 11, 0, 0, 999_999, time.UTC))
	if got := at.String(); got != "2026-06-12T11:00:00.000Z" {
		t.Errorf("the instant is %s, want it cut to the millisecond", got)
	}
	if got := at.Add(90 * Minute); got.Sub(at) != 90*Minute || got.String() != "2026-06-12T12:30:00.000Z" {
		t.Errorf("90 minutes later it is %s", got)
	}
}

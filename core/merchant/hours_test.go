package merchant

import (
	"testing"

	"footway/core/fault"
)

func TestHours(t *testing.T) {
	for _, c := range []struct{ in, out Hours }{
		{"Mo-Fr 08:00-18:00; Sa 10:00-14:00", "Mo-Fr 08:00-18:00; Sa 10:00-14:00"},
		{"Sa 15:00-02:00,10:00-14:00", "Sa 10:00-14:00,15:00-02:00"},
		{"Mo 08:00-18:00; Tu 08:00-18:00", "Mo-Tu 08:00-18:00"},
		{"Sa-Mo 00:00-24:00", "Mo 00:00-24:00; Sa-Su 00:00-24:00"},
		{"", "Mo-Su 00:00-24:00"},
	} {
		w, err := c.in.Parse()
		if err != nil || w.Hours() != c.out {
			t.Errorf("Parse(%q).Hours() = %q, %v; want %q", c.in, w.Hours(), err, c.out)
		}
	}
	for _, bad := range []Hours{"always", "Mo", "Mo 8-18", "Xx 08:00-18:00", "Mo 08:00-18:00,17:00-19:00", "Mo 25:00-26:00", "Mo 08:00", ";", "Mo  08:00-09:60", "mo 08:00-18:00"} {
		if w, err := bad.Parse(); !fault.Is(err, fault.Invalid) {
			t.Errorf("Parse(%q) = %v, %v; want it refused", bad, w, err)
		}
	}
}

func TestHoursWait(t *testing.T) {
	w, err := Hours("Mo-Fr 08:00-18:00; Sa 20:00-02:00").Parse()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ day, minute, want int }{
		{0, 8 * 60, 0}, {0, 7*60 + 30, 30}, {0, 18 * 60, 14 * 60}, {4, 18 * 60, 26 * 60},
		{6, 60, 0}, {6, 2 * 60, 30 * 60}, {5, 19*60 + 59, 1}, {0, 0, 8 * 60},
	} {
		if got, ok := w.Wait(c.day, c.minute); !ok || got != c.want {
			t.Errorf("Wait(day %d, %02d:%02d) = %d, %v; want %d", c.day, c.minute/60, c.minute%60, got, ok, c.want)
		}
	}
	if _, ok := (&Week{}).Wait(3, 100); ok {
		t.Error("a week without hours opens")
	}
}

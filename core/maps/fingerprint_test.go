package maps

import "testing"

func TestFingerprint(t *testing.T) {
	n, p := grid(t, 4, 4), DefaultProfile()
	of := func(live Live) uint64 { return NewMetric(n, p, live).Fingerprint() }
	plain := of(Live{Version: 1})
	if again := of(Live{Version: 7}); again != plain {
		t.Errorf("the same ways have the fingerprints %x and %x, since their versions differ", plain, again)
	}
	seen := map[uint64]string{plain: "plain"}
	note := func(name string, f uint64) {
		if other, ok := seen[f]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[f] = name
	}
	note("rain", of(Live{Speeds: ClassSpeeds{700, 700, 700, 700, 700}}))
	for e := range EdgeID(8) {
		note("a closure of edge "+string(rune('0'+e)), of(Live{Closed: []EdgeID{e}}))
	}
	slow := p
	slow.SpeedMMS /= 2
	note("a slower robot", NewMetric(n, slow, Live{}).Fingerprint())
	note("another network", NewMetric(grid(t, 4, 5), p, Live{}).Fingerprint())
}

package integrations

import (
	"fmt"
	"sync"
	"testing"
)

// TestRecent keeps what was asked for last, and no more than it may.
func TestRecent(t *testing.T) {
	r, made := newRecent[int](3), 0
	get := func(key string) int { return r.get(key, func() int { made++; return made }) }
	for _, key := range []string{"a", "b", "c", "a", "d"} { // b makes way for d
		get(key)
	}
	for key, want := range map[string]int{"a": 1, "c": 3, "d": 4} {
		if got := get(key); got != want {
			t.Errorf("%s is %d, want %d as it was", key, got, want)
		}
	}
	if got := get("b"); got != 5 {
		t.Errorf("b is %d, want it made again", got)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 1000 {
				r.get(fmt.Sprint(i, j%50), func() int { return 0 })
			}
		})
	}
	wg.Wait()
	if len(r.of) != 3 || r.all.Len() != 3 {
		t.Errorf("%d and %d are kept, want 3", len(r.of), r.all.Len())
	}
}

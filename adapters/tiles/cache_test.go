package tiles

import (
	"testing"

	"github.com/paulmach/orb/maptile"
)

func TestCacheForgetsTheOldest(t *testing.T) {
	one := finished{body: make([]byte, 800)} // 1000 with what it takes beside
	c := newCache(3000)
	at := func(x uint32) maptile.Tile { return maptile.New(x, 0, 10) }
	for x := range uint32(3) {
		c.put(at(x), one, c.age())
	}
	c.get(at(0)) // so that 1 is the oldest
	c.put(at(3), one, c.age())
	for x, want := range map[uint32]bool{0: true, 1: false, 2: true, 3: true} {
		if _, ok := c.get(at(x)); ok != want {
			t.Errorf("tile %d is kept: %v, want %v", x, ok, want)
		}
	}
	age := c.age()
	c.clear()
	c.put(at(7), one, age)
	if _, ok := c.get(at(7)); ok || c.room != 3000 || c.order.Len() != 0 {
		t.Errorf("what is old is kept: %v, room %d", ok, c.room)
	}
}

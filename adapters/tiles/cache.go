package tiles

import (
	"container/list"
	"sync"

	"github.com/paulmach/orb/maptile"
)

// cache keeps the tiles that were asked for last, up to a number of bytes.
type cache struct {
	mu    sync.Mutex
	room  int
	at    map[maptile.Tile]*list.Element
	order *list.List // of *cached, the last asked for in front
	aged  int        // how often it was cleared
}

type cached struct {
	at   maptile.Tile
	tile finished
}

func newCache(bytes int) *cache {
	return &cache{room: bytes, at: map[maptile.Tile]*list.Element{}, order: list.New()}
}

func (c *cache) get(at maptile.Tile) (finished, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.at[at]
	if !ok {
		return finished{}, false
	}
	c.order.MoveToFront(e)
	return entry(e).tile, true
}

// age is a number to give to put, so that nothing stays that was made of what is old.
func (c *cache) age() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.aged
}

func (c *cache) put(at maptile.Tile, f finished, age int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.at[at]; there || age != c.aged {
		return
	}
	c.at[at] = c.order.PushFront(&cached{at, f})
	c.room -= f.size()
	for c.room < 0 && c.order.Len() > 1 {
		last := c.order.Back()
		c.room += entry(last).tile.size()
		delete(c.at, entry(last).at)
		c.order.Remove(last)
	}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.at {
		c.room += entry(e).tile.size()
	}
	clear(c.at)
	c.order.Init()
	c.aged++
}

func entry(e *list.Element) *cached {
	one, ok := e.Value.(*cached)
	if !ok {
		panic("tiles: the list holds only what put puts in")
	}
	return one
}

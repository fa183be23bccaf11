package maps

// treeKey names a tree under the metric in force.
type treeKey struct {
	root    Position
	forward bool
}

// treeCache keeps the trees used last, up to a number of them.
type treeCache struct {
	limit  int
	byKey  map[treeKey]*cached
	newest *cached
	oldest *cached
	asked  map[treeKey]uint32 // how often each root was asked for, so that the tree that will be asked for again is grown
}

type cached struct {
	tree         tree
	newer, older *cached
}

// maxAsked bounds the memory of what was asked for; then it starts afresh.
const maxAsked = 1 << 16

func newTreeCache(limit int) *treeCache {
	c := &treeCache{limit: max(limit, 4)}
	c.clear()
	return c
}

func (c *treeCache) clear() {
	c.byKey = make(map[treeKey]*cached)
	c.asked = make(map[treeKey]uint32)
	c.newest, c.oldest = nil, nil
}

// ask notes that k was asked for and returns how often that was.
func (c *treeCache) ask(k treeKey) uint32 {
	if len(c.asked) >= maxAsked {
		clear(c.asked)
	}
	c.asked[k]++
	return c.asked[k]
}

func (c *treeCache) has(k treeKey) bool { return c.byKey[k] != nil }

// get returns the tree of k, now the newest, or nil.
func (c *treeCache) get(k treeKey) *tree {
	x := c.byKey[k]
	if x == nil {
		return nil
	}
	c.unlink(x)
	c.link(x)
	return &x.tree
}

// put makes room for the tree of k and returns it to be grown, with labels of
// any content. The tree it replaces must not be used any more.
func (c *treeCache) put(k treeKey, nodes int) *tree {
	x := &cached{}
	if len(c.byKey) >= c.limit {
		x = c.oldest
		c.unlink(x)
		delete(c.byKey, treeKey{x.tree.root, x.tree.forward})
	}
	x.tree.root, x.tree.forward = k.root, k.forward
	if len(x.tree.labels) != nodes {
		x.tree.labels = make([]label, nodes)
	}
	c.byKey[k] = x
	c.link(x)
	return &x.tree
}

func (c *treeCache) link(x *cached) {
	x.newer, x.older = nil, c.newest
	if c.newest != nil {
		c.newest.newer = x
	} else {
		c.oldest = x
	}
	c.newest = x
}

func (c *treeCache) unlink(x *cached) {
	if x.newer != nil {
		x.newer.older = x.older
	} else {
		c.newest = x.older
	}
	if x.older != nil {
		x.older.newer = x.newer
	} else {
		c.oldest = x.newer
	}
}

package dynamo

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"
	"slices"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/task"
)

// cursor is a place in a market's feed, and what its reader knows of the tasks
// that it may meet again.
type cursor struct {
	market uint32             // hash of the market, so that a cursor of another is refused
	from   string             // the place behind which to look; "" is the beginning
	tasks  map[taskHash]given // tasks that were given out
}

// taskHash is short for a task's id, so that cursors are short. That any two of
// the tasks in a cursor have the same one has a chance of 5 in 10^13.
type taskHash uint64

// given is how much of a task was given out.
type given struct {
	at     clock.Time // of its last entry
	events int
	over   bool // it has ended
}

func hashOf(id task.ID) taskHash {
	sum := sha256.Sum256([]byte(id))
	return taskHash(binary.BigEndian.Uint64(sum[:]))
}

// unseen returns how many events of an entry, as the index knows it, were not given out yet.
func (c *cursor) unseen(e entry) int {
	h := hashOf(e.id)
	g, ok := c.tasks[h]
	if ok && e.at > g.at {
		g.at = e.at
		c.tasks[h] = g // it will be met there again
	}
	return max(0, e.events-g.events)
}

// follow notes that a task is given out up to its last event, and returns how
// many of them were given out before.
func (c *cursor) follow(e entry, events int, over bool) (before int) {
	h := hashOf(e.id)
	g := c.tasks[h]
	c.tasks[h] = given{at: max(g.at, e.at), events: events, over: over}
	if g.events > events {
		return 0 // another task of that name, after the first was forgotten
	}
	return g.events
}

// follows returns how many tasks it cannot forget once the feed is read up to a place.
func (c *cursor) follows(from string) (n int) {
	from = max(from, c.from)
	for _, g := range c.tasks {
		if !g.before(from) {
			n++
		}
	}
	return n
}

// before reports whether the task is met again only after it changes.
func (g given) before(from string) bool {
	return from != "" && stamp(g.at) < from[:min(len(from), len(stamp(0)))]
}

// trim forgets tasks that will not be met again, but for those that have not
// ended, as far as there is room.
func (c *cursor) trim(room int) {
	var idle []taskHash
	for h, g := range c.tasks {
		switch {
		case !g.before(c.from):
			room--
		case g.over:
			delete(c.tasks, h)
		default:
			idle = append(idle, h)
		}
	}
	if len(idle) <= room {
		return
	}
	slices.SortFunc(idle, func(a, b taskHash) int { // the latest first
		return cmp.Or(cmp.Compare(c.tasks[b].at, c.tasks[a].at), cmp.Compare(a, b))
	})
	for _, h := range idle[max(0, room):] {
		delete(c.tasks, h)
	}
}

const cursorVersion = 1

var cursorText = base64.RawURLEncoding.Strict()

// encode returns c as text: a version, the market, the place, and for each task
// its hash, how much of it was given out, and its time as the distance from the place.
func (c *cursor) encode() task.Cursor {
	b := []byte{cursorVersion}
	b = binary.BigEndian.AppendUint32(b, c.market)
	b = binary.AppendUvarint(b, uint64(len(c.from)))
	b = append(b, c.from...)
	b = binary.AppendUvarint(b, uint64(len(c.tasks)))
	base := timeOf(c.from)
	for _, h := range slices.Sorted(maps.Keys(c.tasks)) {
		g := c.tasks[h]
		flag := uint64(0)
		if g.over {
			flag = 1
		}
		b = binary.BigEndian.AppendUint64(b, uint64(h))
		b = binary.AppendUvarint(b, uint64(g.events)<<1|flag)
		b = binary.AppendVarint(b, int64(g.at-base))
	}
	return task.Cursor(cursorText.EncodeToString(b))
}

func timeOf(place string) clock.Time {
	t, _, _ := parseChanged(place[:min(len(place), len(stamp(0)))] + "/")
	return t
}

func hashMarket(m market.ID) uint32 {
	h := fnv.New32a()
	h.Write([]byte(m))
	return h.Sum32()
}

// parseCursor reads what encode wrote, for the market.
func parseCursor(m market.ID, text task.Cursor) (cursor, error) {
	c := cursor{market: hashMarket(m), tasks: map[taskHash]given{}}
	if text == "" {
		return c, nil
	}
	b, err := cursorText.DecodeString(string(text))
	if err != nil || len(b) < 5 || b[0] != cursorVersion || binary.BigEndian.Uint32(b[1:]) != c.market {
		return cursor{}, badCursor(m)
	}
	r := cursorReader{rest: b[5:]}
	c.from = string(r.bytes(int(min(r.uvarint(), 2*maxID))))
	base := timeOf(c.from)
	for n := min(r.uvarint(), uint64(len(b))); n > 0 && !r.failed; n-- {
		var h taskHash
		if p := r.bytes(8); p != nil {
			h = taskHash(binary.BigEndian.Uint64(p))
		}
		events, at := r.uvarint(), r.varint()
		if events>>1 > math.MaxInt32 {
			r.failed = true
		}
		c.tasks[h] = given{at: base.Add(clock.Duration(at)), events: int(events >> 1), over: events&1 == 1}
	}
	if r.failed || len(r.rest) > 0 {
		return cursor{}, badCursor(m)
	}
	return c, nil
}

func badCursor(m market.ID) error {
	return fault.New("dynamo.Changes", fault.Invalid, "cursor", "it is no cursor of the feed of market %q", m)
}

// cursorReader reads the parts of a cursor; after the first that is not there it only fails.
type cursorReader struct {
	rest   []byte
	failed bool
}

func (r *cursorReader) bytes(n int) []byte {
	if r.failed || n > len(r.rest) {
		r.failed = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *cursorReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *cursorReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *cursorReader) skip(n int) {
	if n <= 0 {
		r.failed = true
		return
	}
	r.rest = r.rest[n:]
}

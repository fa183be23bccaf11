package memory

import "footway/core/delivery"

// outbox is a queue from which any element can be taken: adding, and taking
// near the front, cost constant time on average.
type outbox struct {
	rows  []row
	first int // rows before it are sent
	left  int // rows that are not sent
	at    map[delivery.UpdateKey]int
}

type row struct {
	update delivery.Update
	sent   bool
}

func newOutbox() outbox { return outbox{at: map[delivery.UpdateKey]int{}} }

func (o *outbox) add(u []delivery.Update) {
	for i := range u {
		o.at[u[i].Key()] = len(o.rows)
		o.rows = append(o.rows, row{update: u[i]})
	}
	o.left += len(u)
}

func (o *outbox) unsent(limit int) []delivery.Update {
	if o.left == 0 {
		return nil
	}
	all := make([]delivery.Update, 0, min(limit, o.left))
	for i := o.first; i < len(o.rows) && len(all) < limit; i++ {
		if !o.rows[i].sent {
			all = append(all, o.rows[i].update)
		}
	}
	return all
}

func (o *outbox) mark(k delivery.UpdateKey) {
	i, ok := o.at[k]
	if !ok {
		return
	}
	delete(o.at, k)
	o.rows[i] = row{sent: true}
	o.left--
	for o.first < len(o.rows) && o.rows[o.first].sent {
		o.first++
	}
	if sent := len(o.rows) - o.left; sent > 64 && sent > o.left {
		o.compact()
	}
}

// compact drops the sent rows, once they are more than the others.
func (o *outbox) compact() {
	rest := make([]row, 0, 2*o.left)
	for _, r := range o.rows[o.first:] {
		if !r.sent {
			o.at[r.update.Key()] = len(rest)
			rest = append(rest, r)
		}
	}
	o.rows, o.first = rest, 0
}

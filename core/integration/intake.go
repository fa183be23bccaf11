package integration

import (
	"cmp"
	"slices"

	"footway/core/delivery"
	"footway/core/fault"
)

// Stream is what a log knows of one delivery.
type Stream struct {
	Delivery delivery.ID
	Partner  delivery.PartnerID // whose it is; "" if nothing of it was ever taken
	Entered  uint64             // its updates 1 to Entered are in the partner's log
	Held     []delivery.Update  // later ones that wait, in order
}

// Intake decides what a call of Log.Take does. A log reads what it knows of
// the deliveries, gives the updates to an Intake, and writes what became of
// them; nobody else may change those deliveries meanwhile.
type Intake struct {
	streams  []*intaken
	of       map[delivery.ID]*intaken
	known    map[delivery.UpdateKey]delivery.Update
	entered  []delivery.Update
	released []delivery.UpdateKey
}

// intaken is a stream with what the call adds to it.
type intaken struct {
	Stream // Held is unused
	before uint64
	held   []waiting
}

// waiting is an update that is held.
type waiting struct {
	delivery.Update
	fresh bool // taken by this call
}

// NewIntake returns an intake for updates of the deliveries in streams. known
// are the entries that the updates name, as far as the log still has them.
func NewIntake(streams []Stream, known []delivery.Update) *Intake {
	in := &Intake{
		of:    make(map[delivery.ID]*intaken, len(streams)),
		known: make(map[delivery.UpdateKey]delivery.Update, len(known)),
	}
	for _, s := range streams {
		t := &intaken{Stream: s, before: s.Entered}
		for _, u := range s.Held {
			t.held = append(t.held, waiting{Update: u})
		}
		in.streams, in.of[s.Delivery] = append(in.streams, t), t
	}
	for _, u := range known {
		in.known[u.Key()] = u
	}
	return in
}

// Take takes updates in the order given. After an error the log writes nothing.
func (in *Intake) Take(u ...delivery.Update) error {
	for i := range u {
		if err := in.take(u[i]); err != nil {
			return err
		}
	}
	return nil
}

func (in *Intake) take(u delivery.Update) error {
	const op = "integration.Take"
	t := in.of[u.Delivery]
	if t == nil {
		return fault.New(op, fault.Internal, "", "update %s/%d: the log did not read its delivery", u.Delivery, u.Sequence)
	}
	if t.Partner == "" {
		t.Partner = u.Partner
	}
	if u.Partner != t.Partner {
		return fault.New(op, fault.Conflict, "other_partner", "update %s/%d is for partner %s, and the delivery is %s's", u.Delivery, u.Sequence, u.Partner, t.Partner)
	}
	at, waits := slices.BinarySearchFunc(t.held, u.Sequence, func(w waiting, s uint64) int { return cmp.Compare(w.Sequence, s) })
	recorded, known := in.known[u.Key()]
	if waits {
		recorded, known = t.held[at].Update, true
	}
	switch {
	case known && !recorded.Same(&u):
		return fault.New(op, fault.Conflict, "other_update", "update %s/%d is recorded with another content: %s at %s, and the new one is %s at %s",
			u.Delivery, u.Sequence, recorded.Kind, recorded.At, u.Kind, u.At)
	case known, u.Sequence <= t.Entered: // a duplicate, of an entry that was trimmed in the second case
		return nil
	}
	t.held = slices.Insert(t.held, at, waiting{u, true})
	in.release(t)
	return nil
}

// release lets in what need not wait any more.
func (in *Intake) release(t *intaken) {
	n := 0
	for ; n < len(t.held) && t.held[n].Sequence == t.Entered+1; n++ {
		w := t.held[n]
		t.Entered++
		in.known[w.Key()] = w.Update
		in.entered = append(in.entered, w.Update)
		if !w.fresh {
			in.released = append(in.released, w.Key())
		}
	}
	t.held = slices.Delete(t.held, 0, n)
}

// Entered returns the updates that enter their partners' logs, in order.
func (in *Intake) Entered() []delivery.Update { return in.entered }

// Released returns those of Entered that were held before, in no order.
func (in *Intake) Released() []delivery.UpdateKey { return in.released }

// Held returns the updates that are held from now on.
func (in *Intake) Held() []delivery.Update {
	var held []delivery.Update
	for _, t := range in.streams {
		for i := range t.held {
			if t.held[i].fresh {
				held = append(held, t.held[i].Update)
			}
		}
	}
	return held
}

// Grown returns the streams whose log has grown, without what they hold.
func (in *Intake) Grown() []Stream {
	var grown []Stream
	for _, t := range in.streams {
		if t.Entered > t.before {
			grown = append(grown, Stream{Delivery: t.Delivery, Partner: t.Partner, Entered: t.Entered})
		}
	}
	return grown
}

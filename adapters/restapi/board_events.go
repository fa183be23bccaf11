package restapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"footway/core/delivery"
)

// A stream of a board keeps one page of it up to date in its reader's hands. An
// event's id is a fingerprint of all that the reader then has: which deliveries,
// at which update. Who comes again with the fingerprint of the page as it is, on
// whatever replica, is told nothing; anybody else is told the whole page.

// fingerprint is the sum of the hashes of what somebody has, in any order.
type fingerprint [12]byte

// with returns f with a delivery added, or taken away again.
func (f fingerprint) with(id delivery.ID, sequence uint64) fingerprint {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, sequence), id...))
	for i := range f {
		f[i] ^= sum[i]
	}
	return f
}

func (f fingerprint) String() string { return base64.RawURLEncoding.EncodeToString(f[:]) }

// pace is the shortest time between two looks at a board, so that a busy one is not read all the time.
const pace = 200 * time.Millisecond

// watchBoard keeps a page of a board up to date.
func (s *deliveriesAPI) watchBoard(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	b, q, err := boardQuery(r, "after")
	if err != nil {
		return err
	}
	l := s.Bell.listen(partnerKey(b.Partner))
	defer l.close()
	page, err := s.Board.Board(r.Context(), b)
	if err != nil {
		return err
	}
	e, err := openEvents(w)
	if err != nil {
		s.streamBroke(r, err)
		return nil
	}
	f := keeping{s, r, e, callerIn(r), b, map[delivery.ID]uint64{}, fingerprint{}}
	s.streamBroke(r, f.keep(l, page, lastEventID(r, q)))
	return nil
}

// keeping tells one reader of one board.
type keeping struct {
	*deliveriesAPI
	r      *http.Request
	e      *events
	caller Caller
	query  delivery.BoardQuery
	has    map[delivery.ID]uint64 // what the reader has, and at which update
	print  fingerprint
}

// keep returns when the stream is over.
func (k *keeping) keep(l *listener, page []delivery.Delivery, last string) error {
	if k.taken(page) != last {
		k.has, k.print = map[delivery.ID]uint64{}, fingerprint{}
		if err := k.e.send("reset", k.print.String(), struct{}{}); err != nil {
			return err
		}
	}
	old := time.After(k.o.Life)
	for {
		if err := k.tell(page); err != nil {
			return err
		}
		select {
		case <-time.After(pace):
		case <-k.r.Context().Done():
			return nil
		case <-k.draining:
			return nil
		}
		if !k.wait(k.r.Context(), l, old) {
			return nil
		}
		var err error
		if page, err = k.Board.Board(k.r.Context(), k.query); err != nil {
			return err
		}
	}
}

// taken supposes that the reader has the page, and returns its fingerprint.
func (k *keeping) taken(page []delivery.Delivery) string {
	for i := range page {
		k.has[page[i].ID] = page[i].Sequence
		k.print = k.print.with(page[i].ID, page[i].Sequence)
	}
	return k.print.String()
}

// tell sends what differs between the page and what the reader has.
func (k *keeping) tell(page []delivery.Delivery) error {
	on := make(map[delivery.ID]bool, len(page))
	for i := range page {
		d := &page[i]
		on[d.ID] = true
		before, had := k.has[d.ID]
		if had && before == d.Sequence {
			continue
		}
		if had {
			k.print = k.print.with(d.ID, before)
		}
		k.has[d.ID], k.print = d.Sequence, k.print.with(d.ID, d.Sequence)
		if err := k.e.send("delivery", k.print.String(), shown(k.caller, *d)); err != nil {
			return err
		}
	}
	for id, sequence := range k.has {
		if on[id] {
			continue
		}
		delete(k.has, id)
		k.print = k.print.with(id, sequence)
		if err := k.e.send("left", k.print.String(), struct {
			ID delivery.ID `json:"id"`
		}{id}); err != nil {
			return err
		}
	}
	return k.e.beat()
}

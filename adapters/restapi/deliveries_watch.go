package restapi

import (
	"net/http"
	"strconv"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
)

// MaxPage is how many entries a page has at most.
const MaxPage = 200

// limitOf returns how many entries a caller wants: 1 to MaxPage, and all of them if it does not say.
func limitOf(q *query) int {
	n := q.number("limit", MaxPage)
	if q.err == nil && (n < 1 || n > MaxPage) {
		q.err = invalid(reasonBadQuery, "query: limit: want 1 to %d", MaxPage)
	}
	return n
}

type wireUpdates struct {
	Updates []wireUpdate `json:"updates"`
	Next    uint64       `json:"next"`
}

func (s *deliveriesAPI) updates(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	q := readQuery(r, "after", "limit")
	after, limit := sequenceOf(q.text("after")), limitOf(q)
	if q.err != nil {
		return q.err
	}
	if after < 0 {
		return badSequence("query: after")
	}
	d, err := s.find(r)
	if err != nil {
		return err
	}
	all, err := s.Board.Updates(r.Context(), d.ID, uint64(after), limit)
	if err != nil {
		return err
	}
	out := wireUpdates{Updates: list(all, updateTo), Next: uint64(after)}
	if len(all) > 0 {
		out.Next = all[len(all)-1].Sequence
	}
	body, err := encode(out)
	if err != nil {
		return err
	}
	return answer(w, r, body)
}

// sequenceOf reads the number of an update, "" is 0. It returns -1 for what is none.
func sequenceOf(text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > delivery.MaxSequence {
		return -1
	}
	return n
}

func badSequence(where string) error {
	return invalid(reasonBadCursor, "%s: want the sequence of an update, 0 to %d", where, delivery.MaxSequence)
}

// lastEventID returns where a reader of a stream left off: as its browser says, or
// as it says itself the first time.
func lastEventID(r *http.Request, q *query) string {
	if h := r.Header.Get("Last-Event-Id"); h != "" {
		return h
	}
	return q.text("after")
}

// watchDelivery tells the updates of a delivery as they come.
func (s *deliveriesAPI) watchDelivery(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	q := readQuery(r, "after", "robot")
	if q.err != nil {
		return q.err
	}
	if robot := q.text("robot"); robot != "" && robot != "true" && robot != "false" {
		return invalid(reasonBadQuery, "query: robot: want true or false")
	}
	after := sequenceOf(lastEventID(r, q))
	if after < 0 {
		return badSequence("last-event-id")
	}
	d, err := s.find(r)
	if err != nil {
		return err
	}
	l := s.Bell.listen(deliveryKey(d.ID))
	defer l.close()
	if d.State.Ended() && uint64(after) >= d.Sequence {
		w.WriteHeader(http.StatusNoContent) // nothing more will come, so nobody need come again
		return nil
	}
	e, err := openEvents(w)
	if err != nil {
		s.streamBroke(r, err)
		return nil
	}
	f := following{deliveriesAPI: s, r: r, e: e, id: d.ID, after: uint64(after)}
	if q.text("robot") == "true" && s.Robots != nil {
		f.eye = &eye{market: d.Market, robot: d.Robot, state: d.State}
	}
	return f.follow(l)
}

// following tells one reader of one delivery.
type following struct {
	*deliveriesAPI
	r     *http.Request
	e     *events
	id    delivery.ID
	after uint64
	began bool // it was looked at once
	eye   *eye // nil: the reader does not want to know where the robot is
}

// follow returns when the stream is over. Nobody is left then to be told of an error.
func (f *following) follow(l *listener) error {
	old := time.After(f.o.Life)
	for {
		ended, err := f.tell()
		if err != nil || ended {
			f.streamBroke(f.r, err)
			return nil
		}
		if !f.attend(l, old) {
			return nil
		}
	}
}

// streamBroke logs why a stream ended early; its reader comes again.
func (a *API) streamBroke(r *http.Request, err error) {
	if err != nil && r.Context().Err() == nil {
		a.o.Log.WarnContext(r.Context(), "a stream broke", "request_id", RequestID(r.Context()), "error", err)
	}
}

// tell sends what is new, and reports whether that was the end.
func (f *following) tell() (ended bool, err error) {
	ctx := f.r.Context()
	for {
		all, err := f.Board.Updates(ctx, f.id, f.after, MaxPage)
		if err != nil {
			return false, err
		}
		for i := range all {
			u := &all[i]
			if err := f.e.send(string(u.Kind), strconv.FormatUint(u.Sequence, 10), updateTo(*u)); err != nil {
				return false, err
			}
			f.after = u.Sequence
			f.eye.follow(u)
			ended = ended || u.To.Ended()
		}
		if len(all) < MaxPage {
			break
		}
	}
	if ended || !f.began {
		f.began = true
		if ended, err = f.gone(); err != nil || ended {
			return ended, err
		}
	}
	return false, f.e.beat()
}

// gone reports whether the delivery has ended and all of it was told. What was
// forgotten meanwhile is told as such, so that the reader does not ask for it for ever.
func (f *following) gone() (bool, error) {
	d, err := f.Changes.ByID(f.r.Context(), f.id)
	if err != nil || !d.State.Ended() || f.after >= d.Sequence {
		return err == nil && d.State.Ended(), err
	}
	rest, err := f.Board.Updates(f.r.Context(), f.id, f.after, 1)
	if err != nil || len(rest) > 0 {
		return false, err
	}
	f.after = d.Sequence
	return true, f.e.send("forgotten", strconv.FormatUint(d.Sequence, 10), struct {
		State    delivery.State `json:"state"`
		Sequence uint64         `json:"sequence"`
	}{d.State, d.Sequence})
}

// boardQuery reads which deliveries a caller wants to see of those that it may see.
func boardQuery(r *http.Request, more ...string) (delivery.BoardQuery, *query, error) {
	q := readQuery(r, append([]string{"market", "store", "state*", "limit"}, more...)...)
	c := callerIn(r)
	b := delivery.BoardQuery{Partner: c.Partner, Limit: limitOf(q)}
	if q.err != nil {
		return b, q, q.err
	}
	for _, state := range q.values["state"] {
		b.States = append(b.States, delivery.State(state))
	}
	if len(b.States) > 20 {
		return b, q, invalid(reasonBadQuery, "query: state is there %d times", len(b.States))
	}
	if m := q.text("market"); m != "" {
		b.Market = marketOf(m)
	}
	b.Store = q.text("store")
	if b.Store == "" {
		b.Store = c.stores()
	}
	var ok bool
	if b.Store, ok = c.within(b.Store); !ok {
		return b, q, noStore()
	}
	return b, q, b.Check()
}

type wireBoard struct {
	Deliveries []wireDelivery `json:"deliveries"`
	Next       string         `json:"next,omitempty"`
}

func (s *deliveriesAPI) board(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	b, q, err := boardQuery(r, "cursor")
	if err != nil {
		return err
	}
	if b.After, err = markFrom(q.text("cursor")); err != nil {
		return err
	}
	b.Limit++ // to see whether there are more
	page, err := s.Board.Board(r.Context(), b)
	if err != nil {
		return err
	}
	c, out := callerIn(r), wireBoard{}
	if len(page) == b.Limit {
		page = page[:b.Limit-1]
		out.Next = markTo(page[len(page)-1].Mark())
	}
	out.Deliveries = list(page, func(d delivery.Delivery) wireDelivery { return shown(c, d) })
	body, err := encode(out)
	if err != nil {
		return err
	}
	return answer(w, r, body)
}

func noStore() error {
	return fault.New("restapi", fault.NotFound, "unknown_store", "there is no such store")
}

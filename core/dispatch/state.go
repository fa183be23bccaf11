package dispatch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// state is everything that a desk knows. All of it is data, so that a
// simulation can be written down and taken up at any event; after a restart in
// production it is rebuilt from Deliveries' requests and Fleet's reservations.
type state struct {
	Number    uint64     `json:"number"`     // of the last round
	LastRound clock.Time `json:"last_round"` // 0 if none
	NextRound clock.Time `json:"next_round"` // for which the timer is set; 0 if it is not
	Waiting   []Waiting  `json:"waiting"`    // ordered by compareAge
	Jobs      []job      `json:"jobs"`       // ordered by delivery and attempt
	Feed      feed       `json:"feed"`
	Forecast  forecast   `json:"forecast"`
	Pickups   histogram  `json:"pickups"`  // how far off forecasts of pickups were
	Dropoffs  histogram  `json:"dropoffs"` // the same of drop-offs
	Map       uint64     `json:"map"`      // version of the map for which trips of Waiting hold
}

// job is a robot on an attempt of a delivery.
type job struct {
	Request  Request       `json:"request"` // only delivery and attempt if Known is false
	Known    bool          `json:"known"`   // false: found at Fleet after a restart
	Robot    fleet.RobotID `json:"robot"`
	Token    uint64        `json:"token"`
	Expires  clock.Time    `json:"expires"`
	Arrive   clock.Time    `json:"arrive"` // expected at the pickup
	Deadhead int64         `json:"deadhead_mwh"`
	Trip     maps.Leg      `json:"trip"`
	LoadedAt clock.Time    `json:"loaded_at"` // when it was first seen loaded; 0 if not yet
	Lost     bool          `json:"lost"`      // a decision has said so
	Pickup   clock.Time    `json:"pickup"`    // as Waiting had it
	Dropoff  clock.Time    `json:"dropoff"`
	Decision Decision      `json:"decision"` // told again when the request is repeated
}

func newState(now clock.Time) state {
	return state{Feed: feed{Epoch: strconv.FormatInt(int64(now), 36)}, Pickups: newHistogram(), Dropoffs: newHistogram()}
}

// compareAge orders requests by age.
func compareAge(a, b Waiting) int {
	return cmp.Or(cmp.Compare(a.Request.RequestedAt, b.Request.RequestedAt), compareKey(&a.Request, &b.Request))
}

func compareKey(a, b *Request) int {
	return cmp.Or(strings.Compare(a.Delivery, b.Delivery), cmp.Compare(a.Attempt, b.Attempt))
}

// waiting returns the index of a request that waits, or -1.
func (s *state) waiting(delivery string, attempt int) int {
	for i := range s.Waiting { // in place: a Waiting is large, and rounds ask often
		if q := &s.Waiting[i].Request; q.Attempt == attempt && q.Delivery == delivery {
			return i
		}
	}
	return -1
}

// wait puts w in its place.
func (s *state) wait(w Waiting) {
	i, _ := slices.BinarySearchFunc(s.Waiting, w, compareAge)
	s.Waiting = slices.Insert(s.Waiting, i, w)
}

// job returns the job of an attempt, or nil. It is valid until jobs come or go.
func (s *state) job(delivery string, attempt int) *job {
	if i, ok := s.findJob(delivery, attempt); ok {
		return &s.Jobs[i]
	}
	return nil
}

func (s *state) findJob(delivery string, attempt int) (int, bool) {
	key := Request{Delivery: delivery, Attempt: attempt}
	return slices.BinarySearchFunc(s.Jobs, &key, func(j job, k *Request) int { return compareKey(&j.Request, k) })
}

// begin adds a job, in place of another of the same attempt.
func (s *state) begin(j job) {
	i, ok := s.findJob(j.Request.Delivery, j.Request.Attempt)
	if ok {
		s.Jobs[i] = j
		return
	}
	s.Jobs = slices.Insert(s.Jobs, i, j)
}

// end removes the job of an attempt.
func (s *state) end(delivery string, attempt int) {
	if i, ok := s.findJob(delivery, attempt); ok {
		s.Jobs = slices.Delete(s.Jobs, i, i+1)
	}
}

// holder is who holds a robot for an attempt, in Fleet's words.
func holder(delivery string, attempt int) string {
	return "delivery/" + delivery + "#" + strconv.Itoa(attempt)
}

// heldFor returns the attempt that a reservation's holder names, if it is a delivery's.
func heldFor(holder string) (delivery string, attempt int, ok bool) {
	rest, ok := strings.CutPrefix(holder, "delivery/")
	i := strings.LastIndexByte(rest, '#')
	if !ok || i < 0 {
		return "", 0, false
	}
	attempt, err := strconv.Atoi(rest[i+1:])
	return rest[:i], attempt, err == nil
}

// snapshot is a Service written down.
type snapshot struct {
	Desks []deskSnapshot `json:"desks"` // ordered by market
}

type deskSnapshot struct {
	Market market.ID       `json:"market"`
	State  json.RawMessage `json:"state"`
}

// Snapshot writes everything down that the service knows, as canonical JSON.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var snap snapshot
	for _, d := range s.sorted() {
		text, err := d.snapshot()
		if err != nil {
			return nil, fmt.Errorf("write down dispatch of %s: %w", d.market, err)
		}
		snap.Desks = append(snap.Desks, deskSnapshot{d.market, text})
	}
	return json.Marshal(snap)
}

func (d *desk) snapshot() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return json.Marshal(d.state)
}

// sorted returns the desks in the order of their markets.
func (s *Service) sorted() []*desk {
	var all []*desk
	for _, d := range s.desks {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *desk) int { return cmp.Compare(a.market, b.market) })
	return all
}

// Restore replaces what the service knows by what Snapshot wrote. Timers are
// not set: a checkpoint keeps them by itself.
func (s *Service) Restore(data []byte) error {
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		return fmt.Errorf("restore dispatch: %w", err)
	}
	desks := make(map[market.ID]*desk)
	for _, x := range snap.Desks {
		d := &desk{Deps: s.deps, market: x.Market}
		if err := json.Unmarshal(x.State, &d.state); err != nil {
			return fmt.Errorf("restore dispatch of %s: %w", x.Market, err)
		}
		if len(d.state.Pickups.Bins) != binCount || len(d.state.Dropoffs.Bins) != binCount {
			return fmt.Errorf("restore dispatch of %s: histograms of %d and %d bins, want %d", x.Market, len(d.state.Pickups.Bins), len(d.state.Dropoffs.Bins), binCount)
		}
		desks[x.Market] = d
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desks = desks
	return nil
}

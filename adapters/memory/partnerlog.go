package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
)

// PartnerLog keeps the logs of all partners.
type PartnerLog struct {
	clock clock.Clock

	mu      sync.Mutex
	logs    map[delivery.PartnerID]*entries
	streams map[delivery.ID]*integration.Stream
	places  map[delivery.UpdateKey]uint64     // positions of the entries
	since   map[delivery.UpdateKey]clock.Time // when the held ones were taken
}

// entries are the log of one partner.
type entries struct {
	trimmed uint64 // those at the positions 1 to trimmed are forgotten
	rest    []delivery.Update
}

var (
	_ integration.Log       = (*PartnerLog)(nil)
	_ integration.LogReader = (*PartnerLog)(nil)
)

// NewPartnerLog returns an empty log. The clock tells when updates were taken.
func NewPartnerLog(c clock.Clock) *PartnerLog {
	return &PartnerLog{
		clock:   c,
		logs:    map[delivery.PartnerID]*entries{},
		streams: map[delivery.ID]*integration.Stream{},
		places:  map[delivery.UpdateKey]uint64{},
		since:   map[delivery.UpdateKey]clock.Time{},
	}
}

// Take implements integration.Log.
func (p *PartnerLog) Take(_ context.Context, u ...delivery.Update) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := p.read(u)
	if err := in.Take(u...); err != nil {
		return err
	}
	p.write(in)
	return nil
}

// read returns an intake with what is known of the updates and their deliveries.
func (p *PartnerLog) read(u []delivery.Update) *integration.Intake {
	var (
		streams []integration.Stream
		known   []delivery.Update
		seen    = map[delivery.ID]bool{}
	)
	for i := range u {
		if at := p.places[u[i].Key()]; at != 0 {
			log := p.logs[p.streams[u[i].Delivery].Partner]
			known = append(known, log.rest[at-log.trimmed-1])
		}
		if id := u[i].Delivery; !seen[id] {
			seen[id] = true
			s := integration.Stream{Delivery: id}
			if stored := p.streams[id]; stored != nil {
				s = *stored
			}
			streams = append(streams, s)
		}
	}
	return integration.NewIntake(streams, known)
}

func (p *PartnerLog) write(in *integration.Intake) {
	for _, u := range in.Entered() {
		log := p.logs[u.Partner]
		if log == nil {
			log = &entries{}
			p.logs[u.Partner] = log
		}
		log.rest = append(log.rest, u)
		p.places[u.Key()] = log.trimmed + uint64(len(log.rest))
	}
	for _, s := range in.Grown() {
		stored := p.stream(s.Delivery, s.Partner)
		stored.Entered = s.Entered
		stored.Held = slices.DeleteFunc(stored.Held, func(u delivery.Update) bool { return u.Sequence <= s.Entered })
	}
	for _, k := range in.Released() {
		delete(p.since, k)
	}
	now := p.clock.Now()
	for _, u := range in.Held() {
		s := p.stream(u.Delivery, u.Partner)
		s.Held = append(s.Held, u)
		slices.SortFunc(s.Held, func(a, b delivery.Update) int { return cmp.Compare(a.Sequence, b.Sequence) })
		p.since[u.Key()] = now
	}
}

// stream returns what is kept of a delivery, a new one if there is nothing.
func (p *PartnerLog) stream(id delivery.ID, partner delivery.PartnerID) *integration.Stream {
	s := p.streams[id]
	if s == nil {
		s = &integration.Stream{Delivery: id, Partner: partner}
		p.streams[id] = s
	}
	return s
}

// Entries implements integration.Log.
func (p *PartnerLog) Entries(_ context.Context, partner delivery.PartnerID, after uint64, limit int) ([]integration.Entry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	log := p.logs[partner]
	if log == nil {
		return nil, nil
	}
	after = max(after, log.trimmed)
	end := log.trimmed + uint64(len(log.rest))
	if after >= end || limit <= 0 {
		return nil, nil
	}
	all := make([]integration.Entry, 0, min(uint64(limit), end-after))
	for at := after + 1; at <= end && len(all) < limit; at++ {
		all = append(all, integration.Entry{Position: at, Update: log.rest[at-log.trimmed-1]})
	}
	return all, nil
}

// Newest implements integration.LogReader.
func (p *PartnerLog) Newest(_ context.Context, o integration.Owner, below uint64, limit int) ([]integration.Entry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	log := p.logs[o.Partner]
	if log == nil {
		return nil, nil
	}
	var all []integration.Entry
	for i, u := range slices.Backward(log.rest) {
		at := log.trimmed + uint64(i) + 1
		if len(all) < limit && (below == 0 || at < below) && o.Has(&u) {
			all = append(all, integration.Entry{Position: at, Update: u})
		}
	}
	return all, nil
}

// Gaps implements integration.Log.
func (p *PartnerLog) Gaps(_ context.Context, limit int) ([]integration.Gap, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []integration.Gap
	for _, s := range p.streams {
		if len(s.Held) == 0 {
			continue
		}
		g := integration.Gap{Delivery: s.Delivery, Partner: s.Partner, Missing: s.Entered + 1, Next: s.Held[0].Sequence, Held: len(s.Held)}
		for i := range s.Held {
			if since := p.since[s.Held[i].Key()]; i == 0 || since < g.Since {
				g.Since = since
			}
		}
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b integration.Gap) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Delivery, b.Delivery))
	})
	return all[:min(len(all), max(limit, 0))], nil
}

// Trim implements integration.Log.
func (p *PartnerLog) Trim(_ context.Context, t clock.Time) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	trimmed := 0
	for _, log := range p.logs {
		n := slices.IndexFunc(log.rest, func(u delivery.Update) bool { return u.At >= t })
		if n < 0 {
			n = len(log.rest)
		}
		for i := range log.rest[:n] {
			delete(p.places, log.rest[i].Key())
		}
		for i := range log.rest[:n] {
			p.forget(log.rest[i].Delivery)
		}
		log.rest, log.trimmed = slices.Clone(log.rest[n:]), log.trimmed+uint64(n)
		trimmed += n
	}
	return trimmed, nil
}

// forget drops a delivery of which nothing is left.
func (p *PartnerLog) forget(id delivery.ID) {
	s := p.streams[id]
	if s == nil || len(s.Held) > 0 {
		return
	}
	for sequence := s.Entered; sequence > 0; sequence-- {
		if p.places[delivery.UpdateKey{Delivery: id, Sequence: sequence}] != 0 {
			return
		}
	}
	delete(p.streams, id)
}

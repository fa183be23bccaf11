package delivery

import (
	"context"
	"fmt"
)

// Relay publishes what is in the outbox. Each update is published at least once,
// and those of one delivery in order. Two relays of one outbox do no harm but
// work: what both publish comes twice, and consumers can tell.
type Relay struct {
	outbox    Outbox
	publisher Publisher
}

// NewRelay returns a relay from o to p.
func NewRelay(o Outbox, p Publisher) *Relay { return &Relay{o, p} }

// Pump publishes until the outbox is empty, and returns how many updates it
// published. An update that cannot be published holds back those of its delivery, and
// no others; Pump then goes on and returns the first error at the end.
func (r *Relay) Pump(ctx context.Context) (int, error) {
	run := pumping{Relay: r}
	for limit := batch; ; {
		updates, err := r.outbox.Unsent(ctx, limit)
		if err != nil {
			return run.sent, fmt.Errorf("outbox: %w", err)
		}
		before := run.sent
		for rest := updates; len(rest) > 0; {
			if rest, err = run.wave(ctx, rest); err != nil {
				return run.sent, err
			}
		}
		switch {
		case len(updates) < limit && len(run.held) == 0:
			return run.sent, nil
		case run.sent > before:
		case len(updates) < limit:
			return run.sent, run.first
		default:
			limit *= 2 // all that were read are held back: look behind them
		}
	}
}

// pumping is one run of Pump.
type pumping struct {
	*Relay
	sent  int
	held  map[ID]bool // deliveries whose next update could not be published
	first error       // why the first of them could not
}

// wave publishes the first update of each delivery in updates at once, and
// returns the others. The second of a delivery is not on its way before the first
// has arrived: a broker may refuse one and take the other.
func (p *pumping) wave(ctx context.Context, updates []Update) (rest []Update, err error) {
	now := make([]Update, 0, len(updates))
	in := make(map[ID]bool, len(updates))
	for i := range updates {
		switch u := &updates[i]; {
		case p.held[u.Delivery]:
		case in[u.Delivery]:
			rest = append(rest, *u)
		default:
			in[u.Delivery] = true
			now = append(now, *u)
		}
	}
	if len(now) == 0 {
		return nil, nil
	}
	taken, refused := p.publisher.Publish(ctx, now)
	arrived := make([]UpdateKey, 0, len(now))
	for i := range now {
		if i < len(taken) && taken[i] {
			arrived = append(arrived, now[i].Key())
			continue
		}
		if refused == nil {
			return nil, fmt.Errorf("publish %s/%d: it was not taken, and there is no reason", now[i].Delivery, now[i].Sequence)
		}
		p.hold(&now[i], refused)
	}
	if len(arrived) == 0 {
		return rest, nil
	}
	if err := p.outbox.MarkSent(ctx, arrived...); err != nil {
		return nil, fmt.Errorf("mark %d updates sent, the first %s/%d: %w", len(arrived), arrived[0].Delivery, arrived[0].Sequence, err)
	}
	p.sent += len(arrived)
	return rest, nil
}

func (p *pumping) hold(u *Update, why error) {
	if p.held == nil {
		p.held, p.first = map[ID]bool{}, fmt.Errorf("publish %s/%d: %w", u.Delivery, u.Sequence, why)
	}
	p.held[u.Delivery] = true
}

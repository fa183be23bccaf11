package delivery

import (
	"context"
	"fmt"
)

// Relay publishes what is in the outbox. Each update is published at least once,
// and those of one delivery in order.
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
	var (
		sent  int
		first error
		held  map[ID]bool // deliveries whose next update could not be published
	)
	for limit := batch; ; {
		updates, err := r.outbox.Unsent(ctx, limit)
		if err != nil {
			return sent, fmt.Errorf("outbox: %w", err)
		}
		before := sent
		for i := range updates {
			u := &updates[i]
			if held[u.Delivery] {
				continue
			}
			if err := r.send(ctx, *u); err != nil {
				if held == nil {
					held, first = map[ID]bool{}, err
				}
				held[u.Delivery] = true
				continue
			}
			sent++
		}
		switch {
		case len(updates) < limit && len(held) == 0:
			return sent, nil
		case sent > before:
		case len(updates) < limit:
			return sent, first
		default:
			limit *= 2 // all that were read are held back: look behind them
		}
	}
}

func (r *Relay) send(ctx context.Context, u Update) error {
	if err := r.publisher.Publish(ctx, u); err != nil {
		return fmt.Errorf("publish %s/%d: %w", u.Delivery, u.Sequence, err)
	}
	if err := r.outbox.MarkSent(ctx, u.Delivery, u.Sequence); err != nil {
		return fmt.Errorf("mark %s/%d sent: %w", u.Delivery, u.Sequence, err)
	}
	return nil
}

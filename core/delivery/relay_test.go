package delivery_test

import (
	"context"
	"fmt"
	"testing"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/porttest/fake"
)

func TestRelayHoldsOneDeliveryBack(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	for i := range 250 {
		id := delivery.ID(fmt.Sprintf("d%03d", i))
		d := delivery.Delivery{ID: id, Market: here, Partner: "dd", ExternalID: string(id)}
		if err := c.store.Create(ctx, d, delivery.Personal{}, delivery.Update{Delivery: id, Sequence: 1}, delivery.Update{Delivery: id, Sequence: 2}); err != nil {
			t.Fatal(err)
		}
	}
	p := &picky{refuse: func(u delivery.Update) bool { return u.Delivery < "d150" && u.Sequence == 1 }}
	relay := delivery.NewRelay(c.store, p)
	sent, err := relay.Pump(ctx)
	if sent != 200 || !fault.Is(err, fault.Unavailable) || len(p.sent) != 200 {
		t.Errorf("Pump = %d, %v, published %d; want the 200 updates of the other 100 deliveries", sent, err, len(p.sent))
	}
	p.refuse, p.sent = func(delivery.Update) bool { return false }, nil
	if sent, err := relay.Pump(ctx); sent != 300 || err != nil {
		t.Errorf("Pump = %d, %v; want the other 300", sent, err)
	}
	last := map[delivery.ID]uint64{}
	for _, u := range p.sent {
		if u.Sequence != last[u.Delivery]+1 {
			t.Errorf("%s/%d was published after %d", u.Delivery, u.Sequence, last[u.Delivery])
		}
		last[u.Delivery] = u.Sequence
	}
	if sent, err := relay.Pump(ctx); sent != 0 || err != nil {
		t.Errorf("Pump of an empty outbox = %d, %v", sent, err)
	}
}

type picky struct {
	refuse func(delivery.Update) bool
	sent   []delivery.Update
}

// Publish implements delivery.Publisher.
func (p *picky) Publish(_ context.Context, u []delivery.Update) (taken []bool, err error) {
	seen := map[delivery.ID]bool{}
	for i := range u {
		if seen[u[i].Delivery] {
			return taken, fault.New("picky", fault.Internal, "", "%s twice at once", u[i].Delivery)
		}
		seen[u[i].Delivery] = true
		taken = append(taken, !p.refuse(u[i]))
		if !taken[i] {
			err = fault.New("picky", fault.Unavailable, "", "not this one")
			continue
		}
		p.sent = append(p.sent, u[i])
	}
	return taken, err
}

// TestRelayWantsAReason is about a publisher that breaks its contract: nothing
// is marked sent that it did not take.
func TestRelayWantsAReason(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	if err := c.store.Create(ctx, delivery.Delivery{ID: "d", Market: here}, delivery.Personal{}, delivery.Update{Delivery: "d", Sequence: 1}); err != nil {
		t.Fatal(err)
	}
	if sent, err := delivery.NewRelay(c.store, silent{}).Pump(ctx); sent != 0 || err == nil {
		t.Errorf("Pump = %d, %v; want an error", sent, err)
	}
	if left, err := c.store.Unsent(ctx, 10); len(left) != 1 || err != nil {
		t.Errorf("%d updates are left, %v; want 1", len(left), err)
	}
}

type silent struct{}

// Publish implements delivery.Publisher.
func (silent) Publish(context.Context, []delivery.Update) ([]bool, error) { return nil, nil }

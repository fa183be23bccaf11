package integration_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// sandbox holds deliveries that are open.
type sandbox struct {
	all       []delivery.Delivery
	cancelled []string
	fails     map[string]fault.Kind
}

func (s *sandbox) Open(_ context.Context, m market.ID, after delivery.ID, limit int) ([]delivery.Delivery, error) {
	var page []delivery.Delivery
	for _, d := range s.all {
		if d.Market == m && d.ID > after && len(page) < limit {
			page = append(page, d)
		}
	}
	return page, nil
}

func (s *sandbox) Cancel(_ context.Context, _ delivery.PartnerID, externalID, _ string) (delivery.Delivery, error) {
	if kind, bad := s.fails[externalID]; bad {
		return delivery.Delivery{}, fault.New("cancel", kind, "", "no")
	}
	s.cancelled = append(s.cancelled, externalID)
	return delivery.Delivery{}, nil
}

func TestSweep(t *testing.T) {
	now := fake.Start
	s := &sandbox{fails: map[string]fault.Kind{"x005": fault.Conflict}}
	var want []string
	for i := range 250 {
		d := delivery.Delivery{ID: delivery.ID(fmt.Sprintf("d%03d", i)), Market: "test", ExternalID: fmt.Sprintf("x%03d", i), State: delivery.Requested, Times: delivery.Times{Requested: now.Add(-clock.Hour)}}
		switch i % 5 {
		case 1:
			d.State = delivery.ToDropoff
		case 2:
			d.Times.Requested++
		case 3:
			d.Market = "other"
		default:
			if i != 5 {
				want = append(want, d.ExternalID)
			}
		}
		s.all = append(s.all, d)
	}
	n, err := integration.Sweep(t.Context(), "test", s, s, now)
	if err != nil || n != len(want) || !slices.Equal(s.cancelled, want) {
		t.Errorf("Sweep = %d, %v; cancelled %v, want %v", n, err, s.cancelled, want)
	}
	s.fails["x009"] = fault.Unavailable
	if _, err := integration.Sweep(t.Context(), "test", s, s, now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Sweep while Deliveries is away = %v", err)
	}
}

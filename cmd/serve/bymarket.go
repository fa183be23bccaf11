package serve

import (
	"context"

	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/market"
)

// dispatching is Dispatch as Deliveries knows it.
type dispatching interface {
	delivery.Dispatcher
	delivery.DecisionFeed
}

// byMarket is Dispatch where markets are planned by different replicas.
type byMarket struct {
	at func(market.ID) (dispatching, error)
}

var _ dispatching = byMarket{}

// Estimate implements delivery.Dispatcher.
func (b byMarket) Estimate(ctx context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	d, err := b.at(r.Market)
	if err != nil {
		return dispatch.Estimate{}, err
	}
	return d.Estimate(ctx, r)
}

// Request implements delivery.Dispatcher.
func (b byMarket) Request(ctx context.Context, r dispatch.Request) error {
	d, err := b.at(r.Market)
	if err != nil {
		return err
	}
	return d.Request(ctx, r)
}

// Withdraw implements delivery.Dispatcher.
func (b byMarket) Withdraw(ctx context.Context, m market.ID, id string, attempt int) error {
	d, err := b.at(m)
	if err != nil {
		return err
	}
	return d.Withdraw(ctx, m, id, attempt)
}

// Finish implements delivery.Dispatcher.
func (b byMarket) Finish(ctx context.Context, f dispatch.Finish) error {
	d, err := b.at(f.Market)
	if err != nil {
		return err
	}
	return d.Finish(ctx, f)
}

// Decisions implements delivery.DecisionFeed.
func (b byMarket) Decisions(ctx context.Context, m market.ID, after dispatch.Cursor, limit int) ([]dispatch.Decision, dispatch.Cursor, error) {
	d, err := b.at(m)
	if err != nil {
		return nil, after, err
	}
	return d.Decisions(ctx, m, after, limit)
}

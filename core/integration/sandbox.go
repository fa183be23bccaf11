package integration

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/market"
)

// SandboxLife is how long test deliveries last that nobody loads.
const SandboxLife = clock.Hour

// Canceller is what Sweep needs of Deliveries to end one.
type Canceller interface {
	// Cancel ends a delivery for its partner. It fails with fault.Conflict once the goods are loaded.
	Cancel(ctx context.Context, p delivery.PartnerID, externalID, cause string) (delivery.Delivery, error)
}

// Sweep cancels the test deliveries of a sandbox's market that are older than
// SandboxLife and not loaded, and returns how many. Those that are loaded come to
// their end by themselves.
func Sweep(ctx context.Context, m market.ID, open delivery.OpenStore, c Canceller, now clock.Time) (int, error) {
	n := 0
	for after := delivery.ID(""); ; {
		page, err := open.Open(ctx, m, after, pageSize)
		if err != nil {
			return n, fmt.Errorf("open deliveries of %s: %w", m, err)
		}
		for i := range page {
			d := &page[i]
			after = d.ID
			if !d.State.BeforeLoaded() || now.Sub(d.Times.Requested) < SandboxLife {
				continue
			}
			_, err := c.Cancel(ctx, d.Partner, d.ExternalID, "sandbox_time_is_over")
			switch {
			case err == nil:
				n++
			case fault.Is(err, fault.Conflict): // it was loaded meanwhile
			default:
				return n, fmt.Errorf("cancel test delivery %s: %w", d.ID, err)
			}
		}
		if len(page) < pageSize {
			return n, nil
		}
	}
}

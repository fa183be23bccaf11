package partner

import (
	"context"
	"errors"

	"footway/core/dispatch"
)

// serviceable is Drive's ServiceabilityCheckResponse.
type serviceable struct {
	Is      bool     `json:"is_serviceable"`
	Reasons []string `json:"reasons_not_serviceable,omitempty"`
}

// serviceability says whether a robot could go between two places now, or when
// the partner says.
func (d *Drive) serviceability(ctx context.Context, c *call) (any, error) {
	o := readWay(c.form, d.Clock.Now())
	o.Value = amount(c.form, "order_value")
	o.Dropoff.Phone = phone(c.form, "dropoff_phone_number")
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if p, ok := errors.AsType[problem](o.impossible()); ok {
		return serviceable{Reasons: []string{p.RobotReason}}, nil
	}
	r, err := d.request(ctx, c, o)
	if err != nil {
		return nil, err
	}
	e, err := d.Estimates.Estimate(ctx, dispatch.EstimateRequest{Market: d.Market, Pickup: r.Pickup, Dropoff: r.Dropoff, ReadyAt: r.ReadyAt})
	switch {
	case err != nil:
		return nil, err
	case e.Refusal != nil:
		return serviceable{Reasons: []string{e.Refusal.Reason}}, nil
	}
	return serviceable{Is: true}, nil
}

// suggestions is Drive's AddressAutoCompleteDetailsResponse.
type suggestions struct {
	Results []suggestion `json:"results"`
}

type suggestion struct {
	Address struct {
		Formatted string    `json:"formatted_address"`
		Location  *location `json:"location"`
	} `json:"address"`
}

// Limits of autocomplete, in Drive's words.
const (
	maxSuggestions  = 5
	someSuggestions = 3
)

// autocomplete completes an address. The market is small, so that the location
// and the radius that Drive knows do not narrow it further; they are ignored.
func (d *Drive) autocomplete(ctx context.Context, c *call) (any, error) {
	c.form.need("input_address")
	input := c.form.brief("input_address", maxAddress)
	limit := c.form.whole("max_results", 1, maxSuggestions, someSuggestions)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	found, err := d.Places.Search(ctx, d.Market, input, int(limit))
	if err != nil {
		return nil, err
	}
	s := suggestions{Results: make([]suggestion, len(found))}
	for i, m := range found {
		s.Results[i].Address.Formatted, s.Results[i].Address.Location = m.Address, locationOf(m.Point)
	}
	return s, nil
}

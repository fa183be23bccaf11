package serve

import (
	"context"
	"fmt"
	"time"

	"footway/adapters/grpcapi"
	"footway/adapters/ident"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

// linkLife is how long the link of a recipient holds after the delivery should be at the
// door: long enough for one that is late, and for looking once more what it was.
const linkLife = 2 * clock.Day

// believer returns whom a token of people proves, or a fault.NotFound error.
type believer func(ctx context.Context, token string) (restapi.Caller, error)

// whoIs returns who is signed in with a token: who holds a recipient's link, or whom others know.
func (t *trust) whoIs(ctx context.Context, token string) (restapi.Caller, error) {
	if t.links != nil {
		id, _, err := t.links.Read(token, clock.Of(time.Now()))
		switch {
		case err == nil:
			return restapi.Caller{Role: restapi.RoleRecipient, Name: "link", Delivery: id}, nil
		case fault.ReasonOf(err) == ident.ExpiredLink:
			return restapi.Caller{}, fault.New("serve.whoIs", fault.Forbidden, ident.ExpiredLink, "the link holds no more")
		}
	}
	for _, believe := range t.people {
		c, err := believe(ctx, token)
		if !fault.Is(err, fault.NotFound) {
			return c, err
		}
	}
	return restapi.Caller{}, fault.New("serve.whoIs", fault.NotFound, "", "nobody has this token")
}

// openLinks returns what makes and reads the links of recipients, or nil without a key for them.
func (t *trust) openLinks() (*ident.Links, error) {
	var keys [][]byte
	for _, ref := range []secret.Reference{t.d.Security.Links, t.d.Security.LinksBefore} {
		if (ref == secret.Reference{}) {
			continue
		}
		text, err := t.resolve(ref)
		if err != nil {
			return nil, fmt.Errorf("security.link_key: %w", err)
		}
		keys = append(keys, []byte(text))
	}
	if len(keys) == 0 {
		return nil, nil
	}
	l, err := ident.NewLinks(keys...)
	if err != nil {
		return nil, fmt.Errorf("security.link_key: %w", err)
	}
	return l, nil
}

// trackingURL returns what gives the address of a delivery's page, or nil if there are no such pages.
func (p *process) trackingURL() func(*delivery.Delivery) string {
	base := p.d.Integrations.TrackingURL
	if base == "" || p.trust.links == nil {
		return nil
	}
	return func(d *delivery.Delivery) string {
		return base + p.trust.links.Token(d.ID, max(d.Promise.DropoffP90, d.Times.Quoted).Add(linkLife))
	}
}

// wayClient is Maps in another process, as restapi.Ways.
type wayClient struct{ *grpcapi.MapsClient }

// Way implements restapi.Ways.
func (c wayClient) Way(ctx context.Context, m market.ID, from, to maps.Position) (maps.Route, []maps.Point, error) {
	return c.Route(ctx, m, from, to)
}

// waysFor returns Maps as far as it tells which way a robot takes.
func (p *process) waysFor(caller string) (restapi.Ways, error) {
	if p.maps != nil {
		return p.maps, nil
	}
	cc, err := p.dial("maps", "footway.v1.Maps", caller)
	if err != nil {
		return nil, err
	}
	return wayClient{grpcapi.NewMapsClient(cc)}, nil
}

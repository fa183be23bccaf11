package serve

import (
	"context"
	"fmt"
	"time"

	"footway/adapters/grpcapi"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

const (
	treeMemory   = 160 << 20       // for ways that are asked for again, over all markets
	refreshEvery = 5 * time.Second // how old another replica's change may be before it counts here
)

// places is what the services ask Maps.
type places interface {
	dispatch.Places
	dispatch.Ways
	Search(ctx context.Context, m market.ID, query string, limit int) ([]maps.Match, error)
}

var (
	_ places = (*maps.Service)(nil)
	_ places = (*grpcapi.MapsClient)(nil)
)

// openMaps reads the networks of the markets, where Maps runs here.
func (p *process) openMaps(ctx context.Context) error {
	if !p.runs("maps") {
		return nil
	}
	p.maps = maps.NewService(p.kept.Maps, p.clock, p.timers, p.journal)
	p.fires["maps"] = p.maps.Fire
	for i := range p.d.Markets {
		m := p.d.Markets[i]
		where, err := time.LoadLocation(m.TimeZone)
		if err != nil {
			return fmt.Errorf("markets[%d].time_zone: %w", i, err)
		}
		err = p.maps.Open(ctx, m.ID, maps.OpenOptions{Profile: p.now(m.ID).Maps, Location: where, CacheBytes: treeMemory / len(p.d.Markets)})
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("market %s has no network: footway stores load-map brings one in: %w", m.ID, err)
		}
		if err != nil {
			return fmt.Errorf("market %s: %w", m.ID, err)
		}
		if err := p.maps.Arm(ctx, m.ID); err != nil {
			return fmt.Errorf("market %s: %w", m.ID, err)
		}
	}
	p.hire("maps", p.refreshMaps)
	return nil
}

// refreshMaps takes up what other replicas have changed.
func (p *process) refreshMaps(ctx context.Context) error {
	for p.sleep(ctx, refreshEvery) {
		for _, m := range p.markets() {
			call, cancel := context.WithTimeout(ctx, 10*time.Second)
			err := p.maps.Refresh(call, m)
			cancel()
			if err != nil && ctx.Err() == nil {
				p.log.Warn("the state of a map could not be read; the last one stays in force", "market", m, "error", err)
			}
		}
	}
	return nil
}

// mapsFor returns Maps as a service of this process asks it.
func (p *process) mapsFor(caller string) (places, error) {
	if p.maps != nil {
		return p.maps, nil
	}
	cc, err := p.dial("maps", "footway.v1.Maps", caller)
	if err != nil {
		return nil, err
	}
	return grpcapi.NewMapsClient(cc), nil
}

package serve

import (
	"context"
	"fmt"

	"footway/adapters/configfile"
	"footway/adapters/grpcapi"
	"footway/adapters/s3"
	"footway/cmd/stores"
	"footway/core/config"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/task"
)

// openConfig finds where this process has the settings of the markets from: the document itself
// where Config runs here, Config where that is elsewhere.
func (p *process) openConfig(ctx context.Context) error {
	if p.runs("config") {
		return p.openDocument(ctx)
	}
	if p.d.Services.Config.Address == "" {
		p.settings = config.NewStatic(config.New())
		return nil
	}
	cc, err := p.dial("config", "footway.v1.Config", p.Services[0])
	if err != nil {
		return err
	}
	var client *grpcapi.ConfigClient
	err = p.await(ctx, "Config", func(ctx context.Context) (err error) {
		client, err = grpcapi.FollowConfig(ctx, grpcapi.NewConfigDocument(p.d.Services.Config.Address, cc), p.clock, p.keepsCopy(), p.log)
		return err
	})
	if err != nil {
		return err
	}
	p.settings = client
	p.hire("configuration", client.Run)
	return nil
}

func (p *process) openDocument(ctx context.Context) error {
	from := p.d.Configuration
	if from.From == "" {
		p.settings = config.NewStatic(config.New())
		return nil
	}
	doc, err := stores.OpenConfiguration(ctx, from.From, s3.Options{Region: p.region()})
	if err != nil {
		return fmt.Errorf("configuration.from: %w", err)
	}
	err = p.await(ctx, "the configuration", func(ctx context.Context) (err error) {
		p.follower, err = config.Follow(ctx, config.Following{
			Document: doc, Parse: stores.ParseConfig, Clock: p.clock, Keeper: p.keepsCopy(),
			Changed: func(uint64) { p.configBell.Changed(ctx, "") },
		})
		return err
	})
	if err != nil {
		return err
	}
	p.settings = p.follower
	poller := configfile.NewPoller(p.follower, configfile.Options{Every: from.Refresh.Std(), Logger: p.log})
	p.hire("configuration", func(ctx context.Context) error {
		poller.Run(ctx)
		return nil
	})
	if p.LookNow != nil {
		p.hire("configuration on request", func(ctx context.Context) error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-p.LookNow:
					poller.LookNow()
				}
			}
		})
	}
	return nil
}

func (p *process) keepsCopy() config.Keeper {
	if p.d.Configuration.Keep == "" {
		return nil
	}
	return configfile.New(p.d.Configuration.Keep)
}

func (p *process) region() string {
	if r := p.d.Configuration.Region; r != "" {
		return r
	}
	return p.d.Tables.Region
}

func (p *process) now(m market.ID) config.Settings {
	s, _ := p.settings.Get(m)
	return s
}

func (p *process) deliverySettings(m market.ID) delivery.Settings  { return p.now(m).Delivery }
func (p *process) dispatchSettings(m market.ID) dispatch.Settings  { return p.now(m).Dispatch }
func (p *process) fleetSettings(m market.ID) fleet.Settings        { return p.now(m).Fleet }
func (p *process) taskSettings(m market.ID) task.Settings          { return p.now(m).Task }
func (p *process) chargeSettings(m market.ID) fleet.ChargeSettings { return p.now(m).Fleet.Charge }

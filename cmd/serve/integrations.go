package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"footway/adapters/ident"
	"footway/adapters/integrations"
	"footway/adapters/observe"
	"footway/adapters/partner"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/adapters/uber"
	"footway/adapters/wallclock"
	"footway/adapters/webhook"
	"footway/cmd/stores"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/rng"
)

// recordRoom is how many requests may wait to be recorded.
const recordRoom = 4096

// openIntegrations opens Integrations, where it runs here.
func (p *process) openIntegrations(context.Context) error {
	if !p.runs("integrations") {
		return nil
	}
	if p.kept.Secrets == nil {
		return errors.New("integrations.seal_key: missing; partners' secrets are sealed with it")
	}
	registry := NewRegistry(p.d, p.kept)
	rules := integration.DefaultRules()
	rules.Seed = seedOf(p.Replica)
	post, err := integration.NewPost(integration.PostDeps{
		Lines: p.kept.Lines, Ends: p.kept.Lines, Log: p.kept.Events, Recent: p.kept.Events, Endpoints: registry, Clock: p.clock, Name: partner.EventName,
		Names: map[integration.Dialect]func(*delivery.Update) string{integration.Uber: uber.EventName},
	}, rules)
	if err != nil {
		return err
	}
	client := webhook.NewClient(webhook.Options{Addresses: addresses(p.d), Transport: p.watch.Transport("integrations")})
	p.onClose(client.Close)
	sender := p.newSender(post, registry, client)
	p.sender = sender
	intake, err := integration.NewService(p.kept.Events, p.clock, integration.Options{
		Patience: integration.DefaultOptions().Patience, Retention: p.d.Retention.Events,
	})
	if err != nil {
		return fmt.Errorf("retention.events: %w", err)
	}
	p.hire("consumer", func(ctx context.Context) error { return p.consume(ctx, intake, sender) })
	p.hire("webhooks", func(ctx context.Context) error {
		sender.Run(ctx)
		return nil
	})
	p.hire("partners' logs", func(ctx context.Context) error { return p.tidyLogs(ctx, intake) })
	return p.openDoor(registry, post, client)
}

// NewRegistry returns the registry of partners of a deployment.
func NewRegistry(d stores.Deployment, kept *Kept) *integration.Registry {
	return integration.NewRegistry(integration.RegistryDeps{
		Partners: kept.Partners, Keys: kept.Partners, Endpoints: kept.Partners, Secrets: kept.Secrets,
		Source: integrations.Source{}, Clock: wallclock.Clock{}, CheckURL: addresses(d).CheckURL,
		Environment: func(m market.ID) (integration.Environment, error) {
			for i := range d.Markets {
				switch {
				case d.Markets[i].ID != m:
				case d.Markets[i].Sandbox:
					return integration.Sandbox, nil
				default:
					return integration.Live, nil
				}
			}
			return "", fault.New("serve.Environment", fault.NotFound, "unknown_market", "the deployment has no market %q", m)
		},
	})
}

// addresses says where webhooks may go.
func addresses(d stores.Deployment) webhook.Addresses {
	if !d.Integrations.PrivateURLs {
		return webhook.Addresses{}
	}
	return webhook.Addresses{Plain: true, Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
}

// seedOf draws the chance of this process's waits from its name.
func seedOf(name string) rng.Seed {
	h := sha256.Sum256([]byte(name))
	var seed uint64
	for _, b := range h[:8] {
		seed = seed<<8 | uint64(b)
	}
	return rng.Seed(seed)
}

func (p *process) newSender(post *integration.Post, registry *integration.Registry, client *webhook.Client) *webhook.Sender {
	return webhook.NewSender(webhook.SenderDeps{
		Post: post, Registry: registry, Client: client, Encode: partner.EncodeEvent, EventID: partner.EventID,
		Encoders: map[integration.Dialect]func(integration.Entry) ([]byte, error){integration.Uber: uber.Encoder(p.isSandbox)},
		Clock:    p.clock, Log: p.log, Observe: p.watch.webhook,
	}, webhook.SenderOptions{Owner: p.Replica})
}

// consume takes updates from the broker, and has the partners told.
func (p *process) consume(ctx context.Context, intake *integration.Service, sender *webhook.Sender) error {
	return p.kept.Consume(ctx, p.watch.taking(func(ctx context.Context, u ...delivery.Update) error {
		if err := intake.Take(ctx, u...); err != nil {
			return err
		}
		seen := map[delivery.PartnerID]bool{}
		for i := range u {
			if at := u[i].Partner; !seen[at] {
				seen[at] = true
				sender.News(at)
			}
		}
		return nil
	}))
}

// tidyLogs forgets what is old, and says which updates are missing for too long.
func (p *process) tidyLogs(ctx context.Context, intake *integration.Service) error {
	const hour = 60
	for minute := 1; p.sleep(ctx, time.Minute); minute++ {
		gaps, err := intake.Overdue(ctx, 20)
		for i := range gaps {
			p.log.ErrorContext(ctx, "an update is missing, and its delivery's later ones wait: look at the dead letters", "delivery", gaps[i].Delivery, "sequence", gaps[i].Missing, "held", gaps[i].Held, "since", gaps[i].Since)
		}
		p.watch.gaps(len(gaps))
		if err == nil && minute%hour == 0 {
			_, err = intake.Trim(ctx)
			if err == nil {
				_, err = p.kept.Lines.TrimEnds(ctx, p.clock.Now().Add(-p.d.Retention.Events))
			}
		}
		if err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "the partners' logs could not be looked after", "error", err)
		}
	}
	return nil
}

// drives is what partners' requests are translated for.
type drives interface {
	partner.Quotes
	partner.Changes
	partner.Handoffs
	partner.Estimator
	partner.Businesses
	partner.Stores
	partner.Places
	uber.Board
}

// openDoor opens the partners' door, and what is beside it.
func (p *process) openDoor(registry *integration.Registry, post *integration.Post, client *webhook.Client) error {
	dependencies, err := p.driver()
	if err != nil {
		return err
	}
	drives, directs := map[market.ID]*partner.Drive{}, map[market.ID]*uber.Direct{}
	for _, m := range p.d.Markets {
		d, board := dependencies(m.ID)
		d.TrackingURL = p.trackingURL()
		if !m.Sandbox {
			d.Sandbox = nil
		}
		drives[m.ID] = partner.NewDrive(d)
		directs[m.ID] = uber.NewDirect(uber.Deps{Market: m.ID, Quotes: d.Quotes, Changes: d.Changes, Board: board, Estimates: d.Estimates, Stores: d.Stores, Places: d.Places,
			IDs: ident.IDs{}, Clock: p.clock, TrackingURL: d.TrackingURL, Sandbox: m.Sandbox})
	}
	keys, err := p.tokenKeys()
	if err != nil {
		return err
	}
	record, err := p.openRecorder()
	if err != nil {
		return err
	}
	door := integrations.New(integrations.Deps{
		Keys: registry, Events: p.kept.Events, Encode: partner.EncodeEvent, Replay: replay(post), Tokens: keys, Record: record, Clock: p.clock, Log: p.log, Route: observe.NameRoute,
		Drive: func(ctx context.Context, r integrations.Request) integrations.Answer {
			d, ok := drives[r.Market]
			if !ok {
				return unserved(r, `{"code":"service_fault","message":"this market is not served here"}`)
			}
			a := d.Handle(ctx, partner.Request{Partner: r.Partner, Method: r.Method, Path: r.Path, Body: r.Body})
			return integrations.Answer{Status: a.Status, Header: a.Header, Body: a.Body, Operation: a.Operation, Err: a.Err}
		},
		Uber: func(ctx context.Context, r integrations.Request) integrations.Answer {
			d, ok := directs[r.Market]
			if !ok {
				return unserved(r, `{"code":"service_unavailable","message":"this market is not served here","kind":"error"}`)
			}
			a := d.Handle(ctx, uber.Request{Partner: r.Partner, Method: r.Method, Path: r.Path, Body: r.Body})
			return integrations.Answer{Status: a.Status, Header: a.Header, Body: a.Body, Operation: a.Operation, Err: a.Err}
		},
	}, integrations.Options{PerMinute: p.d.Integrations.PerMinute, Burst: max(1, p.d.Integrations.PerMinute/5)})
	p.drains = append(p.drains, door.Drain)
	server := integrations.NewServer(door, p.log)
	server.Handler = p.besides(door, registry, post, client)
	p.serveHTTP("integrations", server)
	return nil
}

// unserved answers a partner that was registered for a market that is gone.
func unserved(r integrations.Request, body string) integrations.Answer {
	return integrations.Answer{Status: http.StatusServiceUnavailable, Body: []byte(body),
		Err: fault.New("serve.door", fault.Internal, "unknown_market", "partner %s asks for market %s, which the deployment does not have", r.Partner, r.Market)}
}

// isSandbox reports whether simulated robots work in a market.
func (p *process) isSandbox(m market.ID) bool {
	for i := range p.d.Markets {
		if p.d.Markets[i].ID == m {
			return p.d.Markets[i].Sandbox
		}
	}
	return false
}

// replay tells endpoints again, for partners: those of their businesses as well.
func replay(post *integration.Post) func(context.Context, delivery.PartnerID, string, uint64) error {
	return func(ctx context.Context, p delivery.PartnerID, endpoint string, after uint64) error {
		return post.Rewind(ctx, integration.Owner{Partner: p}, endpoint, after)
	}
}

// driver returns what makes a market's Drive, with where its deliveries are listed: over the services of
// this process, or over the wire.
func (p *process) driver() (func(market.ID) (partner.Deps, uber.Board), error) {
	if p.deliveries != nil {
		dispatcher, _, err := p.dispatchFor("deliveries")
		if err != nil {
			return nil, err
		}
		where, err := p.mapsFor("integrations")
		if err != nil {
			return nil, err
		}
		return func(m market.ID) (partner.Deps, uber.Board) {
			return partner.Deps{Market: m, Quotes: p.deliveries, Changes: p.deliveries, Estimates: dispatcher, Businesses: p.merchants, Stores: p.merchants,
				Places: where, Clock: p.clock, Sandbox: p.deliveries}, p.kept.Deliveries
		}, nil
	}
	address := p.d.Services.Deliveries.Address
	if address == "" {
		return nil, errors.New("services.deliveries.address: missing; integrations needs it")
	}
	o, err := p.restClient("integrations")
	if err != nil {
		return nil, err
	}
	c, err := restapi.NewDeliveriesClient(address, o)
	if err != nil {
		return nil, err
	}
	p.onClose(c.Close)
	var d drives = c
	return func(m market.ID) (partner.Deps, uber.Board) {
		return partner.Deps{Market: m, Quotes: d, Changes: d, Estimates: d, Businesses: d, Stores: d, Places: d, Clock: p.clock, Sandbox: d}, d
	}, nil
}

// tokenKeys returns what signs access tokens, or nil if there are none.
func (p *process) tokenKeys() (integrations.TokenKeys, error) {
	const least = 32
	refs := []secret.Reference{p.d.Integrations.TokenKey, p.d.Integrations.TokenBefore}
	if (refs[0] == secret.Reference{}) {
		return nil, nil
	}
	keys := func(context.Context) ([]integrations.TokenKey, error) {
		var all []integrations.TokenKey
		for _, ref := range refs {
			if (ref == secret.Reference{}) {
				continue
			}
			text, err := p.trust.resolve(ref)
			if err != nil {
				return nil, err
			}
			if len(text) < least {
				return nil, fault.New("serve.tokenKeys", fault.Invalid, "", "integrations.token_key: %s has %d bytes; want %d or more", ref, len(text), least)
			}
			name := sha256.Sum256([]byte("footway token key\x00" + text))
			all = append(all, integrations.TokenKey{ID: hex.EncodeToString(name[:6]), Secret: integration.SecretOf([]byte(text))})
		}
		return all, nil
	}
	_, err := keys(context.Background())
	return keys, err
}

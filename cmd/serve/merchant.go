package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"footway/adapters/ident"
	"footway/adapters/oidc"
	"footway/adapters/pages/citymap"
	"footway/adapters/pages/merchant"
	"footway/adapters/pages/recipient"
	"footway/adapters/password"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/adapters/tiles"
	"footway/adapters/wallclock"
	"footway/core/account"
	"footway/core/clock"
	"footway/core/market"
)

// passLife is how long a pass holds. A stream that began under one outlives it, for as long as the API lets it.
const passLife = 2 * clock.Minute

// openPasses opens what makes and reads the passes of merchants' pages, where there is a key for them.
func (t *trust) openPasses() error {
	var keys [][]byte
	for _, ref := range []secret.Reference{t.d.Security.Passes, t.d.Security.PassesBefore} {
		if (ref == secret.Reference{}) {
			continue
		}
		text, err := t.resolve(ref)
		if err != nil {
			return fmt.Errorf("security.pass_key: %w", err)
		}
		keys = append(keys, []byte(text))
	}
	if len(keys) == 0 {
		return nil
	}
	var err error
	if t.passes, err = ident.NewPasses(keys...); err != nil {
		return fmt.Errorf("security.pass_key: %w", err)
	}
	t.people = append(t.people, func(_ context.Context, token string) (restapi.Caller, error) {
		pass, err := t.passes.Read(token, clock.Of(time.Now()))
		return restapi.Caller{
			Role: restapi.RoleMerchant, Name: string(pass.Account), Partner: pass.Partner, Business: pass.Business, Store: pass.Store, Admin: pass.Admin, Customers: pass.Customers,
		}, err
	})
	return nil
}

// NewAccounts returns the service of the people who work for merchants.
func NewAccounts(kept *Kept) *account.Service {
	return account.NewService(account.Deps{
		Accounts: kept.People, Team: kept.People, Sessions: kept.People, Tries: kept.People,
		Hasher: password.New(password.Options{}), Source: ident.Tokens{}, Clock: wallclock.Clock{},
		NewID: func() account.ID { return account.ID(ident.IDs{}.NewID("account")) },
	})
}

// openMerchant opens the pages of merchants and recipients, where they run here.
func (p *process) openMerchant(ctx context.Context) error {
	if _, listens := p.listeners["merchant"]; !p.runs("merchant") || !listens {
		return nil
	}
	if p.trust.passes == nil {
		return errors.New("security.pass_key: missing; merchants' pages call Deliveries with passes that it signs")
	}
	api, transport, err := p.publicAPI()
	if err != nil {
		return err
	}
	webhooks, err := p.webhooksAPI()
	if err != nil {
		return err
	}
	accounts := NewAccounts(p.kept)
	o := merchant.Options{
		API: api, Webhooks: webhooks, Transport: transport, Accounts: accounts, Support: p.d.Merchant.Support, Secure: p.d.Merchant.Secure, Proxies: p.d.Merchant.Proxies,
		Pass: p.pass, Clock: p.clock, Log: p.log, Guest: p.Guest,
	}
	for _, m := range p.d.Markets {
		zone, err := time.LoadLocation(m.TimeZone)
		if err != nil {
			return fmt.Errorf("markets: %w", err)
		}
		o.Markets = append(o.Markets, merchant.Market{ID: m.ID, Zone: zone})
	}
	if o.Provider, err = p.provider(); err != nil {
		return fmt.Errorf("merchant.provider: %w", err)
	}
	mux := http.NewServeMux()
	if err := p.openMap(ctx, mux, &o); err != nil {
		return err
	}
	pages, err := merchant.New(o)
	if err != nil {
		return err
	}
	mux.Handle(merchantPath+"/", pages)
	mux.Handle("GET "+merchantPath, pages)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, merchantPath+"/", http.StatusSeeOther)
	})
	if err := p.openRecipients(mux, &o); err != nil {
		return err
	}
	p.drains = append(p.drains, pages.Drain)
	p.hire("sessions", func(ctx context.Context) error { return p.tidySessions(ctx, accounts) })
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	p.serveHTTP("merchant", server)
	return nil
}

// Where the pages are.
const (
	merchantPath  = "/merchant"
	recipientPath = "/r"
)

// pass returns a pass for somebody who works in a store.
func (p *process) pass(a *account.Account, store string) (string, error) {
	return p.trust.passes.Token(ident.Pass{
		Account: a.ID, Partner: a.Business.Partner, Business: a.Business.ID, Store: store, Admin: a.Role == account.Admin,
		Customers: slices.Contains(p.d.Merchant.Direct, a.Business.Partner), Until: p.clock.Now().Add(passLife),
	})
}

// addressOf returns where a service of REST is: at its address, or in this process on plain wires. Nil is nowhere.
func (p *process) addressOf(service, address string) (*url.URL, error) {
	if l, ok := p.listeners[service]; address == "" && ok && p.trust.plain() {
		address = "http://" + l.Addr().String()
	}
	if address == "" {
		return nil, nil
	}
	to, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("services.%s.address: %w", service, err)
	}
	return to, nil
}

// publicAPI returns where the pages reach Deliveries, and by what.
func (p *process) publicAPI() (*url.URL, http.RoundTripper, error) {
	to, err := p.addressOf("deliveries", p.d.Services.Deliveries.Address)
	if err != nil {
		return nil, nil, err
	}
	if to == nil {
		return nil, nil, errors.New("services.deliveries.address: missing; the pages call it")
	}
	files, err := p.trust.clientTLS()
	if err != nil {
		return nil, nil, err
	}
	t := &http.Transport{
		TLSClientConfig: files, ForceAttemptHTTP2: files != nil, MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second,
		ResponseHeaderTimeout: 12 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
	}
	p.onClose(t.CloseIdleConnections)
	return to, t, nil
}

// openMap adds the map, which the pages show where this process knows networks.
func (p *process) openMap(ctx context.Context, mux *http.ServeMux, o *merchant.Options) error {
	if p.kept.Maps == nil {
		return nil
	}
	module, err := citymap.New("/map")
	if err != nil {
		return err
	}
	cities, err := tiles.Open(ctx, p.kept.Maps, p.markets(), tiles.Options{})
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	p.hire("tiles", func(ctx context.Context) error {
		for p.sleep(ctx, 5*time.Minute) {
			if err := cities.Refresh(ctx); err != nil && ctx.Err() == nil {
				p.log.WarnContext(ctx, "the map on the pages could not be renewed", "error", err)
			}
		}
		return nil
	})
	mux.Handle("/map/", module)
	mux.Handle("/tiles/", cities)
	o.Map, o.Tiles = module.Path("map.js"), "/tiles"
	return nil
}

// openRecipients adds the pages of recipients, where there is a key for their links.
func (p *process) openRecipients(mux *http.ServeMux, o *merchant.Options) error {
	if p.trust.links == nil {
		return nil
	}
	zones := map[market.ID]*time.Location{}
	for _, m := range o.Markets {
		zones[m.ID] = m.Zone
	}
	pages, err := recipient.New(recipient.Options{
		API: o.API, Transport: o.Transport, Delivery: ident.LinkedDelivery, Path: recipientPath,
		Map: o.Map, Tiles: o.Tiles, Zone: func(m market.ID) *time.Location {
			if z := zones[m]; z != nil {
				return z
			}
			return time.UTC
		}, Phone: o.Support, Secure: o.Secure, Clock: p.clock, Log: p.log,
	})
	if err != nil {
		return err
	}
	mux.Handle(recipientPath+"/", pages)
	return nil
}

// provider returns the identity provider of the deployment, nil if it has none.
func (p *process) provider() (merchant.Provider, error) {
	c := p.d.Merchant.Provider
	if c.Issuer == "" {
		return nil, nil
	}
	o := oidc.Options{Name: c.Name, Issuer: strings.TrimSuffix(c.Issuer, "/"), Client: c.Client, Redirect: c.Redirect}
	if (c.Secret != secret.Reference{}) {
		text, err := p.trust.resolve(c.Secret)
		if err != nil {
			return nil, fmt.Errorf("client_secret: %w", err)
		}
		o.Secret = text
	}
	return oidc.New(o)
}

// tidySessions forgets what is over, from time to time.
func (p *process) tidySessions(ctx context.Context, accounts *account.Service) error {
	for p.sleep(ctx, time.Hour) {
		if err := accounts.Tidy(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "old sessions could not be forgotten", "error", err)
		}
	}
	return nil
}

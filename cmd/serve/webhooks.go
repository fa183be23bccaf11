package serve

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"footway/adapters/ident"
	"footway/adapters/observe"
	"footway/adapters/partner"
	"footway/adapters/restapi"
	"footway/adapters/webhook"
	"footway/core/integration"
)

// pingTime is how long an attempt may take that somebody waits for.
const pingTime = 6 * time.Second

// besides returns what answers the API of webhooks beside the partners' door: the door alone, where nobody has passes.
func (p *process) besides(door http.Handler, registry *integration.Registry, post *integration.Post, client *webhook.Client) http.Handler {
	if p.trust.passes == nil {
		return door
	}
	api := restapi.NewWebhooks(restapi.WebhooksDeps{
		Registry: registry, Post: post, Names: partner.EventNames(), EventID: partner.EventID, Clock: p.clock, Changed: p.sender.Changed,
		Ping: func(ctx context.Context, e integration.Endpoint) (integration.Outcome, error) {
			proofs, err := registry.Proofs(ctx, e)
			if err != nil {
				return integration.Outcome{}, err
			}
			now := p.clock.Now()
			body, id, err := partner.EncodePing(ident.IDs{}.NewID("ping"), now)
			if err != nil {
				return integration.Outcome{}, err
			}
			ctx, cancel := context.WithTimeout(ctx, pingTime)
			defer cancel()
			return client.Send(ctx, e, proofs, webhook.Message{ID: id, At: now, Body: body}), nil
		},
	}, restapi.Options{Auth: restapi.Auth{People: p.trust.whoIs}, Log: p.log, Route: observe.NameRoute})
	p.drains = append(p.drains, api.Drain)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if path == restapi.WebhooksPath || strings.HasPrefix(path, restapi.WebhooksPath+"/") || path == "/openapi.json" {
			api.ServeHTTP(w, r)
			return
		}
		door.ServeHTTP(w, r)
	})
}

// webhooksAPI returns where the pages reach the API of webhooks, nil if nowhere.
func (p *process) webhooksAPI() (*url.URL, error) {
	return p.addressOf("integrations", p.d.Services.Integrations.Address)
}

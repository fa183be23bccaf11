package restapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// WebhooksDeps are what the API of webhooks works with. All but Changed are required.
type WebhooksDeps struct {
	Registry *integration.Registry
	Post     *integration.Post
	// Names are those of all events, and EventID names one.
	Names   []string
	EventID func(*delivery.Update) string
	// Ping makes one attempt at an endpoint with an event of which nothing happened.
	Ping  func(ctx context.Context, e integration.Endpoint) (integration.Outcome, error)
	Clock clock.Clock
	// Changed is told that an endpoint was changed, or has something to be told; nil: nobody is.
	Changed func()
	// Calls and Pings bound how often a business calls, and how often it has us call at once. The
	// zero value is 120 in a minute and 60 at once; 10 and 5.
	Calls, Pings Pace
}

// webhooksAPI has the handlers of openapi/webhooks.yaml.
type webhooksAPI struct {
	WebhooksDeps
	*API
	calls, pings *paces
}

// WebhooksPath is below what the API of webhooks answers, but for its document.
const WebhooksPath = "/v1/webhooks"

// NewWebhooks returns the API of webhooks.
func NewWebhooks(d WebhooksDeps, o Options) *API {
	if d.Calls == (Pace{}) {
		d.Calls = Pace{PerMinute: 120, Burst: 60}
	}
	if d.Pings == (Pace{}) {
		d.Pings = Pace{PerMinute: 10, Burst: 5}
	}
	s := &webhooksAPI{WebhooksDeps: d, calls: newPaces(d.Calls), pings: newPaces(d.Pings)}
	const one = WebhooksPath + "/{webhook}"
	s.API = newAPI(o, documentOf("webhooks"),
		route{http.MethodGet, WebhooksPath, "listWebhooks", quick, s.paced(s.list)},
		route{http.MethodPost, WebhooksPath, "createWebhook", quick, s.paced(s.create)},
		route{http.MethodGet, one, "getWebhook", quick, s.paced(s.get)},
		route{http.MethodPatch, one, "editWebhook", quick, s.paced(s.edit)},
		route{http.MethodDelete, one, "removeWebhook", quick, s.paced(s.remove)},
		route{http.MethodPost, one + "/secret", "rotateWebhookSecret", quick, s.paced(s.rotate)},
		route{http.MethodPost, one + "/ping", "pingWebhook", quick, s.paced(s.ping)},
		route{http.MethodGet, one + "/events", "listWebhookEvents", quick, s.paced(s.events)},
		route{http.MethodPost, one + "/events/{event}/resend", "resendWebhookEvent", quick, s.paced(s.resend)},
		route{http.MethodPost, one + "/resend", "resendWebhookEvents", quick, s.paced(s.resendFrom)},
	)
	return s.API
}

// ownerIn returns whose webhooks the caller may see.
func ownerIn(r *http.Request) integration.Owner {
	c := callerIn(r)
	return integration.Owner{Partner: c.Partner, Business: c.Business}
}

// paced lets no business call too often.
func (s *webhooksAPI) paced(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.calls.take(ownerIn(r).String()); err != nil {
			return err
		}
		return handle(w, r)
	}
}

func (s *webhooksAPI) changed() {
	if s.Changed != nil {
		s.Changed()
	}
}

// noWebhook is the answer for one that there is not and for one that is another's. Nobody can tell the two apart.
func noWebhook() error {
	return fault.New("restapi", fault.NotFound, integration.UnknownEndpoint, "there is no such webhook")
}

// hiddenWebhook makes one answer of all the ways not to find a webhook.
func hiddenWebhook(err error) error {
	if fault.ReasonOf(err) == integration.UnknownEndpoint {
		return noWebhook()
	}
	return err
}

// webhookIn returns the id that the path names.
func webhookIn(r *http.Request) (string, error) {
	id, ok := name(r.PathValue("webhook"))
	if !ok {
		return "", noWebhook()
	}
	return id, nil
}

// find returns the webhook that the path names, if it is the caller's.
func (s *webhooksAPI) find(r *http.Request) (integration.Endpoint, error) {
	id, err := webhookIn(r)
	if err != nil {
		return integration.Endpoint{}, err
	}
	e, err := s.Registry.OwnEndpoint(r.Context(), ownerIn(r), id)
	return e, hiddenWebhook(err)
}

func (s *webhooksAPI) list(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r)
	if err := firstOf(noBody(r), q.err); err != nil {
		return err
	}
	all, err := s.Registry.OwnEndpoints(r.Context(), ownerIn(r))
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	return reply(w, r, wireWebhooks{list(all, func(e integration.Endpoint) wireWebhook { return webhookTo(e, now) })})
}

func (s *webhooksAPI) create(w http.ResponseWriter, r *http.Request) error {
	var in wireNewWebhook
	if err := readInto(w, r, &in); err != nil {
		return err
	}
	for _, name := range in.Events {
		if !slices.Contains(s.Names, name) {
			return fault.New("restapi", fault.Invalid, integration.BadEndpoint, "events: %.80q is no name of one, such as DASHER_PICKED_UP", name)
		}
	}
	of := ownerIn(r)
	from, err := s.Post.End(r.Context(), of.Partner)
	if err != nil {
		return err
	}
	e, secret, err := s.Registry.AddEndpoint(r.Context(), integration.NewEndpoint{Partner: of.Partner, Business: of.Business, URL: in.URL, Events: in.Events, From: from})
	if err != nil {
		return err
	}
	s.changed()
	return reply(w, r, wireIssuedWebhook{webhookTo(e, s.Clock.Now()), secret.WebhookText()})
}

func (s *webhooksAPI) get(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	e, err := s.find(r)
	if err != nil {
		return err
	}
	return reply(w, r, webhookTo(e, s.Clock.Now()))
}

func (s *webhooksAPI) edit(w http.ResponseWriter, r *http.Request) error {
	var in wireWebhookEdit
	if err := readInto(w, r, &in); err != nil {
		return err
	}
	id, err := webhookIn(r)
	if err != nil {
		return err
	}
	if in.Status != integration.Active && in.Status != integration.Paused {
		return invalid(integration.BadEndpoint, "status: want %s or %s", integration.Active, integration.Paused)
	}
	e, err := s.Registry.PauseEndpoint(r.Context(), ownerIn(r), id, in.Status == integration.Paused)
	if err != nil {
		return hiddenWebhook(err)
	}
	s.changed()
	return reply(w, r, webhookTo(e, s.Clock.Now()))
}

func (s *webhooksAPI) remove(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	return s.command(w, r, func(ctx context.Context, id string) error { return s.Post.Remove(ctx, ownerIn(r), id) })
}

// command does something to a webhook, and has nothing to say.
func (s *webhooksAPI) command(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, id string) error) error {
	id, err := webhookIn(r)
	if err != nil {
		return err
	}
	if err := do(r.Context(), id); err != nil {
		return hiddenWebhook(err)
	}
	s.changed()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// How long an old secret holds that was replaced.
const (
	usualGrace = 24 * clock.Hour
	maxGrace   = 7 * 24 * clock.Hour
)

func (s *webhooksAPI) rotate(w http.ResponseWriter, r *http.Request) error {
	var in wireRotation
	if err := readInto(w, r, &in); err != nil {
		return err
	}
	grace := usualGrace
	if in.GraceS != nil {
		if *in.GraceS < 0 || *in.GraceS > int64(maxGrace/clock.Second) {
			return invalid(integration.BadEndpoint, "grace_s: want 0 to %d", maxGrace/clock.Second)
		}
		grace = clock.Duration(*in.GraceS) * clock.Second
	}
	id, err := webhookIn(r)
	if err != nil {
		return err
	}
	e, secret, err := s.Registry.RotateSigning(r.Context(), ownerIn(r), id, grace)
	if err != nil {
		return hiddenWebhook(err)
	}
	s.changed()
	return reply(w, r, wireIssuedWebhook{webhookTo(e, s.Clock.Now()), secret.WebhookText()})
}

func (s *webhooksAPI) ping(w http.ResponseWriter, r *http.Request) error {
	if err := readInto(w, r, &struct{}{}); err != nil {
		return err
	}
	e, err := s.find(r)
	if err != nil {
		return err
	}
	if e.Status == integration.Suspended {
		return fault.New("restapi", fault.Conflict, integration.SuspendedByUs, "it was suspended by operators; want them to end that")
	}
	if err := s.pings.take(ownerIn(r).String()); err != nil {
		return err
	}
	began := time.Now()
	o, err := s.Ping(r.Context(), e)
	if err != nil {
		return err
	}
	return reply(w, r, wirePong{Taken: o.Verdict == integration.Taken, Answer: o.Cause, TookMS: time.Since(began).Milliseconds()})
}

func (s *webhooksAPI) events(w http.ResponseWriter, r *http.Request) error {
	const usual, most = 50, 100
	q := readQuery(r, "failed", "limit", "cursor")
	in := integration.HistoryQuery{Limit: q.number("limit", usual), Failed: q.text("failed") == "true"}
	if err := firstOf(noBody(r), q.err); err != nil {
		return err
	}
	if in.Limit < 1 || in.Limit > most {
		return invalid(reasonBadQuery, "query: limit: want 1 to %d", most)
	}
	if text := q.text("failed"); text != "" && text != "true" && text != "false" {
		return invalid(reasonBadQuery, "query: failed: want true or false")
	}
	if text := q.text("cursor"); text != "" {
		var ok bool
		if in.Below, ok = eventAt(text); !ok {
			return invalid(reasonBadCursor, "cursor: want one that an answer gave, as it is, or none")
		}
	}
	id, err := webhookIn(r)
	if err != nil {
		return err
	}
	all, next, err := s.Post.History(r.Context(), ownerIn(r), id, in)
	if err != nil {
		return hiddenWebhook(err)
	}
	out := wireEvents{Events: list(all, s.eventTo)}
	if next > 0 {
		out.Next = eventMark(next)
	}
	return reply(w, r, out)
}

func (s *webhooksAPI) resend(w http.ResponseWriter, r *http.Request) error {
	if err := readInto(w, r, &struct{}{}); err != nil {
		return err
	}
	return s.command(w, r, func(ctx context.Context, id string) error {
		position, ok := eventAt(r.PathValue("event"))
		if !ok {
			position = 0 // at which there is nothing
		}
		return s.Post.Resend(ctx, ownerIn(r), id, position)
	})
}

func (s *webhooksAPI) resendFrom(w http.ResponseWriter, r *http.Request) error {
	var in wireResend
	if err := readInto(w, r, &in); err != nil {
		return err
	}
	from, ok := eventAt(in.From)
	if !ok {
		return invalid(reasonBadCursor, "from: want the place of an event, as the list says it")
	}
	return s.command(w, r, func(ctx context.Context, id string) error { return s.Post.Rewind(ctx, ownerIn(r), id, from-1) })
}

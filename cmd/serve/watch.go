package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/observe"
	"footway/adapters/webhook"
	"footway/adapters/zstd"
	"footway/cmd/web"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/trace"
)

// lookEvery is how often what nobody tells is looked at for the metrics.
const lookEvery = 10 * time.Second

// watch is what is told of this process: metrics, traces, health.
type watch struct {
	*observe.Telemetry
	p *process
}

// newWatch opens the telemetry of the process, and hires those who look around for it.
func (p *process) newWatch(ctx context.Context) (*watch, error) {
	t, err := observe.New(ctx, observe.Options{
		Service: strings.Join(p.Services, ","), Instance: p.Replica, Version: p.Version,
		Traces: p.d.Telemetry.Traces, Sample: p.d.Telemetry.Sample, Pprof: p.d.Telemetry.Pprof, Log: p.log,
	})
	if err != nil {
		return nil, err
	}
	w := &watch{t, p}
	p.hire("metrics", w.look)
	return w, nil
}

// openAdmin serves the pages for operators.
func (p *process) openAdmin() {
	admin := p.watch.Admin()
	if p.live != nil {
		mux := http.NewServeMux()
		mux.Handle("/v1/live", p.live)
		mux.Handle("/v1/live/", p.live)
		if twin := p.twin(); twin != nil {
			mux.Handle("/twin", twin)
			mux.Handle("/twin/", twin)
		}
		mux.Handle("/", admin)
		admin = mux
	}
	p.serveHTTP("telemetry", &http.Server{Handler: admin, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10})
}

// twin returns the visualizer, which watches this process at /twin#live=1; nil where there is nothing for it to draw on: it is
// for one market, with Maps in the same process.
func (p *process) twin() http.Handler {
	if p.maps == nil || len(p.d.Markets) != 1 {
		return nil
	}
	return web.New(web.Options{Log: p.log, Market: func() ([]byte, error) {
		n, err := p.maps.Network(p.d.Markets[0].ID)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		err = maps.Encode(&b, n, &zstd.Codec{})
		return b.Bytes(), err
	}})
}

// handler returns a server's handler with what counts and traces it. The pages for operators are not counted.
func (w *watch) handler(service string, next http.Handler) http.Handler {
	if service == "telemetry" {
		return next
	}
	return w.HTTP(service, next)
}

func (w *watch) serverOptions() []grpc.ServerOption                  { return w.ServerOptions() }
func (w *watch) dialOptions(caller string) []grpc.DialOption         { return w.DialOptions(caller) }
func (w *watch) health(name string, ask func(context.Context) error) { w.Register(name, ask) }
func (w *watch) started()                                            { w.SetReady(true) }
func (w *watch) ending()                                             { w.SetReady(false) }
func (w *watch) restarted(part string)                               { w.PartRestarts.WithLabelValues(part).Inc() }
func (w *watch) gaps(n int)                                          { w.UpdateGaps.Add(float64(n)) }

func (w *watch) holds(lease string, yes bool) {
	v := 0.0
	if yes {
		v = 1
	}
	w.LeaseHeld.WithLabelValues(lease).Set(v)
}

// close sends the last spans.
func (w *watch) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := w.Shutdown(ctx); err != nil {
		w.p.log.Warn("the last traces were not sent", "error", err)
	}
}

// webhook is told of each attempt.
func (w *watch) webhook(_ integration.Endpoint, o integration.Outcome, _ time.Duration, age clock.Duration) {
	w.WebhookAttempts.WithLabelValues(fmt.Sprint(o.Verdict)).Inc()
	w.WebhookAge.Observe(age.Seconds())
}

// look looks around until ctx ends.
func (w *watch) look(ctx context.Context) error {
	for {
		call, cancel := context.WithTimeout(ctx, lookEvery)
		w.once(call)
		cancel()
		if !w.p.sleep(ctx, lookEvery) {
			return nil
		}
	}
}

func (w *watch) once(ctx context.Context) {
	p := w.p
	timers := p.timers.State()
	w.TimersPending.Set(float64(timers.Pending))
	w.TimersLate.Set(timers.Late.Seconds())
	for name, db := range p.kept.Databases {
		s := db.Stats()
		w.PoolInUse.WithLabelValues(name).Set(float64(s.AcquiredConns()))
		w.PoolMax.WithLabelValues(name).Set(float64(s.MaxConns()))
	}
	if p.links.fleet != nil {
		w.RobotsConnected.WithLabelValues("fleet").Set(float64(p.links.fleet.Connected()))
	}
	if p.links.task != nil {
		w.RobotsConnected.WithLabelValues("task").Set(float64(p.links.task.Connected()))
	}
	if p.runs("integrations") {
		w.lookAtWebhooks(p.sender)
		if waiting, dead, err := p.kept.Depth(ctx); err == nil { // that it cannot be reached readiness and the consumer say
			w.BrokerWaiting.Set(float64(waiting))
			w.BrokerDead.Set(float64(dead))
		}
	}
	if p.runs("deliveries") {
		w.lookAtOutbox(ctx)
	}
	if p.follower != nil && fault.Is(p.follower.Status().Err, fault.Invalid) {
		w.ConfigRefused.Inc()
	}
	if p.journals != nil {
		if s := p.journals.Stats(); s.Dropped+s.Unwritten > w.p.journalLost {
			w.JournalDropped.Add(float64(s.Dropped + s.Unwritten - w.p.journalLost))
			w.p.journalLost = s.Dropped + s.Unwritten
		}
	}
}

func (w *watch) lookAtWebhooks(sender *webhook.Sender) {
	w.WebhookWaiting.Reset()
	w.WebhookOldest.Reset()
	w.WebhookOpen.Reset()
	for _, s := range sender.Stats() {
		w.WebhookWaiting.WithLabelValues(s.Endpoint).Set(float64(s.Waiting))
		oldest, open := 0.0, 0.0
		if s.Oldest != 0 {
			oldest = w.p.clock.Now().Sub(s.Oldest).Seconds()
		}
		if s.Open {
			open = 1
		}
		w.WebhookOldest.WithLabelValues(s.Endpoint).Set(oldest)
		w.WebhookOpen.WithLabelValues(s.Endpoint).Set(open)
	}
}

func (w *watch) lookAtOutbox(ctx context.Context) {
	const most = 1000
	unsent, err := w.p.kept.Deliveries.Unsent(ctx, most)
	if err != nil {
		return // the relay says what is wrong
	}
	age := 0.0
	for i := range unsent {
		age = max(age, w.p.clock.Now().Sub(unsent[i].At).Seconds())
	}
	w.OutboxRows.Set(float64(len(unsent)))
	w.OutboxAge.Set(age)
}

// countRobots counts the robots of a market by state, until ctx ends.
func (w *watch) countRobots(ctx context.Context, m market.ID) {
	for {
		call, cancel := context.WithTimeout(ctx, lookEvery)
		all, err := w.p.fleet.Robots(call, m)
		cancel()
		if err == nil {
			count := map[string]int{}
			for i := range all {
				count[string(all[i].State)]++
			}
			w.Robots.DeletePartialMatch(map[string]string{"market": string(m)})
			for state, n := range count {
				w.Robots.WithLabelValues(string(m), state).Set(float64(n))
			}
		}
		if !w.p.sleep(ctx, lookEvery) {
			w.Robots.DeletePartialMatch(map[string]string{"market": string(m)})
			return
		}
	}
}

// Append implements event.Journal: it counts what events tell.
func (w *watch) Append(_ context.Context, e event.Event) {
	switch e.Kind {
	case "dispatch.round":
		var done dispatch.RoundDone
		if json.Unmarshal(e.Data, &done) == nil {
			w.RoundRequests.WithLabelValues(e.Market).Set(float64(done.Waiting))
		}
	case "task.pin_wrong":
		w.PINFailures.Inc()
	}
}

// publish traces updates on their way to the broker: each is part of its delivery's trace.
type publish struct {
	delivery.Publisher
	w *watch
}

// Publish implements delivery.Publisher.
func (t publish) Publish(ctx context.Context, u []delivery.Update) ([]bool, error) {
	spans := make([]*observe.Span, len(u))
	for i := range u {
		spans[i] = t.w.update(ctx, "deliveries", "publish", observe.Producer, &u[i])
	}
	taken, err := t.Publisher.Publish(ctx, u)
	for i, s := range spans {
		if i < len(taken) && taken[i] {
			s.End(nil)
		} else {
			s.End(err)
		}
	}
	return taken, err
}

// taking traces updates from the broker.
func (w *watch) taking(next Take) Take {
	return func(ctx context.Context, u ...delivery.Update) error {
		spans := make([]*observe.Span, len(u))
		for i := range u {
			spans[i] = w.update(ctx, "integrations", "consume", observe.Consumer, &u[i])
		}
		err := next(ctx, u...)
		for _, s := range spans {
			s.End(err)
		}
		return err
	}
}

// update begins a span of an update's trace.
func (w *watch) update(ctx context.Context, service, name string, kind observe.Kind, u *delivery.Update) *observe.Span {
	_, span := w.Start(trace.With(ctx, u.Trace), service, name+" "+string(u.To), kind)
	span.Note("footway.delivery", string(u.Delivery))
	return span
}

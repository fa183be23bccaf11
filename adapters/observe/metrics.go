package observe

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are what a process counts. docs/metrics.md is made from them.
type Metrics struct {
	Registry *prometheus.Registry
	Defined  []Definition

	httpRequests     *prometheus.CounterVec
	httpSeconds      *prometheus.HistogramVec
	httpInFlight     *prometheus.GaugeVec
	grpcRequests     *prometheus.CounterVec
	grpcSeconds      *prometheus.HistogramVec
	telemetryDropped prometheus.Counter

	OutboxRows, OutboxAge                      prometheus.Gauge
	BrokerWaiting, BrokerDead                  prometheus.Gauge
	UpdateGaps                                 prometheus.Counter
	WebhookAttempts                            *prometheus.CounterVec
	WebhookAge                                 prometheus.Histogram
	WebhookWaiting, WebhookOldest, WebhookOpen *prometheus.GaugeVec
	RoundSeconds                               *prometheus.HistogramVec
	RoundRequests, Robots                      *prometheus.GaugeVec
	LeaseHeld                                  *prometheus.GaugeVec
	TimersLate, TimersPending                  prometheus.Gauge
	PartRestarts                               *prometheus.CounterVec
	ConfigRefused                              prometheus.Counter
	PINFailures                                prometheus.Counter
	JournalDropped                             prometheus.Counter
	PoolInUse, PoolMax                         *prometheus.GaugeVec
	RobotsConnected                            *prometheus.GaugeVec
}

// Definition is one metric, for its documentation.
type Definition struct {
	Name, Kind, Help string
	Labels           []string
}

// Buckets of times in seconds: from what a call in a rack takes to what partners give up at.
var seconds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

func newMetrics() *Metrics {
	m := &Metrics{Registry: prometheus.NewRegistry()}
	m.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.httpRequests = m.counters("http_requests_total", "Requests answered.", "server", "route", "method", "code")
	m.httpSeconds = m.histograms("http_request_seconds", "Time until a request was answered.", seconds, "server", "route")
	m.httpInFlight = m.gauges("http_requests_in_flight", "Requests under way, those that wait for news included.", "server")
	m.grpcRequests = m.counters("grpc_requests_total", "Calls answered; a stream counts when it ends.", "rpc_service", "method", "code")
	m.grpcSeconds = m.histograms("grpc_request_seconds", "Time until a call was answered.", seconds, "rpc_service", "method")
	m.telemetryDropped = m.counters("telemetry_dropped_total", "Spans that could not be sent.").WithLabelValues()
	m.OutboxRows = m.gauges("outbox_rows", "Updates in the outbox that are not published, as the relay last saw, up to 1,000.").WithLabelValues()
	m.OutboxAge = m.gauges("outbox_age_seconds", "How long ago the oldest of them happened.").WithLabelValues()
	m.BrokerWaiting = m.gauges("broker_waiting_messages", "Updates that wait on the broker.").WithLabelValues()
	m.BrokerDead = m.gauges("broker_dead_messages", "Dead letters.").WithLabelValues()
	m.UpdateGaps = m.counters("update_gaps_total", "Updates found missing for too long, once a minute each.").WithLabelValues()
	m.WebhookAttempts = m.counters("webhook_attempts_total", "Attempts to tell an endpoint.", "outcome")
	m.WebhookAge = m.histograms("webhook_age_seconds", "How long ago it happened what an endpoint was told.", append(seconds, 60, 300, 1800, 7200, 86400)).WithLabelValues().(prometheus.Histogram)
	m.WebhookWaiting = m.gauges("webhook_waiting", "Webhooks that wait, by endpoint that this replica has its turn at.", "endpoint")
	m.WebhookOldest = m.gauges("webhook_oldest_seconds", "How long the first of them has waited.", "endpoint")
	m.WebhookOpen = m.gauges("webhook_breaker_open", "1 where an endpoint does not answer and is left alone for a while.", "endpoint")
	m.RoundSeconds = m.histograms("round_seconds", "How long a round of Dispatch took.", seconds, "market")
	m.RoundRequests = m.gauges("round_requests", "Requests that waited for a robot in the last round.", "market")
	m.Robots = m.gauges("robots", "Robots by state, as the replica of Fleet sees them that looks after the market.", "market", "state")
	m.RobotsConnected = m.gauges("robots_connected", "Robots' streams to this replica.", "wire")
	m.LeaseHeld = m.gauges("lease_held", "1 if this replica has the lease, 0 if it would like to.", "lease")
	m.TimersLate = m.gauges("timers_late_seconds", "By how much the first timer is overdue.").WithLabelValues()
	m.TimersPending = m.gauges("timers_pending", "Timers that are set.").WithLabelValues()
	m.PartRestarts = m.counters("part_restarts_total", "Parts of the process that ended and were started again.", "part")
	m.ConfigRefused = m.counters("config_refused_total", "Looks at a configuration that was wrong; the one before stays in force.").WithLabelValues()
	m.PINFailures = m.counters("pin_failures_total", "Exchanges refused for a wrong PIN.").WithLabelValues()
	m.JournalDropped = m.counters("journal_dropped_total", "Events that the journal had no room for.").WithLabelValues()
	m.PoolInUse = m.gauges("pool_connections_in_use", "Connections to a database that are in use.", "database")
	m.PoolMax = m.gauges("pool_connections_max", "The most that there may be.", "database")
	return m
}

func (m *Metrics) define(name, kind, help string, labels []string) prometheus.Opts {
	m.Defined = append(m.Defined, Definition{"footway_" + name, kind, help, labels})
	return prometheus.Opts{Namespace: "footway", Name: name, Help: help}
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts(m.define(name, "counter", help, labels)), labels)
	m.Registry.MustRegister(v)
	return v
}

func (m *Metrics) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts(m.define(name, "gauge", help, labels)), labels)
	m.Registry.MustRegister(v)
	return v
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	o := m.define(name, "histogram", help, labels)
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: o.Namespace, Name: o.Name, Help: o.Help, Buckets: buckets}, labels)
	m.Registry.MustRegister(v)
	return v
}

// Document returns docs/metrics.md.
func (m *Metrics) Document() string {
	doc := "# Metrics\n\nMade from adapters/observe. Each process has them at /metrics of its telemetry address, beside those of Go and of the process.\n\n" +
		"| metric | kind | labels | meaning |\n|---|---|---|---|\n"
	for _, d := range m.Defined {
		labels := ""
		for i, l := range d.Labels {
			if i > 0 {
				labels += ", "
			}
			labels += "`" + l + "`"
		}
		doc += "| `" + d.Name + "` | " + d.Kind + " | " + labels + " | " + d.Help + " |\n"
	}
	return doc
}

package stores_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/adapters/rabbit"
	"footway/adapters/wallclock"
	"footway/cmd/stores"
	"footway/cmd/stores/storetest"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/integration"
	"footway/core/market"
)

// Each of these measures its peer on the same server just before, since a rate says little
// without what the server itself gives. Reservations have theirs in adapters/dynamo.

// BenchmarkQuoteAccept quotes and accepts deliveries through the service. Beside it is the simple
// write transaction of pgbench by as many clients, which a delivery makes three times: the quote, the
// acceptance, and the note that Dispatch was asked.
func BenchmarkQuoteAccept(b *testing.B) {
	for _, clients := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			d := storetest.Deployment(b)
			d.Databases.Deliveries.Connections = clients
			peer := pgbench(b, d, clients)
			s := &countedStore{DeliveryStore: postgres.NewDeliveryStore(storetest.Open(b, d).Deliveries)}
			service := benchService(s)
			ctx := context.Background()
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range clients {
				wg.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						r := request(&order{partner: "p0", external: strconv.FormatInt(n, 10)})
						_, err := service.Quote(ctx, r)
						if err == nil {
							_, err = service.Accept(ctx, r.Partner, r.ExternalID, delivery.AcceptRequest{})
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			commits := float64(s.writes.Load()) / b.Elapsed().Seconds()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepted/s")
			b.ReportMetric(commits, "commits/s")
			b.ReportMetric(peer, "pgbench-commits/s")
			b.ReportMetric(100*commits/peer, "%of-pgbench")
		})
	}
}

// benchService is a replica of Deliveries whose Dispatch takes every request.
func benchService(s store) *delivery.Service {
	c := &chain{wanted: map[delivery.ID]bool{}}
	return delivery.NewService(delivery.Deps{
		Store: s, Open: s, Personal: s, Dispatcher: desk{chain: c}, IDs: c, Secrets: c, Clock: wallclock.Clock{}, Timers: noTimers{}, Journal: noJournal{},
		Settings: func(market.ID) delivery.Settings { return delivery.DefaultSettings() },
	})
}

type noJournal struct{}

// Append implements event.Journal.
func (noJournal) Append(context.Context, event.Event) {}

// countedStore counts transactions that write.
type countedStore struct {
	*postgres.DeliveryStore
	writes atomic.Int64
}

// Create implements delivery.Store.
func (s *countedStore) Create(ctx context.Context, d delivery.Delivery, p delivery.Personal, u ...delivery.Update) error {
	s.writes.Add(1)
	return s.DeliveryStore.Create(ctx, d, p, u...)
}

// Save implements delivery.Store.
func (s *countedStore) Save(ctx context.Context, d delivery.Delivery, u ...delivery.Update) (uint64, error) {
	s.writes.Add(1)
	return s.DeliveryStore.Save(ctx, d, u...)
}

// rates keeps what peers have given: a benchmark function is called several times.
var rates sync.Map

// pgbench returns how many simple write transactions a second clients get.
func pgbench(b *testing.B, d stores.Deployment, clients int) float64 {
	b.Helper()
	if rate, ok := rates.Load(clients); ok {
		return rate.(float64)
	}
	program, err := exec.LookPath("pgbench")
	if err != nil {
		b.Skip("NOT RUN: pgbench is not in PATH; Debian has it in postgresql-15")
	}
	server, err := url.Parse(backends.Require(b, backends.Postgres))
	if err != nil {
		b.Fatal("the address of PostgreSQL cannot be read")
	}
	password, _ := server.User.Password()
	run := func(args ...string) []byte {
		cmd := exec.Command(program, append(args, d.Databases.Maps.URL)...) // a database that is not measured
		cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("pgbench %q: %v\n%s", args, err, out)
		}
		return out
	}
	run("-i", "-s", "10", "-q")
	out := run("-n", "-N", "-c", strconv.Itoa(clients), "-j", "2", "-T", "3")
	found := regexp.MustCompile(`tps = ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		b.Fatalf("pgbench does not say its tps:\n%s", out)
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	rates.Store(clients, rate)
	return rate
}

// BenchmarkOutboxToPartner is the way of an update from the outbox in PostgreSQL over relay, RabbitMQ and
// consumer into the partner's log in PostgreSQL: of updates that wait already, and of updates that are
// committed at a pace, where the delay is what a partner sees. Beside it are the broker's bare confirms.
func BenchmarkOutboxToPartner(b *testing.B) {
	b.Run("waiting", func(b *testing.B) { outboxToPartner(b, 0) })
	b.Run("200 a second", func(b *testing.B) { outboxToPartner(b, 200) })
}

// arrivals is when updates were committed, and how long they took.
type arrivals struct {
	mu        sync.Mutex
	committed map[delivery.ID]time.Time
	delays    []time.Duration
	all       chan struct{} // closed when want have arrived
	want      int
}

func (a *arrivals) commit(id delivery.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.committed[id] = time.Now()
}

func (a *arrivals) take(u []delivery.Update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for i := range u {
		a.delays = append(a.delays, now.Sub(a.committed[u[i].Delivery]))
	}
	if len(a.delays) >= a.want {
		close(a.all)
		a.want = len(a.delays) + 1 // once
	}
}

func outboxToPartner(b *testing.B, perSecond int) {
	confirms := bareConfirms(b)
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	b.Cleanup(func() { cancel(); wg.Wait() })
	on := storetest.Open(b, storetest.Deployment(b))
	outbox := postgres.NewDeliveryStore(on.Deliveries)
	a := &arrivals{committed: make(map[delivery.ID]time.Time, b.N), all: make(chan struct{}), want: b.N}
	fill := func(n int) {
		u := benchUpdate(n)
		quote := delivery.Delivery{ID: u.Delivery, Market: u.Market, Partner: u.Partner, ExternalID: u.ExternalID, State: delivery.Quoted, ExpiresAt: u.At}
		if err := outbox.Create(ctx, quote, delivery.Personal{}, u); err != nil {
			b.Error(err)
		}
		a.commit(u.Delivery)
	}
	if perSecond == 0 {
		fillAll(b.N, fill)
	}
	consumer := a.consumer(b, on)
	wg.Go(func() {
		if err := consumer.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	if !eventually(ctx, 10*time.Second, func() bool { return consumer.Status().Connected }) {
		b.Fatal("no consumer")
	}
	b.ResetTimer()
	began := time.Now()
	wg.Go(func() { pump(ctx, b, on, outbox) })
	for n := 0; perSecond > 0 && n < b.N; n++ {
		pause(ctx, time.Until(began.Add(time.Duration(n)*time.Second/time.Duration(perSecond))))
		fill(n)
	}
	select {
	case <-a.all:
	case <-time.After(2 * time.Minute):
		b.Fatal("not all updates arrived within 2 minutes")
	}
	b.StopTimer()
	a.report(b, perSecond == 0, confirms)
}

// pump relays until ctx ends.
func pump(ctx context.Context, b *testing.B, on *stores.Backends, outbox delivery.Outbox) {
	publisher := rabbit.NewPublisher(on.Broker, rabbit.PublisherOptions{})
	defer publisher.Close()
	relay := delivery.NewRelay(outbox, publisher)
	for ctx.Err() == nil {
		if _, err := relay.Pump(ctx); err != nil && ctx.Err() == nil {
			b.Error(err)
			return
		}
		pause(ctx, 2*time.Millisecond)
	}
}

// consumer takes updates into the partners' logs, and notes when.
func (a *arrivals) consumer(b *testing.B, on *stores.Backends) *rabbit.Consumer {
	b.Helper()
	intake, err := integration.NewService(postgres.NewPartnerLog(on.Integrations, wallclock.Clock{}), wallclock.Clock{}, integration.DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	return rabbit.NewConsumer(on.Broker, func(ctx context.Context, u ...delivery.Update) error {
		err := intake.Take(ctx, u...)
		if err == nil {
			a.take(u)
		}
		return err
	}, rabbit.ConsumerOptions{})
}

func (a *arrivals) report(b *testing.B, flatOut bool, confirms float64) {
	b.ReportMetric(confirms, "bare-confirms/s")
	if flatOut {
		rate := float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(rate, "updates/s")
		b.ReportMetric(100*rate/confirms, "%of-confirms")
		return
	}
	slices.Sort(a.delays)
	b.ReportMetric(float64(a.delays[len(a.delays)/2].Microseconds())/1000, "p50-delay-ms")
	b.ReportMetric(float64(a.delays[len(a.delays)*99/100].Microseconds())/1000, "p99-delay-ms")
}

// fillAll calls fill for each number below n, from several goroutines.
func fillAll(n int, fill func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				fill(int(i))
			}
		})
	}
	wg.Wait()
}

// benchUpdate is an update of the size that one has.
func benchUpdate(n int) delivery.Update {
	now := wallclock.Clock{}.Now()
	promise := delivery.Promise{PickupP50: now, PickupP90: now, DropoffP50: now, DropoffP90: now}
	id := fmt.Sprintf("0197f2aa-0000-7000-8000-%012d", n)
	return delivery.Update{
		Delivery: delivery.ID(id), Sequence: 1, Kind: delivery.StateChanged, At: now, Market: "wedgwood", Partner: "doordash", ExternalID: "D-" + id,
		To: delivery.Quoted, Promise: promise, Expected: promise, ReadyAt: now, Fee: 975, RouteMM: 1_200_000,
	}
}

// bareConfirms returns how many messages of the size of an update a second the broker confirms in a quorum
// queue, sent by the vendor's client in batches as the publisher sends them.
func bareConfirms(b *testing.B) float64 {
	b.Helper()
	if rate, ok := rates.Load("confirms"); ok {
		return rate.(float64)
	}
	ch, queue := bareQueue(b)
	body, err := delivery.EncodeUpdate(benchUpdate(0))
	if err != nil {
		b.Fatal(err)
	}
	const rounds, batch = 50, 200
	began := time.Now()
	for range rounds {
		pending := make([]*amqp.DeferredConfirmation, batch)
		for i := range pending {
			if pending[i], err = ch.PublishWithDeferredConfirm("", queue, true, false, amqp.Publishing{Body: body, DeliveryMode: amqp.Persistent}); err != nil {
				b.Fatal(err)
			}
		}
		for _, c := range pending {
			if !c.Wait() {
				b.Fatal("the broker refused a message")
			}
		}
	}
	rate := rounds * batch / time.Since(began).Seconds()
	rates.Store("confirms", rate)
	return rate
}

// bareQueue returns a quorum queue of its own, and a channel in confirm mode.
func bareQueue(b *testing.B) (*amqp.Channel, string) {
	b.Helper()
	conn, err := amqp.Dial(backends.Require(b, backends.RabbitMQ))
	if err != nil {
		b.Fatal("the broker cannot be reached")
	}
	b.Cleanup(func() { _ = conn.Close() }) // it may be gone by then
	ch, err := conn.Channel()
	if err != nil {
		b.Fatal(err)
	}
	queue := fmt.Sprintf("fwbench-%d", os.Getpid())
	if _, err := ch.QueueDeclare(queue, true, false, false, false, amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if _, err := ch.QueueDelete(queue, false, false, false); err != nil {
			b.Error(err)
		}
	})
	if err := ch.Confirm(false); err != nil {
		b.Fatal(err)
	}
	return ch, queue
}

package stores_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/adapters/rabbit"
	"footway/adapters/wallclock"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/integration"
)

// chain is the way of an update: partners' requests, the database of Deliveries with its outbox,
// relays, the broker, consumers, the database of Integrations. Every connection can be disturbed,
// and both servers can be killed.
type chain struct {
	t        *testing.T
	postgres *backends.Server
	rabbit   *backends.Server
	address  map[postgres.Database]string // without a link between
	links    links
	log      *slog.Logger
	logged   *journal
	odd      func(format string, args ...any) // says what no partner should hear

	named                atomic.Int64 // ids given out
	requests, unanswered atomic.Int64
	refused, untaken     atomic.Int64 // calls of Publish and Take that failed

	mu     sync.Mutex
	orders []*order
	wanted map[delivery.ID]bool                   // deliveries for which Dispatch was asked
	saved  map[delivery.UpdateKey]delivery.Update // what the services say is committed
	taken  map[delivery.UpdateKey]int             // how often, by consumers
	dupes  int                                    // of these, how often again
	last   time.Time                              // when something new was taken
	still  time.Duration                          // longest time in which nothing was
}

// links are all connections of the chain, each kind with its own way to be disturbed.
type links struct{ deliveries, outbox, publish, consume, integrations *backends.Link }

// journal is everything that the program said: its log, its events, its errors.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) text() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	return bytes.Clone(j.buf.Bytes())
}

func newChain(t *testing.T) *chain {
	c := &chain{
		t: t, logged: &journal{}, address: map[postgres.Database]string{}, wanted: map[delivery.ID]bool{},
		saved: map[delivery.UpdateKey]delivery.Update{}, taken: map[delivery.UpdateKey]int{},
	}
	c.odd = c.complaints("requests")
	c.log = slog.New(slog.NewTextHandler(c.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.rabbit = backends.Own(t, backends.RabbitMQ)
	if err := c.broker(c.rabbit.URL()).Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := make(chan error, 1) // so that the node has written down which queues it holds, see rabbit.Broker.Declare
	go func() { again <- c.rabbit.Restart(t.Context()) }()
	c.postgres = backends.Own(t, backends.Postgres)
	for _, d := range []postgres.Database{postgres.Deliveries, postgres.Integrations} {
		c.create(d)
	}
	c.links = links{
		deliveries: backends.Proxy(t, c.address[postgres.Deliveries]), outbox: backends.Proxy(t, c.address[postgres.Deliveries]),
		publish: backends.Proxy(t, c.rabbit.URL()), consume: backends.Proxy(t, c.rabbit.URL()),
		integrations: backends.Proxy(t, c.address[postgres.Integrations]),
	}
	if err := <-again; err != nil {
		t.Fatal(err)
	}
	return c
}

func (l links) all() []*backends.Link {
	return []*backends.Link{l.deliveries, l.outbox, l.publish, l.consume, l.integrations}
}

// create makes a database on the chain's own server.
func (c *chain) create(d postgres.Database) {
	c.t.Helper()
	ctx := c.t.Context()
	conn, err := pgx.Connect(ctx, c.postgres.URL())
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+string(d)); err != nil {
		c.t.Fatal(err)
	}
	u, err := url.Parse(c.postgres.URL())
	if err != nil {
		c.t.Fatal(err)
	}
	u.Path, u.RawQuery = "/"+string(d), "sslmode=disable"
	c.address[d] = u.String()
	db := c.open(d, u.String())
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		c.t.Fatal(err)
	}
	if d == postgres.Deliveries {
		c.hesitate(ctx)
	}
}

// hesitate makes some commits take longer than others that began after them, as a busy disk does: so their
// updates appear below the positions of others, which may be sent already.
func (c *chain) hesitate(ctx context.Context) {
	c.t.Helper()
	conn, err := pgx.Connect(ctx, c.address[postgres.Deliveries])
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, statement := range []string{
		`CREATE FUNCTION hesitate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2 * random()); RETURN NULL; END'`,
		`CREATE CONSTRAINT TRIGGER hesitate AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW WHEN (NEW.position % 10 = 0) EXECUTE FUNCTION hesitate()`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			c.t.Fatal(err)
		}
	}
}

// open returns a pool; it connects later, so that it cannot fail by a fault.
func (c *chain) open(d postgres.Database, address string) *postgres.DB {
	db, err := postgres.Open(context.Background(), d, postgres.Options{URL: address, CallTimeout: time.Second, MaxConns: 8, Logger: c.log})
	if err != nil {
		panic(err) // the address cannot be read
	}
	return db
}

func (c *chain) broker(address string) *rabbit.Broker {
	b, err := rabbit.NewBroker(rabbit.Options{URL: address, CallTimeout: time.Second, Heartbeat: time.Second, Logger: c.log})
	if err != nil {
		panic(err)
	}
	return b
}

// relay empties the outbox as long as it has the lease.
func (c *chain) relay(ctx context.Context) {
	db := c.open(postgres.Deliveries, c.links.outbox.URL())
	defer db.Close()
	p := rabbit.NewPublisher(c.broker(c.links.publish.URL()), rabbit.PublisherOptions{})
	defer p.Close()
	r := delivery.NewRelay(postgres.NewDeliveryStore(db), p)
	lease := postgres.NewLease(db, "relay")
	for ctx.Err() == nil {
		err := lease.Hold(ctx, func(ctx context.Context) error {
			for ctx.Err() == nil {
				if _, err := r.Pump(ctx); err != nil && ctx.Err() == nil {
					c.refused.Add(1)
					c.hear(err)
				}
				pause(ctx, 5*time.Millisecond)
			}
			return ctx.Err()
		})
		c.hear(err)
		pause(ctx, 50*time.Millisecond)
	}
}

// consume brings updates into the partners' logs. Some stop in good order, some at once.
func (c *chain) consume(ctx context.Context, drain time.Duration) {
	db := c.open(postgres.Integrations, c.links.integrations.URL())
	defer db.Close()
	intake, err := integration.NewService(postgres.NewPartnerLog(db, wallclock.Clock{}), wallclock.Clock{}, integration.DefaultOptions())
	if err != nil {
		c.t.Error(err)
		return
	}
	take := func(ctx context.Context, u ...delivery.Update) error {
		err := intake.Take(ctx, u...)
		if err != nil {
			c.untaken.Add(1)
			c.hear(err)
			return err
		}
		c.took(u)
		return nil
	}
	o := rabbit.ConsumerOptions{Batch: 40, TakeTimeout: 2 * time.Second, Drain: drain}
	if err := rabbit.NewConsumer(c.broker(c.links.consume.URL()), take, o).Run(ctx); err != nil {
		c.t.Errorf("consumer: %v", err)
	}
}

func (c *chain) took(u []delivery.Update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range u {
		k := u[i].Key()
		if c.taken[k]++; c.taken[k] > 1 {
			c.dupes++
			continue
		}
		now := time.Now()
		if !c.last.IsZero() {
			c.still = max(c.still, now.Sub(c.last))
		}
		c.last = now
	}
}

// Append implements event.Journal.
func (c *chain) Append(_ context.Context, e event.Event) {
	_, _ = c.logged.Write(append([]byte(e.Kind+" "+e.Entity+" "), e.Data...)) // a buffer cannot fail
	if e.Version == 0 {
		return
	}
	var u delivery.Update
	if err := json.Unmarshal(e.Data, &u); err != nil {
		c.t.Errorf("event %s of %s: %v", e.Kind, e.Entity, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saved[u.Key()] = u
}

// hear keeps an error for the search for what it must not say.
func (c *chain) hear(err error) {
	if err != nil {
		_, _ = c.logged.Write([]byte(err.Error() + "\n"))
	}
}

func (c *chain) ordered(o *order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders = append(c.orders, o)
}

// process runs until it is stopped, and can be started anew.
type process struct {
	run  func(context.Context)
	mu   sync.Mutex
	stop func() // and wait until it has
}

func (p *process) start(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run(ctx)
	}()
	p.stop = func() { cancel(); <-done }
}

func (p *process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil {
		p.stop()
		p.stop = nil
	}
}

// processes are two relays, of which one stands by, and two consumers.
func (c *chain) processes(seed uint64) []*process {
	r := rand.New(rand.NewPCG(seed, 2))
	var mu sync.Mutex
	drain := func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return []time.Duration{time.Millisecond, time.Second}[r.IntN(2)]
	}
	consume := func(ctx context.Context) { c.consume(ctx, drain()) }
	return []*process{{run: c.relay}, {run: c.relay}, {run: consume}, {run: consume}}
}

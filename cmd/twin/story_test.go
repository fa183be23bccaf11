package twin_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footway/adapters/postgres"
	"footway/adapters/rabbit"
	"footway/cmd/stores"
	"footway/cmd/stores/storetest"
	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/porttest/fake"
	"footway/sim/scenario"
)

// hour is a run that is small enough for real stores, and in which something of everything happens:
// robots fail before and after loading, hatches jam, nobody comes, a partner cancels, contact is lost.
func hour(t *testing.T) twin.Options {
	t.Helper()
	s := scenario.Defaults()
	s.Name, s.Seed, s.Start, s.Duration, s.Drain = "hour", 7, "2026-06-12T11:40", 30*clock.Minute, 6*clock.Hour
	s.Market.ID = "city"
	s.Fleet.Robots, s.Fleet.Couriers = 4, 1
	s.Demand.PerHour, s.Demand.MaxDistance = 20, 900
	s.Demand.Cancel = 150
	s.World.Robots.ContactLost, s.World.Robots.Jam = 4000, 120
	s.World.Recipients.NoShow, s.World.Recipients.WrongPIN = 250, 300
	s.Events = []scenario.Event{
		{At: 6 * clock.Minute, Do: "closure", Around: "47.0,-30.0", RadiusM: 150, For: 10 * clock.Minute},
		{At: 14 * clock.Minute, Do: "breakdown", Robot: "r2"},
	}
	return options(t, s)
}

// TestSameStoryOnRealStores runs one scenario twice: with everything in memory, and with deliveries and maps in
// PostgreSQL, robots and tasks in DynamoDB tables, and updates over RabbitMQ to the partners' log. Each entity
// must have the same story, to the byte.
func TestSameStoryOnRealStores(t *testing.T) {
	real := storetest.Backends(t)
	o := hour(t)
	want := stories(t, o)

	o.Stores = real.Set()
	c := newCourier(t, real)
	o.Broker = c.to
	began := time.Now()
	got := stories(t, o)
	t.Logf("%d events of %d entities, %d updates over the broker, %.1f s on real stores", count(want), len(want), c.carried, time.Since(began).Seconds())

	if c.carried == 0 || !slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(e string) bool { return strings.HasPrefix(e, "delivery ") }) {
		t.Fatal("nothing was delivered, so nothing was compared")
	}
	entities := slices.Sorted(maps.Keys(want))
	if diff := cmp.Diff(entities, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("other entities (-memory +real):\n%s", diff)
	}
	for _, e := range entities {
		if diff := cmp.Diff(want[e], got[e]); diff != "" {
			t.Errorf("%s has another story (-memory +real):\n%s", e, diff)
			break // the first one is the cause of most others
		}
	}
}

// stories returns what happened to each entity of a run, in order.
func stories(t *testing.T, o twin.Options) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	o.Observe = func(e event.Event) {
		noun, _, _ := strings.Cut(e.Kind, ".")
		key := noun + " " + e.Entity
		all[key] = append(all[key], fmt.Sprintf("%v %s v%d %s", e.T, e.Kind, e.Version, e.Data))
	}
	finish(t, o)
	return all
}

func count(all map[string][]string) (n int) {
	for _, lines := range all {
		n += len(lines)
	}
	return n
}

// courier is a delivery.Publisher that takes the long way: over the broker and through its consumer
// into the partners' log, and from there to the people of the city.
type courier struct {
	t       *testing.T
	broker  *rabbit.Publisher
	log     integration.Log
	people  delivery.Publisher
	read    map[delivery.PartnerID]uint64 // position
	carried int
}

func newCourier(t *testing.T, b *stores.Backends) *courier {
	t.Helper()
	now := fake.NewClock(clock.Of(time.Date(2026, 6, 12, 12, 0, 0, 0, time.UTC))) // near that of the run: what is too old is refused
	log := postgres.NewPartnerLog(b.Integrations, now)
	intake, err := integration.NewService(log, now, integration.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	publisher := rabbit.NewPublisher(b.Broker, rabbit.PublisherOptions{})
	consumer := rabbit.NewConsumer(b.Broker, intake.Take, rabbit.ConsumerOptions{})
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := consumer.Run(ctx); err != nil {
			t.Errorf("consumer: %v", err)
		}
	})
	t.Cleanup(func() {
		publisher.Close()
		stop()
		done.Wait()
	})
	return &courier{t: t, broker: publisher, log: log, read: map[delivery.PartnerID]uint64{}}
}

func (c *courier) to(people delivery.Publisher) delivery.Publisher {
	c.people = people
	return c
}

// Publish implements delivery.Publisher. What arrives is compared with what was sent.
func (c *courier) Publish(ctx context.Context, u []delivery.Update) ([]bool, error) {
	if taken, err := c.broker.Publish(ctx, u); err != nil || slices.Contains(taken, false) {
		return taken, fmt.Errorf("over the broker: %w", err)
	}
	missing := map[delivery.UpdateKey]delivery.Update{}
	for i := range u {
		missing[u[i].Key()] = u[i]
	}
	for end := time.Now().Add(20 * time.Second); len(missing) > 0; {
		if time.Now().After(end) {
			return nil, fault.New("courier", fault.Internal, "", "%d of %d updates did not arrive in 20 s", len(missing), len(u))
		}
		if err := c.collect(ctx, u[0].Partner, missing); err != nil {
			return nil, err
		}
	}
	c.carried += len(u)
	return c.people.Publish(ctx, u)
}

// collect reads what is new in a partner's log.
func (c *courier) collect(ctx context.Context, p delivery.PartnerID, missing map[delivery.UpdateKey]delivery.Update) error {
	entries, err := c.log.Entries(ctx, p, c.read[p], 100)
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		sent, ok := missing[e.Key()]
		if !ok {
			return fault.New("courier", fault.Internal, "", "%s/%d arrived, and was not sent now", e.Delivery, e.Sequence)
		}
		if diff := cmp.Diff(sent, e.Update); diff != "" {
			c.t.Errorf("%s/%d arrived as another (-sent +arrived):\n%s", e.Delivery, e.Sequence, diff)
		}
		c.read[p] = e.Position
		delete(missing, e.Key())
	}
	return nil
}

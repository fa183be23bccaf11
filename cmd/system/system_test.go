package system_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestSystem runs everything as in production, several processes of a service, and kills them at random
// while a partner sends orders and robots carry them. In the end every delivery that was accepted has ended, the partner was told all
// of it in order, no robot had two jobs, and nothing that had to be repeated was done twice.
//
// FOOTWAY_SYSTEM_MINUTES=n does it for n minutes; FOOTWAY_SYSTEM_SEED=n repeats the orders and the kills of a run.
func TestSystem(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a dozen processes: takes a minute or two")
	}
	seed, length, orders := seedOf(t), 20*time.Second, 24
	if text := os.Getenv("FOOTWAY_SYSTEM_MINUTES"); text != "" {
		minutes, err := strconv.Atoi(text)
		if err != nil || minutes < 1 {
			t.Fatalf("FOOTWAY_SYSTEM_MINUTES=%q: want a number of minutes", text)
		}
		length, orders = time.Duration(minutes)*time.Minute, 45*minutes
	}
	began := time.Now()
	step := func(format string, args ...any) {
		t.Logf("%5.1f s  %s", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}

	s := newStack(t, several, nil)
	told := newReceiver(t, seed, true)
	p := s.join(told)
	s.start()
	step("%d processes serve", len(s.services))
	fleet := s.robots(50, "60", calm...)

	ctx, cancel := context.WithTimeout(t.Context(), length+4*time.Minute)
	defer cancel()
	ctx = s.watch(ctx)
	if err := p.served(ctx); err != nil {
		t.Fatal(err)
	}
	step("robots are ready for orders")
	raging, calmed := context.WithCancel(ctx)
	k := &killer{of: s.services, rand: rand.New(rand.NewPCG(seed, 3)), every: 1500 * time.Millisecond}
	var killing sync.WaitGroup
	killing.Go(func() { k.rage(raging) })
	p.play(ctx, recorded(t, seed, orders, length*pace), pace)
	step("the recording is sent: %d requests, %d kills", len(p.answers), k.kills)
	calmed()
	killing.Wait()
	s.serving()

	c := &check{t: t, ctx: ctx, stack: s, partner: p, receiver: told}
	c.ended(step)
	c.answers()
	c.events()
	c.webhooks(step)
	c.robots()
	for _, err := range append(k.failed, s.alive()) {
		if err != nil {
			t.Error(err)
		}
	}
	if err := fleet.stop(20 * time.Second); err != nil {
		t.Errorf("robots: %v", err)
	}
	for _, one := range s.services {
		if err := one.stop(20 * time.Second); err != nil {
			t.Errorf("%s: %v", one.name, err)
		}
	}
	c.logs()
	step("%s", c.figures(k))
	t.Logf("the slowest: %s", c.slowest())
}

// calm is a city in which nothing happens that would take longer than a test has.
var calm = []string{"world.recipients.no_show_permille=0", "world.robots.breakdowns_per_1000_km=0", "world.merchants.late_permille=0", "world.robots.telemetry_every=1m"}

// join adds the partner with a key and an endpoint.
func (s *stack) join(r *receiver) *partner {
	s.t.Helper()
	s.run("partners", "add", tenant, "--name", "Acme Foods", "--market", city, "--sandbox", "--config", s.config)
	var k key
	s.ask(&k, "partners", "keys", "add", tenant)
	var e struct {
		Secret string `json:"signing_secret"`
	}
	s.ask(&e, "partners", "endpoints", "add", tenant, "--url", r.server.URL+"/hook")
	if err := r.trust(e.Secret); err != nil {
		s.t.Fatal(err)
	}
	return newPartner(s.t, k, s.d.Services.Integrations.Address)
}

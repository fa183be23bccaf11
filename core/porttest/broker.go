package porttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footway/core/delivery"
	"footway/core/fault"
)

// BrokerPorts are the two ends of one broker.
type BrokerPorts struct {
	Publisher delivery.Publisher
	// Consume gives what is published to take until ctx ends, and again what take failed for.
	// Any number may run at once.
	Consume func(ctx context.Context, take func(context.Context, ...delivery.Update) error) error
	// Dead returns the names of the updates that were given up.
	Dead func(ctx context.Context) ([]delivery.UpdateKey, error)
}

// patience is how long a broker may take for anything.
const patience = 30 * time.Second

// Broker tries delivery.Publisher with a consumer at its other end. open
// returns an empty broker for each case.
func Broker(t *testing.T, open func(t *testing.T) BrokerPorts) {
	cases := []struct {
		name string
		run  func(*testing.T, BrokerPorts)
	}{
		{"everything arrives as it was published", brokerArrives},
		{"nothing to publish", brokerNothing},
		{"one bad update does not harm the others", brokerBadUpdate},
		{"a caller that has given up", brokerCancelled},
		{"one delivery in order", brokerOrder},
		{"what fails comes again and is not given up", brokerAgain},
		{"what can never be taken is given up alone", brokerPoison},
		{"what an ended consumer did not take goes to the next", brokerNext},
		{"many publishers and consumers", brokerMany},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// sink takes updates in memory.
type sink struct {
	mu    sync.Mutex
	all   []delivery.Update
	count map[delivery.UpdateKey]int
	fail  func(u []delivery.Update) error // nil: nothing fails
}

func (s *sink) take(_ context.Context, u ...delivery.Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(u); err != nil {
			return err
		}
	}
	for i := range u {
		if s.count == nil {
			s.count = map[delivery.UpdateKey]int{}
		}
		if s.count[u[i].Key()]++; s.count[u[i].Key()] == 1 {
			s.all = append(s.all, u[i])
		}
	}
	return nil
}

// taken returns what was taken, each once, in the order in which it first was.
func (s *sink) taken() []delivery.Update {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// await waits until it was told of n different updates.
func (s *sink) await(t *testing.T, n int) []delivery.Update {
	t.Helper()
	eventually(t, fmt.Sprintf("%d updates", n), func() bool { return len(s.taken()) >= n })
	return s.taken()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(time.Millisecond)
	}
}

// consume runs a consumer until the returned function is called, or the test ends.
func (b BrokerPorts) consume(t *testing.T, take func(context.Context, ...delivery.Update) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Consume(ctx, take) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("Consume = %v, want nil when its context ends", err)
				}
			case <-time.After(patience):
				t.Errorf("Consume has not returned %s after its context ended", patience)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func (b BrokerPorts) publish(t *testing.T, u ...delivery.Update) {
	t.Helper()
	for len(u) > 0 {
		// Each of another delivery at once, as the contract wants.
		n, seen := 0, map[delivery.ID]bool{}
		for n < len(u) && !seen[u[n].Delivery] {
			seen[u[n].Delivery] = true
			n++
		}
		b.insist(t, u[:n])
		u = u[n:]
	}
}

// insist publishes updates of different deliveries until all are taken, as the
// relay does: a broker that is busy may fail now and then.
func (b BrokerPorts) insist(t *testing.T, u []delivery.Update) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		taken, err := b.Publisher.Publish(t.Context(), u)
		if len(taken) != len(u) {
			t.Errorf("Publish of %d updates says of %d whether they were taken", len(u), len(taken))
			return
		}
		var rest []delivery.Update
		for i := range u {
			if !taken[i] {
				rest = append(rest, u[i])
			}
		}
		if (err != nil) != (len(rest) > 0) || err != nil && !fault.Is(err, fault.Unavailable) || time.Now().After(deadline) {
			t.Errorf("Publish of %d updates took all but %d: %v; want an error just when one was not taken, and in the end all taken", len(u), len(rest), err)
			return
		}
		if u = rest; len(u) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func brokerUpdates(deliveries, each int) []delivery.Update {
	var all []delivery.Update
	for sequence := range each {
		for d := range deliveries {
			all = append(all, sampleUpdate(delivery.ID(fmt.Sprintf("d%03d", d)), uint64(sequence)+1))
		}
	}
	return all
}

func byKey(u []delivery.Update) map[delivery.UpdateKey]delivery.Update {
	m := make(map[delivery.UpdateKey]delivery.Update, len(u))
	for i := range u {
		m[u[i].Key()] = u[i]
	}
	return m
}

func brokerArrives(t *testing.T, b BrokerPorts) {
	want := brokerUpdates(300, 2)
	want[0].Market, want[0].Partner, want[0].Kind = "a market.with * and #", "ü/ partner", "some kind"
	b.publish(t, want...)
	var s sink
	b.consume(t, s.take)
	got := s.await(t, len(want))
	if diff := cmp.Diff(byKey(want), byKey(got)); diff != "" {
		t.Errorf("updates (-published +taken):\n%s", diff)
	}
}

func brokerNothing(t *testing.T, b BrokerPorts) {
	if taken, err := b.Publisher.Publish(t.Context(), nil); len(taken) != 0 || err != nil {
		t.Errorf("Publish of nothing = %v, %v; want neither", taken, err)
	}
}

func brokerBadUpdate(t *testing.T, b BrokerPorts) {
	u := brokerUpdates(3, 1)
	u[1].ExternalID = ""
	taken, err := b.Publisher.Publish(t.Context(), u)
	if diff := cmp.Diff([]bool{true, false, true}, taken); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	wantKind(t, "Publish of an update without an external id among others", err, fault.Invalid)
	var s sink
	b.consume(t, s.take)
	s.await(t, 2)
}

func brokerCancelled(t *testing.T, b BrokerPorts) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	taken, err := b.Publisher.Publish(ctx, brokerUpdates(3, 1))
	if slices.Contains(taken, true) {
		t.Errorf("taken = %v, want none", taken)
	}
	wantKind(t, "Publish with a context that has ended", err, fault.Unavailable)
	b.publish(t, brokerUpdates(3, 1)...) // and it does again what it is there for
}

func brokerOrder(t *testing.T, b BrokerPorts) {
	var s sink
	b.consume(t, s.take)
	want := brokerUpdates(7, 30)
	b.publish(t, want...)
	last := map[delivery.ID]uint64{}
	for _, u := range s.await(t, len(want)) {
		if u.Sequence != last[u.Delivery]+1 {
			t.Errorf("%s/%d was taken after %d", u.Delivery, u.Sequence, last[u.Delivery])
		}
		last[u.Delivery] = u.Sequence
	}
}

func brokerAgain(t *testing.T, b BrokerPorts) {
	failures := []fault.Kind{fault.Unavailable, fault.Internal, fault.Exhausted, fault.NotFound, fault.Forbidden}
	s := sink{fail: func([]delivery.Update) error {
		if len(failures) == 0 {
			return nil
		}
		kind := failures[0]
		failures = failures[1:]
		return fault.New("sink", kind, "", "not now")
	}}
	b.consume(t, s.take)
	b.publish(t, brokerUpdates(10, 1)...)
	s.await(t, 10)
	b.wantDead(t)
}

func brokerPoison(t *testing.T, b BrokerPorts) {
	poison := map[delivery.UpdateKey]fault.Kind{{Delivery: "d003", Sequence: 1}: fault.Invalid, {Delivery: "d004", Sequence: 1}: fault.Conflict, {Delivery: "d019", Sequence: 2}: fault.Conflict}
	s := sink{fail: func(u []delivery.Update) error {
		for i := range u {
			if kind := poison[u[i].Key()]; kind != fault.Internal {
				return fault.New("sink", kind, "", "one of %d is poison", len(u))
			}
		}
		return nil
	}}
	b.publish(t, brokerUpdates(20, 2)...)
	b.consume(t, s.take)
	got := byKey(s.await(t, 40-len(poison)))
	for k := range poison {
		if _, ok := got[k]; ok {
			t.Errorf("%s/%d was taken, though it never can be", k.Delivery, k.Sequence)
		}
	}
	b.wantDead(t, delivery.UpdateKey{Delivery: "d003", Sequence: 1}, delivery.UpdateKey{Delivery: "d004", Sequence: 1}, delivery.UpdateKey{Delivery: "d019", Sequence: 2})
}

// wantDead waits until those and no others were given up.
func (b BrokerPorts) wantDead(t *testing.T, want ...delivery.UpdateKey) {
	t.Helper()
	var got []delivery.UpdateKey
	deadline := time.Now().Add(patience)
	for {
		var err error
		if got, err = b.Dead(t.Context()); err != nil {
			t.Fatalf("Dead: %v", err)
		}
		if len(got) >= len(want) || time.Now().After(deadline) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

func brokerNext(t *testing.T, b BrokerPorts) {
	asked := make(chan struct{}, 1000)
	stop := b.consume(t, func(context.Context, ...delivery.Update) error {
		asked <- struct{}{}
		return fault.New("sink", fault.Unavailable, "", "never")
	})
	b.publish(t, brokerUpdates(5, 1)...)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatalf("nothing was delivered within %s", patience)
	}
	stop()
	var s sink
	b.consume(t, s.take)
	s.await(t, 5)
	b.wantDead(t)
}

func brokerMany(t *testing.T, b BrokerPorts) {
	var s sink
	for range 3 {
		b.consume(t, s.take)
	}
	const publishers, deliveries = 4, 50
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			var u []delivery.Update
			for d := range deliveries {
				u = append(u, sampleUpdate(delivery.ID(fmt.Sprintf("p%d-%d", p, d)), 1))
			}
			b.insist(t, u)
		})
	}
	wg.Wait()
	s.await(t, publishers*deliveries)
}

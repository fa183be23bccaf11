package rabbit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/delivery"
	"footway/core/fault"
)

// store is what a consumer fills.
type store struct {
	mu    sync.Mutex
	log   *fakeServer // to note takes among what the broker sees
	seen  map[delivery.UpdateKey]int
	calls int
	fail  func(u []delivery.Update) error
}

func (s *store) take(_ context.Context, u ...delivery.Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.fail != nil {
		if err := s.fail(u); err != nil {
			return err
		}
	}
	if s.seen == nil {
		s.seen = map[delivery.UpdateKey]int{}
	}
	for i := range u {
		s.seen[u[i].Key()]++
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.note(fmt.Sprintf("take %d", len(u)))
	return nil
}

func (s *store) has() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

func (s *store) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// times returns how often the first update of a delivery was taken.
func (s *store) times(id delivery.ID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[delivery.UpdateKey{Delivery: id, Sequence: 1}]
}

func (s *store) setFail(f func([]delivery.Update) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

var errStoreDown = fault.New("store", fault.Unavailable, "", "the store is down")

func down([]delivery.Update) error { return errStoreDown }

func (s *fakeServer) put(t *testing.T, u ...delivery.Update) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range u {
		_, m, err := message(&u[i], nil, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		s.arrive(fakeMessage{Publishing: m})
	}
}

// state returns how many messages wait, are with a consumer, and are dead, and
// the highest number of times that one of the first two was given back.
func (s *fakeServer) state() (waiting, unacked, dead, returned int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.queue)
	for _, l := range s.links {
		if l.channel != nil {
			for _, u := range l.channel.unacked {
				all = append(all, u.m)
				unacked++
			}
		}
	}
	for _, m := range all {
		returned = max(returned, m.deliveries)
	}
	return len(s.queue), unacked, len(s.dead), returned
}

// consuming runs a consumer in a bubble of its own time.
func consuming(t *testing.T, s *fakeServer, st *store, o ConsumerOptions, story func(c *Consumer, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st.log = s
		c := NewConsumer(newFake(s), st.take, o)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		var once sync.Once
		stop := func() {
			once.Do(func() {
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("Run = %v", err)
				}
			})
		}
		story(c, stop)
		stop()
	})
}

// TestAcknowledgedAfterTake: what the broker is told is gone is in the store.
func TestAcknowledgedAfterTake(t *testing.T) {
	s, st := &fakeServer{}, &store{}
	consuming(t, s, st, ConsumerOptions{}, func(c *Consumer, _ func()) {
		synctest.Wait()
		s.put(t, some(3)...)
		time.Sleep(time.Second)
		wanted := []string{"consume", "take 3", "ack d0/1", "ack d1/1", "ack d2/1"}
		if diff := cmp.Diff(wanted, s.did()); diff != "" {
			t.Errorf("what happened (-want +got):\n%s", diff)
		}
		if got := c.Status(); !got.Connected || got.Taken != 3 || got.Lag <= 0 || got.Err != nil {
			t.Errorf("status is %+v, want it connected, three taken, a lag and no error", got)
		}
	})
}

// TestHeldWhileTheStoreIsDown: an outage of the store for hours costs each
// update one delivery, and makes no dead letter.
func TestHeldWhileTheStoreIsDown(t *testing.T) {
	s, st := &fakeServer{limit: 3}, &store{fail: down}
	s.put(t, some(5)...)
	consuming(t, s, st, ConsumerOptions{}, func(c *Consumer, _ func()) {
		time.Sleep(9 * time.Minute)
		waiting, unacked, dead, returned := s.state()
		if waiting != 0 || unacked != 5 || dead != 0 || returned != 0 {
			t.Errorf("after 9 minutes: %d wait, %d are held, %d dead, given back up to %d times; want 5 held and never given back", waiting, unacked, dead, returned)
		}
		if got := c.Status(); !got.Connected || got.Held != 5 || !errors.Is(got.Err, errStoreDown) {
			t.Errorf("status is %+v, want it connected, five held, and why", got)
		}
		time.Sleep(12 * time.Hour)
		waiting, unacked, dead, returned = s.state()
		if waiting != 5 || unacked != 0 || dead != 0 || returned != 1 {
			t.Errorf("after 12 hours: %d wait, %d are held, %d dead, given back up to %d times; want 5 waiting, given back once", waiting, unacked, dead, returned)
		}
		if got := c.Status(); got.Connected || got.Held != 5 {
			t.Errorf("status is %+v, want it not connected and five held", got)
		}
		if st.called() < 12*60*5 || st.called() > 12*60*15 {
			t.Errorf("the store was asked %d times in 12 hours, want about every 8 s", st.called())
		}
		st.setFail(nil)
		time.Sleep(time.Minute)
		waiting, unacked, dead, _ = s.state()
		if waiting+unacked+dead != 0 || st.has() != 5 {
			t.Errorf("when the store is back: %d wait, %d held, %d dead, %d taken; want all taken", waiting, unacked, dead, st.has())
		}
		if got := c.Status(); !got.Connected || got.Held != 0 || got.Err != nil {
			t.Errorf("status is %+v, want it well again", got)
		}
	})
	for _, what := range s.did() {
		if strings.HasPrefix(what, "requeue") || strings.HasPrefix(what, "reject") {
			t.Errorf("the consumer did %q, want neither", what)
		}
	}
}

// TestPoisonIsSortedOut: one update that can never be taken, among others.
func TestPoisonIsSortedOut(t *testing.T) {
	bad := delivery.UpdateKey{Delivery: "d61", Sequence: 1}
	s := &fakeServer{}
	st := &store{fail: func(u []delivery.Update) error {
		if slices.ContainsFunc(u, func(u delivery.Update) bool { return u.Key() == bad }) {
			return fault.New("store", fault.Conflict, "", "%s/%d is another", bad.Delivery, bad.Sequence)
		}
		return nil
	}}
	s.put(t, some(100)...)
	s.queue = append(s.queue, fakeMessage{Publishing: amqp.Publishing{MessageId: "garbage", Body: []byte("{")}})
	consuming(t, s, st, ConsumerOptions{}, func(c *Consumer, _ func()) {
		time.Sleep(time.Second)
		waiting, unacked, dead, _ := s.state()
		if waiting+unacked != 0 || dead != 2 || st.has() != 99 {
			t.Fatalf("%d wait, %d held, %d dead, %d taken; want 2 dead and 99 taken", waiting, unacked, dead, st.has())
		}
		if diff := cmp.Diff([]string{"d61/1", "garbage"}, s.letters()); diff != "" {
			t.Errorf("dead letters (-want +got):\n%s", diff)
		}
		if st.called() > 20 {
			t.Errorf("Take was called %d times for 100 updates, want it halved", st.called())
		}
		if got := c.Status(); got.Taken != 99 || got.Dead != 2 {
			t.Errorf("status is %+v, want 99 taken and 2 dead", got)
		}
	})
}

// TestPoisonWhileTheStoreIsDown: the search for it survives an outage.
func TestPoisonWhileTheStoreIsDown(t *testing.T) {
	s, n := &fakeServer{}, 0
	st := &store{fail: func(u []delivery.Update) error {
		if n++; n%3 == 0 {
			return errStoreDown
		}
		if slices.ContainsFunc(u, func(u delivery.Update) bool { return u.Delivery == "d7" }) {
			return fault.New("store", fault.Invalid, "", "never")
		}
		return nil
	}}
	s.put(t, some(10)...)
	consuming(t, s, st, ConsumerOptions{}, func(*Consumer, func()) {
		time.Sleep(time.Minute)
		if _, _, dead, _ := s.state(); dead != 1 || st.has() != 9 {
			t.Errorf("%d dead, %d taken; want 1 and 9", dead, st.has())
		}
	})
}

// TestUnclassifiedErrorsArePatient: a bug must not turn the queue into dead letters.
func TestUnclassifiedErrorsArePatient(t *testing.T) {
	for _, err := range []error{errors.New("nil pointer"), fault.New("store", fault.Forbidden, "", "password"), fault.New("store", fault.NotFound, "", "no table"), context.DeadlineExceeded} {
		s, st := &fakeServer{}, &store{fail: func([]delivery.Update) error { return err }}
		s.put(t, some(3)...)
		consuming(t, s, st, ConsumerOptions{}, func(*Consumer, func()) {
			time.Sleep(time.Hour)
			if _, _, dead, returned := s.state(); dead != 0 || returned != 1 {
				t.Errorf("%v: %d dead, given back %d times; want none dead, and once", err, dead, returned)
			}
		})
	}
}

// TestLostAcknowledgement: the connection ends between taking and telling; it comes
// again and is taken again, which the store must know how to bear.
func TestLostAcknowledgement(t *testing.T) {
	s := &fakeServer{}
	once := true
	st := &store{}
	st.fail = func([]delivery.Update) error {
		if once {
			once = false
			s.connection(0).end(&amqp.Error{Code: amqp.ConnectionForced, Reason: "shut down", Server: true})
		}
		return nil
	}
	s.put(t, some(3)...)
	consuming(t, s, st, ConsumerOptions{}, func(c *Consumer, _ func()) {
		time.Sleep(time.Minute)
		waiting, unacked, dead, _ := s.state()
		if waiting+unacked+dead != 0 || st.times("d0") != 2 {
			t.Errorf("%d wait, %d held, %d dead, d0/1 taken %d times; want it taken twice and none left", waiting, unacked, dead, st.times("d0"))
		}
		if got := c.Status(); got.Again != 3 {
			t.Errorf("status is %+v, want three that came again", got)
		}
	})
}

// TestShutDownFinishesWhatItHas: nothing that arrived is given back, as that would count.
func TestShutDownFinishesWhatItHas(t *testing.T) {
	s, st := &fakeServer{}, &store{}
	st.fail = func([]delivery.Update) error {
		time.Sleep(time.Second) // a slow store
		return nil
	}
	s.put(t, some(15)...)
	consuming(t, s, st, ConsumerOptions{Batch: 5}, func(_ *Consumer, stop func()) {
		time.Sleep(500 * time.Millisecond) // the first batch is being taken
		began := time.Now()
		stop()
		if took := time.Since(began); took < 1500*time.Millisecond || took > 3*time.Second {
			t.Errorf("it took %s, want the time of what was prefetched", took)
		}
	})
	waiting, unacked, dead, returned := s.state()
	if unacked+dead+returned != 0 || st.has()+waiting != 15 || st.has() < 10 {
		t.Errorf("%d wait, %d held, %d dead, %d taken, given back %d times; want what was prefetched taken, and nothing given back", waiting, unacked, dead, st.has(), returned)
	}
}

// TestShutDownHasADeadline: a store that does not answer does not keep Run.
func TestShutDownHasADeadline(t *testing.T) {
	for name, fail := range map[string]func([]delivery.Update) error{
		"a store that is down": down,
		"a store that is slow": func([]delivery.Update) error { time.Sleep(4 * time.Second); return errStoreDown },
	} {
		t.Run(name, func(t *testing.T) {
			s, st := &fakeServer{}, &store{fail: fail}
			s.put(t, some(5)...)
			consuming(t, s, st, ConsumerOptions{}, func(_ *Consumer, stop func()) {
				time.Sleep(time.Second)
				began := time.Now()
				stop()
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("it took %s, want at most 5 s and the call under way", took)
				}
			})
			if waiting, _, _, returned := s.state(); waiting != 5 || returned != 1 {
				t.Errorf("%d wait, given back %d times; want all 5 back, once", waiting, returned)
			}
		})
	}
}

// TestReconnects: for as long as it takes, and not in a hurry.
func TestReconnects(t *testing.T) {
	s, st := &fakeServer{refuse: errors.New("connection refused")}, &store{}
	s.put(t, some(2)...)
	consuming(t, s, st, ConsumerOptions{}, func(c *Consumer, _ func()) {
		time.Sleep(time.Hour)
		if s.dialed() < 360 || s.dialed() > 900 {
			t.Errorf("%d attempts in an hour, want one every 5 to 10 s", s.dialed())
		}
		if got := c.Status(); got.Connected || !strings.Contains(fmt.Sprint(got.Err), "connection refused") {
			t.Errorf("status is %+v, want why", got)
		}
		s.mu.Lock()
		s.refuse = nil
		s.mu.Unlock()
		time.Sleep(time.Minute)
		if st.has() != 2 {
			t.Errorf("%d taken, want 2", st.has())
		}
	})
}

// TestSubscriptionEnded: the queue was deleted, or has moved.
func TestSubscriptionEnded(t *testing.T) {
	s, st := &fakeServer{}, &store{}
	consuming(t, s, st, ConsumerOptions{}, func(c *Consumer, _ func()) {
		time.Sleep(time.Second)
		if err := s.connection(0).channel.Cancel("", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.put(t, some(1)...)
		time.Sleep(time.Second)
		if st.has() != 1 || s.dialed() != 2 {
			t.Errorf("%d taken over %d connections, want 1 over 2", st.has(), s.dialed())
		}
	})
}

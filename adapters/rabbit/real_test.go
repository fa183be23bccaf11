package rabbit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/adapters/rabbit"
	"footway/core/delivery"
	"footway/core/fault"
)

// TestDeclare: as often as one likes; and what exists otherwise is named, with
// what it is and what it was to be, and stays.
func TestDeclare(t *testing.T) {
	o := shared(t)
	for range 2 {
		if err := broker(t, o).Declare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	o.DeliveryLimit = 7
	err := broker(t, o).Declare(t.Context())
	wantFault(t, "Declare with another delivery limit", err, fault.Conflict, "topology")
	for _, part := range []string{"x-delivery-limit", "'7'", "'100'", "footway.integrations", "delete it"} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("the error is %q, want it to say %s", err, part)
		}
	}
	taken, err := publisher(t, broker(t, o)).Publish(t.Context(), updates(1))
	if taken[0] {
		t.Error("Publish to a queue that is another took an update")
	}
	wantFault(t, "Publish to a queue that is another", err, fault.Conflict, "topology")
	if d, err := broker(t, rabbit.Options{URL: o.URL, Prefix: o.Prefix}).Depth(t.Context()); err != nil || d != (rabbit.Depth{}) {
		t.Errorf("Depth = %+v, %v; want an empty queue", d, err)
	}
}

// TestUnroutable: the broker confirms what it drops because no queue wants it.
func TestUnroutable(t *testing.T) {
	o := shared(t)
	b := broker(t, o)
	p := publisher(t, b)
	mustPublish(t, p, updates(1)...)
	ch := direct(t, o.URL)
	if err := ch.QueueUnbind(o.Prefix+"footway.integrations", "delivery.#", o.Prefix+"footway.deliveries", nil); err != nil {
		t.Fatal(err)
	}
	taken, err := p.Publish(t.Context(), updates(300))
	if count(taken) != 0 {
		t.Errorf("%d updates were taken that no queue wants", count(taken))
	}
	wantFault(t, "Publish without a queue", err, fault.Unavailable, "unroutable")
	if err := b.Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, p, updates(300)...)
}

// TestFullQueueRefuses: and nothing that was taken is dropped for what comes.
func TestFullQueueRefuses(t *testing.T) {
	o := shared(t)
	o.MaxLength = 10
	b := broker(t, o)
	p := publisher(t, b)
	var all int
	eventually(t, 30*time.Second, "a refusal", func() bool { // the limit is soft
		taken, err := p.Publish(t.Context(), updates(200))
		all += count(taken)
		if err != nil {
			wantFault(t, "Publish to a full queue", err, fault.Unavailable, "refused")
		}
		return err != nil
	})
	if d, err := b.Depth(t.Context()); err != nil || d.Waiting < all {
		t.Errorf("Depth = %+v, %v; want the %d that were taken", d, err, all)
	}
}

// TestExchangeGone: what the broker says about a channel is heard, and the next call mends it.
func TestExchangeGone(t *testing.T) {
	o := shared(t)
	p := publisher(t, broker(t, o))
	mustPublish(t, p, updates(1)...)
	if err := direct(t, o.URL).ExchangeDelete(o.Prefix+"footway.deliveries", false, false); err != nil {
		t.Fatal(err)
	}
	taken, err := p.Publish(t.Context(), updates(5))
	if count(taken) != 0 {
		t.Errorf("%d updates were taken by no exchange", count(taken))
	}
	wantFault(t, "Publish to an exchange that is gone", err, fault.Unavailable, "broker")
	mustPublish(t, p, updates(5)...)
}

// TestPasswordByReference: it is asked for with each connection, and repeated by no error.
func TestPasswordByReference(t *testing.T) {
	o := shared(t)
	u, err := amqp.ParseURI(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	o.URL = strings.Replace(o.URL, ":"+u.Password+"@", "@", 1)
	password := u.Password
	o.Password = func(context.Context) (string, error) { return password, nil }
	b := broker(t, o)
	wantFault(t, "Check before Declare", b.Check(t.Context()), fault.Conflict, "missing") // it makes nothing
	if err := b.Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	password = "wrong-hunter2"
	err = b.Check(t.Context())
	wantFault(t, "Check with a wrong password", err, fault.Unavailable, "login")
	if strings.Contains(fmt.Sprint(err), "hunter2") {
		t.Errorf("the error repeats the password: %v", err)
	}
}

// TestNobodyThere: a port without a broker, and one that accepts and says nothing.
func TestNobodyThere(t *testing.T) {
	silent := listen(t)
	for name, address := range map[string]string{"nobody": "amqp://a:b@127.0.0.1:1/", "somebody who says nothing": "amqp://a:b@" + silent + "/"} {
		b := broker(t, rabbit.Options{URL: address, CallTimeout: 500 * time.Millisecond})
		p := rabbit.NewPublisher(b, rabbit.PublisherOptions{})
		began := time.Now()
		taken, err := p.Publish(t.Context(), updates(1))
		if took := time.Since(began); took > 2*time.Second || taken[0] || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: Publish = %v, %v after %s; want it refused within half a second", name, taken, err, took)
		}
		p.Close()
	}
}

// dead makes dead letters of n updates, and one of something that is no update.
func dead(t *testing.T, b *rabbit.Broker, o rabbit.Options, n int) {
	t.Helper()
	mustPublish(t, publisher(t, b), updates(n)...)
	ch := direct(t, o.URL)
	if err := ch.PublishWithContext(t.Context(), o.Prefix+"footway.deliveries", "delivery.x", true, false, amqp.Publishing{Body: []byte("no update")}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := rabbit.NewConsumer(b, func(context.Context, ...delivery.Update) error {
		return fault.New("store", fault.Conflict, "", "never")
	}, rabbit.ConsumerOptions{})
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	eventually(t, 20*time.Second, "dead letters", func() bool { return c.Status().Dead == uint64(n)+1 })
	cancel()
	<-done
	eventually(t, 20*time.Second, "dead letters in their queue", func() bool {
		d, err := b.Depth(t.Context())
		return err == nil && d.Dead == n+1
	})
}

func ids(letters []rabbit.DeadLetter) []string {
	var all []string
	for _, l := range letters {
		all = append(all, l.ID)
	}
	return all
}

func mustList(t *testing.T, d *rabbit.DeadLetters, limit int) []rabbit.DeadLetter {
	t.Helper()
	letters, err := d.List(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

// TestDeadLetters: looked at and left in place, replayed as new, dropped.
func TestDeadLetters(t *testing.T) {
	o := shared(t)
	b := broker(t, o)
	dead(t, b, o, 5)
	d := rabbit.NewDeadLetters(b)
	letters := mustList(t, d, 100)
	garbage := letters[5].ID
	all := []string{"d0000/1", "d0001/1", "d0002/1", "d0003/1", "d0004/1", garbage}
	for range 3 { // looking changes nothing
		if diff := cmp.Diff(all, ids(mustList(t, d, 100))); diff != "" {
			t.Fatalf("dead letters (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(all[:2], ids(mustList(t, d, 2))); diff != "" {
			t.Fatalf("the first two dead letters (-want +got):\n%s", diff)
		}
	}
	first := letters[0]
	if first.Reason != "rejected" || first.Queue != o.Prefix+"footway.integrations" || time.Since(first.At).Abs() > time.Hour || *first.Update != updates(1)[0] {
		t.Errorf("the first dead letter is %+v, want why, whence, when, and the update", first)
	}
	if letters[5].Update != nil || letters[5].Wrong == "" || !strings.HasPrefix(garbage, "sha256:") {
		t.Errorf("what is no update is %+v, want why, and a name of its own", letters[5])
	}
	if err := d.Drop(t.Context(), garbage); err != nil {
		t.Error(err)
	}
	wantFault(t, "Drop of one that is gone", d.Drop(t.Context(), garbage), fault.NotFound, "")
	replayed(t, d, rabbit.Choice{IDs: []string{"d0003/1"}}, 1, "d0000/1", "d0001/1", "d0002/1", "d0004/1")
	replayed(t, d, rabbit.Choice{Delivery: "d0001"}, 1, "d0000/1", "d0002/1", "d0004/1")
	replayed(t, d, rabbit.Choice{Reason: "delivery_limit"}, 0, "d0000/1", "d0002/1", "d0004/1")
	replayed(t, d, rabbit.Choice{Limit: 1}, 1, "d0002/1", "d0004/1")
	replayed(t, d, rabbit.Choice{}, 2)
	if n, err := d.Replay(t.Context(), rabbit.Choice{}); n != 0 || err != nil {
		t.Errorf("Replay of none = %d, %v", n, err)
	}
	got := map[string]bool{}
	consume(t, b, func(_ context.Context, u ...delivery.Update) error {
		for i := range u {
			got[string(u[i].Delivery)] = true
		}
		return nil
	}, func(c *rabbit.Consumer) bool { return c.Status().Taken == 5 })
	if len(got) != 5 {
		t.Errorf("%d deliveries came back, want 5", len(got))
	}
}

func replayed(t *testing.T, d *rabbit.DeadLetters, c rabbit.Choice, want int, left ...string) {
	t.Helper()
	if n, err := d.Replay(t.Context(), c); n != want || err != nil {
		t.Errorf("Replay(%+v) = %d, %v; want %d", c, n, err, want)
	}
	if diff := cmp.Diff(left, ids(mustList(t, d, 100))); diff != "" {
		t.Errorf("left after Replay(%+v) (-want +got):\n%s", c, diff)
	}
}

// consume runs a consumer until done.
func consume(t *testing.T, b *rabbit.Broker, take rabbit.Take, done func(*rabbit.Consumer) bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := rabbit.NewConsumer(b, take, rabbit.ConsumerOptions{})
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	eventually(t, 30*time.Second, "what was to be consumed", func() bool { return done(c) })
	cancel()
	<-ended
}

// TestReplayIsNotLost: when the caller gives up or the queue is full, the dead letter stays.
func TestReplayIsNotLost(t *testing.T) {
	o := shared(t)
	o.MaxLength = 5
	b := broker(t, o)
	dead(t, b, o, 2)
	d := rabbit.NewDeadLetters(b)
	before := ids(mustList(t, d, 10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := d.Replay(ctx, rabbit.Choice{}); n != 0 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("Replay with a context that has ended = %d, %v", n, err)
	}
	p := publisher(t, b)
	eventually(t, 20*time.Second, "a full queue", func() bool {
		_, err := p.Publish(t.Context(), updates(1))
		return err != nil
	})
	n, err := d.Replay(t.Context(), rabbit.Choice{})
	if n != 0 {
		t.Errorf("Replay into a full queue = %d, want none", n)
	}
	wantFault(t, "Replay into a full queue", err, fault.Unavailable, "refused")
	after := ids(mustList(t, d, 10))
	slices.Sort(after) // those that an error made give back come last
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// TestDeliveryLimit: an update that kills its consumer each time becomes a dead
// letter, not lost; replayed, it starts anew.
func TestDeliveryLimit(t *testing.T) {
	o := shared(t)
	o.DeliveryLimit = 3
	b := broker(t, o)
	mustPublish(t, publisher(t, b), updates(1)...)
	d := rabbit.NewDeadLetters(b)
	for round := range 2 {
		deliveries := kill(t, o)
		if deliveries != 4 {
			t.Errorf("round %d: %d deliveries, want 4: a limit of 3 is of those after the first", round, deliveries)
		}
		var letters []rabbit.DeadLetter
		eventually(t, 20*time.Second, "the dead letter", func() bool {
			letters = mustList(t, d, 10)
			return len(letters) == 1
		})
		if letters[0].Reason != "delivery_limit" {
			t.Errorf("round %d: the dead letter is %+v, want it given up at the delivery limit", round, letters[0])
		}
		if n, err := d.Replay(t.Context(), rabbit.Choice{Reason: "delivery_limit"}); n != 1 || err != nil {
			t.Fatalf("Replay = %d, %v", n, err)
		}
	}
}

// kill takes a message and dies, until there is none.
func kill(t *testing.T, o rabbit.Options) (deliveries int) {
	t.Helper()
	for {
		ch := direct(t, o.URL)
		_, ok, err := ch.Get(o.Prefix+"footway.integrations", false)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return deliveries
		}
		deliveries++
		if err := ch.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

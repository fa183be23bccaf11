package rabbit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// The tests in this file have no broker: they try what a broker can do to a
// publisher, with time that passes by itself.

func some(n int) []delivery.Update {
	all := make([]delivery.Update, n)
	for i := range all {
		all[i] = delivery.Update{
			Delivery: delivery.ID(fmt.Sprintf("d%d", i)), Sequence: 1, Kind: delivery.StateChanged, At: clock.Time(1),
			Market: "m", Partner: "p", ExternalID: fmt.Sprintf("x%d", i), To: delivery.Quoted,
		}
	}
	return all
}

func fakePublisher(t *testing.T, s *fakeServer) *Publisher {
	t.Helper()
	p := NewPublisher(newFake(s), PublisherOptions{})
	t.Cleanup(p.Close)
	return p
}

func want(t *testing.T, what string, taken []bool, wantTaken string, err error, reason string) {
	t.Helper()
	got := ""
	for _, ok := range taken {
		got += map[bool]string{true: "+", false: "-"}[ok]
	}
	if got != wantTaken {
		t.Errorf("%s: taken is %s, want %s", what, got, wantTaken)
	}
	if reason == "" && err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if reason != "" && (!fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != reason) {
		t.Errorf("%s: got %v, want a fault.Unavailable for the reason %q", what, err, reason)
	}
}

// TestOnlyConfirmedAndRoutedCounts is the heart of it: what the broker refused,
// returned or left unsaid is not taken, and the others are.
func TestOnlyConfirmedAndRoutedCounts(t *testing.T) {
	for _, c := range []struct {
		name   string
		second answer
		reason string
	}{
		{"refused", nack, "refused"},
		{"returned, and confirmed all the same", returnAndAck, "unroutable"},
		{"arrived without a confirmation", unsaid, "timeout"},
		{"lost without a confirmation", vanish, "timeout"},
		{"the broker takes no more", blockAndWait, "blocked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{onPublish: func(m *amqp.Publishing) answer {
					if m.MessageId == "d1/1" {
						return c.second
					}
					return ack
				}}
				p := fakePublisher(t, s)
				began := time.Now()
				taken, err := p.Publish(t.Context(), some(3))
				wanted := "+-+"
				if c.second == blockAndWait {
					wanted = taken2(taken) // whether the third went out before the word came is chance
				}
				want(t, "Publish", taken, wanted, err, c.reason)
				if took := time.Since(began); took > defaultCallTimeout {
					t.Errorf("Publish took %s, want at most %s", took, defaultCallTimeout)
				}
			})
		})
	}
}

func taken2(taken []bool) string {
	if taken[2] {
		return "+-+"
	}
	return "+--"
}

// TestLateConfirmationsCountForNothing: after a timeout the connection is
// another one, and what the old one says is not heard.
func TestLateConfirmationsCountForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{onPublish: func(*amqp.Publishing) answer { return vanish }}
		p := fakePublisher(t, s)
		taken, err := p.Publish(t.Context(), some(2))
		want(t, "Publish to a silent broker", taken, "--", err, "timeout")
		old := s.connection(0).channel.pending
		go func() {
			time.Sleep(time.Second) // into the next call
			for _, c := range old {
				c.settle(true)
			}
		}()
		taken, err = p.Publish(t.Context(), some(2))
		want(t, "Publish while the old messages are confirmed", taken, "--", err, "timeout")
		if s.dialed() != 2 {
			t.Errorf("%d connections, want another one for each call after silence", s.dialed())
		}
	})
}

func TestNotTakenWhenTheConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{onPublish: func(m *amqp.Publishing) answer {
			switch m.MessageId {
			case "d0/1":
				return ack
			case "d1/1":
				return vanish
			}
			return dropTheLink
		}}
		p := fakePublisher(t, s)
		taken, err := p.Publish(t.Context(), some(3))
		want(t, "Publish", taken, "+--", err, "broker")
		if !strings.Contains(err.Error(), "2 of 3 updates") || !strings.Contains(err.Error(), "d1/1") {
			t.Errorf("the error is %q, want it to say that 2 of 3 updates, the first d1/1, were not taken", err)
		}
		s.onPublish = nil
		taken, err = p.Publish(t.Context(), some(3))
		want(t, "Publish again", taken, "+++", err, "")
	})
}

// TestBlockedFailsFast: under an alarm a call fails at once, on the connection
// that will hear of its end; then all is well again.
func TestBlockedFailsFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{}
		p := fakePublisher(t, s)
		taken, err := p.Publish(t.Context(), some(1))
		want(t, "Publish before the alarm", taken, "+", err, "")
		s.connection(0).blocked <- amqp.Blocking{Active: true, Reason: "low on memory"}
		synctest.Wait()
		for range 3 {
			began := time.Now()
			taken, err = p.Publish(t.Context(), some(2))
			want(t, "Publish under the alarm", taken, "--", err, "blocked")
			if took := time.Since(began); took > 0 {
				t.Errorf("Publish took %s under the alarm, want no time", took)
			}
		}
		s.connection(0).blocked <- amqp.Blocking{}
		synctest.Wait()
		taken, err = p.Publish(t.Context(), some(2))
		want(t, "Publish after the alarm", taken, "++", err, "")
		if s.dialed() != 1 {
			t.Errorf("%d connections, want the one", s.dialed())
		}
	})
}

// TestBlockedInTheMiddle: messages on their way when the alarm comes are not
// waited for, and their confirmations, when the alarm is over, not heard.
func TestBlockedInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{onPublish: func(*amqp.Publishing) answer { return blockAndWait }}
		p := fakePublisher(t, s)
		began := time.Now()
		taken, err := p.Publish(t.Context(), some(1))
		want(t, "Publish", taken, "-", err, "blocked")
		if took := time.Since(began); took > 0 {
			t.Errorf("Publish took %s, want no time", took)
		}
		taken, err = p.Publish(t.Context(), some(1))
		want(t, "Publish again", taken, "-", err, "blocked")
		if s.dialed() != 1 {
			t.Errorf("%d connections under the alarm, want the one", s.dialed())
		}
		s.onPublish = nil
		s.connection(0).blocked <- amqp.Blocking{}
		synctest.Wait()
		taken, err = p.Publish(t.Context(), some(1))
		want(t, "Publish after the alarm", taken, "+", err, "")
		if s.dialed() != 2 {
			t.Errorf("%d connections, want a new one after messages that nobody waits for", s.dialed())
		}
	})
}

// TestBackoff: a broker that is away is not asked by every call.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{refuse: errors.New("connection refused")}
		p := fakePublisher(t, s)
		began := time.Now()
		for time.Since(began) < time.Minute {
			taken, err := p.Publish(t.Context(), some(1))
			if taken[0] || !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "connection refused") {
				t.Fatalf("Publish = %v, %v; want it refused, and why", taken, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if s.dialed() < 8 || s.dialed() > 25 {
			t.Errorf("%d attempts in a minute, want a few", s.dialed())
		}
		s.refuse = nil
		time.Sleep(lastBackoff)
		taken, err := p.Publish(t.Context(), some(1))
		want(t, "Publish when the broker is back", taken, "+", err, "")
	})
}

func TestCloseEndsPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{onPublish: func(*amqp.Publishing) answer { return vanish }}
		p := fakePublisher(t, s)
		ended := make(chan error)
		go func() {
			_, err := p.Publish(t.Context(), some(1))
			ended <- err
		}()
		synctest.Wait()
		go p.Close()
		began := time.Now()
		err := <-ended
		if fault.ReasonOf(err) != "closed" || time.Since(began) > 0 {
			t.Errorf("Publish = %v after %s, want it to end with Close, and say so", err, time.Since(began))
		}
		taken, err := p.Publish(t.Context(), some(1))
		want(t, "Publish after Close", taken, "-", err, "closed")
		p.Close() // again
	})
}

func TestOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{onPublish: func(*amqp.Publishing) answer { return vanish }}
		p := fakePublisher(t, s)
		go p.Publish(context.Background(), some(1))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		taken, err := p.Publish(ctx, some(1))
		want(t, "Publish while another call waits", taken, "-", err, "timeout")
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %s, want the second of its context", took)
		}
		if got := s.did(); len(got) != 1 {
			t.Errorf("published %q, want the first call's alone", got)
		}
		synctest.Wait()
	})
}

// TestManyWindows: more updates than may be on their way at once, each returned,
// so that room for returns matters.
func TestManyWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := &fakeServer{onPublish: func(*amqp.Publishing) answer {
			if n++; n > 2*window {
				return ack
			}
			return returnAndAck
		}}
		p := fakePublisher(t, s)
		taken, err := p.Publish(t.Context(), some(3*window+7))
		want(t, "Publish", taken, strings.Repeat("-", 2*window)+strings.Repeat("+", window+7), err, "unroutable")
	})
}

func TestMessage(t *testing.T) {
	u := some(1)[0]
	u.Market, u.Partner, u.Kind = "the north", "a.b*#", ""
	now := time.UnixMilli(1_700_000_000_123).UTC()
	if got, want := routingKey(&u), "delivery.the_north.a_b__._"; got != want {
		t.Errorf("routing key is %q, want %q", got, want)
	}
	u.Kind = delivery.Trouble
	u.Market = "x"
	key, m, err := message(&u, map[string]string{"traceparent": "00-1"}, now)
	if err != nil || key != "delivery.x.a_b__.trouble" {
		t.Fatalf("message = %q, %v", key, err)
	}
	body, err := delivery.EncodeUpdate(u)
	if err != nil {
		t.Fatal(err)
	}
	wanted := amqp.Publishing{
		Headers: amqp.Table{"published_ms": int64(1_700_000_000_123), "traceparent": "00-1"}, ContentType: "application/json", DeliveryMode: 2,
		MessageId: "d0/1", Timestamp: now, Type: "delivery.trouble", AppId: "footway", Body: body,
	}
	if diff := cmp.Diff(wanted, m); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	u.Partner = delivery.PartnerID(strings.Repeat("p", 5000))
	if key := routingKey(&u); len(key) > 255 {
		t.Errorf("a routing key of %d bytes, want at most 255", len(key))
	}
}

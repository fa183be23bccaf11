package rabbit

import (
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/fault"
)

// TestReplayOnlyWhatArrives: a dead letter goes when the broker has said that it is
// in its queue again, and at no other word.
func TestReplayOnlyWhatArrives(t *testing.T) {
	for _, c := range []struct {
		name   string
		second answer
		reason string
	}{
		{"refused", nack, "refused"},
		{"returned, and confirmed all the same", returnAndAck, "unroutable"},
		{"no answer", vanish, "timeout"},
		{"no answer, but it arrives", unsaid, "timeout"},
		{"the broker takes no more", blockAndWait, "blocked"},
		{"the connection ends", dropTheLink, "broker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{onPublish: func(m *amqp.Publishing) answer {
					if m.MessageId == "d1/1" {
						return c.second
					}
					return ack
				}}
				s.put(t, some(3)...)
				s.queue, s.dead = nil, s.queue
				d := NewDeadLetters(newFake(s))
				began := time.Now()
				n, err := d.Replay(t.Context(), Choice{})
				if n != 1 || !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != c.reason {
					t.Errorf("Replay = %d, %v; want one, and a fault.Unavailable for the reason %q", n, err, c.reason)
				}
				if took := time.Since(began); took > 2*defaultCallTimeout {
					t.Errorf("Replay took %s", took)
				}
				if len(s.dead) != 2 {
					t.Errorf("%d dead letters are left, want two", len(s.dead))
				}
			})
		})
	}
}

// TestReplayedStartsAnew: a message that kept the broker's record of its former
// life would be at its limit already.
func TestReplayedStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{}
		s.put(t, some(1)...)
		s.queue, s.dead = nil, s.queue
		s.dead[0].Headers["x-delivery-count"], s.dead[0].Headers["x-death"], s.dead[0].Headers["traceparent"] = int64(100), []any{}, "00-1"
		if n, err := NewDeadLetters(newFake(s)).Replay(t.Context(), Choice{}); n != 1 || err != nil {
			t.Fatalf("Replay = %d, %v", n, err)
		}
		h := s.queue[0].Headers
		if len(h) != 2 || h["traceparent"] != "00-1" || h[headerPublished] == nil {
			t.Errorf("headers are %v, want the publisher's own alone", h)
		}
	})
}

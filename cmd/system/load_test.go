package system_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"footway/adapters/recording"
	"footway/cmd/stores"
	"footway/core/rng"
	generated "footway/sim/city"
)

// What counts as the knee: the highest rate with no error at which nearly all are answered soon.
const (
	soon      = 500 * time.Millisecond
	perStep   = 10 * time.Second
	overload  = 30 * time.Second
	recovered = 5 * time.Second
)

// TestLoad finds how many quotes and accepts a second the services answer, each in a process of its own, and
// what they do at twice as many. It is not for CI: FOOTWAY_SYSTEM_LOAD=1 runs it, on a machine that does nothing else.
func TestLoad(t *testing.T) {
	if os.Getenv("FOOTWAY_SYSTEM_LOAD") == "" {
		t.Skip("FOOTWAY_SYSTEM_LOAD is not set: it takes minutes, and a machine to itself")
	}
	s := newStack(t, nil, func(d *stores.Deployment) { d.Journal.Folder = "" })
	told := newReceiver(t, 1, false)
	p := s.join(told)
	s.start()
	s.robots(100, "1", calm...)
	if err := p.served(s.watch(t.Context())); err != nil {
		t.Fatal(err)
	}
	l := &load{t: t, partner: p}
	l.warm()
	quotes := l.knee("quotes", func(rate int, d time.Duration) *vegeta.Metrics { return l.attack(l.quotes(nil), rate, d) })
	l.shed(2 * quotes)
	accepts := l.knee("accepts", func(rate int, d time.Duration) *vegeta.Metrics { return l.attack(l.accepts(l.made(rate, d)), rate, d) })
	t.Logf("knee: %d quotes/s, %d accepts/s", quotes, accepts)
	if err := s.alive(); err != nil {
		t.Error(err)
	}
}

// load makes requests.
type load struct {
	t       testing.TB
	partner *partner
	orders  atomic.Int64
	ways    sync.Map // bodies by number, made beforehand
	token   func() string
}

const kinds = 1000 // different ways that are asked for

// warm makes what requests are made of, so that the generator is not what is measured.
func (l *load) warm() {
	network, err := generated.Generate(rng.Seed(1), generated.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	w := &writer{rand: rand.New(rand.NewPCG(1, 1)), network: network}
	for i := range kinds {
		l.ways.Store(i, w.way())
	}
	l.token = sync.OnceValue(func() string {
		text, err := l.partner.key.token()
		if err != nil {
			l.t.Fatal(err)
		}
		return text
	})
	l.attack(l.quotes(nil), 20, perStep)
}

// order returns the body of a new order.
func (l *load) order() (id string, body []byte) {
	n := l.orders.Add(1)
	way, _ := l.ways.Load(int(n % kinds))
	order := map[string]any{"external_delivery_id": fmt.Sprintf("load-%d", n), "dropoff_phone_number": personPhone, "order_value": 2000}
	for k, v := range way.(map[string]any) {
		order[k] = v
	}
	body, err := json.Marshal(order)
	if err != nil {
		panic(err) // it is plain values
	}
	return order["external_delivery_id"].(string), body
}

func (l *load) target(method, path string, body []byte) vegeta.Target {
	return vegeta.Target{Method: method, URL: l.partner.door + path, Body: body,
		Header: http.Header{"Authorization": {"Bearer " + l.token()}, "Content-Type": {"application/json"}}}
}

// quotes asks for a new quote each time, and says which were made.
func (l *load) quotes(made func(id string)) vegeta.Targeter {
	return func(t *vegeta.Target) error {
		id, body := l.order()
		*t = l.target(http.MethodPost, "/drive/v2/quotes", body)
		if made != nil {
			made(id)
		}
		return nil
	}
}

// made makes as many quotes as there will be accepted.
func (l *load) made(rate int, d time.Duration) []string {
	n := rate * int(d/time.Second)
	ready := make(chan string, n)
	var work sync.WaitGroup
	var left atomic.Int64
	for range 8 {
		work.Go(func() {
			for left.Add(1) <= int64(n) {
				id, body := l.order()
				a := l.partner.send(l.t.Context(), recording.Request{Method: http.MethodPost, Path: "/drive/v2/quotes", Headers: map[string]string{"Content-Type": "application/json"}, Body: body})
				if a.Status == http.StatusOK {
					ready <- id
				}
			}
		})
	}
	work.Wait()
	close(ready)
	var all []string
	for id := range ready {
		all = append(all, id)
	}
	return all
}

// accepts accepts another quote each time, of those that were made before.
func (l *load) accepts(ready []string) vegeta.Targeter {
	var next atomic.Int64
	return func(t *vegeta.Target) error {
		n := next.Add(1) - 1
		if int(n) >= len(ready) {
			return vegeta.ErrNoTargets
		}
		*t = l.target(http.MethodPost, "/drive/v2/quotes/"+ready[n]+"/accept", nil)
		return nil
	}
}

// attack makes requests at a rate, whether they are answered or not.
func (l *load) attack(targets vegeta.Targeter, rate int, d time.Duration, each ...func(*vegeta.Result)) *vegeta.Metrics {
	attacker := vegeta.NewAttacker(vegeta.Timeout(20*time.Second), vegeta.Connections(512), vegeta.MaxWorkers(2048))
	m := &vegeta.Metrics{}
	for r := range attacker.Attack(targets, vegeta.Rate{Freq: rate, Per: time.Second}, d, "") {
		m.Add(r)
		for _, f := range each {
			f(r)
		}
	}
	m.Close()
	return m
}

// knee returns the highest rate that is kept up.
func (l *load) knee(what string, step func(rate int, d time.Duration) *vegeta.Metrics) (best int) {
	l.t.Helper()
	low, high := 0, 0
	for rate := 25; high == 0 || high-low > max(10, low/6); {
		m := step(rate, perStep)
		good := m.StatusCodes["200"] == int(m.Requests) && m.Latencies.P99 < soon
		l.t.Logf("%-8s %4d/s: p50 %6.1f ms, p99 %7.1f ms, answers %v, good %v", what, rate, ms(m.Latencies.P50), ms(m.Latencies.P99), m.StatusCodes, good)
		if good {
			low = rate
		} else {
			high = rate
		}
		switch {
		case high == 0:
			rate *= 2
		case low == 0 && rate <= 3:
			l.t.Fatalf("%s: not even %d a second are answered in %v", what, rate, soon)
		default:
			rate = (low + high) / 2
		}
		time.Sleep(3 * time.Second) // what is left over of one step is not the next one's
	}
	return low
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// shed asks for more than can be had for a while, and for little afterwards: what is too much is refused
// at once and in the right words, and then all is as it was.
func (l *load) shed(rate int) {
	l.t.Helper()
	m := l.attack(l.quotes(nil), rate, overload)
	l.t.Logf("overload %d/s for %v: p50 %.1f ms, p99 %.1f ms, answers %v", rate, overload, ms(m.Latencies.P50), ms(m.Latencies.P99), m.StatusCodes)
	for code, n := range m.StatusCodes {
		if code != "200" && code != "429" && code != "503" {
			l.t.Errorf("overload: %d answers are %s; want 200, 429 or 503: %v", n, code, m.Errors)
		}
	}
	end := time.Now()
	var mu sync.Mutex
	var last time.Time // when the last request was made that was not answered well
	l.attack(l.quotes(nil), 10, 15*time.Second, func(r *vegeta.Result) {
		mu.Lock()
		defer mu.Unlock()
		if (r.Code != http.StatusOK || r.Latency > soon) && r.Timestamp.After(last) {
			last = r.Timestamp
		}
	})
	took := max(0, last.Sub(end))
	l.t.Logf("recovered %.1f s after the overload", took.Seconds())
	if took > recovered {
		l.t.Errorf("all is well again %v after the overload; want at most %v", took, recovered)
	}
}

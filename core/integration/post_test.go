package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// office is a post over memory stores, with partner p and one endpoint of it.
type office struct {
	t        *testing.T
	now      *fake.Clock
	log      *memory.PartnerLog
	lines    *memory.LineStore
	registry *integration.Registry
	post     *integration.Post
	endpoint integration.Endpoint
	losses   *fake.Losses
	heard    []string // what the endpoint got, such as "a/1"
	say      func(what string) integration.Outcome
	owners   int
}

func testRules() integration.Rules {
	r := integration.DefaultRules()
	r.InFlight, r.Window = 3, 12
	return r
}

func newRegistry(now clock.Clock) *integration.Registry {
	stores := memory.NewRegistry()
	return integration.NewRegistry(integration.RegistryDeps{
		Partners: stores, Keys: stores, Endpoints: stores, Secrets: stores, Source: &fake.Source{}, Clock: now,
		Environment: func(m market.ID) (integration.Environment, error) {
			switch m {
			case "m":
				return integration.Live, nil
			case "test":
				return integration.Sandbox, nil
			}
			return "", fault.New("markets", fault.NotFound, "", "no market %q", m)
		},
		CheckURL: func(u string) error {
			if !strings.HasPrefix(u, "https://") {
				return fault.New("url", fault.Invalid, "", "want https")
			}
			return nil
		},
	})
}

func newOffice(t *testing.T, l *fake.Losses) *office {
	t.Helper()
	now := fake.NewClock(fake.Start)
	o := &office{t: t, now: now, log: memory.NewPartnerLog(now), lines: memory.NewLineStore(), registry: newRegistry(now), losses: l}
	if _, err := o.registry.AddPartner(t.Context(), integration.Partner{ID: "p", Name: "P", Environment: integration.Live, Markets: []market.ID{"m"}}); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.endpoint, _, err = o.registry.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", URL: "https://hooks.example/"}); err != nil {
		t.Fatal(err)
	}
	o.post, err = integration.NewPost(integration.PostDeps{
		Lines: fake.LossyLineStore{LineStore: o.lines, Losses: l}, Ends: o.lines, Recent: o.log, Log: fake.LossyLog{Log: o.log, Losses: l}, Endpoints: o.registry, Clock: now,
		Name: func(u *delivery.Update) string { return strings.ToUpper(string(u.Kind)) },
	}, testRules())
	if err != nil {
		t.Fatal(err)
	}
	o.say = func(string) integration.Outcome { return integration.Outcome{} }
	return o
}

// happen takes updates named like "a/1": delivery a, sequence 1.
func (o *office) happen(names ...string) {
	o.t.Helper()
	for _, n := range names {
		var sequence uint64
		id, number, _ := strings.Cut(n, "/")
		if _, err := fmt.Sscan(number, &sequence); err != nil {
			o.t.Fatal(err)
		}
		if err := o.log.Take(o.t.Context(), update(delivery.ID(id), sequence, o.now.Now())); err != nil {
			o.t.Fatal(err)
		}
	}
}

// open begins a round as a process that never was before.
func (o *office) open() (*integration.Round, error) {
	o.owners++
	return o.post.Open(o.t.Context(), o.endpoint, fmt.Sprint("process ", o.owners))
}

func (o *office) mustOpen() *integration.Round {
	o.t.Helper()
	r, err := o.open()
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// send sends what is due, and settles it in another order.
func (o *office) send(ctx context.Context, r *integration.Round) (int, error) {
	r.News()
	due, err := r.Due(ctx, 100)
	if err != nil {
		return 0, err
	}
	slices.Reverse(due)
	for _, e := range due {
		what := fmt.Sprintf("%s/%d", e.Delivery, e.Sequence)
		out := integration.Outcome{Verdict: integration.Failed, Cause: "the answer was lost"}
		if err := o.losses.Do("send "+what, func() error {
			o.heard = append(o.heard, what)
			out = o.say(what)
			return nil
		}); err != nil {
			return 0, err // the process dies while it sends
		}
		if err := r.Settle(ctx, e.Position, out); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// until sends until nothing is due any more; time passes by what the round waits for, at most so long.
func (o *office) until(r *integration.Round, end clock.Time) {
	o.t.Helper()
	for range 100_000 {
		n, err := o.send(o.t.Context(), r)
		if err != nil {
			o.t.Fatal(err)
		}
		if n > 0 {
			continue
		}
		wake := r.Wake()
		if wake == 0 || wake > end {
			return
		}
		o.now.Set(max(wake, o.now.Now()+1))
	}
	o.t.Fatalf("it does not end: %s, wake %s, %d heard, the last %v", o.now.Now(), r.Wake(), len(o.heard), o.heard[max(0, len(o.heard)-5):])
}

// wantOrder reports unless all of names were heard, and those of each delivery in order: once more only
// what was heard last before.
func (o *office) wantOrder(what string, names ...string) {
	o.t.Helper()
	last := map[string]int{}
	heard := map[string]bool{}
	for _, h := range o.heard {
		id, number, _ := strings.Cut(h, "/")
		var n int
		if _, err := fmt.Sscan(number, &n); err != nil {
			o.t.Fatal(err)
		}
		if n != last[id]+1 && n != last[id] {
			o.t.Errorf("%s: %s came after %s/%d: %v", what, h, id, last[id], o.heard)
		}
		last[id], heard[h] = n, true
	}
	for _, n := range names {
		if !heard[n] {
			o.t.Errorf("%s: %s was never told: %v", what, n, o.heard)
		}
	}
}

var someUpdates = []string{"a/1", "b/1", "a/2", "c/1", "a/3", "b/2", "d/1", "a/4", "c/2", "e/1", "f/1", "g/1", "h/1", "i/1", "a/5"}

func TestPostInOrder(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.happen(someUpdates...)
	r := o.mustOpen()
	o.until(r, o.now.Now())
	o.wantOrder("all at once", someUpdates...)
	if len(o.heard) != len(someUpdates) {
		t.Errorf("%d were told, want each once: %v", len(o.heard), o.heard)
	}
	o.happen("a/6", "j/1")
	o.until(r, o.now.Now())
	o.wantOrder("and more", "a/6", "j/1")
}

// TestPostDies ends the process at every call of a store and at every webhook,
// before and after its effect; another process goes on.
func TestPostDies(t *testing.T) {
	runs := fake.EachLoss(func(l *fake.Losses) {
		o := newOffice(t, l)
		o.happen(someUpdates...)
		once := map[string]bool{}
		o.say = func(what string) integration.Outcome {
			if !once[what] && strings.HasPrefix(what, "a/") {
				once[what] = true
				return integration.Outcome{Verdict: integration.Refused, Cause: "status 400"}
			}
			return integration.Outcome{}
		}
		for range 20 {
			r, err := o.open()
			for err == nil {
				var n int
				if n, err = o.send(t.Context(), r); n == 0 {
					break
				}
			}
			o.now.Advance(testRules().Claim + testRules().Longest)
		}
		o.wantOrder(fmt.Sprintf("call %d lost %s, %s", l.At, l.Side, l.Hit), someUpdates...)
	})
	if runs < 60 {
		t.Errorf("%d losses were tried; is the story too short?", runs)
	}
}

func TestPostClaim(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.happen("a/1", "a/2")
	first := o.mustOpen()
	if _, err := o.open(); !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != integration.Claimed {
		t.Fatalf("a second process opens the same line: %v", err)
	}
	if _, err := first.Due(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	o.now.Advance(testRules().Claim)
	second := o.mustOpen()
	if err := first.Settle(t.Context(), 1, integration.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if due, err := first.Due(t.Context(), 100); !fault.Is(err, fault.Conflict) {
		t.Errorf("a process that slept sends on: %v, %v; want a conflict", due, err)
	}
	o.until(second, o.now.Now())
	if got := fmt.Sprint(o.heard); got != "[a/1 a/2]" {
		t.Errorf("the second process told %s", got)
	}
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.mustOpen()
}

// TestPostOneDeliveryFails sees that others do not wait for it, and that it becomes a dead letter.
func TestPostOneDeliveryFails(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	tries := 0
	o.say = func(what string) integration.Outcome {
		if what == "a/2" {
			tries++
			return integration.Outcome{Verdict: integration.Failed, Cause: "status 500"}
		}
		return integration.Outcome{}
	}
	o.happen(someUpdates...)
	r := o.mustOpen()
	o.until(r, o.now.Now())
	for _, n := range someUpdates {
		if told := slices.Contains(o.heard, n); told == (strings.HasPrefix(n, "a/") && n != "a/1" && n != "a/2") {
			t.Errorf("%s was told: %t; only those of a behind a/2 wait", n, told)
		}
	}
	o.until(r, o.now.Now().Add(testRules().MaxAge+2*clock.Hour))
	o.wantDead("a/2 status 500")
	if tries < 70 || tries > 500 {
		t.Errorf("a/2 was tried %d times in three days", tries)
	}
	if !slices.Contains(o.heard, "a/5") {
		t.Errorf("a/3 to a/5 still wait: %v", o.heard)
	}
}

func (o *office) wantDead(want ...string) {
	o.t.Helper()
	dead, err := o.lines.Ends(o.t.Context(), integration.EndQuery{Endpoint: o.endpoint.ID, GivenUp: true, Limit: 1000})
	if err != nil {
		o.t.Fatal(err)
	}
	var got []string
	for _, d := range dead {
		got = append(got, fmt.Sprintf("%s/%d %s", d.Delivery, d.Sequence, d.Cause))
	}
	if !slices.Equal(got, want) {
		o.t.Errorf("dead letters %v, want %v", got, want)
	}
}

// TestPostBreaker counts attempts at an endpoint that does not answer.
func TestPostBreaker(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	down := true
	o.say = func(string) integration.Outcome {
		if down {
			return integration.Outcome{Verdict: integration.Failed, Cause: "timeout"}
		}
		return integration.Outcome{}
	}
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("d%02d/1", i))
	}
	o.happen(names...)
	r := o.mustOpen()
	o.until(r, o.now.Now().Add(5*clock.Hour))
	if n := len(o.heard); n < 20 || n > 60 {
		t.Errorf("%d attempts in five hours at an endpoint that is down; want about one in a quarter of an hour", n)
	}
	if n, _, open := r.Waiting(); !open || n > testRules().Window {
		t.Errorf("%d wait, and the breaker is open: %t; want at most %d, true", n, open, testRules().Window)
	}
	down, o.heard = false, nil
	o.until(r, o.now.Now().Add(clock.Hour))
	o.wantOrder("up again", names...)
	if n := len(o.heard); n != len(names) {
		t.Errorf("%d webhooks for %d updates once it is up", n, len(names))
	}
	o.wantDead()
}

// TestPostPoisonProbe has one webhook that is never taken decide about the breaker: it must not do so for ever.
func TestPostPoisonProbe(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	down := true
	o.say = func(what string) integration.Outcome {
		if down || what == "a/1" {
			return integration.Outcome{Verdict: integration.Failed, Cause: "status 500"}
		}
		return integration.Outcome{}
	}
	o.happen("a/1", "b/1", "c/1", "d/1", "e/1")
	r := o.mustOpen()
	o.until(r, o.now.Now().Add(clock.Hour))
	down, o.heard = false, nil
	o.until(r, o.now.Now().Add(2*clock.Hour))
	for _, n := range []string{"b/1", "c/1", "d/1", "e/1"} {
		if !slices.Contains(o.heard, n) {
			t.Errorf("%s still waits behind a/1, which the endpoint never takes", n)
		}
	}
}

func TestPostRetryAfter(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.say = func(string) integration.Outcome {
		return integration.Outcome{Verdict: integration.Failed, Cause: "status 503", After: 20 * clock.Minute}
	}
	o.happen("a/1")
	r := o.mustOpen()
	o.until(r, o.now.Now().Add(19*clock.Minute))
	o.happen("b/1")
	o.until(r, o.now.Now().Add(clock.Second))
	if len(o.heard) != 1 {
		t.Errorf("it was called %d times within 20 minutes; it asked to be left alone", len(o.heard))
	}
	o.until(r, fake.Start.Add(21*clock.Minute))
	if len(o.heard) != 2 {
		t.Errorf("it was called %d times; want once more after 20 minutes", len(o.heard))
	}
}

func TestPostGone(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.say = func(string) integration.Outcome {
		return integration.Outcome{Verdict: integration.Closed, Cause: "status 410"}
	}
	o.happen("a/1")
	r := o.mustOpen()
	if _, err := o.send(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	e, err := o.registry.OwnEndpoint(t.Context(), integration.Owner{Partner: "p"}, o.endpoint.ID)
	if err != nil || e.Status != integration.Gone || r.Endpoint().Status != integration.Gone {
		t.Errorf("the endpoint is %s, error %v; want %s", e.Status, err, integration.Gone)
	}
	if err := o.post.Rewind(t.Context(), integration.Owner{Partner: "p"}, o.endpoint.ID, 0); !fault.Is(err, fault.Conflict) {
		t.Errorf("Rewind of an endpoint that is gone = %v; want a conflict", err)
	}
}

func TestPostRewind(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.happen("a/1", "b/1", "a/2", "a/3")
	r := o.mustOpen()
	o.until(r, o.now.Now())
	for _, c := range []struct {
		partner  delivery.PartnerID
		endpoint string
	}{{"q", o.endpoint.ID}, {"p", "none"}} {
		if err := o.post.Rewind(t.Context(), integration.Owner{Partner: c.partner}, c.endpoint, 0); !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != integration.UnknownEndpoint {
			t.Errorf("Rewind of %s for %s = %v; want not found", c.endpoint, c.partner, err)
		}
	}
	if err := o.post.Rewind(t.Context(), integration.Owner{Partner: "p"}, o.endpoint.ID, 1); err != nil {
		t.Fatal(err)
	}
	o.heard = nil
	o.happen("a/4")
	r.News()
	due, err := r.Due(t.Context(), 100)
	if err == nil {
		for _, e := range due {
			err = r.Settle(t.Context(), e.Position, integration.Outcome{})
		}
		if err == nil {
			_, err = r.Due(t.Context(), 100)
		}
	}
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("the round goes on after the line was wound back: %v", err)
	}
	o.now.Advance(testRules().Claim)
	o.until(o.mustOpen(), o.now.Now())
	if got := fmt.Sprint(o.heard); got != "[a/2 b/1 a/3 a/4]" && got != "[b/1 a/2 a/3 a/4]" {
		t.Errorf("told again: %s; want what is behind position 1", got)
	}
}

// TestPostRewindWaiting winds a line back that has something waiting: each is told in
// order all the same, and none twice because it waits twice.
func TestPostRewindWaiting(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.say = func(what string) integration.Outcome {
		if strings.HasPrefix(what, "a/") {
			return integration.Outcome{Verdict: integration.Refused, Cause: "status 400"}
		}
		return integration.Outcome{}
	}
	o.happen("b/1", "a/1", "b/2", "a/2", "b/3")
	r := o.mustOpen()
	o.until(r, o.now.Now())
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := o.post.Rewind(t.Context(), integration.Owner{Partner: "p"}, o.endpoint.ID, 2); err != nil {
		t.Fatal(err)
	}
	l, err := o.lines.Line(t.Context(), o.endpoint.ID)
	if err != nil || l.Read != 2 || len(l.Waiting) != 1 || l.Waiting[0].Position != 2 {
		t.Errorf("the line is %+v, %v; want a/1 to wait, and the rest to be read again", l, err)
	}
	o.heard, o.say = nil, func(string) integration.Outcome { return integration.Outcome{} }
	o.until(o.mustOpen(), o.now.Now().Add(clock.Hour))
	slices.Sort(o.heard)
	if got := fmt.Sprint(o.heard); got != "[a/1 a/2 b/2 b/3]" {
		t.Errorf("told: %s", got)
	}
}

func TestPostFilter(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.endpoint.Events = []string{"READY"}
	ready := update("a", 2, o.now.Now())
	ready.Kind = delivery.Ready
	if err := o.log.Take(t.Context(), update("a", 1, o.now.Now()), ready, update("a", 3, o.now.Now())); err != nil {
		t.Fatal(err)
	}
	o.until(o.mustOpen(), o.now.Now())
	if got := fmt.Sprint(o.heard); got != "[a/2]" {
		t.Errorf("told: %s; want only what the endpoint wants", got)
	}
}

// TestPostForgotten has the log forget what waits for an endpoint.
func TestPostForgotten(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.say = func(string) integration.Outcome {
		return integration.Outcome{Verdict: integration.Refused, Cause: "status 400"}
	}
	o.happen("a/1")
	r := o.mustOpen()
	o.until(r, o.now.Now())
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.now.Advance(clock.Day)
	if _, err := o.log.Trim(t.Context(), o.now.Now()); err != nil {
		t.Fatal(err)
	}
	o.happen("b/1")
	o.say = func(string) integration.Outcome { return integration.Outcome{} }
	o.until(o.mustOpen(), o.now.Now())
	o.wantDead("a/1 the log has forgotten it")
	if last := o.heard[len(o.heard)-1]; last != "b/1" {
		t.Errorf("the last one told is %s; want b/1", last)
	}
}

// TestPostAtRandom lets endpoints fail by chance, processes die, and time pass.
func TestPostAtRandom(t *testing.T) {
	for seed := range uint64(30) {
		chance := rand.New(rand.NewPCG(seed, 1))
		o := newOffice(t, &fake.Losses{})
		o.say = func(string) integration.Outcome {
			return integration.Outcome{Verdict: integration.Verdict(max(0, chance.IntN(5)-2)), Cause: "chance"}
		}
		next := map[string]int{}
		var names []string
		for len(names) < 200 {
			id := string(rune('a' + chance.IntN(12)))
			next[id]++
			names = append(names, fmt.Sprintf("%s/%d", id, next[id]))
		}
		told := 0
		var r *integration.Round
		for range 200 {
			if n := min(len(names), told+chance.IntN(20)); n > told {
				o.happen(names[told:n]...)
				told = n
			}
			if r == nil || chance.IntN(5) == 0 { // it dies
				o.now.Advance(testRules().Claim)
				r = o.mustOpen()
			}
			if _, err := o.send(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			o.now.Advance(clock.Duration(chance.IntN(60_000)))
		}
		o.say = func(string) integration.Outcome { return integration.Outcome{} }
		o.now.Advance(clock.Hour)
		o.until(o.mustOpen(), o.now.Now().Add(clock.Hour))
		o.wantOrder(fmt.Sprint("seed ", seed), names...)
	}
}

func TestRules(t *testing.T) {
	if err := integration.DefaultRules().Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*integration.Rules){
		"nothing in flight":      func(r *integration.Rules) { r.InFlight = 0 },
		"window below in flight": func(r *integration.Rules) { r.Window = r.InFlight - 1 },
		"longest below first":    func(r *integration.Rules) { r.Longest = r.First - 1 },
		"max age below longest":  func(r *integration.Rules) { r.MaxAge = r.Longest - 1 },
		"no rest":                func(r *integration.Rules) { r.Rest = 0 },
		"no trips":               func(r *integration.Rules) { r.Trips = 0 },
		"claim too short":        func(r *integration.Rules) { r.Claim = 4*integration.MaxAttempt - 1 },
	} {
		r := integration.DefaultRules()
		spoil(&r)
		if _, err := integration.NewPost(integration.PostDeps{}, r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: NewPost = %v, want invalid", name, err)
		}
	}
}

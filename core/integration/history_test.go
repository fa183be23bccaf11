package integration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/porttest/fake"
)

// bakery is a business of partner p.
var bakery = integration.Owner{Partner: "p", Business: "bakery"}

// newBakery is an office whose endpoint belongs to a business.
func newBakery(t *testing.T) *office {
	t.Helper()
	o := newOffice(t, &fake.Losses{})
	var err error
	if o.endpoint, _, err = o.registry.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", Business: "bakery", URL: "https://hooks.example/"}); err != nil {
		t.Fatal(err)
	}
	return o
}

// sell takes the first updates of deliveries, named like "bakery/quay:a".
func (o *office) sell(names ...string) {
	o.t.Helper()
	for _, n := range names {
		store, id, _ := strings.Cut(n, ":")
		u := update(delivery.ID(id), 1, o.now.Now())
		u.Store = store
		if err := o.log.Take(o.t.Context(), u); err != nil {
			o.t.Fatal(err)
		}
	}
}

// turn has a process tell the endpoint what is due until end, and leave.
func (o *office) turn(end clock.Time) {
	o.t.Helper()
	r := o.mustOpen()
	o.until(r, end)
	if err := r.Close(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

// wantHistory compares a history, in which each notice reads like "a told 1 status 204".
func (o *office) wantHistory(what string, q integration.HistoryQuery, next uint64, want ...string) {
	o.t.Helper()
	all, below, err := o.post.History(o.t.Context(), bakery, o.endpoint.ID, q)
	var got []string
	for _, n := range all {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", n.Delivery, n.Fate, n.Attempts, n.Answer)))
	}
	if err != nil || !slices.Equal(got, want) || below != next {
		o.t.Errorf("%s: History(%+v) = %q, below %d, %v; want %q, below %d", what, q, got, below, err, want, next)
	}
}

func TestBusinessIsToldOfItsOwn(t *testing.T) {
	o := newBakery(t)
	o.sell("bakery/quay:a", "bar/quay:b", ":c", "bakery:d", "bakery/hill:e", "bakery2/x:f")
	o.turn(o.now.Now())
	slices.Sort(o.heard)
	if got := fmt.Sprint(o.heard); got != "[a/1 e/1]" {
		t.Errorf("the bakery was told %s; want what is of its stores", got)
	}
	o.wantHistory("told", integration.HistoryQuery{Limit: 10}, 0, "e told 1", "a told 1")
	if _, _, err := o.post.History(t.Context(), integration.Owner{Partner: "p"}, o.endpoint.ID, integration.HistoryQuery{}); err != nil {
		t.Errorf("the partner may not see what its business is told: %v", err)
	}
}

// TestOthersEndpointsDoNotExist walks all that is done with an endpoint, for those whose it is not.
func TestOthersEndpointsDoNotExist(t *testing.T) {
	o := newBakery(t)
	o.sell("bakery/quay:a")
	ctx, id := t.Context(), o.endpoint.ID
	for _, other := range []integration.Owner{{Partner: "p", Business: "bar"}, {Partner: "q", Business: "bakery"}, {Partner: "q"}, {}} {
		_, _, history := o.post.History(ctx, other, id, integration.HistoryQuery{})
		_, own := o.registry.OwnEndpoint(ctx, other, id)
		_, set := o.registry.SetEndpoint(ctx, other, id, integration.Gone)
		_, pause := o.registry.PauseEndpoint(ctx, other, id, true)
		_, _, rotate := o.registry.RotateSigning(ctx, other, id, clock.Hour)
		for what, err := range map[string]error{"History": history, "OwnEndpoint": own, "SetEndpoint": set, "PauseEndpoint": pause, "RotateSigning": rotate,
			"Rewind": o.post.Rewind(ctx, other, id, 0), "Resend": o.post.Resend(ctx, other, id, 1), "Remove": o.post.Remove(ctx, other, id)} {
			if !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != integration.UnknownEndpoint {
				t.Errorf("%s for %s = %v; want not found, %s", what, other, err, integration.UnknownEndpoint)
			}
		}
	}
	if e, err := o.registry.OwnEndpoint(ctx, bakery, id); err != nil || e.Revision != 1 {
		t.Errorf("the endpoint is %+v, %v; want it untouched", e, err)
	}
}

// TestHistoryTellsFates follows entries from waiting to told or given up.
func TestHistoryTellsFates(t *testing.T) {
	o := newBakery(t)
	answer := map[string]integration.Outcome{"a/1": {Verdict: integration.Refused, Cause: "status 400"}, "b/1": {Cause: "status 204"}, "c/1": {Cause: "status 200"}}
	o.say = func(what string) integration.Outcome { return answer[what] }
	o.sell("bakery/quay:a", "bar/quay:x", "bakery/quay:b")
	all := integration.HistoryQuery{Limit: 10}
	failed := integration.HistoryQuery{Failed: true, Limit: 10}
	o.wantHistory("nobody has sent yet", all, 0, "b waiting 0", "a waiting 0")
	o.wantHistory("nobody has sent yet", failed, 0)
	o.turn(o.now.Now())
	o.sell("bakery/quay:c")
	o.wantHistory("a is refused", all, 0, "c waiting 0", "b told 1 status 204", "a waiting 1 status 400")
	o.wantHistory("a is refused", failed, 0, "a waiting 1 status 400")
	page, _, err := o.post.History(t.Context(), bakery, o.endpoint.ID, failed)
	if err != nil || page[0].Next <= o.now.Now() || page[0].Name != "STATE" || page[0].ExternalID != "x" {
		t.Errorf("what failed is %+v, %v; want its name, its order and when it is tried again", page, err)
	}
	o.wantHistory("in pages", integration.HistoryQuery{Limit: 1}, 4, "c waiting 0")
	o.wantHistory("in pages", integration.HistoryQuery{Limit: 1, Below: 4}, 3, "b told 1 status 204")
	o.turn(o.now.Now().Add(testRules().MaxAge + clock.Hour))
	page, _, err = o.post.History(t.Context(), bakery, o.endpoint.ID, failed)
	if err != nil || len(page) != 1 || page[0].Fate != integration.GivenUp || page[0].Ended == 0 || page[0].Attempts < 70 {
		t.Errorf("after three days what failed is %+v, %v; want a given up", page, err)
	}
	answer["a/1"] = integration.Outcome{Cause: "status 201"}
	if err := o.post.Resend(t.Context(), bakery, o.endpoint.ID, 1); err != nil {
		t.Fatal(err)
	}
	o.wantHistory("a is to be sent again", failed, 0)
	o.turn(o.now.Now())
	o.wantHistory("a arrived at last", all, 0, "c told 1 status 200", "b told 1 status 204", "a told 1 status 201")
	o.wantHistory("a arrived at last", failed, 0)
}

// TestHistoryBegins sees that what was before an endpoint is not in its history, unless it was told of it.
func TestHistoryBegins(t *testing.T) {
	o := newOffice(t, &fake.Losses{})
	o.sell("bakery/quay:a", "bakery/quay:b")
	from, err := o.post.End(t.Context(), "p")
	if err != nil || from != 2 {
		t.Fatalf("End = %d, %v; want 2", from, err)
	}
	if o.endpoint, _, err = o.registry.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", Business: "bakery", URL: "https://hooks.example/", From: from}); err != nil {
		t.Fatal(err)
	}
	o.sell("bakery/quay:c")
	o.wantHistory("new", integration.HistoryQuery{Limit: 10}, 0, "c waiting 0")
	if err := o.post.Resend(t.Context(), bakery, o.endpoint.ID, 2); !fault.Is(err, fault.NotFound) {
		t.Errorf("Resend of what was before = %v; want not found", err)
	}
	if err := o.post.Rewind(t.Context(), bakery, o.endpoint.ID, 1); err != nil {
		t.Fatal(err)
	}
	o.turn(o.now.Now()) // at once, with a line that begins where it was wound back to
	o.wantHistory("wound back", integration.HistoryQuery{Limit: 10}, 0, "c told 1", "b told 1")
	if n, err := o.post.End(t.Context(), "nobody"); n != 0 || err != nil {
		t.Errorf("End of no log = %d, %v", n, err)
	}
}

func TestResend(t *testing.T) {
	o := newBakery(t)
	o.sell("bakery/quay:a", "bar/quay:b", "bakery/quay:c", "bakery/quay:d")
	o.turn(o.now.Now())
	o.heard = nil
	for what, position := range map[string]uint64{"nothing": 0, "another business's": 2, "what is not there": 5} {
		if err := o.post.Resend(t.Context(), bakery, o.endpoint.ID, position); !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != integration.UnknownEvent {
			t.Errorf("Resend of %s = %v; want not found, %s", what, err, integration.UnknownEvent)
		}
	}
	for _, position := range []uint64{3, 1, 3} {
		if err := o.post.Resend(t.Context(), bakery, o.endpoint.ID, position); err != nil {
			t.Fatal(err)
		}
	}
	o.turn(o.now.Now())
	slices.Sort(o.heard)
	if got := fmt.Sprint(o.heard); got != "[a/1 c/1]" {
		t.Errorf("told again: %s; want those two, each once", got)
	}
	if _, err := o.registry.PauseEndpoint(t.Context(), bakery, o.endpoint.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := o.post.Resend(t.Context(), bakery, o.endpoint.ID, 1); !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != integration.NotActive {
		t.Errorf("Resend while it is paused = %v; want a conflict", err)
	}
}

// TestResendDoesNotWait has somebody ask for an attempt while the breaker is open, and its line is full.
func TestResendDoesNotWait(t *testing.T) {
	o := newBakery(t)
	down := true
	o.say = func(string) integration.Outcome {
		if down {
			return integration.Outcome{Verdict: integration.Failed, Cause: "status 500"}
		}
		return integration.Outcome{}
	}
	for i := range testRules().Window + 2 {
		o.sell(fmt.Sprintf("bakery/quay:d%02d", i))
	}
	o.turn(o.now.Now().Add(clock.Hour))
	down, o.heard = false, nil
	if err := o.post.Resend(t.Context(), bakery, o.endpoint.ID, 7); err != nil {
		t.Fatal(err)
	}
	o.turn(o.now.Now())
	if len(o.heard) != testRules().Window+2 {
		t.Errorf("%d were told at once after somebody asked: %v; want all, since the endpoint answers", len(o.heard), o.heard)
	}
	down = true
	for i := range testRules().Window {
		o.sell(fmt.Sprintf("bakery/quay:e%02d", i))
	}
	o.turn(o.now.Now().Add(clock.Minute))
	if err := o.post.Resend(t.Context(), bakery, o.endpoint.ID, 1); !fault.Is(err, fault.Exhausted) {
		t.Errorf("Resend to an endpoint for which too much waits = %v; want exhausted", err)
	}
}

// TestBusinessesHaveLimits counts the endpoints of businesses apart from each other's and from their partner's.
func TestBusinessesHaveLimits(t *testing.T) {
	o := newBakery(t)
	add := func(business string, n int) error {
		_, _, err := o.registry.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", Business: business, URL: fmt.Sprintf("https://%d.example/", n)})
		return err
	}
	for n := range 4 {
		if err := add("bakery", n); err != nil {
			t.Fatal(err)
		}
	}
	if err := add("bakery", 4); !fault.Is(err, fault.Exhausted) || fault.ReasonOf(err) != integration.TooMany {
		t.Errorf("a sixth endpoint of a business: %v; want exhausted", err)
	}
	if err := add("bar", 0); err != nil {
		t.Errorf("the first endpoint of another business: %v", err)
	}
	if err := add("bar", 0); !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != integration.DuplicateURL {
		t.Errorf("the same URL twice: %v; want a conflict", err)
	}
	for n := range 19 {
		if err := add("", n); err != nil {
			t.Fatal(err)
		}
	}
	if err := add("", 19); !fault.Is(err, fault.Exhausted) {
		t.Errorf("a twenty-first endpoint of a partner: %v; want exhausted", err)
	}
	if err := add("a/b", 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("an endpoint of a business with a slash: %v; want invalid", err)
	}
	for owner, want := range map[integration.Owner]int{bakery: 5, {Partner: "p", Business: "bar"}: 1, {Partner: "p", Business: "none"}: 0, {Partner: "p"}: 26} {
		if all, err := o.registry.OwnEndpoints(t.Context(), owner); err != nil || len(all) != want {
			t.Errorf("%s has %d endpoints, %v; want %d", owner, len(all), err, want)
		}
	}
}

func TestPauseIsNotSuspension(t *testing.T) {
	o := newBakery(t)
	ctx, id := t.Context(), o.endpoint.ID
	want := func(what string, e integration.Endpoint, err error, status integration.Status) {
		t.Helper()
		if err != nil || e.Status != status {
			t.Errorf("%s: it is %s, %v; want %s", what, e.Status, err, status)
		}
	}
	e, err := o.registry.PauseEndpoint(ctx, bakery, id, true)
	want("paused", e, err, integration.Paused)
	e, err = o.registry.PauseEndpoint(ctx, bakery, id, false)
	want("resumed", e, err, integration.Active)
	e, err = o.registry.SetEndpoint(ctx, integration.Owner{Partner: "p"}, id, integration.Suspended)
	want("suspended", e, err, integration.Suspended)
	for _, paused := range []bool{true, false} {
		if _, err := o.registry.PauseEndpoint(ctx, bakery, id, paused); !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != integration.SuspendedByUs {
			t.Errorf("PauseEndpoint(%t) of one that we suspended = %v; want a conflict", paused, err)
		}
	}
}

// TestRemove leaves nothing of an endpoint, also where somebody is sending to it.
func TestRemove(t *testing.T) {
	o := newBakery(t)
	o.sell("bakery/quay:a")
	o.turn(o.now.Now())
	o.sell("bakery/quay:b")
	sending := o.mustOpen()
	proofs, err := o.registry.Proofs(t.Context(), o.endpoint)
	if err != nil || len(proofs.Signing) != 1 {
		t.Fatal(proofs, err)
	}
	if err := o.post.Remove(t.Context(), bakery, o.endpoint.ID); err != nil {
		t.Fatal(err)
	}
	if err := sending.Close(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Errorf("who was sending closes: %v; want a conflict", err)
	}
	if err := o.post.Remove(t.Context(), bakery, o.endpoint.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("Remove again = %v; want not found", err)
	}
	if ends, err := o.lines.Ends(t.Context(), integration.EndQuery{Endpoint: o.endpoint.ID, Limit: 9}); err != nil || len(ends) != 0 {
		t.Errorf("%d ends are left, %v", len(ends), err)
	}
	if _, err := o.registry.Proofs(t.Context(), o.endpoint); !fault.Is(err, fault.NotFound) {
		t.Errorf("its secret after Remove: %v; want not found", err)
	}
}

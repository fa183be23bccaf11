package grpcapi_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"google.golang.org/grpc/test/bufconn"

	"footway/adapters/grpcapi"
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/fault"
	"footway/core/porttest/fake"
)

// roundEvery returns the version after c, in which a market plans every so often.
func roundEvery(t *testing.T, c *config.Config, d clock.Duration) *config.Config {
	t.Helper()
	s := c.Get("m")
	s.Dispatch.RoundEvery = d
	next, err := c.With("m", s)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// TestConfigCutOff goes on with the last version while Config is away, and
// takes up the next when it is back.
func TestConfigCutOff(t *testing.T) {
	from, bell := &configs{}, grpcapi.NewBell()
	first := roundEvery(t, config.New(), 20*clock.Second)
	from.put(first)
	l := bufconn.Listen(1 << 20)
	o := plain(grpcapi.Options{Config: from, ConfigBell: bell})
	server := serve(t, o, l)
	client := follow(t, dial(t, l, grpcapi.DialOptions{}), nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	server.Stop(gone)
	err := client.Refresh(t.Context())
	if !fault.Is(err, fault.Unavailable) || client.Status().Failures == 0 {
		t.Errorf("Refresh while Config is away: %v, %+v; want it unavailable and counted", err, client.Status())
	}
	if s, v := client.Get("m"); v != 1 || s.Dispatch.RoundEvery != 20*clock.Second {
		t.Errorf("while Config is away the client has version %d, round_every %v; want the last", v, s.Dispatch.RoundEvery)
	}
	if _, err := grpcapi.FollowConfig(t.Context(), grpcapi.NewConfigDocument("tests", dial(t, l, grpcapi.DialOptions{})), fake.NewClock(fake.Start), nil, quiet); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a client that begins while Config is away: %v, want it unavailable", err)
	}
}

// TestConfigComesBack restarts Config behind one name.
func TestConfigComesBack(t *testing.T) {
	y := newYard(t)
	from := &configs{}
	from.put(roundEvery(t, config.New(), 20*clock.Second))
	with := func(o *grpcapi.Options, _ *grpcapi.LinkOptions) { o.Config = from }
	r := y.replica(t, "a", limits(), with)
	cc, err := r.dialer(t, secret)()
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	client := follow(t, cc, nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r.server.Stop(gone)
	from.put(roundEvery(t, from.Config(), 40*clock.Second))
	again := y.replica(t, "a2", limits(), with)
	r.mu.Lock()
	r.l = again.l // the name leads to the new process
	r.mu.Unlock()
	eventually(t, "the client has the version of after the restart", func() bool {
		s, v := client.Get("m")
		return v == 2 && s.Dispatch.RoundEvery == 40*clock.Second
	})
}

// TestConfigOnTheWire asks for the settings of one market, and for what has not changed.
func TestConfigOnTheWire(t *testing.T) {
	from := &configs{}
	from.put(roundEvery(t, config.New(), 20*clock.Second))
	cc := wired(t, grpcapi.Options{Config: from})
	a, err := pb.NewConfigClient(cc).Get(t.Context(), &pb.GetSettingsRequest{Market: "m"})
	if err != nil {
		t.Fatal(err)
	}
	var got config.Settings
	if err := json.Unmarshal(a.GetSettings(), &got); err != nil || a.GetVersion() != 1 || got != from.Config().Get("m") {
		t.Errorf("Get(m) = version %d, %+v, %v", a.GetVersion(), got, err)
	}
	d := grpcapi.NewConfigDocument("tests", cc)
	text, tag, err := d.Fetch(t.Context(), "")
	if err != nil || len(text) == 0 || tag == "" {
		t.Fatalf("Fetch = %d bytes, %q, %v", len(text), tag, err)
	}
	if text, again, err := d.Fetch(t.Context(), tag); err != nil || text != nil || again != tag {
		t.Errorf("Fetch of what the caller has = %d bytes, %q, %v; want none and the same tag", len(text), again, err)
	}
	from.put(roundEvery(t, from.Config(), 50*clock.Second))
	if text, next, err := d.Fetch(t.Context(), tag); err != nil || len(text) == 0 || next == tag {
		t.Errorf("Fetch after a change = %d bytes, %q, %v; want another text and tag", len(text), next, err)
	}
}

// TestConfigPoll has a version arrive though nobody rang the bell.
func TestConfigPoll(t *testing.T) {
	from := &configs{}
	from.put(roundEvery(t, config.New(), 20*clock.Second))
	client := follow(t, wired(t, grpcapi.Options{Config: from}), nil)
	from.put(roundEvery(t, from.Config(), 30*clock.Second))
	began := time.Now()
	eventually(t, "the version arrives", func() bool { return client.Status().Version == 2 })
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("it took %v, want at most a look or two of 2 s", took)
	}
}

package configfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"footway/core/clock"
	"footway/core/config"
	"footway/core/fault"
)

// place is a document whose answers a test chooses.
type place struct {
	mu    sync.Mutex
	text  string
	fails error
	hangs bool
	asked []time.Time
}

func (p *place) Name() string { return "place" }

func (p *place) Fetch(ctx context.Context, tag string) ([]byte, string, error) {
	p.mu.Lock()
	text, fails, hangs := p.text, p.fails, p.hangs
	p.asked = append(p.asked, time.Now())
	p.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, "", fault.New("place", fault.Unavailable, "", "place: %w", ctx.Err())
	}
	if fails != nil {
		return nil, "", fails
	}
	if "tag "+text == tag {
		return nil, tag, nil
	}
	return []byte(text), "tag " + text, nil
}

func (p *place) set(change func(*place)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// took returns when the document was asked since the last call.
func (p *place) took() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.asked
	p.asked = nil
	return all
}

type machine struct{}

func (machine) Now() clock.Time { return clock.Of(time.Now()) }

// polled runs a poller of a document with version 1 in a bubble, where time passes when everybody waits.
func polled(t *testing.T, o Options, story func(p *place, f *config.Follower, poller *Poller, log func() string, end func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &place{text: `{"version": 1}`}
		f, err := config.Follow(t.Context(), config.Following{Document: p, Clock: machine{}, Parse: func(_ string, text []byte) (*config.Config, error) { return config.LoadJSON(text) }})
		if err != nil {
			t.Fatal(err)
		}
		p.took()
		var lines bytes.Buffer
		o.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		poller := NewPoller(f, o)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { poller.Run(ctx) })
		synctest.Wait()
		story(p, f, poller, func() string {
			synctest.Wait()
			defer lines.Reset()
			return lines.String()
		}, func() {
			cancel()
			running.Wait()
		})
		cancel()
		running.Wait()
	})
}

func version(n int, rest string) string { return fmt.Sprintf(`{"version": %d%s}`, n, rest) }

func TestPollerFollows(t *testing.T) {
	polled(t, Options{}, func(p *place, f *config.Follower, _ *Poller, log func() string, _ func()) {
		time.Sleep(time.Hour)
		at := p.took()
		if len(at) < 100 || len(at) > 140 {
			t.Errorf("looked %d times in an hour, want about every 30 s", len(at))
		}
		spans := map[time.Duration]bool{}
		for i := 1; i < len(at); i++ {
			d := at[i].Sub(at[i-1])
			if spans[d] = true; d < 27*time.Second || d > 33*time.Second {
				t.Errorf("%v between two looks, want 27 to 33 s", d)
			}
		}
		if len(spans) < 10 {
			t.Errorf("%d different waits, want them spread", len(spans))
		}
		if got := log(); got != "" {
			t.Errorf("logged, though nothing happened: %s", got)
		}
		p.set(func(p *place) { p.text = version(2, `, "defaults": {"dispatch": {"round_every": "31s"}}`) })
		time.Sleep(time.Minute)
		want := fmt.Sprintf("level=INFO msg=\"configuration changed\" from=1 to=2 changes=\"[defaults.dispatch.round_every: %v -> 31s]\"\n", config.DefaultSettings().Dispatch.RoundEvery)
		if got := log(); got != want || f.Config().Version() != 2 {
			t.Errorf("logged\n%swant\n%s", got, want)
		}
	})
}

// TestPollerBadVersion wants a bad version to be logged once, and looked at as often as a good one.
func TestPollerBadVersion(t *testing.T) {
	polled(t, Options{Every: time.Minute}, func(p *place, f *config.Follower, _ *Poller, log func() string, _ func()) {
		p.set(func(p *place) { p.text = version(2, `, "dfaults": {}`) })
		time.Sleep(time.Hour)
		got := log()
		if n := strings.Count(got, "\n"); n != 1 || !strings.Contains(got, `level=ERROR msg="configuration is not followed" error="config.Refresh: config.Load: dfaults: no such key; did you mean defaults?" version=1`) {
			t.Errorf("logged %d lines, want one of what is wrong:\n%s", n, got)
		}
		if n := len(p.took()); n < 50 {
			t.Errorf("looked %d times in an hour at a text that is wrong, want still every minute", n)
		}
		p.set(func(p *place) { p.text = version(2, `, "markts": {}`) })
		time.Sleep(time.Hour)
		if got := log(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "did you mean markets?") {
			t.Errorf("another mistake: logged\n%s", got)
		}
		p.set(func(p *place) { p.text = version(2, "") })
		time.Sleep(2 * time.Minute)
		if got := log(); got != "level=INFO msg=\"configuration changed\" from=1 to=2 changes=[]\nlevel=INFO msg=\"configuration is followed again\" version=2\n" {
			t.Errorf("put right: logged\n%s", got)
		}
		if f.Config().Version() != 2 {
			t.Errorf("version %d in force, want 2", f.Config().Version())
		}
	})
}

// TestPollerBacksOff wants longer waits while the document is away, up to a limit, and the usual ones after.
func TestPollerBacksOff(t *testing.T) {
	polled(t, Options{Every: 10 * time.Second, Longest: 2 * time.Minute}, func(p *place, _ *config.Follower, poller *Poller, log func() string, _ func()) {
		p.set(func(p *place) { p.fails = errors.New("away") })
		time.Sleep(30 * time.Minute)
		at := p.took()
		for i, want := range []time.Duration{20 * time.Second, 40 * time.Second, 80 * time.Second, 2 * time.Minute, 2 * time.Minute} {
			if d := at[i+1].Sub(at[i]); d < want*9/10 || d > want*11/10 {
				t.Errorf("wait %d is %v, want about %v", i, d, want)
			}
		}
		if got := log(); strings.Count(got, "\n") != 1 {
			t.Errorf("logged\n%swant the error once", got)
		}
		p.set(func(p *place) { p.fails = nil })
		poller.LookNow()
		synctest.Wait()
		if n := len(p.took()); n != 1 {
			t.Errorf("asked to look now, looked %d times", n)
		}
		time.Sleep(time.Minute)
		if n := len(p.took()); n < 5 {
			t.Errorf("looked %d times in the minute after all was well again, want every 10 s", n)
		}
	})
}

// TestPollerDeadline wants one look to end though the document never answers.
func TestPollerDeadline(t *testing.T) {
	polled(t, Options{Timeout: 3 * time.Second}, func(p *place, f *config.Follower, poller *Poller, log func() string, _ func()) {
		p.set(func(p *place) { p.hangs = true })
		poller.LookNow()
		time.Sleep(2900 * time.Millisecond)
		if s := f.Status(); s.Err != nil {
			t.Errorf("given up too early: %v", s.Err)
		}
		time.Sleep(200 * time.Millisecond)
		if s := f.Status(); !errors.Is(s.Err, context.DeadlineExceeded) || s.Unreached != 1 {
			t.Errorf("after its time: %+v, want it given up", s)
		}
		if got := log(); !strings.Contains(got, "deadline exceeded") {
			t.Errorf("logged\n%s", got)
		}
	})
}

// TestPollerEnds wants nothing logged because the process ends in the middle of a look.
func TestPollerEnds(t *testing.T) {
	polled(t, Options{}, func(p *place, _ *config.Follower, poller *Poller, log func() string, end func()) {
		p.set(func(p *place) { p.hangs = true })
		poller.LookNow()
		synctest.Wait()
		end()
		if got := log(); got != "" || len(p.took()) != 1 {
			t.Errorf("the end was logged as a failure: %s", got)
		}
	})
}

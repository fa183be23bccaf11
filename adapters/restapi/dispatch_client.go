package restapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/market"
)

// DispatchClient is Dispatch in another process. It remembers which replica plans
// the rounds of a market. It is safe for concurrent use.
type DispatchClient struct {
	*client
	mu      sync.Mutex
	leaders map[market.ID]string // host:port
}

var (
	_ delivery.Dispatcher   = (*DispatchClient)(nil)
	_ delivery.DecisionFeed = (*DispatchClient)(nil)
)

// NewDispatchClient returns a client of the API at an address such as http://dispatch:8080,
// which may be that of any replica, or of what stands before them.
func NewDispatchClient(address string, o ClientOptions) (*DispatchClient, error) {
	c, err := newClient(address, o)
	return &DispatchClient{client: c, leaders: map[market.ID]string{}}, err
}

// ask makes a call where a market's leader is thought to be, and once more
// where whoever answered says it is. It does not ask the same replica twice.
func (c *DispatchClient) ask(ctx context.Context, m market.ID, do func(host string) error) error {
	host := c.leader(m)
	err := do(host)
	next, moved := leaderOf(err)
	switch {
	case host != "" && fault.Is(err, fault.Unavailable) && next == "":
		c.follow(m, "") // it may be gone for good: the address that was configured knows better
		if moved || isCut(err) {
			next = c.base.Host
		}
	case !moved:
		return err
	}
	if next == "" || next == host || !validHost(next) || ctx.Err() != nil {
		return err
	}
	if next != c.base.Host {
		c.follow(m, next)
	}
	err = do(next)
	if fault.Is(err, fault.Unavailable) {
		c.follow(m, "")
	}
	return err
}

// leaderOf returns who is to be asked instead, if the one that answered is not the leader.
func leaderOf(err error) (host string, moved bool) {
	if !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != reasonNotLeader {
		return "", false
	}
	if r, ok := errors.AsType[*refused](err); ok {
		return r.leader, true
	}
	return "", true
}

// isCut reports whether a replica did not answer at all. All calls may be repeated.
func isCut(err error) bool { return fault.ReasonOf(err) == reasonCut }

// validHost reports whether host is one, with a port, and nothing else.
func validHost(host string) bool {
	u, err := url.Parse("http://" + host)
	return err == nil && u.Host == host && u.Port() != "" && u.Hostname() != ""
}

func (c *DispatchClient) leader(m market.ID) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaders[m]
}

func (c *DispatchClient) follow(m market.ID, host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if host == "" {
		delete(c.leaders, m)
		return
	}
	c.leaders[m] = host
}

func attemptPath(m market.ID, id string, attempt int, what string) string {
	return marketPath(m, "/requests/"+segment(id)+"/"+strconv.Itoa(attempt)+what)
}

// Estimate implements delivery.Dispatcher.
func (c *DispatchClient) Estimate(ctx context.Context, r dispatch.EstimateRequest) (e dispatch.Estimate, err error) {
	err = c.ask(ctx, r.Market, func(host string) error {
		e, err = c.estimate(ctx, "Dispatch.Estimate", host, r)
		return err
	})
	return e, err
}

// Request implements delivery.Dispatcher.
func (c *DispatchClient) Request(ctx context.Context, r dispatch.Request) error {
	return c.ask(ctx, r.Market, func(host string) error {
		return c.do(ctx, call{op: "Dispatch.Request", method: http.MethodPut, path: attemptPath(r.Market, r.Delivery, r.Attempt, ""), in: requestTo(r), host: host})
	})
}

// Withdraw implements delivery.Dispatcher.
func (c *DispatchClient) Withdraw(ctx context.Context, m market.ID, id string, attempt int) error {
	return c.ask(ctx, m, func(host string) error {
		return c.do(ctx, call{op: "Dispatch.Withdraw", method: http.MethodDelete, path: attemptPath(m, id, attempt, ""), host: host})
	})
}

// Finish implements delivery.Dispatcher.
func (c *DispatchClient) Finish(ctx context.Context, f dispatch.Finish) error {
	return c.ask(ctx, f.Market, func(host string) error {
		return c.do(ctx, call{op: "Dispatch.Finish", method: http.MethodPut, path: attemptPath(f.Market, f.Delivery, f.Attempt, "/finish"), in: finishTo(f), host: host})
	})
}

// Decisions implements delivery.DecisionFeed. It does not wait.
func (c *DispatchClient) Decisions(ctx context.Context, m market.ID, after dispatch.Cursor, limit int) ([]dispatch.Decision, dispatch.Cursor, error) {
	return c.Wait(ctx, m, after, limit, 0)
}

// Wait is Decisions, but where there are none it waits for them, as long as it is told to and at most MaxWait.
func (c *DispatchClient) Wait(ctx context.Context, m market.ID, after dispatch.Cursor, limit int, wait time.Duration) ([]dispatch.Decision, dispatch.Cursor, error) {
	wait = min(wait, MaxWait).Truncate(time.Millisecond)
	values := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		values.Set("after", string(after))
	}
	if wait > 0 {
		values.Set("wait", clock.Duration(wait/time.Millisecond).String())
	}
	var out wireDecisions
	err := c.ask(ctx, m, func(host string) error {
		out = wireDecisions{}
		return c.do(ctx, call{op: "Dispatch.Decisions", method: http.MethodGet, path: marketPath(m, "/decisions"), query: values, out: &out, wait: wait, host: host})
	})
	if err != nil {
		return nil, "", err
	}
	return each(out.Decisions, wireDecision.core), out.Next, nil
}

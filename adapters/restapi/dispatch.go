package restapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/market"
)

// DispatchDeps are what the API of Dispatch works with.
type DispatchDeps struct {
	Dispatcher delivery.Dispatcher
	Decisions  delivery.DecisionFeed
	Bell       *Bell // the Notifier of the dispatcher
	// Leader reports whether this replica plans the rounds of a market, and if not which
	// one does, as host:port, "" if nobody knows. Nil: this one plans all.
	Leader func(m market.ID) (mine bool, address string)
}

// MaxWait is how long a long poll waits at most.
const MaxWait = 60 * time.Second

// dispatchAPI has the handlers of openapi/dispatch.yaml.
type dispatchAPI struct {
	DispatchDeps
	*API
}

// NewDispatch returns the API of Dispatch.
func NewDispatch(d DispatchDeps, o Options) *API {
	s := &dispatchAPI{DispatchDeps: d}
	const (
		inMarket = "/v1/markets/{market}"
		attempt  = inMarket + "/requests/{delivery}/{attempt}"
	)
	s.API = newAPI(o, documentOf("dispatch"),
		route{http.MethodPost, inMarket + "/estimates", "estimate", quick, s.estimate},
		route{http.MethodPut, attempt, "requestRobot", quick, s.request},
		route{http.MethodDelete, attempt, "withdraw", quick, s.withdraw},
		route{http.MethodPut, attempt + "/finish", "finish", quick, s.finish},
		route{http.MethodGet, inMarket + "/decisions", "listDecisions", poll, s.decisions},
	)
	return s.API
}

// leads fails unless this replica plans the rounds of m.
func (s *dispatchAPI) leads(m market.ID) error {
	if s.Leader == nil {
		return nil
	}
	mine, address := s.Leader(m)
	if mine {
		return nil
	}
	return &later{error: fault.New("restapi", fault.Unavailable, reasonNotLeader, "another replica plans the rounds of market %s", m), after: time.Second, leader: address}
}

// place is what the paths of a market say.
type place struct {
	market   market.ID
	delivery string
	attempt  int
}

// where returns what the path says, if this replica is the one to ask.
func (s *dispatchAPI) where(r *http.Request) (place, error) {
	m, err := marketIn(r)
	if err != nil {
		return place{}, err
	}
	p := place{market: m}
	if text := r.PathValue("attempt"); text != "" {
		var ok bool
		p.delivery, ok = name(r.PathValue("delivery"))
		if p.attempt, err = strconv.Atoi(text); err != nil || !ok || strconv.Itoa(p.attempt) != text {
			return place{}, fault.New("restapi", fault.NotFound, reasonNoSuchPath, "there is nothing at this path")
		}
	}
	return p, s.leads(m)
}

func dispatchEstimate(m market.ID, in wireEstimateRequest) dispatch.EstimateRequest {
	return dispatch.EstimateRequest{Market: m, Pickup: in.Pickup.core(), Dropoff: in.Dropoff.core(), Load: in.Load.core(), ReadyAt: clock.Time(in.ReadyAt)}
}

func (s *dispatchAPI) estimate(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.where(r); err != nil {
		return err
	}
	return estimate(w, r, s.Dispatcher)
}

func (s *dispatchAPI) request(w http.ResponseWriter, r *http.Request) error {
	var in wireRequest
	if err := readInto(w, r, &in); err != nil {
		return err
	}
	return s.command(w, r, func(ctx context.Context, p place) error {
		return s.Dispatcher.Request(ctx, in.core(p.market, p.delivery, p.attempt))
	})
}

func (s *dispatchAPI) withdraw(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	return s.command(w, r, func(ctx context.Context, p place) error {
		return s.Dispatcher.Withdraw(ctx, p.market, p.delivery, p.attempt)
	})
}

func (s *dispatchAPI) finish(w http.ResponseWriter, r *http.Request) error {
	var in wireFinish
	if err := readInto(w, r, &in); err != nil {
		return err
	}
	return s.command(w, r, func(ctx context.Context, p place) error {
		return s.Dispatcher.Finish(ctx, in.core(p.market, p.delivery, p.attempt))
	})
}

// command does something to an attempt, and has nothing to say.
func (s *dispatchAPI) command(w http.ResponseWriter, r *http.Request, do func(context.Context, place) error) error {
	p, err := s.where(r)
	if err != nil {
		return err
	}
	if err := do(r.Context(), p); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// decisions answers at once if there are any behind the cursor, and otherwise as
// soon as there are, or when the caller does not want to wait any longer.
func (s *dispatchAPI) decisions(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	q := readQuery(r, "after", "limit", "wait")
	limit, wait := min(q.number("limit", MaxPage), MaxPage), waitOf(q)
	if q.err != nil {
		return q.err
	}
	p, err := s.where(r)
	if err != nil {
		return err
	}
	l := s.Bell.listen(marketKey(p.market))
	defer l.close()
	if err := lift(http.NewResponseController(w), wait+patience); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("long poll: %w", err)
	}
	enough := time.After(wait)
	for {
		all, next, err := s.read(r.Context(), p.market, dispatch.Cursor(q.text("after")), limit)
		if err != nil {
			return err
		}
		if len(all) > 0 || wait == 0 || !s.wait(r.Context(), l, enough) {
			return reply(w, r, wireDecisions{list(all, decisionTo), next})
		}
		if err := s.leads(p.market); err != nil {
			return err
		}
	}
}

// read asks the service once, with a deadline of its own.
func (s *dispatchAPI) read(ctx context.Context, m market.ID, after dispatch.Cursor, limit int) ([]dispatch.Decision, dispatch.Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	return s.Decisions.Decisions(ctx, m, after, limit)
}

// waitOf reads how long a caller wants to wait, such as 25s.
func waitOf(q *query) time.Duration {
	text := q.text("wait")
	if text == "" {
		return 0
	}
	d, err := clock.ParseDuration(text)
	if (err != nil || d < 0 || d.Std() > MaxWait) && q.err == nil {
		q.err = invalid(reasonBadQuery, "query: wait: want 0s to %s", clock.Duration(MaxWait/time.Millisecond))
	}
	return d.Std()
}

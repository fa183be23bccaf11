package restapi

import (
	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/market"
)

type wireRequest struct {
	Kind        dispatch.RequestKind `json:"kind"`
	Pickup      wirePosition         `json:"pickup"`
	Dropoff     wirePosition         `json:"dropoff"`
	Load        wireLoad             `json:"load"`
	ReadyAt     instant              `json:"ready_at,omitzero"`
	PromiseAt   instant              `json:"promise_at,omitzero"`
	RequestedAt instant              `json:"requested_at,omitzero"`
	Not         []fleet.RobotID      `json:"not,omitempty"`
}

func requestTo(q dispatch.Request) wireRequest {
	return wireRequest{q.Kind, positionTo(q.Pickup), positionTo(q.Dropoff), wireLoad(q.Load), instant(q.ReadyAt), instant(q.PromiseAt), instant(q.RequestedAt), q.Not}
}

func (w wireRequest) core(m market.ID, id string, attempt int) dispatch.Request {
	return dispatch.Request{Market: m, Delivery: id, Attempt: attempt, Kind: w.Kind, Pickup: w.Pickup.core(), Dropoff: w.Dropoff.core(), Load: w.Load.core(),
		ReadyAt: clock.Time(w.ReadyAt), PromiseAt: clock.Time(w.PromiseAt), RequestedAt: clock.Time(w.RequestedAt), Not: w.Not}
}

type wireFinish struct {
	Robot     fleet.RobotID `json:"robot"`
	Token     uint64        `json:"token,string"` // beyond what numbers of JSON hold everywhere
	PickupAt  instant       `json:"pickup_at,omitzero"`
	DropoffAt instant       `json:"dropoff_at,omitzero"`
}

func finishTo(f dispatch.Finish) wireFinish {
	return wireFinish{f.Robot, f.Token, instant(f.PickupAt), instant(f.DropoffAt)}
}

func (w wireFinish) core(m market.ID, id string, attempt int) dispatch.Finish {
	return dispatch.Finish{Market: m, Delivery: id, Attempt: attempt, Robot: w.Robot, Token: w.Token, PickupAt: clock.Time(w.PickupAt), DropoffAt: clock.Time(w.DropoffAt)}
}

type wireDecision struct {
	Market   market.ID             `json:"market"`
	Delivery string                `json:"delivery"`
	Attempt  int                   `json:"attempt"`
	Kind     dispatch.DecisionKind `json:"kind"`
	At       instant               `json:"at,omitzero"`
	Robot    fleet.RobotID         `json:"robot,omitempty"`
	Token    uint64                `json:"token,string"`
	PickupAt instant               `json:"pickup_at,omitzero"`
	Cause    string                `json:"cause,omitempty"`
	Why      *wireWhy              `json:"why,omitempty"`
	Position *wirePosition         `json:"position,omitempty"`
}

func decisionTo(d dispatch.Decision) wireDecision {
	w := wireDecision{Market: d.Market, Delivery: d.Delivery, Attempt: d.Attempt, Kind: d.Kind, At: instant(d.At), Robot: d.Robot, Token: d.Token,
		PickupAt: instant(d.PickupAt), Cause: d.Cause, Why: whyTo(d.Why)}
	if d.Position != nil {
		p := positionTo(*d.Position)
		w.Position = &p
	}
	return w
}

func (w wireDecision) core() dispatch.Decision {
	d := dispatch.Decision{Market: w.Market, Delivery: w.Delivery, Attempt: w.Attempt, Kind: w.Kind, At: clock.Time(w.At), Robot: w.Robot, Token: w.Token,
		PickupAt: clock.Time(w.PickupAt), Cause: w.Cause, Why: w.Why.core()}
	if w.Position != nil {
		p := w.Position.core()
		d.Position = &p
	}
	return d
}

type wireWhy struct {
	Policy           string           `json:"policy"`
	Round            uint64           `json:"round"`
	Waiting          int              `json:"waiting"`
	Candidates       int              `json:"candidates"`
	DeadheadMS       int64            `json:"deadhead_ms"`
	DeadheadMM       int64            `json:"deadhead_mm"`
	Cost             int64            `json:"cost"`
	Price            int64            `json:"price"`
	RunnerUp         fleet.RobotID    `json:"runner_up,omitempty"`
	RunnerUpCloserMS int64            `json:"runner_up_closer_ms"`
	HeldMS           int64            `json:"held_ms"`
	Considered       []wireConsidered `json:"considered,omitempty"`
}

type wireConsidered struct {
	Robot    fleet.RobotID `json:"robot"`
	PickupMS int64         `json:"pickup_ms"`
	Cost     int64         `json:"cost"`
}

func consideredTo(c dispatch.Considered) wireConsidered {
	return wireConsidered{c.Robot, int64(c.Pickup), c.Cost}
}

func (w wireConsidered) core() dispatch.Considered {
	return dispatch.Considered{Robot: w.Robot, Pickup: clock.Duration(w.PickupMS), Cost: w.Cost}
}

func whyTo(y *dispatch.Why) *wireWhy {
	if y == nil {
		return nil
	}
	return &wireWhy{y.Policy, y.Round, y.Waiting, y.Candidates, int64(y.Deadhead), y.DeadheadMM, y.Cost, y.Price, y.RunnerUp, int64(y.RunnerUpCloser),
		int64(y.Held), each(y.Considered, consideredTo)}
}

func (w *wireWhy) core() *dispatch.Why {
	if w == nil {
		return nil
	}
	return &dispatch.Why{Policy: w.Policy, Round: w.Round, Waiting: w.Waiting, Candidates: w.Candidates, Deadhead: clock.Duration(w.DeadheadMS),
		DeadheadMM: w.DeadheadMM, Cost: w.Cost, Price: w.Price, RunnerUp: w.RunnerUp, RunnerUpCloser: clock.Duration(w.RunnerUpCloserMS),
		Held: clock.Duration(w.HeldMS), Considered: each(w.Considered, wireConsidered.core)}
}

type wireDecisions struct {
	Decisions []wireDecision  `json:"decisions"`
	Next      dispatch.Cursor `json:"next"`
}
